import pickle
from fractions import Fraction
from functools import partial

import numpy as np
import pytest
import sklearn
import sklearn.metrics
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate
from sklearn.svm import SVC

from skimbal.exceptions import AbsentClassWarning
from skimbal.metrics import (
    check_label_scorer,
    confusion_score,
    expected_cost,
    g_mean,
    g_mean_from_confusion,
    get_scorer,
    macro_f1,
    make_confusion_scorer,
    make_cost_scorer,
    recall_from_confusion,
    score_labels,
    scorer_names,
)

OF_RAREST = ["minority_f1", "minority_precision", "minority_recall"]
OF_LABELS = ["accuracy", "balanced_accuracy", "g_mean", "macro_f1", *OF_RAREST]
OWN = [*OF_LABELS, "roc_auc", "minority_average_precision"]
MATRIX = np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [9.0, 4.0, 0.0]])
FROM_SCIKIT_LEARN = [
    sklearn.metrics.get_scorer(name) for name in ("accuracy", "balanced_accuracy", "f1_macro")
]


def worst_recall(confusion):
    return np.nanmin(recall_from_confusion(confusion), axis=-1)


def recall_of_the_last(confusion):
    return recall_from_confusion(confusion)[..., -1]


def data(n_classes=2, seed=0):
    weights = np.linspace(3, 1, n_classes)
    X, y = make_classification(
        n_samples=240,
        n_features=5,
        n_informative=4,
        n_redundant=0,
        n_classes=n_classes,
        weights=list(weights / weights.sum()),
        class_sep=0.7,
        random_state=seed,
    )
    return X, np.array(["ant", "bee", "cow"])[y]


def draw_labels(classes, seed, n_samples=60):
    rng = np.random.default_rng(seed)
    classes = np.asarray(classes)
    y_true = np.concatenate([classes, rng.choice(classes, size=n_samples)])
    return y_true, rng.choice(classes, size=y_true.size), rng.random(y_true.size) + 0.1


def confusion_of(classes, y_true, y_pred, weight=None):
    return sklearn.metrics.confusion_matrix(y_true, y_pred, labels=classes, sample_weight=weight)


def test_every_name_gives_a_scorer():
    names = scorer_names()
    assert names == sorted(set(names))
    assert set(OWN) | set(sklearn.metrics.get_scorer_names()) == set(names)
    for name in names:
        assert get_scorer(get_scorer(name)) is not None


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", OWN)
def test_own_scorers_work_in_cross_validation(name, n_classes):
    X, y = data(n_classes)
    model = LogisticRegression(class_weight="balanced")
    scores = cross_val_score(model, X, y, scoring=get_scorer(name), cv=3)
    assert ((scores > 0) & (scores < 1)).all()


def test_own_scorers_are_their_functions():
    X, y = data(3)
    model = LogisticRegression().fit(X, y)
    weight = np.linspace(0.1, 2, len(y))
    options = {"sample_weight": weight}
    assert get_scorer("g_mean")(model, X, y, **options) == g_mean(y, model.predict(X), **options)
    assert get_scorer("macro_f1")(model, X, y) == macro_f1(y, model.predict(X))
    auc = sklearn.metrics.roc_auc_score(y, model.predict_proba(X), multi_class="ovr")
    assert get_scorer("roc_auc")(model, X, y) == auc


def test_roc_auc_of_two_classes_takes_decision_functions_too():
    X, y = data(2)
    model = SVC().fit(X, y)
    expected = sklearn.metrics.roc_auc_score(y, model.decision_function(X))
    assert get_scorer("roc_auc")(model, X, y) == expected


@pytest.mark.parametrize("name", OWN)
def test_scorers_survive_pickle_and_clone(name):
    X, y = data(2)
    model = LogisticRegression().fit(X, y)
    scorer = get_scorer(name)
    assert pickle.loads(pickle.dumps(scorer))(model, X, y) == scorer(model, X, y)
    search = clone(GridSearchCV(model, {"C": [1.0]}, scoring=scorer, cv=2))
    assert search.fit(X, y).score(X, y) == pytest.approx(search.score(X, y))


