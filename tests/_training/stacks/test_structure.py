"""What makes two modules networks of one population."""

from functools import partial

import pytest

from skimbal._training.stacks import structure_of, value_of

from ..nets import Convolution, bound_loss, mlp_module


@pytest.mark.parametrize("make", [mlp_module, Convolution, partial(mlp_module, dropout=0.2)])
def test_weights_and_generators_play_no_part(make):
    assert structure_of(make(0)) == structure_of(make(1))


@pytest.mark.parametrize(
    "other",
    [
        mlp_module(sizes=(6, 5)),
        mlp_module(activation="relu"),
        mlp_module(dropout=0.1),
        Convolution(),
    ],
)
def test_sizes_and_settings_do(other):
    assert structure_of(mlp_module()) != structure_of(other)
    assert structure_of(mlp_module(dropout=0.2)) != structure_of(other)


def test_losses_are_compared_by_their_settings():
    weight = [1.0, 2.0, 3.0]
    assert structure_of(bound_loss("focal")) == structure_of(bound_loss("focal"))
    assert structure_of(bound_loss("focal")) != structure_of(bound_loss())
    assert structure_of(bound_loss(class_weight=weight)) != structure_of(bound_loss())


def test_what_cannot_be_pickled_is_compared_by_what_it_is():
    one, other = lambda epoch, n: 1.0, lambda epoch, n: 1.0
    assert value_of(one) == value_of(one)
    assert value_of(one) != value_of(other)
    assert value_of((1, "a")) == value_of((1, "a"))
