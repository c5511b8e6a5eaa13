"""skorch's callbacks on a dense stack (MLP) and on a sequential one (CNN)."""

import threading
from copy import deepcopy
from functools import partial

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, get_scorer
from sklearn.model_selection import cross_val_score
from skorch import callbacks as skorch_callbacks
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    Initializer,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    TensorBoard,
    TrainEndCheckpoint,
    Unfreezer,
)
from torch.optim.lr_scheduler import (
    CyclicLR,
    LambdaLR,
    OneCycleLR,
    ReduceLROnPlateau,
    StepLR,
)

from skimbal import CNN1DClassifier, MLPClassifier, WindowedClassifier
from skimbal._training.net import READING_CALLBACKS
from skimbal.preprocessing import index_windows

N = 80
rng = np.random.default_rng(0)
TARGET = np.arange(N) % 4 == 0
LABELS = np.where(TARGET, "rare", "usual")
TABLE = rng.normal(size=(N, 4)) + 1.5 * TARGET[:, None]
SIGNALS = rng.normal(size=(N, 1, 12)) + 1.5 * TARGET[:, None, None]
WEIGHT = rng.uniform(0.2, 2.0, size=N)
SMALL = {"max_epochs": 4, "batch_size": 32, "learning_rate": 0.02, "random_state": 0}
MLP = MLPClassifier(hidden_layer_sizes=(6,), **SMALL)
CNN = CNN1DClassifier(n_filters=(4,), kernel_size=3, **SMALL)
HELD_OUT = {"early_stopping": True, "validation_fraction": 0.25, "n_iter_no_change": 100}

each_network = pytest.mark.parametrize("network", [MLP, CNN], ids=["dense", "sequential"])
each_labels = pytest.mark.parametrize("y", [TARGET.astype(int), LABELS], ids=["int", "str"])


def inputs_of(network):
    return TABLE if isinstance(network, MLPClassifier) else SIGNALS


def fit(network, *callbacks, y=LABELS, sample_weight=None, **parameters):
    network = clone(network).set_params(callbacks=list(callbacks) or None, **parameters)
    return network.fit(inputs_of(network), y, sample_weight=sample_weight)


def prepared(fitted, X):
    """Inputs as the net takes them, in its precision."""
    return torch.as_tensor(fitted._prepare_inputs(X), dtype=torch.float32)


def assert_same_training(one, other):
    """Equal to the last bit in all that the training leaves."""
    for a, b in zip(
        one.net_.module_.state_dict().values(),
        other.net_.module_.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(a, b)
    columns = [name for name in other.history_ if name not in ("duration_s", "learning_rate")]
    pd.testing.assert_frame_equal(one.history_[columns], other.history_[columns])
    X = inputs_of(one)
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))


class StubWriter:
    """A TensorBoard writer that holds a lock, so that it can't be copied."""

    written: list = []

    def __init__(self):
        self.lock = threading.Lock()

    def add_scalar(self, tag, scalar_value, global_step):
        self.written.append((tag, scalar_value, global_step))

    def close(self):
        self.written.append("closed")


class Recorder(Callback):
    """Keeps copies of the parameters at every event."""

    def __init__(self):
        self.events = []

    def _keep(self, name, net):
        state = {k: v.clone() for k, v in net.module_.state_dict().items()}
        self.events.append((name, state))

    def on_train_begin(self, net, X=None, y=None, **kwargs):
        self._keep("train_begin", net)

    def on_epoch_begin(self, net, **kwargs):
        self._keep("epoch_begin", net)

    def on_epoch_end(self, net, **kwargs):
        self._keep("epoch_end", net)

    def states(self, name):
        return [state for event, state in self.events if event == name]


# ------------------------------------------------------------------ those that read

