import numpy as np
import pandas as pd
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.under_sampling import RandomUnderSampler
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from skimbal import (
    AdaBoostNetClassifier,
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    ResNetClassifier,
)
from skimbal._fitting import run_fit
from skimbal.datasets import make_nested_spheres
from skimbal.ensemble import _adaboost
from skimbal.ensemble._adaboost import combined_log_proba, samme_r_weights
from skimbal.ensemble._resampling import resample, resampled_weights, source_rows
from skimbal.neural_network import fit_population, validation_rows

RNG = np.random.default_rng(0)
X, Y = make_classification(120, 5, weights=[0.7], flip_y=0.2, random_state=0)
LABELS = np.where(Y == 1, "rare", "usual")
NET = MLPClassifier(hidden_layer_sizes=(6,), max_epochs=4, learning_rate=0.02)
FEW = {"n_estimators": 3, "random_state": 0}


def boosted(net=NET, **params):
    return AdaBoostNetClassifier(net, **FEW | params)


# ---------------------------------------------------------------- formulas


def test_weights_of_three_classes_by_hand():
    proba = np.array([[0.5, 0.25, 0.25], [0.5, 0.25, 0.25]])
    # (1/2 * 1/4 * 1/4)^(1/3) = 2^(-5/3): factors 2^(-5/3) / 2^-1 and 2^(-5/3) / 2^-2.
    factors = np.array([2 ** (-2 / 3), 2 ** (1 / 3)])
    expected = np.array([0.2, 0.8]) * factors / ([0.2, 0.8] @ factors)
    weight = samme_r_weights(np.array([0.2, 0.8]), np.array([0, 1]), np.log(proba))
    np.testing.assert_allclose(weight, expected, rtol=1e-12)


@pytest.mark.parametrize("learning_rate", [1.0, 0.3])
@pytest.mark.parametrize("n_classes", [2, 4])
def test_weights_are_those_of_the_class_codes(n_classes, learning_rate):
    """As in the article: codes of 1 and -1 / (K - 1), sample by sample."""
    targets = RNG.integers(0, n_classes, 30)
    proba = RNG.dirichlet(np.ones(n_classes), 30)
    weight = RNG.random(30)
    expected = []
    for w, p, c in zip(weight, proba, targets, strict=True):
        code = np.full(n_classes, -1 / (n_classes - 1))
        code[c] = 1.0
        exponent = -learning_rate * (n_classes - 1) / n_classes * (code @ np.log(p))
        expected.append(w * np.exp(exponent))
    result = samme_r_weights(weight, targets, np.log(proba), learning_rate)
    np.testing.assert_allclose(result, np.array(expected) / sum(expected), rtol=1e-10)


def test_a_calibrated_stump_is_weighted_as_by_scikit_learn():
    """With p = 1 - error for the predicted class, SAMME.R moves the weights as SAMME does."""
    X3, y3 = make_classification(
        200, 5, n_informative=4, n_redundant=0, n_classes=3, random_state=0
    )
    samme = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=1, random_state=0)
    samme.fit(X3, y3)
    error = samme.estimator_errors_[0]
    predicted = samme.estimators_[0].predict(X3)
    proba = np.full((200, 3), error / 2)
    proba[np.arange(200), predicted] = 1 - error
    weight = samme_r_weights(np.full(200, 1 / 200), y3, np.log(proba))
    ratio = weight[predicted != y3].mean() / weight[predicted == y3].mean()
    assert ratio == pytest.approx(np.exp(samme.estimator_weights_[0]), rel=1e-9)


def test_weights_stay_positive_and_finite():
    log_proba = np.array([[0.0, -1e4], [-1e4, 0.0], [0.0, -1e4]])
    weight = np.full(3, 1 / 3)
    for _ in range(60):
        weight = samme_r_weights(weight, np.array([0, 0, 0]), log_proba)
    assert (weight > 0).all()
    assert weight.sum() == pytest.approx(1.0)
    assert weight[1] == pytest.approx(1.0)


def test_uniform_probabilities_and_a_rate_of_zero_change_no_weight():
    weight = np.array([0.1, 0.3, 0.6])
    targets = np.array([0, 1, 1])
    np.testing.assert_allclose(
        samme_r_weights(weight, targets, np.log(np.full((3, 2), 0.5))), weight
    )
    some = np.log([[0.9, 0.1]] * 3)
    np.testing.assert_allclose(samme_r_weights(weight, targets, some, 0.0), weight)


def test_combined_probabilities_are_geometric_means():
    probas = RNG.dirichlet(np.ones(3), (4, 10))
    stages = list(combined_log_proba(np.log(probas)))
    for n, stage in enumerate(stages, start=1):
        mean = np.prod(probas[:n], axis=0) ** (1 / n)
        np.testing.assert_allclose(np.exp(stage), mean / mean.sum(axis=1, keepdims=True))


