"""One's own network: as good as a built-in one, and refused at once where it does not fit."""

import pickle
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import EpochScoring
from torch import nn

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    BayesSearchCV,
    DESearchCV,
    NetClassifier,
    TunedCostClassifierCV,
    WindowedClassifier,
)
from skimbal.exceptions import NonFiniteLossError
from skimbal.neural_network import Module, cross_fit, fit_population

SETTINGS = {"max_epochs": 8, "learning_rate": 0.02, "random_state": 0, "device": "cpu"}

FRAME = {"a": ["x0", "x3", "x5"], "b": ["x1", "x2"]}
PLACES = {"a": [0, 3, -1], "b": slice(1, 3)}


class TwoLayers(nn.Module):
    """The usual kind: a body and a last layer."""

    def __init__(self, input_shape, n_classes, hidden=8, dropout=0.0):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(input_shape[0], hidden), nn.ReLU(), nn.Dropout(dropout))
        self.last = nn.Linear(hidden, n_classes)

    def forward(self, x):
        return self.last(self.body(x))


class OnSignals(nn.Module):
    def __init__(self, input_shape, n_classes, normalized=False):
        super().__init__()
        norm = nn.BatchNorm1d(4) if normalized else nn.Identity()
        self.body = nn.Sequential(nn.Conv1d(input_shape[0], 4, 3), norm, nn.ReLU(), nn.Dropout(0.2))
        self.last = nn.Linear(4, n_classes)

    def forward(self, x):
        return self.last(self.body(x).mean(dim=2))


class TwoInputs(nn.Module):
    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.of_a = nn.Linear(torch.Size(input_shape["a"]).numel(), 4)
        self.of_b = nn.Linear(torch.Size(input_shape["b"]).numel(), 4)
        self.last = nn.Linear(8, n_classes)

    def forward(self, *, a, b):
        parts = [self.of_a(a.flatten(1)), self.of_b(b.flatten(1))]
        return self.last(torch.cat(parts, dim=1).relu())


def network(module=TwoLayers, **parameters):
    return NetClassifier(module, **{**SETTINGS, **parameters})


def applied(function, n_outputs=2, **layers):
    """A module with a linear layer, of which `function` does the rest."""

    class Applied(nn.Module):
        def __init__(self, input_shape, n_classes):
            super().__init__()
            self.last = nn.Linear(input_shape[0], n_outputs)
            for name, layer in layers.items():
                setattr(self, name, layer)

        def forward(self, x):
            return function(self, x)

    return Applied


# ---------------------------------------------------------------- what a network can be


@pytest.mark.parametrize(
    "module",
    [
        TwoLayers,
        Module(TwoLayers, hidden=4),
        TwoLayers((6,), 2),
        nn.Sequential(nn.LazyLinear(4), nn.Tanh(), nn.Linear(4, 2)),
        nn.Linear(6, 2),
        lambda input_shape, n_classes: nn.Linear(*input_shape, n_classes).double(),
        nn.Sequential(nn.Linear(6, 2), nn.LogSoftmax(dim=1)),
    ],
    ids=["class", "Module", "module", "lazy", "linear", "float64", "log softmax"],
)
def test_what_a_network_can_be(module, imbalanced):
    X, y = imbalanced
    fitted = network(module).fit(X, y)
    assert fitted.history_["train_loss"].iloc[-1] < fitted.history_["train_loss"].iloc[0]
    again = clone(fitted).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(again, fitted.predict_proba(X))


def test_a_module_that_is_given_stays_as_it_is(imbalanced):
    module = TwoLayers((6,), 2)
    before = deepcopy(module.state_dict())
    fitted = network(module).fit(*imbalanced)
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
        assert not torch.equal(value, fitted.net_.module_.network.state_dict()[name])


def test_a_factory_draws_its_weights_by_the_seed(imbalanced):
    X, y = imbalanced
    torch.manual_seed(3)
    state = torch.get_rng_state()
    one, same, other = (network(random_state=i, max_epochs=1).fit(X, y) for i in (0, 0, 1))
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(one.predict_proba(X), same.predict_proba(X))
    assert not np.array_equal(one.predict_proba(X), other.predict_proba(X))