READING = {
    "EpochScoring": lambda folder: EpochScoring("accuracy", on_train=True),
    "EpochScoring of validation": lambda folder: EpochScoring("roc_auc", lower_is_better=False),
    "EpochScoring again": lambda folder: EpochScoring("f1", on_train=True, use_caching=False),
    "BatchScoring": lambda folder: BatchScoring("accuracy", on_train=True),
    "BatchScoring of validation": lambda folder: BatchScoring("neg_log_loss", use_caching=False),
    "Checkpoint": lambda folder: Checkpoint(dirname=folder),
    "TrainEndCheckpoint": lambda folder: TrainEndCheckpoint(dirname=folder),
    "EarlyStopping": lambda folder: EarlyStopping(patience=50),
    "LRScheduler": lambda folder: LRScheduler(StepLR, step_size=100),
    "EpochTimer": lambda folder: EpochTimer(),
    "PassthroughScoring": lambda folder: PassthroughScoring("train_loss", on_train=True),
    "PrintLog": lambda folder: PrintLog(sink=lambda text: None),
    "ProgressBar": lambda folder: ProgressBar(),
    "InputShapeSetter": lambda folder: InputShapeSetter(),
    "TensorBoard": lambda folder: TensorBoard(StubWriter()),
}


@each_network
@pytest.mark.parametrize("name", READING)
def test_a_callback_that_reads_leaves_the_bits(network, name, tmp_path):
    plain = fit(network, **HELD_OUT)
    watched = fit(network, READING[name](tmp_path), **HELD_OUT)
    if name == "PassthroughScoring":  # it replaces the loss by the mean of single precision
        np.testing.assert_allclose(
            watched.history_.train_loss, plain.history_.train_loss, rtol=1e-6
        )
        watched.history_["train_loss"] = plain.history_.train_loss
        watched.history_["is_best"] = plain.history_.is_best
    assert_same_training(watched, plain)


@each_network
def test_all_of_them_together_with_dropout_mixup_and_weights(network, tmp_path):
    # The setter of the input shape makes a new optimizer, which the scheduler has to know.
    names = sorted(READING.keys() - {"PassthroughScoring"}, key="InputShapeSetter".__ne__)
    made = [READING[name](tmp_path) for name in names]
    given = {"dropout": 0.3, "mixup": 0.5, "class_weight": "balanced", "sample_weight": WEIGHT}
    assert_same_training(
        fit(network, *made, **given, **HELD_OUT), fit(network, **given, **HELD_OUT)
    )


@each_network
@each_labels
@pytest.mark.parametrize("use_caching", [True, False])
@pytest.mark.parametrize("scoring", ["balanced_accuracy", "roc_auc"])
def test_epoch_scoring_of_validation_is_scikit_learns(network, y, use_caching, scoring):
    seen = []

    class Spy(Callback):
        def on_epoch_end(self, net, dataset_train, dataset_valid, **kwargs):
            seen.append((dataset_valid.X, np.asarray(dataset_valid.y)))

    score = EpochScoring(scoring, lower_is_better=False, use_caching=use_caching, name="mine")
    fitted = fit(network, score, Spy(), y=y, early_stopping=True, validation_fraction=0.25)
    X, target = seen[-1]
    # Early stopping has restored the weights of the best epoch.
    best = fitted.history_.is_best.argmax()
    expected = get_scorer(scoring)(fitted.net_, X, target)
    assert fitted.history_.mine[best] == pytest.approx(expected, abs=1e-12)
    assert fitted.history_.mine_best[0]


@each_network
@each_labels
def test_epoch_scoring_of_training_data_sees_the_epochs_parameters(network, y):
    score = EpochScoring("balanced_accuracy", on_train=True, use_caching=False)
    fitted = fit(network, score, y=y)
    expected = balanced_accuracy_score(y, fitted.predict(inputs_of(network)))
    assert fitted.history_.balanced_accuracy.iloc[-1] == pytest.approx(expected, abs=1e-12)


@each_network
def test_cached_scores_of_training_data_are_of_the_answers_in_training(network):
    """One batch an epoch: what is cached are the answers before its step."""
    score = EpochScoring("balanced_accuracy", on_train=True, use_caching=True)
    fitted = fit(network, score, batch_size=N, max_epochs=3)
    shorter = fit(network, batch_size=N, max_epochs=2)
    expected = balanced_accuracy_score(LABELS, shorter.predict(inputs_of(network)))
    assert fitted.history_.balanced_accuracy[2] == pytest.approx(expected, abs=1e-12)