# ---------------------------------------------------------------- resampled samples


def test_synthetic_samples_get_the_mean_weight_of_their_class():
    weight = RNG.random(len(Y))
    X_new, y_new, new = resample(SMOTE(), X, LABELS, weight, np.random.RandomState(0))
    np.testing.assert_array_equal(X_new[: len(X)], X)
    np.testing.assert_array_equal(new[: len(X)], weight)
    np.testing.assert_allclose(new[len(X) :], weight[Y == 1].mean())
    assert (y_new[len(X) :] == "rare").all()
    assert len(y_new) == 2 * (LABELS == "usual").sum()


@pytest.mark.parametrize("sampler", [RandomUnderSampler(), RandomOverSampler()])
@pytest.mark.parametrize("shape", [(5,), (1, 5)], ids=["table", "signals"])
def test_samples_that_are_kept_or_copied_keep_their_weights(sampler, shape):
    weight = RNG.random(len(Y))
    of_row = {row.tobytes(): w for row, w in zip(X, weight, strict=True)}
    X_new, _, new = resample(
        sampler, X.reshape(-1, *shape), LABELS, weight, np.random.RandomState(0)
    )
    assert X_new.shape[1:] == shape
    np.testing.assert_array_equal(new, [of_row[row.tobytes()] for row in X_new])


def test_the_class_of_a_copy_counts():
    one = np.ones((2, 1))
    sources = source_rows(one, np.array([0, 1]), np.ones((3, 1)), np.array([1, 0, 1]))
    np.testing.assert_array_equal(sources, [1, 0, 1])
    weight = resampled_weights(
        np.array([1.0, 5.0]), np.array([0, 1]), np.array([1, -1]), np.array([1, 0]), 0.5
    )
    np.testing.assert_array_equal(weight, [5.0, 0.5])


# ---------------------------------------------------------------- networks


def test_a_network_starts_from_the_one_before_and_gets_the_weights():
    ensemble = boosted(learning_rate=0.5).fit(X, LABELS)
    first, second, _ = ensemble.estimators_
    weight = samme_r_weights(np.full(len(Y), 1 / len(Y)), 1 - Y, first.predict_log_proba(X), 0.5)
    alone = clone(second)
    run_fit(alone._fit_coroutine(X, LABELS, weight, start=first))
    np.testing.assert_array_equal(alone.predict_proba(X), second.predict_proba(X))
    np.testing.assert_array_equal(second.input_mean_, first.input_mean_)
    np.testing.assert_array_equal(
        ensemble.estimator_errors_[1], weight[second.predict(X) != LABELS].sum() / weight.sum()
    )


NETWORKS = [
    (NET, X),
    (DBNClassifier(hidden_layer_sizes=(5,), pretrain_epochs=2, max_epochs=3), X),
    (CNN1DClassifier(n_filters=(3,), max_epochs=2), X[:, None]),
    (CNN2DClassifier(n_filters=(3,), max_epochs=2), X[:, None, None]),
    (ResNetClassifier(depth=8, max_epochs=1, augmentation=()), np.tile(X[:, None, :, None], 5)),
]


@pytest.mark.parametrize(("network", "inputs"), NETWORKS, ids=lambda v: type(v).__name__)
@pytest.mark.filterwarnings("ignore:the first network has the training error")
def test_the_parameters_of_each_network_are_taken_over(network, inputs):
    network = clone(network).set_params(random_state=0)
    first = clone(network).fit(inputs, LABELS)
    later = clone(network).set_params(learning_rate=1e-12, optimizer="sgd", max_epochs=1)
    run_fit(later._fit_coroutine(inputs, LABELS, start=first))
    own = dict(first.net_.module_.named_parameters())
    for name, value in later.net_.module_.named_parameters():
        np.testing.assert_allclose(
            value.detach().numpy(), own[name].detach().numpy(), atol=1e-6, err_msg=name
        )
    ensemble = boosted(network).fit(inputs, LABELS)
    proba = ensemble.predict_proba(inputs)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    assert 1 <= len(ensemble.estimators_) <= 3


def test_a_belief_network_takes_over_its_pretraining():
    network = DBNClassifier(hidden_layer_sizes=(5,), pretrain_epochs=2, max_epochs=2)
    network.set_params(random_state=0)
    first = clone(network).fit(X, LABELS)
    later = clone(network)
    run_fit(later._fit_coroutine(X, LABELS, start=first))
    assert later.visible_ == first.visible_ == "gaussian"
    assert later.pretrain_history_ is first.pretrain_history_
    np.testing.assert_array_equal(later.rbms_[0].visible_bias, first.rbms_[0].visible_bias)


