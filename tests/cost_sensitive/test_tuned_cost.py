"""Costs tuned on held-out samples: one list of splits, every cv, weights, seeds, bad input."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from imblearn.ensemble import BalancedRandomForestClassifier
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline as imblearn_pipeline
from joblib import parallel_config
from scipy.sparse import csr_array
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import make_scorer, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_predict,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skimbal import FixedCostClassifier, MLPClassifier, TunedCostClassifierCV
from skimbal._fitting import Fit, run_fit
from skimbal.cost_sensitive import find_costs
from skimbal.exceptions import BalancedTwiceWarning, FewerFoldsWarning
from skimbal.metrics import decide_by_costs, g_mean, get_scorer


def data(n_classes=2, n_samples=120, seed=0):
    """Imbalanced, overlapping, four features."""
    rng = np.random.default_rng(seed)
    counts = np.maximum(n_samples * 0.25 ** np.arange(n_classes), 12).astype(int)
    y = np.repeat(np.arange(n_classes), counts)
    centers = rng.normal(scale=1.2, size=(n_classes, 4))
    order = rng.permutation(len(y))
    return (centers[y] + rng.normal(size=(len(y), 4)))[order], y[order]


X, y = data()
NAMES = np.array(["usual", "rare", "rarest"])


class Untrainable(ClassifierMixin, BaseEstimator):
    """Fails in fit: an error that comes before any training is another one."""

    def fit(self, X, y, sample_weight=None):
        raise AssertionError("trained")

    def predict_proba(self, X):
        raise AssertionError("trained")


class NeedsHint(GaussianNB):
    """Takes a parameter of fit that has a value for each sample."""

    def fit(self, X, y, sample_weight=None, hint=None):
        assert len(hint) == len(X)
        np.testing.assert_array_equal(hint, X[:, 0])
        return super().fit(X, y, sample_weight)


class Recording(GaussianNB):
    """Counts what all of its clones are given."""

    n_rows: list = []

    def fit(self, X, y, sample_weight=None):
        self.n_rows.append(len(X))
        return super().fit(X, y, sample_weight)


class CountingSplitter:
    """Random splits that differ from call to call; counts the calls (scikit-learn#33540)."""

    def __init__(self):
        self.n_calls = 0

    def split(self, X, y=None, groups=None):
        self.n_calls += 1
        self.splits = list(StratifiedKFold(3, shuffle=True).split(X, y))
        return iter(self.splits)

    def get_n_splits(self, X=None, y=None, groups=None):
        return 3


def assert_same(first, second):
    for name in ("costs_", "fold_costs_", "best_score_", "n_folds_"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


# ------------------------------------------------------------ what is found


@pytest.mark.parametrize("n_classes", [2, 3])
def test_costs_are_those_of_the_out_of_fold_probabilities(n_classes):
    X, y = data(n_classes)
    cv = StratifiedKFold(4)
    tuned = TunedCostClassifierCV(GaussianNB(), cv=cv, search="jade", random_state=0).fit(X, y)
    rows = np.concatenate([test for _, test in cv.split(X, y)])
    proba = cross_val_predict(GaussianNB(), X, y, cv=cv, method="predict_proba")
    best = find_costs(y[rows], proba[rows], search="jade", random_state=0)
    assert tuned.unregularized_score_ == pytest.approx(best.score, abs=0.02)
    assert tuned.best_score_ == pytest.approx(g_mean(y, decide_by_costs(proba, tuned.costs_)))
    if n_classes == 2:
        np.testing.assert_allclose(tuned.costs_, best.costs)
    np.testing.assert_array_equal(tuned.predict_proba(X), GaussianNB().fit(X, y).predict_proba(X))


@pytest.mark.parametrize("n_classes", [2, 3])
def test_predict_is_the_largest_probability_times_cost(n_classes):
    X, y = data(n_classes)
    tuned = TunedCostClassifierCV(GaussianNB(), random_state=0, max_generations=5).fit(X, y)
    expected = (tuned.predict_proba(X) * tuned.costs_).argmax(axis=1)
    np.testing.assert_array_equal(tuned.predict(X), expected)
    assert (expected != tuned.predict_proba(X).argmax(axis=1)).any()
    np.testing.assert_allclose(tuned.predict_log_proba(X), np.log(tuned.predict_proba(X)))


def test_fitted_attributes_have_the_shapes_they_promise():
    X, y = data(3)
    tuned = TunedCostClassifierCV(
        GaussianNB(), cv=4, search="jade", random_state=0, max_generations=5
    ).fit(X, y)
    assert tuned.classes_.tolist() == [0, 1, 2]
    assert tuned.costs_.shape == (3,)
    assert np.log(tuned.costs_).mean() == pytest.approx(0.0)
    assert tuned.fold_costs_.shape == (4, 3)
    assert tuned.n_folds_ == 4
    np.testing.assert_array_equal(
        tuned.cost_matrix_, np.outer(tuned.costs_, [1] * 3) * ~np.eye(3, dtype=bool)
    )
    results = tuned.cv_results_
    assert set(results) == {"costs", "score", "generation"}
    assert len(results["costs"]) == len(results["score"]) == len(results["generation"])
    assert results["costs"].shape[1] == 3
    assert results["score"].max() == pytest.approx(tuned.unregularized_score_)


def test_tuning_raises_the_score_on_new_data():
    """Not certain on any one set, so the mean of several."""
    plain, tuned = [], []
    for seed in range(5):
        X, y = data(2, 400, seed)
        half = np.arange(len(y)) % 2 == 0
        model = LogisticRegression().fit(X[half], y[half])
        plain.append(g_mean(y[~half], model.predict(X[~half])))
        model = TunedCostClassifierCV(model, random_state=0).fit(X[half], y[half])
        tuned.append(g_mean(y[~half], model.predict(X[~half])))
    assert np.mean(tuned) > np.mean(plain) + 0.01


def test_shrinkage_keeps_the_unregularized_score():
    none, full = (
        TunedCostClassifierCV(GaussianNB(), shrinkage=s, random_state=0).fit(X, y) for s in (0, 1)
    )
    counts = np.bincount(y)
    assert full.costs_[1] / full.costs_[0] == pytest.approx(counts[0] / counts[1], rel=0.05)
    assert none.best_score_ == none.unregularized_score_ == full.unregularized_score_
    assert full.best_score_ < full.unregularized_score_


def test_the_default_estimator_is_a_network():
    tuned = TunedCostClassifierCV(cv=2, random_state=0)
    tuned._base_estimator = lambda: MLPClassifier(max_epochs=2)
    assert isinstance(TunedCostClassifierCV()._base_estimator(), MLPClassifier)
    assert isinstance(tuned.fit(X, y).estimator_, MLPClassifier)


# ------------------------------------------------------------ where probabilities come from


def test_splits_are_made_once_and_used_for_everything():
    splitter = CountingSplitter()
    tuned = TunedCostClassifierCV(GaussianNB(), cv=splitter).fit(X, y)
    assert splitter.n_calls == 1
    assert tuned.n_folds_ == 3
    for (train, test), costs in zip(splitter.splits, tuned.fold_costs_, strict=True):
        proba = GaussianNB().fit(X[train], y[train]).predict_proba(X[test])
        np.testing.assert_array_equal(costs, find_costs(y[test], proba).costs)
    same = TunedCostClassifierCV(GaussianNB(), cv=splitter.splits).fit(X, y)
    np.testing.assert_array_equal(tuned.costs_, same.costs_)


@pytest.mark.parametrize(
    ("cv", "n_folds"),
    [
        (3, 3),
        (None, 5),
        (0.3, 1),
        (KFold(3, shuffle=True, random_state=0), 3),
        (RepeatedStratifiedKFold(n_splits=2, n_repeats=3, random_state=0), 6),
        (list(StratifiedKFold(4).split(X, y)), 4),
    ],
)
def test_every_kind_of_cv(cv, n_folds):
    tuned = TunedCostClassifierCV(GaussianNB(), cv=cv, random_state=0).fit(X, y)
    assert tuned.n_folds_ == n_folds == len(tuned.fold_costs_)
    assert tuned.costs_[1] > tuned.costs_[0]


def test_a_fraction_is_held_out_once():
    Recording.n_rows.clear()
    TunedCostClassifierCV(Recording(), cv=0.25, random_state=0).fit(X, y)
    assert Recording.n_rows == [round(0.75 * len(y)), len(y)]


def test_without_refit_the_classifier_of_the_split_is_kept():
    Recording.n_rows.clear()
    cv = StratifiedShuffleSplit(1, test_size=0.4, random_state=0)
    tuned = TunedCostClassifierCV(Recording(), cv=cv, refit=False).fit(X, y)
    ((train, test),) = cv.split(X, y)
    assert Recording.n_rows == [len(train)]
    expected = find_costs(y[test], tuned.predict_proba(X[test]))
    np.testing.assert_array_equal(tuned.costs_, expected.costs)


def test_an_ensemble_keeps_the_classifiers_of_the_folds():
    Recording.n_rows.clear()
    cv = StratifiedKFold(4, shuffle=True, random_state=0)
    tuned = TunedCostClassifierCV(Recording(), cv=cv, refit="ensemble").fit(X, y)
    splits = list(cv.split(X, y))
    assert Recording.n_rows == [len(train) for train, _ in splits]
    members = [GaussianNB().fit(X[train], y[train]) for train, _ in splits]
    np.testing.assert_allclose(
        tuned.predict_proba(X), sum(m.predict_proba(X) for m in members) / 4, rtol=1e-12
    )
    refitted = TunedCostClassifierCV(GaussianNB(), cv=cv).fit(X, y)
    np.testing.assert_array_equal(tuned.costs_, refitted.costs_)


@pytest.mark.slow
def test_the_members_of_an_ensemble_have_seeds_of_their_own():
    forest = RandomForestClassifier(3, random_state=0)
    tuned = TunedCostClassifierCV(forest, cv=4, refit="ensemble", random_state=0).fit(X, y)
    seeds = [member.random_state for member in tuned.estimator_.estimators_]
    assert len(set(seeds)) == 4
    again = TunedCostClassifierCV(forest, cv=4, refit="ensemble", random_state=0).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), tuned.predict_proba(X))
    parallel = TunedCostClassifierCV(forest, cv=4, refit="ensemble", random_state=0, n_jobs=2).fit(
        X, y
    )
    np.testing.assert_array_equal(parallel.predict_proba(X), tuned.predict_proba(X))


