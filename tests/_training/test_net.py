"""skorch's net as the container of a network, and which callbacks are served."""

import os
import pickle
import signal
from copy import deepcopy

import numpy as np
import pytest
import torch
from joblib.externals.loky.backend.reduction import dumps
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    Freezer,
    GradientNormClipping,
    LRScheduler,
)
from torch.optim.lr_scheduler import StepLR

from skimbal._training.net import (
    changes_the_training,
    make_callbacks,
    make_dataset,
    overridden_events,
)

from .nets import Convolution, generator, mlp_module, net_around

X = torch.randn(6, 5, generator=generator(1))


class Named(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.history.record("named", 1)


class Stopping(EarlyStopping):
    """Asks for the end of the training at once."""

    def on_epoch_end(self, net, **kwargs):
        raise KeyboardInterrupt


def test_the_net_holds_the_module_itself():
    module = mlp_module()
    net = net_around(module, learning_rate=0.25, weight_decay=0.5)
    assert net.module_ is module
    (group,) = net.optimizer_.param_groups
    assert (group["lr"], group["weight_decay"], group["fused"]) == (0.25, 0.5, True)
    assert net.callbacks_ == []
    assert net.history == []


def test_it_predicts_the_encoded_labels_that_it_lists():
    net = net_around(mlp_module())
    net.module_.eval()
    proba = net.predict_proba(X)
    np.testing.assert_allclose(proba, torch.softmax(net.module_(X), 1).detach(), rtol=1e-6)
    assert net.classes_.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(net.predict(X), net.classes_[proba.argmax(axis=1)])


@pytest.mark.parametrize("copy", [deepcopy, lambda net: pickle.loads(pickle.dumps(net))])
@pytest.mark.parametrize("make", [lambda: mlp_module(dropout=0.3), Convolution])
def test_copies_share_parameters_with_their_optimizer(copy, make):
    net = net_around(make())
    for parameter in net.module_.parameters():
        parameter.grad = torch.ones_like(parameter)
    net.optimizer_.step()
    other = copy(net)
    for a, b in zip(net.module_.parameters(), other.module_.parameters(), strict=True):
        assert torch.equal(a, b)
        assert a is not b
    (group,) = other.optimizer_.param_groups
    own = list(other.module_.parameters())
    assert all(a is b for a, b in zip(group["params"], own, strict=True))
    state = net.optimizer_.state[next(net.module_.parameters())]["exp_avg"]
    assert torch.equal(other.optimizer_.state[own[0]]["exp_avg"], state)


def test_a_loss_that_pickle_does_not_know_is_no_obstacle():
    """The workers of joblib get what a notebook defines by value."""

    class OfANotebook(torch.nn.Module):
        def forward(self, logits, target, weight=None):
            return torch.nn.functional.cross_entropy(logits, target)

    net = pickle.loads(dumps(net_around(mlp_module(), OfANotebook())))
    assert type(net.criterion_).__name__ == "OfANotebook"


@pytest.mark.parametrize(
    ("callbacks", "ends"),
    [([], False), ([Named()], False), ([Stopping()], True), ([Stopping(), Named()], True)],
    ids=["none", "reading", "stopping", "both"],
)
def test_notify_says_whether_the_training_ends(callbacks, ends):
    net = net_around(mlp_module(), callbacks=callbacks)
    net.history.new_epoch()
    assert net.notify("on_epoch_end") is ends
    assert ("named" in net.history[-1]) == any(isinstance(c, Named) for c in callbacks)


def test_a_users_interrupt_is_not_taken_for_early_stopping():
    class Struck(EarlyStopping):
        def on_epoch_end(self, net, **kwargs):
            os.kill(os.getpid(), signal.SIGINT)
            raise KeyboardInterrupt  # as skorch's does

    net = net_around(mlp_module(), callbacks=[Struck()])
    with pytest.raises(KeyboardInterrupt):
        net.notify("on_epoch_end")


def test_a_scheduler_is_made_once_for_an_optimizer():
    net = net_around(mlp_module(), callbacks=[LRScheduler(StepLR, step_size=1)])
    (_, callback), *_ = net.callbacks_
    net.notify("on_train_begin", X=X, y=None)
    first = callback.lr_scheduler_
    net.notify("on_train_begin", X=X, y=None)
    assert callback.lr_scheduler_ is first
    net.initialize_optimizer()
    net.notify("on_train_begin", X=X, y=None)
    assert callback.lr_scheduler_ is not first


@pytest.mark.parametrize(
    ("callbacks", "events"),
    [
        ([], set()),
        ([Named()], {"on_epoch_end"}),
        ([Named(), GradientNormClipping(1.0)], {"on_epoch_end", "on_grad_computed"}),
        ([EpochTimer()], {"on_epoch_begin", "on_epoch_end"}),
    ],
    ids=["none", "one", "two", "timer"],
)
def test_overridden_events(callbacks, events):
    assert overridden_events(net_around(mlp_module(), callbacks=callbacks)) == events


@pytest.mark.parametrize(
    ("callback", "expected"),
    [
        (EpochTimer(), False),
        (Checkpoint(), False),
        (LRScheduler(), False),
        (EarlyStopping(), False),
        (Freezer("features.*"), True),
        (GradientNormClipping(1.0), True),
        (Named(), True),
        (Stopping(), True),  # a class of one's own, whatever its base
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_may_change_the_training(callback, expected):
    assert changes_the_training(callback) == expected


@pytest.mark.parametrize("has_validation", [True, False])
def test_callbacks_of_all_forms(has_validation):
    named = ("mine", EpochTimer())
    given = [EpochTimer, EpochTimer(), named, lambda: EpochScoring("accuracy", on_train=True)]
    made = make_callbacks(given, has_validation=has_validation, schedule=None)
    kinds = [type(entry[1] if isinstance(entry, tuple) else entry) for entry in made]
    assert kinds == [EpochTimer, EpochTimer, EpochTimer, EpochScoring]
    assert made[1] is given[1]
    assert made[2] == named
    assert make_callbacks(None, has_validation=has_validation, schedule=None) == []


@pytest.mark.parametrize(
    ("callback", "with_validation"),
    [
        (Checkpoint(), True),
        (EpochScoring("accuracy"), True),
        (EarlyStopping(), True),
        (Checkpoint(monitor=None), False),
        (Checkpoint(monitor=lambda net: True), False),
        (EarlyStopping("train_loss"), False),
        (LRScheduler(monitor="train_loss"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_monitors_of_validation_need_it(callback, with_validation):
    assert make_callbacks([callback], has_validation=True, schedule=None) == [callback]
    if not with_validation:
        assert make_callbacks([callback], has_validation=False, schedule=None) == [callback]
        return
    with pytest.raises(ValueError, match="early_stopping=True, or let it look at the training"):
        make_callbacks([callback], has_validation=False, schedule=None)


def test_datasets_have_a_length_and_rows():
    dataset = make_dataset(X, torch.arange(6))
    assert len(dataset) == 6
    inputs, target = dataset[2]
    assert torch.equal(inputs, X[2])
    assert target == 2
