"""The module of a `NetClassifier` as nodes of an ONNX graph.

A sequence of layers that `_onnx_layers` knows is written layer by layer. Any other module is traced
by torch's own exporter, and its nodes are taken over.
"""

import logging
import warnings
from copy import deepcopy

import torch
from torch import nn

from skimbal.persistence._onnx_graph import OPSET, Graph
from skimbal.persistence._onnx_layers import add_layer


def add_own_network(module, graph, x, shape):
    """Add the nodes of an `OwnNetwork`; return the name of its logits.

    Parameters
    ----------
    module : OwnNetwork
        In evaluation mode.
    graph : Graph
    x : str
        Name of its inputs.
    shape : tuple of int
        Shape of a sample.

    Raises
    ------
    ValueError
        If torch can't export the module.
    """
    if not module.inputs and is_sequence_of_known_layers(module.network):
        return add_layer(module.network, graph, x)
    return graph.inline(traced(module, shape), x)


def is_sequence_of_known_layers(network):
    """Whether all parts are layers that have nodes here."""
    if type(network) is not nn.Sequential:
        return False
    try:
        add_layer(network, Graph("float32"), "x")
    except ValueError:
        return False
    return True


def traced(module, shape):
    """The model that torch's exporter makes of a module, in single precision."""
    module = deepcopy(module).to("cpu", torch.float32).eval()
    samples = torch.linspace(-1.0, 1.0, 2 * torch.Size(shape).numel()).reshape(2, *shape)
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    try:
        logger.setLevel(logging.ERROR)  # it names the packages that it can do without
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of functions of torch that torch uses
            program = torch.onnx.export(
                module,
                (samples,),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=({0: torch.export.Dim("n_samples", min=1)},),
                verbose=False,
            )
    except Exception as error:  # whatever the module and the exporter raise
        raise ValueError(
            f"torch.onnx.export can't export the network {type(module.network).__name__}: {error}"
        ) from error
    finally:
        logger.setLevel(level)
    assert program is not None  # only torch's earlier exporter, which writes a file, returns that
    return program.model_proto