@each_network
@pytest.mark.parametrize("on_train", [True, False])
@pytest.mark.parametrize("use_caching", [True, False])
def test_batch_scoring_is_the_mean_over_batches(network, on_train, use_caching):
    def mean_rare(net, X, y):
        return net.predict_proba(X)[:, 0].mean() + len(y)

    score = BatchScoring(mean_rare, on_train=on_train, use_caching=use_caching)
    fitted = fit(network, score, **HELD_OUT)
    n_rows = [32, 28] if on_train else [20]
    mean_length = np.average(n_rows, weights=n_rows)
    values = fitted.history_.mean_rare - mean_length
    assert values.between(0, 1).all()
    column = "train_batch_size" if on_train else "valid_batch_size"
    batches = fitted.net_.history[-1, "batches"]
    assert [batch[column] for batch in batches if column in batch] == n_rows


@each_network
def test_batch_figures_add_up_to_those_of_the_epoch(network):
    fitted = fit(network, PassthroughScoring("valid_loss"), ProgressBar(), **HELD_OUT)
    plain = fit(network, **HELD_OUT)
    np.testing.assert_allclose(fitted.history_.valid_loss, plain.history_.valid_loss, rtol=1e-6)
    batches = fitted.net_.history[-1, "batches"]
    losses = [(b["train_loss"], b["train_batch_size"]) for b in batches if "train_loss" in b]
    values, n_rows = np.transpose(losses)
    mean = np.average(values, weights=n_rows)
    assert mean == pytest.approx(plain.history_.train_loss.iloc[-1], rel=1e-6)


def test_passthrough_scoring_alone_has_batches_to_average():
    class OfBatches(Callback):
        def on_batch_end(self, net, training, **kwargs):
            net.history.record_batch("mine", 2.0)

    fitted = fit(MLP, OfBatches(), PassthroughScoring("mine", on_train=True))
    np.testing.assert_array_equal(fitted.history_.mine, 2.0)


@each_network
def test_checkpoint_and_load_init_state_go_on_from_the_best_epoch(network, tmp_path):
    first = fit(network, Checkpoint(dirname=tmp_path), **HELD_OUT)
    saved = Checkpoint(dirname=tmp_path)
    recorder = Recorder()
    second = fit(network, LoadInitState(saved), saved, recorder, **HELD_OUT)
    best = int(first.history_.valid_loss.argmin()) + 1
    assert second.history_.epoch.tolist() == list(range(1, best + 4 + 1))
    assert second.n_iter_ == best + 4
    np.testing.assert_array_equal(
        second.history_.train_loss[:best], first.history_.train_loss[:best]
    )
    reference = first.net_.module_.state_dict()  # early stopping has restored the best epoch
    (begun,) = recorder.states("epoch_begin")[:1]
    assert all(torch.equal(begun[name], value) for name, value in reference.items())
    assert second.history_.is_best.sum() == 1


@each_network
def test_train_end_checkpoint_saves_the_fitted_network(network, tmp_path):
    first = fit(network, TrainEndCheckpoint(dirname=tmp_path), **HELD_OUT)
    saved, recorder = TrainEndCheckpoint(dirname=tmp_path), Recorder()
    second = fit(network, saved, LoadInitState(saved), recorder, max_epochs=1, random_state=7)
    begun = recorder.states("epoch_begin")[0]
    for name, value in first.net_.module_.state_dict().items():
        assert torch.equal(begun[name], value)
    assert second.history_.epoch.tolist() == [1, 2, 3, 4, 5]


@each_network
def test_print_log_prints_a_line_an_epoch(network, capsys):
    fit(network, PrintLog(), verbose=1, **HELD_OUT)
    lines = capsys.readouterr().out.splitlines()
    columns = {"epoch", "train_loss", "valid_loss", "learning_rate", "duration_s"}
    assert set(lines[0].split()) == columns
    assert [line.split()[0] for line in lines[2:]] == ["1", "2", "3", "4"]
    fit(network, PrintLog())
    assert capsys.readouterr().out == ""


@each_network
def test_progress_bar_counts_the_batches_of_an_epoch(network, capfd):
    fit(network, ProgressBar(detect_notebook=False), max_epochs=2, **HELD_OUT)
    assert "/3" in capfd.readouterr().err  # two batches of training rows, one of validation rows


