"""torch's optimizers on stacked rows."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification

from skimbal import MLPClassifier
from skimbal._training.optimizer import (
    OPTIMIZERS,
    SequentialOptimizer,
    StackedOptimizer,
    n_steps_taken,
)
from skimbal._training.schedules import SCHEDULES
from skimbal._training.stacks import DenseStack

from .nets import generator, mlp_module, net_around


@pytest.fixture(scope="module")
def imbalanced():
    X, y = make_classification(300, 6, weights=[0.9], class_sep=0.8, random_state=0)
    return X, np.where(y == 1, "rare", "usual")


NETWORK = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=15, learning_rate=0.01, random_state=0)


@pytest.mark.parametrize(
    "optimizer", ["adam", "adamw", "sgd", "adagrad", "rmsprop", torch.optim.NAdam]
)
def test_every_optimizer_trains(optimizer, imbalanced):
    fitted = clone(NETWORK).set_params(optimizer=optimizer).fit(*imbalanced)
    assert fitted.history_.train_loss.iloc[-1] < fitted.history_.train_loss.iloc[0]


def nets_of(name, **lists):
    """Three nets whose settings are given in lists."""
    settings = [{key: values[i] for key, values in lists.items()} for i in range(3)]
    return [net_around(mlp_module(i), optimizer=name, **given) for i, given in enumerate(settings)]


def set_gradients(module, seed):
    for number, parameter in enumerate(module.parameters()):
        parameter.grad = torch.randn(parameter.shape, generator=generator(100 * seed + number))


def fill(stack, nets, step):
    """Give the rows of a stack, and the modules, the same gradients."""
    for i, net in enumerate(nets):
        set_gradients(net.module_, 10 * step + i)
        for name, views in stack.layout.views(stack.gradients).items():
            views[i].copy_(net.module_.get_parameter(name).grad)


@pytest.mark.parametrize("schedule", [None, SCHEDULES["cosine"]])
@pytest.mark.parametrize("name", sorted(OPTIMIZERS))
def test_steps_of_a_stack_are_those_of_each_network(name, schedule):
    lists = {"learning_rate": [0.01, 0.01, 0.1], "weight_decay": [0.0, 0.1, 0.1]}
    nets, references = nets_of(name, **lists), nets_of(name, **lists)
    stack = DenseStack([net.module_ for net in nets])
    stacked = StackedOptimizer(nets, stack, schedule, [(0, 4)] * 3)
    for epoch in range(1, 5):
        rates = stacked.begin_epoch([epoch] * 3, [4] * 3)
        factor = 1.0 if schedule is None else schedule(epoch, 4)
        np.testing.assert_allclose(rates, factor * np.array([0.01, 0.01, 0.1]))
        fill(stack, references, epoch)
        stacked.step()
        for net, rate in zip(references, rates, strict=True):
            net.optimizer_.param_groups[0]["lr"] = rate
            net.optimizer_.step()
    state = stacked.state()
    for i, (net, reference) in enumerate(zip(nets, references, strict=True)):
        stack.write_to(net.module_, i)
        stacked.write_to(net, i, state)
        for a, b in zip(net.module_.parameters(), reference.module_.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
            own, other = net.optimizer_.state[a], reference.optimizer_.state[b]
            for key in other:
                if other[key] is not None:
                    torch.testing.assert_close(own[key], other[key], rtol=1e-5, atol=1e-6)
        assert n_steps_taken(net.optimizer_) == n_steps_taken(reference.optimizer_)


def test_networks_that_go_on_keep_their_moments():
    lists = {"learning_rate": [0.01, 0.02, 0.03]}
    nets, references = nets_of("adam", **lists), nets_of("adam", **lists)
    stack = DenseStack([net.module_ for net in nets])
    stacked = StackedOptimizer(nets, stack, None, [(0, 4)] * 3)
    fill(stack, references, 1)
    stacked.step()
    stack.keep([2, 0])
    stacked.keep([2, 0], stack)
    kept = [references[2], references[0]]
    for net in references:
        net.optimizer_.step()
    fill(stack, kept, 2)
    stacked.step()
    for i, net in enumerate(kept):
        net.optimizer_.step()
        for name, views in stack.layout.views(stack.parameters).items():
            torch.testing.assert_close(
                views[i], net.module_.get_parameter(name).detach(), rtol=1e-5, atol=1e-6
            )


def test_a_stack_begins_where_the_nets_have_ended():
    """Moments are read from the nets' own optimizers."""
    (net, *_), (reference, *_) = (nets_of("adam", learning_rate=[0.01] * 3) for _ in range(2))
    for own in (net, reference):
        set_gradients(own.module_, 1)
        own.optimizer_.step()
    stack = DenseStack([net.module_])
    stacked = StackedOptimizer([net], stack, None, [(1, 4)])
    fill(stack, [reference], 2)
    stacked.step()
    reference.optimizer_.step()
    stack.write_to(net.module_, 0)
    for a, b in zip(net.module_.parameters(), reference.module_.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_settings_that_a_callback_leaves_are_taken():
    (net, *_) = nets_of("adam", learning_rate=[0.01] * 3)
    stacked = StackedOptimizer([net], DenseStack([net.module_]), None, [(0, 4)])
    net.optimizer_.param_groups[0].update(lr=0.5, betas=(0.1, 0.2))
    stacked.read_settings(net)
    assert stacked.optimizer.param_groups[0]["lr"] == 0.5
    assert stacked.optimizer.param_groups[0]["betas"] == (0.1, 0.2)


def test_a_sequential_optimizer_leaves_the_rate_as_it_was():
    net = net_around(mlp_module(), learning_rate=0.1)
    sequential = SequentialOptimizer(net, SCHEDULES["cosine"])
    assert sequential.begin_epoch([6], [10]) == [pytest.approx(0.05)]
    assert net.optimizer_.param_groups[0]["lr"] == pytest.approx(0.05)
    sequential.write_to(net, 0, sequential.state())
    assert net.optimizer_.param_groups[0]["lr"] == 0.1
