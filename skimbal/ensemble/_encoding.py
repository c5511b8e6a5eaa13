"""Inputs of networks on tables: standardised, as Gaussian ranks, or both side by side."""

import numpy as np
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, QuantileTransformer, StandardScaler

ENCODINGS = ("standard", "rank", "both")
MAX_QUANTILES = 1000
LARGEST_RANK = 3.0


def _clipped(X):
    return np.clip(X, -LARGEST_RANK, LARGEST_RANK)


def make_encoder(encoding, n_samples):
    """Return an unfitted transformer of inputs of shape (n_samples, n_features).

    Ranks are brought to a Gaussian shape, cut at 3 deviations (the extreme ranks of
    `QuantileTransformer` lie at 5.2) and standardised. They see what a few large values hide from
    the standardised inputs, and these see the distances that ranks lose.

    Parameters
    ----------
    encoding : {"standard", "rank", "both"}
    n_samples : int
        Samples that it will be fitted on.

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
    encoders = {"standard": [StandardScaler()], "rank": [ranks], "both": [StandardScaler(), ranks]}
    return make_union(*encoders[encoding]).set_output(transform="default")
