"""Training of many networks as one: populations of one structure, batch by batch.

A single fit is a population of one. What can't be trained this way goes through skorch's loop,
network by network (`_training.py`).
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode
from tqdm import tqdm

from skimbal._training.augmentation import augmented, draw_changes
from skimbal._training.batches import (
    Batches,
    padded_batches,
    sums_over_batches,
)
from skimbal._training.inputs import WindowInputs
from skimbal._training.losses import StackedLoss, is_cross_entropy
from skimbal._training.mixup import mix_epoch
from skimbal._training.net import OPTIMIZERS, EarlyStopping, Net, loss_error
from skimbal._training.optimizer import StackedOptimizer, n_steps_taken
from skimbal._training.row_order import RowOrder
from skimbal._training.stacks import (
    BLOCK,
    DenseStack,
    FunctionalStack,
    structure_of,
    value_of,
)
from skimbal._utils._torch import torch_threads
from skimbal.modules import MLP

# Fewer convolutional networks, and those of more multiplications a sample, are faster one by one on
# a processor (`docs/populations.rst` has the figures).
FEWEST_TOGETHER = 5
MOST_MULTIPLICATIONS = 200_000


@dataclass
class TrainingJob:
    """One network to be trained.

    Parameters
    ----------
    net : Net
        Initialised; trained in place.
    tensors : list of tensor
        X, target and, where there are weights, sample_weight; on the device of the net. X may be
        `WindowInputs`.
    n_epochs : int
        Epochs to train.
    schedule_length : int
        Epochs that a loss with a schedule counts on.
    early_stopping : EarlyStopping or None
    has_callbacks : bool
        Whether the user gave callbacks, which only skorch's loop calls.
    n_threads : int
    verbose : bool
    """

    net: Net
    tensors: list
    n_epochs: int
    schedule_length: int
    early_stopping: EarlyStopping | None = None
    has_callbacks: bool = False
    n_threads: int = 1
    verbose: bool = False

    def obstacle(self):
        """What keeps the network out of populations, in words; None where nothing does."""
        if self.has_callbacks:
            return "callbacks"
        if self.net.optimizer not in OPTIMIZERS.values():
            return f"the optimizer {getattr(self.net.optimizer, '__name__', self.net.optimizer)}"
        if any(True for _ in self.net.criterion_.parameters()):
            return "a loss with parameters"
        if isinstance(self.tensors[0], WindowInputs):
            return "windows that are cut batch by batch"
        return None

    def structure(self):
        """What the networks of a population have in common; None for one that is trained alone."""
        if self.obstacle() is not None:
            return None
        net, X = self.net, self.tensors[0]
        return (
            structure_of(net.module_),
            structure_of(net.criterion_),
            net.optimizer,
            n_steps_taken(net.optimizer_),
            net.batch_size,
            net.mixup,
            net.augmentation,
            value_of(net.schedule),
            net.needs_features,
            tuple(padded_batches(len(X), net.batch_size, row_multiple(net))),
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

    @property
    def device(self):
        """Where the network is trained."""
        return self.tensors[0].device

    @staticmethod
    def describe(jobs):
        """Say how networks are trained."""
        name = type(jobs[0].net.module_).__name__
        why = jobs[0].why_alone(len(jobs))
        if why is not None:
            return f"{len(jobs)} {name}, each by itself: {why}"
        how = "matrix products" if is_dense(jobs[0].net.module_) else "torch.func.vmap"
        return f"{len(jobs)} {name} as one, by {how}"

    @staticmethod
    def run_all(jobs):
        """Train jobs of one structure; return them, or the errors of those that failed."""
        total = sum(job.n_epochs for job in jobs)
        hidden = not any(job.verbose for job in jobs)
        with (
            torch_threads(jobs[0].n_threads),
            tqdm(total=total, unit="epoch", disable=hidden) as progress,
        ):
            if jobs[0].why_alone(len(jobs)):
                return [_train_by_skorch(job, progress) for job in jobs]
            errors = Population(jobs, progress).train()
            return [errors.get(id(job), job) for job in jobs]

    def why_alone(self, n_networks):
        """Why so many networks like this one are trained by skorch's loop; None if they aren't."""
        obstacle = self.obstacle()
        if obstacle is not None or is_dense(self.net.module_):
            return obstacle
        if n_networks == 1:
            return "the only one of its structure"
        X = self.tensors[0][:2]
        if X.device.type == "cpu":
            if n_networks < FEWEST_TOGETHER:
                return "so few are faster so"
            if n_multiplications(self.net.module_, X[:1]) > MOST_MULTIPLICATIONS:
                return "so large ones are faster so"
        return FunctionalStack.obstacle(self.net.module_, X)


def _train_by_skorch(job, progress):
    job.net.max_epochs = job.schedule_length
    try:
        job.net.train(job.tensors, job.n_epochs)
    except Exception as error:
        return error
    progress.update(job.n_epochs)
    return job


@torch.no_grad()
def n_multiplications(module, X):
    """Multiplications of the products and convolutions of a module for one sample."""
    module.eval()
    with FlopCounterMode(display=False) as counter:
        module(X)
    return counter.get_total_flops() // 2  # it counts additions too


def is_dense(module):
    """Whether a module is one that `DenseStack` takes."""
    return type(module) is MLP


def row_multiple(net):
    """Batches of a population of such networks have a multiple of this many rows."""
    if not is_dense(net.module_):
        return 1
    # Other losses than cross entropy run functions over tensors of one number a row.
    return DenseStack.row_multiple(net.module_) if is_cross_entropy(net.criterion_) else BLOCK


class Population:
    """Networks of one structure, trained together.

    Parameters
    ----------
    jobs : list of TrainingJob
        Of one `structure`.
    progress : tqdm.tqdm
        Told of every epoch of a network.
    """

    def __init__(self, jobs, progress):
        # Networks of one step size and weight decay lie side by side, for one call to update them.
        self.jobs = sorted(jobs, key=_settings_of_steps)
        self.progress = progress
        self.ended: set = set()  # networks that are written into their nets
        nets = [job.net for job in self.jobs]
        first = nets[0]
        stack_class = DenseStack if is_dense(first.module_) else FunctionalStack
        self.stack = stack_class([net.module_ for net in nets])
        example = self.stack.parameters.new_zeros(1, len(first.classes))
        self.loss = StackedLoss([net.criterion_ for net in nets], example, first.needs_features)
        clocks = [(len(job.net.history), job.schedule_length) for job in self.jobs]
        self.optimizer = StackedOptimizer(nets, self.stack, first.schedule, clocks)
        self.rows = Batches(
            [job.tensors[:2] for job in self.jobs],
            [job.tensors[2] if len(job.tensors) > 2 else None for job in self.jobs],
            first.batch_size,
            row_multiple(first),
            [RowOrder.of_net(job.net, *job.tensors[1:]) for job in self.jobs],
        )

    def train(self):
        """Train all networks to their ends; return the errors of those that failed by job id."""
        errors = {}
        for job in self.jobs:
            if job.early_stopping is not None:
                job.early_stopping.on_train_begin(job.net)
        n_done = 0
        try:
            while self.jobs:
                losses = self._train_epoch()
                n_done += 1
                self.progress.update(len(self.jobs))
                going_on = []
                for i, (job, loss) in enumerate(zip(self.jobs, losses, strict=True)):
                    try:
                        _record(job, loss)
                        ends = self._stops_early(i, job) or n_done == job.n_epochs
                    except Exception as error:
                        errors[id(job)] = error
                        ends = True
                    if not ends:
                        going_on.append(i)
                self._end(set(range(len(self.jobs))).difference(going_on))
                self._keep(going_on)
        finally:  # an interrupt keeps what there is
            self._end(range(len(self.jobs)))
        return errors

    def _train_epoch(self):
        """Train on every batch once; return the mean loss of each network."""
        nets = [job.net for job in self.jobs]
        epochs = [len(net.history) + 1 for net in nets]
        lengths = [job.schedule_length for job in self.jobs]
        self.loss.begin_epoch(epochs, lengths)
        self.optimizer.begin_epoch(epochs, lengths)
        for net, order, *epoch in zip(nets, self.rows.orders, epochs, lengths, strict=True):
            order.begin_epoch(*epoch, net.valid_f1)
        losses = []
        augment = self._augment if nets[0].augmentation else None
        for X, *labels in mix_epoch(nets[0].mixup, self.rows, augment):
            losses.append(self.stack.compute_gradients(X, labels, self.loss))
            self.optimizer.step()
        sums = sums_over_batches(losses, self.rows.n_rows)
        return (sums / self.rows.lengths).tolist()

    def _augment(self, X):
        nets = [job.net for job in self.jobs]
        drawn = [draw_changes(X.shape[1], net.augmentation_generator) for net in nets]
        return augmented(X, torch.stack(drawn), nets[0].augmentation)

    def _stops_early(self, i, job):
        if job.early_stopping is None:
            return False
        self.stack.write_to(job.net.module_, i)
        return job.early_stopping.judge(job.net)

    def _end(self, networks):
        """Write networks into their nets, if that has not been done."""
        networks = [i for i in networks if i not in self.ended]
        state = self.optimizer.state() if networks else {}
        for i in networks:
            net, early_stopping = self.jobs[i].net, self.jobs[i].early_stopping
            self.stack.write_to(net.module_, i)
            self.optimizer.write_to(net, i, state)
            if early_stopping is not None:
                early_stopping.on_train_end(net)
            self.ended.add(i)

    def _keep(self, networks):
        if len(networks) == len(self.jobs):
            return
        self.jobs = [self.jobs[i] for i in networks]
        self.ended = set()
        if self.jobs:
            for part in (self.stack, self.loss, self.rows):
                part.keep(networks)
            self.optimizer.keep(networks, self.stack)


def _settings_of_steps(job):
    """What the steps of networks of one structure may differ in, to sort them by."""
    net = job.net
    return net.lr, net.optimizer__weight_decay, job.schedule_length, len(net.history)


def _record(job, loss):
    """Write an epoch into the history, or raise where its loss is not finite."""
    epoch = len(job.net.history) + 1
    if not np.isfinite(loss):
        raise loss_error(loss, epoch, job.net.lr)
    job.net.history.append({"batches": [], "epoch": epoch, "train_loss": loss})