def test_without_transfer_networks_start_from_new_weights():
    first, second, *_ = boosted(learning_rate=0.5, transfer=False).fit(X, LABELS).estimators_
    weight = samme_r_weights(np.full(len(Y), 1 / len(Y)), 1 - Y, first.predict_log_proba(X), 0.5)
    alone = clone(second).fit(X, LABELS, sample_weight=weight)
    np.testing.assert_array_equal(alone.predict_proba(X), second.predict_proba(X))


def test_epochs_and_schedules_are_counted_for_each_network():
    net = clone(NET).set_params(learning_rate_schedule="cosine")
    first, *later = boosted(net, continued_epochs=2, learning_rate=0.3).fit(X, LABELS).estimators_
    assert first.history_.epoch.tolist() == [1, 2, 3, 4]
    assert len(later) == 2
    for network in later:
        assert network.history_.epoch.tolist() == [1, 2]
        assert network.history_.learning_rate.iloc[0] == net.learning_rate


def test_one_network_is_the_network():
    ensemble = boosted(n_estimators=1).fit(X, LABELS)
    alone = clone(ensemble.estimators_[0]).fit(X, LABELS)
    np.testing.assert_allclose(ensemble.predict_proba(X), alone.predict_proba(X), atol=1e-6)


def test_the_first_networks_are_those_of_a_smaller_ensemble():
    large = boosted(learning_rate=0.3, sampler=RandomOverSampler()).fit(X, LABELS)
    small = clone(large).set_params(n_estimators=2).fit(X, LABELS)
    assert len(small.estimators_) == 2
    stages = list(large.staged_predict_proba(X))
    np.testing.assert_array_equal(stages[1], small.predict_proba(X))
    np.testing.assert_array_equal(stages[-1], large.predict_proba(X))
    np.testing.assert_array_equal(list(large.staged_predict(X))[1], small.predict(X))


def test_ensembles_train_side_by_side():
    two = [boosted(), boosted(learning_rate=0.3)]
    together = fit_population(two, X, LABELS)
    for alone, other in zip(two, together, strict=True):
        np.testing.assert_array_equal(alone.fit(X, LABELS).predict_proba(X), other.predict_proba(X))


# ---------------------------------------------------------------- the end of the boosting


def test_a_perfect_network_ends_the_boosting_as_in_scikit_learn():
    apart = np.repeat([[0.0], [5.0]], 30, axis=0) + 0.1 * RNG.normal(size=(60, 1))
    y = np.repeat([0, 1], 30)
    ensemble = boosted(clone(NET).set_params(max_epochs=60)).fit(apart, y)
    trees = AdaBoostClassifier(DecisionTreeClassifier(), n_estimators=3).fit(apart, y)
    assert len(ensemble.estimators_) == len(trees.estimators_) == 1
    np.testing.assert_array_equal(ensemble.estimator_errors_, [0.0])


def test_a_first_network_of_chance_is_kept_with_a_warning():
    """A network that learns nothing, and labels that are none of its answers."""
    untrained = boosted(clone(NET).set_params(learning_rate=1e-12, standardize=False))
    with pytest.warns(UserWarning, match="chance"):
        answers = clone(untrained).fit(X, LABELS).predict(X)
    assert len(np.unique(answers)) == 2
    with pytest.warns(UserWarning, match="the first network has the training error 1, .* chance"):
        untrained.fit(X, np.where(answers == "rare", "usual", "rare"))
    np.testing.assert_array_equal(untrained.estimator_errors_, [1.0])


# ---------------------------------------------------------------- data