@pytest.mark.parametrize("columns", [None, PLACES], ids=["one", "two"])
def test_sparse_and_dense_tables_are_the_same(columns, imbalanced):
    X, y = imbalanced
    X = np.where(np.abs(X) < 0.5, 0.0, X)
    own = network(TwoLayers if columns is None else TwoInputs, columns=columns)
    dense, thin = clone(own).fit(X, y), clone(own).fit(sparse.csr_array(X), y)
    np.testing.assert_allclose(
        thin.predict_proba(sparse.csr_array(X)), dense.predict_proba(X), atol=1e-6
    )


def test_a_module_whose_parameters_do_not_fit(imbalanced):
    with pytest.raises(ValueError, match=r"unknown parameter of TwoLayers 'hiden'.*'hidden'"):
        Module(TwoLayers, hiden=3)
    with pytest.raises(ValueError, match="a network that exists already"):
        Module(nn.Linear(2, 2))
    module = Module(lambda input_shape, n_classes, **sizes: nn.Linear(3, 2), anything=1)
    assert module.set_params(more=2).get_params() == {"anything": 1, "more": 2}
    with pytest.raises(ValueError, match=r"TwoLayers, hidden='x'.* raises TypeError"):
        network(Module(TwoLayers, hidden="x")).fit(*imbalanced)


# ---------------------------------------------------------------- the last layer


def ends_elsewhere(self, x):
    return self.last(x) * 1.0


FEATURELESS = applied(ends_elsewhere)


@pytest.mark.parametrize(("module", "head"), [(TwoLayers, None), (TwoLayers, "last")])
def test_the_last_layer_gives_features(module, head, imbalanced):
    X, y = imbalanced
    fitted = network(module, head=head).fit(X, y)
    features = fitted.transform(X)
    last = fitted.net_.module_.network.last
    logits = features @ last.weight.detach().double().numpy().T + last.bias.detach().numpy()
    proba = torch.softmax(torch.as_tensor(logits), dim=1).numpy()
    np.testing.assert_allclose(fitted.predict_proba(X), proba, atol=1e-6)
    assert fitted.get_feature_names_out().shape == (8,)


@pytest.mark.parametrize("loss", ["ldam", "class_rectification"])
def test_losses_of_features_and_of_a_last_layer_of_their_own(loss, imbalanced):
    X, y = imbalanced
    fitted = network(loss=loss).fit(X, y)
    assert fitted.transform(X).shape == (300, 8)
    kind = "NormalizedLinear" if loss == "ldam" else "Linear"
    assert type(fitted.net_.module_.network.last).__name__ == kind


@pytest.mark.parametrize("loss", ["ldam", "class_rectification"])
def test_such_losses_need_a_last_layer(loss, imbalanced):
    with pytest.raises(ValueError, match=r"the logits of the network are not the output of"):
        network(FEATURELESS, loss=loss).fit(*imbalanced)


def test_without_a_last_layer_there_are_no_features(imbalanced):
    X, y = imbalanced
    fitted = network(FEATURELESS).fit(X, y)
    assert fitted.predict_proba(X).shape == (300, 2)
    with pytest.raises(ValueError, match=r"no features.*torch.nn.Linear"):
        fitted.transform(X)


@pytest.mark.parametrize(
    ("module", "head", "message"),
    [
        (TwoLayers, "lost", r"unknown head 'lost'; did you mean 'last'\? Known: 'body.0', 'last'"),
        (TwoLayers, "body.1", r"head='body.1' is ReLU; it must be a torch.nn.Linear"),
        (TwoLayers, "body.0", r"does not give the logits.*here that is 'last'"),
        (FEATURELESS, "last", "does not give the logits"),
        (
            applied(lambda s, x: s.last(x + 0 * s.last(x).mean(dim=1, keepdim=True))),
            "last",
            "is called 2",
        ),
    ],
)
def test_a_head_that_does_not_fit(module, head, message, imbalanced):
    with pytest.raises(ValueError, match=message):
        network(module, head=head).fit(*imbalanced)


# ---------------------------------------------------------------- networks that do not fit


def fails(input_shape, n_classes):
    raise RuntimeError("no weights")


def in_place(self, x):
    return self.last(x.mul_(2.0))


def random_in_evaluation(self, x):
    return self.last(F.dropout(x, 0.5))


def of_the_batch(self, x):
    return self.last(x - x.mean(dim=0))


def only_in_training(self, x):
    return self.last(x)[:, :1] if self.training else self.last(x)


