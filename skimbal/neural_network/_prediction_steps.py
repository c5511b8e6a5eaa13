"""What a fitted network computes of a sample, as data: for files that other programs run."""

from dataclasses import dataclass

import numpy as np
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skimbal.neural_network._base import BaseNetClassifier
from skimbal.neural_network._prior import log_prior_ratio


@dataclass(frozen=True)
class PredictionSteps:
    """The steps of `predict_proba`, in this order, and the costs that decide in `predict`.

    Attributes
    ----------
    input_shape : tuple of int
        Shape of a sample that is given.
    clip_range : tuple of float or None
        Smallest and largest input; values outside are set to these.
    channel_shape : tuple of int
        Shape of a sample with all its axes.
    moments : tuple of ndarray or None
        Mean and scale: the mean is subtracted, then the sample is divided by the scale. Both
        broadcast against a sample of `channel_shape`.
    limit : ndarray or None
        Then a value x becomes x / sqrt(1 + (x / limit)^2); the limit broadcasts as the moments, and
        is infinite where values stay as they are. None for all values as they are.
    module_shape : tuple of int
        Shape of a sample that the module takes.
    module : torch.nn.Module
        With parts `features` and `output`; it returns logits.
    log_prior_ratio : ndarray of shape (n_classes,)
        Added to the logits. The softmax of the sum is the predicted probability.
    cost_matrix : ndarray of shape (n_classes, n_classes) or None
        The costs; None for the class with the largest probability.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import DBNClassifier
    >>> from skimbal.neural_network import prediction_steps
    >>> X, y = make_classification(100, random_state=0)
    >>> network = DBNClassifier(pretrain_epochs=1, max_epochs=1, random_state=0).fit(X > 0, y)
    >>> prediction_steps(network).clip_range
    (0.0, 1.0)
    """

    input_shape: tuple[int, ...]
    clip_range: tuple[float, float] | None
    channel_shape: tuple[int, ...]
    moments: tuple[np.ndarray, np.ndarray] | None
    limit: np.ndarray | None
    module_shape: tuple[int, ...]
    module: nn.Module
    log_prior_ratio: np.ndarray
    cost_matrix: np.ndarray | None


def prediction_steps(network: BaseNetClassifier) -> PredictionSteps:
    """Return what a fitted network computes in `predict_proba` and `predict`.

    Parameters
    ----------
    network : network classifier
        A fitted network of this package.

    Returns
    -------
    PredictionSteps
        Its arrays and its module are those of the network, not copies.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        A ValueError, if the network is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.neural_network import prediction_steps
    >>> X, y = make_classification(100, n_features=20, random_state=0)
    >>> steps = prediction_steps(MLPClassifier(max_epochs=1, random_state=0).fit(X, y))
    >>> steps.input_shape, steps.clip_range, steps.moments[0].shape
    ((20,), None, (20,))
    """
    check_is_fitted(network)
    shape = tuple(network.input_shape_)
    with_axes = network._with_axes(np.empty((1, *shape))).shape[1:]
    is_clipped = getattr(network, "visible_", None) == "bernoulli"
    standardize = False if is_clipped else network.standardize
    return PredictionSteps(
        input_shape=shape,
        clip_range=(0.0, 1.0) if is_clipped else None,
        channel_shape=shape if len(shape) == 1 else with_axes,
        moments=(network.input_mean_, network.input_scale_) if standardize else None,
        limit=network.input_limit_ if standardize == "robust" else None,
        module_shape=with_axes,
        module=network.net_.module_,
        log_prior_ratio=np.zeros(len(network.classes_)) + log_prior_ratio(network),
        cost_matrix=network.cost_matrix_,
    )
