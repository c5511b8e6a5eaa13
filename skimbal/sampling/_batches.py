"""Mini-batch samplers: which classes the rows of an epoch are drawn from.

A sampler is a small value without state. Before each epoch the network asks it for the share of
each class, and draws the rows of the epoch with these shares, with replacement. None stands for an
epoch in which every row comes once. No row is invented, and no row is stored twice.
"""

from abc import ABCMeta, abstractmethod
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils._param_validation import Interval

from skimbal._utils._labels import sorted_by_label
from skimbal._utils._validation import unknown_name_message


def power_share(class_counts: ArrayLike, power: float) -> NDArray[np.float64]:
    r"""Share of each class by a power of its count (Kang et al. 2020, eq. 1).

    .. math:: p_c = \frac{n_c^q}{\sum_k n_k^q}

    The sum runs over the classes with samples; the other classes have share 0.

    Parameters
    ----------
    class_counts : array-like of shape (n_classes,)
        Number n of samples of each class, or the sum of their weights; at least one is positive.
        Counts by label are taken in the order of the sorted labels.
    power : float
        The exponent q: 1 draws all rows equally often, 0 all classes.

    Returns
    -------
    ndarray of shape (n_classes,)
        Shares, which add up to 1.

    References
    ----------
    B. Kang et al., "Decoupling Representation and Classifier for Long-Tailed Recognition", ICLR
    2020, eq. 1. arXiv:1910.09217.

    Examples
    --------
    >>> from skimbal.sampling import power_share
    >>> power_share([900, 100, 0], 0.5).tolist()
    [0.75, 0.25, 0.0]
    """
    counts = np.asarray(sorted_by_label(class_counts, "class_counts"), dtype=np.float64)
    present = counts > 0
    # Dividing by the largest first keeps large powers of large counts finite.
    powers = np.where(present, counts / counts.max(), 1.0) ** power * present
    return powers / powers.sum()


def progressive_share(class_counts, epoch, n_epochs):
    r"""Share that moves from that of the rows to a uniform one (Kang et al. 2020, eq. 2).

    .. math:: p_c(t) = \left(1 - \frac{t}{T}\right) \frac{n_c}{\sum_k n_k}
        + \frac{t}{T} \, \frac{1}{C}

    with :math:`t` = `epoch` - 1 and :math:`T` = `n_epochs` - 1. A later epoch counts as the last.
    """
    t = min(1.0, (epoch - 1) / max(n_epochs - 1, 1))
    return (1.0 - t) * power_share(class_counts, 1.0) + t * power_share(class_counts, 0.0)


def dynamic_share(class_counts, valid_f1, uniform_fraction=0.0):
    r"""Share of each class by its error on validation data (Pouyanfar et al. 2018).

    .. math:: p_c = (1 - a) \frac{1 - F_c}{\sum_k (1 - F_k)} + a \, \frac{1}{C}

    over the classes with samples, with a = `uniform_fraction`, which the paper does not have. A
    NaN F1 counts as 0. If every F1 is 1, the share is uniform.
    """
    uniform = power_share(class_counts, 0.0)
    error = (1.0 - np.nan_to_num(np.asarray(valid_f1, dtype=np.float64))) * (uniform > 0)
    if error.sum() <= 0:
        return uniform
    return (1.0 - uniform_fraction) * error / error.sum() + uniform_fraction * uniform


class BaseBatches(BaseEstimator, metaclass=ABCMeta):
    """Base of the mini-batch samplers; a subclass writes `class_share`.

    Examples
    --------
    >>> from skimbal.sampling import BaseBatches, power_share
    >>> class EveryOtherEpoch(BaseBatches):
    ...     def class_share(self, class_counts, epoch, n_epochs, valid_f1=None):
    ...         return power_share(class_counts, 0.0) if epoch % 2 else None
    >>> EveryOtherEpoch().class_share([900, 100], epoch=1, n_epochs=10).tolist()
    [0.5, 0.5]
    """

    @property
    def needs_validation(self) -> bool:
        """Whether the sampler needs the F1 of the classes on validation data."""
        return False

    @abstractmethod
    def class_share(
        self, class_counts: ArrayLike, epoch: int, n_epochs: int, valid_f1: ArrayLike | None = None
    ) -> NDArray | None:
        """Return the probability that the next row is of each class.

        Parameters
        ----------
        class_counts : array-like of shape (n_classes,)
            Training samples of each class.
        epoch : int
            The epoch that begins, from 1 to `n_epochs`.
        n_epochs : int
            Number of planned epochs.
        valid_f1 : array-like of shape (n_classes,), default=None
            F1 of each class on validation data after the last epoch; None in the first epoch.
            Before the training, the shares of the last epoch are asked for with an F1 of 0,
            because the validation loss counts the classes with them.

        Returns
        -------
        ndarray of shape (n_classes,) or None
            Shares, which add up to 1 and are 0 for classes without samples. None stands for an
            epoch in which every row comes once, as without a sampler.
        """