def test_sample_weights_are_routed():
    X, y = data(2)
    weight = np.where(y == "bee", 5.0, np.arange(len(y)) % 3)
    folds = [(np.arange(0, 120), np.arange(120, 240))]
    with sklearn.config_context(enable_metadata_routing=True):
        result = cross_validate(
            LogisticRegression().set_fit_request(sample_weight=False),
            X,
            y,
            params={"sample_weight": weight},
            scoring=get_scorer("g_mean").set_score_request(sample_weight=True),
            cv=folds,
        )
    predicted = LogisticRegression().fit(X[:120], y[:120]).predict(X[120:])
    expected = g_mean(y[120:], predicted, sample_weight=weight[120:])
    assert expected != g_mean(y[120:], predicted)
    assert result["test_score"] == [expected]


def test_a_scorer_is_returned_unchanged():
    def scorer(estimator, X, y):
        return 1.0

    made = make_scorer(g_mean)
    assert get_scorer(made) is made
    assert get_scorer(scorer) is scorer


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ("g_men", "unknown scorer 'g_men'; did you mean 'g_mean'"),
        ("macro_f", "'macro_f1'"),
        (g_mean, r"g_mean is a function of \(y_true, y_pred\).*make_scorer\(g_mean\)"),
        (sklearn.metrics.f1_score, r"make_scorer\(f1_score\)"),
        (lambda truth, prediction: 0.0, "not a scorer"),
        (lambda truth, prediction, sample_weight=None: 0.0, "not a scorer"),
        (lambda truth, prediction, labels=(0, 1): 0.0, "not a scorer"),
        (partial(sklearn.metrics.fbeta_score, beta=2), "not a scorer"),
        (None, "must be a name or a scorer, got None"),
        (3, "must be a name or a scorer, got 3"),
    ],
)
def test_what_is_no_scorer_is_refused(scoring, message):
    for function in (get_scorer, check_label_scorer, confusion_score):
        with pytest.raises(ValueError, match=message):
            function(scoring)


@pytest.mark.parametrize(
    "scorer",
    [
        lambda estimator, X, y: 0.0,
        lambda estimator, X, y=None: 0.0,
        lambda model, features, targets=None: 0.0,
        lambda model, features, outcome, sample_weight=None: 0.0,
        lambda *given: 0.0,
    ],
)
def test_hand_written_scorers_are_scorers(scorer):
    assert get_scorer(scorer) is scorer


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("scorer", "classes"),
    [
        (scorer, classes)
        for scorer in [*OF_LABELS, *FROM_SCIKIT_LEARN]
        for classes in (["ant", "bee"], ["ant", "bee", "cow"], [3, 1, 2, 0])
    ],
)
def test_confusion_score_equals_score_labels(scorer, classes, seed):
    for weighted in (False, True):
        y_true, y_pred, weight = draw_labels(classes, seed)
        weight = weight if weighted else None
        score = confusion_score(scorer, classes)(confusion_of(classes, y_true, y_pred, weight))
        expected = score_labels(scorer, classes, y_true, y_pred, sample_weight=weight)
        assert score == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("classes", [[0, 1], [1, 0], [1, 2]])
def test_the_positive_class_of_scikit_learn_is_found(classes):
    y_true, y_pred, _ = draw_labels(classes, 0)
    score = confusion_score(sklearn.metrics.get_scorer("f1"), classes)
    expected = sklearn.metrics.f1_score(y_true, y_pred, pos_label=1)
    assert score(confusion_of(classes, y_true, y_pred)) == pytest.approx(expected)
    named = make_scorer(sklearn.metrics.f1_score, pos_label=classes[1])
    expected = sklearn.metrics.f1_score(y_true, y_pred, pos_label=classes[1])
    score = confusion_score(named, classes)
    assert score(confusion_of(classes, y_true, y_pred)) == pytest.approx(expected)


def test_a_positive_class_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"pos_label=1 is not among the classes \['ant', 'bee'\]"):
        confusion_score(sklearn.metrics.get_scorer("f1"), ["ant", "bee"])


@pytest.mark.parametrize(
    "scorer",
    [
        "roc_auc",
        "neg_log_loss",
        sklearn.metrics.get_scorer("f1"),
        make_scorer(sklearn.metrics.f1_score, average="macro", zero_division=np.nan),
        make_scorer(sklearn.metrics.f1_score, average="macro", labels=[0]),
        make_scorer(sklearn.metrics.balanced_accuracy_score, adjusted=True),
        make_scorer(sklearn.metrics.accuracy_score, normalize=False),
        lambda estimator, X, y: 0.0,
    ],
)
def test_scores_that_are_not_known_to_be_of_the_confusion_matrix_give_none(scorer):
    """Without classes, scikit-learn's f1 is one of them."""
    assert confusion_score(scorer) is None