@each_network
def test_epoch_timer_and_the_historys_own_seconds(network):
    fitted = fit(network, EpochTimer())
    assert (fitted.history_.dur > 0).all()
    # The timer also counts what the other callbacks take.
    assert (fitted.history_.duration_s > 0).all()


@each_network
def test_tensorboard_with_a_writer_that_cannot_be_copied(network, monkeypatch):
    monkeypatch.setattr(StubWriter, "written", [])
    network = clone(network).set_params(callbacks=[lambda: TensorBoard(StubWriter())])
    scores = cross_val_score(network, inputs_of(network), LABELS, cv=2)
    assert scores.shape == (2,)
    assert StubWriter.written.count("closed") == 2
    tags = [entry[0] for entry in StubWriter.written if entry != "closed"]
    assert tags.count("Loss/train_loss") == 2 * 4
    assert [e[2] for e in StubWriter.written if e[0] == "Loss/train_loss"] == [1, 2, 3, 4] * 2


@each_network
def test_skorchs_early_stopping_ends_the_training(network):
    stop = EarlyStopping("train_loss", patience=2, threshold=10.0)
    fitted = fit(network, stop, max_epochs=30)
    assert fitted.n_iter_ == 3  # the first epoch is the best, two more are not
    assert_same_training(fitted, fit(network, max_epochs=3))


@each_network
def test_skorchs_early_stopping_loads_the_best_epoch(network):
    stop = EarlyStopping("train_loss", patience=2, threshold=10.0, load_best=True)
    fitted = fit(network, stop, max_epochs=30)
    assert fitted.n_iter_ == 3
    best = fit(network, max_epochs=1)
    np.testing.assert_array_equal(
        fitted.predict_proba(inputs_of(network)), best.predict_proba(inputs_of(network))
    )


# ------------------------------------------------------------------ learning rates