NAN = nn.Linear(6, 2)
NAN.weight.data[0, 0] = torch.nan
STILL = nn.Linear(6, 2).requires_grad_(False)
BAD = {
    "width": (nn.Linear(6, 3), r"returns 3 numbers a sample, but y has 2 classes.*2 outputs"),
    "one logit": (nn.Linear(6, 1), "two classes need two logits"),
    "inputs": (nn.Linear(5, 2), r"samples of shape \(6,\), raises RuntimeError for 5 of them"),
    "rank": (applied(lambda s, x: s.last(x)[:, 0]), r"returns shape \(5,\) for 5 samples"),
    "rows": (applied(lambda s, x: s.last(x)[:1]), r"returns shape \(1, 2\) for 5 samples"),
    "tuple": (applied(lambda s, x: (s.last(x), x)), "returns tuple; it must return the logits"),
    "type": (applied(lambda s, x: s.last(x).argmax(dim=1)), "numbers of type torch.int64"),
    "nan": (NAN, "returns NaN or infinity"),
    "softmax": (applied(lambda s, x: s.last(x).softmax(dim=1)), "add up to 1, as a softmax does"),
    "detached": (applied(lambda s, x: s.last(x).detach()), "has no gradient"),
    "all still": (STILL, "has no gradient"),
    "no layer": (nn.Identity(), "returns 6 numbers a sample"),
    "no parameters": (applied(lambda s, x: x[:, :2], last=nn.Identity()), "has no parameters"),
    "raises": (fails, r"module=fails, called with input_shape=\(6,\) .* raises RuntimeError: no"),
    "no module": (lambda shape, n: 3, "returns 3, which is no torch.nn.Module"),
    "nothing": (None, "module=None must be a torch.nn.Module"),
    "in place": (applied(in_place), "changes its input in place"),
    "random": (applied(random_in_evaluation), "returns other numbers when it is called again"),
    "batch": (applied(of_the_batch), "when there are other samples beside it"),
    "moments": (
        nn.Sequential(nn.BatchNorm1d(6, track_running_stats=False), nn.Linear(6, 2)),
        "when there are other samples beside it",
    ),
    "training": (applied(only_in_training), "returns 1 numbers a sample"),
}


@pytest.mark.parametrize(("module", "message"), BAD.values(), ids=BAD)
def test_a_network_that_does_not_fit_is_refused_before_training(module, message, imbalanced):
    unfitted = network(module, max_epochs=10**6)
    before = set(vars(unfitted))
    with pytest.raises(ValueError, match=message):
        unfitted.fit(*imbalanced)
    assert set(vars(unfitted)) == before


def test_a_module_that_cannot_be_copied(imbalanced):
    module = nn.Linear(6, 2)
    module.kept = module(torch.ones(1, 6))
    with pytest.raises(ValueError, match="module=Linear can't be copied"):
        network(applied(ends_elsewhere)).set_params(module=module).fit(*imbalanced)


def test_a_loss_that_is_not_finite_leaves_an_earlier_fit(imbalanced):
    X, y = imbalanced
    fitted = network().fit(X, y)
    proba = fitted.predict_proba(X)
    with pytest.raises(NonFiniteLossError):
        fitted.set_params(optimizer="sgd", learning_rate=1e30, module=TwoLayers).fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), proba)


# ---------------------------------------------------------------- random numbers, batches of one


@pytest.mark.parametrize("layer", [nn.Dropout(0.5), nn.AlphaDropout(0.5), nn.RReLU()])
def test_random_numbers_of_the_module_have_a_seed(layer, imbalanced):
    X, y = imbalanced
    module = nn.Sequential(nn.Linear(6, 8), layer, nn.Linear(8, 2))
    torch.manual_seed(0)
    one = network(module).fit(X, y).predict_proba(X)
    state = torch.get_rng_state()
    other = network(module).fit(X, y).predict_proba(X)
    assert torch.equal(torch.get_rng_state(), state)
    np.testing.assert_array_equal(one, other)


def test_a_last_batch_of_one_row(imbalanced):
    X, y = imbalanced
    module = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    fitted = network(module, batch_size=13).fit(X[:40], y[:40])  # 13 + 13 + 13 + 1
    assert int(fitted.net_.module_.network[1].num_batches_tracked) == 3 * SETTINGS["max_epochs"]


# ---------------------------------------------------------------- several inputs