def test_the_seed_of_the_estimator_seeds_the_members_where_there_is_no_other():
    tuned = TunedCostClassifierCV(
        RandomForestClassifier(3, random_state=7), cv=StratifiedKFold(3), refit="ensemble"
    )
    first, second = clone(tuned).fit(X, y), clone(tuned).fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))
    assert len({member.random_state for member in first.estimator_.estimators_}) == 3


def test_splits_may_be_an_array():
    half = np.arange(len(y)).reshape(2, -1)
    splits = np.array([[half[0], half[1]], [half[1], half[0]]])
    tuned = TunedCostClassifierCV(GaussianNB(), cv=splits).fit(X, y)
    listed = TunedCostClassifierCV(GaussianNB(), cv=list(splits)).fit(X, y)
    np.testing.assert_array_equal(tuned.costs_, listed.costs_)


def test_an_ensemble_of_one_split_is_its_classifier():
    cv = StratifiedShuffleSplit(1, test_size=0.4, random_state=0)
    kept = TunedCostClassifierCV(GaussianNB(), cv=cv, refit=False).fit(X, y)
    tuned = TunedCostClassifierCV(GaussianNB(), cv=cv, refit="ensemble").fit(X, y)
    assert isinstance(tuned.estimator_, GaussianNB)
    np.testing.assert_array_equal(tuned.predict_proba(X), kept.predict_proba(X))


