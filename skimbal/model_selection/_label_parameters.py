"""Class weights and costs with a parameter for each label or pair of labels.

scikit-learn's searches set parameters by name, and a dict of class weights is one parameter. The
values of this module have a parameter for each entry, so that ``class_weight__<label>`` is the
name of a parameter of the estimator, also inside pipelines.
"""

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import clone
from sklearn.utils._missing import is_pandas_na, is_scalar_nan

from skimbal._utils._labels import (
    carries_labels,
    check_label_parameters,
    check_named_labels,
    keys_as_in,
    label_list,
    matrix_by_label,
    named_labels,
    vector_by_label,
)
from skimbal._utils._validation import unknown_name_message
from skimbal.exceptions import UnknownLabelWarning

# Parameters that hold a weight for each label, a cost for each pair, or either.
HOLDERS = ("class_weight", "cost_matrix", "costs")


def labels_and_counts(y):
    """Sorted labels of y as Python objects, and the number of samples of each."""
    y = np.asarray(y)
    if y.ndim != 1 or y.size == 0:
        raise ValueError(f"y has shape {y.shape}; it must be a list of labels with at least one")
    _check_labels(y)
    try:
        labels, counts = np.unique(y, return_counts=True)
    except TypeError as error:
        types = ", ".join(sorted({type(label).__name__ for label in y}))
        raise ValueError(
            f"y has labels of types without a common order ({types}); write all of them as text, "
            "or all as numbers"
        ) from error
    return label_list(labels), counts


def _check_labels(y):
    """Raise a ValueError for missing labels and for numbers that are not whole."""
    if y.dtype.kind == "f":
        is_missing = np.isnan(y)
    elif y.dtype.kind == "O":
        is_missing = np.array([v is None or is_scalar_nan(v) or is_pandas_na(v) for v in y])
    else:
        return
    if is_missing.any():
        raise ValueError(
            f"y has no label (None or NaN) in {is_missing.sum()} of {len(y)} rows; drop these rows "
            "or name the class"
        )
    if y.dtype.kind == "f" and (np.floor(y) != y).any():
        first = y[np.floor(y) != y][0]
        raise ValueError(f"y has the value {first}; labels must be texts or whole numbers")


def check_distinct(names):
    """Raise a ValueError where two parameters would have the same name."""
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(
            f"several labels read {', '.join(map(repr, doubled))} as text, so their parameters "
            "would have the same name; rename the labels"
        )


def pair_name(true, predicted):
    """Name of the cost of predicting one label when another is the truth."""
    return f"{true}__{predicted}"


def _check_weight(name, value):
    try:
        weight = float(value)
    except (TypeError, ValueError):
        weight = np.nan
    if not (np.isfinite(weight) and weight >= 0):
        raise ValueError(f"{name}={value!r} must be a finite number >= 0")
    return value


class ClassWeights(dict):
    """Class weights by label, each of which is a parameter that a search can set.

    It is a dict, so every `class_weight` of scikit-learn takes it. It has `get_params` and
    `set_params`, so ``class_weight__<label>`` is a parameter of the estimator that holds it. The
    name of a label is its text: the parameter of the label 1 is ``class_weight__1``.

    Parameters
    ----------
    weights : dict or array-like of shape (n_samples,)
        Label -> weight, or the labels of a training set, each of which then has the weight 1. A
        Series is taken for labels; give a Series of weights as ``series.to_dict()``.

    Raises
    ------
    ValueError
        For weights that are negative or not finite, and for labels that are equal as text.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI, 973-978, 2001, theorem 1:
    weights of the classes stand for costs.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal.model_selection import ClassWeights
    >>> estimator = LogisticRegression(class_weight=ClassWeights(["no", "no", "yes"]))
    >>> estimator.set_params(class_weight__yes=9.0).class_weight
    ClassWeights({'no': 1.0, 'yes': 9.0})
    """

    def __init__(self, weights: Mapping[Any, float] | ArrayLike) -> None:
        if isinstance(weights, Mapping):
            super().__init__(weights)
        else:
            super().__init__(dict.fromkeys(labels_and_counts(weights)[0], 1.0))
        check_distinct([str(label) for label in self])
        for label, weight in self.items():
            _check_weight(f"weight of {label!r}", weight)

    def __repr__(self):
        return f"ClassWeights({super().__repr__()})"

    def __sklearn_clone__(self):
        return ClassWeights(dict(self))

    def get_params(self, deep: bool = True) -> dict[str, float]:
        """Return the weights by the text of their labels.

        Parameters
        ----------
        deep : bool, default=True
            Has no effect.

        Returns
        -------
        dict
            Text of a label -> weight.
        """
        return {str(label): weight for label, weight in self.items()}

    def set_params(self, /, **params: float) -> "ClassWeights":
        """Set weights by the text of their labels.

        Parameters
        ----------
        **params : dict
            Text of a label -> weight.

        Returns
        -------
        self : ClassWeights
            The same object, changed.

        Raises
        ------
        ValueError
            For an unknown label, or a weight that is negative or not finite.
        """
        labels = {str(label): label for label in self}
        for name, weight in params.items():
            if name not in labels:
                raise ValueError(unknown_name_message("class label", name, labels))
            self[labels[name]] = _check_weight(f"weight of {name!r}", weight)
        return self


