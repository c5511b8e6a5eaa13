"""Whatever carries labels goes by its labels: every place, every form, every kind of label.

A place is a call that takes weights, counts, costs or probabilities of classes. It returns numbers
that differ if two classes are swapped. The reference is the array in the order of the sorted
labels.
"""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    BalancedBaggingNetClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal._utils._labels import label_list
from skimbal.cost_sensitive import find_costs
from skimbal.cost_sensitive._stated_balance import weights_differ
from skimbal.ensemble._bags import bag_sizes
from skimbal.losses import adjust_logits, class_weight_vector
from skimbal.metrics import (
    confusion_score,
    cost_savings,
    decide,
    decide_by_costs,
    expected_cost,
    make_cost_scorer,
    normalize_costs,
    prior_costs,
)
from skimbal.model_selection import ClassWeights, CostMatrix
from skimbal.model_selection._label_parameters import put_label_parameters
from skimbal.neural_network import cross_fit

# The second value is the rarest class: labels and counts sort differently.
LABELS = {
    "int": [3, 5, 8],
    "str": ["failure", "ok", "worn"],
    "bool": [False, True],
    "time": np.array(["2026-01-01", "2026-02-01", "2026-03-01"], dtype="M8[ns]"),
}
PAIRS = [(kind, n) for kind, labels in LABELS.items() for n in (2, 3) if n <= len(labels)]
COUNTS = [8, 24, 12]
WEIGHTS = [7.0, 1.0, 3.0]
COSTS = np.array([[0.0, 30.0, 4.0], [1.0, 0.0, 2.0], [5.0, 6.0, 0.0]])


class Data:
    """Samples of two or three classes, with probabilities and predictions."""

    def __init__(self, kind, n_classes):
        rng = np.random.default_rng(0)
        self.classes = np.array(LABELS[kind][:n_classes])
        self.counts, self.weights = COUNTS[:n_classes], WEIGHTS[:n_classes]
        self.costs = COSTS[:n_classes, :n_classes]
        targets = np.repeat(np.arange(n_classes), self.counts)
        self.X = rng.normal(size=(len(targets), 3)) + 0.7 * targets[:, None]
        self.y = self.classes[targets]
        self.predicted = self.classes[rng.integers(n_classes, size=len(targets))]
        self.proba = rng.dirichlet(np.ones(n_classes), size=len(targets))


@pytest.fixture(params=PAIRS, ids=lambda pair: f"{pair[0]}-{pair[1]}", scope="module")
def data(request):
    return Data(*request.param)


def tiny(**params):
    return MLPClassifier(hidden_layer_sizes=(2,), max_epochs=2, random_state=0, **params)


# ---------------------------------------------------------------- one value for each class


def vector_forms(values, classes):
    """Forms that say the same: by label, in another order than that of the sorted labels."""
    series = pd.Series(values, index=list(classes))
    return {
        "series": series,
        "shuffled series": series[::-1],
        "frame with one column": series[::-1].to_frame(),
        "categorical index": series.set_axis(pd.CategoricalIndex(series.index))[::-1],
        "nullable": series.astype("Float64")[::-1],
        "dict": dict(reversed(series.to_dict().items())),
        "dict of numpy labels": {label: series[label] for label in np.flip(classes)},
    }


def fit_class_weight(data, weights):
    network = tiny(class_weight=weights).fit(data.X, data.y)
    return network.class_weight_, network.predict_proba(data.X)


def pipeline_class_weight(data, weights):
    pipeline = make_pipeline(StandardScaler(), tiny(class_weight=weights)).fit(data.X, data.y)
    return pipeline[-1].class_weight_


def ecs_class_weight(data, weights):
    network = ECSDBNClassifier(
        hidden_layer_sizes=(2,), pretrain_epochs=1, max_epochs=1, class_weight=weights,
        cost_cv=2, max_generations=1, refit=True, random_state=0,
    )  # one group of parameters a line  # fmt: skip
    return network.fit(data.X, data.y).estimator_.class_weight_


def tuned_class_weight(data, weights):
    tuned = TunedCostClassifierCV(
        tiny(class_weight=weights), cv=2, max_generations=1, random_state=0
    )
    return tuned.fit(data.X, data.y).estimator_.class_weight_