class ClassBalancedBatches(BaseBatches):
    """Draws all classes equally often.

    The share of each of C classes is 1 / C.

    References
    ----------
    B. Kang et al., "Decoupling Representation and Classifier for Long-Tailed Recognition", ICLR
    2020, eq. 1 with q = 0. arXiv:1910.09217.

    Examples
    --------
    >>> from skimbal.sampling import ClassBalancedBatches
    >>> ClassBalancedBatches().class_share([900, 100], epoch=1, n_epochs=10).tolist()
    [0.5, 0.5]
    """

    def class_share(
        self, class_counts: ArrayLike, epoch: int, n_epochs: int, valid_f1: ArrayLike | None = None
    ) -> NDArray | None:
        """Return equal shares."""
        return power_share(class_counts, 0.0)


class SquareRootBatches(BaseBatches):
    """Draws each class in proportion to the square root of its count.

    References
    ----------
    B. Kang et al., "Decoupling Representation and Classifier for Long-Tailed Recognition", ICLR
    2020, eq. 1 with q = 1/2. arXiv:1910.09217.

    Examples
    --------
    >>> from skimbal.sampling import SquareRootBatches
    >>> SquareRootBatches().class_share([900, 100], epoch=1, n_epochs=10).tolist()
    [0.75, 0.25]
    """

    def class_share(
        self, class_counts: ArrayLike, epoch: int, n_epochs: int, valid_f1: ArrayLike | None = None
    ) -> NDArray | None:
        """Return shares proportional to the square roots of the counts."""
        return power_share(class_counts, 0.5)


class ProgressivelyBalancedBatches(BaseBatches):
    """Draws all rows equally often at first, and all classes equally often at the end.

    In epoch e of E, p_c = (1 - t) n_c / n + t / C with t = (e - 1) / (E - 1).

    References
    ----------
    B. Kang et al., "Decoupling Representation and Classifier for Long-Tailed Recognition", ICLR
    2020, eq. 2. arXiv:1910.09217.

    Examples
    --------
    >>> from skimbal.sampling import ProgressivelyBalancedBatches
    >>> batches = ProgressivelyBalancedBatches()
    >>> [batches.class_share([90, 10], epoch, n_epochs=3).round(2).tolist() for epoch in (1, 3)]
    [[0.9, 0.1], [0.5, 0.5]]
    """

    def class_share(
        self, class_counts: ArrayLike, epoch: int, n_epochs: int, valid_f1: ArrayLike | None = None
    ) -> NDArray | None:
        """Return the shares of the epoch."""
        return progressive_share(class_counts, epoch, n_epochs)