class CostMatrix:
    """Costs of misclassification, each of which is a parameter that a search can set.

    Every `cost_matrix` of skimbal takes it, by label: it has an `index` and `columns`, as a frame,
    and may name classes that a fold lacks. The cost of predicting a label when another one is the
    truth is the parameter ``cost_matrix__<true>__<predicted>``.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Labels of a training set; rows and columns are the sorted distinct ones.
    costs : array-like of shape (n_classes, n_classes), frame or dict, default=None
        Costs to begin with: rows are the truth, columns the prediction. A frame goes by its labels,
        a dict by pairs (true label, predicted label). None is 1 for every error.

    Attributes
    ----------
    labels : list
        The labels, sorted.
    costs : ndarray of shape (n_classes, n_classes)
        The costs.
    shape : tuple of int
        (n_classes, n_classes).

    Raises
    ------
    ValueError
        For costs of another shape, negative or not finite, and for pairs of labels that are equal
        as text.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI, 973-978, 2001, section 1.1.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal import MLPClassifier
    >>> from skimbal.model_selection import CostMatrix
    >>> network = MLPClassifier(cost_matrix=CostMatrix(["no", "no", "yes"]))
    >>> np.asarray(network.set_params(cost_matrix__yes__no=9).cost_matrix)
    array([[0., 1.],
           [9., 0.]])
    """

    def __init__(self, labels: ArrayLike, costs: ArrayLike | Mapping | None = None) -> None:
        self.labels, _ = labels_and_counts(labels)
        n = len(self.labels)
        costs = 1.0 - np.eye(n) if costs is None else costs
        costs = matrix_by_label(costs, self.labels, "costs", is_outer=True)
        self.costs: NDArray = np.array(costs, float)
        if self.costs.shape != (n, n):
            raise ValueError(
                f"costs has shape {self.costs.shape}, but for the {n} labels {self.labels} it must "
                f"be ({n}, {n})"
            )
        if not (np.isfinite(self.costs).all() and (self.costs >= 0).all()):
            raise ValueError(f"costs is {self.costs.tolist()}; costs must be finite numbers >= 0")
        check_distinct([pair_name(t, p) for t in self.labels for p in self.labels])
        self._indices = {
            pair_name(true, predicted): (i, j)
            for i, true in enumerate(self.labels)
            for j, predicted in enumerate(self.labels)
            if i != j
        }

    def __repr__(self):
        return f"CostMatrix({self.labels}, {self.costs.tolist()})"

    def __len__(self):
        return len(self.labels)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.costs, dtype=dtype)

    def __sklearn_clone__(self):
        return CostMatrix(self.labels, self.costs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the matrix."""
        return self.costs.shape

    @property
    def index(self) -> list:
        """Labels of the rows, the true ones."""
        return self.labels

    @property
    def columns(self) -> list:
        """Labels of the columns, the predicted ones."""
        return self.labels

    def get_params(self, deep: bool = True) -> dict[str, float]:
        """Return the costs by the texts of the true and the predicted label.

        Parameters
        ----------
        deep : bool, default=True
            Has no effect.

        Returns
        -------
        dict
            ``<true>__<predicted>`` -> cost.
        """
        return {name: float(self.costs[index]) for name, index in self._indices.items()}

    def set_params(self, /, **params: float) -> "CostMatrix":
        """Set costs by the texts of the true and the predicted label.

        Parameters
        ----------
        **params : dict
            ``<true>__<predicted>`` -> cost.

        Returns
        -------
        self : CostMatrix
            The same object, changed.

        Raises
        ------
        ValueError
            For unknown labels, or a cost that is negative or not finite.
        """
        for name, cost in params.items():
            if name not in self._indices:
                raise ValueError(unknown_name_message("pair of labels", name, self._indices))
            self.costs[self._indices[name]] = _check_weight(f"cost {name!r}", cost)
        return self


def holder_of(name, params):
    """The parameter that holds the entry ``svc__class_weight__yes``, or None."""
    parts = name.split("__")
    for end in range(1, len(parts)):
        holder = "__".join(parts[:end])
        if parts[end - 1] in HOLDERS and holder in params:
            return holder
    return None


def entries_by_holder(names, params):
    """Entries such as ``yes`` of the names ``svc__class_weight__yes``, by the holding parameter."""
    entries: dict[str, list[str]] = {}
    for name in names:
        holder = holder_of(name, params)
        if holder is not None:
            entries.setdefault(holder, []).append(name[len(holder) + 2 :])
    return entries


def put_label_parameters(estimator, names: Iterable[str], y):
    """Put `ClassWeights` and `CostMatrix` into an estimator where names of a search need them.

    Weights that are a dict or an array keep the values of labels that are not searched. Names of
    weights, such as "balanced", and None become ones. The estimator is changed.
    """
    params = estimator.get_params(deep=True)
    for holder, entries in entries_by_holder(names, params).items():
        if holder in names:
            raise ValueError(
                f"{holder} and {holder}__{entries[0]} are both searched; search one of them, or "
                "give each a dict of its own in a list of search spaces"
            )
        missing = [entry for entry in entries if f"{holder}__{entry}" not in params]
        if not missing:
            continue
        if not hasattr(params[holder], "set_params"):
            value = _label_parameters(holder, params[holder], missing, y)
            estimator.set_params(**{holder: value})
        known = estimator.get_params(deep=True)[holder].get_params()
        for entry in missing:
            if entry not in known:
                raise ValueError(unknown_name_message(f"label in {holder}__", entry, known))


def check_labels_of_search(spaces, estimator, scorer, y):
    """Check the labels that the estimator, the categories and the scores name."""
    check_label_parameters(estimator, y)
    for each in getattr(scorer, "_scorers", {"score": scorer}).values():
        costs = getattr(each, "_kwargs", {}).get("cost_matrix")  # as `make_scorer` keeps it
        if carries_labels(costs):
            check_named_labels([("cost_matrix of the scorer", costs)], y)
    known = estimator.get_params(deep=True)
    for space in spaces:
        for name, dimension in space.dimensions.items():
            for value in getattr(dimension, "categories", ()):
                if name in known and (carries_labels(value) or hasattr(value, "get_params")):
                    value = clone(value, safe=False)
                    check_label_parameters(clone(estimator).set_params(**{name: value}), y)


def _label_parameters(holder, value, entries, y):
    """The value of a parameter as the one of `ClassWeights` and `CostMatrix` with the entries."""
    if y is None:
        raise ValueError(f"{holder} is searched by label, but y is None; pass labels to fit")
    labels, _ = labels_and_counts(y)
    given = None if isinstance(value, str) else value
    kind = holder.split("__")[-1]
    if kind == "cost_matrix" or (kind == "costs" and any(is_pair(e, labels) for e in entries)):
        return _cost_matrix(holder, given, entries, labels)
    return _class_weights(holder, given, entries, labels)


def _class_weights(holder, given, entries, labels):
    if given is None or carries_labels(given):
        labels = [*labels, *_other_labels(holder, given, entries, labels, pairs=False)]
        given = None if given is None else _quietly(vector_by_label, given, labels, holder)
    weights = np.ones(len(labels)) if given is None else np.asarray(given, float)
    if weights.shape != (len(labels),):
        raise ValueError(
            f"{holder} has shape {weights.shape}, but y has {len(labels)} labels {labels}"
        )
    return ClassWeights(dict(zip(labels, weights.tolist(), strict=True)))


def _cost_matrix(holder, given, entries, labels):
    if given is None or carries_labels(given):
        labels = [*labels, *_other_labels(holder, given, entries, labels, pairs=True)]
    return CostMatrix(labels, given)


def _other_labels(holder, given, entries, labels, *, pairs):
    """Labels that y lacks, as a fold may: those of weights or costs, and of the search space."""
    named = []
    if given is not None:
        _quietly(check_named_labels, [(holder, given)], labels)
        named = keys_as_in(labels, named_labels(given, holder))
    others = [label for label in named if label not in labels]
    return others + absent_labels([*labels, *others], entries, named, pairs=pairs)


def _quietly(function, *args):
    """Call a function; of labels that y lacks, a warning is given when the search begins."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UnknownLabelWarning)
        return function(*args)


def is_pair(entry, labels):
    """Whether the name of an entry is that of a pair with one of the labels."""
    if entry in map(str, labels):
        return False
    return any(entry.startswith(f"{label}__") or entry.endswith(f"__{label}") for label in labels)


def absent_labels(labels, entries, named=(), *, pairs):
    """The labels that a search space names and y lacks, if all labels of y but one are named.

    Such a space was made from all labels, and y is a fold. Other spaces have a wrong name.

    Parameters
    ----------
    labels : list
        Those of y, and those of the weights or costs that the estimator has.
    entries : list of str
        The names of the space: texts of labels, or of pairs of them.
    named : list
        The labels of the weights or costs that the estimator has.
    pairs : bool
        Whether the entries are pairs.

    >>> absent_labels([3, 5, 6], ["5", "6", "8"], pairs=False)
    [8]
    >>> absent_labels([3, 5, 6], ["8"], pairs=False)
    []
    """
    texts = [str(label) for label in labels]
    known = [pair_name(t, p) for t in texts for p in texts if t != p] if pairs else texts
    parts = [entry.split("__") if pairs else [entry] for entry in {*entries} - {*known}]
    reached = {str(label) for label in named} | {
        text
        for text in texts
        for entry in entries
        if (entry.startswith(f"{text}__") if pairs else entry == text)
    }
    absent = sorted({part for names in parts for part in names} - {*texts})
    is_misspelled = any(len(names) != 1 + pairs for names in parts)
    if is_misspelled or len(reached) < max(1, len(texts) - 1):
        return []
    return [int(text) if is_whole(text, labels) else text for text in absent]


def is_whole(text, labels):
    """Whether a text is a whole number, as all labels are."""
    return all(type(label) is int for label in labels) and text.lstrip("-").isdecimal()