def bagging_class_weight(data, weights):
    bagging = BalancedBaggingNetClassifier(
        tiny(class_weight=weights), n_estimators=2, tune_costs=False, random_state=0
    )
    return [network.class_weight_ for network in bagging.fit(data.X, data.y).estimators_]


def partial_fit_class_counts(data, counts):
    network = tiny(class_weight="balanced")
    return network.partial_fit(data.X, data.y, data.classes, class_counts=counts).class_weight_


def searched_class_weight(data, weights):
    network = tiny(class_weight=weights)
    put_label_parameters(network, [f"class_weight__{label_list(data.classes)[0]}"], data.y)
    assert isinstance(network.class_weight, ClassWeights)
    return [network.class_weight[label] for label in label_list(data.classes)]


def fixed_costs(data, costs):
    fixed = FixedCostClassifier(GaussianNB(), costs=costs).fit(data.X, data.y)
    return fixed.cost_matrix_


def shrinkage_target(data, costs):
    found = find_costs(data.y, data.proba, shrinkage=1.0, shrinkage_target=costs, search="grid")
    return found.costs


def bag_of_sizes(data, weights):
    sizes = bag_sizes(data.y, weights if not isinstance(weights, list) else None)
    if isinstance(weights, list):  # imbalanced-learn takes no arrays
        sizes = dict(zip(sizes, map(int, weights), strict=True))
    return list(sizes.values())


VECTOR_PLACES = {
    "class_weight": fit_class_weight,
    "class_weight in a pipeline": pipeline_class_weight,
    "class_weight of ECSDBNClassifier": ecs_class_weight,
    "class_weight under TunedCostClassifierCV": tuned_class_weight,
    "class_weight under bagging": bagging_class_weight,
    "class_counts of partial_fit": partial_fit_class_counts,
    "class_weight in a search": searched_class_weight,
    "class_weight_vector": lambda data, weights: class_weight_vector(
        weights, data.classes, data.counts
    ),
    "class_weight_vector, counts": lambda data, counts: class_weight_vector(
        "balanced", data.classes, counts
    ),
    "adjust_logits": lambda data, counts: adjust_logits(np.log(data.proba), counts),
    "costs of FixedCostClassifier": fixed_costs,
    "shrinkage_target of find_costs": shrinkage_target,
    "decide_by_costs": lambda data, costs: decide_by_costs(data.proba, costs),
    "prior_costs": lambda data, counts: prior_costs(counts),
    "normalize_costs": lambda data, costs: normalize_costs(costs),
    "sampling_strategy of bags": bag_of_sizes,
}


@pytest.mark.parametrize("place", VECTOR_PLACES)
def test_one_value_for_each_class_goes_by_label(place, data):
    call = VECTOR_PLACES[place]
    expected = call(data, data.weights)
    is_slow = "class_weight " in place
    for name, form in vector_forms(data.weights, data.classes).items():
        if is_slow and name not in ("shuffled series", "dict"):
            continue
        for got, wanted in zip(call(data, form), expected, strict=True):
            np.testing.assert_array_equal(got, wanted, err_msg=name)


def test_steps_per_class_go_by_label(data):
    windows = []
    for steps in (dict(zip(label_list(data.classes), (2, 5, 4), strict=False)), None):
        if steps is None:
            steps = pd.Series([4, 5, 2][-len(data.classes) :], label_list(data.classes)[::-1])
        model = WindowedClassifier(tiny(), size=3, step=10, steps_per_class=steps)
        recordings = np.repeat(data.X, 5, axis=1)
        windows.append(model.fit(recordings, data.y).n_windows_)
    np.testing.assert_array_equal(*windows)


# ---------------------------------------------------------------- costs of pairs


