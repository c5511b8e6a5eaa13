"""Training of restricted Boltzmann machines by contrastive divergence, layer by layer.

The log-likelihood's gradient is the mean of -dF/dtheta over the data minus its mean over the
model's own samples. CD-k takes these after k Gibbs steps from the data (Hinton 2002,
doi:10.1162/089976602760128018), persistent CD from chains that continue from batch to batch
(Tieleman 2008, doi:10.1145/1390156.1390290). The machines of many networks are trained as one.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import torch
from tqdm import tqdm

from skimbal._training.batches import (
    Batches,
    is_long,
    padded_batches,
    sums_over_batches,
)
from skimbal._training.chunked import ChunkedBatches, ChunkedInputs, ChunkOrder
from skimbal._training.net import Net
from skimbal._training.row_order import RowOrder
from skimbal._training.segments import SegmentedBatches
from skimbal._training.stacks import (
    Buffer,
    DenseStack,
    ParameterLayout,
    add_product_,
    aligned_matrices,
    structure_of,
)
from skimbal._utils._torch import torch_threads
from skimbal.exceptions import NonFiniteLossError
from skimbal.modules import RBM, Dropout, bernoulli, stack_rbms

# Step size of the machines, and the width up to which Gaussian ones take it.
STEP_SIZE = 0.02
STEP_WIDTH = 64
# A machine whose reconstruction error grows by more than this has diverged.
MAX_GROWTH = 10.0


@dataclass(frozen=True)
class PretrainingPlan:
    """Hyper-parameters of the RBMs' training; the learning rate may be "auto"."""

    visible: str
    n_epochs: int
    learning_rate: float | str
    momentum: float
    weight_decay: float
    n_gibbs_steps: int
    persistent: bool
    batch_size: int


class StackedMachines:
    """The RBMs of one layer of P networks: copies of their parameters, a row a network.

    Parameters
    ----------
    rbms : list of RBM
        Of one shape and kind.
    """

    def __init__(self, rbms):
        self.rbms = rbms
        first = rbms[0]
        self.layout = ParameterLayout({name: value.shape for name, value in _parts(first).items()})
        self.parameters = first.weight.new_zeros(len(rbms), self.layout.row_length)
        views = self.layout.views(self.parameters)
        self.stack = RBM(views["weight"], views["hidden_bias"], visible=first.visible)
        self.stack.visible_bias = views["visible_bias"]
        for i, rbm in enumerate(rbms):
            for name, value in _parts(rbm).items():
                views[name][i].copy_(value)

    def write(self):
        """Write the parameters into the machines."""
        views = self.layout.views(self.parameters)
        for i, rbm in enumerate(self.rbms):
            for name, value in _parts(rbm).items():
                value.copy_(views[name][i])


def step_size(learning_rate, rbm):
    """The step size of a machine, which "auto" makes from its kind of unit and its width.

    Gaussian reconstructions b + W'h move by the step size times |h|^2, which is at most the number
    of hidden units. A step that does not shrink with their number overshoots in wide machines, more
    with every batch. Bernoulli reconstructions are probabilities and can't.

    >>> step_size("auto", RBM(torch.zeros(256, 5), torch.zeros(256), visible="gaussian"))
    0.005
    """
    if learning_rate != "auto":
        return learning_rate
    n_hidden = rbm.weight.shape[-2]
    return STEP_SIZE * min(1.0, STEP_WIDTH / n_hidden if rbm.visible == "gaussian" else 1.0)


def _parts(rbm):
    return {
        "weight": rbm.weight,
        "hidden_bias": rbm.hidden_bias,
        "visible_bias": rbm.visible_bias,
    }


