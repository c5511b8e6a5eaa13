"""What all networks promise beyond scikit-learn's common checks: fit, continue, predict."""

import re

import numpy as np
import pandas as pd
import pytest
import sklearn
import skorch
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import DBNClassifier, MLPClassifier
from skimbal._training.schedules import SCHEDULES
from skimbal.exceptions import NonFiniteLossError
from skimbal.metrics import g_mean, get_scorer
from skimbal.neural_network._base import check_layer_sizes, history_table

from .networks import NETWORKS, each_network


class NaNLoss(torch.nn.Module):
    def forward(self, logits, target):
        return logits.sum(dim=1) * torch.nan


@each_network
def test_class_weights_equal_the_same_weights_by_sample(network, imbalanced):
    X, y = imbalanced
    # Per-class weights scale the loss, sample weights only its balance: a step of Adam does not
    # see the scale, so both agree up to rounding where every batch has the same mix.
    network = clone(network).set_params(standardize=False, batch_size=300, max_epochs=30)
    weights = np.where(y == "rare", 4.0, 1.0)
    by_sample = clone(network).set_params(weight_decay=0.0)
    by_class = clone(by_sample).set_params(class_weight={"rare": 4.0})
    if isinstance(network, DBNClassifier):
        by_sample.set_params(pretrain_epochs=0)
        by_class.set_params(pretrain_epochs=0)
    np.testing.assert_allclose(
        by_class.fit(X, y).predict_proba(X),
        by_sample.fit(X, y, sample_weight=weights).predict_proba(X),
        atol=1e-3,
    )


@each_network
def test_balanced_weights_find_more_of_the_rare_class(network, imbalanced):
    X, y = imbalanced
    plain = g_mean(y, clone(network).fit(X, y).predict(X))
    weighted = clone(network).set_params(class_weight="balanced").fit(X, y).predict(X)
    assert g_mean(y, weighted) > plain


@each_network
def test_costs_move_the_decision_and_nothing_else(network, imbalanced):
    X, y = imbalanced
    plain = clone(network).fit(X, y)
    costly = clone(network).set_params(cost_matrix=[[0, 20], [1, 0]]).fit(X, y)
    np.testing.assert_array_equal(costly.predict_proba(X), plain.predict_proba(X))
    np.testing.assert_array_equal(costly.decision_function(X), plain.decision_function(X))
    rare = costly.predict_proba(X)[:, 0] * 20 > costly.predict_proba(X)[:, 1]
    np.testing.assert_array_equal(costly.predict(X) == "rare", rare)
    assert (plain.predict(X) == "rare").sum() < rare.sum()


@each_network
def test_posteriors_logarithms_and_odds_agree(network, imbalanced):
    X, y = imbalanced
    fitted = clone(network).fit(X, y)
    proba = fitted.predict_proba(X)
    np.testing.assert_allclose(proba.sum(axis=1), 1.0)
    np.testing.assert_allclose(fitted.predict_log_proba(X), np.log(proba))
    np.testing.assert_allclose(fitted.decision_function(X), np.log(proba[:, 1] / proba[:, 0]))


@each_network
def test_transform_is_what_the_last_layer_sees(network, imbalanced):
    X, y = imbalanced
    fitted = clone(network).fit(X, y)
    output = fitted.net_.module_.output
    logits = fitted.transform(X) @ output.weight.detach().double().numpy().T
    logits += output.bias.detach().double().numpy()
    np.testing.assert_allclose(
        fitted.decision_function(X), logits[:, 1] - logits[:, 0], rtol=1e-9, atol=1e-9
    )
    assert fitted.get_feature_names_out().shape == (8,)


@each_network
def test_the_net_inside_is_a_usable_skorch_classifier(network, imbalanced):
    X, y = imbalanced
    fitted = clone(network).fit(X, y)
    assert isinstance(fitted.net_, skorch.NeuralNetClassifier)
    inputs = ((X - fitted.input_mean_) / fitted.input_scale_).astype(np.float32)
    np.testing.assert_allclose(
        fitted.net_.predict_proba(inputs), fitted.predict_proba(X), atol=1e-5
    )