def test_columns_frames_and_dicts_are_the_same(imbalanced):
    X, y = imbalanced
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(6)])
    parts = {"a": X[:, [0, 3, 5]], "b": X[:, 1:3]}
    by_place = network(TwoInputs, columns=PLACES).fit(X, y).predict_proba(X)
    by_name = network(TwoInputs, columns=FRAME).fit(frame, y).predict_proba(frame)
    fitted = network(TwoInputs).fit(parts, y)
    np.testing.assert_array_equal(by_name, by_place)
    np.testing.assert_allclose(fitted.predict_proba(parts), by_place, atol=1e-6)
    turned = dict(reversed(parts.items()))
    np.testing.assert_array_equal(fitted.predict_proba(turned), fitted.predict_proba(parts))
    assert fitted.input_parts_ == {"a": (3,), "b": (2,)}


def test_arrays_of_a_dict_keep_their_axes(imbalanced):
    X, y = imbalanced
    rng = np.random.default_rng(0)
    images = 5.0 + 3.0 * rng.normal(size=(300, 2, 4, 4))
    fitted = network(TwoInputs).fit({"a": images, "b": X}, y)
    assert fitted.transform({"a": images, "b": X}).shape == (300, 8)
    mean = fitted.input_mean_[:32].reshape(2, 16)
    np.testing.assert_allclose(mean, images.mean(axis=(0, 2, 3))[:, None].repeat(16, axis=1))


def test_a_dict_with_validation_data_and_weights(imbalanced):
    X, y = imbalanced
    parts = {"a": X[:, :3], "b": X[:, 3:]}
    held_out = {name: part[:60] for name, part in parts.items()}
    fitted = network(TwoInputs, early_stopping=True)
    fitted.fit(parts, y, np.ones(300), X_val=held_out, y_val=y[:60])
    assert "valid_loss" in fitted.history_


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": ["x0", "xx3"], "b": [1]}, r"unknown column in columns\['a'\] 'xx3'"),
        ({"a": [6], "b": [1]}, r"columns\['a'\] has 6; it must be a number from 0 to 5"),
        ({"a": [], "b": [1]}, r"columns\['a'\] is \[\], which is no column"),
        ({"a": 1.5, "b": [1]}, r"columns\['a'\] has 1.5"),
        ({"a": slice("x0", "x2"), "b": [1]}, "a slice has numbers"),
        ({"a": [0]}, r"input_shape=\{'a': \(1,\)\}.*raises KeyError"),
        ({"a": [0], "b": [1], "c": [2]}, r"unexpected keyword argument 'c'"),
        ({"a b": [0]}, r"columns has the key 'a b'"),
        ({}, "columns is empty"),
    ],
)
def test_columns_that_do_not_fit(columns, message, imbalanced):
    X, y = imbalanced
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(6)])
    with pytest.raises(ValueError, match=message):
        network(TwoInputs, columns=columns).fit(frame, y)


def test_columns_by_name_need_a_frame(imbalanced):
    X, y = imbalanced
    with pytest.raises(ValueError, match="the columns of X have no names"):
        network(TwoInputs, columns=FRAME).fit(X, y)
    with pytest.raises(ValueError, match=r"columns cuts rows of tables.*\(2, 3\)"):
        network(TwoInputs, columns=PLACES).fit(X.reshape(-1, 2, 3), y)