def test_confusion_scores_keep_the_sign_of_their_scorer():
    scorer = make_scorer(g_mean, greater_is_better=False)
    assert confusion_score(scorer)(np.array([[3, 1], [0, 4]])) == -np.sqrt(0.75)


@pytest.mark.parametrize("classes", [["ant", "bee", "cow"], ["cow", "ant", "bee"], ["cow", "ant"]])
def test_cost_scorer(classes):
    labels = ["ant", "bee", "cow"]
    y_true, y_pred, weight = draw_labels(classes, 1)
    expected = -expected_cost(y_true, y_pred, MATRIX, labels=labels, sample_weight=weight)
    scorer = make_cost_scorer(MATRIX, labels)
    assert score_labels(scorer, classes, y_true, y_pred, weight) == pytest.approx(expected)
    confusion = confusion_of(classes, y_true, y_pred, weight)
    assert confusion_score(scorer, classes)(confusion) == pytest.approx(expected)
    stack = np.stack([confusion, 3 * confusion])
    np.testing.assert_allclose(confusion_score(scorer, classes)(stack), [expected, expected])


def test_cost_scorer_refuses_bad_input():
    with pytest.raises(ValueError, match="with 2 classes"):
        make_cost_scorer(MATRIX, ["a", "b"])
    with pytest.raises(ValueError, match="distinct"):
        make_cost_scorer(MATRIX, ["a", "b", "b"])
    scorer = make_cost_scorer([[0, 1], [9, 0]], ["a", "b"])
    with pytest.raises(ValueError, match=r"classes \['c'\] occur too"):
        confusion_score(scorer, ["a", "c"])
    with pytest.raises(ValueError, match=r"\['c'\] occur"):
        check_label_scorer(scorer, ["a", "c"])


def test_a_scorer_of_ones_own():
    X, y = data(3)
    model = LogisticRegression().fit(X, y)
    scorer = make_confusion_scorer(worst_recall, name="worst recall")
    recalls = sklearn.metrics.recall_score(y, model.predict(X), average=None)
    assert scorer(model, X, y) == pytest.approx(min(recalls))
    assert pickle.loads(pickle.dumps(scorer))(model, X, y) == scorer(model, X, y)
    assert confusion_score(scorer) is worst_recall
    assert "worst recall" in repr(scorer)
    scores = cross_val_score(LogisticRegression(), X, y, scoring=scorer, cv=3)
    assert np.isfinite(scores).all()


@pytest.mark.parametrize("classes", [["ant", "bee", "cow"], ["bee", "cow", "ant"]])
def test_a_scorer_of_ones_own_with_labels_in_an_order(classes):
    labels = ["cow", "ant", "bee"]
    scorer = make_confusion_scorer(recall_of_the_last, labels=labels)
    y_true, y_pred, _ = draw_labels(classes, 2)
    expected = np.mean(y_pred[y_true == "bee"] == "bee")
    assert score_labels(scorer, classes, y_true, y_pred) == expected
    confusion = confusion_of(classes, y_true, y_pred)
    assert confusion_score(scorer, classes)(confusion) == expected
    stack = np.stack([confusion, confusion])
    np.testing.assert_array_equal(confusion_score(scorer, classes)(stack), [expected, expected])


@pytest.mark.parametrize(
    "function", [lambda c: c[1, 1] / c[1].sum(), lambda c: 1.0, lambda c: c.sum(axis=-1)]
)
def test_a_function_that_is_not_vectorized_is_refused(function):
    with pytest.raises(ValueError, match="one score for each matrix"):
        make_confusion_scorer(function, name="mine")


@pytest.mark.parametrize(
    "scorer",
    [
        "matthews_corrcoef",
        "f1_weighted",
        "jaccard_macro",
        make_scorer(sklearn.metrics.zero_one_loss),
    ],
)
def test_score_labels_equals_the_score_of_a_classifier(scorer):
    X, y = data(3)
    model = LogisticRegression().fit(X, y)
    weight = np.linspace(0.1, 2, len(y))
    predicted = model.predict(X)
    expected = get_scorer(scorer)(model, X, y, sample_weight=weight)
    assert score_labels(scorer, model.classes_, y, predicted, weight) == expected
    assert score_labels(scorer, model.classes_, list(y), list(predicted), weight) == expected