@each_network
def test_n_dimensional_inputs_are_standardised_by_channel(network):
    X = np.random.default_rng(0).normal([[0.0], [5.0]], [[1.0], [3.0]], (60, 2, 7))
    y = X[:, 0, 0] > 0
    fitted = clone(network).fit(X, y)
    assert fitted.input_shape_ == (2, 7)
    np.testing.assert_allclose(fitted.input_mean_.ravel(), X.mean(axis=(0, 2)))
    np.testing.assert_allclose(fitted.input_scale_.ravel(), X.std(axis=(0, 2)))
    assert fitted.predict_proba(X).shape == (60, 2)
    with pytest.raises(ValueError, match=r"samples of shape \(2, 6\).*fitted on.*\(2, 7\)"):
        fitted.predict(X[:, :, :6])


@each_network
def test_scale_of_the_inputs_does_not_matter(network, imbalanced):
    X, y = imbalanced
    plain = clone(network).fit(X, y).predict_proba(X)
    scaled = clone(network).fit(X * 1000 + 50, y).predict_proba(X * 1000 + 50)
    np.testing.assert_allclose(scaled, plain, atol=1e-4)


@each_network
def test_in_pipelines_searches_and_frames(network, imbalanced):
    X, y = imbalanced
    pipeline = make_pipeline(StandardScaler(), clone(network))
    scores = cross_val_score(pipeline, X, y, scoring=get_scorer("g_mean"), cv=3)
    assert np.isfinite(scores).all()
    grid = {"class_weight": [None, "balanced", {"rare": 5}]}
    search = GridSearchCV(clone(network), grid, scoring=get_scorer("g_mean"), cv=2).fit(X, y)
    assert search.best_params_["class_weight"] is not None
    frame = pd.DataFrame(X, columns=[f"sensor {i}" for i in range(6)])
    fitted = clone(network).fit(frame, pd.Series(y))
    assert fitted.feature_names_in_[0] == "sensor 0"
    np.testing.assert_array_equal(fitted.predict(frame), clone(network).fit(X, y).predict(X))


@each_network
def test_history_has_a_row_an_epoch_and_the_loss_falls(network, imbalanced):
    fitted = clone(network).fit(*imbalanced)
    assert fitted.history_.epoch.tolist() == list(range(1, 16))
    assert fitted.n_iter_ == 15
    assert fitted.history_.train_loss.iloc[-1] < fitted.history_.train_loss.iloc[0]


def test_epoch_loss_is_the_mean_over_samples_not_over_batches():
    X, y = np.arange(10.0)[:, None], np.arange(10) > 7
    network = MLPClassifier(
        hidden_layer_sizes=(),
        batch_size=8,
        max_epochs=1,
        optimizer="sgd",
        learning_rate=1e-12,
        random_state=0,
    )
    fitted = network.fit(X, y)
    log_proba = fitted.predict_log_proba(X)[np.arange(10), y.astype(int)]
    assert fitted.history_.train_loss[0] == pytest.approx(-log_proba.mean(), rel=1e-5)


@pytest.mark.parametrize("scoring", [None, "g_mean", "macro_f1", "roc_auc"])
@each_network
def test_early_stopping_restores_the_best_epoch(network, scoring, imbalanced):
    network = clone(network).set_params(
        early_stopping=True,
        scoring=scoring,
        n_iter_no_change=4,
        max_epochs=60,
        validation_fraction=0.3,
        learning_rate=0.05,
    )
    fitted = network.fit(*imbalanced)
    history = fitted.history_
    if scoring is None:
        assert "valid_score" not in history
        rank = list(zip(-history.valid_loss, strict=True))
    else:
        rank = list(zip(history.valid_score, -history.valid_loss, strict=True))
    best = max(range(len(rank)), key=rank.__getitem__)
    assert len(history) == 60 or len(history) == best + 1 + 4
    again = clone(network).set_params(max_epochs=best + 1, n_iter_no_change=60).fit(*imbalanced)
    np.testing.assert_array_equal(
        again.predict_proba(imbalanced[0]), fitted.predict_proba(imbalanced[0])
    )


