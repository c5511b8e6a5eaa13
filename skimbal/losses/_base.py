"""What a loss is: a small value that `bind` turns into a torch module for one training set.

A loss value holds hyper-parameters only, so that clone, repr and searches over `loss__<name>`
work. Binding hands it what it may depend on: the class counts, the class weights and the cost
matrix of the training data. The bound module maps logits, targets and sample weights to

    sum_i s_i w_{y_i} l_i / sum_i s_i,

which is divided by the sample weights s but not by the class weights w, so that the losses of
batches add up to the loss of their union. Losses that look at a batch as a whole are the
exception: they equalise the classes in it themselves.
"""

import math
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


class ScheduledBoundLoss(BoundLoss):
    """A per-sample loss whose class weights go from 1 to their final values.

    w_c = 1 + alpha (f_c - 1) with the final weights f; `set_epoch` changes `class_weight` in place.
    Before its first call the weights are those with which a training without end begins.

    Parameters
    ----------
    per_sample : callable
        As in `BoundLoss`.
    final_weight : array-like of shape (n_classes,)
        Weight of each class where alpha is 1.
    alpha : callable
        Maps an epoch, from 1, and the number of epochs to a number between 0 and 1.
    """

    class_weight: torch.Tensor
    final_weight: torch.Tensor

    def __init__(self, per_sample, final_weight, alpha):
        super().__init__(per_sample, final_weight)
        self.alpha = alpha
        self.register_buffer("final_weight", self.class_weight.clone())
        self.set_epoch(1, math.inf)

    def set_epoch(self, epoch, n_epochs):
        """Set the class weights of an epoch, counted from 1."""
        self.class_weight.copy_(1.0 + self.alpha(epoch, n_epochs) * (self.final_weight - 1.0))


def keep_buffers(module, tensors):
    """Register numbers as buffers that share no memory with what was given."""
    for name, value in tensors.items():
        tensor = torch.as_tensor(value, dtype=torch.get_default_dtype()).clone()
        module.register_buffer(name, tensor)


def buffers(module, dtype):
    """Return the buffers of a module by name, in a dtype."""
    return {name: tensor.to(dtype) for name, tensor in module.named_buffers(recurse=False)}


class Formula(torch.nn.Module):
    """A per-sample formula with its numbers as tensors, which a training never changes.

    Networks whose formulas differ in these numbers alone are trained together.

    Parameters
    ----------
    function : callable
        A pure function of the module level: maps logits (n, n_classes), targets (n,) and the
        tensors, as keywords, to losses (n,).
    **tensors : array-like
        Kept as buffers, in the dtype of the logits where they are used.

    Examples
    --------
    >>> import torch
    >>> from skimbal.losses import BoundLoss, Formula
    >>> def brier(logits, target, scale):
    ...     onehot = torch.eye(logits.shape[1])[target]
    ...     return scale * (logits.softmax(dim=1) - onehot).square().sum(dim=1)
    >>> loss = BoundLoss(Formula(brier, scale=3.0))
    >>> loss(torch.zeros(1, 2), torch.tensor([0]))
    tensor(1.5000)
    """

    def __init__(self, function, **tensors):
        super().__init__()
        self.function = function
        keep_buffers(self, tensors)

    def forward(self, logits, target):
        """Return the loss of each sample."""
        return self.function(logits, target, **buffers(self, logits.dtype))


class BoundBatchLoss(torch.nn.Module):
    """A loss of a batch as a whole.

    Samples of weight 0 are as if they were not there, and the scale of the sample weights does
    not matter: the formula gets their shares s_i / sum_i s_i.

    Parameters
    ----------
    formula : callable
        A pure function: maps logits (n, n_classes), targets (n,), shares (n,) and the tensors, as
        keywords, to a number. To be batched by `torch.func` it has to be free of shapes that
        depend on values.
    **tensors : array-like
        Kept as buffers, in the dtype of the logits where they are used.

    Examples
    --------
    The worst of the losses of a batch:

    >>> import torch
    >>> from skimbal.losses import BoundBatchLoss
    >>> def worst(logits, target, share):
    ...     losses = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    ...     return torch.where(share > 0, losses, 0.0).max()
    >>> loss = BoundBatchLoss(worst)
    >>> loss(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 1]), torch.tensor([1.0, 0.0]))
    tensor(0.6931)
    """

    def __init__(self, formula, **tensors):
        super().__init__()
        self.formula = formula
        keep_buffers(self, tensors)

    def forward(self, logits, target, sample_weight=None):
        """Return the loss of a batch as a scalar tensor."""
        return self._value(logits, target, sample_weight)

    def _value(self, logits, target, sample_weight, **given):
        return self.formula(
            logits, target, shares(logits, sample_weight), **buffers(self, logits.dtype), **given
        )


def shares(logits, sample_weight=None):
    """Sample weights divided by their sum, of the dtype of the logits; 0 where all are 0."""
    if sample_weight is None:
        return torch.full_like(logits[:, 0], 1.0 / len(logits))
    weight = sample_weight.to(logits.dtype)
    total = weight.sum()
    return weight / torch.where(total > 0, total, 1.0)


class BaseLoss(BaseEstimator, metaclass=ABCMeta):
    """Base of all losses.

    Attributes
    ----------
    weights_classes : bool
        The loss weights the classes by itself. Together with `class_weight` that is an error,
        because the two would multiply.
    needs_counts : bool
        It depends on the class counts, which a stream does not tell at its start.
    needs_costs : bool
        It can't be bound without a cost matrix.
    needs_features : bool
        Its module is called with ``features=``, the inputs of the last layer (n, n_features).
    head : None or "normalized"
        Last layer of the network. "normalized": logits = scale * cosine(features, weights), with
        the loss value's attribute `scale`.
    """

    weights_classes = False
    needs_counts = False
    needs_costs = False
    needs_features = False
    head: str | None = None

    _parameter_constraints: dict = {}

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
            With ``forward(logits, target, sample_weight=None)``; where the loss needs features,
            ``forward(logits, target, sample_weight=None, features=None)``.
        """

    def unweighted(self):
        """Return the loss without what it does to weight the classes: that of early stopping.

        Returns
        -------
        BaseLoss
            A value that is bound without `class_weight`; this one, unless a subclass says else.
        """
        return self

    def _check_binding(self, class_weight, cost_matrix=None):
        """Raise a ValueError for bad parameters, weights that multiply and costs that lack."""
        self._validate_params()
        if self.weights_classes and class_weight is not None:
            raise ValueError(
                f"{self!r} weights the classes itself, and got class_weight={class_weight}; the "
                "two would multiply: leave one of them out"
            )
        if self.needs_costs and cost_matrix is None:
            raise ValueError(
                f"{self!r} needs a cost matrix, and got None; give the network cost_matrix=..., "
                '"inverse_frequency" or an array (n_classes, n_classes) with true classes in rows'
            )


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
