"""Numbers at the ends of their ranges: losses of NaN, diverging fits, weights, inputs."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification
from torch import nn

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    CNN1DClassifier,
    CNN2DClassifier,
    DBNClassifier,
    ECOEnsembleClassifier,
    ECSDBNClassifier,
    MLPClassifier,
    ResNetClassifier,
    WindowedClassifier,
)
from skimbal.exceptions import NonFiniteLossError
from skimbal.losses import LDAM, AUCMargin, BaseLoss, DeferredReweighting, all_losses
from skimbal.neural_network import fit_population
from skimbal.neural_network._fit_data import with_mean_one

MLP = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=4, batch_size=16, random_state=0)
DBN = DBNClassifier(
    hidden_layer_sizes=(8,), pretrain_epochs=2, max_epochs=4, batch_size=16, random_state=0
)
CNN1D = CNN1DClassifier(n_filters=(4,), max_epochs=3, batch_size=16, random_state=0)
CNN2D = CNN2DClassifier(n_filters=(4,), max_epochs=3, batch_size=16, random_state=0)
RESNET = ResNetClassifier(depth=8, augmentation=(), max_epochs=2, batch_size=16, random_state=0)
NETWORKS = [MLP, DBN, CNN1D, CNN2D, RESNET]
each_network = pytest.mark.parametrize("network", NETWORKS, ids=lambda n: type(n).__name__)


def data_for(network, n_classes=2, n=60):
    """Samples of the shape that a network takes, in float64."""
    shape = {"CNN1DClassifier": (2, 40), "MLPClassifier": (4,), "DBNClassifier": (4,)}.get(
        type(network).__name__, (1, 12, 12)
    )
    X = np.random.default_rng(0).normal(size=(n, *shape))
    return X, np.arange(n) % n_classes


# ------------------------------------------------------------------ divergence


@pytest.mark.parametrize("name", sorted(all_losses()))
@pytest.mark.parametrize("n_classes", [2, 3])
def test_every_loss_ends_in_finite_parameters_or_an_error(name, n_classes):
    X, y = make_classification(200, 8, n_informative=5, n_classes=n_classes, random_state=0)
    costs = 1.0 - np.eye(n_classes) if all_losses()[name]().needs_costs else None
    for optimizer, rate in (("sgd", 1e6), ("sgd", 1e30), ("adam", 1e30)):
        network = MLPClassifier(
            loss=name,
            cost_matrix=costs,
            optimizer=optimizer,
            learning_rate=rate,
            hidden_layer_sizes=(16, 16, 16),
            batch_size=32,
            max_epochs=10,
            random_state=0,
        )
        try:
            network.fit(X, y)
        except NonFiniteLossError:
            continue
        assert all(p.isfinite().all() for p in network.net_.module_.parameters())
        assert np.isfinite(network.predict_proba(X)).all()


@each_network
@pytest.mark.parametrize("n_epochs", [1, 2])
def test_a_last_step_that_spoils_the_parameters_is_an_error(network, n_epochs):
    """The losses of the epoch are those before the steps, and can all be finite."""
    X, y = data_for(network)
    diverging = clone(network).set_params(
        optimizer="sgd", learning_rate=1e38, max_epochs=n_epochs, batch_size=len(X)
    )
    try:
        diverging.fit(X, y)
    except NonFiniteLossError:
        return
    assert all(p.isfinite().all() for p in diverging.net_.module_.parameters())


@pytest.mark.parametrize("network", [MLP, CNN1D, CNN2D], ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "adagrad"])
def test_gradients_whose_squares_overflow_are_an_error(network, optimizer):
    """The steps are 0 from then on, at a finite loss."""
    X, y = data_for(network)
    settings = {"standardize": False, "optimizer": optimizer}
    with pytest.raises(NonFiniteLossError, match="gradients overflow in epoch 1"):
        clone(network).set_params(**settings).fit(1e25 * X, y)


def test_one_network_of_a_population_whose_gradients_overflow_is_an_error():
    X, y = data_for(MLP)
    X[40:] *= 1e25
    networks = [clone(MLP).set_params(standardize=False, random_state=i) for i in range(2)]
    with pytest.raises(NonFiniteLossError, match="gradients overflow in epoch 1"):
        fit_population(networks, X, y, [np.arange(40), np.arange(20, 60)])


@pytest.mark.parametrize("name", ["pretrain_learning_rate", "pretrain_weight_decay"])
def test_steps_of_machines_beyond_float32_are_refused(name):
    with pytest.raises(ValueError, match=rf"{name}=1e\+300 is beyond the 3.4e\+38 of float32"):
        clone(DBN).set_params(**{name: 1e300}).fit(*data_for(DBN))


@each_network
@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop"])
@pytest.mark.parametrize("name", ["learning_rate", "weight_decay"])
def test_steps_beyond_float32_are_refused(network, optimizer, name):
    settings = {"optimizer": optimizer, name: 1e300}
    with pytest.raises(ValueError, match=rf"{name}=1e\+300 is beyond the 3.4e\+38 of float32"):
        clone(network).set_params(**settings).fit(*data_for(network))


@pytest.mark.parametrize("network", [MLP, CNN1D, CNN2D, RESNET], ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_part_that_diverges_leaves_the_network_as_it_was(network, optimizer):
    """The next part trains as if there had been none in between."""
    X, y = data_for(network)
    settings = {"optimizer": optimizer, "standardize": False}
    if "dropout" in network.get_params():
        settings["dropout"] = 0.2
    fitted = clone(network).set_params(**settings).fit(X, y)
    same, before = deepcopy(fitted), fitted.predict_proba(X)
    with pytest.raises(NonFiniteLossError):
        fitted.partial_fit(3e38 * np.sign(X), y)
    np.testing.assert_array_equal(fitted.predict_proba(X), before)
    assert len(fitted.history_) == len(fitted.net_.history) == network.max_epochs
    fitted.partial_fit(X, y)
    np.testing.assert_array_equal(fitted.predict_proba(X), same.partial_fit(X, y).predict_proba(X))
    assert len(fitted.history_) == network.max_epochs + 1


@pytest.mark.parametrize("scoring", [None, "g_mean"])
def test_a_validation_loss_that_is_nan_is_an_error(scoring):
    """The first epoch would stay the best one: nothing is larger than NaN."""
    X, y = make_classification(60, 100, random_state=0)
    X_val = X[:20].copy()
    X_val[3] = 3e38
    network = clone(MLP).set_params(standardize=False, early_stopping=True, scoring=scoring)
    with pytest.raises(NonFiniteLossError, match="on the validation data is nan after epoch 1"):
        network.fit(X[20:], y[20:], X_val=X_val, y_val=y[:20])


@each_network
def test_posteriors_are_never_nan(network):
    X, y = data_for(network)
    fitted = clone(network).fit(X, y)
    with torch.no_grad():
        fitted.net_.module_.output.weight[0, 0] = torch.nan
    for predict in (fitted.predict, fitted.predict_proba, fitted.decision_function):
        with pytest.raises(ValueError, match="the logits of sample 0 are not finite"):
            predict(X)


# ------------------------------------------------------------------ range


@each_network
@pytest.mark.parametrize("value", [1e39, -1e39, 1e300])
@pytest.mark.parametrize(
    "settings", [{}, {"standardize": False}, {"early_stopping": True}], ids=str
)
def test_a_sample_beyond_float32_is_named_in_fit(network, value, settings):
    X, y = data_for(network)
    X[7].flat[0] = value
    network = clone(network).set_params(**settings)
    with pytest.raises(ValueError, match=r"sample 7 of X has values of size 1e\+\d+; .* float32"):
        network.fit(X, y)
    weight = np.ones(len(y))
    weight[:3] = 0.0  # a sample keeps its number if others are left out
    with pytest.raises(ValueError, match="sample 7 of X"):
        network.fit(X, y, sample_weight=weight)
    if "early_stopping" not in settings:
        with pytest.raises(ValueError, match="sample 7 of X"):
            network.partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize("network", [CNN1D, CNN2D, RESNET], ids=lambda n: type(n).__name__)
@pytest.mark.parametrize("standardize", [True, False])
def test_a_sample_beyond_float32_is_named_in_predict(network, standardize):
    X, y = data_for(network)
    fitted = clone(network).set_params(standardize=standardize).fit(X, y)
    for place, value in ((0, 1e39), (45, -1e39), (3, 1e300)):
        X_new = X.copy()
        X_new[place].flat[0] = value
        for predict in (fitted.predict, fitted.predict_proba, fitted.transform):
            with pytest.raises(ValueError, match=rf"sample {place} of X .* float32"):
                predict(X_new)


@pytest.mark.parametrize("network", [MLP, DBN], ids=lambda n: type(n).__name__)
def test_dense_networks_predict_in_float64(network):
    X, y = data_for(network)
    fitted = clone(network).fit(X, y)
    X[3, 0] = 1e39
    assert np.isfinite(fitted.predict_proba(X)).all()


@pytest.mark.filterwarnings("ignore:the recordings are float64 with values up to 1e")
def test_a_recording_beyond_float32_is_named():
    recordings = [np.random.default_rng(i).normal(size=(1, 200)) for i in range(6)]
    recordings[4][0, 100] = 1e39
    windowed = WindowedClassifier(CNN1D, size=40, step=20)
    with pytest.raises(ValueError, match="recording 4 of X has values of size 1e"):
        windowed.fit(recordings, np.arange(6) % 2)
    recordings[4][0, 100] = 0.0
    windowed.fit(recordings, np.arange(6) % 2)
    recordings[0][0, 0] = 1e39
    is_warned = pytest.warns(UserWarning, match="another scale")
    with is_warned, pytest.raises(ValueError, match="float32"):
        windowed.predict(recordings)


@each_network
@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-40, 1e30])
def test_the_unit_of_standardized_inputs_changes_nothing(network, scale):
    """In the unit of the smallest, the squares of the values vanish in float64."""
    X, y = data_for(network)
    X[:, 0] = np.abs(X[:, 0])
    one, other = clone(network).fit(X, y), clone(network).fit(scale * X, y)
    np.testing.assert_allclose(other.input_scale_ / scale, one.input_scale_, rtol=1e-5)
    np.testing.assert_allclose(other.predict_proba(scale * X), one.predict_proba(X), atol=1e-3)


@each_network
@pytest.mark.parametrize("value", [1e12, 1e20, 1e38])
def test_a_large_constant_column_changes_nothing(network, value):
    X, y = data_for(network)
    X = np.concatenate([X, np.zeros_like(X[:, :1])], axis=1)
    zero = clone(network).fit(X, y)
    X_large = X.copy()
    X_large[:, -1] = value
    large = clone(network).fit(X_large, y)
    np.testing.assert_allclose(large.predict_proba(X_large), zero.predict_proba(X), atol=0.05)


# ------------------------------------------------------------------ weights


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 0.1, 3.0, 1e38, 1e300])
def test_weights_of_mean_one(scale):
    weight = np.array([1.0, 2.0, 3.0])
    np.testing.assert_allclose(with_mean_one(scale * weight), weight / 2, rtol=1e-15)
    np.testing.assert_array_equal(with_mean_one(weight / 2), weight / 2)
    assert with_mean_one(np.ones(3) * 1e-310) == pytest.approx(np.ones(3))


SCALABLE = [
    *NETWORKS,
    MLP.__class__(loss="ldam", max_epochs=3, random_state=0),
    MLP.__class__(class_weight="effective", max_epochs=3, random_state=0),
    MLP.__class__(sampler="balanced", max_epochs=3, random_state=0),
    MLP.__class__(mixup=0.3, max_epochs=3, random_state=0),
    BalancedBaggingNetClassifier(MLP, n_estimators=2, oob_score=True, random_state=0),
    AdaBoostNetClassifier(MLP, n_estimators=2, random_state=0),
    ECOEnsembleClassifier(MLP, population_size=3, max_generations=1, random_state=0),
    ECSDBNClassifier(
        hidden_layer_sizes=(4,), pretrain_epochs=1, max_epochs=2, cost_cv=2, random_state=0
    ),
]


@pytest.mark.parametrize("network", SCALABLE, ids=lambda n: repr(n)[:40])
@pytest.mark.parametrize("scale", [1e-30, 1e38, 1e-300])
def test_the_scale_of_the_weights_changes_nothing(network, scale):
    X, y = data_for(network)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, size=len(y))
    one, other = clone(network).fit(X, y, weight), clone(network).fit(X, y, scale * weight)
    np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), atol=1e-4)


@each_network
def test_weights_of_mean_one_move_no_bit(network):
    X, y = data_for(network)
    plain = clone(network).fit(X, y)
    ones = clone(network).fit(X, y, np.full(len(y), 4.0))
    np.testing.assert_allclose(ones.predict_proba(X), plain.predict_proba(X), atol=1e-5)


@each_network
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"early_stopping": True},
        {"mixup": 0.5},
        {"sampler": "balanced"},
        {"loss": "dice"},
        {"loss": "auc_margin"},
        {"loss": nn.CrossEntropyLoss(reduction="none")},
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:.*compares classes")
def test_weights_that_are_nothing_beside_others_do_not_stop_a_fit(network, settings):
    X, y = data_for(network)
    weight = np.where(np.arange(len(y)) < 4, 1.0, 1e-50)
    fitted = clone(network).set_params(**settings).fit(X, y, weight)
    assert np.isfinite(fitted.predict_proba(X)).all()
    assert np.isfinite(fitted.history_["train_loss"]).all()


@pytest.mark.parametrize("scale", [1e-300, 1e-50, 1e38])
def test_the_scale_of_validation_weights_changes_nothing(scale):
    X, y = data_for(MLP)
    weight = np.random.default_rng(1).uniform(0.5, 2.0, size=len(y))
    given = {"X_val": X[:20], "y_val": y[:20]}
    network = clone(MLP).set_params(early_stopping=True)
    one = clone(network).fit(X[20:], y[20:], sample_weight_val=weight[:20], **given)
    other = clone(network).fit(X[20:], y[20:], sample_weight_val=scale * weight[:20], **given)
    np.testing.assert_allclose(other.history_["valid_loss"], one.history_["valid_loss"], rtol=1e-5)
    assert one.history_["valid_loss"].min() > 0


def test_a_class_of_almost_no_weight_does_not_stop_a_fit():
    X, y = data_for(MLP)
    for sampler in (None, "balanced", "sqrt", "progressive"):
        network = clone(MLP).set_params(sampler=sampler)
        network.fit(X, y, np.where(y == 1, 1e-50, 1.0))
        assert np.isfinite(network.predict_proba(X)).all()


@pytest.mark.parametrize("name", sorted(all_losses()))
@pytest.mark.parametrize("weight", [1e-17, 1e-25, 1e-50])
@pytest.mark.filterwarnings("ignore:.*compares classes")
def test_every_loss_takes_a_class_of_almost_no_weight(name, weight):
    X, y = data_for(MLP)
    costs = 1.0 - np.eye(2) if all_losses()[name]().needs_costs else None
    network = clone(MLP).set_params(loss=name, cost_matrix=costs, batch_size=len(X))
    network.fit(X, y, np.where(y == 1, weight, 1.0))
    assert np.isfinite(network.history_["train_loss"]).all()
    assert np.isfinite(network.predict_proba(X)).all()


@pytest.mark.parametrize("name", ["balanced", "effective"])
@pytest.mark.parametrize("weight", [1e-10, 1e-20, 1e-38, 1e-50, 1e-300])
def test_named_weights_of_a_class_of_almost_no_weight(name, weight):
    """What float64 loses beside the others is as good as absent."""
    X, y = data_for(MLP, 3)
    network = clone(MLP).set_params(class_weight=name, batch_size=len(X))
    network.fit(X, y, np.where(y == 1, weight, 1.0))
    others = network.class_weight_[[0, 2]]
    np.testing.assert_allclose(others, others[0])
    if weight == 1e-10:  # as many as the others together
        assert network.class_weight_[1] / others[0] == pytest.approx(1e10, rel=0.05)
    else:
        assert network.class_weight_[1] == 0.0


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"class_weight": {0: 1.0, 1: 1e300}}, r"class_weight \[1.0, 1e\+300\] has no finite"),
        ({"class_weight": [1e-300, 2e-300]}, "class_weight .* or none but 0, in float32"),
        ({"loss": "expected_cost", "cost_matrix": [[0, 1e300], [1, 0]]}, "cost_matrix .* float32"),
        (
            {"loss": "expected_cost", "cost_matrix": [[0, 1e-300], [1e-300, 0]]},
            "cost_matrix .* or none but 0",
        ),
        ({"loss": LDAM(scale=1e300)}, "LDAM.* makes margin .* beyond float32"),
    ],
    ids=str,
)
def test_weights_beyond_float32_are_refused(settings, match):
    with pytest.raises(ValueError, match=match):
        clone(MLP).set_params(**settings).fit(*data_for(MLP))


@pytest.mark.parametrize("counts", [[1e308, 1e308], [np.inf, 1.0]])
def test_counts_that_add_up_to_infinity_are_refused(counts):
    network = clone(MLP).set_params(class_weight="balanced")
    with pytest.raises(ValueError, match="add up to infinity"):
        network.partial_fit(*data_for(MLP), classes=[0, 1], class_counts=counts)


@pytest.mark.parametrize("persistent", [True, False])
def test_pretraining_with_batches_without_weight(persistent):
    X, y = data_for(DBN)
    network = clone(DBN).set_params(persistent=persistent)
    network.fit(X, y, np.where(np.arange(len(y)) < 4, 1.0, 1e-50))
    assert network.pretrain_history_["reconstruction_error"].notna().all()


# ------------------------------------------------------------------ losses that do not fit

UNFIT = [
    nn.NLLLoss(),
    nn.NLLLoss(reduction="none"),
    nn.MSELoss(),
    nn.MSELoss(reduction="none"),
    nn.L1Loss(),
    nn.SmoothL1Loss(),
    nn.HuberLoss(),
    nn.BCEWithLogitsLoss(),
    nn.BCELoss(),
    nn.KLDivLoss(reduction="batchmean"),
    nn.PoissonNLLLoss(),
    nn.GaussianNLLLoss(),
    nn.SoftMarginLoss(),
    nn.HingeEmbeddingLoss(),
    nn.MultiLabelMarginLoss(),
    nn.MultiLabelSoftMarginLoss(),
    nn.CosineEmbeddingLoss(),
    nn.CTCLoss(),
    nn.Identity(),
    DeferredReweighting(nn.NLLLoss(reduction="none")),
]


@pytest.mark.parametrize("loss", UNFIT, ids=repr)
@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_losses_that_are_none_of_logits_are_refused(loss, n_classes):
    X, y = data_for(MLP, n_classes)
    network = clone(MLP).set_params(loss=loss, batch_size=n_classes)
    with pytest.raises(ValueError, match=r"does not fit: .*torch\.nn\.Cross"):
        network.fit(X, y)
    assert not hasattr(network, "net_")


@each_network
def test_all_networks_refuse_them(network):
    with pytest.raises(ValueError, match="has no lower bound"):
        clone(network).set_params(loss=nn.NLLLoss()).fit(*data_for(network))


class LogOfProbabilities(nn.Module):
    """Takes probabilities in place of logits."""

    def forward(self, given, target):
        return -given.gather(1, target[:, None])[:, 0].log()


class Accuracy(nn.Module):
    """Rises as answers get better."""

    def forward(self, logits, target):
        return logits.softmax(dim=1).gather(1, target[:, None])[:, 0]


class MinusProbability(nn.Module):
    """Negative, but bounded."""

    def forward(self, logits, target):
        return -logits.softmax(dim=1).gather(1, target[:, None])[:, 0]


class Own(nn.Module):
    """A function of logits and targets as a module."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, logits, target, sample_weight=None):
        return self.function(logits, target)


