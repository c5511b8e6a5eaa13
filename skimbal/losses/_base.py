"""What a loss is: a small value that `bind` turns into a torch module for one training set.

A loss value holds hyper-parameters only, so that clone, repr and searches over `loss__<name>`
work. `bind` takes what a loss may depend on: the class counts, the class weights and the cost
matrix of the training data. The bound module maps logits, targets and sample weights to

    sum_i s_i w_{y_i} l_i / sum_i s_i.

The sum is divided by the sample weights s but not by the class weights w, so that the losses of
batches add up to the loss of their union. Losses of a batch as a whole are the exception: they
balance the classes of the batch themselves.
"""

import math
from abc import ABCMeta, abstractmethod
from collections.abc import Callable
from copy import deepcopy

import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from torch import Tensor

OptArray = NDArray | None


def weighted_mean(losses, sample_weight=None):
    """Mean of per-sample losses, sum_i s_i l_i / sum_i s_i; 0 if all weights are 0."""
    if sample_weight is None:
        return losses.mean()
    total = sample_weight.sum()
    return (losses * sample_weight).sum() / torch.where(total == 0, 1.0, total)


class BoundLoss(torch.nn.Module):
    """A per-sample loss with the class weights of one training set.

    Parameters
    ----------
    per_sample : callable
        Maps logits (n, n_classes) and targets (n,) to losses (n,). A module of the user may
        return the mean instead; it then takes no weights.
    class_weight : array-like of shape (n_classes,) or None
        Weight of each class.

    Examples
    --------
    The first sample is of class 1, which has weight 3; both losses are log 2.

    >>> import math, torch
    >>> from skimbal.losses import BoundLoss
    >>> loss = BoundLoss(torch.nn.CrossEntropyLoss(reduction="none"), [1.0, 3.0])
    >>> value = loss(torch.zeros(2, 2), torch.tensor([1, 0])).item()
    >>> math.isclose(value, (3 + 1) * math.log(2) / 2, rel_tol=1e-6)
    True
    """

    class_weight: Tensor | None

    def __init__(
        self, per_sample: Callable[..., Tensor], class_weight: ArrayLike | Tensor | None = None
    ) -> None:
        super().__init__()
        self.per_sample = per_sample
        self.register_buffer("class_weight", None)
        if class_weight is not None:
            keep_buffers(self, {"class_weight": class_weight})

    def forward(
        self, logits: Tensor, target: Tensor, sample_weight: Tensor | None = None
    ) -> Tensor:
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
    """A per-sample loss whose class weights change from 1 to their final values.

    w_c = 1 + alpha (f_c - 1) with the final weights f; `set_epoch` changes `class_weight` in place.
    Before its first call the weights are those of epoch 1 of infinitely many.

    Parameters
    ----------
    per_sample : callable
        As in `BoundLoss`.
    final_weight : array-like of shape (n_classes,)
        Weight of each class if alpha is 1.
    alpha : callable
        Maps an epoch, from 1, and the number of epochs to a number between 0 and 1.
    """

    class_weight: Tensor
    final_weight: Tensor

    def __init__(self, per_sample, final_weight, alpha):
        super().__init__(per_sample, final_weight)
        self.alpha = alpha
        self.register_buffer("final_weight", self.class_weight.clone())
        self.set_epoch(1, math.inf)

    def set_epoch(self, epoch, n_epochs):
        """Set the class weights of an epoch, counted from 1."""
        self.class_weight.copy_(1.0 + self.alpha(epoch, n_epochs) * (self.final_weight - 1.0))


def keep_buffers(module, tensors):
    """Register numbers as buffers that share no memory with the given ones."""
    for name, value in tensors.items():
        tensor = torch.as_tensor(value, dtype=torch.get_default_dtype()).clone()
        module.register_buffer(name, tensor)


def buffers(module, dtype):
    """Return the buffers of a module by name, in a dtype."""
    return {name: tensor.to(dtype) for name, tensor in module.named_buffers(recurse=False)}