def test_score_labels_takes_hand_written_scorers():
    def scorer(estimator, X, y):
        assert sklearn.base.is_classifier(estimator)
        first = estimator.predict(X[:2])
        return (first == y[:2]).mean() + len(estimator.classes_)

    assert score_labels(scorer, [4, 5], [4, 5, 5], [4, 4, 5]) == 2.5


@pytest.mark.parametrize(
    "scorer",
    [
        "roc_auc",
        "neg_log_loss",
        "average_precision",
        "neg_brier_score",
        "roc_auc_ovr",
        "d2_log_loss_score",
        lambda estimator, X, y: estimator.predict_proba(X)[0, 0],
        lambda estimator, X, y: estimator.decision_function(X)[0],
    ],
)
def test_scorers_of_probabilities_are_refused_before_training(scorer):
    message = r"needs probabilities .* use a scorer of labels such as g_mean"
    with pytest.raises(ValueError, match=message):
        check_label_scorer(scorer)


def test_an_error_of_the_scorer_itself_is_not_hidden():
    def scorer(estimator, X, y):
        return estimator.no_such_thing

    with pytest.raises(ValueError, match="AttributeError: no_such_thing") as error:
        check_label_scorer(scorer)
    assert isinstance(error.value.__cause__, AttributeError)


AMOUNTS = np.arange(10.0)


@pytest.mark.parametrize(
    "scorer",
    [
        make_scorer(lambda y_true, y_pred: float(AMOUNTS[y_true == y_pred].sum())),
        make_scorer(lambda y_true, y_pred: float(AMOUNTS[y_true.index].sum())),
        lambda estimator, X, y: float(X[:, 0].sum()),
        lambda estimator, X, y: float(X["amount"].sum()),
    ],
    ids=["amounts", "index", "column", "frame"],
)
def test_scorers_of_more_than_labels_are_told_of_metadata(scorer):
    message = r"gives a scorer arrays of labels and no inputs; .*set_score_request"
    with pytest.raises(ValueError, match=message):
        check_label_scorer(scorer)


def test_a_scorer_without_weights_is_refused_where_there_are_some():
    scorer = make_scorer(lambda y_true, y_pred: float(np.mean(y_true == y_pred)))
    check_label_scorer(scorer)
    with pytest.raises(ValueError, match=r"takes no sample_weight .* give its function"):
        check_label_scorer(scorer, is_weighted=True)


@pytest.mark.parametrize("kind", [float, np.float32, np.array, torch.tensor, Fraction])
def test_any_kind_of_number_is_a_score(kind):
    assert score_labels(make_scorer(lambda y_true, y_pred: kind(0.5)), [0, 1], [0], [0]) == 0.5


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_score_that_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match=r"returned (nan|inf) on labels of every class"):
        check_label_scorer(lambda estimator, X, y: value)


@pytest.mark.parametrize("value", [np.ones(2), torch.ones(2), None, "good"])
def test_a_score_that_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="must be one number"):
        check_label_scorer(lambda estimator, X, y: value)


@pytest.mark.parametrize("scorer", [*OF_LABELS, "matthews_corrcoef", "f1_macro"])
def test_scorers_of_labels_pass_the_check(scorer):
    assert callable(check_label_scorer(scorer))
    assert callable(check_label_scorer(scorer, ["ant", "bee"]))
    made = get_scorer(scorer)
    assert check_label_scorer(made) is made


def test_the_check_tries_the_classes_at_hand():
    with pytest.raises(ValueError, match=r"multiclass but average='binary'|is not a valid label"):
        check_label_scorer("f1", ["a", "b", "c"])
    for name in ("f1", "precision", "recall"):
        with pytest.raises(ValueError, match=f"use 'minority_{name}' for the rarest class"):
            check_label_scorer(name, ["a", "b"])


def test_scores_of_a_population_are_one_call():
    stack = np.random.default_rng(0).integers(1, 9, size=(6, 4, 2, 2))
    score = confusion_score("g_mean")
    assert score is g_mean_from_confusion
    assert score(stack).shape == (6, 4)


def test_a_fold_without_a_class_scores_and_warns():
    X, y = np.zeros((6, 1)), np.array(["ant"] * 5 + ["bee"])
    constant = DummyClassifier().fit(X, y)
    for name in ("g_mean", "balanced_accuracy", *OF_RAREST):
        with pytest.warns(AbsentClassWarning, match="class 'ant' only"):
            assert get_scorer(name)(constant, X[:5], y[:5]) == (0.0 if name in OF_RAREST else 1.0)
