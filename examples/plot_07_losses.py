"""
Losses for rare classes, drawn
==============================

What losses do for a rare class, in two pictures: how the class weights of
:class:`~skimbal.losses.IncrementalWeightedCrossEntropy` and
:class:`~skimbal.losses.DeferredReweighting` rise in the course of a training, and what a sample of
the rare class costs, depending on how well it is classified.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from skimbal import losses

class_counts = np.array([900.0, 100.0])

# %%
# Weights that come late
# ----------------------
# 900 samples against 100: the balanced weight of the rare class is 5. A network tells a bound loss
# with a schedule which epoch begins; here we do it.
n_epochs = 200
epochs = np.arange(1, n_epochs + 1)


def rare_weights(loss):
    """Weight of the rare class in each epoch."""
    bound = loss.bind(class_counts)
    weights = []
    for epoch in epochs:
        bound.set_epoch(int(epoch), n_epochs)
        weights.append(bound.class_weight[1].item())
    return weights


fig, axes = plt.subplots(2, 2, figsize=(8, 5.4), sharex=True, sharey=True, layout="constrained")
for ax, ramp in zip(axes.flat, ("exponential", "linear", "cosine", "step"), strict=True):
    for T in (10, 20, 30, 50):
        loss = losses.IncrementalWeightedCrossEntropy(T=T, ramp=ramp)
        ax.plot(epochs, rare_weights(loss), label=f"T = {T}")
    ax.set_title(ramp)
for ax in axes[1]:
    ax.set_xlabel("epoch")
for ax in axes[:, 0]:
    ax.set_ylabel("weight of the rare class")
deferred = losses.DeferredReweighting(start=0.8, weights="balanced")
axes[1, 1].plot(epochs, rare_weights(deferred), color="black", ls=":", label="deferred, 0.8")
axes[0, 0].legend()
axes[1, 1].legend()
plt.show()

# %%
# The exponential ramp is the paper's. The step of T = 40 would be deferred re-weighting that starts
# when 0.8 of 200 epochs are over. The mean weight of a training sample is 1 in every epoch: the
# weight of the frequent class falls as this one rises.
for epoch in (1, 160, 180, 200):
    bound = losses.IncrementalWeightedCrossEntropy(T=20).bind(class_counts)
    bound.set_epoch(epoch, n_epochs)
    print(f"epoch {epoch:3d}: weights {bound.class_weight.numpy().round(3)}")

# %%
# What a sample costs
# -------------------
# The loss of one sample of the rare class against its logit margin: the logit of the rare class
# less that of the frequent one. At a margin of 0 the posterior is one half. LDAM's logits are those
# of a normalised last layer; a small scale makes its margin fit into the picture.
margin = torch.linspace(-6.0, 6.0, 241, dtype=torch.float64)
logits = torch.stack([torch.zeros_like(margin), margin], dim=1)
rare = torch.tensor([1])
costs = np.array([[0.0, 1.0], [9.0, 0.0]])
shown = {
    "cross entropy": losses.CrossEntropy(),
    "class-balanced cross entropy": losses.ClassBalanced(beta=0.9999),
    "focal, gamma 2": losses.Focal(gamma=2),
    "asymmetric": losses.Asymmetric(),
    "balanced softmax": losses.BalancedSoftmax(),
    "LDAM, margin 0.5 * 5": losses.LDAM(max_margin=0.5, scale=5),
    "expected cost of 9": losses.ExpectedCost(),
}


def losses_of_rare(loss):
    """Loss of a rare sample at each margin, and its slope there."""
    bound = loss.bind(class_counts, cost_matrix=costs)
    z = logits.clone().requires_grad_()
    values = torch.stack([bound(row[None], rare) for row in z])
    (gradient,) = torch.autograd.grad(values.sum(), z)
    return values.detach().numpy(), gradient[:, 1].numpy()


fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4.4), layout="constrained")
for name, loss in shown.items():
    values, slopes = losses_of_rare(loss)
    left.plot(margin, values, label=name)
    right.plot(margin, -slopes, label=name)
left.set(ylabel="loss of a rare sample", ylim=(0, 14))
right.set(ylabel="pull toward the rare class")
for ax in (left, right):
    ax.set_xlabel("logit margin")
    ax.axvline(0.0, color="0.8", lw=0.8, zorder=0)
left.legend(fontsize="small")
plt.show()

# %%
# Weights pull everywhere, and harder. Balanced softmax and LDAM move the curve of cross entropy to
# the right: a rare sample is pulled until it is right by a margin, log 9 here for balanced softmax.
# The focal loss lets go of samples that are classified well; the asymmetric one adds a focused term
# of the wrong class to cross entropy. The expected cost does not pull on a sample that is badly
# wrong: its slope vanishes at both ends, so a network that starts badly learns slowly.
