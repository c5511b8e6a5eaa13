"""Belief networks: pre-training, unrolling and the units of the lowest machine."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification

from skimbal import DBNClassifier, MLPClassifier
from skimbal._training.contrastive_divergence import PretrainingJob, PretrainingPlan
from skimbal.exceptions import NonFiniteLossError

FAST = {
    "hidden_layer_sizes": (6, 4),
    "pretrain_epochs": 3,
    "max_epochs": 4,
    "batch_size": 32,
    "random_state": 0,
}


@pytest.fixture(scope="module")
def data():
    return make_classification(90, n_features=5, n_informative=3, weights=[0.7], random_state=0)


@pytest.fixture(scope="module")
def bits(data):
    return (data[0] > 0).astype(float), data[1]


def shared_settings(settings):
    """One set of defaults for both classes, whose own may differ."""
    defaults = DBNClassifier().get_params()
    shared = defaults.keys() & MLPClassifier().get_params().keys()
    return {**{name: defaults[name] for name in shared}, **settings}


def assert_same_network(one, other, X):
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    for a, b in zip(one.net_.module_.parameters(), other.net_.module_.parameters(), strict=True):
        assert (a == b).all()


@pytest.mark.parametrize("sample_weight", [None, np.linspace(0.1, 2.0, 90)])
@pytest.mark.parametrize(
    "settings",
    [{}, {"dropout": 0.3}, {"class_weight": "balanced"}, {"early_stopping": True}],
    ids=str,
)
def test_without_pretraining_it_is_a_perceptron_of_sigmoids(data, settings, sample_weight):
    X, y = data
    common = shared_settings({k: v for k, v in FAST.items() if "pretrain" not in k} | settings)
    belief = DBNClassifier(pretrain_epochs=0, **common)
    perceptron = MLPClassifier(activation="sigmoid", **common)
    belief.fit(X, y, sample_weight)
    assert_same_network(belief, perceptron.fit(X, y, sample_weight), X)
    assert belief.pretrain_history_.empty
    histories = [network.history_.drop(columns="duration_s") for network in (belief, perceptron)]
    pd.testing.assert_frame_equal(*histories)


def test_without_pretraining_binary_inputs_are_not_standardized(bits):
    X, y = bits
    common = shared_settings({k: v for k, v in FAST.items() if "pretrain" not in k})
    belief = DBNClassifier(pretrain_epochs=0, **common).fit(X, y)
    perceptron = MLPClassifier(activation="sigmoid", **{**common, "standardize": False})
    assert_same_network(belief, perceptron.fit(X, y), X)


def test_pretraining_changes_the_weights_that_training_begins_with(data):
    X, y = data
    without = clone(DBNClassifier(**FAST)).set_params(pretrain_epochs=0, learning_rate=1e-12)
    pretrained = clone(without).set_params(pretrain_epochs=20)
    initial, learned = (
        network.fit(X, y).net_.module_.hidden_layers()[0].weight
        for network in (without, pretrained)
    )
    assert (initial - learned).abs().max() > 0.01


@pytest.mark.parametrize("settings", [{}, {"early_stopping": True, "n_iter_no_change": 1}], ids=str)
def test_machines_are_the_layers_of_the_network(data, settings):
    X, y = data
    network = DBNClassifier(**FAST, **settings).fit(X, y)

    def assert_shared():
        layers = network.net_.module_.hidden_layers()
        assert [tuple(rbm.weight.shape) for rbm in network.rbms_] == [(6, 5), (4, 6)]
        for rbm, layer in zip(network.rbms_, layers, strict=True):
            assert rbm.weight.data_ptr() == layer.weight.data_ptr()
            assert rbm.hidden_bias.data_ptr() == layer.bias.data_ptr()

    assert_shared()
    if not settings:
        network.partial_fit(X, y)
        assert_shared()


def test_transform_is_the_top_machines_answer(data):
    X, y = data
    network = DBNClassifier(**FAST).fit(X, y)
    activations = torch.as_tensor((X - X.mean(0)) / X.std(0))
    for rbm in network.rbms_:
        activations = rbm.double().hidden_proba(activations.to(rbm.weight.dtype))
    np.testing.assert_allclose(network.transform(X), activations, atol=1e-6)


def test_visible_units_are_chosen_by_the_inputs(data, bits):
    for (X, y), expected in ((data, "gaussian"), (bits, "bernoulli")):
        network = DBNClassifier(**FAST).fit(X, y)
        assert network.visible_ == expected
        assert [rbm.visible for rbm in network.rbms_] == [expected, "bernoulli"]
    X, y = bits
    assert DBNClassifier(**FAST).fit(0.5 * X, y).visible_ == "gaussian"
    assert DBNClassifier(**FAST, visible="gaussian").fit(X, y).visible_ == "gaussian"
    assert DBNClassifier(**FAST, visible="bernoulli").fit(0.5 * X, y).visible_ == "bernoulli"


@pytest.mark.parametrize("value", [-0.25, 1.5])
def test_bernoulli_refuses_other_inputs_before_any_training(bits, value):
    X, y = bits[0].copy(), bits[1]
    X[3, 2] = value
    network = DBNClassifier(**FAST, visible="bernoulli")
    with pytest.raises(ValueError, match=rf"X lies in \[.*{value}.*values in \[0, 1\]; scale X"):
        network.fit(X, y)
    assert not hasattr(network, "rbms_")
    network.fit(bits[0], y)
    with pytest.raises(ValueError, match="visible='bernoulli' takes values in"):
        network.partial_fit(X, y)


def test_bernoulli_takes_the_rounding_of_a_scaler(bits):
    X, y = bits
    network = DBNClassifier(**FAST, visible="bernoulli").fit(X, y)
    rounded = DBNClassifier(**FAST, visible="bernoulli").fit(X * (1.0 + 1e-15) - 1e-16, y)
    assert_same_network(rounded, network, X)


def test_bernoulli_clips_what_it_predicts(bits):
    X, y = bits
    network = DBNClassifier(**FAST, visible="bernoulli").fit(X, y)
    beyond = np.where(X == 1, 7.0, -0.5)
    np.testing.assert_array_equal(network.predict_proba(beyond), network.predict_proba(X))


def test_bernoulli_takes_the_same_inputs_with_and_without_standardize(bits):
    X, y = bits
    one, other = (DBNClassifier(**FAST, standardize=value).fit(X, y) for value in (True, False))
    assert_same_network(one, other, X)


def test_settings_of_the_pretraining_arrive(data, monkeypatch):
    plans = []

    def stub(jobs):
        plans.append(jobs[0].plan)
        jobs[0].errors, jobs[0].visible_biases = [np.zeros(3)], []
        return jobs

    monkeypatch.setattr(PretrainingJob, "run_all", stub)
    DBNClassifier(
        pretrain_epochs=3,
        pretrain_learning_rate=0.07,
        pretrain_momentum=0.6,
        pretrain_weight_decay=0.02,
        n_gibbs_steps=4,
        persistent=True,
        batch_size=17,
        max_epochs=1,
    ).fit(*data)
    expected = PretrainingPlan(
        visible="gaussian",
        n_epochs=3,
        learning_rate=0.07,
        momentum=0.6,
        weight_decay=0.02,
        n_gibbs_steps=4,
        persistent=True,
        batch_size=17,
    )
    assert plans == [expected]


def test_pretraining_history(data):
    history = DBNClassifier(**FAST).fit(*data).pretrain_history_
    assert list(history.columns) == ["layer", "epoch", "reconstruction_error"]
    assert history["layer"].tolist() == [0, 0, 0, 1, 1, 1]
    assert history["epoch"].tolist() == [1, 2, 3, 1, 2, 3]
    assert (history["reconstruction_error"] > 0).all()


def test_history_without_pretraining_has_the_same_columns(data):
    history = DBNClassifier(**{**FAST, "pretrain_epochs": 0}).fit(*data).pretrain_history_
    assert list(history.columns) == ["layer", "epoch", "reconstruction_error"]


def test_reconstruction_gets_better(bits):
    settings = {**FAST, "pretrain_epochs": 60, "pretrain_learning_rate": 0.1}
    history = DBNClassifier(**settings).fit(*bits).pretrain_history_
    lowest = history.query("layer == 0")["reconstruction_error"]
    assert lowest.iloc[-10:].mean() < 0.9 * lowest.iloc[:10].mean()


def test_sample_weights_of_one_are_none(data):
    X, y = data
    plain, ones = DBNClassifier(**FAST).fit(X, y), DBNClassifier(**FAST).fit(X, y, np.ones(len(y)))
    np.testing.assert_allclose(ones.predict_proba(X), plain.predict_proba(X), atol=1e-5)


def test_samples_without_weight_are_not_there(data):
    X, y = data
    weight = (np.arange(len(y)) % 3 > 0).astype(float)
    kept = weight > 0
    dropped = DBNClassifier(**FAST).fit(X, y, weight)
    absent = DBNClassifier(**FAST).fit(X[kept], y[kept], np.ones(kept.sum()))
    np.testing.assert_allclose(dropped.predict_proba(X), absent.predict_proba(X), atol=1e-6)


def test_sample_weights_enter_the_pretraining(data):
    X, y = data
    network = DBNClassifier(**{**FAST, "pretrain_epochs": 20, "learning_rate": 1e-12})
    weight = np.where(X[:, 0] > 0, 10.0, 0.1)
    plain = clone(network).fit(X, y).rbms_[0].hidden_bias
    assert (clone(network).fit(X, y, weight).rbms_[0].hidden_bias - plain).abs().max() > 1e-3


@pytest.mark.parametrize(
    "class_weight", [{1: 5.0}, [1.0, 5.0], pd.Series({0: 2.0, 1: 10.0}), "balanced"], ids=str
)
def test_class_weights_of_the_pretraining_are_sample_weights_of_the_machines(data, class_weight):
    X, y = data
    network = DBNClassifier(
        **{**FAST, "pretrain_epochs": 20, "learning_rate": 1e-12}, standardize=False
    )
    is_balanced = isinstance(class_weight, str)
    ratio = (y == 0).sum() / (y == 1).sum() if is_balanced else 5.0
    by_class = clone(network).set_params(pretrain_class_weight=class_weight).fit(X, y)
    by_sample = clone(network).fit(X, y, np.where(y == 1, ratio, 1.0))
    for own, other in zip(by_class.rbms_, by_sample.rbms_, strict=True):
        torch.testing.assert_close(own.weight, other.weight, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(own.hidden_bias, other.hidden_bias, rtol=1e-4, atol=1e-5)
    plain = clone(network).fit(X, y)
    assert (by_class.rbms_[0].weight - plain.rbms_[0].weight).abs().max() > 1e-3
    weight = np.linspace(0.5, 2.0, 90)
    ratio = weight[y == 0].sum() / weight[y == 1].sum() if is_balanced else 5.0
    both = clone(by_class).fit(X, y, weight)
    product = clone(network).fit(X, y, weight * np.where(y == 1, ratio, 1.0))
    torch.testing.assert_close(both.rbms_[0].weight, product.rbms_[0].weight, rtol=1e-4, atol=1e-5)


def test_class_weights_of_the_pretraining_leave_the_loss_alone(data):
    X, y = data
    network = DBNClassifier(**FAST, pretrain_class_weight="balanced").fit(X, y)
    np.testing.assert_array_equal(network.class_weight_, 1.0)
    without = clone(network).set_params(pretrain_epochs=0).fit(X, y)
    plain = DBNClassifier(**{**FAST, "pretrain_epochs": 0}).fit(X, y)
    assert_same_network(without, plain, X)


def test_pretraining_with_class_weights_reconstructs_the_rare_class_better():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [380, 20])
    X = np.where(y[:, None] == 1, rng.random((400, 12)) < 0.85, rng.random((400, 12)) < 0.15)
    X[:, :6] ^= (y == 1)[:, None]  # the rare class has a pattern of its own
    settings = {"hidden_layer_sizes": (3,), "pretrain_epochs": 40, "learning_rate": 1e-12}

    def error(class_weight):
        network = DBNClassifier(
            **{**FAST, **settings}, pretrain_class_weight=class_weight, pretrain_learning_rate=0.1
        )
        rbm = network.fit(X.astype(float), y).rbms_[0]
        rare = torch.as_tensor(X[y == 1], dtype=torch.float32)
        hidden = rbm.hidden_proba(rare)
        reconstructed = torch.sigmoid(hidden @ rbm.weight + rbm.visible_bias)
        return ((reconstructed - rare) ** 2).mean().item()

    assert error("balanced") < 0.9 * error(None)


@pytest.mark.parametrize(
    ("class_weight", "message"),
    [
        ("balancd", "unknown pretrain_class_weight 'balancd'; did you mean 'balanced'"),
        ([1.0, 2.0, 3.0], r"pretrain_class_weight has shape \(3,\), but there are 2 classes"),
        ({1: -1.0}, r"pretrain_class_weight \[1.0, -1.0\] must be finite, non-negative"),
        ([0.0, 0.0], "pretrain_class_weight .* not all zero"),
        (3, "The 'pretrain_class_weight' parameter"),
    ],
    ids=str,
)
def test_bad_class_weights_of_the_pretraining_are_refused(data, class_weight, message):
    network = DBNClassifier(**FAST, pretrain_class_weight=class_weight)
    with pytest.raises(ValueError, match=message):
        network.fit(*data)
    assert not hasattr(network, "net_")


def test_balanced_pretraining_of_a_stream_needs_counts(data):
    X, y = data
    network = DBNClassifier(**FAST, pretrain_class_weight="balanced")
    with pytest.raises(ValueError, match=r"pretrain_class_weight='balanced' and loss=.* depend on"):
        network.partial_fit(X, y, classes=[0, 1])
    assert network.partial_fit(X, y, classes=[0, 1], class_counts={0: 700, 1: 300}).n_iter_ == 1


@pytest.mark.parametrize("settings", [{}, {"persistent": True, "n_gibbs_steps": 2}], ids=str)
def test_same_seed_same_network(data, settings):
    X, y = data
    one, same = (DBNClassifier(**FAST, **settings).fit(X, y) for _ in range(2))
    assert_same_network(one, same, X)
    pd.testing.assert_frame_equal(one.pretrain_history_, same.pretrain_history_)
    other = DBNClassifier(**{**FAST, "random_state": 1}, **settings).fit(X, y)
    assert (other.predict_proba(X) != one.predict_proba(X)).any()


def test_global_random_state_is_not_touched(data):
    before = torch.random.get_rng_state()
    DBNClassifier(**FAST, dropout=0.2, persistent=True).fit(*data)
    assert (torch.random.get_rng_state() == before).all()


@pytest.mark.parametrize("settings", [{}, {"dropout": 0.2}], ids=str)
def test_pickle(data, settings):
    X, y = data
    network = DBNClassifier(**FAST, **settings).fit(X, y)
    loaded = pickle.loads(pickle.dumps(network))
    assert_same_network(loaded, network, X)
    for one, other in zip(loaded.rbms_, network.rbms_, strict=True):
        assert (one.weight == other.weight).all()
        assert (one.visible_bias == other.visible_bias).all()
    assert_same_network(loaded.partial_fit(X, y), network.partial_fit(X, y), X)


def test_three_layers_and_three_classes():
    X, y = make_classification(120, n_informative=4, n_classes=3, random_state=0)
    settings = {"hidden_layer_sizes": [8, 6, 4], "pretrain_epochs": 5, "max_epochs": 60}
    network = DBNClassifier(**{**FAST, **settings, "learning_rate": 0.02}).fit(X, y)
    assert network.pretrain_history_["layer"].unique().tolist() == [0, 1, 2]
    assert [tuple(rbm.weight.shape) for rbm in network.rbms_] == [(8, 20), (6, 8), (4, 6)]
    assert network.transform(X).shape == (120, 4)
    assert network.score(X, y) > 0.7


def test_one_layer_may_be_a_number(data):
    network = DBNClassifier(**{**FAST, "hidden_layer_sizes": 7}).fit(*data)
    assert [tuple(rbm.weight.shape) for rbm in network.rbms_] == [(7, 5)]


def test_signals_are_flattened():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2, 3)), np.arange(40) % 2
    network = DBNClassifier(**FAST).fit(X, y)
    assert network.rbms_[0].weight.shape == (6, 6)
    assert network.predict_proba(X).shape == (40, 2)


@pytest.mark.parametrize("sizes", [(), []])
def test_no_hidden_layer_is_refused(data, sizes):
    network = DBNClassifier(**{**FAST, "hidden_layer_sizes": sizes})
    with pytest.raises(ValueError, match=r"hidden_layer_sizes is empty; .* needs a hidden layer"):
        network.fit(*data)


@pytest.mark.parametrize(
    "settings",
    [
        {"visible": "binary"},
        {"pretrain_epochs": -1},
        {"pretrain_learning_rate": 0.0},
        {"pretrain_learning_rate": "fast"},
        {"pretrain_momentum": 1.0},
        {"pretrain_weight_decay": -0.1},
        {"n_gibbs_steps": 0},
        {"persistent": "yes"},
        {"dropout": 1.0},
        {"hidden_layer_sizes": (4, 0)},
    ],
    ids=str,
)
def test_bad_parameters_are_refused(data, settings):
    (name,) = settings
    with pytest.raises(ValueError, match=name):
        DBNClassifier(**{**FAST, **settings}).fit(*data)


def test_diverging_pretraining_names_the_epoch(data):
    network = DBNClassifier(**{**FAST, "pretrain_epochs": 300, "pretrain_learning_rate": 100.0})
    with pytest.raises(NonFiniteLossError, match=r"pre-training diverged in epoch \d+; lower"):
        network.fit(*data)


def test_published_settings():
    network = DBNClassifier.as_published(random_state=3)
    settings = network.get_params()
    assert settings["pretrain_learning_rate"] == settings["learning_rate"] == 0.01
    assert (settings["pretrain_epochs"], settings["max_epochs"]) == (100, 300)
    assert settings["optimizer"] == "sgd"
    assert settings["random_state"] == 3
    assert len(network.hidden_layer_sizes) == 2
    assert DBNClassifier.as_published(random_state=3).get_params() == settings
    sizes = {DBNClassifier.as_published(random_state=i).hidden_layer_sizes for i in range(20)}
    assert len(sizes) > 10
    assert all(10 <= size <= 100 for pair in sizes for size in pair)
    assert DBNClassifier.as_published(3, max_epochs=2).max_epochs == 2


def test_machines_follow_the_network_after_pickling(data):
    loaded = pickle.loads(pickle.dumps(DBNClassifier(**FAST).fit(*data)))
    before = loaded.rbms_[0].weight.clone()
    loaded.partial_fit(*data)
    assert torch.equal(loaded.rbms_[0].weight, loaded.net_.module_.hidden_layers()[0].weight)
    assert not torch.equal(loaded.rbms_[0].weight, before)
    assert torch.equal(loaded.rbms_[0].visible_bias, loaded.visible_biases_[0])


def test_an_interrupt_of_the_pretraining_undoes_the_fit(monkeypatch):
    def interrupt(jobs):
        raise KeyboardInterrupt

    X = np.random.default_rng(0).normal(size=(40, 3))
    y = X[:, 0] > 0
    fitted = DBNClassifier(
        hidden_layer_sizes=(4,), pretrain_epochs=1, max_epochs=2, random_state=0
    ).fit(X, y)
    proba = fitted.predict_proba(X)
    unfitted = DBNClassifier(hidden_layer_sizes=(4,))
    monkeypatch.setattr(PretrainingJob, "run_all", interrupt)
    for network in (fitted.set_params(hidden_layer_sizes=(6,)), unfitted):
        with pytest.raises(KeyboardInterrupt):
            network.fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), proba)
    assert not hasattr(unfitted, "net_")


def test_samples_of_weight_0_do_not_choose_the_visible_units():
    X = np.random.default_rng(0).integers(0, 2, size=(40, 3)).astype(float)
    y = X[:, 0] > 0
    X[-1] = 5.0
    weight = np.ones(40)
    weight[-1] = 0.0
    network = DBNClassifier(hidden_layer_sizes=(4,), pretrain_epochs=1, max_epochs=1)
    assert network.fit(X, y, weight).visible_ == "bernoulli"
    assert network.fit(X, y).visible_ == "gaussian"


@pytest.mark.parametrize("sizes", [(64,), (512,), (300, 300)], ids=str)
@pytest.mark.parametrize("n_features", [5, 100])
def test_wide_layers_learn_at_the_default_step_size(sizes, n_features):
    X = np.random.default_rng(0).normal(size=(200, n_features))
    y = (X[:, 0] + X[:, 1] > 0).astype(int)
    network = DBNClassifier(
        hidden_layer_sizes=sizes, pretrain_epochs=10, max_epochs=60, random_state=0
    ).fit(X, y)
    errors = network.pretrain_history_.query("layer == 0").reconstruction_error
    assert errors.max() < 3
    assert network.score(X, y) > 0.8


def test_the_automatic_step_size_is_the_old_one_in_narrow_layers(data):
    auto = DBNClassifier(**FAST).fit(*data)
    fixed = DBNClassifier(**{**FAST, "pretrain_learning_rate": 0.02}).fit(*data)
    np.testing.assert_array_equal(auto.predict_proba(data[0]), fixed.predict_proba(data[0]))


def test_too_large_a_step_in_a_wide_layer_is_an_error():
    X = np.random.default_rng(0).normal(size=(300, 300))
    network = DBNClassifier(
        hidden_layer_sizes=(512,), pretrain_learning_rate=0.02, max_epochs=1, random_state=0
    )
    with pytest.raises(NonFiniteLossError, match="grown more than tenfold"):
        network.fit(X, np.arange(300) % 2)