class ContrastiveDivergence:
    """Stochastic gradient ascent, with momentum, on the likelihood of the RBMs of one layer.

    The gradient is that of `RBM.free_energy` at the fantasies minus that at the data; for W it is
    E[h v'] of the data minus that of the fantasies, for the biases the same of h and v alone.

    Parameters
    ----------
    machines : StackedMachines
        Trained in place.
    plan : PretrainingPlan
        Their hyper-parameters.
    generators : list of torch.Generator
        Draw the hidden and visible states of each machine; on its device.
    """

    def __init__(self, machines, plan, generators):
        self.rbm = machines.stack
        self.plan = plan
        self.step_size = step_size(plan.learning_rate, self.rbm)
        self.generators = generators
        velocities = machines.layout.views(torch.zeros_like(machines.parameters))
        self.weight_velocity = aligned_matrices(velocities["weight"])
        self.hidden_velocity = velocities["hidden_bias"]
        self.visible_velocity = velocities["visible_bias"]
        self.chains: torch.Tensor | None = None
        self.buffers: dict[str, Buffer] = defaultdict(Buffer)

    def _hidden_proba(self, v, name):
        out = self.buffers[name](v, self.rbm.weight.shape[1])
        return self.rbm.hidden_proba(v, out)

    def fantasies(self, v, h):
        """States of the model after k Gibbs steps, from the data or from the chains.

        Returns
        -------
        v, h : tensors of shape (P, n, n_visible) and (P, n, n_hidden)
            Visible states and the probabilities of the hidden ones.
        """
        n = v.shape[1]
        if self.plan.persistent:
            if self.chains is None:
                self.chains = v.clone()
            h = self._hidden_proba(self.chains[:, :n], "fantasies of hidden")
        state = self.buffers["hidden state"](h, h.shape[2])
        fantasy = self.buffers["fantasies"](v, v.shape[2])
        for _ in range(self.plan.n_gibbs_steps):
            bernoulli(h, self.generators, out=state)
            v = self.rbm.sample_visible(state, self.generators, out=fantasy)
            h = self._hidden_proba(v, "fantasies of hidden")
        if self.chains is not None:
            self.chains[:, :n] = v
        return v, h

    def step(self, v, share):
        """Climb one batch.

        Parameters
        ----------
        v : tensor of shape (P, n, n_visible)
        share : tensor of shape (P, n)
            Weight of each row divided by the sum; 0 in rows that only fill up the batch.

        Returns
        -------
        tensor of shape (P,)
            Sums of the squared differences between data and fantasies.
        """
        counts = (share > 0).to(v)
        h = self._hidden_proba(v, "hidden")
        fantasy, fantasy_h = self.fantasies(v, h)
        # Fantasies that start at the data weigh what the data weigh; chains go their own ways.
        fantasy_share = share
        if self.plan.persistent:
            fantasy_share = counts / counts.sum(dim=1, keepdim=True).clamp(min=1.0)
        self._add_gradient(v, h, share, beta=self.plan.momentum, alpha=1.0)
        self._add_gradient(fantasy, fantasy_h, fantasy_share, beta=1.0, alpha=-1.0)
        if self.plan.weight_decay:
            self.weight_velocity.sub_(self.rbm.weight, alpha=self.plan.weight_decay)
        self.rbm.weight.add_(self.weight_velocity, alpha=self.step_size)
        self.rbm.hidden_bias.add_(self.hidden_velocity, alpha=self.step_size)
        self.rbm.visible_bias.add_(self.visible_velocity, alpha=self.step_size)
        return fantasy.sub_(v).square_().sum(dim=2).mul_(counts).sum(dim=1)

    def _add_gradient(self, v, h, share, *, beta, alpha):
        """velocity <- beta velocity + alpha sum_i share_i (h_i v_i', h_i, v_i)."""
        row = share[:, None]
        add_product_(self.hidden_velocity[:, None], row, h, beta=beta, alpha=alpha)
        add_product_(self.visible_velocity[:, None], row, v, beta=beta, alpha=alpha)
        weighted = h.mul_(share[:, :, None])
        add_product_(self.weight_velocity, weighted.mT, v, beta=beta, alpha=alpha)


