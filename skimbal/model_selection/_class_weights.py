"""Class weights and costs whose entries are parameters by label, and the spaces to search them in.

scikit-learn's searches set parameters by name, and a dict of class weights is one parameter. Here
it is a dict with a parameter for each label, so that ``class_weight__<label>`` is a name like any
other, through pipelines too.
"""

from collections.abc import Mapping

import numpy as np
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from skopt.space import Real

from skimbal._utils._validation import unknown_name_message
from skimbal.model_selection._space import is_number

MAJORITY = "majority"
# Parameters that hold a weight for each label, a cost for each two, or either.
HOLDERS = ("class_weight", "cost_matrix", "costs")


def _labels_and_counts(y):
    """Labels of y as Python objects, sorted, and the number of samples of each."""
    y = np.asarray(y)
    if y.ndim != 1 or y.size == 0:
        raise ValueError(f"y has shape {y.shape}; it must be a list of labels, one at least")
    _check_labels(y)
    try:
        labels, counts = np.unique(y, return_counts=True)
    except TypeError as error:
        types = ", ".join(sorted({type(label).__name__ for label in y}))
        raise ValueError(
            f"y has labels of types without a common order ({types}); write all of them as text, "
            "or all as numbers"
        ) from error
    return labels.tolist(), counts


def _check_labels(y):
    """Raise a ValueError for rows of y that have no label, and for values that are none."""
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
        strange = y[np.floor(y) != y][0]
        raise ValueError(f"y has the value {strange}; labels are texts or whole numbers")


def _check_distinct(names):
    """Raise a ValueError where two parameters would have one name."""
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled:
        raise ValueError(
            f"several labels read {', '.join(map(repr, doubled))} as text, so that no name tells "
            "them apart; rename the labels"
        )


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

    A dict, so that it goes wherever scikit-learn takes `class_weight`; with `get_params` and
    `set_params`, so that ``class_weight__<label>`` is a parameter of the estimator. Labels are
    named by their text: the parameter of the label 1 is ``class_weight__1``.

    Parameters
    ----------
    weights : dict or array-like of shape (n_samples,)
        Label -> weight, or labels of a training set, each of which then weighs 1.

    Raises
    ------
    ValueError
        For weights that are negative or not finite, and for labels that are equal as text.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal.model_selection import ClassWeights
    >>> estimator = LogisticRegression(class_weight=ClassWeights(["no", "no", "yes"]))
    >>> estimator.set_params(class_weight__yes=9.0).class_weight
    ClassWeights({'no': 1.0, 'yes': 9.0})
    """

    def __init__(self, weights):
        if isinstance(weights, Mapping):
            super().__init__(weights)
        else:
            super().__init__(dict.fromkeys(_labels_and_counts(weights)[0], 1.0))
        _check_distinct([str(label) for label in self])
        for label, weight in self.items():
            _check_weight(f"weight of {label!r}", weight)

    def __repr__(self):
        return f"ClassWeights({super().__repr__()})"

    def __sklearn_clone__(self):
        return ClassWeights(dict(self))

    def get_params(self, deep=True):
        """Return the weights by the text of their labels.

        Parameters
        ----------
        deep : bool, default=True
            Makes no difference.

        Returns
        -------
        dict
            Text of a label -> weight.
        """
        return {str(label): weight for label, weight in self.items()}

    def set_params(self, /, **params):
        """Set weights by the text of their labels.

        Parameters
        ----------
        **params : dict
            Text of a label -> weight.

        Returns
        -------
        self : ClassWeights
            Itself, changed.

        Raises
        ------
        ValueError
            For a label that it does not have, or a weight that is negative or not finite.
        """
        labels = {str(label): label for label in self}
        for name, weight in params.items():
            if name not in labels:
                raise ValueError(unknown_name_message("class label", name, labels))
            self[labels[name]] = _check_weight(f"weight of {name!r}", weight)
        return self


class CostMatrix:
    """Costs of misclassification, each of which is a parameter that a search can set.

    An array-like of shape (n_classes, n_classes), so that it goes wherever skimbal takes
    `cost_matrix`; the cost of predicting a label when another is the truth is the parameter
    ``cost_matrix__<true>__<predicted>``.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        Labels of a training set; the sorted ones are those of rows and columns.
    costs : array-like of shape (n_classes, n_classes), default=None
        Costs to begin with: rows are the truth, columns the prediction. None is 1 for every error.

    Attributes
    ----------
    labels : list
        The labels, sorted.
    shape : tuple of int
        (n_classes, n_classes).

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

    def __init__(self, labels, costs=None):
        self.labels, _ = _labels_and_counts(labels)
        n = len(self.labels)
        self.costs = 1.0 - np.eye(n) if costs is None else np.array(costs, dtype=np.float64)
        if self.costs.shape != (n, n):
            raise ValueError(
                f"costs has shape {self.costs.shape}, but for the {n} labels {self.labels} it must "
                f"be ({n}, {n})"
            )
        if not (np.isfinite(self.costs).all() and (self.costs >= 0).all()):
            raise ValueError(f"costs is {self.costs.tolist()}; costs must be finite numbers >= 0")
        self._places = {
            f"{truth}__{predicted}": (i, j)
            for i, truth in enumerate(self.labels)
            for j, predicted in enumerate(self.labels)
            if i != j
        }
        if len(self._places) != n * (n - 1):
            _check_distinct([f"{t}__{p}" for t in self.labels for p in self.labels])

    def __repr__(self):
        return f"CostMatrix({self.labels}, {self.costs.tolist()})"

    def __len__(self):
        return len(self.labels)

    def __array__(self, dtype=None, copy=None):
        return np.array(self.costs, dtype=dtype)

    def __sklearn_clone__(self):
        return CostMatrix(self.labels, self.costs)

    @property
    def shape(self):
        """Shape of the matrix."""
        return self.costs.shape

    def get_params(self, deep=True):
        """Return the costs by the texts of true and predicted label.

        Parameters
        ----------
        deep : bool, default=True
            Makes no difference.

        Returns
        -------
        dict
            ``<true>__<predicted>`` -> cost.
        """
        return {name: float(self.costs[place]) for name, place in self._places.items()}

    def set_params(self, /, **params):
        """Set costs by the texts of true and predicted label.

        Parameters
        ----------
        **params : dict
            ``<true>__<predicted>`` -> cost.

        Returns
        -------
        self : CostMatrix
            Itself, changed.

        Raises
        ------
        ValueError
            For labels that it does not have, or a cost that is negative or not finite.
        """
        for name, cost in params.items():
            if name not in self._places:
                raise ValueError(unknown_name_message("pair of labels", name, self._places))
            self.costs[self._places[name]] = _check_weight(f"cost {name!r}", cost)
        return self