def rates_of(policy, n_steps, *metrics, **settings):
    """The learning rates of torch's own scheduler, begun at 0.02."""
    optimizer = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=0.02)
    scheduler = policy(optimizer, **settings)
    rates = []
    for i in range(n_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step(*(metric[i] for metric in metrics))
    return np.array(rates)


def as_schedule(rates):
    """The schedule that gives these learning rates by epoch."""
    return lambda epoch, n_epochs: rates[epoch - 1] / 0.02


POLICIES = {
    "StepLR": (StepLR, {"step_size": 2, "gamma": 0.5}),
    "LambdaLR": (LambdaLR, {"lr_lambda": lambda epoch: 1 / (1 + epoch)}),
    "OneCycleLR": (OneCycleLR, {"max_lr": 0.1, "total_steps": 6, "cycle_momentum": False}),
    "CyclicLR": (
        CyclicLR,
        {"base_lr": 0.02, "max_lr": 0.1, "step_size_up": 2, "cycle_momentum": False},
    ),
}


@each_network
@pytest.mark.parametrize("step_every", ["epoch", "batch"])
@pytest.mark.parametrize("name", POLICIES)
def test_a_policy_is_the_schedule_of_its_factors(network, name, step_every):
    """With one batch an epoch, steps by batch are steps by epoch."""
    policy, settings = POLICIES[name]
    rates = rates_of(policy, 5, **settings)
    scheduler = LRScheduler(policy, step_every=step_every, **settings)
    given = {"max_epochs": 5, "batch_size": N}
    scheduled = fit(network, scheduler, **given)
    np.testing.assert_allclose(scheduled.history_.learning_rate, rates)
    reference = fit(network, learning_rate_schedule=as_schedule(rates), **given)
    start = fit(network, learning_rate=rates[0], **given)
    np.testing.assert_allclose(
        scheduled.history_.train_loss, reference.history_.train_loss, rtol=1e-5
    )
    assert abs(scheduled.history_.train_loss[4] - start.history_.train_loss[4]) > 1e-4


@each_network
def test_a_policy_by_batch_counts_the_batches(network):
    scheduler = LRScheduler(StepLR, step_every="batch", step_size=3, gamma=0.1)
    fitted = fit(network, scheduler)  # 80 rows are 3 batches
    np.testing.assert_allclose(fitted.history_.learning_rate, [0.02, 0.002, 0.0002, 0.00002])
    batches = fitted.net_.history[1, "batches"]
    np.testing.assert_allclose([batch["event_lr"] for batch in batches], 0.002)


@each_network
def test_momentum_cycles_with_the_learning_rate(network):
    """`OneCycleLR` sets the first moment's decay as well."""
    seen = []

    class Spy(Callback):
        def on_batch_end(self, net, **kwargs):
            seen.append(net.optimizer_.param_groups[0]["betas"][0])

    one_cycle = LRScheduler(OneCycleLR, step_every="batch", max_lr=0.1, total_steps=12)
    fit(network, Spy(), one_cycle)
    assert seen[0] == pytest.approx(0.95)
    assert min(seen) == pytest.approx(0.85, abs=0.01)


@each_network
@pytest.mark.parametrize("monitor", ["valid_loss", "train_loss"])
def test_reduce_on_plateau_follows_the_loss(network, monitor):
    settings = {"factor": 0.1, "patience": 0, "threshold": 0.2}
    scheduler = LRScheduler(ReduceLROnPlateau, monitor=monitor, **settings)
    given = HELD_OUT | {"max_epochs": 12, "learning_rate": 0.02}
    fitted = fit(network, scheduler, **given)
    rates = rates_of(ReduceLROnPlateau, 12, fitted.history_[monitor], **settings)
    np.testing.assert_allclose(fitted.history_.learning_rate, rates)
    assert rates[-1] < 0.02
    reference = fit(network, learning_rate_schedule=as_schedule(rates), **given)
    np.testing.assert_allclose(fitted.history_[monitor], reference.history_[monitor], rtol=1e-5)


@each_network
def test_a_stream_goes_on_with_the_policys_rate(network):
    X = inputs_of(network)
    scheduler = LRScheduler(StepLR, step_size=1, gamma=0.5)
    stream = clone(network).set_params(callbacks=[scheduler])
    for _ in range(4):
        stream.partial_fit(X, LABELS, classes=np.unique(LABELS))
    np.testing.assert_allclose(stream.history_.learning_rate, 0.02 * 0.5 ** np.arange(4))
    assert_same_training(stream, fit(network, LRScheduler(StepLR, step_size=1, gamma=0.5)))


# ------------------------------------------------------------------ those that change the training


@each_network
@pytest.mark.parametrize(
    "optimizer",
    ["adam", "adamw", "sgd", partial(torch.optim.SGD, momentum=0.9)],
    ids=["adam", "adamw", "sgd", "momentum"],
)
@pytest.mark.parametrize("at", [1, 3])
def test_frozen_parameters_stay_as_they_are(network, optimizer, at):
    """Neither weight decay nor the momentum of earlier steps moves them."""
    recorder = Recorder()
    given = {"optimizer": optimizer, "weight_decay": 0.1}
    fitted = fit(network, Freezer("features.*", at=at), recorder, **given)
    frozen_from = recorder.states("epoch_begin")[at - 1]
    n_frozen = 0
    for name, value in fitted.net_.module_.state_dict().items():
        is_frozen = name.startswith("features.")
        assert torch.equal(value, frozen_from[name]) == is_frozen
        n_frozen += is_frozen
    assert n_frozen >= 2
    if at > 1:
        first = recorder.states("epoch_begin")[0]
        assert not torch.equal(first["output.weight"], frozen_from["output.weight"])


@each_network
def test_unfrozen_parameters_move_again(network):
    recorder = Recorder()
    fit(network, Freezer("features.*"), Unfreezer("features.*", at=3), recorder)
    begun, ended = (recorder.states(event) for event in ("epoch_begin", "epoch_end"))
    first = next(iter(begun[0]))
    assert first.startswith("features.")
    moved = [not torch.equal(a[first], b[first]) for a, b in zip(begun, ended, strict=True)]
    assert moved == [False, False, True, True]


@each_network
def test_an_initializer_sets_the_first_weights(network):
    fill = partial(torch.nn.init.constant_, val=0.125)
    recorder = Recorder()
    given = {"optimizer": "sgd", "learning_rate": 1e-30, "weight_decay": 0.0}
    fitted = fit(network, Initializer("output.*", fn=fill), recorder, **given)
    assert not (recorder.states("train_begin")[0]["output.weight"] == 0.125).all()
    assert (fitted.net_.module_.output.weight == 0.125).all()
    assert (fitted.net_.module_.output.bias == 0.125).all()


@each_network
@pytest.mark.parametrize("norm", [0.05, 1e6])
def test_gradient_clipping_against_a_loop_by_hand(network, norm):
    """Full batches by gradient descent, so that the order of the rows plays no part."""
    given = {
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "weight_decay": 0.0,
        "batch_size": N,
        "max_epochs": 6,
    }
    begun = []

    class Keep(Callback):
        def on_train_begin(self, net, **kwargs):
            begun.append(deepcopy(net.module_))

    clip = GradientNormClipping(gradient_clip_value=norm)
    fitted = fit(network, Keep(), clip, **given)
    (module,) = begun
    X, target = prepared(fitted, inputs_of(network)), torch.as_tensor((LABELS == "usual") * 1)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.5)
    losses, norms = [], []
    module.train()
    for _ in range(6):
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(X), target)
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(module.parameters(), norm)))
        optimizer.step()
        losses.append(loss.item())
    np.testing.assert_allclose(fitted.history_.train_loss, losses, rtol=1e-5)
    for mine, reference in zip(fitted.net_.module_.parameters(), module.parameters(), strict=True):
        torch.testing.assert_close(mine, reference, rtol=1e-4, atol=1e-6)
    assert (min(norms) > norm) == (norm < 1)  # clipped in every step, or in none


