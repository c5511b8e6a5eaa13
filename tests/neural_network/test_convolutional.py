import numpy as np
import pytest
from sklearn.base import clone

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    MLPClassifier,
    ResNetClassifier,
)
from skimbal._training import inputs
from skimbal.modules import size_after_layers, smallest_size
from skimbal.neural_network import CNN_PRESETS, _base, _fit_plan, fit_population
from skimbal.preprocessing import WindowIndex, index_windows

rng = np.random.default_rng(0)
TIME = np.arange(32) / 32
y = np.arange(60) % 5 == 0
SIGNALS = np.sin(2 * np.pi * (np.where(y, 8, 3)[:, None, None] * TIME + rng.random((60, 2, 1))))
IMAGES = rng.normal(size=(60, 3, 16, 16)) + y[:, None, None, None]
SMALL = {"n_filters": (4, 8), "max_epochs": 3, "random_state": 0}


def n_parameters(network):
    return sum(parameter.numel() for parameter in network.net_.module_.parameters())


def untrained(network, shape, n_classes):
    """A network trained for one epoch on anything."""
    X = rng.normal(size=(2 * n_classes, *shape))
    return network.set_params(max_epochs=1).fit(X, np.arange(len(X)) % n_classes)


@pytest.mark.parametrize(
    ("name", "network", "shape", "n_classes", "n_expected"),
    [
        # 3 x 3 kernels on 1, 64 and 32 channels, and 16 means: 640 + 18,464 + 4,624 + 68.
        ("motor-sound", CNN2DClassifier, (1, 20, 12), 4, 23_796),
        # 3 taps and 32 biases; 2 * 32 * 64 + 64; 3 entries of 64 filters; 128 to 16; 16 to 3.
        ("nested-spheres", CNN1DClassifier, (10,), 3, 128 + 4160 + 24_704 + 2064 + 51),
        # 10 taps on 3 channels; 10 taps on 100; 160 means to 6 classes.
        ("activity", CNN1DClassifier, (3, 80), 6, 3100 + 160_160 + 966),
    ],
)
def test_presets_are_the_published_networks(name, network, shape, n_classes, n_expected):
    fitted = untrained(network(**CNN_PRESETS[name]), shape, n_classes)
    assert n_parameters(fitted) == n_expected


@pytest.mark.parametrize(
    ("network", "X"),
    [
        (CNN1DClassifier(**SMALL), SIGNALS),
        (CNN1DClassifier(**SMALL), SIGNALS[:, 0]),
        (CNN2DClassifier(**SMALL), IMAGES),
        (CNN2DClassifier(**SMALL), IMAGES[:, 0]),
        (CNN2DClassifier(**SMALL), SIGNALS[:, 0]),
        (ResNetClassifier(depth=8, max_epochs=1, random_state=0), IMAGES),
    ],
    ids=["signals", "one channel", "images", "one colour", "table", "residual"],
)
def test_a_posterior_does_not_depend_on_the_samples_around_it(network, X):
    fitted = clone(network).fit(X, y)
    proba = fitted.predict_proba(X)
    np.testing.assert_array_equal(fitted.predict_proba(X[7:8]), proba[7:8])
    np.testing.assert_array_equal(fitted.predict_proba(X[::-1])[::-1], proba)
    assert fitted.transform(X).shape == (60, fitted._n_features_out)


@pytest.mark.parametrize("kind", [CNN1DClassifier, CNN2DClassifier])
def test_a_missing_axis_is_one_channel(kind):
    X = SIGNALS[:, 0] if kind is CNN1DClassifier else IMAGES[:, 0]
    plain = kind(**SMALL, standardize=False).fit(X, y).predict_proba(X)
    with_axis = kind(**SMALL, standardize=False).fit(X[:, None], y).predict_proba(X[:, None])
    np.testing.assert_array_equal(plain, with_axis)


def test_images_of_one_channel_are_standardised_as_a_whole():
    fitted = CNN2DClassifier(**SMALL).fit(IMAGES[:, 0], y)
    assert fitted.input_mean_.item() == pytest.approx(IMAGES[:, 0].mean())