@dataclass
class PretrainingJob:
    """One network whose hidden layers are trained as RBMs.

    Parameters
    ----------
    net : Net
        Its module is an `MLP` of sigmoids, trained in place.
    generator : torch.Generator
        Draws the order of rows.
    noise_generator : torch.Generator
        Draws the states of the machines; on the net's device.
    data : tensor, TableInputs or ChunkedInputs of shape (n_samples, n_inputs)
    sample_weight : tensor of shape (n_samples,) or None
    plan : PretrainingPlan
    n_threads : int
    verbose : bool

    Attributes
    ----------
    errors : list of ndarray of shape (n_epochs,)
        Mean squared error of the reconstructions of each layer.
    visible_biases : list of tensor
        Visible biases of the machines, which the network has no use for.
    """

    net: Net
    generator: torch.Generator
    noise_generator: torch.Generator
    data: torch.Tensor
    sample_weight: torch.Tensor | None
    plan: PretrainingPlan
    n_threads: int = 1
    verbose: bool = False

    def structure(self):
        """What the networks of a population have in common; None for one that is trained alone."""
        if isinstance(self.data, ChunkedInputs):
            return None
        multiple = DenseStack.row_multiple(self.module)
        return (
            structure_of(self.module),
            self.plan,
            tuple(padded_batches(len(self.data), self.plan.batch_size, multiple)),
            type(self.data),
            self.data.dtype,
            self.data.device,
            self.n_threads,
        )

    @property
    def module(self):
        """The network."""
        return self.net.module_

    @property
    def device(self):
        """Where the network is trained."""
        return self.data.device

    def n_bytes(self):
        """Memory that the network needs in a population, roughly."""
        n_parameters = sum(p.numel() for p in self.module.parameters())
        n_hidden = max(layer.out_features for layer in self.module.hidden_layers())
        n_numbers = 3 * n_parameters + 2 * self.data.numel() + 2 * len(self.data) * n_hidden
        return self.data.element_size() * n_numbers

    @staticmethod
    def describe(jobs):
        """Say how the networks are trained."""
        return f"{len(jobs)} {type(jobs[0].module).__name__} pre-trained as one"

    @staticmethod
    def run_all(jobs):
        """Train jobs of one structure; return them, or the errors of those that failed."""
        plan = jobs[0].plan
        stacks = [stack_rbms(job.module, visible=plan.visible) for job in jobs]
        rows = batches_of(jobs)
        hidden = not any(job.verbose for job in jobs)
        total = plan.n_epochs * len(stacks[0])
        with (
            torch_threads(jobs[0].n_threads),
            tqdm(total=total, desc="pre-training", unit="epoch", disable=hidden) as progress,
        ):
            generators = [job.noise_generator for job in jobs]
            errors = train_stacks(stacks, rows, plan, generators, progress)
        for i, (job, rbms) in enumerate(zip(jobs, stacks, strict=True)):
            job.visible_biases = [rbm.visible_bias for rbm in rbms]
            job.errors = [error[:, i] for error in errors]
        return [divergence(job.errors, plan) or job for job in jobs]

    def share_generator(self):
        """Let dropout draw from the generator of the machines, from which a pickle parts it."""
        for part in self.module.modules():
            if isinstance(part, Dropout):
                part.generator = self.noise_generator


def batches_of(jobs):
    """The batches of the data of jobs; data that are read in chunks are alone."""
    batch_size, multiple = jobs[0].plan.batch_size, DenseStack.row_multiple(jobs[0].module)

    def make(X, target, weight, order):
        return Batches([(X,)], [weight], batch_size, multiple, [order])

    first, data, weight = jobs[0], jobs[0].data, jobs[0].sample_weight
    if isinstance(data, ChunkedInputs):
        chunks = ChunkOrder(first.generator, len(data))
        return ChunkedBatches(data, None, weight, batch_size, chunks, make)
    if len(jobs) == 1 and is_long(len(data), batch_size, multiple):
        order = RowOrder(first.generator, len(data))
        return SegmentedBatches((data,), weight, batch_size, multiple, order)
    return Batches(
        [(job.data,) for job in jobs],
        [job.sample_weight for job in jobs],
        batch_size,
        multiple,
        [RowOrder(job.generator, len(job.data)) for job in jobs],
    )