def matrix_forms(costs, classes):
    """Forms of the same costs, in other orders than that of the sorted labels."""
    labels = label_list(classes)
    frame = pd.DataFrame(costs, index=labels, columns=labels)
    numbers = range(len(labels))
    pairs = {(labels[i], labels[j]): costs[i, j] for i in numbers for j in numbers if i != j}
    rotated = np.roll(numbers, 1)
    return {
        "frame": frame,
        "frame with permuted rows": frame.iloc[::-1],
        "frame with permuted columns": frame.iloc[:, ::-1],
        "frame with both permuted": frame.iloc[::-1, rotated],
        "dict of pairs": pairs,
        "dict of dicts": {t: {p: pairs[t, p] for p in labels if p != t} for t in labels[::-1]},
        "series of pairs": pd.Series(pairs),
        "CostMatrix": CostMatrix(classes, costs),
    }


def network_costs(data, costs):
    return tiny(cost_matrix=costs).fit(data.X, data.y).cost_matrix_


def search_costs(data, costs):
    network, (true, predicted, *_) = tiny(cost_matrix=costs), label_list(data.classes)
    put_label_parameters(network, [f"cost_matrix__{true}__{predicted}"], data.y)
    return np.asarray(network.cost_matrix)


def scorer_of(data, costs):
    return make_cost_scorer(costs, data.classes if isinstance(costs, np.ndarray) else None)


def scored(data, costs):
    scorer = scorer_of(data, costs)
    classifier = GaussianNB().fit(data.X, data.y)
    confusion = 1.0 + np.arange(len(data.classes) ** 2).reshape(2 * [len(data.classes)])
    return [scorer(classifier, data.X, data.y), confusion_score(scorer, data.classes)(confusion)]


MATRIX_PLACES = {
    "cost_matrix": network_costs,
    "cost_matrix in a search": search_costs,
    "costs of FixedCostClassifier": fixed_costs,
    "expected_cost": lambda data, costs: [expected_cost(data.y, data.predicted, costs)],
    "expected_cost with labels": lambda data, costs: [
        expected_cost(data.y, data.predicted, costs, labels=data.classes)
    ],
    "cost_savings": lambda data, costs: [cost_savings(data.y, data.predicted, costs)],
    "make_cost_scorer": scored,
    "costs found for make_cost_scorer": lambda data, costs: (
        find_costs(
            data.y, data.proba, scoring=scorer_of(data, costs), max_generations=2, random_state=0
        ).costs
    ),
    "decide": lambda data, costs: decide(data.proba, costs),
    "CostMatrix": lambda data, costs: np.asarray(CostMatrix(data.classes, costs)),
}


@pytest.mark.parametrize("place", MATRIX_PLACES)
def test_costs_of_pairs_go_by_label(place, data):
    call = MATRIX_PLACES[place]
    expected = call(data, data.costs)
    for name, form in matrix_forms(data.costs, data.classes).items():
        for got, wanted in zip(call(data, form), expected, strict=True):
            np.testing.assert_array_equal(got, wanted, err_msg=name)


def test_pairs_that_are_not_named_cost_1(data):
    true, predicted, *_ = label_list(data.classes)
    wanted = 1.0 - np.eye(len(data.classes))
    wanted[0, 1] = 30.0
    for place in set(MATRIX_PLACES) - {"decide"}:  # which learns the labels from the costs
        call = MATRIX_PLACES[place]
        for got, expected in zip(
            call(data, {(true, predicted): 30}), call(data, wanted), strict=True
        ):
            np.testing.assert_array_equal(got, expected, err_msg=place)


# ---------------------------------------------------------------- probabilities


@pytest.mark.parametrize("scoring", ["g_mean", "accuracy"])
def test_columns_of_probabilities_go_by_label(scoring, data):
    labels = label_list(data.classes)
    options = {"scoring": scoring, "max_generations": 2, "random_state": 0}
    expected = find_costs(data.y, data.proba, **options).costs
    frame = pd.DataFrame(data.proba, columns=labels)
    for form in (frame, frame.iloc[:, ::-1], frame.iloc[:, np.roll(range(len(labels)), 1)]):
        np.testing.assert_array_equal(find_costs(data.y, form, **options).costs, expected)
        np.testing.assert_array_equal(
            find_costs(data.y, form, classes=data.classes[::-1], **options).costs,
            find_costs(data.y, data.proba[:, ::-1], classes=data.classes[::-1], **options).costs,
        )


