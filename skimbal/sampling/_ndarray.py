"""Samplers of imbalanced-learn on windows, images and other n-dimensional inputs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, OneToOneFeatureMixin, clone
from sklearn.utils import check_array, get_tags
from sklearn.utils._param_validation import HasMethods

from skimbal._utils._fitted_attributes import copy_attributes, forget_attributes
from skimbal._utils._number_columns import conversion_named
from skimbal.sampling._samples import check_samples, in_type

FEATURE_ATTRIBUTES = ("n_features_in_", "feature_names_in_")


class NDSampler(OneToOneFeatureMixin, MetaEstimatorMixin, BaseEstimator):
    """Let a sampler for tables resample windows or images.

    Each sample is reshaped to a row of its values, the sampler resamples the rows, and the new
    rows are reshaped to samples. So SMOTE and similar samplers interpolate raw values: neighbors
    are close in Euclidean distance, and a new window is the weighted mean of two. This is wrong for
    tones with different phases. Resample spectrograms or features instead, or draw from
    `ConditionalVAESampler`.

    2-D inputs, including DataFrames and sparse matrices, are passed to the sampler unchanged.

    Parameters
    ----------
    sampler : sampler of imbalanced-learn
        An object with `fit_resample`. It is cloned.

    Attributes
    ----------
    sampler_ : sampler
        The fitted clone.
    sampling_strategy_ : dict label -> int
        Number of new samples of each class, as the sampler has it.
    sample_indices_ : ndarray of int, shape (n_samples_new,)
        The selected rows, for samplers that select rows.
    input_shape_ : tuple of int
        Shape of a sample.
    n_features_in_ : int
        Number of features (2-D inputs).

    References
    ----------
    N. V. Chawla, K. W. Bowyer, L. O. Hall and W. P. Kegelmeyer, "SMOTE: Synthetic Minority
    Over-sampling Technique", JAIR 16, 2002, pp. 321-357, sec. 4.2. doi:10.1613/jair.953.

    Examples
    --------
    >>> import numpy as np
    >>> from imblearn.over_sampling import SMOTE
    >>> from skimbal.sampling import NDSampler
    >>> X = np.random.default_rng(0).normal(size=(40, 2, 100))
    >>> y = np.repeat(["usual", "rare"], [30, 10])
    >>> X_new, y_new = NDSampler(SMOTE(random_state=0)).fit_resample(X, y)
    >>> X_new.shape
    (60, 2, 100)
    """

    _estimator_type = "sampler"  # for `is_sampler` of imbalanced-learn
    _parameter_constraints: dict = {"sampler": [HasMethods(["fit_resample"])]}

    def __init__(self, sampler: Any) -> None:
        self.sampler = sampler

    def fit(self, X: Any, y: ArrayLike, **params: Any) -> "NDSampler":
        """Fit the sampler, which checks the inputs and its parameters.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Passed to the sampler.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        X, shape = self._validate(X)
        self.sampler_ = clone(self.sampler).fit(computable(as_rows(X)), y, **params)
        self._publish(shape)
        return self

    def fit_resample(self, X: Any, y: ArrayLike, **params: Any) -> tuple[Any, Any]:
        """Resample inputs and labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs. They must be finite, unless the sampler accepts other values.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Passed to the sampler.

        Returns
        -------
        X_resampled : ndarray of shape (n_samples_new, ...)
            Samples with the shape and the type of those of `X`; values of new samples of whole
            numbers are rounded. 2-D inputs come back in their container, as from imbalanced-learn.
        y_resampled : array-like of shape (n_samples_new,)
            Labels.
        """
        X, shape = self._validate(X)
        self.sampler_ = clone(self.sampler)
        rows = computable(as_rows(X)) if len(shape) > 1 else X
        with conversion_named(self.sampler, X):
            X_resampled, y_resampled = self.sampler_.fit_resample(rows, y, **params)
        self._publish(shape)
        if len(shape) > 1:
            if X_resampled.dtype != X.dtype:
                X_resampled = in_type(X_resampled, X.dtype)
            X_resampled = X_resampled.reshape(-1, *shape)
        return X_resampled, y_resampled

    def _validate(self, X):
        """Return the inputs (as an array if they are n-dimensional) and the shape of a sample."""
        self._validate_params()
        X = check_samples(X, type(self).__name__)
        if not hasattr(X, "shape") and np.ndim(X) > 2:
            X = np.asarray(X)
        if len(getattr(X, "shape", ())) > 2:
            X = check_array(X, allow_nd=True, ensure_all_finite=False)
            return X, X.shape[1:]
        return X, (X.shape if hasattr(X, "shape") else np.shape(X))[1:]

    def _publish(self, shape):
        """Copy the attributes of the sampler; those of the features only for 2-D inputs."""
        self.input_shape_ = tuple(shape)
        copy_attributes(
            self.sampler_, self, ("sampling_strategy_", "sample_indices_", *FEATURE_ATTRIBUTES)
        )
        if len(shape) > 1:
            forget_attributes(self, FEATURE_ATTRIBUTES)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "sampler_")

    def __sklearn_tags__(self):
        tags = get_tags(self.sampler)
        tags.input_tags.three_d_array = True
        return tags


def computable(rows):
    """Return whole numbers as floats, in which differences do not overflow; the rest as it is.

    >>> computable(np.array([[3, 250]], dtype=np.uint8)).dtype
    dtype('float32')
    """
    is_narrow = isinstance(rows, np.ndarray) and rows.dtype.kind in "iub"
    if not is_narrow or rows.dtype == np.int64:  # as wide as differences need
        return rows
    return rows.astype(np.result_type(rows.dtype, np.float32))


def as_rows(X):
    """Reshape each sample to a row; the result is a view if the memory layout allows it."""
    if issparse(X) or getattr(X, "ndim", 2) <= 2:
        return X
    return X.reshape(len(X), int(np.prod(X.shape[1:])))