def per_sample(logits, target):
    return nn.functional.cross_entropy(logits, target, reduction="none")


class OfOneEntry(BaseLoss):
    """Binds to a module that returns shape (1,)."""

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        return Own(lambda logits, target: per_sample(logits, target).mean()[None])


NO_GRADIENT = "does not fit: .* has no gradient"


@pytest.mark.parametrize("network", [MLP, CNN1D], ids=lambda n: type(n).__name__)
@pytest.mark.parametrize(
    ("loss", "match"),
    [
        (LogOfProbabilities(), "does not fit: .* the loss is nan"),
        (Accuracy(), "for right answers and"),
        (Own(lambda z, y: per_sample(z, y).detach()), NO_GRADIENT),
        (Own(lambda z, y: per_sample(z, y).mean().detach()), NO_GRADIENT),
        (Own(lambda z, y: torch.tensor(per_sample(z, y).mean().item())), NO_GRADIENT),
        (Own(lambda z, y: torch.from_numpy(per_sample(z, y).detach().numpy())), NO_GRADIENT),
        (Own(lambda z, y: (z.argmax(dim=1) != y).float()), NO_GRADIENT),
        (Own(lambda z, y: (z.argmax(dim=1) != y).float() + 0.0 * z.sum(dim=1)), NO_GRADIENT),
        (DeferredReweighting(Own(lambda z, y: per_sample(z, y).detach())), NO_GRADIENT),
        (Own(lambda z, y: z.argmax(dim=1) != y), "numbers of type bool"),
        (Own(lambda z, y: (z.argmax(dim=1) != y).long()), "numbers of type int64"),
        (Own(lambda z, y: torch.complex(z, z).abs().sum() * 1j), "numbers of type complex64"),
        (Own(lambda z, y: float(per_sample(z, y).mean())), "returns float, not a tensor"),
        (Own(lambda z, y: per_sample(z.sub_(1.0), y)), "changes what it is given"),
        (Own(lambda z, y: per_sample(z, y.clamp_(max=0))), "changes what it is given"),
        (Own(lambda z, y: per_sample(z, y)[:, None]), r"returns shape \(5, 1\)"),
        (
            nn.CrossEntropyLoss(weight=torch.ones(2).double()),
            "raises RuntimeError: expected scalar",
        ),
        (OfOneEntry(), r"returns shape \(1,\), not one number"),
        (nn.CrossEntropyLoss, r"is a class; give an instance, loss=CrossEntropyLoss\(\)"),
        (AUCMargin, r"is a class; give an instance, loss=AUCMargin\(\)"),
        (per_sample, r"is a function; give a torch\.nn\.Module"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_losses_of_other_things_are_refused(network, loss, match):
    network = clone(network).set_params(loss=loss)
    with pytest.raises(ValueError, match=match):
        network.fit(*data_for(network))
    assert not hasattr(network, "net_")


def test_a_loss_that_cannot_be_copied_is_refused():
    loss = nn.CrossEntropyLoss(weight=2.0 * torch.ones(2, requires_grad=True))
    with pytest.raises(ValueError, match=r"can't be copied, which training needs: .*detach\(\)"):
        MLPClassifier(loss=loss).fit(*data_for(MLP))


@pytest.mark.parametrize(
    "loss",
    [
        nn.CrossEntropyLoss(),
        nn.CrossEntropyLoss(reduction="sum"),
        nn.CrossEntropyLoss(reduction="none", label_smoothing=0.1),
        nn.MultiMarginLoss(),
        nn.MultiMarginLoss(p=2, reduction="none"),
        MinusProbability(),
    ],
    ids=repr,
)
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.filterwarnings("ignore:There is a performance drop")  # torch's, of vmap
def test_losses_of_logits_are_taken(loss, n_classes):
    network = clone(MLP).set_params(loss=loss).fit(*data_for(MLP, n_classes))
    assert np.isfinite(network.history_["train_loss"]).all()


@pytest.mark.parametrize("start", [0.0, 0.5, 0.8, 1.0])
@pytest.mark.parametrize("max_epochs", [1, 2, 3, 10])
def test_deferred_weights_come_in_the_last_epoch_at_the_latest(start, max_epochs):
    X, y = make_classification(200, weights=[0.9], random_state=0)
    loss = DeferredReweighting(start=start)
    network = MLPClassifier(loss=loss, max_epochs=max_epochs, random_state=0).fit(X, y)
    assert network.class_weight_.std() > 0


@pytest.mark.parametrize(
    ("settings", "warns"),
    [
        ({"batch_size": 1}, True),
        ({"batch_size": 8}, True),
        ({"batch_size": 8, "sampler": "balanced"}, False),
        ({"batch_size": 1, "sampler": "balanced"}, True),
        ({"batch_size": 128}, False),
        ({"batch_size": 1000}, False),
        ({"batch_size": 8, "loss": "dice"}, False),
    ],
    ids=str,
)
def test_batches_of_one_class_are_told(settings, warns, recwarn):
    X, y = make_classification(400, weights=[0.95], flip_y=0, random_state=0)
    MLPClassifier(**{"loss": AUCMargin(), "max_epochs": 1, **settings}).fit(X, y)
    told = [str(w.message) for w in recwarn if "compares classes" in str(w.message)]
    assert bool(told) == warns
    assert all("hold one class" in text and "batch_size" in text for text in told)
