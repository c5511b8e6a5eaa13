"""Weights and costs by label in a fit that lacks a class, as the fold of a grouped split may."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    BayesSearchCV,
    DESearchCV,
    ECOEnsembleClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal.exceptions import AbsentClassWarning, UnknownLabelWarning
from skimbal.metrics import get_scorer, make_cost_scorer
from skimbal.model_selection import CostMatrix, class_weight_space, cost_matrix_space
from skimbal.neural_network import cross_fit, fit_population

GROUPS = np.arange(120) % 4
TARGETS = np.where(GROUPS == 0, np.arange(120) // 4 % 3, GROUPS % 2)  # class 2 is in group 0 only
X = np.random.default_rng(0).normal(size=(120, 3)) + TARGETS[:, None]
FOLDS = list(GroupKFold(4).split(X, TARGETS, GROUPS))
KINDS = {"str": np.array(["a", "b", "c"]), "int": np.array([3, 5, 8])}
WEIGHTS = [1.0, 2.0, 9.0]
PAIRS = np.array([[0.0, 2.0, 3.0], [4.0, 0.0, 5.0], [9.0, 8.0, 0.0]])


def tiny(**params):
    return MLPClassifier(hidden_layer_sizes=(2,), max_epochs=2, random_state=0, **params)


def vectors(classes):
    given = dict(zip(classes.tolist(), WEIGHTS, strict=True))
    return {
        "dict": given,
        "dict with one label": {classes.tolist()[2]: 9.0},
        "series": pd.Series(given)[::-1],
    }


def matrices(classes):
    labels = classes.tolist()
    return {
        "frame": pd.DataFrame(PAIRS, labels, labels).iloc[::-1],
        "dict of pairs": {(labels[2], labels[0]): 9.0, (labels[0], labels[1]): 3.0},
        "CostMatrix": CostMatrix(classes, PAIRS),
    }


VECTORS = {
    "network": lambda given: tiny(class_weight=given),
    "pipeline": lambda given: make_pipeline(StandardScaler(), tiny(class_weight=given)),
    "costs": lambda given: FixedCostClassifier(GaussianNB(), costs=given),
    "costs of a pipeline": lambda given: FixedCostClassifier(
        make_pipeline(StandardScaler(), tiny(class_weight=given)), costs=given
    ),
    "windows": lambda given: WindowedClassifier(tiny(class_weight=given), size=3),
}
OUTER = {  # they make folds themselves, of what may itself be a fold
    "tuned costs": lambda given: TunedCostClassifierCV(
        tiny(class_weight=given), cv=2, max_generations=1, random_state=0
    ),
    "tuned costs on training data": lambda given: TunedCostClassifierCV(
        tiny(class_weight=given), cv="train", max_generations=1, random_state=0
    ),
    "bagging": lambda given: BalancedBaggingNetClassifier(
        tiny(class_weight=given), n_estimators=3, shrinkage=0.5, random_state=0
    ),
    "AdaBoost": lambda given: AdaBoostNetClassifier(
        MLPClassifier(class_weight=given, max_epochs=9, random_state=0), n_estimators=2,
        random_state=0,
    ),
    "ECO": lambda given: ECOEnsembleClassifier(
        tiny(class_weight=given), population_size=3, max_generations=1, random_state=0
    ),
    "ECS-DBN": lambda given: ECSDBNClassifier(
        hidden_layer_sizes=(2,), pretrain_epochs=1, max_epochs=1, class_weight=given, cost_cv=2,
        max_generations=1, random_state=0,
    ),
}  # one group of parameters a line  # fmt: skip
MATRICES = {
    "network": lambda given: tiny(cost_matrix=given),
    "learned": lambda given: tiny(loss="expected_cost", cost_matrix=given),
    "costs": lambda given: FixedCostClassifier(GaussianNB(), costs=given),
    "pipeline": lambda given: make_pipeline(StandardScaler(), tiny(cost_matrix=given)),
}


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.UnknownLabelWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", [*VECTORS, *OUTER])
def test_weights_by_label_in_a_fold_without_the_class(place, kind):
    classes = KINDS[kind]
    for form, given in vectors(classes).items():
        if form == "series" and place not in ("network", "costs"):
            continue
        scores = cross_val_score({**VECTORS, **OUTER}[place](given), X, classes[TARGETS], cv=FOLDS)
        assert np.isfinite(scores).all(), form


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.UnknownLabelWarning")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", MATRICES)
def test_costs_by_label_in_a_fold_without_the_class(place, kind):
    classes = KINDS[kind]
    for form, given in matrices(classes).items():
        scores = cross_val_score(MATRICES[place](given), X, classes[TARGETS], cv=FOLDS)
        assert np.isfinite(scores).all(), form


def test_the_fit_without_the_class_is_that_with_the_other_weights():
    y, train = KINDS["str"][TARGETS], TARGETS < 2
    two = {"a": 1.0, "b": 2.0}
    with pytest.warns(UnknownLabelWarning, match=r"class_weight names the labels \['c'\]"):
        network = tiny(class_weight=two | {"c": 9.0}).fit(X[train], y[train])
    without = tiny(class_weight=two).fit(X[train], y[train])
    np.testing.assert_array_equal(network.predict_proba(X), without.predict_proba(X))
    with pytest.warns(UnknownLabelWarning, match=r"cost_matrix names the labels \['c'\]"):
        network = tiny(cost_matrix=CostMatrix(["a", "b", "c"], PAIRS)).fit(X[train], y[train])
    np.testing.assert_array_equal(network.cost_matrix_, PAIRS[:2, :2])


def test_as_logistic_regression():
    """The scores of scikit-learn's own classifier are finite in the same folds."""
    y = KINDS["str"][TARGETS]
    given = vectors(KINDS["str"])["dict"]
    scores = cross_val_score(LogisticRegression(class_weight=given), X, y, cv=FOLDS)
    assert np.isfinite(scores).all()


