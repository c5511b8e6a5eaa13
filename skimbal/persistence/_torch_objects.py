"""Codecs of torch: tensors, generators, modules, and the net of a network with its optimizer.

A module is its class, its settings, parameters, buffers and submodules. It is made without a call
of its class, so what a file can claim is bounded by the tensors that it holds.
"""

import inspect
import warnings

import numpy as np
import torch
from torch import nn

from skimbal._training.net import Net, learning_rates_of, make_net
from skimbal._training.optimizer import OPTIMIZERS
from skimbal._utils._torch import resolve_device
from skimbal.exceptions import ModelFileError
from skimbal.persistence._graph import Codec, is_exactly
from skimbal.persistence._instances import hides_a_method
from skimbal.persistence._names import public_name

OF_EVERY_MODULE = frozenset(vars(nn.Module()))
HOOKS = [name for name in OF_EVERY_MODULE if name.endswith("hooks")]
# numpy has no such type; the bits are kept.
AS_BITS = {torch.bfloat16: torch.int16}
DTYPES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in vars(torch).values()
    if isinstance(dtype, torch.dtype)
}
# What a plan and a net share; `make_net` takes it from the plan.
PLAN = ("optimizer", "learning_rate", "weight_decay", "batch_size", "max_epochs")


def device_text(device):
    """A device as a text."""
    return str(device)


def available_device(text):
    """The device of a text; the processor, with a warning, where there is no such device."""
    device = torch.device(text)
    if device.type == "cpu":
        return device
    try:
        return resolve_device(text)
    except (ValueError, RuntimeError):
        warnings.warn(
            f"the network was on {text}, which this machine does not have; it is on the cpu now",
            stacklevel=2,
        )
        return torch.device("cpu")


def _encode_tensor(thing, writer):
    if type(thing) is torch.Tensor and not thing.is_leaf:
        raise ValueError(f"{writer.where()} is a tensor with a gradient; detach() it")
    values = thing.detach().cpu()
    if values.dtype in AS_BITS:
        values = values.view(AS_BITS[values.dtype])
    try:
        array = values.numpy()
    except (TypeError, RuntimeError) as error:
        raise ValueError(f"{writer.where()} is a tensor that can't be saved: {error}") from error
    return {
        "array": writer.value(np.array(array)),
        "dtype": str(thing.dtype).removeprefix("torch."),
        "device": device_text(thing.device),
        "is_parameter": isinstance(thing, nn.Parameter),
        "requires_grad": thing.requires_grad,
    }


def _decode_tensor(node, reader):
    array, dtype = reader.value(node["array"]), DTYPES[node["dtype"]]
    tensor = torch.from_numpy(np.ascontiguousarray(array).reshape(array.shape))
    if dtype in AS_BITS:
        tensor = tensor.view(dtype)
    if tensor.dtype != dtype:
        raise ModelFileError(f"a tensor has type {tensor.dtype}, not {dtype}")
    tensor = tensor.to(available_device(node["device"]))
    if node["is_parameter"]:
        return nn.Parameter(tensor, requires_grad=bool(node["requires_grad"]))
    return tensor.requires_grad_(bool(node["requires_grad"]))


def _encode_generator(thing, writer):
    state = writer.value(thing.get_state().numpy())
    return {"state": state, "device": device_text(thing.device), "seed": thing.initial_seed()}


def _decode_generator(node, reader):
    state, device = reader.value(node["state"]), available_device(node["device"])
    generator = torch.Generator(device)
    if device.type == torch.device(node["device"]).type:
        return generator.set_state(torch.from_numpy(state))
    return generator.manual_seed(node["seed"])


# ---------------------------------------------------------------- modules


def _encode_module(thing, writer):
    cls, where = type(thing), writer.where()
    try:
        name = public_name(cls)
    except ValueError as error:
        raise ValueError(f"{where} can't be saved: {error}") from error
    own = vars(thing)
    hooks = [hook for hook in HOOKS if own.get(hook)]
    if hooks:
        raise ValueError(f"{where} has {hooks[0]}, which can't be saved; remove the hooks")
    settings = {key: value for key, value in own.items() if key not in OF_EVERY_MODULE}
    for key in settings:
        if hides_a_method(cls, key):
            raise ValueError(f"{where}.{key} takes the place of a method, which can't be saved")
    not_kept = thing._non_persistent_buffers_set
    return {
        "name": name,
        "training": thing.training,
        "settings": {key: writer.value(value, key) for key, value in settings.items()},
        "parameters": {key: writer.value(value, key) for key, value in thing._parameters.items()},
        "buffers": {key: writer.value(value, key) for key, value in thing._buffers.items()},
        "not_persistent": sorted(not_kept),
        "modules": {key: writer.value(value, key) for key, value in thing._modules.items()},
    }