# ---------------------------------------------------------------- spaces


class LogUniform(Real):
    """scikit-optimize's log-uniform dimension, from which scikit-learn draws single values too."""

    def __init__(self, low, high):
        super().__init__(low, high, prior="log-uniform")

    def rvs(self, n_samples=None, random_state=None):
        """Draw one number, or a list of `n_samples`."""
        values = super().rvs(n_samples=n_samples or 1, random_state=random_state)
        return float(values[0]) if n_samples is None else values


def _check_range(low, high):
    if not (is_number(low) and is_number(high) and 0 < low < high < np.inf):
        raise ValueError(
            f"low={low!r}, high={high!r} must be finite numbers with 0 < low < high, for the space "
            "is log-uniform"
        )


def reference_label(labels, counts, reference):
    """The label whose weight stays 1: the one named, or the most frequent one."""
    if reference in labels:
        return reference
    if isinstance(reference, str) and reference == MAJORITY:
        return labels[int(np.argmax(counts))]
    raise ValueError(
        f"reference={reference!r} must be 'majority' or one of the labels {labels} of y"
    )


def class_weight_space(y, low=1, high=1000, reference=MAJORITY, param="class_weight"):
    """Space of class weights: one log-uniform dimension for each label but the reference.

    Only ratios of weights matter to what is learned, so one label keeps the weight 1. The space is
    one for `DESearchCV`, for `BayesSearchCV`, here and in scikit-optimize, and for scikit-learn's
    `RandomizedSearchCV`; the last two need ``class_weight=ClassWeights(y)`` in the estimator.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of the training set.
    low : float, default=1
        Least weight, above 0.
    high : float, default=1000
        Greatest weight.
    reference : "majority" or label, default="majority"
        The label whose weight is not searched; "majority" is the most frequent one.
    param : str, default="class_weight"
        Name of the parameter that holds the weights: ``"svc__class_weight"`` in a pipeline,
        ``"costs"`` for the output costs of `FixedCostClassifier`.

    Returns
    -------
    dict
        ``<param>__<label>`` -> dimension.

    Raises
    ------
    ValueError
        For bounds that are no log-uniform interval, a reference that y does not have, a single
        label, labels that are equal as text, and rows without a label.

    Examples
    --------
    >>> from skimbal.model_selection import class_weight_space
    >>> space = class_weight_space(["ok"] * 5 + ["worn", "broken"])
    >>> list(space)
    ['class_weight__broken', 'class_weight__worn']
    >>> space["class_weight__worn"].bounds
    (1, 1000)
    """
    _check_range(low, high)
    labels, counts = _labels_and_counts(y)
    if len(labels) < 2:
        raise ValueError(f"y has the single label {labels}; weights need two or more")
    _check_distinct([str(label) for label in labels])
    reference = reference_label(labels, counts, reference)
    return {f"{param}__{label}": LogUniform(low, high) for label in labels if label != reference}