# ---------------------------------------------------------------- folds of our own


def searches(estimator, space):
    options = {"cv": GroupKFold(4), "random_state": 0, "refit": True}
    return [
        DESearchCV(estimator, space, population_size=4, max_generations=1, **options),
        BayesSearchCV(estimator, space, n_iter=4, n_initial_points=4, **options),
    ]


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")  # by the inner search
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("estimator", "space"),
    [
        (tiny(), class_weight_space),
        (tiny(), cost_matrix_space),
        (LogisticRegression(), class_weight_space),
        (
            make_pipeline(StandardScaler(), tiny()),
            lambda y: class_weight_space(y, param="mlpclassifier__class_weight"),
        ),
        (
            FixedCostClassifier(GaussianNB()),
            lambda y: class_weight_space(y, param="costs"),
        ),
        (
            GridSearchCV(tiny(), {"learning_rate": [0.01]}, cv=2),
            lambda y: class_weight_space(y, param="estimator__class_weight"),
        ),
    ],
    ids=["weights", "costs", "scikit-learn", "pipeline", "output costs", "search in a search"],
)
def test_searches_by_label(estimator, space, kind):
    y = KINDS[kind][TARGETS]
    for search in searches(estimator, space(y)):
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnknownLabelWarning)
            search.fit(X, y, groups=GROUPS)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_categories_by_label():
    y = KINDS["str"][TARGETS]
    series = pd.Series(vectors(KINDS["str"])["dict"])
    space = {"class_weight": [None, series, series[::-1] * 2, {"c": 5.0}]}
    for search in searches(tiny(), space):
        search.fit(X, y, groups=GROUPS)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert {type(value) for value in search.cv_results_["param_class_weight"]} <= {
            dict,
            type(None),
        }


def test_folds_of_our_own_say_nothing():
    y, given = KINDS["str"][TARGETS], {"a": 1.0, "b": 2.0, "c": 9.0}
    network = tiny(class_weight=given)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UnknownLabelWarning)
        assert np.isfinite(cross_fit(network, X, y, FOLDS)).all()
        fit_population(network, X, y, [train for train, _ in FOLDS])
        tuned = TunedCostClassifierCV(
            make_pipeline(StandardScaler(), network), cv=FOLDS, max_generations=1, random_state=0
        )
        tuned.fit(X, y)
        nested = TunedCostClassifierCV(
            FixedCostClassifier(network, costs={"c": 3.0}), cv=2, max_generations=1
        )
        cross_fit(nested.set_params(random_state=0), X, y, FOLDS)


def test_one_warning_where_an_outer_estimator_may_be_in_a_fold():
    y, train = KINDS["str"][TARGETS], TARGETS < 2
    given = {"a": 1.0, "b": 2.0, "c": 9.0}
    for make in OUTER.values():
        with pytest.warns(UnknownLabelWarning) as caught:
            make(given).fit(X[train], y[train])
        assert [w.category for w in caught].count(UnknownLabelWarning) == 1
        assert {w.filename for w in caught if w.category is UnknownLabelWarning} == {__file__}


# ---------------------------------------------------------------- labels that no class has


Y = KINDS["str"][TARGETS]
TYPO = {"a": 1.0, "b": 2.0, "C": 9.0}
EXTRA = {"a": 1.0, "b": 2.0, "c": 9.0, "d": 1.0}