def test_prefit_searches_on_what_fit_is_given_and_trains_nothing():
    half = np.arange(len(y)) % 2 == 0
    fitted = GaussianNB().fit(X[half], y[half])
    before = pickle.dumps(fitted)
    tuned = TunedCostClassifierCV(fitted, cv="prefit").fit(X[~half], y[~half])
    assert pickle.dumps(fitted) == before
    expected = find_costs(y[~half], fitted.predict_proba(X[~half]))
    np.testing.assert_array_equal(tuned.costs_, expected.costs)
    np.testing.assert_array_equal(tuned.predict_proba(X), fitted.predict_proba(X))
    assert (tuned.n_folds_, tuned.fold_costs_.shape) == (0, (0, 2))


def test_train_searches_on_the_probabilities_of_the_training_samples():
    forest = RandomForestClassifier(20, random_state=0)
    tuned = TunedCostClassifierCV(forest, cv="train").fit(X, y)
    expected = find_costs(y, clone(forest).fit(X, y).predict_proba(X))
    np.testing.assert_array_equal(tuned.costs_, expected.costs)
    assert tuned.best_score_ > 0.99
    assert tuned.n_folds_ == 0
    held_out = TunedCostClassifierCV(forest, random_state=0).fit(X, y)
    assert held_out.costs_[1] > 1.3 * tuned.costs_[1]


