"""imbalanced-learn's samplers on windows, images and other n-dimensional inputs."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, MetaEstimatorMixin, OneToOneFeatureMixin, clone
from sklearn.utils import check_array, get_tags
from sklearn.utils._param_validation import HasMethods

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")


class NDSampler(OneToOneFeatureMixin, MetaEstimatorMixin, BaseEstimator):
    """Let a sampler for tables resample windows or images.

    Each sample is laid out as one row of its values, the sampler does what it does with rows, and
    the rows are brought back to the shape of a sample. Interpolation between neighbours (SMOTE and
    its kin) then works on raw values: neighbours are near in Euclidean distance, and a new window
    is a weighted mean of two, value by value. Where that makes no sense, as for tones with
    different phases, resample spectrograms or features, or draw from `ConditionalVAESampler`.

    2-D inputs, with DataFrames and sparse matrices among them, go to the sampler as they are.

    Parameters
    ----------
    sampler : sampler of imbalanced-learn
        Anything with `fit_resample`. It is cloned.

    Attributes
    ----------
    sampler_ : sampler
        The fitted clone.
    sampling_strategy_ : dict label -> int
        That of the sampler.
    sample_indices_ : ndarray of int, shape (n_samples_new,)
        The rows that were chosen, for samplers that choose rows.
    input_shape_ : tuple of int
        Shape of a sample.
    n_features_in_ : int
        Number of features (2-D inputs).

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

    _estimator_type = "sampler"  # what imbalanced-learn's `is_sampler` asks first
    _parameter_constraints: dict = {"sampler": [HasMethods(["fit_resample"])]}

    def __init__(self, sampler):
        self.sampler = sampler

    def fit(self, X, y, **params):
        """Fit the sampler, which checks the inputs and what is to be sampled.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Handed on to the sampler.

        Returns
        -------
        self : object
            The fitted sampler.
        """
        X, shape = self._validate(X)
        self.sampler_ = clone(self.sampler).fit(as_rows(X), y, **params)
        self._publish(shape)
        return self

    def fit_resample(self, X, y, **params):
        """Resample inputs and labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs; finite, unless the sampler takes others.
        y : array-like of shape (n_samples,)
            Labels.
        **params : dict
            Handed on to the sampler.

        Returns
        -------
        X_resampled : ndarray of shape (n_samples_new, ...)
            Samples of the shape and the type of those of `X`; 2-D inputs come back in their own
            container, as from imbalanced-learn.
        y_resampled : array-like of shape (n_samples_new,)
            Labels.
        """
        X, shape = self._validate(X)
        self.sampler_ = clone(self.sampler)
        X_resampled, y_resampled = self.sampler_.fit_resample(as_rows(X), y, **params)
        self._publish(shape)
        if len(shape) > 1:
            X_resampled = X_resampled.astype(X.dtype, copy=False).reshape(-1, *shape)
        return X_resampled, y_resampled

    def _validate(self, X):
        """Return inputs, n-dimensional ones as an array, and the shape of a sample."""
        self._validate_params()
        if not hasattr(X, "shape") and np.ndim(X) > 2:
            X = np.asarray(X)
        if len(getattr(X, "shape", ())) > 2:
            X = check_array(X, allow_nd=True, ensure_all_finite=False)
            return X, X.shape[1:]
        return X, (X.shape if hasattr(X, "shape") else np.shape(X))[1:]

    def _publish(self, shape):
        """Take over the attributes of the sampler; those of rows only where X has rows."""
        self.input_shape_ = tuple(shape)
        for name in ("sampling_strategy_", "sample_indices_", *INPUT_ATTRIBUTES):
            is_shared = len(shape) == 1 or name not in INPUT_ATTRIBUTES
            if is_shared and hasattr(self.sampler_, name):
                setattr(self, name, getattr(self.sampler_, name))
            elif hasattr(self, name):  # of an earlier fit
                delattr(self, name)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "sampler_")

    def __sklearn_tags__(self):
        tags = get_tags(self.sampler)
        tags.input_tags.three_d_array = True
        return tags


def as_rows(X):
    """Lay each sample of more than one axis out as a row: a view where the memory allows it."""
    if issparse(X) or getattr(X, "ndim", 2) <= 2:
        return X
    return X.reshape(len(X), int(np.prod(X.shape[1:])))
