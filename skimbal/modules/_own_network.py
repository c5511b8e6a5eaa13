"""A network of a user, with what the training asks of a network: a last layer and its features.

A module of any kind is wrapped. Its last layer is found by name, and its features are what this
layer is given. Parts of it can be frozen, and random numbers that it draws have a seed.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import RLock, get_ident

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from skimbal.modules._heads import NormalizedLinear
from skimbal.modules._mlp import Dropout

# torch's global random state belongs to one thread at a time.
GLOBAL_STATE = RLock()
# Name of an input, shape of a sample, and its columns in a batch.
InputPart = tuple[str, tuple[int, ...], slice | list[int]]


class OwnNetwork(nn.Module):
    """A module of a user as the training takes it.

    Parameters
    ----------
    network : torch.nn.Module
        Maps a batch to logits of shape (n, n_classes).
    head : str or None, default=None
        Name of its last linear layer, which gives the logits; None for a module without one.
    inputs : sequence of (str, tuple of int, slice or list of int), default=()
        For a module with several inputs, name and shape of each, and its columns in a batch. The
        module is called with them by name.
    frozen : sequence of str, default=()
        Names of parameters that are not trained. Parts of which all parameters are frozen stay in
        evaluation mode.
    unfreeze_epoch : int or None, default=None
        The epoch, counted from 1, from which they are trained.
    generator : torch.Generator or None, default=None
        Seeds the random numbers of torch that the module draws in training. None is for a module
        that draws none.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import OwnNetwork
    >>> layers = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    >>> logits, features = OwnNetwork(layers, "2")(torch.zeros(5, 3), with_features=True)
    >>> logits.shape, features.shape
    (torch.Size([5, 2]), torch.Size([5, 4]))
    """

    def __init__(
        self,
        network: nn.Module,
        head: str | None = None,
        *,
        inputs: Sequence[InputPart] = (),
        frozen: Sequence[str] = (),
        unfreeze_epoch: int | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.network = network
        self.head = head
        self.inputs = tuple(inputs)
        self.unfreeze_epoch = unfreeze_epoch
        self.generator = generator
        self.frozen: tuple[str, ...] = ()
        self.frozen_parts: tuple[str, ...] = ()
        self.freeze(frozen)

    @property
    def output(self) -> nn.Linear | NormalizedLinear:
        """The last layer, or a ValueError for a network without one."""
        if self.head is None:
            raise ValueError(
                "the network has no features: its logits are not the output of a torch.nn.Linear; "
                "let it end in one, which is called once and whose output is returned as it is"
            )
        layer = self.network.get_submodule(self.head)
        assert isinstance(layer, nn.Linear | NormalizedLinear)
        return layer

    def replace_output(self, layer: nn.Module) -> None:
        """Put another layer in the place of the last one; it is not frozen."""
        assert self.head is not None
        parent, _, name = f"network.{self.head}".rstrip(".").rpartition(".")
        setattr(self.get_submodule(parent), name, layer)
        prefix = f"{self.head}." if self.head else ""
        self.freeze([name for name in self.frozen if not name.startswith(prefix)])

    def freeze(self, names: Sequence[str]) -> None:
        """Train all parameters but those with these names."""
        self.frozen = tuple(names)
        for name in self.frozen:
            self.network.get_parameter(name).requires_grad_(False)
        parts: list[str] = []
        for part, module in self.network.named_modules() if self.frozen else ():
            own = [f"{part}.{name}".lstrip(".") for name, _ in module.named_parameters()]
            is_inside = any(part.startswith(f"{outer}.") or not outer for outer in parts)
            if own and not is_inside and set(own) <= set(self.frozen):
                parts.append(part)
        self.frozen_parts = tuple(parts)

    def begin_epoch(self, epoch: int) -> None:
        """Unfreeze what is frozen, when its epoch, counted from 1, has come."""
        if self.unfreeze_epoch is not None and epoch >= self.unfreeze_epoch:
            for name in self.frozen:
                self.network.get_parameter(name).requires_grad_(True)
            self.frozen, self.frozen_parts = (), ()

    def train(self, mode: bool = True) -> "OwnNetwork":
        """Set the mode; frozen parts stay in evaluation mode."""
        super().train(mode)
        for part in self.frozen_parts:
            self.network.get_submodule(part).eval()
        return self

    def forward(self, x: Tensor, with_features: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Return the logits, shape (n, n_classes), and with them the features on request.

        The features of a network without a last layer have no columns.
        """
        if not with_features:
            return self._logits(x)
        if self.head is None:
            logits = self._logits(x)
            return logits, logits.new_empty(len(logits), 0)
        seen: list[Tensor] = []
        caller = get_ident()

        def remember(layer, given):
            if get_ident() == caller:  # another thread may use the network at the same time
                seen.append(given[0])

        hook = self.output.register_forward_pre_hook(remember)
        try:
            logits = self._logits(x)
        finally:
            hook.remove()
        return logits, seen[0]

    def _logits(self, x):
        given = split_inputs(x, self.inputs) if self.inputs else {}
        positional = () if self.inputs else (x,)
        if not self.training:
            return self.network(*positional, **given)
        with self._noise(x.device), running_moments_for_single_numbers(self.network, len(x)):
            return self.network(*positional, **given)

    @contextmanager
    def _noise(self, device) -> Iterator[None]:
        if self.generator is None:
            yield
            return
        draw = torch.randint(2**62, (1,), generator=self.generator, device=self.generator.device)
        with seeded(int(draw), device):
            yield


