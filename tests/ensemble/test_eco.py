import numpy as np
import pandas as pd
import pytest
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skimbal import CNN1DClassifier, ECOEnsembleClassifier, MLPClassifier
from skimbal.ensemble import _eco, _eco_search
from skimbal.ensemble._eco_search import (
    Candidate,
    SearchData,
    balanced_log_loss,
    judge,
    make_folds,
    parameters_at,
    search_bounds,
    survivors,
)
from skimbal.exceptions import FewerFoldsWarning
from skimbal.metrics import g_mean
from skimbal.neural_network import fit_population
from skimbal.optim import JADE

X, Y = make_classification(
    140, 4, n_informative=3, n_redundant=0, weights=[0.8], flip_y=0.05, random_state=0
)
LABELS = np.where(Y == 1, "rare", "usual")
NET = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4, learning_rate=0.02)
SMALL = {"population_size": 4, "max_generations": 3, "random_state": 0}


def eco(estimator=None, **params):
    estimator = LogisticRegression() if estimator is None else estimator
    return ECOEnsembleClassifier(estimator, **SMALL | params)


# ---------------------------------------------------------------- the search


def test_the_box_and_its_parameters():
    low, high = search_bounds(5).T
    assert parameters_at(low) == pytest.approx(
        {"n_clusters": 1, "scale": 0.5, "size_exponent": 0.0, "amount": 1 / 3}
    )
    assert parameters_at(high) == pytest.approx(
        {"n_clusters": 5, "scale": 1.5, "size_exponent": 1.0, "amount": 3.0}
    )
    assert parameters_at((low + high) / 2)["n_clusters"] == 2


def test_log_loss_is_the_mean_of_the_classes():
    proba = np.array([[0.5, 0.5], [0.9, 0.1], [0.2, 0.8]])
    weight = np.array([3.0, 1.0, 7.0])
    usual = -(3 * np.log(0.5) + np.log(0.9)) / 4
    expected = (usual - np.log(0.8)) / 2
    assert balanced_log_loss(proba, np.array([0, 0, 1]), weight) == pytest.approx(expected)


class Fixed(ClassifierMixin, BaseEstimator):
    """Predicts the first feature as the probability of the second class."""

    def __init__(self):
        self.classes_ = np.array(["a", "b"])

    def predict_proba(self, X):
        return np.column_stack([1 - X[:, 0], X[:, 0]])


def test_a_candidate_is_judged_on_held_out_samples():
    proba = np.array([0.9, 0.2, 0.8, 0.4])
    y = np.array(["b", "a", "a", "b"])
    splits = [(np.array([2, 3]), np.array([0, 1])), (np.array([0, 1]), np.array([2, 3]))]
    data = SearchData(proba[:, None], y, np.array([1, 0, 0, 1]), None, None, splits)
    candidate = Candidate({}, 0, [Fixed(), Fixed()])
    judge(candidate, data, np.array(["a", "b"]), "g_mean")
    assert candidate.score == pytest.approx(0.5)
    losses = [(np.log(0.8) + np.log(0.2)) / 2, (np.log(0.9) + np.log(0.4)) / 2]
    assert candidate.loss == pytest.approx(-0.5 - 1e-3 * np.mean(losses))


def test_the_population_is_that_of_jade():
    """The points of the survivors are the members of the optimizer, generation by generation."""
    optimizer = JADE(search_bounds(4), population_size=6, random_state=0)
    population = []
    for generation in range(12):
        points = optimizer.ask()
        trials = []
        for point in points:
            loss = float(((point - 0.3) ** 2).sum())
            trials.append(Candidate({"point": point}, generation, ["a network"], loss=loss))
        optimizer.tell(points, [trial.loss for trial in trials])
        population = survivors(population, trials)
        np.testing.assert_array_equal(
            [c.parameters["point"] for c in population], optimizer._members
        )
        assert all(c.fitted for c in population)
        assert all(bool(t.fitted) == (t in population) for t in trials)


def test_members_and_results_belong_together():
    ensemble = eco().fit(X, LABELS)
    results = ensemble.cv_results_
    assert results["generation"].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert results["is_member"].sum() == 4
    assert len(ensemble.estimators_) == 4 * 3
    assert (
        ensemble.best_score_
        == results["score"].max()
        == results["score"][results["is_member"]].max()
    )
    mean = np.mean([member.predict_proba(X) for member in ensemble.estimators_], axis=0)
    np.testing.assert_allclose(ensemble.predict_proba(X), mean)