def test_decisions_on_frames_are_positions_of_columns(data):
    labels = label_list(data.classes)
    frame = pd.DataFrame(data.proba, columns=labels).iloc[:, ::-1]
    costs = pd.Series(data.weights, labels)
    for decided in (
        decide_by_costs(frame, costs),
        decide(frame, pd.DataFrame(np.outer(data.weights, np.ones(len(labels))), labels, labels)
               * (1 - np.eye(len(labels)))),
    ):  # one group of parameters a line  # fmt: skip
        wanted = np.array(labels)[decide_by_costs(data.proba, data.weights)]
        np.testing.assert_array_equal(np.array(labels[::-1])[decided], wanted)
    adjusted = adjust_logits(np.log(frame), pd.Series(data.counts, labels))
    wanted = adjust_logits(np.log(data.proba), data.counts)[:, ::-1]
    np.testing.assert_array_equal(adjusted, wanted)


# ---------------------------------------------------------------- indices that do not fit

Y = np.array(["failure"] * 6 + ["ok"] * 24)
X = np.random.default_rng(0).normal(size=(30, 3))
P = np.column_stack([np.linspace(0.1, 0.9, 30)[::-1], np.linspace(0.1, 0.9, 30)])
NAMES = ["failed", "ok"]
MISFIT = pd.Series([9.0, 1.0], NAMES)
MISFIT_MATRIX = pd.DataFrame([[0, 9], [1, 0]], NAMES, NAMES)
UNLABELED = pd.DataFrame([[0, 9], [1, 0]])
NO_FIT = {
    "class_weight": lambda: tiny(class_weight=MISFIT).fit(X, Y),
    "class_weight without labels": lambda: tiny(class_weight=pd.Series([9.0, 1.0])).fit(X, Y),
    "class_counts": lambda: tiny(class_weight="balanced").partial_fit(
        X, Y, ["failure", "ok"], class_counts=MISFIT
    ),
    "class_counts, dict": lambda: tiny(class_weight="balanced").partial_fit(
        X, Y, ["failure", "ok"], class_counts={"failed": 9, "ok": 1}
    ),
    "costs": lambda: FixedCostClassifier(GaussianNB(), costs=MISFIT).fit(X, Y),
    "costs, frame": lambda: FixedCostClassifier(GaussianNB(), costs=MISFIT_MATRIX).fit(X, Y),
    "cost_matrix": lambda: tiny(cost_matrix=MISFIT_MATRIX).fit(X, Y),
    "cost_matrix without labels": lambda: tiny(cost_matrix=UNLABELED).fit(X, Y),
    "cost_matrix, other columns": lambda: tiny(
        cost_matrix=MISFIT_MATRIX.set_axis(["failure", "ok"], axis=0)
    ).fit(X, Y),
    "expected_cost": lambda: expected_cost(Y, Y, MISFIT_MATRIX),
    "cost_savings": lambda: cost_savings(Y, Y, MISFIT_MATRIX),
    "expected_cost, dict": lambda: expected_cost(Y, Y, {("failed", "okay"): 3}),
    "make_cost_scorer": lambda: make_cost_scorer(MISFIT_MATRIX, labels=["failure", "ok"]),
    "probabilities": lambda: find_costs(Y, pd.DataFrame(P, columns=NAMES)),
    "probabilities without labels": lambda: find_costs(Y, pd.DataFrame(P)),
    "shrinkage_target": lambda: find_costs(Y, P, shrinkage_target=MISFIT),
    "decide": lambda: decide(pd.DataFrame(P, columns=["failure", "ok"]), MISFIT_MATRIX),
    "decide_by_costs": lambda: decide_by_costs(pd.DataFrame(P, columns=["failure", "ok"]), MISFIT),
    "steps_per_class": lambda: WindowedClassifier(
        tiny(), size=2, steps_per_class=pd.Series([1, 2], NAMES)
    ).fit(X, Y),
    "sampling_strategy": lambda: bag_sizes(Y, pd.Series([3, 4], NAMES)),
}


@pytest.mark.parametrize("case", NO_FIT)
def test_an_index_that_does_not_fit_is_an_error(case):
    with pytest.raises(ValueError, match=r"(failed|\[0, 1\]).*failure|failure.*failed"):
        NO_FIT[case]()


