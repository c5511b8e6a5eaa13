"""An ONNX graph under construction: nodes and constants, and the model that they become."""

import json

import numpy as np

from skimbal._version import __version__

# Any runtime since 2023 reads these versions. torch's exporter writes no lower ones.
OPSET = 18
IR_VERSION = 8
MAX_BYTES = 2**31 - 2**20  # protobuf ends at 2 GiB
INPUT = "X"


class Graph:
    """Nodes in the order in which they are computed; a value is known by its name.

    Parameters
    ----------
    dtype : "float64" or "float32"
        Precision of all numbers that are not whole.
    """

    def __init__(self, dtype):
        self.dtype = np.dtype(dtype)
        self.nodes = []
        self.constants = {}
        self.outputs = []

    def add(self, op, *inputs, **attributes):
        """Add a node and return the name of its output; inputs that are no names are constants."""
        names = [x if isinstance(x, str) else self.constant(self.rounded(x)) for x in inputs]
        output = f"{op}_{len(self.nodes)}"
        self.nodes.append((op, names, output, attributes))
        return output

    def rounded(self, value):
        """An array in the precision of the graph; one of whole numbers stays as it is."""
        array = np.asarray(value)
        return array.astype(self.dtype) if array.dtype.kind == "f" else array

    def constant(self, array):
        """Add a constant and return its name."""
        name = f"constant_{len(self.constants)}"
        self.constants[name] = array.copy(order="C")
        return name

    def reshape(self, x, shape):
        """Give each sample another shape."""
        return self.add("Reshape", x, np.array([-1, *shape]))

    def subtract(self, x, value):
        """Subtract a constant.

        In single precision, the part that rounding takes from the constant is subtracted after it.
        So the result is as exact as its own precision, even if the constant is much larger.
        """
        value = np.asarray(value, dtype=np.float64)
        rounded = self.rounded(value).astype(np.float64)
        x = self.add("Sub", x, rounded)
        rest = value - rounded
        return self.add("Sub", x, rest) if rest.any() else x

    def polynomial(self, x, coefficients):
        """Compute a polynomial; the coefficients start with the constant term (Horner's rule)."""
        first, *middle, last = coefficients
        result = self.add("Mul", x, last)
        for coefficient in reversed(middle):
            result = self.add("Mul", x, self.add("Add", result, coefficient))
        return self.add("Add", result, first)

    def inline(self, model, x):
        """Add the nodes of another model of one input and one output; return its output's name.

        Raises
        ------
        ValueError
            For nodes that hold graphs of their own, such as loops.
        """
        from onnx import AttributeProto, NodeProto, numpy_helper

        graph, prefix = model.graph, f"inner_{len(self.nodes)}_"
        places = {"": "", graph.input[0].name: x}
        holds_graphs = any(
            attribute.type in (AttributeProto.GRAPH, AttributeProto.GRAPHS)
            for node in graph.node
            for attribute in node.attribute
        )
        if holds_graphs or model.functions:
            raise ValueError(
                "the network has conditions or loops over data, which to_onnx can't export"
            )
        for constant in graph.initializer:
            self.constants[prefix + constant.name] = numpy_helper.to_array(constant)
        for node in graph.node:
            own = NodeProto()
            own.CopyFrom(node)
            own.ClearField("metadata_props")  # places in the source of the user
            own.ClearField("doc_string")
            own.name = prefix + node.name
            own.input[:] = [places.get(name, prefix + name) for name in node.input]
            own.output[:] = [places.get(name, prefix + name) for name in node.output]
            self.nodes.append(own)
        return prefix + graph.output[0].name

    def output(self, name, x, dtype, shape=()):
        """Name a value that the graph returns; `shape` is that of a sample."""
        self.nodes.append(("Identity", [x], name, {}))
        self.outputs.append((name, np.dtype(dtype), shape))

    def model_bytes(self, input_shape, properties):
        """The bytes of the model.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of a sample of the input "X".
        properties : dict of str to object
            What other programs may want to know, written as JSON.

        Raises
        ------
        ValueError
            If the weights take more bytes than a file of ONNX can have.
        """
        from onnx import checker, helper, numpy_helper

        n_bytes = sum(array.nbytes for array in self.constants.values())
        if n_bytes > MAX_BYTES:
            raise ValueError(
                f"the weights take {n_bytes} bytes, but a file of ONNX has at most {MAX_BYTES}"
            )

        def described(name, dtype, shape):
            kind = helper.np_dtype_to_tensor_dtype(dtype)
            return helper.make_tensor_value_info(name, kind, ["n_samples", *shape])

        def node(op, names, output, attributes):
            return helper.make_node(op, names, [output], name=output, **attributes)

        graph = helper.make_graph(
            [node(*own) if isinstance(own, tuple) else own for own in self.nodes],
            "skimbal",
            [described(INPUT, self.dtype, input_shape)],
            [described(*output) for output in self.outputs],
            [numpy_helper.from_array(array, name) for name, array in self.constants.items()],
        )
        model = helper.make_model(
            graph,
            producer_name="skimbal",
            producer_version=__version__,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )
        helper.set_model_props(model, {name: json.dumps(p) for name, p in properties.items()})
        checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)