def costs_of(given):
    """A cost for each label: that of predicting "a"."""
    return {(label, "a"): cost for label, cost in dict(given).items() if label != "a"}


NO_LABELS = {
    "search": lambda given: DESearchCV(tiny(class_weight=given), {"learning_rate": (0.01, 0.1)}),
    "search, pipeline": lambda given: BayesSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(class_weight=given)),
        {"logisticregression__C": (0.1, 1.0)},
    ),
    "search, categories": lambda given: DESearchCV(tiny(), {"class_weight": [None, given]}),
    "search, estimators": lambda given: DESearchCV(
        FixedCostClassifier(GaussianNB()), {"estimator": [tiny(class_weight=given), GaussianNB()]}
    ),
    "search, output costs": lambda given: DESearchCV(
        FixedCostClassifier(GaussianNB(), costs=given), {"estimator__var_smoothing": (0.1, 1.0)}
    ),
    "search, score": lambda given: DESearchCV(
        tiny(), {"learning_rate": (0.01, 0.1)}, scoring=make_cost_scorer(costs_of(given))
    ),
    "search, scores": lambda given: BayesSearchCV(
        tiny(),
        {"learning_rate": (0.01, 0.1)},
        scoring={"cost": make_cost_scorer(costs_of(given)), "g_mean": "g_mean"},
        refit="g_mean",
    ),
    "search, tuned costs": lambda given: DESearchCV(
        TunedCostClassifierCV(tiny(class_weight=given)), {"shrinkage": (0.1, 1.0)}
    ),
}


@pytest.mark.parametrize("given", [TYPO, pd.Series(TYPO)], ids=["typo", "series"])
@pytest.mark.parametrize("place", NO_LABELS)
def test_a_search_refuses_weights_that_miss_a_class(place, given):
    with pytest.raises(ValueError, match=r"names the labels \['C'\], but the classes are"):
        NO_LABELS[place](given).fit(X, Y)


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.BalancedTwiceWarning")
@pytest.mark.parametrize("place", [place for place in NO_LABELS if place != "search, tuned costs"])
def test_a_search_of_a_fold_warns_once_of_other_labels(place):
    """All classes have weights, so nothing is wrong if the data are a fold of larger ones."""
    search = NO_LABELS[place](EXTRA)
    one_round = {"population_size": 4, "max_generations": 1} | {"n_iter": 3, "n_initial_points": 3}
    known = {name: value for name, value in one_round.items() if name in search.get_params()}
    search.set_params(**known, cv=2, random_state=0)
    with pytest.warns(UnknownLabelWarning, match=r"names the labels \['d'\]") as caught:
        search.fit(X, Y)
    assert [w.category for w in caught].count(UnknownLabelWarning) == 1


SPACES = {
    "weights": lambda y: (tiny(), class_weight_space(y)),
    "costs": lambda y: (tiny(), cost_matrix_space(y)),
    "output costs": lambda y: (
        FixedCostClassifier(GaussianNB()), class_weight_space(y, param="costs")
    ),
    "output costs of pairs": lambda y: (
        FixedCostClassifier(GaussianNB()), cost_matrix_space(y, param="costs")
    ),
    "scikit-learn": lambda y: (LogisticRegression(), class_weight_space(y)),
    "given weights": lambda y: (
        tiny(class_weight=dict.fromkeys(np.unique(y).tolist(), 2.0)),
        {f"class_weight__{np.unique(y)[2]}": (1.0, 9.0)},
    ),
    "given costs": lambda y: (tiny(cost_matrix=CostMatrix(y)), cost_matrix_space(y)),
}  # one group of parameters a line  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", SPACES)
def test_a_search_by_label_in_a_fold_without_the_class(place, kind):
    """As in nested cross-validation: the space was made from all labels."""
    y, train = KINDS[kind][TARGETS], TARGETS < 2
    absent = np.unique(y)[2].item()
    for search in searches(*SPACES[place](y)):
        with pytest.warns(UnknownLabelWarning, match=rf"names the labels \[{absent!r}\]") as caught:
            search.set_params(cv=2).fit(X[train], y[train])
        assert [w.category for w in caught].count(UnknownLabelWarning) == 1
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()
        assert set(search.best_params_) == set(SPACES[place](y)[1])


def test_the_values_of_other_labels_do_not_matter():
    y, train = KINDS["str"][TARGETS], TARGETS < 2
    found = []
    for given in ({"a": 2.0, "b": 3.0}, {"a": 2.0, "b": 3.0, "c": 9.0}):
        search = DESearchCV(
            tiny(class_weight=given), {"class_weight__a": (1.0, 9.0)}, population_size=4,
            max_generations=1, cv=2, random_state=0,
        )  # one group of parameters a line  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnknownLabelWarning)
            found.append(search.fit(X[train], y[train]))
    assert found[1].best_estimator_.class_weight["c"] == 9.0
    weights = [search.best_estimator_.class_weight_ for search in found]
    np.testing.assert_array_equal(*weights)