def cost_matrix_space(y, low=1, high=1000, reference=MAJORITY, param="cost_matrix"):
    """Space of cost matrices: a log-uniform dimension for each error on a label but the reference.

    Errors on the reference label cost 1, whatever is predicted.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels of the training set.
    low : float, default=1
        Least cost, above 0.
    high : float, default=1000
        Greatest cost.
    reference : "majority" or label, default="majority"
        The label the errors on which cost 1; "majority" is the most frequent one.
    param : str, default="cost_matrix"
        Name of the parameter that holds the matrix.

    Returns
    -------
    dict
        ``<param>__<true>__<predicted>`` -> dimension, (n_classes - 1)^2 of them.

    Raises
    ------
    ValueError
        As `class_weight_space`.

    Examples
    --------
    >>> from skimbal.model_selection import cost_matrix_space
    >>> list(cost_matrix_space(["ok", "ok", "worn"]))
    ['cost_matrix__worn__ok']
    """
    rows = class_weight_space(y, low, high, reference, param)
    labels, _ = _labels_and_counts(y)
    _check_distinct([f"{truth}__{predicted}" for truth in labels for predicted in labels])
    return {
        f"{row}__{label}": LogUniform(low, high)
        for row in rows
        for label in labels
        if row != f"{param}__{label}"
    }


# ---------------------------------------------------------------- in estimators


def holder_of(name, params):
    """Parameter whose entry a name such as ``svc__class_weight__yes`` is, or None."""
    parts = name.split("__")
    for end in range(1, len(parts)):
        holder = "__".join(parts[:end])
        if parts[end - 1] in HOLDERS and holder in params:
            return holder
    return None


def with_entries_as_parameters(estimator, names, y):
    """Put `ClassWeights` and `CostMatrix` into an estimator where the names of a search need them.

    Weights that are a dict or an array stay what they are at the labels that are not searched;
    named ones such as "balanced", and None, become ones. The estimator is changed, and returned.
    """
    params = estimator.get_params(deep=True)
    entries: dict[str, list[str]] = {}
    for name in names:
        holder = holder_of(name, params)
        if holder in names:
            raise ValueError(
                f"{holder} and {name} are searched at once; search one of them, or give each a "
                "dict of its own in a list of search spaces"
            )
        if name not in params and holder is not None:
            entries.setdefault(holder, []).append(name[len(holder) + 2 :])
    for holder, searched in entries.items():
        if not hasattr(params[holder], "set_params"):
            value = make_entries(holder, params[holder], searched, y)
            estimator.set_params(**{holder: value})
        known = estimator.get_params(deep=True)[holder].get_params()
        for entry in searched:
            if entry not in known:
                raise ValueError(unknown_name_message(f"label in {holder}__", entry, known))
    return estimator


def make_entries(holder, value, entries, y):
    """The value of a parameter as `ClassWeights` or `CostMatrix`, whichever has such entries."""
    if y is None:
        raise ValueError(f"{holder} is searched by label, but there is no y")
    labels, _ = _labels_and_counts(y)
    given = None if value is None or isinstance(value, str) else value
    last = holder.split("__")[-1]
    texts = {str(label) for label in labels}
    if last == "cost_matrix" or (last == "costs" and not texts.issuperset(entries)):
        return CostMatrix(labels, given)
    weights = dict.fromkeys(labels, 1.0)
    if isinstance(given, Mapping):
        unknown_labels = [label for label in given if label not in weights]
        if unknown_labels:
            raise ValueError(f"{holder} has {unknown_labels}, which are no labels of y: {labels}")
        weights.update(given)
    elif given is not None:
        vector = np.asarray(given, dtype=np.float64)
        if vector.shape != (len(labels),):
            raise ValueError(
                f"{holder} has shape {vector.shape}, but y has the {len(labels)} labels {labels}"
            )
        weights = dict(zip(labels, vector.tolist(), strict=True))
    return ClassWeights(weights)


def conventional_entries(names, estimator, y):
    """Inverse-frequency values for those of the names that are weights or costs of labels.

    The weight of a label is the count of the most frequent label that is not searched, whose weight
    is 1, divided by its own count; where all are searched, of the most frequent one.
    """
    params = estimator.get_params(deep=True)
    values = {}
    by_holder: dict[str, list[str]] = {}
    for name in names:
        holder = holder_of(name, params)
        if holder is not None:
            by_holder.setdefault(holder, []).append(name)
    for holder, searched in by_holder.items():
        labels, counts = _labels_and_counts(y)
        rows = {
            name: i
            for name in searched
            for i, label in enumerate(labels)
            if _is_about(name[len(holder) + 2 :], str(label), labels, params[holder])
        }
        unsearched = np.delete(counts, list(set(rows.values())))
        most = (unsearched if unsearched.size else counts).max()
        values.update({name: float(most / counts[row]) for name, row in rows.items()})
    return values


def _is_about(entry, label, labels, holder):
    """Whether an entry, a label or a pair of true and predicted ones, is about a true label."""
    if isinstance(holder, CostMatrix):
        return any(entry == f"{label}__{predicted}" for predicted in labels)
    return entry == label