def test_a_network_learns_frequencies_and_brightness():
    assert CNN1DClassifier(max_epochs=20, random_state=0).fit(SIGNALS, y).score(SIGNALS, y) == 1
    assert CNN2DClassifier(max_epochs=20, random_state=0).fit(IMAGES, y).score(IMAGES, y) == 1
    residual = ResNetClassifier(depth=8, max_epochs=8, batch_size=16, random_state=0)
    assert residual.fit(IMAGES, y).score(IMAGES, y) > 0.9


@pytest.mark.parametrize("size", range(1, 30))
@pytest.mark.parametrize(
    ("kernels", "pools", "padding"),
    [((3, 2), (1, 2), "valid"), ((5, 3), (3, 1), "valid"), ((9, 9), (4, 2), "same")],
)
def test_sizes_are_those_of_the_layers(size, kernels, pools, padding):
    expected = size_after_layers(size, kernels, pools, padding)
    network = CNN1DClassifier(
        n_filters=(2, 2),
        kernel_size=kernels,
        pool_size=pools,
        padding=padding,
        global_pooling=False,
        max_epochs=1,
    )
    X = rng.normal(size=(4, 1, size))
    assert (size >= smallest_size(kernels, pools, padding)) == (expected >= 1)
    if expected >= 1:
        assert network.fit(X, [0, 1, 0, 1])._n_features_out == 2 * expected
    else:
        with pytest.raises(ValueError, match=f"is {smallest_size(kernels, pools, padding)}: use"):
            network.fit(X, [0, 1, 0, 1])


def test_even_kernels_keep_the_size_without_a_warning():
    network = CNN1DClassifier(n_filters=(2,), kernel_size=4, pool_size=1, global_pooling=False)
    assert network.set_params(max_epochs=1).fit(SIGNALS, y)._n_features_out == 2 * 32


def test_images_of_one_row_are_signals():
    """A network of pairs (1, k) on one row has the weights and posteriors of one on signals."""
    settings = {"n_filters": (3, 4), "max_epochs": 3, "random_state": 0}
    signals = CNN1DClassifier(**settings, kernel_size=(3, 4), pool_size=(2, 3))
    rows = CNN2DClassifier(
        **settings, kernel_size=((1, 3), (1, 4)), pool_size=[(1, 2), np.array([1, 3])]
    )
    expected = signals.fit(SIGNALS, y).predict_proba(SIGNALS)
    proba = rows.fit(SIGNALS[:, :, None], y).predict_proba(SIGNALS[:, :, None])
    np.testing.assert_allclose(proba, expected, rtol=1e-4)


def test_pairs_of_equal_sides_are_numbers():
    settings = {"max_epochs": 2, "random_state": 0}
    one = CNN2DClassifier(**settings, kernel_size=(3, 2), pool_size=(2, 1)).fit(IMAGES, y)
    two = CNN2DClassifier(**settings, kernel_size=[(3, 3), 2], pool_size=[2, (1, 1)]).fit(IMAGES, y)
    np.testing.assert_array_equal(one.predict_proba(IMAGES), two.predict_proba(IMAGES))


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("kernels", [((5, 3), (1, 2)), ((2, 3), (4, 1))])
@pytest.mark.parametrize("pools", [((4, 1), (2, 2)), (1, (1, 3)), "auto"])
def test_sizes_by_axis_are_those_of_the_layers(padding, kernels, pools):
    network = CNN2DClassifier(
        n_filters=(2, 3),
        kernel_size=kernels,
        pool_size=pools,
        padding=padding,
        global_pooling=False,
        max_epochs=1,
    )
    shape = (26, 15)
    own_pools = [(None, None)] * 2 if pools == "auto" else [np.broadcast_to(p, 2) for p in pools]
    sides = [
        size_after_layers(
            side, [k[axis] for k in kernels], [pool[axis] for pool in own_pools], padding
        )
        for axis, side in enumerate(shape)
    ]
    X = rng.normal(size=(4, 1, *shape))
    assert network.fit(X, [0, 1, 0, 1])._n_features_out == 3 * sides[0] * sides[1]


def test_networks_of_pairs_are_trained_together_as_alone():
    networks = [
        CNN2DClassifier(
            n_filters=(2,), kernel_size=((2, 3),), pool_size=((3, 1),), max_epochs=2, random_state=k
        )
        for k in range(3)
    ]
    alone = [clone(network).fit(IMAGES, y).predict_proba(IMAGES) for network in networks]
    together = fit_population(networks, IMAGES, y)
    for network, expected in zip(together, alone, strict=True):
        np.testing.assert_allclose(network.predict_proba(IMAGES), expected, rtol=1e-4)


