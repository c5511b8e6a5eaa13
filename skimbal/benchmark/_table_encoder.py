"""The columns of a table as numbers, for methods that take nothing else."""

from functools import partial

from sklearn.compose import ColumnTransformer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skimbal.benchmark._columns import column_kind
from skimbal.preprocessing import TableEncoder


def make_table_encoder(*, max_categories: int = 30) -> ColumnTransformer:
    """Make a transformer from a frame of numbers, texts and missing values to numbers.

    A column is treated by its kind, which is that in the training data. Numbers and truth values
    stay as they are; a missing one is the median, and a column of zeros and ones says where values
    were missing. Texts and categories are one-hot; a missing one is a category of its own. Left out
    are dates, texts that differ in every row, numbers that count the rows, and columns without a
    second value.

    Parameters
    ----------
    max_categories : int, default=30
        Columns that a column of texts becomes at most. The rarest texts, and those that the
        training data does not have, share one of them.

    Returns
    -------
    ColumnTransformer
        Unfitted.

    Examples
    --------
    >>> import pandas as pd
    >>> from skimbal.benchmark import make_table_encoder
    >>> table = pd.DataFrame({"wear": [1.0, None, 3.0], "type": ["L", "M", "L"]})
    >>> make_table_encoder().fit_transform(table).tolist()
    [[1.0, 0.0, 1.0, 0.0], [2.0, 1.0, 0.0, 1.0], [3.0, 0.0, 1.0, 0.0]]
    """
    texts = TableEncoder(
        max_one_hot=max_categories,
        high_cardinality="most_frequent",
        min_frequency=1,
        sparse_output=False,
    )
    return ColumnTransformer(
        [
            (
                "numbers",
                TableEncoder(categorical_features=None, sparse_output=False),
                partial(_columns_of, "number"),
            ),
            (
                "texts",
                make_pipeline(
                    FunctionTransformer(_as_categories, feature_names_out="one-to-one"), texts
                ),
                partial(_columns_of, "text"),
            ),
        ],
        sparse_threshold=0,
    )


def _columns_of(kind, X):
    return [name for name in X.columns if column_kind(X[name]) == kind]


def _as_categories(X):
    """Texts and all other values as categories that are texts; missing values stay missing."""
    return X.astype(str).where(X.notna()).astype("category")
