"""A table of numbers, texts and missing values as numbers for networks."""

from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, hstack, issparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils._set_output import _get_output_config
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from skimbal._utils._fitted_attributes import undone_on_error
from skimbal.preprocessing._column_kinds import (
    KINDS_OF_ENCODER,
    LEFT_OUT,
    NUMBER,
    ONE_HOT,
    TARGET,
    WIDE_KINDS,
    categories_by_type,
    check_categorical_features,
    check_changes,
    check_held,
    kinds_of,
    of_encoder,
)
from skimbal.preprocessing._column_values import (
    as_frame,
    as_levels,
    as_numbers,
    columns_of,
    what_it_holds,
)
from skimbal.preprocessing._piecewise_linear import PiecewiseLinear
from skimbal.preprocessing._target_means import TargetMeans

# Narrower tables are dense, because products of dense arrays are faster.
MIN_SPARSE_COLUMNS = 100
MAX_SPARSE_DENSITY = 0.3


def level_name(feature, level):
    """Name of the one-hot column of a level.

    >>> level_name("ward", "surgery"), level_name("ward", None)
    ('ward_surgery', 'ward_missing')
    """
    names = {None: "missing", "infrequent_sklearn": "infrequent"}
    return f"{feature}_{names.get(level, level)}"


def unique_names(names):
    """Names of which each that occurs again gets a number.

    >>> unique_names(["a", "b", "a"])
    ['a', 'b', 'a_2']
    """
    taken: dict = {}
    unique = []
    for name in names:
        taken[name] = taken.get(name, 0) + 1
        unique.append(name if taken[name] == 1 else f"{name}_{taken[name]}")
    return unique


def known_levels(encoders, kinds):
    """Index of a column of categories -> its levels in `fit`, without the missing one."""
    levels: dict = {}
    for kind, encoder in encoders.items():
        if kind != NUMBER:
            categories = (encoder if kind == ONE_HOT else encoder.encoders_[0]).categories_
            own = np.flatnonzero(of_encoder(kinds, kind)).tolist()
            for i, known in zip(own, categories, strict=True):
                levels[i] = [level for level in known if level is not None]
    return levels


def is_sparse(blocks, sparse_output, wants_frame):
    """Whether the blocks of columns become a sparse table."""
    if sparse_output != "auto":
        return sparse_output
    n_columns = sum(block.shape[1] for block in blocks)
    n_nonzero = sum(block.nnz if issparse(block) else np.count_nonzero(block) for block in blocks)
    density = n_nonzero / max(1, n_columns * blocks[0].shape[0])
    return not wants_frame and n_columns >= MIN_SPARSE_COLUMNS and density < MAX_SPARSE_DENSITY