def test_dicts_that_do_not_fit(imbalanced):
    X, y = imbalanced
    parts = {"a": X[:, :3], "b": X[:, 3:]}
    fitted = network(TwoInputs).fit(parts, y)
    with pytest.raises(ValueError, match="fitted on a dict with the keys"):
        fitted.predict(X)
    with pytest.raises(ValueError, match=r"shapes \{'a': \(3,\)\}, but NetClassifier was fitted"):
        fitted.predict({"a": X[:, :3]})
    with pytest.raises(ValueError, match="was fitted on an array"):
        network().fit(X, y).predict(parts)
    with pytest.raises(ValueError, match="columns is given too"):
        network(TwoInputs, columns=PLACES).fit(parts, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        network(TwoInputs).fit({"a": X[:9], "b": X}, y)
    with pytest.raises(ValueError, match="as text"):
        network(TwoInputs).fit({0: X}, y)
    with pytest.raises(ValueError, match=r"X\['b'\] contains NaN"):
        network(TwoInputs).fit({"a": X, "b": np.full((300, 1), np.nan)}, y)


# ---------------------------------------------------------------- a backbone


class WithBackbone(nn.Module):
    def __init__(self, input_shape=(6,), n_classes=2):
        super().__init__()
        norm = nn.BatchNorm1d(8)
        self.backbone = nn.Sequential(nn.Linear(*input_shape, 8), norm, nn.Tanh(), nn.Dropout(0.1))
        self.last = nn.Linear(8, n_classes)

    def forward(self, x):
        return self.last(self.backbone(x))


def state_of(fitted):
    module = fitted if isinstance(fitted, nn.Module) else fitted.net_.module_.network
    return {k: v.clone() for k, v in module.state_dict().items()}


@pytest.mark.parametrize("frozen", ["backbone.*", ["backbone.0.*", "backbone.1.*"]])
def test_what_is_frozen_stays_to_the_bit(frozen, imbalanced):
    X, y = imbalanced
    module = WithBackbone()
    fitted = network(module, frozen=frozen, optimizer="adamw", weight_decay=0.1).fit(X, y)
    before, after = state_of(module), state_of(fitted)
    is_same = {name: torch.equal(before[name], after[name]) for name in before}
    assert {name for name, same in is_same.items() if same} == {
        name for name in before if name.startswith("backbone")
    }


def test_it_is_trained_from_the_epoch_on(imbalanced):
    X, y = imbalanced
    module = WithBackbone()
    parameters = {"frozen": "backbone.*", "unfreeze_epoch": 4, "learning_rate_schedule": "cosine"}
    three = network(module, **parameters).set_params(max_epochs=3).fit(X, y)
    four = network(module, **parameters).set_params(max_epochs=4).fit(X, y)
    weight = "backbone.0.weight"
    assert torch.equal(state_of(three)[weight], state_of(module)[weight])
    assert not torch.equal(state_of(four)[weight], state_of(module)[weight])
    mean = "backbone.1.running_mean"  # batch normalization learns again too
    assert not torch.equal(state_of(four)[mean], state_of(module)[mean])


def test_all_may_be_frozen_at_first(imbalanced):
    parameters = {"frozen": "*", "unfreeze_epoch": 1, "max_epochs": 2}
    free = network(WithBackbone, max_epochs=2).fit(*imbalanced)
    late = network(WithBackbone, **parameters).fit(*imbalanced)
    for name, value in state_of(free).items():
        assert torch.equal(value, state_of(late)[name])


def test_learning_rates_by_pattern_against_torch(imbalanced):
    """Full batches of plain gradient descent, step by step."""
    X, y = imbalanced
    module = TwoLayers((6,), 2)
    given = {"optimizer": "sgd", "weight_decay": 0.0, "batch_size": 300, "standardize": False}
    rates = {"body.0.weight": 0.5, "body.*": 0.01}
    fitted = network(module, learning_rates=rates, learning_rate=0.1, **given)
    fitted.set_params(max_epochs=4, learning_rate_schedule=halving).fit(X, y)
    expected = deepcopy(module)
    target = torch.as_tensor(np.unique(y, return_inverse=True)[1])
    for epoch in range(4):
        loss = F.cross_entropy(expected(torch.as_tensor(X, dtype=torch.float32)), target)
        names, parameters = zip(*expected.named_parameters(), strict=True)
        for name, parameter, gradient in zip(
            names, parameters, torch.autograd.grad(loss, parameters), strict=True
        ):
            rate = {"body.0.weight": 0.5, "body.0.bias": 0.01}.get(name, 0.1)
            parameter.data -= rate * 0.5**epoch * gradient
    for name, value in expected.state_dict().items():
        torch.testing.assert_close(state_of(fitted)[name], value)
    np.testing.assert_allclose(fitted.history_["learning_rate"], 0.1 * 0.5 ** np.arange(4))


def halving(epoch, n_epochs):
    return 0.5 ** (epoch - 1)


def test_parameters_that_are_still_in_the_module_given(imbalanced):
    X, y = imbalanced
    module = TwoLayers((6,), 2)
    module.body.requires_grad_(False)
    together = fit_population([network(module, random_state=i) for i in range(6)], X, y)
    for fitted in together:
        weight = "body.0.weight"
        assert torch.equal(state_of(fitted)[weight], state_of(module)[weight])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"frozen": "back*"}, r"unknown parameter in frozen 'back\*'.*'body.0.bias'"),
        ({"frozen": ["body.*", "bdy.0.bias"]}, "did you mean 'body.0.bias'"),
        ({"frozen": [3]}, "unknown parameter in frozen 3"),
        ({"frozen": "*"}, "leaves no parameter to train"),
        ({"unfreeze_epoch": 3}, "frozen is None"),
        ({"unfreeze_epoch": 0, "frozen": "body.*"}, "unfreeze_epoch"),
        ({"learning_rates": {"lost.*": 0.1}}, r"unknown parameter in learning_rates 'lost.\*'"),
        ({"learning_rates": {"last.*": 0.0}}, r"learning_rates has 'last.\*': 0.0"),
        ({"learning_rates": {"last.*": "high"}}, "to learning rates above 0"),
        ({"learning_rates": {0: 0.1}}, "to learning rates above 0"),
        ({"learning_rates": {"last.*": 1e300}}, "is beyond"),
    ],
)
def test_patterns_that_do_not_fit(parameters, message, imbalanced):
    with pytest.raises(ValueError, match=message):
        network(**parameters).fit(*imbalanced)


