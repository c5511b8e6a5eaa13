"""
Losses for rare classes
=======================

This example draws what losses do for a rare class. The first figure shows how the class weights of
:class:`~skimbal.losses.IncrementalWeightedCrossEntropy` and
:class:`~skimbal.losses.DeferredReweighting` rise during a training. The second figure shows the
loss of a sample of the rare class, depending on how well it is classified.
"""

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from skimbal import losses
from skimbal.inspection import ClassWeightScheduleDisplay

class_counts = np.array([900.0, 100.0])

# %%
# Weights that start late
# -----------------------
# There are 900 and 100 samples, so the balanced weight of the rare class is 5. Each panel shows one
# shape of the rise, for several lengths T.
fig, axes = plt.subplots(2, 2, figsize=(8, 5.4), sharex=True, sharey=True, layout="constrained")
for ax, ramp in zip(axes.flat, ("exponential", "linear", "cosine", "step"), strict=True):
    schedules = {
        f"T = {T}": losses.IncrementalWeightedCrossEntropy(T=T, ramp=ramp) for T in (10, 20, 30, 50)
    }
    if ramp == "step":
        schedules["deferred, 0.8"] = losses.DeferredReweighting(start=0.8, weights="balanced")
    ClassWeightScheduleDisplay.from_losses(schedules, class_counts, n_epochs=200, ax=ax)
    ax.set_title(ramp)
    ax.label_outer()
plt.show()

# %%
# The exponential ramp is that of the paper. A step with T = 40 equals deferred re-weighting that
# starts after 0.8 of 200 epochs. The mean weight of a training sample is 1 in every epoch, so the
# weight of the frequent class falls while that of the rare class rises.
for epoch in (1, 160, 180, 200):
    bound = losses.IncrementalWeightedCrossEntropy(T=20).bind(class_counts)
    bound.set_epoch(epoch, 200)
    print(f"epoch {epoch:3d}: weights {bound.class_weight.numpy().round(3)}")

# %%
# The loss of one sample
# ----------------------
# The left panel shows the loss of one sample of the rare class, and the right panel its negative
# slope, with which the training pulls the sample toward the rare class. The horizontal axis is the
# logit margin: the logit of the rare class minus that of the frequent one. At a margin of 0, the
# predicted probability is one half. The logits of LDAM are those of a normalized last layer; its
# scale is small here, so that its margin fits into the figure.
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
right.set(ylabel="negative slope: pull toward the rare class")
for ax in (left, right):
    ax.set_xlabel("logit margin")
    ax.axvline(0.0, color="0.8", lw=0.8, zorder=0)
left.legend(fontsize="small")
plt.show()

# %%
# * Class weights pull harder at every margin.
# * Balanced softmax and LDAM move the curve of cross entropy to the right: a rare sample is pulled
#   until it is right by a margin, which is log 9 for balanced softmax here.
# * The focal loss hardly pulls on samples that are classified well.
# * The asymmetric loss adds a focused term of the wrong class to cross entropy.
# * The expected cost does not pull on a sample that is badly wrong, because its slope vanishes at
#   both ends. A network with a bad start learns slowly with it.
