"""Large margin local embedding: clusters, the decision between them, and what is refused."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

from skimbal import CNN1DClassifier, DBNClassifier, MLPClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.ensemble import LMLEClassifier
from skimbal.ensemble._lmle_clusters import (
    EqualClasses,
    class_clusters,
    cluster_numbers,
    large_margin_scores,
)
from skimbal.losses import Quintuplets
from skimbal.metrics import balanced_accuracy

SMALL = MLPClassifier(hidden_layer_sizes=(16, 8), max_epochs=20, learning_rate=0.01)


def make_data(n_samples=300):
    return make_classification(n_samples, weights=[0.8], random_state=0)


def naive_scores(distance, of_class, k):
    """The decision rule by a loop."""
    rows = []
    for d in distance:
        near = np.argsort(d)[:k]
        rows.append([])
        for c in range(max(of_class) + 1):
            own = [d[j] for j in near if of_class[j] == c]
            other = [d[j] for j in near if of_class[j] != c]
            rows[-1].append(min(other, default=4.0) - max(own, default=4.0))
    return np.array(rows)


@pytest.mark.parametrize("k", [1, 2, 4, 7, 20])
def test_scores_are_those_of_a_loop(k):
    rng = np.random.default_rng(0)
    distance, of_class = rng.uniform(0, 4, size=(50, 7)), np.array([0, 0, 1, 1, 1, 2, 2])
    scores = large_margin_scores(distance, of_class, k)
    np.testing.assert_allclose(scores, naive_scores(distance, of_class, k))
    if k == 1:
        np.testing.assert_array_equal(scores.argmax(axis=1), of_class[distance.argmin(axis=1)])


def test_a_class_without_a_near_cluster_never_wins():
    rng = np.random.default_rng(1)
    distance, of_class = rng.uniform(0, 4, size=(500, 6)), np.array([0, 0, 1, 1, 2, 2])
    winner = large_margin_scores(distance, of_class, 3).argmax(axis=1)
    near = np.argsort(distance, axis=1)[:, :3]
    assert all(c in of_class[rows] for c, rows in zip(winner, near, strict=True))


def test_numbers_of_clusters():
    counts = np.array([300, 30, 24, 5, 3, 2])
    assert cluster_numbers(counts, counts, 10).tolist() == [30, 3, 2, 2, 1, 1]
    assert cluster_numbers(counts, np.array([4, 1, 9, 9, 9, 9]), 10).tolist() == [4, 1, 2, 2, 1, 1]


def test_clusters_belong_to_one_class_and_are_numbered_through():
    points = np.random.default_rng(0).normal(size=(60, 2))
    targets = np.repeat([0, 1], [40, 20])
    clusters = class_clusters(points, targets, np.array([4, 2]), None, np.random.RandomState(0))
    assert sorted(set(clusters[:40])) == [0, 1, 2, 3]
    assert sorted(set(clusters[40:])) == [4, 5]


def test_clusters_of_collapsed_points_are_kept():
    targets, before = np.repeat([0, 1], 6), np.repeat([0, 1, 2, 3], 3)
    points = np.r_[np.zeros(6), [0, 0, 5, 5, 9, 9]][:, None]
    rng = np.random.RandomState(0)
    clusters = class_clusters(points, targets, np.array([2, 2]), None, rng, before=before)
    assert clusters[:6].tolist() == before[:6].tolist()
    assert sorted(set(clusters[6:])) == [2, 3]


def test_sampler_draws_classes_equally():
    share = EqualClasses((0, 0, 1, 2)).class_share(np.array([60, 20, 10, 5]), 1, 1)
    np.testing.assert_allclose(share, [0.25, 1 / 12, 1 / 3, 1 / 3])


def test_rounds_train_one_network_on_clusters():
    X, y = make_data()
    model = LMLEClassifier(SMALL, epochs_per_round=15, random_state=0).fit(X, y)
    network = model.estimator_
    assert network.n_iter_ == 5  # the last round of 20 epochs
    assert isinstance(network.loss, Quintuplets)
    assert network.classes_.tolist() == list(range(len(model.cluster_classes_)))
    np.testing.assert_array_equal(np.unique(model.cluster_classes_), [0, 1])
    assert (np.linalg.norm(model.cluster_centers_, axis=1) <= 1 + 1e-9).all()
    assert SMALL.loss == "cross_entropy"


def test_later_rounds_start_from_the_network_before():
    X, y = make_data()
    network = clone(SMALL).set_params(max_epochs=2, learning_rate=1e-12)
    one = LMLEClassifier(network, epochs_per_round=2, random_state=0).fit(X, y)
    two = LMLEClassifier(network, epochs_per_round=1, random_state=0).fit(X, y)
    for a, b in zip(
        one.estimator_.net_.module_.features.parameters(),
        two.estimator_.net_.module_.features.parameters(),
        strict=True,
    ):
        torch.testing.assert_close(a, b)


def test_predicts_by_the_margins_and_finds_the_rare_class():
    X, X_new, y, y_new = make_nested_spheres(
        (200, 40, 200), n_features=3, n_test=600, random_state=0, return_X_y=True
    )
    names = np.array(["inner", "middle", "outer"])
    network = MLPClassifier(hidden_layer_sizes=(32, 16), max_epochs=40, learning_rate=0.005)
    model = LMLEClassifier(network, random_state=0).fit(X, names[y])
    proba = model.predict_proba(X_new)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    np.testing.assert_array_equal(model.predict(X_new), names[proba.argmax(axis=1)])
    assert balanced_accuracy(names[y_new], model.predict(X_new)) > 0.8
    assert (model.predict(X_new[y_new == 1]) == "middle").mean() > 0.6


def test_same_seed_same_result():
    X, y = make_data(120)
    models = [
        LMLEClassifier(SMALL, cluster_size=5, random_state=seed).fit(X, y) for seed in (0, 0, 1)
    ]
    one, same, other = (model.predict_proba(X) for model in models)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize(
    "network",
    [CNN1DClassifier(n_filters=(4,), max_epochs=2), DBNClassifier(max_epochs=2, pretrain_epochs=1)],
    ids=["CNN", "DBN"],
)
def test_takes_any_network(network):
    X = np.random.default_rng(0).normal(size=(80, 2, 16))
    X = X if isinstance(network, CNN1DClassifier) else X.reshape(80, -1)
    y = np.repeat([0, 1, 2], [50, 20, 10])
    model = LMLEClassifier(network, cluster_size=5, epochs_per_round=1, random_state=0).fit(X, y)
    assert model.predict_proba(X).shape == (80, 3)


def test_sample_weights():
    X, y = make_data(120)
    weight = np.where(np.arange(120) < 20, 0.0, 1.0)
    model = LMLEClassifier(SMALL, cluster_size=5, random_state=0)
    with_zeros = model.fit(X, y, sample_weight=2.0 * weight).predict_proba(X)
    without = clone(model).fit(X[20:], y[20:], sample_weight=np.ones(100)).predict_proba(X)
    np.testing.assert_array_equal(with_zeros, without)


def test_small_classes_are_named_with_their_size():
    X, _ = make_data(40)
    y = np.where(np.arange(40) < 3, "rare", "usual")
    with pytest.warns(UserWarning, match=r"cluster_size=10.*\{'rare': 3\}"):
        model = LMLEClassifier(SMALL, cluster_size=10).fit(X, y)
    assert model.cluster_classes_.tolist() == [0, 1, 1, 1, 1]
    y[1:3] = "usual"
    with pytest.raises(ValueError, match=r"these classes have 1: \['rare'\]"):
        LMLEClassifier(SMALL).fit(X, y)


@pytest.mark.parametrize("size", [2, 3])
def test_a_class_too_small_for_two_clusters_is_trained_with_a_warning(size):
    X, _ = make_data(60)
    y = np.where(np.arange(60) < size, "rare", "usual")
    with pytest.warns(UserWarning, match=rf"too small for two clusters.*'rare': {size}"):
        model = LMLEClassifier(SMALL, cluster_size=10, random_state=0).fit(X, y)
    assert np.count_nonzero(model.cluster_classes_ == 0) == 1
    assert np.isfinite(model.predict_proba(X)).all()


def test_copies_of_one_sample_are_one_cluster():
    X, _ = make_data(60)
    y = np.where(np.arange(60) < 20, "rare", "usual")
    X[:20] = X[0]
    model = LMLEClassifier(SMALL, cluster_size=10, random_state=0).fit(X, y)
    assert model.cluster_classes_.tolist() == [0, 1, 1, 1, 1]
    assert (model.predict(X[:20]) == "rare").all()


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (LMLEClassifier(LogisticRegression()), "no network of this package"),
        (LMLEClassifier(MLPClassifier(loss="focal")), "loss='focal'.*'cross_entropy'"),
        (LMLEClassifier(MLPClassifier(class_weight=[1.0, 2.0])), "class_weight="),
        (LMLEClassifier(MLPClassifier(sampler="balanced")), "sampler='balanced'"),
        (LMLEClassifier(MLPClassifier(cost_matrix=np.eye(2))), "cost_matrix="),
        (LMLEClassifier(MLPClassifier(probabilities="data")), "probabilities='data'"),
        (LMLEClassifier(MLPClassifier(early_stopping=True)), "early_stopping=True"),
        (LMLEClassifier(MLPClassifier(scoring="g_mean")), "scoring='g_mean'"),
        (LMLEClassifier(MLPClassifier(mixup=0.2)), "mixup=0.2"),
        (LMLEClassifier(DBNClassifier(pretrain_class_weight="balanced")), "pretrain_class_weight="),
        (LMLEClassifier(cluster_size=1), "'cluster_size' .* Got 1"),
        (LMLEClassifier(n_neighbors=0), "'n_neighbors' .* Got 0"),
        (LMLEClassifier(epochs_per_round=0), "'epochs_per_round' .* Got 0"),
        (LMLEClassifier(margin_scale=-1.0), "'margin_scale' .* Got -1"),
    ],
)
def test_bad_parameters(model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*make_data())
    assert not hasattr(model, "classes_")
