"""Predicted probabilities for other class frequencies: a pure function of arrays."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skimbal._utils._labels import column_labels, sorted_by_label, vector_by_label
from skimbal.metrics._decision import _check_proba


def correct_prior(
    proba: ArrayLike, training_prior: ArrayLike | Mapping, data_prior: ArrayLike | Mapping
) -> NDArray[np.float64]:
    r"""Turn posteriors for the class frequencies of the training into those for other frequencies.

    .. math:: p'_c(x) = \frac{p_c(x) \, \pi^\text{data}_c / \pi^\text{training}_c}
        {\sum_k p_k(x) \, \pi^\text{data}_k / \pi^\text{training}_k}

    This is exact if the samples of each class are distributed alike in both: resampling and class
    weights change how often a class occurs, but not what its samples look like.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Posteriors for the frequencies of the training. No row is all 0.
    training_prior : array-like of shape (n_classes,), dict or Series
        Class frequencies of the training, such as the class counts after resampling, or counts
        times class weights. Positive; only ratios matter.
    data_prior : array-like of shape (n_classes,), dict or Series
        Class frequencies that the result is for. Positive; only ratios matter. Frequencies by label
        go to the columns of a frame `proba` by name; for an array, they are taken in the order of
        the sorted labels.

    Returns
    -------
    ndarray of shape (n_samples, n_classes)
        Each row adds up to 1.

    Raises
    ------
    ValueError
        For frequencies that are not positive and finite or don't fit the classes, and for
        probabilities that are negative, not finite or 0 for all classes.

    See Also
    --------
    skimbal.ensemble.PriorCorrectedClassifier : The correction of a classifier.
    skimbal.losses.adjust_logits : The same on logits, for equal frequencies.

    References
    ----------
    M. Saerens, P. Latinne and C. Decaestecker 2002, Adjusting the Outputs of a Classifier to New a
    Priori Probabilities, Neural Computation 14(1), doi:10.1162/089976602753284446, equation 2.4.
    C. Elkan 2001, The Foundations of Cost-Sensitive Learning, IJCAI, theorem 2, for two classes.

    Examples
    --------
    The classes were balanced for the training; one sample in ten of the data is of class 1.

    >>> from skimbal.metrics import correct_prior
    >>> correct_prior([[0.5, 0.5], [0.1, 0.9]], training_prior=[1, 1], data_prior=[0.9, 0.1])
    array([[0.9, 0.1],
           [0.5, 0.5]])
    """
    columns = column_labels(proba)
    table = _check_proba(proba).astype(np.float64, copy=False)
    if not (np.isfinite(table).all() and (table >= 0).all() and table.any(axis=1).all()):
        raise ValueError(
            "proba must be finite and not negative, with a positive number in each row; give the "
            "output of predict_proba"
        )
    n_classes = table.shape[1]
    training = _checked_prior(training_prior, "training_prior", columns, n_classes)
    data = _checked_prior(data_prior, "data_prior", columns, n_classes)
    ratio = data / training
    weighted = table * (ratio / ratio.max())
    return weighted / weighted.sum(axis=1, keepdims=True)


def _checked_prior(given, name, columns, n_classes):
    """Class frequencies as an array that adds up to 1, in the order of the columns."""
    if columns is None:
        given = sorted_by_label(given, name)
    else:
        given = vector_by_label(given, columns, name, None, is_outer=True)
    prior = np.asarray(given, dtype=np.float64)
    is_fitting = prior.shape == (n_classes,)
    if not (is_fitting and np.isfinite(prior).all() and (prior > 0).all()):
        raise ValueError(
            f"{name} is {prior.tolist()} for {n_classes} classes; give one positive, finite number "
            "for each class: its frequency or its count"
        )
    prior = prior / prior.max()
    return prior / prior.sum()