@each_network
def test_callbacks_see_epochs_and_batches(network, imbalanced):
    seen = []

    class Spy(skorch.callbacks.Callback):
        def on_epoch_end(self, net, **kwargs):
            seen.append("epoch")

        def on_batch_end(self, net, batch, training, **kwargs):
            seen.append(len(batch[0]))

        def on_grad_computed(self, net, named_parameters, **kwargs):
            assert all(p.grad is not None for _, p in named_parameters)

    network = clone(network).set_params(callbacks=[Spy()], max_epochs=2, batch_size=200)
    network.fit(*imbalanced)
    assert seen == [200, 100, "epoch"] * 2


def test_skorch_callbacks_stop_and_schedule(imbalanced):
    stop = skorch.callbacks.EarlyStopping(monitor="train_loss", patience=2, threshold=10.0)
    fitted = clone(NETWORKS[0]).set_params(callbacks=[stop]).fit(*imbalanced)
    assert fitted.n_iter_ < 15
    decay = skorch.callbacks.LRScheduler(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5)
    fitted = clone(NETWORKS[0]).set_params(callbacks=[decay]).fit(*imbalanced)
    assert fitted.net_.optimizer_.param_groups[0]["lr"] < 1e-3


def test_an_interrupt_keeps_what_was_trained(imbalanced):
    class Interrupt(skorch.callbacks.Callback):
        def on_batch_begin(self, net, **kwargs):
            if net.history[-1, "epoch"] == 4:
                raise KeyboardInterrupt

    network = clone(NETWORKS[0]).set_params(callbacks=[Interrupt()])
    with pytest.raises(KeyboardInterrupt):
        network.fit(*imbalanced)
    assert network.history_.train_loss.notna().sum() == 3
    assert network.predict(imbalanced[0]).shape == (300,)


def test_threads_are_restored(imbalanced):
    torch.set_num_threads(2)
    try:
        clone(NETWORKS[0]).fit(*imbalanced)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_verbose_shows_a_bar_and_silence_is_the_default(imbalanced, capfd):
    clone(NETWORKS[0]).fit(*imbalanced)
    assert capfd.readouterr() == ("", "")
    clone(NETWORKS[0]).set_params(verbose=1).fit(*imbalanced)
    assert "15/15" in capfd.readouterr().err


@each_network
def test_partial_fit_learns_a_stream_and_goes_on_after_fit(network, imbalanced):
    X, y = imbalanced
    stream = clone(network).partial_fit(X[:100], y[:100], classes=["rare", "usual"])
    for _ in range(20):
        stream.partial_fit(X[100:], y[100:])
    assert stream.n_iter_ == 21
    assert stream.history_.train_loss.iloc[-1] < stream.history_.train_loss.iloc[0]
    fitted = clone(network).fit(X, y)
    assert fitted.partial_fit(X, y).n_iter_ == 16


def test_partial_fit_takes_a_batch_that_lacks_a_class(imbalanced):
    X, y = imbalanced
    usual = y == "usual"
    stream = clone(NETWORKS[0]).partial_fit(X[usual], y[usual], classes=["rare", "usual"])
    assert stream.predict_proba(X).shape == (300, 2)


def test_partial_fit_refuses_new_labels_and_early_stopping(imbalanced):
    X, y = imbalanced
    network = clone(NETWORKS[0]).partial_fit(X, y, classes=["rare", "usual"])
    with pytest.raises(ValueError, match=r"'other'.*not in classes"):
        network.partial_fit(X[:1], ["other"])
    with pytest.raises(ValueError, match="early_stopping=False"):
        clone(network).set_params(early_stopping=True).partial_fit(X, y, classes=np.unique(y))


