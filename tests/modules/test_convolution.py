"""Convolutional networks: values by hand, and sizes after layers against those of torch."""

import pytest
import torch
from torch import nn

from skimbal.modules import Convolution, size_after_layers, smallest_size

LAYERS = [((3,), (2,)), ((3, 2), (1, 2)), ((5, 3), (3, 1)), ((4, 4), (None, None))]


def make_network(input_shape, **options):
    generator = torch.Generator().manual_seed(0)
    layers = {"n_filters": (2,), "kernel_sizes": (3,), "pool_sizes": (None,), "padding": "same"}
    rest = {"global_pooling": True, "dense_layer_sizes": (), "dropout": 0.0, "n_classes": 3}
    options = layers | rest | options
    return Convolution(input_shape, **options, generator=generator, noise_generator=generator)


def test_value_by_hand():
    network = make_network((1, 4), n_filters=(1,), kernel_sizes=(2,), padding="valid", n_classes=1)
    with torch.no_grad():
        network.features[0].weight.copy_(torch.tensor([[[1.0, -1.0]]]))
        network.output.weight.fill_(10.0)
    # Differences 1, -3, 2; rectified 1, 0, 2; the pool of 2 leaves 1; its mean is 1.
    assert network(torch.tensor([[[3.0, 2.0, 5.0, 3.0]]])).item() == 10.0


@pytest.mark.parametrize("size", [1, 2, 5, 12, 29])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("kernels", "pools"), LAYERS)
def test_sizes_are_those_of_the_layers_of_torch(kernels, pools, padding, size):
    expected = size_after_layers(size, kernels, pools, padding)
    assert (expected >= 1) == (size >= smallest_size(kernels, pools, padding))
    if expected >= 1:
        network = make_network(
            (1, size),
            n_filters=(2,) * len(kernels),
            kernel_sizes=kernels,
            pool_sizes=pools,
            padding=padding,
            global_pooling=False,
        )
        assert network.features(torch.ones(1, 1, size)).shape == (1, 2 * expected)


@pytest.mark.parametrize("shape", [(2, 9), (2, 9, 6)])
def test_global_pooling_takes_the_mean_of_each_filter(shape):
    network = make_network(shape)
    x = torch.randn(4, *shape, generator=torch.Generator().manual_seed(1))
    maps = nn.Sequential(*list(network.features)[:-2])(x)
    torch.testing.assert_close(network.features(x), maps.flatten(2).mean(dim=2))


def test_initial_weights_have_the_variance_of_he():
    network = make_network((8, 20), n_filters=(500,), kernel_sizes=(5,))
    weight = network.features[0].weight
    assert weight.var().item() == pytest.approx(2 / (8 * 5), rel=0.05)
    assert weight.abs().max().item() <= (6 / (8 * 5)) ** 0.5