IMAGES_15 = np.zeros((60, 1, 40, 15))


@pytest.mark.parametrize(
    ("network", "X", "message", "not_said"),
    [
        (CNN2DClassifier(pool_size=4), IMAGES_15, "the width of X is 15.*width.* is 16: ", "same"),
        (
            CNN2DClassifier(pool_size=((8, 1), (8, 1))),
            IMAGES_15,
            'the height of X is 40.*height they take is 64: use .* or pool_size="auto"',
            'padding="same"',
        ),
        (
            CNN2DClassifier(kernel_size=((3, 9), (3, 9)), padding="valid"),
            IMAGES_15,
            'the width of X is 15.*smaller kernels or padding="same"',
            "pool_size=",
        ),
        (
            CNN1DClassifier(kernel_size=20, padding="valid", pool_size=2),
            np.zeros((60, 1, 32)),
            'the length of X is 32.*: use longer inputs, smaller kernels or padding="same"$',
            "pool",
        ),
        (
            CNN1DClassifier(kernel_size=5, padding="valid", pool_size=4),
            np.zeros((60, 1, 20)),
            'use longer inputs, smaller pools, pool_size="auto", smaller kernels or padding=',
            "width",
        ),
        (
            CNN2DClassifier(kernel_size=((50, 1), (3, 1)), padding="valid", pool_size=1),
            IMAGES_15,
            'the height of X is 40.*: use larger inputs, smaller kernels or padding="same"$',
            "pool",
        ),
        (
            CNN2DClassifier(kernel_size=((3, 1), (3, 1)), padding="valid", pool_size=((1, 4), 4)),
            IMAGES_15,
            'the width of X is 15.*: use larger inputs, smaller pools or pool_size="auto"$',
            "kernels",
        ),
        (
            CNN1DClassifier(kernel_size=40, padding="valid", pool_size=40),
            np.zeros((60, 1, 32)),
            "use longer inputs or smaller kernels and pools$",
            "auto",
        ),
    ],
)
def test_an_axis_of_which_nothing_is_left_is_named(network, X, message, not_said):
    with pytest.raises(ValueError, match=message) as error:
        network.fit(X, y)
    assert not_said not in str(error.value).split(": use ")[1]


@pytest.mark.parametrize(
    ("network", "X", "message"),
    [
        (CNN2DClassifier(pool_size=((4, 1),)), IMAGES, r"1 entries for 2 .*\(\(4, 1\), \(2, 2\)\)"),
        (CNN2DClassifier(pool_size=((4, 1), (2, 2, 2))), IMAGES, r"or a pair \(height, width\)"),
        (CNN2DClassifier(kernel_size=((4, 0), 3)), IMAGES, "kernel_size must be whole numbers"),
        (CNN1DClassifier(kernel_size=((4, 1), (3, 1))), SIGNALS, "over length is a whole number$"),
    ],
)
def test_bad_sizes_by_axis(network, X, message):
    with pytest.raises(ValueError, match=message):
        network.fit(X, y)


def test_few_frames_are_no_colours():
    X = rng.normal(size=(8, 9, 33, 3))
    CNN2DClassifier(max_epochs=1).fit(X, np.arange(8) % 2)


@pytest.mark.parametrize("shape", [(1, 1), (3, 1), (1, 2), (2, 3)])
def test_the_defaults_take_inputs_of_any_size(shape):
    X = rng.normal(size=(6, *shape))
    CNN1DClassifier(max_epochs=1).fit(X, np.arange(6) % 2).predict(X)
    CNN2DClassifier(max_epochs=1).fit(X, np.arange(6) % 2).predict(X)
    ResNetClassifier(depth=8, max_epochs=1, batch_size=5).fit(X, np.arange(6) % 2).predict(X)