def test_fewer_folds_where_a_class_is_small():
    few = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:3]]
    with pytest.warns(
        FewerFoldsWarning, match="class 1 has 3 samples, but cv=5 .* 3 folds"
    ) as seen:
        tuned = TunedCostClassifierCV(GaussianNB(), random_state=0).fit(X[few], y[few])
    assert tuned.n_folds_ == 3
    assert seen[0].filename == __file__


def test_a_fold_without_a_class_has_no_costs():
    order = np.argsort(y, kind="stable")
    folds = [(order[:60], order[60:]), (order[30:], order[:30])]
    tuned = TunedCostClassifierCV(FixedCostClassifier(GaussianNB()), cv=folds)
    with pytest.raises(ValueError, match="two or more classes"):  # the first trains on one class
        tuned.fit(X, y)
    folds = [(order[20:], order[:20]), (np.r_[order[:60], order[-20:]], order[60:])]
    tuned = TunedCostClassifierCV(GaussianNB(), cv=folds).fit(X, y)
    np.testing.assert_array_equal(np.isnan(tuned.fold_costs_), [[True, True], [False, False]])
    assert np.isfinite(tuned.costs_).all()


def test_a_fold_whose_model_has_not_seen_a_class():
    """Its probabilities of that class are 0, in the right column."""
    X, y = data(3)
    train = np.flatnonzero(y != 1)
    folds = [(train, np.arange(0, len(y), 2)), (np.arange(len(y)), np.arange(1, len(y), 2))]
    tuned = TunedCostClassifierCV(GaussianNB(), cv=folds, random_state=0, max_generations=3)
    tuned.fit(X, y)
    proba = np.zeros((len(folds[0][1]), 3))
    proba[:, [0, 2]] = GaussianNB().fit(X[train], y[train]).predict_proba(X[::2])
    rest = GaussianNB().fit(X, y).predict_proba(X[1::2])
    pooled, truth = np.concatenate([proba, rest]), np.concatenate([y[::2], y[1::2]])
    decided = decide_by_costs(pooled, tuned.costs_)
    assert tuned.best_score_ == pytest.approx(g_mean(truth, decided))
    assert tuned.predict_proba(X).shape == (len(y), 3)


@pytest.mark.parametrize(
    "estimator",
    [GaussianNB(), MLPClassifier(max_epochs=2), make_pipeline(StandardScaler(), GaussianNB())],
    ids=["other", "network", "pipeline"],
)
@pytest.mark.parametrize("options", [{}, {"refit": "ensemble"}, {"cv": "train"}], ids=str)
def test_a_fit_on_checked_arrays_is_the_fit(estimator, options):
    tuned = TunedCostClassifierCV(estimator, **{"cv": 3, **options}, random_state=0)
    checked = clone(tuned)
    run_fit(Fit(checked, X, y, is_checked=True).coroutine())
    assert_same(checked, tuned.fit(X, y))


# ------------------------------------------------------------ seeds


def test_one_seed_gives_one_result_although_the_estimator_has_none():
    forest = RandomForestClassifier(5, random_state=None)
    first, second = (TunedCostClassifierCV(forest, random_state=0).fit(X, y) for _ in range(2))
    assert_same(first, second)
    pipeline = make_pipeline(StandardScaler(), forest)
    first, second = (TunedCostClassifierCV(pipeline, random_state=0).fit(X, y) for _ in range(2))
    assert_same(first, second)
    assert forest.random_state is None


