"""Mini-batch samplers: which classes the rows of an epoch are drawn from.

A sampler is a small value without state. Before each epoch the network asks it for the share of
each class, and draws that epoch's rows accordingly, with replacement; None stands for an epoch in
which every row comes once. No row is made up and none is stored twice.

Kang et al. (2020), Decoupling representation and classifier for long-tailed recognition, ICLR,
arXiv:1910.09217 (class-balanced, square-root, progressively balanced); Pouyanfar et al. (2018),
Dynamic sampling in convolutional neural networks for imbalanced data classification, MIPR,
doi:10.1109/MIPR.2018.00027 (dynamic); Lee et al. (2016), Plankton classification on imbalanced
large scale database via convolutional neural networks with transfer learning, ICIP,
doi:10.1109/ICIP.2016.7533053, and Havaei et al. (2017), doi:10.1016/j.media.2016.05.004 (two
phases).
"""

from abc import ABCMeta, abstractmethod
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

from skimbal._utils._validation import unknown_name_message


def power_share(class_counts, power):
    r"""Share of each class by a power of its count (Kang et al. 2020, eq. 1).

    .. math:: p_c = \frac{n_c^q}{\sum_k n_k^q}

    The sum runs over the classes with samples; a class without any has share 0.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,)
        Samples of each class, n, or the sums of their weights; at least one positive.
    power : float
        The exponent q: 1 draws every row alike, 1/2 by the square root, 0 every class alike.

    Returns
    -------
    ndarray of shape (n_classes,)
        Shares, which add up to 1.

    Examples
    --------
    >>> from skimbal.sampling import power_share
    >>> power_share([900, 100, 0], 0.5).tolist()
    [0.75, 0.25, 0.0]
    """
    counts = np.asarray(class_counts, dtype=np.float64)
    present = counts > 0
    # Dividing by the largest first keeps large powers of large counts finite.
    powers = np.where(present, counts / counts.max(), 1.0) ** power * present
    return powers / powers.sum()


def progressive_share(class_counts, epoch, n_epochs):
    r"""Share that moves from that of the rows to an equal one (Kang et al. 2020, eq. 2).

    .. math:: p_c(t) = \left(1 - \frac{t}{T}\right) \frac{n_c}{\sum_k n_k}
        + \frac{t}{T} \, \frac{1}{C}

    with :math:`t` = `epoch` - 1 and :math:`T` = `n_epochs` - 1, so that the first epoch draws
    all rows alike and the last one all classes.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,)
        Samples of each class.
    epoch : int
        The epoch, from 1; beyond `n_epochs` it is the last one's share.
    n_epochs : int
        Number of epochs. If it is 1, that epoch is the first.

    Returns
    -------
    ndarray of shape (n_classes,)
        Shares, which add up to 1.

    Examples
    --------
    >>> from skimbal.sampling import progressive_share
    >>> [progressive_share([90, 10], epoch, 3).round(2).tolist() for epoch in (1, 2, 3)]
    [[0.9, 0.1], [0.7, 0.3], [0.5, 0.5]]
    """
    progress = min(1.0, (epoch - 1) / max(n_epochs - 1, 1))
    return (1.0 - progress) * power_share(class_counts, 1.0) + progress * power_share(
        class_counts, 0.0
    )


def dynamic_share(class_counts, valid_f1, even_part=0.0):
    r"""Share of each class by how badly it is told apart (Pouyanfar et al. 2018).

    .. math:: p_c = (1 - a) \frac{1 - F_c}{\sum_k (1 - F_k)} + a \, \frac{1}{C}

    over the classes with samples. Where all F1 are 1, the share is equal.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,)
        Samples of each class; only which ones are 0 matters.
    valid_f1 : array-like of shape (n_classes,)
        F1 of each class on validation data, from 0 to 1; NaN counts as 0.
    even_part : float, default=0.0
        The part a, from 0 to 1, that is shared equally; 0 is the paper's.

    Returns
    -------
    ndarray of shape (n_classes,)
        Shares, which add up to 1.

    Examples
    --------
    >>> from skimbal.sampling import dynamic_share
    >>> dynamic_share([90, 10], valid_f1=[0.9, 0.6]).round(2).tolist()
    [0.2, 0.8]
    """
    even = power_share(class_counts, 0.0)
    missing = (1.0 - np.nan_to_num(np.asarray(valid_f1, dtype=np.float64))) * (even > 0)
    if missing.sum() <= 0:
        return even
    return (1.0 - even_part) * missing / missing.sum() + even_part * even


class BaseBatches(BaseEstimator, metaclass=ABCMeta):
    """Base of the mini-batch samplers; a subclass writes `class_share`."""

    @property
    def needs_validation(self):
        """Whether the F1 of the classes on validation data is needed, and so such data."""
        return False

    @abstractmethod
    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        """Return with what probability the next row drawn is of each class.

        Parameters
        ----------
        class_counts : array-like of shape (n_classes,)
            Training samples of each class.
        epoch : int
            The epoch that begins, from 1 to `n_epochs`.
        n_epochs : int
            Number of epochs that the training is planned for.
        valid_f1 : array-like of shape (n_classes,), default=None
            F1 of each class on validation data after the last epoch; None in the first.

        Returns
        -------
        ndarray of shape (n_classes,) or None
            Shares, which add up to 1 and are 0 for classes without samples; None is an epoch in
            which every row comes once, as without a sampler.
        """


class ClassBalancedBatches(BaseBatches):
    """Draws all classes equally often.

    The share of each of C classes is 1 / C (Kang et al. 2020, eq. 1 with q = 0).

    Examples
    --------
    >>> from skimbal.sampling import ClassBalancedBatches
    >>> ClassBalancedBatches().class_share([900, 100], epoch=1, n_epochs=10).tolist()
    [0.5, 0.5]
    """

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        """Return equal shares."""
        return power_share(class_counts, 0.0)


