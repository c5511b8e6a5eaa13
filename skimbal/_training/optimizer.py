"""torch's optimizers on the parameters of a population, or of a single network."""

from itertools import groupby

import numpy as np
import torch

from skimbal._training.schedules import learning_rate_factor

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
# One kernel updates all parameters of a layer; rmsprop has none.
FUSED = {"adam", "adamw", "sgd", "adagrad"}


def n_steps_taken(optimizer):
    """Steps that an optimizer has taken, where it counts them; else whether it has any state."""
    for state in optimizer.state.values():
        return int(state.get("step", 1))
    return 0


class StackedOptimizer:
    """One optimizer for networks that may differ in step size and weight decay.

    torch's elementwise optimizers do not know that the numbers of a row are the parameters of
    several layers, so networks with equal settings are one tensor to them.

    Parameters
    ----------
    nets : list of Net
        With initialized optimizers; those with equal settings side by side.
    stack : BaseStack
        Holds parameters and gradients.
    schedule : callable or None
        How the learning rates change.
    clocks : list of tuple of int
        Epochs that each network has behind it, and epochs that the schedule counts on.
    """

    def __init__(self, nets, stack, schedule, clocks):
        self.layout = stack.layout
        self.schedule = schedule
        self.settings = []
        for net, clock in zip(nets, clocks, strict=True):
            settings = _settings(net)
            if schedule is not None:  # networks of a group have one learning rate in every epoch
                settings = (*settings, ("clock", clock))
            self.settings.append(settings)
        self.optimizer_class = nets[0].optimizer
        self._build(stack, self._read_states(nets, stack))

    def _build(self, stack, state):
        """Make the optimizer; `state` has rows of all networks, or numbers that they share."""
        groups, start = [], 0
        for settings, members in groupby(self.settings):
            stop = start + len(list(members))
            rows = torch.nn.Parameter(stack.parameters[start:stop])
            rows.grad = stack.gradients[start:stop]
            groups.append({"params": [rows], **dict(settings)})
            start = stop
        self.optimizer = self.optimizer_class(groups)
        self.step = self.optimizer.step
        start = 0
        for group in self.optimizer.param_groups:
            (rows,) = group["params"]
            stop = start + len(rows)
            if state:
                self.optimizer.state[rows] = {
                    name: value[start:stop].clone() if is_rows(value) else _copy(value)
                    for name, value in state.items()
                }
            start = stop

    def begin_epoch(self, epochs, n_epochs):
        """Set the learning rates of an epoch; return that of each network."""
        rates: list[float] = []
        for group in self.optimizer.param_groups:
            start = len(rates)
            if self.schedule is not None:
                factor = learning_rate_factor(self.schedule, epochs[start], n_epochs[start])
                group["lr"] = dict(self.settings[start])["lr"] * factor
            rates += [group["lr"]] * len(group["params"][0])
        return rates

    def show_rate(self, net, rate):
        """Set the learning rate of an epoch in the net's own optimizer, for its callbacks."""
        for group in net.optimizer_.param_groups:
            group["lr"] = rate

    def read_settings(self, net):
        """Take the settings that the callbacks of the only network leave in its own optimizer."""
        copy_settings(net.optimizer_.param_groups, self.optimizer.param_groups)

    def are_finite(self):
        """Whether the state of each network is finite, as an array."""
        parts = []
        for group in self.optimizer.param_groups:
            (rows,) = group["params"]
            is_finite = torch.ones(len(rows), dtype=torch.bool, device=rows.device)
            for value in self.optimizer.state[rows].values():
                if is_rows(value):
                    is_finite &= value.isfinite().all(dim=1)
            parts.append(is_finite)
        return torch.cat(parts).cpu().numpy()

    def state(self):
        """Return the state of all networks: rows side by side, and numbers that they share."""
        state: dict = {}
        for group in self.optimizer.param_groups:
            for name, value in self.optimizer.state[group["params"][0]].items():
                parts = [state[name], value] if name in state and is_rows(value) else [value]
                state[name] = torch.cat(parts) if len(parts) > 1 else value
        return state

    def _read_states(self, nets, stack):
        """The states that the nets' own optimizers are in, as `state` gives them."""
        first = nets[0].optimizer_.state
        if not first:
            return {}
        names = [name for name, _ in nets[0].module_.named_parameters()]
        example = first[nets[0].module_.get_parameter(names[0])]
        state = {}
        for key, value in example.items():
            if not isinstance(value, torch.Tensor) or value.ndim == 0:
                state[key] = value
                continue
            state[key] = torch.zeros_like(stack.parameters)
            for name, rows in self.layout.views(state[key]).items():
                for row, net in zip(rows, nets, strict=True):
                    row.copy_(net.optimizer_.state[net.module_.get_parameter(name)][key])
        return state

    def keep(self, networks, stack):
        """Go on with some of the networks alone, whose rows `stack` holds now."""
        state = {
            name: value[networks] if is_rows(value) else value
            for name, value in self.state().items()
        }
        self.settings = [self.settings[i] for i in networks]
        self._build(stack, state)

    def write_to(self, net, i, state):
        """Write network i of a `state` into the net's own optimizer."""
        views: dict = {}
        for key, value in state.items():
            views[key] = self.layout.views(value) if is_rows(value) else None
        for name, parameter in net.module_.named_parameters():
            own = net.optimizer_.state[parameter] = {}
            for key, value in state.items():
                own[key] = _copy(value) if views[key] is None else views[key][name][i].clone()