def test_the_estimators_own_seed_is_kept():
    forest = RandomForestClassifier(5, random_state=3)
    tuned = TunedCostClassifierCV(forest, random_state=0).fit(X, y)
    assert tuned.estimator_.random_state == 3


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_parallel_folds_give_the_same_result(backend):
    forest = RandomForestClassifier(5)
    one, two = (TunedCostClassifierCV(forest, cv=3, n_jobs=n, random_state=0) for n in (1, 2))
    with parallel_config(backend):
        assert_same(one.fit(X, y), two.fit(X, y))


# ------------------------------------------------------------ labels, inputs, weights


def test_labels_of_any_type():
    X, y = data(3)
    numbers = TunedCostClassifierCV(GaussianNB(), random_state=0, max_generations=3).fit(X, y)
    order = np.argsort(NAMES)  # "rare", "rarest", "usual"
    names = TunedCostClassifierCV(GaussianNB(), random_state=0, max_generations=3).fit(X, NAMES[y])
    assert names.classes_.tolist() == NAMES[order].tolist()
    assert set(names.predict(X)) <= set(NAMES)
    assert names.best_score_ == pytest.approx(numbers.best_score_, abs=0.05)
    objects = clone(names).fit(X, NAMES[y].astype(object))
    np.testing.assert_array_equal(objects.costs_, names.costs_)
    assert objects.predict(X).tolist() == names.predict(X).tolist()


def test_frames_and_sparse_inputs():
    frame = pd.DataFrame(X, columns=list("abcd"), index=np.arange(len(y))[::-1])
    model = LogisticRegression()
    plain = TunedCostClassifierCV(model, random_state=0).fit(X, y)
    tuned = TunedCostClassifierCV(model, random_state=0).fit(frame, pd.Series(y, frame.index))
    assert tuned.feature_names_in_.tolist() == list("abcd")
    assert plain.n_features_in_ == tuned.n_features_in_ == 4
    np.testing.assert_array_equal(tuned.predict(frame), plain.predict(X))
    tuned.fit(X, y)
    assert not hasattr(tuned, "feature_names_in_")
    sparse = TunedCostClassifierCV(model, random_state=0).fit(csr_array(X), y)
    np.testing.assert_allclose(sparse.costs_, plain.costs_, rtol=1e-3)


def test_sample_weight_reaches_the_classifier_and_the_score():
    weight = np.random.default_rng(0).integers(1, 4, size=len(y)).astype(float)
    splits = list(StratifiedKFold(3).split(X, y))
    tuned = TunedCostClassifierCV(GaussianNB(), cv=splits).fit(X, y, weight)
    proba = np.concatenate(
        [GaussianNB().fit(X[a], y[a], weight[a]).predict_proba(X[b]) for a, b in splits]
    )
    rows = np.concatenate([b for _, b in splits])
    expected = find_costs(y[rows], proba, sample_weight=weight[rows])
    np.testing.assert_array_equal(tuned.costs_, expected.costs)
    final = GaussianNB().fit(X, y, weight)
    np.testing.assert_array_equal(tuned.predict_proba(X), final.predict_proba(X))


def test_a_classifier_without_sample_weight_warns_and_weighs_the_score():
    weight = np.where(y == 0, 1.0, 5.0) * np.random.default_rng(0).uniform(0.5, 2, len(y))
    splits = list(StratifiedKFold(3).split(X, y))
    tuned = TunedCostClassifierCV(KNeighborsClassifier(), cv=splits)
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample_weight") as seen:
        tuned.fit(X, y, sample_weight=weight)
    assert seen[0].filename == __file__
    proba = cross_val_predict(KNeighborsClassifier(), X, y, cv=splits, method="predict_proba")
    decided = decide_by_costs(proba, tuned.costs_)
    assert tuned.best_score_ == pytest.approx(g_mean(y, decided, sample_weight=weight))


def test_other_parameters_of_fit_are_cut_to_the_fold():
    tuned = TunedCostClassifierCV(NeedsHint(), cv=3, random_state=0)
    tuned.fit(X, y, hint=X[:, 0])
    plain = TunedCostClassifierCV(GaussianNB(), cv=3, random_state=0).fit(X, y)
    np.testing.assert_array_equal(tuned.costs_, plain.costs_)


