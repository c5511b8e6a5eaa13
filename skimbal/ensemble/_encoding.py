"""Inputs of networks on tables: standardized, as Gaussian ranks, or both side by side."""

import numpy as np
from scipy.sparse import issparse
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler

from skimbal._training.inputs import dtype_name, slices_of
from skimbal._training.tables import one_hot_units
from skimbal._utils._table_rows import may_be_shared, row_by_row
from skimbal._utils._validation import column_units

ENCODINGS = ("standard", "rank", "both")
# Larger tables gain if one-hot columns stay as they are; the guide to ensembles has the figures.
MIN_ROWS_OF_ONE_HOT = 10_000
MAX_QUANTILES = 1000
MAX_RANK = 3.0


def _clipped(X):
    return np.clip(X, -MAX_RANK, MAX_RANK)


def _divided(X, unit):
    return X / unit


class TableScaler(StandardScaler):
    """A `StandardScaler` that leaves one-hot columns as they are, but for their unit.

    Those are columns that have 0 in most rows, and one other value in all the rest.

    Examples
    --------
    >>> X = [[1.0, 5.0], [2.0, 0.0], [3.0, 0.0]]
    >>> TableScaler().fit_transform(X).round(1).tolist()
    [[-1.2, 1.0], [0.0, 0.0], [1.2, 0.0]]
    """

    mean_: np.ndarray
    scale_: np.ndarray

    def fit(self, X, y=None):
        """Compute the mean and the scale of each column."""
        super().fit(X)
        unit = one_hot_units(np.asarray(X))
        self.mean_ = np.where(unit > 0, 0.0, self.mean_)
        self.scale_ = np.where(unit > 0, unit, self.scale_)
        return self


def make_encoder(encoding, n_samples, unit=1.0):
    """Return an unfitted transformer of inputs of shape (n_samples, n_features).

    Ranks are transformed to a Gaussian distribution, cut at 3 standard deviations (the extreme
    ranks of `QuantileTransformer` are at 5.2) and standardized. Ranks show differences that a few
    large values hide in standardized inputs. Standardized inputs show the distances that ranks
    lose.

    Parameters
    ----------
    encoding : {"standard", "one-hot", "rank", "both"}
        "one-hot" is "standard", but one-hot columns stay as they are.
    n_samples : int
        Samples that it will be fitted on.
    unit : ndarray of shape (n_features,), default=1.0
        What the columns are divided by first.

    Returns
    -------
    scikit-learn transformer

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[1.0], [2.0], [3.0], [1000.0]])
    >>> make_encoder("both", 4).fit_transform(X).round(1).tolist()
    [[-0.6, -1.4], [-0.6, -0.2], [-0.6, 0.2], [1.7, 1.4]]
    """
    ranks = make_pipeline(
        QuantileTransformer(
            n_quantiles=min(n_samples, MAX_QUANTILES),
            subsample=None,
            output_distribution="normal",
        ),
        FunctionTransformer(_clipped),
        StandardScaler(),
    )
    encoders = {
        "standard": StandardScaler(),
        "one-hot": TableScaler(),
        "rank": ranks,
        "both": make_union(StandardScaler(), ranks),
    }
    encoder = encoders[encoding]
    if np.any(unit != 1.0):
        encoder = make_pipeline(FunctionTransformer(_divided, kw_args={"unit": unit}), encoder)
    return encoder.set_output(transform="default")


def fit_encoder(encoding, X):
    """Return the fitted encoder of inputs, None for inputs that stay as they are, or raise."""
    if encoding == "auto":
        if X.ndim != 2 or issparse(X):
            return None
        encoding = "standard" if len(X) < MIN_ROWS_OF_ONE_HOT else "one-hot"
    if encoding is None:
        return None
    if X.ndim != 2:
        raise ValueError(
            f"encoding={encoding!r} takes X of shape (n_samples, n_features), but X has shape "
            f"{X.shape}; use encoding=None"
        )
    return make_encoder(encoding, len(X), column_units(X)).fit(X)


def encoded_for(estimator, encoder, X):
    """Return what networks are trained on; a large table has its rows one after the other.

    It is rounded to the precision of the training where networks take the numbers as they are.
    """
    if encoder is None:
        return row_by_row(X)
    dtype = np.dtype(dtype_name())
    takes_as_is = getattr(estimator, "standardize", None) is False
    if not (may_be_shared(estimator, X) and takes_as_is and X.dtype.itemsize > dtype.itemsize):
        return row_by_row(encoder.transform(X))
    encoded = np.empty((len(X), encoder.transform(X[:1]).shape[1]), dtype)
    for rows in slices_of(X):
        encoded[rows] = encoder.transform(X[rows])
    return encoded