class DynamicBatches(BaseBatches):
    """Draws classes with a low F1 on validation data more often.

    After each epoch, p_c = (1 - a) (1 - F_c) / sum_k (1 - F_k) + a / C with the F1 F_c of class c
    on validation data and a = `uniform_fraction`. The first epoch draws all classes equally often.

    Parameters
    ----------
    uniform_fraction : float, default=0.1
        Fraction of the rows that are drawn from all classes equally often, from 0 to 1. It keeps
        the network from forgetting a class that has reached an F1 of 1. The paper has 0.

    References
    ----------
    S. Pouyanfar et al., "Dynamic Sampling in Convolutional Neural Networks for Imbalanced Data
    Classification", MIPR 2018. doi:10.1109/MIPR.2018.00027.

    Examples
    --------
    >>> from skimbal.sampling import DynamicBatches
    >>> batches = DynamicBatches(uniform_fraction=0.0)
    >>> batches.class_share([90, 10], epoch=2, n_epochs=5, valid_f1=[0.9, 0.6]).round(2).tolist()
    [0.2, 0.8]
    """

    _parameter_constraints: dict = {"uniform_fraction": [Interval(Real, 0, 1, closed="both")]}

    def __init__(self, uniform_fraction: float = 0.1) -> None:
        self.uniform_fraction = uniform_fraction

    @property
    def needs_validation(self) -> bool:
        """Whether the sampler needs the F1 of the classes: True."""
        return True

    def class_share(
        self, class_counts: ArrayLike, epoch: int, n_epochs: int, valid_f1: ArrayLike | None = None
    ) -> NDArray | None:
        """Return the shares for the F1 of the last epoch."""
        self._validate_params()
        if valid_f1 is None:
            return power_share(class_counts, 0.0)
        return dynamic_share(class_counts, valid_f1, self.uniform_fraction)


class TwoPhase(BaseBatches):
    """Draws with another sampler at first, and then takes every row once.

    The network learns all classes from balanced rows, and then the true class frequencies. (Havaei
    et al. train only the last layer in the second phase.)

    Parameters
    ----------
    first : str or mini-batch sampler, default="balanced"
        Sampler of the first phase: a name or value that `resolve_batches` knows.
    fraction : float, default=0.5
        Fraction of the epochs in the first phase, from 0 to 1, rounded to whole epochs.

    References
    ----------
    H. Lee, M. Park and J. Kim, "Plankton Classification on Imbalanced Large Scale Database via
    Convolutional Neural Networks with Transfer Learning", ICIP 2016.
    doi:10.1109/ICIP.2016.7533053. M. Havaei et al., "Brain Tumor Segmentation with Deep Neural
    Networks", Medical Image Analysis 35, 2017, pp. 18-31. doi:10.1016/j.media.2016.05.004.

    Examples
    --------
    >>> from skimbal.sampling import TwoPhase
    >>> batches = TwoPhase(fraction=0.8)
    >>> batches.class_share([90, 10], epoch=8, n_epochs=10).tolist()
    [0.5, 0.5]
    >>> batches.class_share([90, 10], epoch=9, n_epochs=10) is None
    True
    """

    _parameter_constraints: dict = {
        "first": [str, BaseBatches],
        "fraction": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(self, first: str | BaseBatches = "balanced", fraction: float = 0.5) -> None:
        self.first = first
        self.fraction = fraction

    @property
    def needs_validation(self) -> bool:
        """Whether the sampler of the first phase needs the F1 of the classes."""
        first = resolve_batches(self.first)
        return first is not None and first.needs_validation

    def class_share(
        self, class_counts: ArrayLike, epoch: int, n_epochs: int, valid_f1: ArrayLike | None = None
    ) -> NDArray | None:
        """Return the shares of the sampler of the first phase, and None in the second phase."""
        self._validate_params()
        first = resolve_batches(self.first)
        n_first = round(self.fraction * n_epochs)
        if first is None or epoch > n_first:
            return None
        return first.class_share(class_counts, epoch, n_first, valid_f1)


BATCHES: dict[str, type[BaseBatches]] = {
    "balanced": ClassBalancedBatches,
    "sqrt": SquareRootBatches,
    "progressive": ProgressivelyBalancedBatches,
    "dynamic": DynamicBatches,
    "two_phase": TwoPhase,
}


def resolve_batches(sampler: str | BaseBatches | None) -> BaseBatches | None:
    """Return the mini-batch sampler for a name or a value.

    Parameters
    ----------
    sampler : str, mini-batch sampler or None
        "balanced", "sqrt", "progressive", "dynamic" or "two_phase"; or a value.

    Returns
    -------
    BaseBatches or None
        The sampler. None stays None: every row comes once in an epoch.

    Raises
    ------
    ValueError
        For an unknown name, or anything else that is not a mini-batch sampler.

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
            f"{sampler!r} makes a new training set and draws no mini-batches; put it before the "
            "network in a pipeline of imbalanced-learn"
        )
    raise ValueError(
        f"sampler is {sampler!r}, but it must be one of {sorted(BATCHES)} or a value of a subclass "
        "of skimbal.sampling.BaseBatches"
    )