@pytest.mark.parametrize(
    ("costs", "message"),
    [
        ({("failure", "ok", "x"): 3}, r"has the key|keys of costs by label are pairs"),
        ({("failure", "ok"): 3, "ok": 1}, "the key 'ok'; the keys of costs by label are pairs"),
        (pd.DataFrame([[0, 1], [2, 0]], ["ok", "ok"], ["ok", "ok"]), r"\['ok'\] more than once"),
        (pd.Series([1, 2], ["ok", "ok"]), r"\['ok'\] more than once"),
        ({("failure", "ok"): -3}, "negative"),
        ({("failure", "failure"): 3}, "below the cost of the correct"),
        (pd.DataFrame(np.ones((2, 3)), ["failure", "ok"], list("abc")), "rows .* columns"),
    ],
)
def test_bad_costs_by_label(costs, message):
    with pytest.raises(ValueError, match=message):
        FixedCostClassifier(GaussianNB(), costs=costs).fit(X, Y)


def test_a_matrix_does_not_take_one_cost_for_each_label():
    with pytest.raises(ValueError, match=r"key 'failure'.*costs= of FixedCostClassifier"):
        tiny(cost_matrix={"failure": 30}).fit(X, Y)
    with pytest.raises(ValueError, match=r"shape \(2,\).*costs= of FixedCostClassifier"):
        tiny(cost_matrix=pd.Series({"failure": 30, "ok": 1})).fit(X, Y)


def test_text_and_numbers_are_different_labels():
    y = np.repeat([0, 1], [6, 24])
    with pytest.raises(ValueError, match=r"\['0', '1'\].*with the type that they have in y"):
        tiny(class_weight={"0": 9, "1": 1}).fit(X, y)
    with pytest.raises(ValueError, match="with the type that they have in y"):
        tiny(class_weight={0: 9, 1: 1}).fit(X, y.astype(str))
    weights = tiny(class_weight={"0": 9, "1": 1}).fit(X, y.astype(str)).class_weight_
    assert weights.tolist() == [9.0, 1.0]


def test_an_array_of_costs_needs_labels_in_a_scorer():
    with pytest.raises(ValueError, match="an array of costs has no labels"):
        make_cost_scorer([[0, 1], [2, 0]])


def test_a_frame_must_name_the_labels_that_occur():
    costs = pd.DataFrame([[0, 9], [1, 0]], ["a", "b"], ["a", "b"])
    assert expected_cost(["a", "a"], ["a", "b"], costs) == 4.5  # labels that do not occur are fine
    with pytest.raises(ValueError, match=r"labels \['a', 'b'\], but \['c'\] occur"):
        expected_cost(["a", "c"], ["a", "b"], costs)


@pytest.mark.parametrize("unit", ["ns", "s", "D"])
@pytest.mark.parametrize("form", [pd.Timestamp, np.datetime64, str])
def test_times_are_labels_in_any_form(unit, form):
    y = np.array(["2026-01-01", "2026-02-01", "2026-02-01"], dtype=f"M8[{unit}]")
    names = [form("2026-01-01"), form("2026-02-01")]
    costs = {(names[1], names[0]): 30}
    assert expected_cost(y, y[[0, 0, 1]], costs) == 10.0
    assert cost_savings(y, y[[0, 0, 1]], costs) == -29.0
    np.testing.assert_array_equal(CostMatrix(y, costs), [[0, 1], [30, 0]])
    assert weights_differ({names[0]: 9.0}, np.unique(y))
    weights = class_weight_vector({names[1]: 9.0}, np.unique(y), [5, 5])
    assert weights.tolist() == [1.0, 9.0]


@pytest.mark.parametrize("y", [Y, np.array(["2026-01-01", "2026-02-01"], dtype="M8[ns]")])
def test_labels_of_another_kind_are_never_those_of_a_fold(y):
    with pytest.raises(ValueError, match="with the type that they have in y"):
        class_weight_vector({1: 9.0, 2: 1.0}, np.unique(y), [5, 5])


def test_times_are_labels():
    times = pd.to_datetime(["2026-01-01", "2026-02-01"])
    weights = class_weight_vector(pd.Series([1.0, 9.0], times[::-1]), times.to_numpy(), [5, 5])
    assert weights.tolist() == [9.0, 1.0]