@torch.no_grad()
def train_layer(rbms, rows, plan, generators, progress=None):
    """Train the machines of one layer in place.

    Parameters
    ----------
    rbms : list of RBM
        Of one shape and kind.
    rows : Batches
        Their training data.
    plan : PretrainingPlan
    generators : list of torch.Generator
        Draw the states of each machine.
    progress : tqdm.tqdm or None
        Told of every epoch.

    Returns
    -------
    ndarray of shape (n_epochs, P)
        Mean squared errors of the reconstructions (of the fantasies, for persistent chains); NaN
        from the epoch on in which a machine diverged: its parameters are not finite, or its error
        is ten times what it has been.
    """
    machines = StackedMachines(rbms)
    trainer = ContrastiveDivergence(machines, plan, generators)
    n_numbers = np.array(rows.lengths) * rbms[0].weight.shape[1]
    errors = np.empty((plan.n_epochs, len(rbms)))
    limits = MAX_GROWTH * error_at_zero(rows, n_numbers, rbms[0].visible)
    for epoch in range(plan.n_epochs):
        sums = sums_over_batches([trainer.step(v, share) for v, share in rows.unlabeled_epoch()])
        errors[epoch] = sums / n_numbers
        # Bernoulli fantasies of NaN weights are all 0, so the error alone does not tell.
        errors[epoch, ~machines.parameters.sum(dim=1).isfinite().cpu().numpy()] = np.nan
        errors[epoch, ~(errors[epoch] <= limits)] = np.nan
        # The noise of Gaussian units alone has a squared error of 1. A limit of NaN stays.
        limits = np.minimum(limits, MAX_GROWTH * np.maximum(errors[epoch], 1.0))
        if progress is not None:
            progress.update()
    machines.write()
    return errors


def error_at_zero(rows, n_numbers, visible):
    """Mean squared error of the fantasies of machines whose parameters are 0.

    For Bernoulli units it is the largest that there is.

    Parameters
    ----------
    rows : Batches
        The data.
    n_numbers : ndarray of shape (P,)
        Numbers that count.
    visible : {"bernoulli", "gaussian"}

    Returns
    -------
    ndarray of shape (P,)
    """
    if visible == "bernoulli":
        return np.ones(len(n_numbers))
    squares = np.zeros(len(n_numbers))
    ends = torch.as_tensor(rows.lengths)[:, None]
    n_before = 0
    for v in rows.in_slices():
        places = torch.arange(n_before, n_before + v.shape[1])
        of_rows = torch.linalg.vector_norm(v, dim=2).double().cpu() * (places < ends)
        squares += of_rows.square().sum(dim=1).numpy()
        n_before += v.shape[1]
    return squares / n_numbers + 1.0


@torch.no_grad()
def train_stacks(stacks, rows, plan, generators, progress=None):
    """Train stacks of RBMs greedily: each on the hidden probabilities of the one below.

    Parameters
    ----------
    stacks : list of list of RBM
        From the input up, of each network.
    rows, plan, generators, progress
        As in `train_layer`.

    Returns
    -------
    list of ndarray of shape (n_epochs, P)
        The errors of each layer.
    """
    errors = []
    for rbms in zip(*stacks, strict=True):
        errors.append(train_layer(rbms, rows, plan, generators, progress))
        rows.map_inputs(StackedMachines(rbms).stack.hidden_proba)
    return errors


def divergence(errors, plan):
    """The error of a stack of which a machine diverged, from the errors of its layers, or None."""
    for layer, error in enumerate(errors):
        if not np.isfinite(error).all():
            return NonFiniteLossError(
                f"pre-training diverged in epoch {np.isfinite(error).argmin() + 1}; lower "
                f"pretrain_learning_rate (got {plan.learning_rate}) or check the scale of X. The "
                f"reconstruction error of layer {layer} has grown more than tenfold or is not "
                "finite"
            )
    return None