@each_network
def test_a_gradient_that_a_callback_sets_is_the_one_of_the_step(network):
    class Zero(Callback):
        def on_grad_computed(self, net, named_parameters, **kwargs):
            for _, parameter in named_parameters:
                parameter.grad.zero_()

    recorder = Recorder()
    fitted = fit(network, Zero(), recorder, optimizer="sgd", weight_decay=0.0)
    for name, value in recorder.states("train_begin")[0].items():
        assert torch.equal(value, fitted.net_.module_.state_dict()[name])


# ------------------------------------------------------------------ order and data of the events


@each_network
def test_events_come_in_skorchs_order_with_labels(network):
    seen = []

    class Spy(Callback):
        def on_train_begin(self, net, X, y, **kwargs):
            seen.append(("train_begin", len(X), len(y)))

        def on_epoch_begin(self, net, dataset_train, dataset_valid, **kwargs):
            seen.append(("epoch_begin", len(dataset_train), len(dataset_valid)))

        def on_batch_begin(self, net, batch, training, **kwargs):
            seen.append(("batch_begin", len(batch[0]), len(batch[1]), training))

        def on_grad_computed(self, net, named_parameters, batch, training, **kwargs):
            assert all(p.grad is not None for _, p in named_parameters)
            seen.append(("grad", len(batch[0])))

        def on_batch_end(self, net, batch, training, loss, y_pred, **kwargs):
            assert y_pred.shape == (len(batch[0]), 2)
            seen.append(("batch_end", len(batch[0]), training))

        def on_epoch_end(self, net, dataset_train, dataset_valid, **kwargs):
            row = net.history[-1]
            figures = {"train_loss", "valid_loss", "valid_score", "learning_rate", "duration_s"}
            assert figures <= row.keys()
            seen.append(("epoch_end",))

        def on_train_end(self, net, X, y, **kwargs):
            assert not net.module_.training
            seen.append(("train_end",))

    fit(network, Spy(), max_epochs=1, scoring="g_mean", **HELD_OUT)
    assert seen == [
        ("train_begin", 60, 60),
        ("epoch_begin", 60, 20),
        *[
            event
            for n in (32, 28)
            for event in (("batch_begin", n, n, True), ("grad", n), ("batch_end", n, True))
        ],
        ("batch_begin", 20, 20, False),
        ("batch_end", 20, False),
        ("epoch_end",),
        ("train_end",),
    ]