def spied_fits(monkeypatch, **params):
    """The fits that an ensemble asks for, and the rows of each."""
    seen = []

    def spied(base, candidate, data, rows, *rest, **options):
        fit = _eco_search.fit_candidate(base, candidate, data, rows, *rest, **options)
        seen.append((candidate, rows, fit))
        return fit

    monkeypatch.setattr(_eco, "fit_candidate", spied)
    ensemble = eco(**params)
    return seen, ensemble


def test_new_samples_get_their_weight_and_only_training_rows_are_over_sampled(monkeypatch):
    weight = np.random.default_rng(0).uniform(0.5, 2.0, len(Y))
    seen, ensemble = spied_fits(monkeypatch)
    ensemble.fit(X, LABELS, sample_weight=weight)
    assert len(seen) == 4 * 3 * 3
    for candidate, rows, fit in seen:
        n = len(rows)
        np.testing.assert_array_equal(fit.X[:n], X[rows])
        relative = weight[rows] / weight.mean()
        np.testing.assert_allclose(fit.params["sample_weight"][:n], relative)
        mean = relative[Y[rows] == 1].mean()
        np.testing.assert_allclose(
            fit.params["sample_weight"][n:], candidate.parameters["amount"] * mean
        )
        counts = {label: (fit.y == label).sum() for label in ("rare", "usual")}
        assert counts["rare"] == counts["usual"] == (Y[rows] == 0).sum()
    assert {len(fit.y) for _, _, fit in seen} <= {150, 148, 149}, "one size, but for the folds"


def test_validation_samples_of_networks_are_not_over_sampled(monkeypatch):
    net = clone(NET).set_params(early_stopping=True, validation_fraction=0.3)
    seen, ensemble = spied_fits(monkeypatch, estimator=net, max_generations=1, cv=2)
    groups = np.arange(len(Y)) // 2
    ensemble.fit(X, LABELS, groups=groups)
    number = {row.tobytes(): i for i, row in enumerate(X)}
    for _, rows, fit in seen:
        valid = np.array([number[row.tobytes()] for row in fit.params["X_val"]])
        assert set(valid) < set(rows)
        trained = np.setdiff1d(rows, valid)
        np.testing.assert_array_equal(fit.X[: len(trained)], X[trained])
        assert not set(groups[valid]) & set(groups[trained])
    assert all("valid_loss" in member.history_ for member in ensemble.estimators_)


def test_networks_train_together_as_alone_and_for_any_n_jobs():
    two = [eco(NET, cv=2), eco(NET, cv=2, random_state=1)]
    together = fit_population(two, X, LABELS)
    for alone, other in zip(two, together, strict=True):
        np.testing.assert_array_equal(
            clone(alone).fit(X, LABELS).predict_proba(X), other.predict_proba(X)
        )


@pytest.mark.slow
def test_results_do_not_depend_on_n_jobs():
    one, two = (eco(NET, n_jobs=n_jobs).fit(X, LABELS) for n_jobs in (1, 2))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))


# ---------------------------------------------------------------- inputs


def test_several_classes_and_signals():
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c"], [40, 12, 8])
    signals = rng.normal(size=(60, 1, 10)) + np.searchsorted(["a", "b", "c"], y)[:, None, None]
    net = CNN1DClassifier(n_filters=(4,), max_epochs=15, batch_size=16, learning_rate=0.02)
    ensemble = eco(net, population_size=3, max_generations=2, cv=2).fit(signals, y)
    assert ensemble.predict_proba(signals).shape == (60, 3)
    assert ensemble.estimators_[0].input_shape_ == (1, 10)
    assert g_mean(y, ensemble.predict(signals)) > 0.4


def test_a_classifier_without_weights_gets_none_with_a_warning():
    with pytest.warns(
        UserWarning, match="KNeighborsClassifier takes no sample_weight.*new samples"
    ):
        ensemble = eco(KNeighborsClassifier()).fit(X, LABELS)
    assert set(ensemble.classes_) == {"rare", "usual"}