class Formula(torch.nn.Module):
    """A per-sample formula with its numbers as tensors, which training does not change.

    Networks whose formulas differ only in these numbers are trained together.

    Parameters
    ----------
    function : callable
        A pure function at module level. It maps logits (n, n_classes), targets (n,) and the
        tensors, as keywords, to losses (n,).
    **tensors : array-like
        The numbers. They are kept as buffers and cast to the dtype of the logits.

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

    def __init__(self, function: Callable[..., Tensor], **tensors: ArrayLike) -> None:
        super().__init__()
        self.function = function
        keep_buffers(self, tensors)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of each sample."""
        return self.function(logits, target, **buffers(self, logits.dtype))


class BoundBatchLoss(torch.nn.Module):
    """A loss of a batch as a whole.

    The formula takes the shares s_i / sum_i s_i of the sample weights. So samples with weight 0
    change nothing, and neither does the scale of the weights. The loss is NaN where a logit is, and
    0 where all weights are.

    Parameters
    ----------
    formula : callable
        A pure function. It maps logits (n, n_classes), targets (n,), shares (n,) and the tensors,
        as keywords, to a number. `torch.func` can batch it if no shape depends on a value.
    **tensors : array-like
        The numbers. They are kept as buffers and cast to the dtype of the logits.

    Examples
    --------
    The largest loss of a batch:

    >>> import torch
    >>> from skimbal.losses import BoundBatchLoss
    >>> def worst(logits, target, share):
    ...     losses = torch.nn.functional.cross_entropy(logits, target, reduction="none")
    ...     return torch.where(share > 0, losses, 0.0).max()
    >>> loss = BoundBatchLoss(worst)
    >>> loss(torch.tensor([[0.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 1]), torch.tensor([1.0, 0.0]))
    tensor(0.6931)
    """

    def __init__(self, formula: Callable[..., Tensor], **tensors: ArrayLike) -> None:
        super().__init__()
        self.formula = formula
        keep_buffers(self, tensors)

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        sample_weight: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of a batch as a scalar tensor; a formula may take the features too."""
        given = buffers(self, logits.dtype)
        if features is not None:
            given["features"] = features
        share = shares(logits, sample_weight)
        value = self.formula(logits, target, share, **given)
        # A formula may leave out samples or whole batches; a logit that is NaN is never left out.
        return torch.where((share != 0).any(), value, 0.0) + (0.0 * logits).sum()


def shares(logits, sample_weight=None):
    """Sample weights divided by their sum, in the dtype of the logits; 0 if all are 0."""
    if sample_weight is None:
        return torch.full_like(logits[:, 0], 1.0 / len(logits))
    weight = sample_weight.to(logits.dtype)
    total = weight.sum()
    return weight / torch.where(total == 0, 1.0, total)


class BaseLoss(BaseEstimator, metaclass=ABCMeta):
    """Base of all losses: a subclass writes `bind` and overrides the properties that differ.

    Examples
    --------
    Squared distance of the probabilities to the truth, times a factor:

    >>> import numpy as np, torch
    >>> from skimbal.losses import BaseLoss, BoundLoss, Formula
    >>> def brier(logits, target, factor):
    ...     onehot = torch.eye(logits.shape[1])[target]
    ...     return factor * (logits.softmax(dim=1) - onehot).square().sum(dim=1)
    >>> class Brier(BaseLoss):
    ...     def __init__(self, factor=1.0):
    ...         self.factor = factor
    ...
    ...     def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
    ...         return BoundLoss(Formula(brier, factor=self.factor), class_weight)
    >>> Brier(factor=3.0).bind(np.array([2.0, 1.0]))(torch.zeros(1, 2), torch.tensor([0]))
    tensor(1.5000)
    """

    # Whether it trains the last layer; a loss of the features alone is not tried on logits.
    uses_logits: bool = True
    # Whether it over-samples by the class counts, so that a sampler would do it again.
    oversamples: bool = False

    @property
    def weights_classes(self) -> bool:
        """Whether the loss weights the classes itself, so that `class_weight` is an error."""
        return False

    @property
    def needs_counts(self) -> bool:
        """Whether it depends on the class counts, which `partial_fit` does not know at first."""
        return False

    @property
    def needs_costs(self) -> bool:
        """Whether `bind` needs a cost matrix."""
        return False

    @property
    def needs_features(self) -> bool:
        """Whether its module takes ``features=``, the inputs of the last layer (n, n_features)."""
        return False

    @property
    def prior_exponent(self) -> float | None:
        """Power q of the class counts n in the class frequencies that the network predicts for.

        The softmax of the logits estimates the posteriors for class frequencies proportional to
        w_c n_c^q, with the class weights w. Cross entropy has 1, and balanced softmax 0. None, the
        default, says that the loss is lowest at other values than posteriors.
        """
        return None

    @property
    def compares_classes(self) -> bool:
        """Whether it compares samples of different classes: batches of one class teach nothing."""
        return False

    @property
    def head(self) -> str | None:
        """Last layer of the network: None, or "normalized" for `scale` * cosine."""
        return None

    @abstractmethod
    def bind(
        self, class_counts: NDArray, *, class_weight: OptArray = None, cost_matrix: OptArray = None
    ) -> torch.nn.Module:
        """Return the loss of one training set as a torch module.

        Parameters
        ----------
        class_counts : ndarray of shape (n_classes,)
            Sample-weighted number of training samples of each class.
        class_weight : ndarray of shape (n_classes,), default=None
            Weight of each class.
        cost_matrix : ndarray of shape (n_classes, n_classes), default=None
            Cost of predicting the class of the column when the truth is the class of the row.

        Returns
        -------
        torch.nn.Module
            With ``forward(logits, target, sample_weight=None)``, and a fourth parameter
            ``features=None`` if the loss needs features.
        """

    def unweighted(self) -> "BaseLoss":
        """Return the loss by which early stopping judges epochs of a loss on features.

        Other losses judge epochs themselves. The returned loss does not weight the classes.

        Returns
        -------
        BaseLoss
            A value that is bound without `class_weight`; by default, this one.
        """
        return self


class BaseCheckedLoss(BaseLoss):
    """Base of the losses of this package, whose parameters are checked; they write `_bind`."""

    _parameter_constraints: dict = {}

    def bind(
        self, class_counts: NDArray, *, class_weight: OptArray = None, cost_matrix: OptArray = None
    ) -> torch.nn.Module:
        """Check parameters and arguments, and return the loss of one training set."""
        self._validate_params()
        if self.weights_classes and class_weight is not None:
            raise ValueError(
                f"{self!r} weights the classes itself, but got class_weight={class_weight}; the "
                "two would multiply, so leave one of them out"
            )
        if self.needs_costs and cost_matrix is None:
            raise ValueError(
                f"{self!r} needs a cost matrix, and got None; give the network cost_matrix=..., "
                '"inverse_frequency" or an array (n_classes, n_classes) with true classes in rows'
            )
        return self._bind(class_counts, class_weight, cost_matrix)

    @abstractmethod
    def _bind(self, class_counts, class_weight, cost_matrix):
        """Return the loss of one training set; parameters and arguments have been checked."""


class BaseBatchLoss(BaseCheckedLoss):
    """Base of losses of a batch as a whole, whose parameters are those of their `formula`."""

    formula: Callable[..., Tensor]
    weights_classes = True

    def _bind(self, class_counts, class_weight, cost_matrix):
        return BoundBatchLoss(self.formula, **self.get_params())


class ModuleLoss(BaseCheckedLoss):
    """A user's `torch.nn.Module` as a loss, called as ``module(logits, target)``.

    If it returns a loss per sample, of shape (n,), it is weighted like any other. A module that
    returns a scalar can't be weighted. `bind` copies it, so that training does not change it.
    """

    def __init__(self, module):
        self.module = module

    def _bind(self, class_counts, class_weight, cost_matrix):
        # Training moves the loss to its device and trains its parameters.
        try:
            module = deepcopy(self.module)
        except Exception as error:
            raise ValueError(
                f"loss={self.module!r} can't be copied, which training needs: {error}. Tensors of "
                "the module must be plain numbers (detach()) or a torch.nn.Parameter"
            ) from error
        return BoundLoss(module, class_weight)
