"""One network to be trained, and how jobs of one structure are run."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from skimbal._training.augmentation import Augmentation
from skimbal._training.batches import padded_batches
from skimbal._training.chunked import ChunkedInputs
from skimbal._training.early_stopping import EarlyStopping
from skimbal._training.inputs import WindowInputs
from skimbal._training.losses import is_cross_entropy
from skimbal._training.net import Net, changes_the_training
from skimbal._training.optimizer import OPTIMIZERS, n_steps_taken
from skimbal._training.population import Population
from skimbal._training.stacks import (
    BLOCK,
    DenseStack,
    FunctionalStack,
    SequentialStack,
    structure_of,
    value_of,
)
from skimbal._utils._torch import torch_threads
from skimbal.modules import MLP, OwnNetwork

# Smaller populations of convolutional networks, and those of more multiplications a sample, are
# faster one by one on a processor (`docs/guide/populations.rst` has the figures).
MIN_POPULATION = 5
MAX_MULTIPLICATIONS = 200_000


@dataclass
class TrainingPlan:
    """What a training needs besides the module, the loss and the data."""

    optimizer: object
    learning_rate: float
    weight_decay: float
    batch_size: int
    max_epochs: int
    mixup: float
    device: torch.device
    generator: torch.Generator
    noise_generator: torch.Generator
    augmentation_generator: torch.Generator
    augmentation: Augmentation | None = None
    schedule: Callable | None = None
    sampler: object = None
    needs_features: bool = False
    learning_rates: tuple = ()  # pairs of a pattern of parameter names and a learning rate

    def generators(self):
        """The generators of random numbers."""
        return self.generator, self.noise_generator, self.augmentation_generator


@dataclass
class TrainingJob:
    """One network to be trained.

    Parameters
    ----------
    net : Net
        Initialized; trained in place.
    plan : TrainingPlan
        Its generators are used up by the training.
    tensors : list of tensor
        X, target and, where there are weights, sample_weight; on the device of the net. X may be
        `WindowInputs`, `TableInputs` or `ChunkedInputs`.
    n_epochs : int
        Epochs to train.
    schedule_length : int
        Epochs that schedules of losses, samplers and learning rates count on.
    early_stopping : EarlyStopping or None
    n_threads : int
    verbose : bool
    """

    net: Net
    plan: TrainingPlan
    tensors: list
    n_epochs: int
    schedule_length: int
    early_stopping: EarlyStopping | None = None
    n_threads: int = 1
    verbose: bool = False

    @property
    def device(self):
        """Where the network is trained."""
        return self.tensors[0].device

    @cached_property
    def reason_not_stackable(self):
        """What keeps the network out of stacks of any size, in words; None where nothing does."""
        for _, callback in self.net.callbacks_:
            if changes_the_training(callback):
                return f"the callback {type(callback).__name__} may change the training"
        if self.net.optimizer not in OPTIMIZERS.values():
            return f"the optimizer {getattr(self.net.optimizer, '__name__', self.net.optimizer)}"
        if next(self.net.criterion_.parameters(), None) is not None:
            return "a loss with parameters"
        if isinstance(self.tensors[0], WindowInputs):
            return "windows that are cut batch by batch"
        return reason_of_module(self.net.module_, self.plan)

    @cached_property
    def reason_not_functional(self):
        """What keeps `torch.func` from the network, in words; None where nothing does."""
        return FunctionalStack.reason_not_stackable(self.net.module_, self.tensors[0][:2])

    def structure(self):
        """What the networks of a population have in common; None for one that is trained alone."""
        net, plan, X = self.net, self.plan, self.tensors[0]
        if self.reason_not_stackable is not None or net.callbacks_ or isinstance(X, ChunkedInputs):
            return None
        return (
            structure_of(net.module_),
            structure_of(net.criterion_),
            net.optimizer,
            n_steps_taken(net.optimizer_),
            net.batch_size,
            plan.mixup,
            structure_of_augmentation(plan.augmentation),
            value_of(plan.schedule),
            plan.needs_features,
            tuple(padded_batches(len(X), net.batch_size, row_multiple(net))),
            type(X),
            X.shape[1:],
            X.dtype,
            X.device,
            self.n_threads,
        )

    def n_bytes(self):
        """Memory that the network needs in a population, roughly."""
        X = self.tensors[0]
        n_parameters = sum(p.numel() for p in self.net.module_.parameters())
        # Parameters, gradients, two moments and two copies of the activations of a batch, which
        # are about as many; the inputs, and again in the order of the epoch.
        return X.element_size() * (6 * n_parameters + 2 * X.numel()) + 32 * len(X)

    @staticmethod
    def describe(jobs):
        """Say how networks of one structure are trained."""
        module = jobs[0].net.module_
        name = type(module.network if isinstance(module, OwnNetwork) else module).__name__
        reason = reason_to_train_alone(jobs)
        if reason is not None:
            return f"{len(jobs)} {name}, each by itself: {reason}"
        how = "matrix products" if is_dense(module) else "torch.func.vmap"
        return f"{len(jobs)} {name} as one, by {how}"

    @staticmethod
    def run_all(jobs):
        """Train jobs of one structure; return them, or the errors of those that failed."""
        is_alone = reason_to_train_alone(jobs) is not None
        n_epochs, is_shown = 0, False
        for job in jobs:
            n_epochs += job.n_epochs
            is_shown |= job.verbose
        size = 1 if is_alone else len(jobs)
        kind, multiple = stack_class(jobs[0], is_alone), row_multiple(jobs[0].net)
        errors: dict = {}
        with (
            torch_threads(jobs[0].n_threads),
            tqdm(total=n_epochs, unit="epoch", disable=not is_shown) as progress,
        ):
            for start in range(0, len(jobs), size):
                population = Population(jobs[start : start + size], kind, multiple, progress)
                errors |= population.train()
        outcomes = []
        for job in jobs:
            outcomes.append(errors.get(id(job), job))
        return outcomes


def reason_of_module(module, plan):
    """What of a module or of its plan keeps it out of stacks, in words; None where nothing does."""
    if plan.learning_rates:
        return "learning rates of single parameters"
    if not all(parameter.requires_grad for parameter in module.parameters()):
        return "frozen parameters"
    if not isinstance(module, OwnNetwork):
        return None
    if module.generator is not None:
        return "random numbers that the module draws"
    if any(isinstance(part, _BatchNorm) for part in module.modules()):
        # A bias in front of it has a gradient of rounding errors, which differ in a population.
        return "batch normalization"
    return None


def reason_to_train_alone(jobs):
    """Why networks of one structure are trained one by one, in words; None where they aren't."""
    first = jobs[0]
    reason = first.reason_not_stackable
    if reason is not None or is_dense(first.net.module_):
        return reason
    if len(jobs) == 1:
        return "the only one of its structure"
    if first.device.type == "cpu":
        if len(jobs) < MIN_POPULATION:
            return "a small population is slower than its networks"
        if n_multiplications(first.net.module_, first.tensors[0][:1]) > MAX_MULTIPLICATIONS:
            return "a population of large networks is slower than they are"
    return first.reason_not_functional


def stack_class(job, is_alone):
    """The kind of stack that trains the network of a job."""
    if job.reason_not_stackable is None and is_dense(job.net.module_):
        return DenseStack
    return SequentialStack if is_alone else FunctionalStack


@torch.no_grad()
def n_multiplications(module, X):
    """Multiplications of the products and convolutions of a module for one sample."""
    module.eval()
    with FlopCounterMode(display=False) as counter:
        module(X)
    return counter.get_total_flops() // 2  # it counts additions too


def structure_of_augmentation(augmentation):
    """What networks with equal augmentations have in common."""
    if not augmentation:
        return None
    parts = []
    for value in augmentation.values:
        parameters = value.get_params(deep=False)
        parts.append((type(value), *(value_of(parameter) for parameter in parameters.values())))
    return tuple(parts)


def is_dense(module):
    """Whether a module is one that `DenseStack` takes."""
    return type(module) is MLP


def row_multiple(net):
    """Batches of a population of such networks have a multiple of this many rows."""
    if not is_dense(net.module_):
        return 1
    # Other losses than cross entropy run functions over tensors of one number a row.
    return DenseStack.row_multiple(net.module_) if is_cross_entropy(net.criterion_) else BLOCK
