"""The error of estimators that take numbers and are given a frame with texts."""

from contextlib import contextmanager

import numpy as np


@contextmanager
def text_columns_named(estimator, X):
    """Name the columns that hold texts, where they make a conversion to numbers fail.

    Raises
    ------
    ValueError
        In place of a TypeError or ValueError in the block, if X is a frame with such columns.
    """
    try:
        yield
    except (TypeError, ValueError) as error:
        names = columns_of_texts(X)
        if not names:
            raise
        raise ValueError(
            f"{type(estimator).__name__} takes numbers, but the columns {', '.join(names)} hold "
            "texts or categories; encode them in a pipeline, "
            f"make_pipeline(skimbal.preprocessing.TableEncoder(), {type(estimator).__name__}(...))"
        ) from error


def columns_of_texts(X):
    """Names of the columns of a frame that can't be converted to numbers, as shown in errors.

    >>> import pandas as pd
    >>> columns_of_texts(pd.DataFrame({"wear": [1, 2], "type": ["L", "M"]}))
    ["'type'"]
    """
    if not (hasattr(X, "iloc") and hasattr(X, "columns")):
        return []
    names = []
    for i, name in enumerate(X.columns):
        try:
            X.iloc[:, i].to_numpy(dtype=np.float64, na_value=np.nan)
        except (TypeError, ValueError):
            names.append(repr(name))
    return names
