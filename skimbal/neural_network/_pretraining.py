"""Training of restricted Boltzmann machines by contrastive divergence, layer by layer.

The log-likelihood's gradient is the mean of -dF/dtheta over the data minus its mean over the
model's own samples. CD-k takes these after k Gibbs steps from the data (Hinton 2002,
doi:10.1162/089976602760128018), persistent CD from chains that go on from batch to batch
(Tieleman 2008, doi:10.1145/1390156.1390290).
"""

from dataclasses import dataclass

import numpy as np
import torch

from skimbal.exceptions import NonFiniteLossError


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


class ContrastiveDivergence:
    """Stochastic gradient ascent, with momentum, on the likelihood of one RBM.

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
        self.parameters = (rbm.weight, rbm.hidden_bias, rbm.visible_bias)
        self.velocities = tuple(torch.zeros_like(p) for p in self.parameters)
        self.chains = None

    def gradient(self, v, sample_weight):
        """Estimate the gradient of the mean log-likelihood; also return the fantasy states."""
        start = v if self.chains is None else self.chains[: len(v)]
        fantasy = start
        for _ in range(self.plan.n_gibbs_steps):
            fantasy = self.rbm.gibbs_step(fantasy, self.generator)
        positive = self.rbm.free_energy_gradient(v, sample_weight)
        negative = self.rbm.free_energy_gradient(
            fantasy, sample_weight if self.chains is None else 1.0 / len(fantasy)
        )
        return [p - n for p, n in zip(positive, negative, strict=True)], fantasy

    def step(self, v, sample_weight):
        """Climb one batch; return its squared reconstruction error."""
        if self.plan.persistent and self.chains is None:
            self.chains = v.clone()
        gradients, fantasy = self.gradient(v, sample_weight)
        if self.chains is not None:
            self.chains[: len(fantasy)] = fantasy
        gradients[0].sub_(self.rbm.weight, alpha=self.plan.weight_decay)
        for parameter, velocity, gradient in zip(
            self.parameters, self.velocities, gradients, strict=True
        ):
            velocity.mul_(self.plan.momentum).add_(gradient)
            parameter.add_(velocity, alpha=self.plan.learning_rate)
        return (v - fantasy).square().mean()


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
    weight = data.new_ones(len(data)) if sample_weight is None else sample_weight
    errors = []
    for epoch in range(1, plan.n_epochs + 1):
        order = torch.randperm(len(data), generator=generator).to(data.device)
        batches = zip(
            data[order].split(plan.batch_size),
            weight[order, None].split(plan.batch_size),
            strict=True,
        )
        error = torch.stack([trainer.step(v, s / s.sum()) for v, s in batches]).mean().item()
        if not np.isfinite(error):
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
    for rbm in rbms:
        errors.append(train_rbm(rbm, data, sample_weight, plan, generator, noise_generator))
        data = rbm.hidden_proba(data)
    return errors
