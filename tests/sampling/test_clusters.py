import numpy as np
import pytest
from imblearn.pipeline import make_pipeline
from scipy.spatial import Delaunay
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skimbal.sampling import ClusterOverSampler
from skimbal.sampling._clusters import (
    MAX_SAMPLES,
    cluster_centers,
    cluster_shares,
    draw_in_clusters,
)

from .checks import parametrize_with_checks

RNG = np.random.default_rng(0)
CENTERS = np.array([[-6.0, 0.0], [6.0, 0.0], [0.0, 9.0]])
RARE = np.concatenate([center + RNG.normal(size=(8, 2)) for center in CENTERS])
X = np.concatenate([RNG.normal(size=(90, 2)), RARE])
Y = np.repeat(["usual", "rare"], [90, 24])


@pytest.mark.filterwarnings("ignore:.*pandas sparse")
@pytest.mark.filterwarnings("ignore::FutureWarning")
@parametrize_with_checks([ClusterOverSampler(random_state=0)])
def test_common_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("scale", [0.0, 0.5, 1.0, 1.4])
def test_new_samples_lie_in_the_scaled_hulls_of_the_clusters(scale):
    labels = np.repeat([0, 1, 2], 8)
    new, of_cluster = draw_in_clusters(
        RARE, labels, 400, scale=scale, size_exponent=1.0, rng=np.random.RandomState(0)
    )
    centers = cluster_centers(RARE, labels)
    np.testing.assert_allclose(centers[1], RARE[8:16].mean(axis=0))
    for k in range(3):
        own = new[of_cluster == k] - centers[k]
        if scale == 0:
            np.testing.assert_allclose(own, 0.0, atol=1e-12)
            continue
        hull = Delaunay((scale + 1e-9) * (RARE[labels == k] - centers[k]))
        assert (hull.find_simplex(own) >= 0).all()
        smaller = Delaunay(0.9 * scale * (RARE[labels == k] - centers[k]))
        assert (smaller.find_simplex(own) < 0).any(), "the hull is filled up to its corners"


def test_the_sampler_draws_from_the_clusters_that_are_there():
    sampler = ClusterOverSampler(n_clusters=3, scale=0.7, random_state=0)
    X_new, y_new = sampler.fit_resample(X, Y)
    np.testing.assert_array_equal(X_new[: len(X)], X)
    assert (y_new[len(X) :] == "rare").all()
    assert len(y_new) == 180
    found = sampler.cluster_labels_["rare"]
    assert [len(set(found[k : k + 8])) for k in (0, 8, 16)] == [1, 1, 1]
    distance = np.linalg.norm(X_new[len(X) :, None] - CENTERS, axis=2).min(axis=1)
    assert distance.max() < 3.0, "no sample lies between two clusters"


def test_shares_of_clusters():
    labels = np.array([0] * 12 + [1] * 3)
    np.testing.assert_allclose(cluster_shares(labels, 1.0), [0.8, 0.2])
    np.testing.assert_allclose(cluster_shares(labels, 0.5), [2 / 3, 1 / 3])
    rows = RNG.normal(size=(15, 1))
    _, of_cluster = draw_in_clusters(
        rows, labels, 5000, scale=1.0, size_exponent=0.0, rng=np.random.RandomState(0)
    )
    assert np.mean(of_cluster == 0) == pytest.approx(0.5, abs=0.03)


def test_members_are_drawn_uniformly():
    """The mean of the new samples is that of the cluster, their variance 2/3 of its own."""
    rows = RNG.normal(size=(40, 1)) ** 2
    new, _ = draw_in_clusters(
        rows, np.zeros(40, int), 200_000, scale=1.0, size_exponent=1.0, rng=np.random.RandomState(0)
    )
    assert new.mean() == pytest.approx(rows.mean(), abs=0.02)
    assert new.var() == pytest.approx(2 / 3 * rows.var(), rel=0.02)


@pytest.mark.parametrize("shape", [(1, 8), (2, 2, 2)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16])
def test_windows_and_images_keep_shape_and_type(shape, dtype):
    signals = (10 * RNG.normal(size=(40, *shape))).astype(dtype)
    y = np.repeat([0, 1, 2], [20, 12, 8])
    X_new, y_new = ClusterOverSampler(n_clusters=2, random_state=0).fit_resample(signals, y)
    assert X_new.shape == (60, *shape)
    assert X_new.dtype == dtype
    np.testing.assert_array_equal(np.bincount(y_new), [20, 20, 20])
    flat, _ = ClusterOverSampler(n_clusters=2, random_state=0).fit_resample(
        signals.reshape(40, -1), y
    )
    np.testing.assert_array_equal(flat, X_new.reshape(60, -1))


def test_units_of_the_features_do_not_matter():
    scaled = X * [1.0, 1000.0]
    one, _ = ClusterOverSampler(random_state=0).fit_resample(X, Y)
    other, _ = ClusterOverSampler(random_state=0).fit_resample(scaled, Y)
    np.testing.assert_allclose(other, one * [1.0, 1000.0])


@pytest.mark.parametrize(
    ("n_rare", "message", "n_clusters"),
    [
        (5, "'rare' has 5 samples, too few for n_clusters=3 of 2 samples each; 2 are used", 2),
        (1, "'rare' has 1 sample, so its new samples are copies", 1),
    ],
)
def test_small_classes_get_fewer_clusters_with_a_warning(n_rare, message, n_clusters):
    y = np.repeat(["usual", "rare"], [20, n_rare])
    sampler = ClusterOverSampler(n_clusters=3, scale=2.0, random_state=0)
    with pytest.warns(UserWarning, match=message):
        X_new, _ = sampler.fit_resample(X[: len(y)], y)
    assert sampler.cluster_labels_["rare"].max() + 1 == n_clusters
    if n_rare == 1:
        np.testing.assert_allclose(X_new[21:], np.tile(X[20], (19, 1)))


@pytest.mark.parametrize("name", ["n_clusters", "scale", "linkage"])
def test_bad_parameters_are_refused(name):
    with pytest.raises(ValueError, match=name):
        ClusterOverSampler(**{name: -1}).fit_resample(X, Y)


def test_a_class_that_is_too_large_is_refused():
    y = np.repeat([0, 1], [MAX_SAMPLES + 2, MAX_SAMPLES + 1])
    with pytest.raises(ValueError, match=r"class 1 has 15001 samples.*at most 15000"):
        ClusterOverSampler().fit_resample(np.zeros((len(y), 1)), y)


def test_same_seed_same_samples_in_a_pipeline():
    model = make_pipeline(ClusterOverSampler(random_state=3), LogisticRegression())
    first, second = (clone(model).fit(X, Y).predict_proba(X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