def _decode_module(node, reader):
    cls = reader.names.find(node["name"])
    if not (inspect.isclass(cls) and issubclass(cls, nn.Module)):
        raise ModelFileError(f"{node['name']} is no module")
    module = cls.__new__(cls)
    nn.Module.__init__(module)
    for name, value in reader.mapping(node["settings"]).items():
        if name in OF_EVERY_MODULE or hides_a_method(cls, name):
            raise ModelFileError(f"the setting {name} of {node['name']} would hide a method")
        vars(module)[name] = value
    for name, value in _parts(node["parameters"], reader, nn.Parameter):
        module.register_parameter(name, value)
    for name, value in _parts(node["buffers"], reader, torch.Tensor):
        module.register_buffer(name, value, persistent=name not in node["not_persistent"])
    for name, value in _parts(node["modules"], reader, nn.Module):
        module.add_module(name, value)
    module.training = bool(node["training"])
    return module


def _parts(described, reader, kind):
    """Yield names and parts of a module; torch checks the names, which may be numbers."""
    for name, value in described.items():
        part = reader.value(value)
        if part is not None and not isinstance(part, kind):
            raise ModelFileError(f"{name} is {type(part).__name__}, not {kind.__name__}")
        yield name, part


# ---------------------------------------------------------------- nets


class _Plan:
    """The settings that `make_net` reads from a training plan."""

    def __init__(self, settings, device, learning_rates):
        self.__dict__.update(settings)
        self.device = device
        self.learning_rates = learning_rates


def _encode_net(net, writer):
    optimizer = net.optimizer_
    own = [optimizer.state.get(parameter, {}) for parameter in net.module_.parameters()]
    groups = [{k: v for k, v in group.items() if k != "params"} for group in optimizer.param_groups]
    name = net.optimizer
    for known, cls in OPTIMIZERS.items():
        name = known if cls is net.optimizer else name
    return {
        "module": writer.value(net.module_, "module"),
        "criterion": writer.value(net.criterion_, "criterion"),
        "n_classes": len(net.classes),
        "plan": {
            "optimizer": writer.value(name, "optimizer"),
            "learning_rate": writer.value(float(net.lr)),
            "weight_decay": writer.value(float(net.get_params()["optimizer__weight_decay"])),
            "batch_size": int(net.batch_size),
            "max_epochs": int(net.max_epochs),
        },
        "learning_rates": writer.value(learning_rates_of(net)),
        "device": device_text(net.device),
        "verbose": writer.value(bool(net.verbose)),
        "groups": writer.value(groups, "optimizer"),
        "optimizer_state": writer.value(own, "optimizer"),
        "history": _encode_history(list(net.history), writer),
    }


def _encode_history(rows, writer):
    """The rows of a history by column, where all rows have the same."""
    names = list(rows[0]) if rows else []
    if any(list(row) != names for row in rows):
        return {"rows": writer.value(rows, "history")}
    return {"columns": {name: _column([row[name] for row in rows], writer) for name in names}}


def _column(values, writer):
    """Numbers of one type as an array, others as a list."""
    if len({type(value) for value in values}) == 1 and type(values[0]) in (float, int, bool):
        return writer.value(np.array(values))
    return writer.value(values, "history")


def _decode_history(described, reader):
    if "rows" in described:
        return reader.value(described["rows"])
    columns = {name: reader.value(value) for name, value in described["columns"].items()}
    lists = [v.tolist() if isinstance(v, np.ndarray) else v for v in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*lists, strict=True)]


def _decode_net(node, reader):
    device = available_device(node["device"])
    # A file of an earlier version has no learning rates of single parameters.
    rates = reader.value(node["learning_rates"]) if "learning_rates" in node else ()
    plan = _Plan({name: reader.value(node["plan"][name]) for name in PLAN}, device, rates)
    module, criterion = reader.value(node["module"]), reader.value(node["criterion"])
    training = module.training
    classes = range(min(node["n_classes"], 2**20))
    net = make_net(module, criterion, classes, plan, [], reader.value(node["verbose"]))
    states, groups = reader.value(node["optimizer_state"]), reader.value(node["groups"])
    for parameter, state in zip(net.module_.parameters(), states, strict=True):
        if state:
            net.optimizer_.state[parameter] = state
    for own, group in zip(net.optimizer_.param_groups, groups, strict=True):
        own.update({name: value for name, value in group.items() if name != "params"})
    net.module_.train(training)
    net.history.extend(_decode_history(node["history"], reader))
    return net


def _device_codec():
    return Codec(
        "device",
        is_exactly(torch.device),
        lambda thing, writer: {"device": str(thing)},
        lambda node, reader: available_device(node["device"]),
    )


CODECS = [
    _device_codec(),
    Codec(
        "torch_dtype",
        is_exactly(torch.dtype),
        lambda thing, writer: {"dtype": str(thing).removeprefix("torch.")},
        lambda node, reader: DTYPES[node["dtype"]],
    ),
    Codec("tensor", is_exactly(torch.Tensor, nn.Parameter), _encode_tensor, _decode_tensor),
    Codec("torch_generator", is_exactly(torch.Generator), _encode_generator, _decode_generator),
    Codec("net", is_exactly(Net), _encode_net, _decode_net),
    Codec("module", lambda thing: isinstance(thing, nn.Module), _encode_module, _decode_module),
]