@pytest.mark.parametrize(
    ("network", "X", "message"),
    [
        (CNN1DClassifier(), IMAGES, r"takes \(n_samples, channels, length\)"),
        (CNN2DClassifier(), IMAGES[None].repeat(60, 0), r"takes \(n_samples, channels, height"),
        (ResNetClassifier(), IMAGES[:, None], r"takes \(n_samples, channels, height"),
        (CNN2DClassifier(), np.moveaxis(IMAGES, 1, -1), "channels last"),
        (ResNetClassifier(), np.moveaxis(IMAGES, 1, -1), r"np.moveaxis\(X, -1, 1\)"),
        (CNN1DClassifier(pool_size=40), SIGNALS, "the smallest length they take is 1600"),
        (CNN1DClassifier(kernel_size=(3, 3, 3)), SIGNALS, "3 entries for 2 convolutions"),
        (CNN1DClassifier(n_filters=()), SIGNALS, "n_filters is empty"),
        (CNN1DClassifier(n_filters=(4, 0)), SIGNALS, "n_filters must be whole numbers"),
        (ResNetClassifier(depth=19), IMAGES, "18 or one of 8, 14, 20"),
        (CNN2DClassifier(augmentation=("flip", "rotate")), IMAGES, "unknown augmentation 'rotate'"),
    ],
)
def test_bad_input_is_refused_with_a_remedy(network, X, message):
    with pytest.raises(ValueError, match=message):
        network.fit(X, np.arange(len(X)) % 2)
    assert not hasattr(network, "net_")


def test_windows_train_and_predict_like_their_array():
    recordings = [rng.normal(size=(2, n)).astype(np.float32) for n in (100, 140, 90, 120)]
    windows = index_windows(recordings, size=16, step=4)
    labels = np.arange(len(windows)) % 3
    weight = rng.random(len(windows)) * (rng.random(len(windows)) > 0.2)
    for network in (
        CNN1DClassifier(**SMALL, mixup=0.5, class_weight="balanced"),
        CNN1DClassifier(**SMALL, sampler="balanced"),
        CNN2DClassifier(**SMALL, standardize=False),
        MLPClassifier(max_epochs=3, random_state=0),
        DBNClassifier(max_epochs=3, pretrain_epochs=2, random_state=0),
    ):
        lazy = clone(network).fit(windows, labels, sample_weight=weight)
        array = clone(network).fit(np.asarray(windows), labels, sample_weight=weight)
        assert lazy.input_shape_ == (2, 16)
        np.testing.assert_allclose(
            lazy.predict_proba(windows), array.predict_proba(np.asarray(windows)), atol=2e-4
        )


@pytest.mark.parametrize("kind", [CNN1DClassifier, MLPClassifier])
@pytest.mark.parametrize("parameters", [{"early_stopping": True}, {"sampler": "dynamic"}])
def test_whole_recordings_are_held_out(kind, parameters, monkeypatch):
    recordings = [rng.normal(size=(1, 60)) for _ in range(8)]
    windows = index_windows(recordings, size=16, step=4)
    labels = windows.recording % 2
    seen = []

    def to_tensors(X, *rest, device, to_tensors=_base.to_tensors):
        seen.append(set(X.windows.recording.tolist()))
        return to_tensors(X, *rest, device=device)

    monkeypatch.setattr(_base, "to_tensors", to_tensors)
    monkeypatch.setattr(_fit_plan, "to_tensors", to_tensors)
    network = kind(max_epochs=2, validation_fraction=0.25, random_state=0, **parameters)
    network.fit(windows, labels)
    held_out, trained = seen
    assert len(held_out) == 2
    assert held_out | trained == set(range(8))
    assert not held_out & trained
    with pytest.raises(ValueError, match="1 recording, but"):
        network.fit(windows, windows.recording == 3)


def test_windows_are_cut_batch_by_batch(monkeypatch):
    windows = index_windows([np.zeros((1, 5000), np.float32)], size=64, step=1)
    monkeypatch.setattr(inputs, "NUMBERS_AT_ONCE", 6400)
    taken = []

    def take(self, rows, take=WindowIndex.take):
        taken.append(len(rows))
        return take(self, rows)

    monkeypatch.setattr(WindowIndex, "take", take)
    labels = np.arange(len(windows)) % 2
    CNN1DClassifier(**SMALL, batch_size=100).fit(windows, labels).predict_proba(windows)
    assert sum(taken) > 4 * len(windows)
    assert max(taken) <= 100
