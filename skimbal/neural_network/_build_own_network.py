"""A user's network made and tried on a few rows, so that one that does not fit is refused at once.

It is called with three and with five rows, in evaluation and in training mode. What it returns is
looked at, and whether a gradient reaches its parameters.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import torch
from torch import nn

from skimbal._utils._names import unknown_name_message
from skimbal.modules import OwnNetwork, replace_dropout, seeded
from skimbal.neural_network._input_parts import input_parts
from skimbal.neural_network._module import Module, name_of

N_ROWS = 5  # of the trial, and FEWER of them alone
FEWER = 3
ADVICE = "it must return the logits, a tensor of shape (n_samples, n_classes), before any softmax"


def build_own_network(estimator, X, n_classes, generator, noise_generator):
    """Return the network of a `NetClassifier` as the training takes it, or raise a ValueError.

    Parameters
    ----------
    estimator : NetClassifier
    X : ndarray, WindowInputs or TableInputs
        Inputs as the network is trained on them.
    n_classes : int
    generator : torch.Generator
        Draws the initial weights.
    noise_generator : torch.Generator
        Draws what the network draws in training; on its device.
    """
    device = noise_generator.device
    parts = input_parts(estimator, tuple(X.shape[1:]))
    shape = {name: of_part for name, of_part, _ in parts} if parts else tuple(X.shape[1:])
    seed = int(torch.randint(2**62, (1,), generator=generator))
    trial = Trial(first_rows(X, device), n_classes, seed, text_of(estimator.module), shape)
    with seeded(seed, device):
        network = make_network(estimator.module, shape, n_classes)
        own = OwnNetwork(network, inputs=parts).to(device, torch.get_default_dtype()).eval()
        trial.call(own)  # which initializes lazy layers
    if next(own.parameters(), None) is None:
        raise ValueError(
            f"module={text_of(estimator.module)} has no parameters, so there is nothing to train"
        )
    replace_dropout(network, noise_generator)
    own.head = find_head(own, estimator.head, trial)
    own.freeze(frozen_names(network, estimator.frozen, estimator.unfreeze_epoch))
    own.unfreeze_epoch = estimator.unfreeze_epoch
    check_patterns("learning_rates", estimator.learning_rates or {}, network)
    trial.check_prediction(own)
    if trial.check_training(own):
        own.generator = noise_generator
    return own


def text_of(module):
    """What a user gave as `module`, short enough for an error."""
    if isinstance(module, nn.Module):
        return type(module).__name__
    return repr(module) if isinstance(module, Module) else name_of(module)


def first_rows(X, device):
    """The first rows of inputs, repeated where there are fewer, as a tensor."""
    rows = torch.as_tensor(X[: min(N_ROWS, len(X))]).to(device, torch.get_default_dtype())
    return rows[torch.arange(N_ROWS) % len(rows)]


def make_network(given, input_shape, n_classes):
    """The module that is given, copied, or that its factory makes, or a ValueError."""
    text = text_of(given)
    if isinstance(given, nn.Module):
        network = given
    elif callable(given):
        call = f"module={text}, called with input_shape={input_shape} and n_classes={n_classes},"
        try:
            network = given(input_shape, n_classes)
        except Exception as error:
            raise ValueError(f"{call} raises {type(error).__name__}: {error}") from error
        if not isinstance(network, nn.Module):
            raise ValueError(f"{call} returns {network!r}, which is no torch.nn.Module")
    else:
        raise ValueError(
            f"module={given!r} must be a torch.nn.Module, a class or function that makes one, or "
            "skimbal.neural_network.Module(factory, ...)"
        )
    try:
        return deepcopy(network)
    except Exception as error:
        raise ValueError(
            f"module={text} can't be copied ({error}); give a class or function that makes the "
            "network, and keep tensors with a history of gradients out of its attributes"
        ) from error


# ---------------------------------------------------------------- names


def find_head(own, name, trial):
    """Name of the linear layer that gives the logits; None if there is none and none is named."""
    layers = {n: layer for n, layer in own.network.named_modules() if isinstance(layer, nn.Linear)}
    if name is not None and name not in layers:
        if name in dict(own.network.named_modules()):
            raise ValueError(
                f"head={name!r} is {type(own.network.get_submodule(name)).__name__}; it must be a "
                f"torch.nn.Linear, such as {list(layers)}"
            )
        raise ValueError(unknown_name_message("head", name, layers))
    outputs: dict[str, list] = {n: [] for n in layers}
    hooks = []
    for n, layer in layers.items():
        hooks.append(layer.register_forward_hook(_append_to(outputs[n])))
    try:
        logits = trial.call(own)
    finally:
        for hook in hooks:
            hook.remove()
    heads = [n for n, calls in outputs.items() if len(calls) == 1 and calls[0] is logits]
    if name is not None and name not in heads:
        found = f"; here that is {heads[0]!r}" if heads else ""
        raise ValueError(
            f"head={name!r} is called {len(outputs[name])} times, or does not give the logits; it "
            "must be a torch.nn.Linear that is called once, whose output the network returns"
            f"{found}"
        )
    return heads[0] if heads else None


def _append_to(calls: list) -> Callable:
    return lambda layer, given, output: calls.append(output)


def frozen_names(network, patterns, unfreeze_epoch):
    """Names of the parameters that match the patterns of `frozen`, or a ValueError."""
    if patterns is None:
        if unfreeze_epoch is not None:
            raise ValueError(
                f"unfreeze_epoch={unfreeze_epoch} is given, but frozen is None; name what is "
                "frozen until then, such as frozen='backbone.*'"
            )
        return []
    patterns = [patterns] if isinstance(patterns, str) else list(patterns)
    check_patterns("frozen", patterns, network)
    names = [name for name, _ in network.named_parameters()]
    frozen = [name for name in names if any(fnmatch(name, pattern) for pattern in patterns)]
    trained = [n for n, p in network.named_parameters() if p.requires_grad and n not in frozen]
    if not trained and unfreeze_epoch is None:
        raise ValueError(
            f"frozen={patterns} leaves no parameter to train; leave the last layer out, or set "
            "unfreeze_epoch"
        )
    return frozen


def check_patterns(kind, patterns, network):
    """Raise a ValueError for a pattern that matches no parameter."""
    names = [name for name, _ in network.named_parameters()]
    for pattern in patterns:
        if not isinstance(pattern, str) or not any(fnmatch(name, pattern) for name in names):
            what = f"parameter in {kind}"
            raise ValueError(
                unknown_name_message(what, pattern, names)
                + " ('*' stands for any text, as in 'backbone.*')"
            )


# ---------------------------------------------------------------- trial


@dataclass
class Trial:
    """A few rows that a network is tried on; every fault is a ValueError.

    Attributes
    ----------
    rows : tensor of shape (5, ...)
    n_classes : int
    seed : int
        Of what the network draws.
    module : str
        What the user gave, for errors.
    input_shape : tuple or dict of tuple
        Shape of a sample, for errors.
    """

    rows: torch.Tensor
    n_classes: int
    seed: int
    module: str
    input_shape: Any

    def fault(self, what, advice=ADVICE):
        """The error for a network that does not fit."""
        return ValueError(
            f"module={self.module}, given samples of shape {self.input_shape}, {what}; {advice}"
        )

    def call(self, own, n_rows=N_ROWS):
        """Logits of the first rows, in the mode of the network."""
        given = self.rows[:n_rows].clone()
        mode = "training" if own.training else "evaluation"
        try:
            with torch.set_grad_enabled(own.training):
                logits = own(given)
        except Exception as error:
            what = f"raises {type(error).__name__} for {n_rows} of them in {mode} mode: {error}"
            raise self.fault(
                what, "check its first layers, and what its forward is called with"
            ) from error
        self._check_logits(logits, n_rows)
        if not torch.equal(given, self.rows[:n_rows]):
            raise self.fault("changes its input in place", "let it change a copy")
        return logits

    def _check_logits(self, logits, n_rows):
        if not isinstance(logits, torch.Tensor):
            raise self.fault(f"returns {type(logits).__name__}")
        shape = tuple(logits.shape)
        if not logits.is_floating_point():
            raise self.fault(f"returns numbers of type {logits.dtype}")
        if len(shape) != 2 or shape[0] != n_rows:
            raise self.fault(f"returns shape {shape} for {n_rows} samples")
        if shape[1] != self.n_classes:
            one = " (two classes need two logits)" if shape[1] == 1 and self.n_classes == 2 else ""
            raise self.fault(
                f"returns {shape[1]} numbers a sample, but y has {self.n_classes} classes{one}",
                f"its last layer must have {self.n_classes} outputs: a factory is told n_classes",
            )
        if not logits.isfinite().all():
            raise self.fault("returns NaN or infinity", "check its initial weights and its scale")

    def check_prediction(self, own):
        """Look at the logits in evaluation mode: no probabilities, and each row for itself."""
        own.eval()
        logits = self.call(own)
        if (logits >= 0).all() and (logits.sum(dim=1) - 1.0).abs().max() < 1e-3:
            raise self.fault("returns numbers that add up to 1, as a softmax does", ADVICE)
        if not torch.allclose(self.call(own), logits, rtol=1e-3, atol=1e-4):
            raise self.fault(
                "returns other numbers when it is called again in evaluation mode",
                "let it draw random numbers in training mode alone, as torch.nn.Dropout does, or "
                "F.dropout(x, training=self.training)",
            )
        scale = float(logits.abs().max())
        if not torch.allclose(self.call(own, FEWER), logits[:FEWER], rtol=1e-3, atol=1e-4 * scale):
            raise self.fault(
                "returns other numbers for a sample when there are other samples beside it",
                "in evaluation mode a sample must not depend on the others of its batch; batch "
                "normalization needs track_running_stats=True",
            )

    def check_training(self, own):
        """Take a gradient of a copy; return whether it draws random numbers of torch's own."""
        copy = deepcopy(own).train()
        with seeded(self.seed, self.rows.device):
            before = random_states(self.rows.device)
            logits = self.call(copy)
            after = random_states(self.rows.device)
            self.call(copy, FEWER)
        weights = torch.linspace(-1.0, 2.0, logits.numel(), device=logits.device)
        if logits.requires_grad:
            (logits * weights.view_as(logits)).sum().backward()
        gradients = [parameter.grad for parameter in copy.parameters()]
        if not any(gradient is not None and gradient.any() for gradient in gradients):
            is_late = own.frozen and own.unfreeze_epoch is not None
            if not (is_late and not any(p.requires_grad for p in copy.parameters())):
                raise self.fault(
                    "has no gradient, so nothing can be learned: it may leave torch with detach(), "
                    "item() or numpy(), or all its parameters have requires_grad=False",
                    "let the logits be computed from parameters by functions of torch",
                )
        return any(not torch.equal(a, b) for a, b in zip(before, after, strict=True))


def random_states(device):
    """The states of torch's global generators that a module on a device may draw from."""
    states = [torch.random.get_rng_state()]
    return [*states, torch.cuda.get_rng_state(device)] if device.type == "cuda" else states