def test_large_max_clusters_is_reduced_with_a_warning():
    ensemble = eco(max_generations=1, max_clusters=50, cv=2)
    n_rare = (Y == 1).sum() // 2
    with pytest.warns(UserWarning, match=f"has {n_rare} training samples.*at most {n_rare // 2}"):
        ensemble.fit(X, LABELS)
    assert ensemble.cv_results_["n_clusters"].max() <= n_rare // 2
    few = eco(max_clusters=1).fit(X, LABELS)
    assert few.cv_results_["n_clusters"].max() == 1


def rows_with(n_rare):
    return np.concatenate([np.flatnonzero(Y == 0), np.flatnonzero(Y == 1)[:n_rare]])


@pytest.mark.parametrize(
    ("n_rare", "cv", "message"),
    [
        (1, 3, "'rare' has 1 sample, but cv=3 needs at least 2"),
        (2, 2, "'rare' has 2 samples, of which one of 2 folds leaves 1 for training"),
        (3, 2, "'rare' has 3 samples, of which one of 2 folds leaves 1 for training"),
    ],
)
def test_classes_that_are_too_small_are_an_error_with_the_number(n_rare, cv, message):
    rows = rows_with(n_rare)
    with pytest.raises(ValueError, match=message):
        eco(cv=cv).fit(X[rows], LABELS[rows])


def test_three_samples_are_enough_for_three_folds():
    rows = rows_with(3)
    ensemble = eco(cv=3, max_generations=1).fit(X[rows], LABELS[rows])
    assert ensemble.cv_results_["n_clusters"].tolist() == [1] * 4
    with pytest.warns(FewerFoldsWarning, match="'rare' has 3 samples, but cv=5"):
        make_folds(LABELS[rows], None, 5, 0)


def test_folds_leave_groups_whole():
    groups = np.arange(len(Y)) // 4
    for train, test in make_folds(LABELS, groups, 3, 0):
        assert not set(groups[train]) & set(groups[test])
    one_group = np.where(Y == 1, 0, np.arange(len(Y)) + 1)
    with pytest.raises(ValueError, match="class 'rare' has 1 group, but cv=3"):
        eco().fit(X, LABELS, groups=one_group)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator": RandomUnderSampler()}, "estimator"),
        ({"population_size": 2}, "population_size"),
        ({"max_generations": 0}, "max_generations"),
        ({"max_clusters": 0}, "max_clusters"),
        ({"linkage": "median"}, "linkage"),
        ({"cv": 1}, "cv"),
        ({"scoring": "roc_auc"}, "roc_auc"),
        ({"estimator": clone(NET).set_params(class_weight=pd.Series({"rar": 2.0}))}, "rar"),
    ],
)
def test_bad_parameters_are_refused_and_leave_the_earlier_fit(params, message):
    ensemble = eco(max_generations=1).fit(X, LABELS)
    before = ensemble.estimators_
    with pytest.raises(ValueError, match=message):
        ensemble.set_params(**params).fit(X, LABELS)
    assert ensemble.estimators_ is before


def test_an_error_in_a_later_generation_leaves_nothing(monkeypatch):
    calls = []

    def parameters(point):
        calls.append(point)
        if len(calls) > 6:
            raise KeyboardInterrupt
        return parameters_at(point)

    monkeypatch.setattr(_eco, "parameters_at", parameters)
    ensemble = eco()
    with pytest.raises(KeyboardInterrupt):
        ensemble.fit(X, LABELS)
    assert not [name for name in vars(ensemble) if name.endswith("_")]


def test_the_search_over_samples_a_rare_class_well():
    """Two rare clusters far from each other, with the usual class between and around them."""
    rng = np.random.default_rng(1)

    def draw(n, n_rare):
        rare = (
            rng.normal(size=(n_rare, 2)) * 0.4
            + np.where(rng.random(n_rare) < 0.5, 1.7, -1.7)[:, None]
        )
        return np.concatenate([rng.normal(size=(n, 2)), rare]), np.repeat([0, 1], [n, n_rare])

    (X_fit, y_fit), (X_test, y_test) = draw(200, 16), draw(2000, 400)
    net = MLPClassifier(hidden_layer_sizes=(16,), max_epochs=15, learning_rate=0.02, random_state=0)
    plain = g_mean(y_test, net.fit(X_fit, y_fit).predict(X_test))
    evolved = g_mean(y_test, eco(net).fit(X_fit, y_fit).predict(X_test))
    assert evolved > plain + 0.02
    assert evolved > 0.8