class SquareRootBatches(BaseBatches):
    """Draws each class by the square root of its count.

    Half way between rows and classes (Kang et al. 2020, eq. 1 with q = 1/2).

    Examples
    --------
    >>> from skimbal.sampling import SquareRootBatches
    >>> SquareRootBatches().class_share([900, 100], epoch=1, n_epochs=10).tolist()
    [0.75, 0.25]
    """

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        """Return the shares of the square roots."""
        return power_share(class_counts, 0.5)


class ProgressivelyBalancedBatches(BaseBatches):
    """Moves from drawing all rows alike to drawing all classes alike, epoch by epoch.

    See `progressive_share` (Kang et al. 2020, eq. 2).

    Examples
    --------
    >>> from skimbal.sampling import ProgressivelyBalancedBatches
    >>> batches = ProgressivelyBalancedBatches()
    >>> [batches.class_share([90, 10], epoch, n_epochs=3).round(2).tolist() for epoch in (1, 3)]
    [[0.9, 0.1], [0.5, 0.5]]
    """

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        """Return the shares of the epoch."""
        return progressive_share(class_counts, epoch, n_epochs)


def _check_fraction(name, value):
    if not isinstance(value, Real) or not 0.0 <= float(value) <= 1.0:
        raise ValueError(f"{name} must be a number from 0 to 1, got {value!r}")


class DynamicBatches(BaseBatches):
    """Draws those classes more often that the network tells apart badly.

    After each epoch the F1 of each class on validation data decides its share of the next one:
    see `dynamic_share` (Pouyanfar et al. 2018). The first epoch draws all classes equally often.

    Parameters
    ----------
    even_part : float, default=0.1
        Part of the draws that is shared equally, from 0 to 1, so that a class that has reached an
        F1 of 1 is not left out until it is forgotten. 0 is the paper's rule.

    Examples
    --------
    >>> from skimbal.sampling import DynamicBatches
    >>> batches = DynamicBatches(even_part=0.0)
    >>> batches.class_share([90, 10], epoch=2, n_epochs=5, valid_f1=[0.9, 0.6]).round(2).tolist()
    [0.2, 0.8]
    """

    def __init__(self, even_part=0.1):
        self.even_part = even_part

    @property
    def needs_validation(self):
        """True."""
        return True

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        """Return the shares by the F1 of the last epoch."""
        _check_fraction("even_part", self.even_part)
        if valid_f1 is None:
            return power_share(class_counts, 0.0)
        return dynamic_share(class_counts, valid_f1, self.even_part)


class TwoPhase(BaseBatches):
    """Draws by another sampler first, and takes every row once after that.

    The network learns all classes on balanced rows and then the frequencies that they really have
    (Lee et al. 2016; Havaei et al. 2017, who train the last layer alone in the second phase).

    Parameters
    ----------
    first : str or mini-batch sampler, default="balanced"
        What the first phase draws by: a name or value that `resolve_batches` knows.
    fraction : float, default=0.5
        Fraction of the epochs in the first phase, from 0 to 1, rounded to whole epochs.

    Examples
    --------
    >>> from skimbal.sampling import TwoPhase
    >>> batches = TwoPhase(fraction=0.8)
    >>> batches.class_share([90, 10], epoch=8, n_epochs=10).tolist()
    [0.5, 0.5]
    >>> batches.class_share([90, 10], epoch=9, n_epochs=10) is None
    True
    """

    def __init__(self, first="balanced", fraction=0.5):
        self.first = first
        self.fraction = fraction

    @property
    def needs_validation(self):
        """Whether the sampler of the first phase needs validation data."""
        return self._first().needs_validation

    def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
        """Return the shares of the first phase's sampler, and None in the second phase."""
        _check_fraction("fraction", self.fraction)
        n_first = round(self.fraction * n_epochs)
        if epoch > n_first:
            return None
        return self._first().class_share(class_counts, epoch, n_first, valid_f1)

    def _first(self):
        first = resolve_batches(self.first)
        if first is None:
            raise ValueError(
                f"first=None leaves nothing to draw by; use one of {sorted(BATCHES)} or a value"
            )
        return first


BATCHES = {
    "balanced": ClassBalancedBatches,
    "sqrt": SquareRootBatches,
    "progressive": ProgressivelyBalancedBatches,
    "dynamic": DynamicBatches,
    "two_phase": TwoPhase,
}


def resolve_batches(sampler):
    """Return the mini-batch sampler that a name or value stands for.

    Parameters
    ----------
    sampler : str, mini-batch sampler or None
        "balanced", "sqrt", "progressive", "dynamic" or "two_phase"; or a value.

    Returns
    -------
    BaseBatches or None
        None for None: every row comes once an epoch.

    Raises
    ------
    ValueError
        For an unknown name, or something that is no mini-batch sampler.

    Examples
    --------
    >>> from skimbal.sampling import resolve_batches
    >>> resolve_batches("sqrt")
    SquareRootBatches()
    """
    if sampler is None or isinstance(sampler, BaseBatches):
        return sampler
    if isinstance(sampler, str):
        if sampler not in BATCHES:
            raise ValueError(unknown_name_message("sampler", sampler, BATCHES))
        return BATCHES[sampler]()
    if hasattr(sampler, "fit_resample"):
        raise ValueError(
            f"{sampler!r} makes a new training set, it draws no mini-batches; put it in front of "
            "the network in a pipeline of imbalanced-learn"
        )
    raise ValueError(
        f"a mini-batch sampler is one of {sorted(BATCHES)} or a value of "
        f"skimbal.sampling.BaseBatches, got {sampler!r}"
    )