# ---------------------------------------------------------------- all that networks have


def test_partial_fit_continues(imbalanced):
    X, y = imbalanced
    fitted = network(frozen="body.*", unfreeze_epoch=3, learning_rates={"last.*": 0.05})
    for _ in range(3):
        fitted.partial_fit(X, y, classes=np.unique(y))
    assert fitted.n_iter_ == 3
    assert [group["lr"] for group in fitted.net_.optimizer_.param_groups] == [0.05, 0.02]


def test_callbacks_and_scores(imbalanced):
    X, y = imbalanced
    scores = EpochScoring("balanced_accuracy", name="balanced", on_train=False)
    fitted = network(early_stopping=True, scoring="g_mean", callbacks=[scores]).fit(X, y)
    assert {"valid_score", "valid_loss", "balanced"} <= set(fitted.history_)


@pytest.mark.parametrize(
    "parameters",
    [
        {"class_weight": "balanced", "sampler": "sqrt"},
        {"cost_matrix": "inverse_frequency", "mixup": 0.5},
        {"sampler": "dynamic", "validation_fraction": 0.2},
        {"loss": "incremental_weighted_cross_entropy", "probabilities": "data"},
    ],
    ids=str,
)
def test_the_settings_of_all_networks(parameters, imbalanced):
    X, y = imbalanced
    fitted = network(**parameters).fit(X, y)
    assert np.isfinite(fitted.predict_proba(X)).all()


@pytest.mark.parametrize(
    ("module", "shape", "tolerance"),
    [
        (Module(TwoLayers, dropout=0.3), (-1, 6), 1e-5),
        (OnSignals, (-1, 1, 6), 1e-5),
        (TwoInputs, (-1, 6), 1e-5),
        (Module(OnSignals, normalized=True), (-1, 1, 6), 0.0),  # one by one
        (nn.Sequential(nn.Linear(6, 4), nn.AlphaDropout(0.1), nn.Linear(4, 2)), (-1, 6), 0.0),
    ],
    ids=["dense", "convolution", "inputs", "batch norm", "random"],
)
def test_a_population_is_each_network_by_itself(module, shape, tolerance, imbalanced, capsys):
    X, y = imbalanced
    X = X.reshape(shape)
    columns = PLACES if module is TwoInputs else None
    networks = [network(module, random_state=i, columns=columns, max_epochs=4) for i in range(5)]
    together = fit_population(networks, X, y, verbose=1)
    how = "each by itself" if tolerance == 0.0 else "as one, by torch.func.vmap"
    assert how in capsys.readouterr().out
    for own, fitted in zip(networks, together, strict=True):
        alone = own.fit(X, y).predict_proba(X)
        np.testing.assert_allclose(fitted.predict_proba(X), alone, rtol=0, atol=tolerance)


def swapped_dropout(self, x):
    """Draws in another order than that of the layers."""
    return self.last(self.first(self.second(x)))


def counting(self, x):
    self.n_calls = getattr(self, "n_calls", 0) + 1
    return self.last(x)


def branching(self, x):
    return self.last(x) if x.sum() > 0 else -self.last(x).neg()