class TableEncoder(TransformerMixin, BaseEstimator):
    """Make numbers of a table of numbers, texts, truth values and missing values.

    What becomes of a column depends on what it holds in the training data:

    * Numbers and truth values stay as they are. A missing one is the median of the column, and one
      more column of zeros and ones says where training rows lack a value.
    * Texts and categories become a column of zeros and ones for each level (one-hot columns). The
      levels with fewer rows than `min_frequency` share one column. A missing value is a level of
      its own. A level that the training data does not have belongs to the shared column; if there
      is none, all columns are 0.
    * A category that would become more than `max_one_hot` columns is target encoded: it becomes the
      share of the last class among the training rows of its level, or the share of each class if
      there are more than two. Levels with few rows are drawn toward the share in all rows. Missing
      values are a level of their own, and unknown levels have the share in all rows.
    * Columns without any value are left out.

    The order of the result is: numbers, columns for missing numbers, one-hot columns, target
    encoded columns. Nothing is scaled, because the networks of this package standardize their
    inputs.

    Parameters
    ----------
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        The columns that are categories. With "from_dtype", these are columns of texts (dtype
        object, string or category) and of any other values with the dtype category. A list has
        names of columns, their indices, or a truth value for each column; all columns of texts must
        be in it. None is no column.
    max_one_hot : int or None, default=30
        One-hot columns of a category at most, 1 or more. None is no limit.
    high_cardinality : {"target", "both", "most_frequent"}, default="target"
        What becomes of a category that exceeds the limit. "both" is target encoding and all one-hot
        columns. With "most_frequent" it becomes `max_one_hot` one-hot columns, of which the rarest
        levels share the last one.
    min_frequency : int or float, default=5
        Levels with fewer training rows share a column: a number of rows, or a fraction of the rows
        in (0, 1). 1 keeps all levels.
    numeric : {"piecewise_linear"} or None, default=None
        With "piecewise_linear", a column of numbers becomes one column for each of `n_bins` bins
        with about as many training rows each. The column of a bin is 0 below it, 1 above it, and
        rises in between. If a value is so frequent that bins would be empty, the bins are those of
        the distinct values. A constant is left out. All columns of the result then are between 0
        and 1: set ``standardize=False`` in the network, and ``early_stopping=True``, because it
        learns such columns by heart.
    n_bins : int, default=16
        Bins of a column of numbers, 2 or more.
    cv : int, default=5
        Folds of the target encoding, 2 or more.
    sparse_output : bool or "auto", default="auto"
        Whether the result is sparse. With "auto" it is, if it has 100 columns or more and less than
        30 % of its entries are other than 0, unless `set_output` asks for frames.
    random_state : int, RandomState or None, default=None
        Seed of the folds.

    Attributes
    ----------
    kinds_ : ndarray of str of shape (n_features,)
        How each column is encoded: "number", "one-hot", "target", "one-hot and target" or "left
        out".
    encoders_ : dict of str to transformer
        The fitted transformer of each kind.
    held_ : list of str
        What each column held: "numbers", "texts" or "no values".
    levels_ : dict of int to list of str
        The levels of each category, by the index of the column, without the missing one.
    is_sparse_ : bool
        Whether the result is sparse.
    n_features_in_ : int
        Columns of the training data.
    feature_names_in_ : ndarray of str of shape (n_features,)
        Their names, if they all are texts.

    See Also
    --------
    sklearn.compose.ColumnTransformer : Gives each column the transformer that you choose.
    skimbal.benchmark.make_table_encoder : Also leaves out columns of no use, for comparisons.

    Notes
    -----
    ``fit_transform(X, y)`` is not ``fit(X, y).transform(X)`` if a category is target encoded. A
    training row must not see its own label, so `fit_transform` encodes each fold of the rows by the
    others. A pipeline does the same. If rows belong together, such as the visits of a patient, give
    their `groups`: all rows of a group are then in one fold.

    References
    ----------
    D. Micci-Barreca, "A Preprocessing Scheme for High-Cardinality Categorical Attributes in
    Classification and Prediction Problems", ACM SIGKDD Explorations Newsletter 3(1), 2001, pp.
    27-32. https://doi.org/10.1145/507533.507538

    Y. Gorishniy, I. Rubachev and A. Babenko, "On Embeddings for Numerical Features in Tabular Deep
    Learning", NeurIPS 2022. https://arxiv.org/abs/2203.05556 (`numeric`)

    Examples
    --------
    >>> import pandas as pd
    >>> from skimbal.preprocessing import TableEncoder
    >>> table = pd.DataFrame({"wear": [1.0, None, 3.0], "type": ["L", "M", None]})
    >>> encoder = TableEncoder(min_frequency=1)
    >>> encoder.fit_transform(table)
    array([[1., 0., 1., 0., 0.],
           [2., 1., 0., 1., 0.],
           [3., 0., 0., 0., 1.]])
    >>> encoder.get_feature_names_out().tolist()
    ['wear', 'missingindicator_wear', 'type_L', 'type_M', 'type_missing']
    """

    _parameter_constraints: dict = {
        "categorical_features": ["array-like", str, None],
        "max_one_hot": [Interval(Integral, 1, None, closed="left"), None],
        "high_cardinality": [StrOptions({"target", "both", "most_frequent"})],
        "min_frequency": [
            Interval(Integral, 1, None, closed="left"),
            Interval(Real, 0, 1, closed="neither"),
        ],
        "numeric": [StrOptions({"piecewise_linear"}), None],
        "n_bins": [Interval(Integral, 2, None, closed="left")],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "sparse_output": [StrOptions({"auto"}), "boolean"],
        "random_state": ["random_state"],
    }

    # With metadata routing, groups that a pipeline is given reach the encoder.
    __metadata_request__fit = {"groups": True}
    __metadata_request__fit_transform = {"groups": True}

    def __init__(
        self,
        *,
        categorical_features="from_dtype",
        max_one_hot: int | None = 30,
        high_cardinality: str = "target",
        min_frequency: int | float = 5,
        numeric: str | None = None,
        n_bins: int = 16,
        cv: int = 5,
        sparse_output: str | bool = "auto",
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.categorical_features = categorical_features
        self.max_one_hot = max_one_hot
        self.high_cardinality = high_cardinality
        self.min_frequency = min_frequency
        self.numeric = numeric
        self.n_bins = n_bins
        self.cv = cv
        self.sparse_output = sparse_output
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, groups: Any = None) -> Self:
        """Find out what the columns hold and how they become numbers.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            The table.
        y : array-like of shape (n_samples,), default=None
            Labels, or numbers to predict. Needed if a category is target encoded.
        groups : array-like of shape (n_samples,), default=None
            Groups for the folds of the target encoding; no other part uses them.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For columns of dates, of numbers and texts together, or of infinite values, categories
            with another level in each row, several columns of one name, a table without values, and
            a missing y. The message names the column and says what to do.
        """
        with undone_on_error(self):
            self._fit(X, y, groups)
        return self

    def fit_transform(self, X: ArrayLike, y: ArrayLike | None = None, groups: Any = None) -> Any:
        """Fit, and encode the training rows, by folds if a category is target encoded.

        The parameters are those of `fit`.

        Returns
        -------
        ndarray, sparse array of shape (n_samples, n_columns), or DataFrame
        """
        with undone_on_error(self):
            return self._joined(self._fit(X, y, groups))

    def transform(self, X: ArrayLike) -> Any:
        """Encode rows.

        Parameters
        ----------
        X : DataFrame or array-like of shape (n_samples, n_features)
            With the columns of `fit`, in their order.

        Returns
        -------
        ndarray, sparse array of shape (n_samples, n_columns), or DataFrame

        Raises
        ------
        ValueError
            If the columns, their order or what they hold has changed; the message says what.
        """
        check_is_fitted(self)
        columns = self._columns(X, reset=False)
        check_changes(columns, self.held_, self.kinds_, self.levels_)
        blocks = [
            self.encoders_[kind].transform(table) for kind, table in self._tables(columns).items()
        ]
        return self._joined(blocks)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Names of the columns of the result.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of X; needed if they have none.

        Returns
        -------
        ndarray of str of shape (n_columns,)
            A level is ``<column>_<level>``, the shared column of rare levels
            ``<column>_infrequent``, a missing level ``<column>_missing``, a target encoded column
            ``<column>_target`` (and ``_<class>``), and the column that says where numbers were
            missing ``missingindicator_<column>``.
        """
        check_is_fitted(self)
        names = np.asarray(_check_feature_names_in(self, input_features), dtype=object)
        parts = [
            encoder.get_feature_names_out(names[of_encoder(self.kinds_, kind)])
            for kind, encoder in self.encoders_.items()
        ]
        return np.array(unique_names(np.concatenate(parts).tolist()), dtype=object)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        tags.input_tags.string = True
        return tags

    def _fit(self, X, y, groups):
        """Fit the encoders and return the blocks of columns of the training rows."""
        self._validate_params()
        columns = self._columns(X, reset=True)
        self._choose_kinds(columns)
        tables = self._tables(columns)
        self.encoders_ = {kind: self._make_encoder(kind) for kind in tables}
        blocks = []
        for kind, table in tables.items():
            given = self._target(columns, y, groups) if kind == TARGET else ()
            blocks.append(self.encoders_[kind].fit_transform(table, *given))
        self.levels_ = known_levels(self.encoders_, self.kinds_)
        wants_frame = _get_output_config("transform", self)["dense"] != "default"
        self.is_sparse_ = is_sparse(blocks, self.sparse_output, wants_frame)
        return blocks

    def _columns(self, X, *, reset):
        """The checked columns of X."""
        X = as_frame(self, X, reset=reset)
        return columns_of(X, getattr(self, "feature_names_in_", None))

    def _choose_kinds(self, columns):
        """Set how each column is encoded."""
        names = getattr(self, "feature_names_in_", None)
        mask = check_categorical_features(self.categorical_features, len(columns), names)
        held = [what_it_holds(column) for column in columns]
        if mask is None:
            mask = categories_by_type(columns, held)
        check_held(columns, held, mask)
        self.held_ = held
        self.kinds_ = kinds_of(
            columns,
            held,
            mask,
            max_one_hot=self.max_one_hot,
            min_frequency=self.min_frequency,
            wide_kind=WIDE_KINDS[self.high_cardinality],
        )
        if (self.kinds_ == LEFT_OUT).all():
            raise ValueError("X holds no values: all entries are missing; give a table with values")

    def _tables(self, columns):
        """Kind -> table of the columns of this kind, in the order of the result."""
        tables = {}
        for kind in KINDS_OF_ENCODER:
            own = [columns[i] for i in np.flatnonzero(of_encoder(self.kinds_, kind))]
            if own:
                tables[kind] = as_numbers(own) if kind == NUMBER else as_levels(own)
        return tables

    def _make_encoder(self, kind):
        """The unfitted encoder of the columns of a kind."""
        encoder: Any
        if kind == TARGET:
            seed = check_random_state(self.random_state).randint(2**31 - 1)
            encoder = TargetMeans(self.cv, int(seed))
        elif kind == ONE_HOT:
            is_limited = self.high_cardinality == "most_frequent"
            encoder = OneHotEncoder(
                handle_unknown="infrequent_if_exist",
                min_frequency=self.min_frequency,
                max_categories=self.max_one_hot if is_limited else None,
                feature_name_combiner=level_name,
            )
        else:
            encoder = SimpleImputer(strategy="median", add_indicator=True)
            if self.numeric == "piecewise_linear":
                encoder = make_pipeline(encoder, PiecewiseLinear(self.n_bins))
        return encoder.set_output(transform="default")

    def _target(self, columns, y, groups):
        """What the target encoding is fitted to; a ValueError names the columns that need it."""
        if y is not None:
            return y, groups
        names = [columns[i].name for i in np.flatnonzero(of_encoder(self.kinds_, TARGET))]
        raise ValueError(
            f"{', '.join(names)} would become more than max_one_hot={self.max_one_hot} one-hot "
            "columns, and target encoding needs y; give y, raise max_one_hot (None is no limit), "
            "or set high_cardinality='most_frequent'"
        )

    def _joined(self, blocks):
        """The blocks side by side."""
        if self.is_sparse_:
            return hstack([csr_array(block) for block in blocks], format="csr")
        return np.hstack([block.toarray() if issparse(block) else block for block in blocks])