def split_inputs(x, parts):
    """Cut a batch of rows into the inputs of a module, by name.

    >>> split_inputs(torch.arange(3.0)[None], [("a", (2,), slice(1, 3)), ("b", (1,), [0])])
    {'a': tensor([[1., 2.]]), 'b': tensor([[0.]])}
    """
    inputs = {}
    for name, shape, columns in parts:
        inputs[name] = x[:, columns].reshape(len(x), *shape)
    return inputs


@contextmanager
def running_moments_for_single_numbers(network, n_rows):
    """Let batch normalization use its running moments where a channel has a single number.

    A single number has no variance, which torch refuses. Only a batch of one row can be so.
    """
    parts = []
    if n_rows == 1:
        parts = [p for p in network.modules() if isinstance(p, _BatchNorm) and p.training]
    hooks = [part.register_forward_pre_hook(_evaluate_single_numbers) for part in parts]
    try:
        yield
    finally:
        for hook, part in zip(hooks, parts, strict=True):
            hook.remove()
            part.train()


def _evaluate_single_numbers(part, given):
    x = given[0]
    part.training = x.numel() > x.shape[1]


@contextmanager
def seeded(seed: int, device: torch.device | str) -> Iterator[None]:
    """Run a block with a seed of torch's global random state, which stays as it was.

    Parameters
    ----------
    seed : int
        The seed.
    device : torch.device or str
        Where random numbers may be drawn, besides the processor.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import seeded
    >>> with seeded(0, "cpu"):
    ...     first = torch.rand(2)
    >>> with seeded(0, "cpu"):
    ...     print(torch.equal(first, torch.rand(2)))
    True
    """
    device = torch.device(device)
    devices = [device] if device.type == "cuda" else []
    with GLOBAL_STATE, torch.random.fork_rng(devices):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        elif device.type == "mps":
            torch.mps.manual_seed(seed)
        yield


def replace_dropout(network: nn.Module, generator: torch.Generator) -> None:
    """Replace torch's dropout by ours, which draws from a generator, also in populations.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place. Dropout of whole channels stays as it is.
    generator : torch.Generator
        On the device of the inputs.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import replace_dropout
    >>> network = torch.nn.Sequential(torch.nn.Dropout(0.5))
    >>> replace_dropout(network, torch.Generator())
    >>> type(network[0])
    <class 'skimbal.modules._mlp.Dropout'>
    """
    replacements: dict[int, Dropout] = {}
    for part in list(network.modules()):
        for name, child in list(part._modules.items()):
            if type(child) is nn.Dropout and 0.0 < child.p < 1.0:
                if id(child) not in replacements:
                    replacements[id(child)] = Dropout(child.p, generator)
                setattr(part, name, replacements[id(child)])