@pytest.mark.parametrize(
    "function", [swapped_dropout, counting, branching], ids=lambda function: function.__name__
)
def test_what_torch_func_cannot_take_is_trained_alone(function, imbalanced, capsys):
    X, y = imbalanced
    module = applied(function, first=nn.Dropout(0.2), second=nn.Dropout(0.4))((6,), 2)
    networks = [network(module, random_state=i, max_epochs=2) for i in range(5)]
    together = fit_population(networks, X, y, verbose=1)
    assert "each by itself" in capsys.readouterr().out
    for own, fitted in zip(networks, together, strict=True):
        np.testing.assert_array_equal(fitted.predict_proba(X), own.fit(X, y).predict_proba(X))


class Scaled(nn.Linear):
    """A factor that is neither parameter nor buffer."""

    def __init__(self, factor):
        super().__init__(6, 2)
        self.factor = torch.tensor(factor)

    def forward(self, x):
        return super().forward(x * self.factor)


def test_tensors_that_are_not_registered_tell_networks_apart(imbalanced):
    X, y = imbalanced
    factors = (1.0, 1.0, 1.0, 1.0, 1.0, 9.0, 9.0, 9.0, 9.0, 9.0)
    networks = [network(Scaled(factor), max_epochs=3) for factor in factors]
    for own, fitted in zip(networks, fit_population(networks, X, y), strict=True):
        alone = own.fit(X, y).predict_proba(X)
        np.testing.assert_allclose(fitted.predict_proba(X), alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize("search", ["grid", "de", "bayes"])
def test_a_search_sets_the_parameters_of_a_module(search, imbalanced):
    X, y = imbalanced
    own = network(Module(TwoLayers, hidden=4), max_epochs=3)
    given = {"cv": 2, "scoring": "balanced_accuracy"}
    if search == "grid":
        found = GridSearchCV(own, {"module__hidden": [2, 5]}, **given).fit(X, y)
        hidden = found.cv_results_["param_module__hidden"].data.tolist()
        assert hidden == [2, 5]
    else:
        given |= {"random_state": 0}
        spaces = {"module__hidden": (2, 9), "learning_rate": (1e-3, 1e-1, "log-uniform")}
        found = (
            DESearchCV(own, spaces, population_size=4, max_generations=1, **given)
            if search == "de"
            else BayesSearchCV(own, spaces, n_iter=2, **given)
        ).fit(X, y)
    best = found.best_params_["module__hidden"]
    assert found.best_estimator_.transform(X).shape == (300, best)
    assert own.module.get_params()["hidden"] == 4


@pytest.mark.parametrize(
    "wrap",
    [
        lambda own: BalancedBaggingNetClassifier(own, n_estimators=2, random_state=0),
        lambda own: AdaBoostNetClassifier(own, n_estimators=2, random_state=0),
        lambda own: TunedCostClassifierCV(own, cv=2, random_state=0),
    ],
    ids=["bagging", "boosting", "costs"],
)
def test_inside_other_classifiers(wrap, imbalanced):
    X, y = imbalanced
    groups = np.arange(300) // 2
    fitted = wrap(network(max_epochs=4)).fit(X, y, groups=groups)
    assert fitted.predict_proba(X).shape == (300, 2)


def test_on_windows_of_recordings():
    rng = np.random.default_rng(0)
    y = np.arange(12) % 2
    recordings = [rng.normal(scale=1.0 + 2.0 * label, size=(1, 40)) for label in y]
    classifier = WindowedClassifier(network(OnSignals, max_epochs=30), size=10, step=5)
    assert classifier.fit(recordings, y).score(recordings, y) > 0.8


def test_out_of_fold_probabilities_of_columns(imbalanced):
    X, y = imbalanced
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(6)])
    proba = cross_fit(network(TwoInputs, columns=FRAME, max_epochs=2), frame, y, 3)
    assert proba.shape == (300, 2)


@pytest.mark.parametrize(
    "parameters",
    [
        {"module": Module(TwoLayers, dropout=0.2), "learning_rates": {"body.*": 1e-3}},
        {"module": TwoInputs, "columns": PLACES},
        {"module": WithBackbone(), "frozen": "backbone.*"},
    ],
    ids=["Module", "columns", "backbone"],
)
def test_pickled_networks_predict_and_continue(parameters, imbalanced):
    X, y = imbalanced
    fitted = network(**parameters).fit(X, y)
    copy = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
    fitted.partial_fit(X, y), copy.partial_fit(X, y)
    np.testing.assert_array_equal(copy.predict_proba(X), fitted.predict_proba(X))