@pytest.mark.parametrize(
    "names",
    [
        ["class_weight__C"],
        ["class_weight__b", "class_weight__C"],
        ["cost_matrix__a__C"],
        ["cost_matrix__a__b__c"],
    ],
)
def test_a_misspelled_label_in_a_space(names):
    for search in searches(tiny(), dict.fromkeys(names, (1.0, 9.0))):
        with pytest.raises(ValueError, match="unknown label in"):
            search.fit(X, Y)


@pytest.mark.parametrize(
    "make",
    [
        lambda: BaggingClassifier(tiny(class_weight={"a": 1.0, "b": 2.0, "c": 9.0})),
        lambda: TunedCostClassifierCV(BaggingClassifier(tiny(class_weight={"c": 9.0}))),
        lambda: VotingClassifier([("net", tiny(cost_matrix={("a", "b"): 9.0}))]),
    ],
)
def test_ensembles_that_number_the_classes(make):
    """Their members see the labels 0, 1 and 2, so weights of texts would be lost."""
    with pytest.raises(ValueError, match=r"classes are \[0, 1, 2\].*the numbers 0, 1"):
        make().fit(X, Y)


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.AbsentClassWarning")
def test_average_precision_of_a_class_that_the_classifier_does_not_know():
    """Its score is constant, so the average precision is the frequency."""
    classifier = GaussianNB().fit(X[TARGETS < 2], Y[TARGETS < 2])
    rows = np.flatnonzero(TARGETS == 2)[:3].tolist() + np.flatnonzero(TARGETS < 2)[:40].tolist()
    assert get_scorer("minority_average_precision")(classifier, X[rows], Y[rows]) == 3 / 43
    scores = cross_val_score(
        GaussianNB(), X, Y, cv=FOLDS, scoring=get_scorer("minority_average_precision")
    )
    assert np.isfinite(scores).all()


def test_a_cost_scorer_in_a_search_with_folds_that_lack_the_class():
    scorer = make_cost_scorer({("c", "a"): 9})
    for search in searches(tiny(), {"learning_rate": (0.01, 0.1)}):
        search.set_params(scoring=scorer)
        with warnings.catch_warnings():
            warnings.simplefilter("error", UnknownLabelWarning)
            search.fit(X, Y, groups=GROUPS)
        assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    "call",
    [
        lambda given: cross_fit(tiny(class_weight=given), X, Y, 2),
        lambda given: fit_population([tiny(), tiny(class_weight=given)], X, Y),
    ],
    ids=["cross_fit", "fit_population"],
)
def test_populations_know_all_labels(call):
    with pytest.raises(ValueError, match="names the labels"):
        call(TYPO)
    with pytest.warns(UnknownLabelWarning) as caught:
        call(EXTRA)
    assert [w.category for w in caught].count(UnknownLabelWarning) == 1


@pytest.mark.parametrize("place", [*VECTORS, *OUTER])
def test_every_classifier_warns_of_the_same_labels(place):
    """The fit of a classifier may be that of a fold, whether it makes folds itself or not."""
    make = {**VECTORS, **OUTER}[place]
    with pytest.warns(UnknownLabelWarning, match=r"names the labels \['C'\]"):
        make(TYPO).fit(X, Y)
    with pytest.raises(ValueError, match=r"names the labels \['C'\]"):
        make(pd.Series(TYPO)).fit(X, Y)


def test_a_frozen_or_foreign_estimator_has_labels_of_its_own():
    """One against the rest has the labels 0 and 1 inside."""
    inner = OneVsRestClassifier(LogisticRegression(class_weight={0: 1, 1: 9}))
    search = DESearchCV(inner, {"estimator__C": (0.1, 1.0)}, population_size=4, max_generations=1)
    assert np.isfinite(search.fit(X, Y).best_score_)


@pytest.mark.filterwarnings("ignore::skimbal.exceptions.UnknownLabelWarning")
def test_with_metadata_routing():
    with config_context(enable_metadata_routing=True):
        tuned = TunedCostClassifierCV(
            tiny(class_weight={"a": 1, "b": 1, "c": 9}), cv=2, max_generations=1, random_state=0
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AbsentClassWarning)
            assert np.isfinite(cross_val_score(tuned, X, Y, cv=FOLDS, scoring="accuracy")).all()