@each_network
def test_a_fit_that_fails_leaves_the_earlier_one_as_it_was(network, imbalanced):
    X, y = imbalanced
    network = clone(network).fit(X, y)
    proba = network.predict_proba(X)
    before = set(vars(network))
    for X_new, y_new, parameters in (
        (100 * X + 3, y, {"hidden_layer_sizes": (0,)}),
        (X[:, :3], np.where(y == "rare", "b", "a"), {"class_weight": "ballanced"}),
        (X, y, {"loss": NaNLoss()}),
    ):
        with pytest.raises(ValueError, match=r"hidden_layer|did you mean|loss is nan"):
            clone(network).set_params(**parameters).fit(X_new, y_new)
        changed = network.set_params(**parameters)
        with pytest.raises(ValueError, match=r"hidden_layer|did you mean|loss is nan"):
            changed.fit(X_new, y_new)
        network.set_params(**clone(NETWORKS[type(network) is DBNClassifier]).get_params())
        assert set(vars(network)) == before
        np.testing.assert_array_equal(network.predict_proba(X), proba)


@each_network
def test_a_first_fit_that_diverges_is_no_fit(network, imbalanced):
    network = clone(network).set_params(loss=NaNLoss())
    with pytest.raises(NonFiniteLossError):
        network.fit(*imbalanced)
    with pytest.raises(NotFittedError):
        network.predict(imbalanced[0])


@each_network
def test_a_first_call_of_partial_fit_that_fails_can_be_made_again(network, imbalanced):
    X, y = imbalanced
    network = clone(network).set_params(class_weight="balanced")
    with pytest.raises(ValueError, match="depend on class counts"):
        network.partial_fit(X, y, classes=["rare", "usual", "never"])
    network.partial_fit(X, y, classes=["rare", "usual"], class_counts=[1, 9])
    assert network.classes_.tolist() == ["rare", "usual"]


def test_a_loss_that_explodes_names_the_epoch(imbalanced):
    network = clone(NETWORKS[0]).set_params(optimizer="sgd", learning_rate=1e30, standardize=False)
    with pytest.raises(NonFiniteLossError, match=r"epoch \d+; lower learning_rate"):
        network.fit(*imbalanced)


@each_network
def test_sample_weights_are_routed(network, imbalanced):
    X, y = imbalanced
    weights = np.where(y == "rare", 9.0, 1.0)
    folds = StratifiedKFold(2)
    with sklearn.config_context(enable_metadata_routing=True):
        requesting = clone(network)
        requesting.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        routed = cross_validate(
            make_pipeline(requesting),
            X,
            y,
            cv=folds,
            params={"sample_weight": weights},
            return_estimator=True,
        )["estimator"]
    for fitted, (train, _) in zip(routed, folds.split(X, y), strict=True):
        direct = clone(network).fit(X[train], y[train], sample_weight=weights[train])
        np.testing.assert_array_equal(fitted.predict_proba(X), direct.predict_proba(X))


# ------------------------------------------------------------------ history

ALWAYS = {"epoch", "train_loss", "learning_rate", "duration_s", "is_best"}


@each_network
@pytest.mark.parametrize(
    ("parameters", "more"),
    [
        ({}, set()),
        ({"scoring": "g_mean"}, {"train_score"}),
        ({"early_stopping": True}, {"valid_loss"}),
        ({"early_stopping": True, "scoring": "g_mean"}, {"valid_loss", "valid_score"}),
        ({"sampler": "dynamic", "scoring": "g_mean"}, {"valid_loss", "valid_score"}),
        ({"callbacks": [skorch.callbacks.Callback()]}, set()),
    ],
    ids=["plain", "scored", "stopping", "stopping by score", "dynamic", "callback"],
)
def test_columns_of_the_history(network, parameters, more, imbalanced):
    fitted = clone(network).set_params(max_epochs=4, **parameters).fit(*imbalanced)
    history = fitted.history_
    assert set(history) == ALWAYS | more
    assert history.epoch.tolist() == [1, 2, 3, 4][: fitted.n_iter_]
    assert history.notna().all(axis=None)
    assert history.is_best.sum() == 1
    assert (history.learning_rate == network.learning_rate).all()
    assert (history.duration_s > 0).all()
    assert fitted.n_iter_ == len(history) == len(fitted.net_.history)


