"""Residual networks: numbers of parameters, shortcuts, and batches of a single number."""

import pytest
import torch

from skimbal.modules import ResNet
from skimbal.modules._resnet import BatchNorm, Block


def generator():
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize(
    ("depth", "n_parameters"), [(20, 269_722), (32, 464_154), (18, 11_173_962)]
)
def test_numbers_of_parameters(depth, n_parameters):
    """0.27 and 0.46 million for depths 20 and 32 (He et al. 2016, table 6)."""
    network = ResNet(3, depth, 10, generator=generator())
    assert sum(parameter.numel() for parameter in network.parameters()) == n_parameters


@pytest.mark.parametrize("projection", [False, True])
def test_a_block_without_residual_is_its_rectified_shortcut(projection):
    block = Block(2, 4, 2, projection, generator()).eval()
    torch.nn.init.zeros_(block.residual[-1].weight)
    x = torch.randn(3, 2, 6, 6, generator=generator())
    expected = block.projection(x) if projection else torch.zeros(3, 4, 3, 3)
    if not projection:
        expected[:, 1:3] = x[:, :, ::2, ::2]
    torch.testing.assert_close(block(x), expected.relu())


def test_a_single_number_is_normalized_by_the_running_moments():
    layer = BatchNorm(1)
    layer.running_mean.fill_(3.0)
    layer.running_var.fill_(4.0)
    value = layer.train()(torch.full((1, 1, 1, 1), 7.0)).item()
    assert value == pytest.approx((7.0 - 3.0) / (4.0 + 1e-5) ** 0.5)
    assert layer.running_mean.item() == 3.0