class SequentialOptimizer:
    """The own optimizer of a network that is trained alone.

    Its parameter groups may have learning rates of their own.

    Parameters
    ----------
    net : Net
    schedule : callable or None
        How the learning rate changes.
    """

    def __init__(self, net, schedule):
        self.net = net
        self.schedule = schedule
        self.step = net.optimizer_.step
        self.rates = [group["lr"] for group in net.optimizer_.param_groups]

    def begin_epoch(self, epochs, n_epochs):
        """Set the learning rates of an epoch; return that of the last group in a list."""
        if self.schedule is not None:
            self._set_rates(learning_rate_factor(self.schedule, *epochs, *n_epochs))
        return [self.net.optimizer_.param_groups[-1]["lr"]]

    def _set_rates(self, factor):
        for group, rate in zip(self.net.optimizer_.param_groups, self.rates, strict=True):
            group["lr"] = rate * factor

    def show_rate(self, net, rate):
        """Do nothing: the learning rates are the net's."""

    def are_finite(self):
        """Whether the state is finite, as an array of one entry."""
        values = []
        for parameter, state in self.net.optimizer_.state.items():
            values += [value for value in state.values() if _is_shaped_as(parameter, value)]
        return np.array([all(bool(value.isfinite().all()) for value in values)])

    def state(self):
        """None: the net has its own."""

    def read_settings(self, net):
        """Do nothing: the settings are the net's."""

    def write_to(self, net, i, state):
        """Give the net its learning rates back; all else it has already."""
        if self.schedule is not None:
            self._set_rates(1.0)


def copy_settings(source, target):
    """Copy the settings of an optimizer's parameter groups, but not their parameters."""
    settings = {key: value for key, value in source[0].items() if key != "params"}
    for group in target:
        group.update(settings)


def _settings(net):
    """What the groups of an optimizer may differ in, as a tuple that can be compared."""
    (group,) = net.optimizer_.param_groups
    settings = dict(group)
    del settings["params"]
    return tuple(settings.items())


def is_rows(value):
    """Whether an entry of an optimizer's state has a row for each network."""
    return isinstance(value, torch.Tensor) and value.ndim == 2


def _is_shaped_as(parameter, value):
    return isinstance(value, torch.Tensor) and value.shape == parameter.shape


def _copy(value):
    return value.clone() if isinstance(value, torch.Tensor) else value
