"""What a loss is: a small value that `bind` turns into a torch module for one training set.

A loss value holds hyper-parameters only, so that clone, repr and searches over `loss__<name>`
work. Binding hands it what it may depend on: the class counts, the class weights and the cost
matrix of the training data. The bound module maps logits, targets and sample weights to

    sum_i s_i w_{y_i} l_i / sum_i s_i,

which is divided by the sample weights s but not by the class weights w, so that the losses of
batches add up to the loss of their union.
"""

from abc import ABCMeta, abstractmethod
from copy import deepcopy

import torch
from sklearn.base import BaseEstimator


def weighted_mean(losses, sample_weight=None):
    """Mean of per-sample losses, sum_i s_i l_i / sum_i s_i."""
    if sample_weight is None:
        return losses.mean()
    return (losses * sample_weight).sum() / sample_weight.sum()


class BoundLoss(torch.nn.Module):
    """A per-sample loss with the class weights of one training set.

    Parameters
    ----------
    per_sample : callable
        Maps logits (n, n_classes) and targets (n,) to losses (n,); a module of the user's may
        return the mean instead, and then takes no weights.
    class_weight : array-like of shape (n_classes,) or None
        Weight of each class.

    Examples
    --------
    The first sample is of class 1, which weighs 3; both losses are log 2.

    >>> import math, torch
    >>> from skimbal.losses import BoundLoss
    >>> loss = BoundLoss(torch.nn.CrossEntropyLoss(reduction="none"), [1.0, 3.0])
    >>> value = loss(torch.zeros(2, 2), torch.tensor([1, 0])).item()
    >>> math.isclose(value, (3 + 1) * math.log(2) / 2, rel_tol=1e-6)
    True
    """

    class_weight: torch.Tensor | None

    def __init__(self, per_sample, class_weight=None):
        super().__init__()
        self.per_sample = per_sample
        if class_weight is not None:
            class_weight = torch.as_tensor(class_weight, dtype=torch.get_default_dtype()).clone()
        self.register_buffer("class_weight", class_weight)

    def forward(self, logits, target, sample_weight=None):
        """Return the loss of a batch as a scalar tensor."""
        losses = self.per_sample(logits, target)
        if losses.ndim == 0:
            return self._check_unweighted(losses, sample_weight)
        self._check_one_per_sample(losses, target)
        if self.class_weight is not None:
            losses = losses * self.class_weight.to(losses.dtype)[target]
        return weighted_mean(losses, sample_weight)

    def _check_unweighted(self, loss, sample_weight):
        if self.class_weight is not None or sample_weight is not None:
            raise ValueError(
                f"loss {type(self.per_sample).__name__} returns one number for the batch, which "
                "can't be weighted by class or sample; let it return one loss per sample "
                '(reduction="none") or leave the weights out'
            )
        return loss

    def _check_one_per_sample(self, losses, target):
        if losses.shape != target.shape:
            raise ValueError(
                f"loss {type(self.per_sample).__name__} returns shape {tuple(losses.shape)} for "
                f"{len(target)} samples; let it return one loss per sample, shape ({len(target)},),"
                " or one number for the batch"
            )


class BaseLoss(BaseEstimator, metaclass=ABCMeta):
    """Base of all losses.

    `weights_classes` says that the loss weights the classes by itself; together with
    `class_weight` that is an error, because the two would multiply. `needs_counts` says that it
    depends on the class counts, which a stream does not tell at its start.
    """

    weights_classes = False
    needs_counts = False

    @abstractmethod
    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss of one training set as a torch module.

        Parameters
        ----------
        class_counts : ndarray of shape (n_classes,)
            Sample-weighted number of training samples of each class.
        class_weight : ndarray of shape (n_classes,), default=None
            Weight of each class.
        cost_matrix : ndarray of shape (n_classes, n_classes), default=None
            Cost of predicting the column's class when the truth is the row's.

        Returns
        -------
        torch.nn.Module
            With ``forward(logits, target, sample_weight=None)``.
        """


class ModuleLoss(BaseLoss):
    """A user's `torch.nn.Module` on logits and targets, as a loss.

    The module is called as ``module(logits, target)``. One that returns a loss per sample, of
    shape (n,), is weighted like any other; one that returns a scalar can't be.

    Parameters
    ----------
    module : torch.nn.Module
        Copied by `bind`, so that a training never changes it.

    Examples
    --------
    >>> import torch
    >>> from skimbal import MLPClassifier
    >>> from skimbal.losses import ModuleLoss
    >>> loss = ModuleLoss(torch.nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1))
    >>> network = MLPClassifier(loss=loss, class_weight="balanced")

    The network takes the module itself as well.

    >>> network = MLPClassifier(loss=loss.module)
    """

    def __init__(self, module):
        self.module = module

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return a copy of the module, weighted by class and sample."""
        # The training moves the loss to its device and trains what parameters it has.
        return BoundLoss(deepcopy(self.module), class_weight)
