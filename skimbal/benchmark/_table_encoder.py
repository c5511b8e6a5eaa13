"""The columns of a table as numbers, for methods that take nothing else."""

from functools import partial

from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

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
    numbers = TableEncoder(categorical_features=None, sparse_output=False)
    return _transformer([("numbers", numbers, _NUMBERS)], max_categories)


def make_scaled_encoder(*, max_categories: int = 30) -> ColumnTransformer:
    """`make_table_encoder` with standardized numbers; its columns of zeros and ones stay.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"wear": [1.0, None, 3.0], "type": ["L", "M", "L"]})
    >>> make_scaled_encoder().fit_transform(table).round(1).tolist()
    [[-1.2, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 1.0], [1.2, 0.0, 1.0, 0.0]]
    """
    numbers = SimpleImputer(strategy="median", keep_empty_features=True)
    parts = [
        ("numbers", make_pipeline(numbers, StandardScaler()), _NUMBERS),
        ("missing", MissingIndicator(error_on_new=False), _NUMBERS),
    ]
    return _transformer(parts, max_categories)


def make_network_encoder(random_state: int) -> ColumnTransformer:
    """A `TableEncoder` of the columns of a frame, without dates, identifiers and row numbers.

    >>> import pandas as pd
    >>> table = pd.DataFrame({"wear": [1.0, None, 3.0], "day": ["1.2.2024", "3.2.2024", None]})
    >>> make_network_encoder(0).fit_transform(table).tolist()
    [[1.0, 0.0], [2.0, 1.0], [3.0, 0.0]]
    """
    encoder = TableEncoder(random_state=random_state)
    # A sparse table stays sparse, however dense it is.
    return ColumnTransformer([("table", encoder, _columns_of_use)], sparse_threshold=1.0)


def _transformer(parts, max_categories):
    """The parts, and one-hot columns of texts after them."""
    encoder = TableEncoder(
        max_one_hot=max_categories,
        high_cardinality="most_frequent",
        min_frequency=1,
        sparse_output=False,
    )
    as_categories = FunctionTransformer(_as_categories, feature_names_out="one-to-one")
    texts = ("texts", make_pipeline(as_categories, encoder), partial(_columns_of, "text"))
    return ColumnTransformer([*parts, texts], sparse_threshold=0)


def _columns_of(kind, X):
    return [name for name in X.columns if column_kind(X[name]) == kind]


def _columns_of_use(X):
    """Names of the columns that `TableEncoder` takes; it leaves out empty ones by itself."""
    no_use = ("date", "identifier", "row number")
    return [name for name in X.columns if column_kind(X[name]) not in no_use]


_NUMBERS = partial(_columns_of, "number")


def _as_categories(X):
    """Texts and all other values as categories that are texts; missing values stay missing."""
    return X.astype(str).where(X.notna()).astype("category")
