"""Training of restricted Boltzmann machines by contrastive divergence, layer by layer.

The log-likelihood's gradient is the mean of -dF/dtheta over the data minus its mean over the
model's own samples. CD-k takes these after k Gibbs steps from the data (Hinton 2002,
doi:10.1162/089976602760128018), persistent CD from chains that go on from batch to batch
(Tieleman 2008, doi:10.1145/1390156.1390290).
"""

from dataclasses import dataclass

import numpy as np
import torch
from tqdm.auto import tqdm

from skimbal.exceptions import NonFiniteLossError
from skimbal.modules import bernoulli


@dataclass(frozen=True)
class PretrainingPlan:
    """Hyper-parameters of the RBMs' training."""

    n_epochs: int
    learning_rate: float
    momentum: float
    weight_decay: float
    n_gibbs_steps: int
    persistent: bool
    batch_size: int
    verbose: bool = False


class ContrastiveDivergence:
    """Stochastic gradient ascent, with momentum, on the likelihood of one RBM.

    The gradient is that of `RBM.free_energy` at the fantasies minus that at the data; for W it is
    E[h v'] of the data minus that of the fantasies, for the biases the same of h and v alone.

    Parameters
    ----------
    rbm : RBM
        Trained in place.
    plan : PretrainingPlan
        Its hyper-parameters.
    generator : torch.Generator
        Draws the hidden and visible states; on the RBM's device.
    """

    def __init__(self, rbm, plan, generator):
        self.rbm = rbm
        self.plan = plan
        self.generator = generator
        self.weight_velocity = torch.zeros_like(rbm.weight)
        self.hidden_velocity = torch.zeros_like(rbm.hidden_bias)
        self.visible_velocity = torch.zeros_like(rbm.visible_bias)
        self.chains: torch.Tensor | None = None

    def fantasies(self, v, h):
        """States of the model after k Gibbs steps, from the data or from the chains.

        Returns
        -------
        v, h : tensors of shape (n, n_visible) and (n, n_hidden)
            Visible states and the probabilities of the hidden ones.
        """
        if self.plan.persistent:
            if self.chains is None:
                self.chains = v.clone()
            h = self.rbm.hidden_proba(self.chains[: len(v)])
        for _ in range(self.plan.n_gibbs_steps):
            v = self.rbm.sample_visible(bernoulli(h, self.generator), self.generator)
            h = self.rbm.hidden_proba(v)
        if self.chains is not None:
            self.chains[: len(v)] = v
        return v, h

    def step(self, v, sample_weight):
        """Climb one batch; `sample_weight` adds up to 1. Return the norm of v - fantasies."""
        h = self.rbm.hidden_proba(v)
        fantasy, fantasy_h = self.fantasies(v, h)
        # Fantasies that start at the data weigh what the data weigh; chains go their own ways.
        fantasy_weight = sample_weight
        if self.plan.persistent:
            fantasy_weight = torch.full_like(sample_weight, 1.0 / len(v))
        self._add_gradient(v, h, sample_weight, decay=self.plan.momentum)
        self._add_gradient(fantasy, fantasy_h, -fantasy_weight, decay=1.0)
        if self.plan.weight_decay:
            self.weight_velocity.sub_(self.rbm.weight, alpha=self.plan.weight_decay)
        self.rbm.weight.add_(self.weight_velocity, alpha=self.plan.learning_rate)
        self.rbm.hidden_bias.add_(self.hidden_velocity, alpha=self.plan.learning_rate)
        self.rbm.visible_bias.add_(self.visible_velocity, alpha=self.plan.learning_rate)
        return torch.linalg.vector_norm(v - fantasy)

    def _add_gradient(self, v, h, weight, *, decay):
        """velocity <- decay * velocity + sum_i weight_i (h_i v_i', h_i, v_i)."""
        self.weight_velocity.addmm_((h * weight[:, None]).T, v, beta=decay)
        self.hidden_velocity.addmv_(h.T, weight, beta=decay)
        self.visible_velocity.addmv_(v.T, weight, beta=decay)


@torch.no_grad()
def train_rbm(rbm, data, sample_weight, plan, generator, noise_generator):
    """Train one RBM in place.

    Parameters
    ----------
    rbm : RBM
        The machine.
    data : tensor of shape (n_samples, n_visible)
        Training data.
    sample_weight : tensor of shape (n_samples,) or None
        Weight of each row in the likelihood.
    plan : PretrainingPlan
        Hyper-parameters.
    generator, noise_generator : torch.Generator
        Draw the order of the rows (on the CPU) and the states (on the RBM's device).

    Returns
    -------
    ndarray of shape (n_epochs,)
        Mean squared error of the reconstruction (of the fantasies, for persistent chains).
    """
    trainer = ContrastiveDivergence(rbm, plan, noise_generator)
    weights = torch.ones(len(data), dtype=data.dtype, device=data.device).split(plan.batch_size)
    weights = [weight / len(weight) for weight in weights]
    errors = []
    epochs = range(1, plan.n_epochs + 1)
    for epoch in tqdm(epochs, desc="pre-training", unit="epoch", disable=not plan.verbose):
        order = torch.randperm(len(data), generator=generator).to(data.device)
        if sample_weight is not None:
            weights = [w / w.sum() for w in sample_weight[order].split(plan.batch_size)]
        batches = zip(data[order].split(plan.batch_size), weights, strict=True)
        norms = torch.stack([trainer.step(v, weight) for v, weight in batches])
        error = norms.square().sum().item() / data.numel()
        # Bernoulli fantasies of NaN weights are all 0, so the error alone does not tell.
        if not (np.isfinite(error) and rbm.weight.isfinite().all()):
            raise NonFiniteLossError(
                f"pre-training diverged in epoch {epoch}; lower pretrain_learning_rate "
                f"(got {plan.learning_rate:g}) or check the scale of X"
            )
        errors.append(error)
    return np.array(errors)


@torch.no_grad()
def train_stack(rbms, data, sample_weight, plan, generator, noise_generator):
    """Train a stack of RBMs greedily: each on the hidden probabilities of the one below.

    Returns
    -------
    list of ndarray of shape (n_epochs,)
        The reconstruction errors of each layer.
    """
    errors = []
    for i, rbm in enumerate(rbms):
        if i > 0:
            data = rbms[i - 1].hidden_proba(data)
        errors.append(train_rbm(rbm, data, sample_weight, plan, generator, noise_generator))
    return errors