@pytest.mark.usefixtures("routing")
def test_metadata_is_routed_to_the_classifier_and_to_the_splitter():
    groups = np.arange(len(y)) % 7
    weight = np.random.default_rng(0).uniform(0.5, 2, len(y))
    estimator = GaussianNB().set_fit_request(sample_weight=True)
    tuned = TunedCostClassifierCV(estimator, cv=GroupKFold(3))
    tuned.fit(X, y, sample_weight=weight, groups=groups)
    splits = list(GroupKFold(3).split(X, y, groups))
    same = TunedCostClassifierCV(estimator, cv=splits).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(tuned.costs_, same.costs_)
    unweighted = TunedCostClassifierCV(GaussianNB(), cv=splits).fit(X, y)
    assert not np.array_equal(unweighted.predict_proba(X), tuned.predict_proba(X))
    refusing = GaussianNB().set_fit_request(sample_weight=False)
    only_score = TunedCostClassifierCV(refusing, cv=splits).fit(X, y, sample_weight=weight)
    np.testing.assert_array_equal(only_score.predict_proba(X), unweighted.predict_proba(X))
    assert only_score.best_score_ != unweighted.best_score_


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


# ------------------------------------------------------------ composition


def test_clone_pickle_and_parameters():
    tuned = TunedCostClassifierCV(LogisticRegression(C=0.5), cv=3, random_state=0)
    copy = clone(tuned).set_params(estimator__C=2.0, shrinkage=0.5)
    assert (copy.estimator.C, tuned.estimator.C, copy.shrinkage) == (2.0, 0.5, 0.5)
    fitted = tuned.fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(again.predict(X), fitted.predict(X))
    assert tuned.estimator.C == fitted.estimator_.C


def test_works_in_pipelines_searches_and_cross_validation():
    pipeline = make_pipeline(
        StandardScaler(), TunedCostClassifierCV(LogisticRegression(), cv=3, random_state=0)
    )
    scoring = get_scorer("g_mean")
    assert cross_val_score(pipeline, X, y, scoring=scoring, cv=3).mean() > 0.6
    grid = {"tunedcostclassifiercv__shrinkage": [0.0, 1.0]}
    search = GridSearchCV(pipeline, grid, scoring=scoring, cv=3).fit(X, y)
    assert len(search.cv_results_["params"]) == 2
    inside = TunedCostClassifierCV(
        GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2), cv=2, random_state=0
    )
    assert inside.fit(X, y).estimator_.best_params_["C"] in (0.1, 1)
    frozen = TunedCostClassifierCV(FrozenEstimator(GaussianNB().fit(X, y)), cv=3).fit(X, y)
    np.testing.assert_array_equal(frozen.predict_proba(X), GaussianNB().fit(X, y).predict_proba(X))


def test_methods_are_those_of_the_classifier():
    assert hasattr(TunedCostClassifierCV(LogisticRegression()), "decision_function")
    assert not hasattr(TunedCostClassifierCV(GaussianNB()), "decision_function")
    tuned = TunedCostClassifierCV(LogisticRegression(), random_state=0).fit(X, y)
    np.testing.assert_array_equal(
        tuned.decision_function(X), LogisticRegression().fit(X, y).decision_function(X)
    )
    with pytest.raises(NotFittedError):
        clone(tuned).predict(X)


# ------------------------------------------------------------ bad input, before any training