def test_validation_rows_are_stratified_and_reproducible():
    net = clone(NET).set_params(early_stopping=True, validation_fraction=0.25)
    first, second = (validation_rows(net, X, LABELS, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    for label in ("rare", "usual"):
        n = (label == LABELS).sum()
        assert (first & (label == LABELS)).sum() == round(0.25 * n)
    assert validation_rows(NET, X, LABELS) is None
    with pytest.raises(ValueError, match="early_stopping=True needs 2 of each class"):
        validation_rows(net, X[:5], np.repeat([0, 1], [4, 1]))


@pytest.mark.parametrize("sampler", [None, SMOTE(k_neighbors=2)])
def test_validation_samples_are_held_out_once_with_whole_groups(sampler, monkeypatch):
    seen = []

    def spied(sampler, X, *rest):
        seen.append(X)
        return resample(sampler, X, *rest)

    monkeypatch.setattr(_adaboost, "resample", spied)
    groups = np.arange(len(Y)) // 3
    net = clone(NET).set_params(early_stopping=True, validation_fraction=0.3)
    ensemble = boosted(net, learning_rate=0.3, sampler=sampler).fit(X, LABELS, groups=groups)
    held_out = ensemble.validation_rows_
    assert not set(groups[held_out]) & set(groups[~held_out])
    assert 0.2 < held_out.mean() < 0.5
    assert len(ensemble.estimators_) == 3
    assert all("valid_loss" in network.history_ for network in ensemble.estimators_)
    assert len(seen) == (0 if sampler is None else 3)
    for training in seen:
        np.testing.assert_array_equal(training, X[~held_out])


def test_samples_of_weight_zero_are_left_out():
    weight = (np.arange(len(Y)) % 3 > 0).astype(float)
    kept = weight > 0
    weighted = boosted().fit(X, LABELS, sample_weight=weight)
    cut = boosted().fit(X[kept], LABELS[kept])
    np.testing.assert_allclose(weighted.predict_proba(X), cut.predict_proba(X), atol=1e-6)


def test_costs_of_the_network_decide():
    matrix = [[0.0, 50.0], [1.0, 0.0]]
    ensemble = boosted(clone(NET).set_params(cost_matrix=matrix)).fit(X, LABELS)
    np.testing.assert_array_equal(ensemble.cost_matrix_, matrix)
    assert (ensemble.predict(X) == "rare").mean() > (
        boosted().fit(X, LABELS).predict(X) == "rare"
    ).mean()


class DropsAClass(BaseEstimator):
    """Returns the usual samples only."""

    def fit_resample(self, X, y):
        return X[y == "usual"], y[y == "usual"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"estimator": LogisticRegression()}, "no network of this package.*AdaBoostClassifier"),
        ({"estimator": make_pipeline(StandardScaler(), NET)}, "no network of this package"),
        ({"n_estimators": 0}, "n_estimators"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"continued_epochs": 0}, "continued_epochs"),
        ({"sampler": StandardScaler()}, "sampler"),
        ({"sampler": SMOTE(k_neighbors=90)}, r"SMOTE\(.*cannot resample .*'rare': [0-9]+"),
        ({"sampler": DropsAClass()}, r"leaves no sample of the classes \['rare'\]"),
        ({"estimator": clone(NET).set_params(class_weight=pd.Series({"rar": 2.0}))}, "rar"),
    ],
)
def test_bad_parameters_are_refused_and_leave_the_earlier_fit(params, message):
    ensemble = boosted(n_estimators=1).fit(X, LABELS)
    before = ensemble.estimators_
    ensemble.set_params(**params)
    with pytest.raises(ValueError, match=message):
        ensemble.fit(X, LABELS)
    assert ensemble.estimators_ is before


class FailsLater(BaseEstimator):
    """A sampler that works once."""

    n_calls = 0

    def fit_resample(self, X, y):
        FailsLater.n_calls += 1
        if FailsLater.n_calls > 1:
            raise KeyboardInterrupt
        return X, y


def test_an_interrupt_between_rounds_leaves_nothing():
    ensemble = boosted(sampler=FailsLater(), learning_rate=0.3)
    with pytest.raises(KeyboardInterrupt):
        ensemble.fit(X, LABELS)
    assert not [name for name in vars(ensemble) if name.endswith("_")]


def test_boosting_improves_over_one_network_on_nested_spheres():
    X_fit, X_test, y_fit, y_test = make_nested_spheres(
        (160, 80, 200), n_features=4, n_test=1500, random_state=0, return_X_y=True
    )
    net = MLPClassifier(hidden_layer_sizes=(16,), max_epochs=10, learning_rate=0.01)
    ensemble = AdaBoostNetClassifier(net, n_estimators=8, random_state=0).fit(X_fit, y_fit)
    accuracy = [(labels == y_test).mean() for labels in ensemble.staged_predict(X_test)]
    assert accuracy[-1] > accuracy[0] + 0.05


def test_published_settings():
    published = AdaBoostNetClassifier.as_published(random_state=3)
    network = published.estimator
    assert (published.n_estimators, published.learning_rate, published.transfer) == (10, 1.0, True)
    assert (network.optimizer, network.batch_size, network.max_epochs) == ("adam", 10, 1)
    assert not network.standardize
    assert published.random_state == 3
    longer = AdaBoostNetClassifier.as_published(3, n_estimators=2, estimator__max_epochs=4)
    assert (longer.n_estimators, longer.estimator.max_epochs) == (2, 4)
    assert published.estimator.max_epochs == 1
    X = np.random.default_rng(0).normal(size=(40, 10))
    fitted = longer.fit(X, X[:, 0] > 0)
    layers = fitted.estimators_[0].net_.module_
    # 32 filters of 3 and their biases; 5 * 32 values, 128 and 64 units, two classes
    n_expected = 32 * 4 + (160 + 1) * 128 + 129 * 64 + 65 * 2
    assert sum(values.numel() for values in layers.parameters()) == n_expected