@each_network
@pytest.mark.parametrize(
    ("parameters", "column", "sign"),
    [
        ({}, "train_loss", -1),
        ({"early_stopping": True}, "valid_loss", -1),
        ({"early_stopping": True, "scoring": "roc_auc"}, "valid_score", 1),
    ],
    ids=str,
)
def test_the_best_epoch_of_the_history(network, parameters, column, sign, imbalanced):
    parameters = {"learning_rate": 0.3, "n_iter_no_change": 20, **parameters}
    history = clone(network).set_params(**parameters).fit(*imbalanced).history_
    best = history[column][history.is_best].item()
    assert best == (sign * history[column]).max() * sign


def test_score_of_the_training_data_is_that_of_the_network(imbalanced):
    X, y = imbalanced
    fitted = clone(NETWORKS[0]).set_params(scoring="g_mean").fit(X, y)
    assert fitted.history_.train_score.iloc[-1] == pytest.approx(g_mean(y, fitted.predict(X)))
    plain = clone(NETWORKS[0]).fit(X, y)  # it is recorded, and decides nothing
    np.testing.assert_array_equal(fitted.predict_proba(X), plain.predict_proba(X))


@each_network
@pytest.mark.parametrize("schedule", ["cosine", "step", lambda epoch, n_epochs: 1 / epoch])
def test_learning_rates_of_the_history(network, schedule, imbalanced):
    network = clone(network).set_params(max_epochs=6, learning_rate_schedule=schedule)
    factor = SCHEDULES.get(schedule, schedule) if isinstance(schedule, str) else schedule
    rates = [network.learning_rate * factor(epoch, 6) for epoch in range(1, 7)]
    np.testing.assert_allclose(network.fit(*imbalanced).history_.learning_rate, rates)


@pytest.mark.parametrize(
    ("parameters", "shown"),
    [
        ({}, ["train_loss"]),
        ({"scoring": "g_mean"}, ["train_loss", "train_score"]),
        (
            {"early_stopping": True, "scoring": "g_mean"},
            ["train_loss", "valid_loss", "valid_score"],
        ),
    ],
    ids=str,
)
def test_the_bar_shows_loss_and_score(parameters, shown, imbalanced, capfd):
    network = clone(NETWORKS[0]).set_params(verbose=1, max_epochs=5, **parameters)
    history = network.fit(*imbalanced).history_
    last = capfd.readouterr().err.split("\r")[-1]
    figures = dict(re.findall(r"(\w+_(?:loss|score))=([\d.e+-]+)", last))
    assert list(figures) == shown
    for name, value in figures.items():
        assert float(value) == pytest.approx(history[name].iloc[-1], rel=1e-3)


def test_history_as_a_table():
    history = skorch.history.History()
    for epoch, loss in enumerate([3.0, 1.0, 2.0], start=1):
        history.new_epoch()
        for name, value in {"epoch": epoch, "train_loss": loss, "train_loss_best": True}.items():
            history.record(name, value)
        history.new_batch()
    assert history_table(history, None).to_dict("list") == {
        "epoch": [1, 2, 3],
        "train_loss": [3.0, 1.0, 2.0],
        "is_best": [False, True, False],
    }
    assert history_table(history, 3).is_best.tolist() == [False, False, True]


@pytest.mark.parametrize(
    ("given", "expected"), [(8, [8]), ((8, 4), [8, 4]), (np.array([3]), [3]), ((), [])]
)
def test_layer_sizes(given, expected):
    assert check_layer_sizes(given) == expected


@pytest.mark.parametrize("given", [0, (8, -1), 2.5, "8"])
def test_bad_layer_sizes(given):
    with pytest.raises(ValueError, match="n_units must be whole numbers of at least 1"):
        check_layer_sizes(given, "n_units")