RARE = np.r_[np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:1]]
BAD = [
    ({}, {"y": np.zeros(len(y))}, "y has 1 class"),
    ({}, {"X": X[RARE], "y": NAMES[y[RARE]]}, "class 'rare' has 1 sample, but cv=5 needs at least"),
    ({"cv": 0.5}, {"X": X[RARE], "y": y[RARE]}, "1 member|only 1"),
    ({"cv": 2, "refit": False}, {}, "cv=2 makes 2 of them"),
    ({"cv": [(np.flatnonzero(y == 0), np.arange(9))], "refit": False}, {}, "trains on no sample"),
    (
        {
            "cv": [(np.arange(len(y)), np.arange(9)), (np.flatnonzero(y), np.arange(9))],
            "refit": "ensemble",
        },
        {},
        r"one of which trains on no sample of the classes \[0\]",
    ),
    ({"refit": "both"}, {}, "The 'refit' parameter"),
    ({"cv": ShuffleSplit(1, test_size=1)}, {}, r"hold out no sample of the classes \[[01]\]"),
    ({"cv": 1}, {}, "k-fold|n_splits"),
    ({"cv": "loo"}, {}, "The 'cv' parameter"),
    ({"cv": 1.5}, {}, "The 'cv' parameter"),
    ({"scoring": "roc_auc"}, {}, "proba|labels"),
    ({"scoring": make_scorer(roc_auc_score, response_method="predict_proba")}, {}, "proba|labels"),
    ({"scoring": "g-mean"}, {}, "did you mean 'g_mean'"),
    ({"scoring": "precision"}, {"y": NAMES[y]}, "pos_label"),
    ({"search": "exact"}, {"y": np.arange(len(y)) % 3}, "there are 3; use 'jade'"),
    ({"search": "grid"}, {"y": np.arange(len(y)) % 5}, "up to 4 classes"),
    ({"search": "random"}, {}, "The 'search' parameter"),
    ({"shrinkage": -0.1}, {}, "The 'shrinkage' parameter"),
    ({"population_size": 2}, {}, "The 'population_size' parameter"),
    ({}, {"sample_weight": -np.ones(len(y))}, "[Nn]egative"),
    ({}, {"sample_weight": np.ones(3)}, "sample_weight"),
    ({}, {"sample_weight": (y == 0).astype(float)}, "y has 1 class with a positive sample_weight"),
    (
        {},
        {"y": np.arange(len(y)) % 3, "sample_weight": (np.arange(len(y)) % 3 > 0).astype(float)},
        r"the classes \[0\] have no sample with a positive sample_weight",
    ),
    ({}, {"y": np.where(y == 0, np.nan, y)}, "NaN"),
    ({}, {"X": X[:-1]}, "inconsistent numbers of samples"),
    ({"estimator": LinearSVC()}, {}, "The 'estimator' parameter"),
    (
        {"estimator": FixedCostClassifier(Untrainable(), costs=pd.Series({7: 1}))},
        {},
        r"costs names the labels \[7\]",
    ),
]


@pytest.mark.parametrize(("params", "change", "message"), BAD)
def test_bad_input_is_refused_before_any_training(params, change, message):
    tuned = TunedCostClassifierCV(**{"estimator": Untrainable(), "random_state": 0, **params})
    with pytest.raises(ValueError, match=message):
        tuned.fit(**{"X": X, "y": y, **change})
    assert not vars(tuned).keys() & {"estimator_", "costs_", "classes_", "n_folds_"}


def test_prefit_needs_a_fitted_classifier_of_the_same_classes():
    with pytest.raises(NotFittedError):
        TunedCostClassifierCV(GaussianNB(), cv="prefit").fit(X, y)
    three = GaussianNB().fit(*data(3))
    with pytest.raises(ValueError, match=r"knows the classes \[2\], but y has none of them"):
        TunedCostClassifierCV(three, cv="prefit").fit(X, y)


def test_a_fitted_classifier_has_to_know_every_class():
    X, y = data(3)
    known = GaussianNB().fit(X[y < 2], y[y < 2])
    for estimator, cv in ((known, "prefit"), (FrozenEstimator(known), 3)):
        tuned = TunedCostClassifierCV(estimator, cv=cv, random_state=0)
        with pytest.raises(ValueError, match=r"knows the classes \[0, 1\], but y has \[0, 1, 2\]"):
            tuned.fit(X, y)


def test_a_frozen_classifier_without_seeds():
    frozen = FrozenEstimator(GaussianNB().fit(X, y))
    tuned = TunedCostClassifierCV(frozen, random_state=0).fit(X, y)
    np.testing.assert_array_equal(tuned.predict_proba(X), frozen.predict_proba(X))


