"""Residual networks."""

import numpy as np
import pytest
import torch

from skimbal import (
    ResNetClassifier,
)

rng = np.random.default_rng(0)


def n_parameters(network):
    return sum(parameter.numel() for parameter in network.net_.module_.parameters())


def untrained(network, shape, n_classes):
    """A network trained for one epoch on anything."""
    X = rng.normal(size=(2 * n_classes, *shape))
    return network.set_params(max_epochs=1).fit(X, np.arange(len(X)) % n_classes)


@pytest.mark.parametrize(("depth", "n_expected"), [(18, 11_173_962), (20, 269_722), (32, 464_154)])
def test_residual_networks_have_the_parameters_that_they_are_known_for(depth, n_expected):
    fitted = untrained(ResNetClassifier(depth=depth), (3, 8, 8), 10)
    assert n_parameters(fitted) == n_expected


def test_single_rows_of_batch_normalisation_keep_its_moments():
    fitted = ResNetClassifier(depth=8, max_epochs=1, batch_size=4).fit(
        rng.normal(size=(5, 1, 1, 1)), [0, 1, 0, 1, 0]
    )
    moments = [b for n, b in fitted.net_.module_.named_buffers() if n.endswith("running_var")]
    assert all(torch.isfinite(moment).all() for moment in moments)