@each_network
def test_a_stream_calls_callbacks_as_a_fit_does(network):
    X = inputs_of(network)
    score = EpochScoring("accuracy", on_train=True, use_caching=False, lower_is_better=False)
    stream = clone(network).set_params(callbacks=[score])
    for _ in range(4):
        stream.partial_fit(X, LABELS, classes=np.unique(LABELS))
    fitted = fit(network, clone(score))
    np.testing.assert_array_equal(stream.history_.accuracy, fitted.history_.accuracy)
    assert_same_training(stream, fitted)


@pytest.mark.parametrize("network", [MLP, CNN], ids=["MLP", "CNN1D"])
def test_callbacks_on_windows_of_recordings(network):
    recordings = [rng.normal(size=(2, 70)).astype(np.float32) for _ in range(6)]
    windows = index_windows(recordings, size=12, step=4)
    y = np.where(windows.recording % 2, "rare", "usual")
    given = {"early_stopping": True, "validation_fraction": 0.34, "n_iter_no_change": 9}
    plain = clone(network).set_params(**given).fit(windows, y)
    scores = [
        EpochScoring("accuracy", use_caching=caching, lower_is_better=False, name=f"{caching}")
        for caching in (True, False)
    ]
    scores += [EpochScoring("accuracy", on_train=True, use_caching=False, name="train")]
    watched = clone(network).set_params(callbacks=[*scores, BatchScoring("accuracy")], **given)
    watched.fit(windows, y)
    np.testing.assert_array_equal(watched.predict_proba(windows), plain.predict_proba(windows))
    np.testing.assert_array_equal(watched.history_["True"], watched.history_["False"])
    np.testing.assert_allclose(watched.history_["True"], watched.history_.accuracy)
    assert watched.history_.train.between(0, 1).all()


def test_callbacks_inside_a_windowed_classifier():
    recordings = [rng.normal(size=(2, 70)).astype(np.float32) for _ in range(6)]
    y = np.array(["rare", "usual"] * 3)
    score = EpochScoring("accuracy", on_train=True, lower_is_better=False)
    fitted = WindowedClassifier(clone(CNN).set_params(callbacks=[score]), size=12, step=4).fit(
        recordings, y
    )
    assert fitted.estimator_.history_.accuracy.between(0, 1).all()


# ------------------------------------------------------------------ refused before training

VALID = "there are no validation data; use early_stopping=True"
REFUSED = [
    (lambda: Checkpoint(), VALID),
    (lambda: EarlyStopping(), VALID),
    (lambda: LRScheduler(ReduceLROnPlateau, monitor="valid_loss"), VALID),
    (lambda: EpochScoring("accuracy"), VALID),
    (lambda: BatchScoring("accuracy"), VALID),
    (lambda: PassthroughScoring("valid_loss"), VALID),
    (lambda: 3, "callbacks has 3; each must be a skorch callback"),
    (lambda: "EpochTimer", "callbacks has 'EpochTimer'; each must be"),
    (lambda: ("timer", 3), r"callbacks has \('timer', 3\); each must be"),
    (lambda: dict, "a class or function that makes one"),
]


@each_network
@pytest.mark.parametrize(("make", "message"), REFUSED)
def test_what_cannot_be_served_is_refused_before_training(network, make, message):
    network = clone(network).set_params(callbacks=[make()])
    with pytest.raises(ValueError, match=message):
        network.fit(inputs_of(network), LABELS)
    assert not hasattr(network, "net_")


@each_network
def test_two_settings_of_the_learning_rate_are_refused(network):
    with pytest.raises(ValueError, match=r"LRScheduler, and learning_rate_schedule is 'cosine'"):
        fit(network, LRScheduler(StepLR, step_size=1), learning_rate_schedule="cosine")


@each_network
@pytest.mark.parametrize(
    "entry",
    [EpochTimer(), EpochTimer, lambda: EpochTimer(), ("timer", EpochTimer())],
    ids=["object", "class", "factory", "named"],
)
def test_every_form_of_an_entry_is_taken(network, entry):
    assert (fit(network, entry).history_.dur > 0).all()


def test_every_callback_that_is_promised_is_skorchs():
    assert all(getattr(skorch_callbacks, kind.__name__) is kind for kind in READING_CALLBACKS)