@pytest.mark.parametrize("refit", [True, "ensemble"])
def test_samples_of_weight_0_are_left_out(refit):
    X, y = data(3)
    rng = np.random.default_rng(0)
    weight = (rng.random(len(y)) < 0.6).astype(float)
    weight[np.flatnonzero(y == 2)[3:]] = 0.0
    weight[np.flatnonzero(y == 2)[:3]] = 1.0
    tuned = TunedCostClassifierCV(
        MLPClassifier(max_epochs=5), refit=refit, random_state=0, max_generations=5
    )
    with pytest.warns(FewerFoldsWarning, match="class 2 has 3 samples"):
        weighted = clone(tuned).fit(X, y, weight)
    used = weight > 0
    with pytest.warns(FewerFoldsWarning):
        without = clone(tuned).fit(X[used], y[used])
    np.testing.assert_allclose(weighted.costs_, without.costs_)
    np.testing.assert_allclose(weighted.predict_proba(X), without.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_inputs_of_a_network_are_checked_before_any_training(bad, monkeypatch):
    def train(jobs):
        raise KeyboardInterrupt  # no Exception, which would be the fit's

    monkeypatch.setattr("skimbal._training.job.TrainingJob.run_all", train)
    broken = X.copy()
    broken[0, 0] = bad
    for seed in range(5):  # the sample is in different folds
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            TunedCostClassifierCV(random_state=seed).fit(broken, y)


def test_a_fit_that_fails_leaves_the_earlier_one_as_it_was():
    tuned = TunedCostClassifierCV(LogisticRegression(), random_state=0).fit(X, y)
    before = {name: pickle.dumps(v) for name, v in vars(tuned).items() if name.endswith("_")}
    broken = X.copy()
    broken[-1] = np.nan
    for params, X_new, y_new, message in (
        ({"cv": 3}, broken, y, "NaN"),
        ({"cv": "train"}, X, np.zeros(len(y)), "1 class"),
        ({"cv": 2, "refit": False}, X, y, "makes 2"),
    ):
        with pytest.raises(ValueError, match=message):
            tuned.set_params(**params).fit(X_new, y_new)
        after = {name: pickle.dumps(v) for name, v in vars(tuned).items() if name.endswith("_")}
        assert after == before


def test_no_warning_without_a_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        TunedCostClassifierCV(GaussianNB(), random_state=0).fit(X, y, np.ones(len(y)))


NETWORK = MLPClassifier(max_epochs=30, learning_rate=0.05, random_state=0)
BALANCED = {
    "class weights": clone(NETWORK).set_params(class_weight="balanced"),
    "weights by label": clone(NETWORK).set_params(class_weight={0: 1, 1: 9}),
    "sampler": clone(NETWORK).set_params(sampler="balanced"),
    "loss": clone(NETWORK).set_params(loss="balanced_softmax"),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced")),
    "resampling": imblearn_pipeline(RandomOverSampler(random_state=0), LogisticRegression()),
    "search": GridSearchCV(LogisticRegression(class_weight="balanced"), {"C": [0.1, 1.0]}),
    "bags": BalancedRandomForestClassifier(50, max_depth=2, random_state=0),
}
NOT_BALANCED = {
    "plain": LogisticRegression(),
    "network": NETWORK,
    "unit weights": clone(NETWORK).set_params(class_weight={0: 1, 1: 1}),
    "calibrated": CalibratedClassifierCV(LogisticRegression(class_weight="balanced")),
}


@pytest.mark.parametrize("name", [*BALANCED, *NOT_BALANCED])
def test_shrinkage_moves_to_equal_costs_where_the_probabilities_are_balanced(name):
    """Twelve samples to one, so balance that is counted twice is a factor of 12 in the ratio."""
    y = np.repeat([0, 1], [360, 30])
    X = np.random.default_rng(0).normal(y[:, None], 1.0, (390, 2))
    estimator = {**BALANCED, **NOT_BALANCED}[name]
    costs = TunedCostClassifierCV(estimator, shrinkage=1.0, random_state=0).fit(X, y).costs_
    ratio = costs[1] / costs[0]
    assert ratio == pytest.approx(1 if name in BALANCED else 12, rel=0.5)


def test_unit_weights_are_no_weights():
    weighted = clone(NETWORK).set_params(class_weight={0: 1, 1: 1}, max_epochs=3)
    plain = clone(NETWORK).set_params(max_epochs=3)
    costs = [
        TunedCostClassifierCV(network, shrinkage=1.0, random_state=0).fit(X, y).costs_
        for network in (plain, weighted)
    ]
    np.testing.assert_allclose(*costs)


def test_a_balanced_classifier_on_its_training_samples_is_reported():
    weighted = LogisticRegression(class_weight="balanced")
    with pytest.warns(BalancedTwiceWarning, match="cv='train' makes up for .* class_weight="):
        TunedCostClassifierCV(weighted, shrinkage=0.5, cv="train").fit(X, y)
    TunedCostClassifierCV(weighted, cv="train").fit(X, y)
