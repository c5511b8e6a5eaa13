"""Numbers at the ends of their ranges: losses of NaN, diverging fits, weights, inputs."""

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
from skimbal.losses import AUCMargin, DeferredReweighting, all_losses
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


def test_a_recording_beyond_float32_is_named():
    recordings = [np.random.default_rng(i).normal(size=(1, 200)) for i in range(6)]
    recordings[4][0, 100] = 1e39
    windowed = WindowedClassifier(CNN1D, size=40, step=20)
    with pytest.raises(ValueError, match="recording 4 of X has values of size 1e"):
        windowed.fit(recordings, np.arange(6) % 2)
    recordings[4][0, 100] = 0.0
    windowed.fit(recordings, np.arange(6) % 2)
    recordings[0][0, 0] = 1e39
    with pytest.raises(ValueError, match="float32"):
        windowed.predict(recordings)


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


@pytest.mark.parametrize(
    ("loss", "match"),
    [
        (LogOfProbabilities(), "does not fit: .* the loss is nan"),
        (Accuracy(), "for right answers and"),
    ],
)
def test_losses_of_other_things_are_refused(loss, match):
    with pytest.raises(ValueError, match=match):
        clone(MLP).set_params(loss=loss).fit(*data_for(MLP))


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
