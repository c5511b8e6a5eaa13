"""Networks that are trained with augmentation."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    NetClassifier,
    ResNetClassifier,
    persistence,
)
from skimbal.augmentation import BaseAugmentation, FrequencyMask, Noise, Scaling, Shift, TimeMask
from skimbal.neural_network import fit_population
from skimbal.preprocessing import index_windows
from tests.augmentation.own_code import TwoInputs, convolution, with_offset

rng = np.random.default_rng(0)
TABLE = rng.normal(size=(60, 6))
SIGNALS = rng.normal(size=(60, 2, 20))
SPECTROGRAMS = rng.normal(size=(60, 1, 8, 12))
y = np.repeat([0, 1, 2], [40, 12, 8])
SIGNAL_CHANGES = [Noise(0.5), Shift(0.2), "scaling", TimeMask(0.2), with_offset]
BAND = FrequencyMask(0.3)
TINY = {"max_epochs": 2, "batch_size": 16, "random_state": 0}
NETWORKS = [
    (MLPClassifier(**TINY, augmentation=[Noise(0.5), Scaling()]), TABLE),
    (MLPClassifier(**TINY, augmentation=SIGNAL_CHANGES), SIGNALS),
    (DBNClassifier(**TINY, augmentation="noise", pretrain_epochs=1), TABLE),
    (CNN1DClassifier(**TINY, n_filters=(4,), augmentation=SIGNAL_CHANGES), SIGNALS),
    (CNN1DClassifier(**TINY, n_filters=(4,), augmentation=Shift(0.2)), SIGNALS[:, 0]),
    (CNN2DClassifier(**TINY, n_filters=4, augmentation=["shift", BAND]), SPECTROGRAMS),
    (CNN2DClassifier(**TINY, n_filters=4, augmentation=["crop", "cutout"]), SPECTROGRAMS[:, 0]),
    (NetClassifier(convolution, **TINY, augmentation=SIGNAL_CHANGES), SIGNALS),
    (ResNetClassifier(**TINY, depth=8, augmentation=["flip", Noise()]), SPECTROGRAMS),
]
IDS = [f"{type(network).__name__}-{X.ndim}" for network, X in NETWORKS]
CNN = NETWORKS[3][0]


def posteriors(network, X):
    return network.predict_proba(X)


@pytest.mark.parametrize(("network", "X"), NETWORKS, ids=IDS)
def test_the_seed_decides_and_the_parameter_matters(network, X):
    first, second = (posteriors(clone(network).fit(X, y), X) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    without = posteriors(clone(network).set_params(augmentation=()).fit(X, y), X)
    other = posteriors(clone(network).set_params(random_state=1).fit(X, y), X)
    assert np.abs(first - without).max() > 1e-4
    assert np.abs(first - other).max() > 1e-4


@pytest.mark.parametrize(("network", "X"), NETWORKS, ids=IDS)
def test_pickled_networks_continue_alike(network, X):
    fitted = clone(network).fit(X, y)
    copy = pickle.loads(pickle.dumps(fitted))
    for one in (fitted, copy):
        one.partial_fit(X, y)
    np.testing.assert_array_equal(posteriors(copy, X), posteriors(fitted, X))
    # The numbers go on: an epoch does not draw those of the one before.
    again = pickle.loads(pickle.dumps(fitted)).partial_fit(X, y).partial_fit(X, y)
    assert np.abs(posteriors(again, X) - posteriors(fitted, X)).max() > 0


@pytest.mark.parametrize("mixup", [0.0, 1.0])
def test_a_dense_population_equals_its_networks(mixup):
    networks = [
        MLPClassifier(**{**TINY, "random_state": seed}, augmentation=SIGNAL_CHANGES, mixup=mixup)
        for seed in range(3)
    ]
    together = fit_population(networks, SIGNALS, y)
    for network, fitted in zip(networks, together, strict=True):
        alone = clone(network).fit(SIGNALS, y)
        np.testing.assert_array_equal(posteriors(alone, SIGNALS), posteriors(fitted, SIGNALS))


def test_parts_of_a_dict_are_changed_as_one_row():
    parts = {"first": TABLE[:, :2], "second": TABLE[:, 2:]}
    network = NetClassifier(TwoInputs, **TINY, augmentation=[Noise(0.5), "scaling"])
    fitted = [clone(network).fit(parts, y) for _ in range(2)]
    np.testing.assert_array_equal(*(posteriors(one, parts) for one in fitted))
    without = clone(network).set_params(augmentation=()).fit(parts, y)
    assert np.abs(posteriors(fitted[0], parts) - posteriors(without, parts)).max() > 1e-4
    with pytest.raises(ValueError, match=r"takes signals .* samples of shape \(6,\)"):
        clone(network).set_params(augmentation="shift").fit(parts, y)


def test_networks_of_other_augmentations_are_told_apart():
    networks = [
        MLPClassifier(**TINY, augmentation=augmentation)
        for augmentation in (Noise(0.2), Noise(0.9), (), [Noise(0.2), "scaling"], with_offset)
    ]
    together = fit_population(networks, TABLE, y)
    for network, fitted in zip(networks, together, strict=True):
        alone = clone(network).fit(TABLE, y)
        np.testing.assert_array_equal(posteriors(alone, TABLE), posteriors(fitted, TABLE))


class Recorded(BaseAugmentation):
    """Keeps what it is given, and changes nothing."""

    seen: list = []

    def apply(self, X, drawn):
        self.seen.append(X.clone())
        return X


@pytest.mark.parametrize("network", [CNN, MLPClassifier(**TINY)], ids=["CNN", "MLP"])
def test_only_training_rows_are_changed(network):
    Recorded.seen.clear()
    network = clone(network).set_params(
        augmentation=Recorded(), standardize=False, early_stopping=True, batch_size=64
    )
    network.fit(SIGNALS[:40], np.arange(40) % 2, X_val=SIGNALS[40:], y_val=y[40:] > 1)
    trial, *epochs = Recorded.seen
    network.predict(SIGNALS)
    assert len(trial) == 3
    assert len(epochs) == len(Recorded.seen) - 1 == 2  # one batch in each of the two epochs
    for epoch in epochs:
        rows = {row.numpy().tobytes() for row in epoch}
        assert rows == {row.astype(np.float32).tobytes() for row in SIGNALS[:40]}


def test_windows_are_changed_like_their_array():
    recordings = [rng.normal(size=(2, n)).astype(np.float32) for n in (60, 80)]
    windows = index_windows(recordings, size=20, step=4)
    labels = np.arange(len(windows)) % 2
    X = np.asarray(windows)
    by_windows, by_array = (clone(CNN).fit(given, labels) for given in (windows, X))
    np.testing.assert_allclose(posteriors(by_windows, X), posteriors(by_array, X), atol=1e-6)


def test_partial_fit_from_the_start():
    fitted = [clone(CNN).partial_fit(SIGNALS, y, classes=[0, 1, 2]) for _ in range(2)]
    np.testing.assert_array_equal(*(posteriors(network, SIGNALS) for network in fitted))


# ---------------------------------------------------------------- tools of scikit-learn


def test_a_search_over_augmentations():
    network = CNN1DClassifier(**TINY, n_filters=(4,), augmentation=Noise())
    assert network.get_params()["augmentation__strength"] == 0.1
    grid = [
        {"augmentation": [(), "shift", Scaling(), [Noise(0.2), "shift"]]},
        {"augmentation__strength": [0.1, 1.0]},
    ]
    search = GridSearchCV(network, grid, cv=2, error_score="raise").fit(SIGNALS, y)
    assert len(search.cv_results_["params"]) == 6
    assert network.set_params(augmentation__strength=0.7).augmentation.strength == 0.7


def test_files_hold_the_augmentation(tmp_path):
    network = clone(CNN).set_params(augmentation=[Noise(0.5), "shift"]).fit(SIGNALS, y)
    persistence.save(network, tmp_path / "network")
    loaded = persistence.load(tmp_path / "network")
    assert loaded.augmentation[0].strength == 0.5
    for one in (network, loaded):
        one.partial_fit(SIGNALS, y)
    np.testing.assert_array_equal(posteriors(network, SIGNALS), posteriors(loaded, SIGNALS))


def test_files_with_a_function_need_trust(tmp_path):
    network = clone(CNN).set_params(augmentation=with_offset).fit(SIGNALS, y)
    persistence.save(network, tmp_path / "network")
    with pytest.raises(ValueError, match="with_offset"):
        persistence.load(tmp_path / "network")
    loaded = persistence.load(tmp_path / "network", trusted=[with_offset])
    assert loaded.augmentation is with_offset
    np.testing.assert_array_equal(posteriors(network, SIGNALS), posteriors(loaded, SIGNALS))


# ---------------------------------------------------------------- errors


def narrower(X, generator):
    return X[..., 1:]


def with_nan(X, generator):
    return X / 0.0 * 0.0


def undrawn(X, generator):
    return X + torch.randn(X.shape)


class Halved(BaseAugmentation):
    """Returns every second entry."""

    def apply(self, X, drawn):
        return X[..., ::2]


def as_double(X, generator):
    return X.double()


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (narrower, r"narrower .*returns shape \(3, 2, 19\) for a batch of shape \(3, 2, 20\)"),
        (with_nan, "returns NaN or infinite numbers"),
        (undrawn, "something else when it is called again .* draw with the generator"),
        (as_double, r"returns torch.float64 for torch.float32"),
        (lambda X, generator: X.numpy(), "returns ndarray, not a tensor"),
        (lambda X: X, "raises TypeError"),
        ([Noise(), "nose"], "unknown augmentation 'nose'"),
        (Halved(), r"Halved\(\) does not fit: its apply returns shape \(3, 2, 10\)"),
        (Noise(-0.5), "'strength' parameter of Noise"),
        (FrequencyMask(), r"takes images .* samples of shape \(2, 20\)"),
        (Shift(0.01), "does nothing"),
    ],
)
def test_errors_come_before_the_training(augmentation, message):
    network = clone(CNN).set_params(augmentation=augmentation)
    with pytest.raises(ValueError, match=message):
        network.fit(SIGNALS, y)
    assert not hasattr(network, "net_")


def test_a_function_that_fails_later_leaves_nothing_half_fitted():
    def fails_for_full_batches(X, generator):
        return X / 0.0 if len(X) == 16 else X

    network = clone(CNN).set_params(augmentation=fails_for_full_batches)
    with pytest.raises(ValueError, match="returns NaN or infinite"):
        network.fit(SIGNALS, y)
    assert not hasattr(network, "net_")
    assert not hasattr(network, "classes_")