def test_weights_by_label_agree_with_logistic_regression():
    """A dict with labels that no sample has is taken, as scikit-learn's classifiers take it."""
    given = {"failure": 9, "ok": 1, "worn": 3}
    reference = LogisticRegression(class_weight=given).fit(X, Y)
    without = LogisticRegression(class_weight={"failure": 9, "ok": 1}).fit(X, Y)
    np.testing.assert_array_equal(reference.coef_, without.coef_)


class Reordered(ClassifierMixin, BaseEstimator):
    """Predicts frames, or arrays, with the classes in another order than the sorted one."""

    def __init__(self, is_frame=True):
        self.is_frame = is_frame

    def fit(self, X, y):
        self.inner_ = GaussianNB().fit(X, y)
        self.classes_ = self.inner_.classes_ if self.is_frame else self.inner_.classes_[::-1]
        return self

    def predict_proba(self, X):
        proba = pd.DataFrame(self.inner_.predict_proba(X), columns=label_list(self.inner_.classes_))
        return proba.iloc[:, ::-1] if self.is_frame else proba.to_numpy()[:, ::-1]


WRAPPERS = {
    "fixed costs": lambda inner: FixedCostClassifier(inner),
    "tuned costs": lambda inner: TunedCostClassifierCV(
        inner, cv=2, max_generations=1, random_state=0
    ),
    "tuned costs, ensemble": lambda inner: TunedCostClassifierCV(
        inner, cv=2, refit="ensemble", max_generations=1, random_state=0
    ),
    "bagging": lambda inner: BalancedBaggingNetClassifier(
        inner, encoding=None, n_estimators=5, random_state=0
    ),
}


@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_predicted_frames_go_by_their_columns(wrapper, data):
    make = WRAPPERS[wrapper]
    got, wanted = (make(each).fit(data.X, data.y) for each in (Reordered(), GaussianNB()))
    np.testing.assert_array_equal(got.predict_proba(data.X), wanted.predict_proba(data.X))
    np.testing.assert_array_equal(got.predict(data.X), wanted.predict(data.X))
    np.testing.assert_array_equal(
        cross_fit(Reordered(), data.X, data.y, 2), cross_fit(GaussianNB(), data.X, data.y, 2)
    )


@pytest.mark.parametrize("wrapper", ["fixed costs", "bagging"])
@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
def test_the_classes_of_a_classifier_may_have_another_order(wrapper, data):
    inner = Reordered(is_frame=False), GaussianNB()
    got, wanted = (WRAPPERS[wrapper](each).fit(data.X, data.y) for each in inner)
    np.testing.assert_array_equal(got.predict_proba(data.X), wanted.predict_proba(data.X))
    np.testing.assert_array_equal(got.predict(data.X), wanted.predict(data.X))


@pytest.mark.parametrize("value", ["high", None, [1, 2], {"ok": 3}, pd.NA])
def test_values_that_are_no_numbers(value):
    for call in (
        lambda: class_weight_vector({"failure": value}, np.unique(Y), [6, 24]),
        lambda: expected_cost(Y, Y, {("failure", "ok"): value}),
        lambda: bag_sizes(Y, {"failure": value}),
    ):
        with pytest.raises(ValueError, match=r"has .* for \(?'failure'.*; give a number"):
            call()


@pytest.mark.parametrize("n_rows", [2.5, np.nan, np.inf])
def test_bags_have_whole_numbers_of_rows(n_rows):
    with pytest.raises(ValueError, match="give whole numbers"):
        bag_sizes(Y, {"failure": n_rows})


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (pd.Series({"failure": 9.0}), True),  # "ok" weighs 1
        ({"failure": 9.0, "other": 1.0}, True),
        ({0: 1.0, 1: 9.0}, True),  # of a classifier of one class against the rest
        ({0: 1.0, 1: 1.0}, False),
        (pd.Series({"ok": 2.0, "failure": 2.0}), False),
        (pd.Series({"other": 3.0}), False),
    ],
)
def test_weights_by_label_that_balance(weights, expected):
    assert weights_differ(weights, ["failure", "ok"]) is expected
