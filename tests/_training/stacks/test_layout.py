"""Where parameters lie in a row of numbers, and products into them."""

import pytest
import torch

from skimbal._training.stacks import Buffer, ParameterLayout, add_product_, aligned_matrices
from skimbal._training.stacks.layout import product, zeros_on_lines

from ..nets import generator

SHAPES = {"a": torch.Size([3, 5]), "b": torch.Size([3]), "c": torch.Size([20, 2])}


def test_every_parameter_begins_on_a_cache_line():
    layout = ParameterLayout(SHAPES)
    assert layout.offsets == {"a": 0, "b": 16, "c": 32}
    assert layout.row_length == 96  # 16 + 16 + 48 numbers fill 80, which are no whole blocks of 32


def test_views_are_the_numbers_themselves():
    layout = ParameterLayout(SHAPES)
    rows = torch.zeros(2, layout.row_length)
    views = layout.views(rows)
    for number, (name, shape) in enumerate(SHAPES.items(), start=1):
        assert views[name].shape == (2, *shape)
        views[name].fill_(number)
    assert rows.sum() == 2 * (15 + 2 * 3 + 3 * 40)
    assert views["c"].stride(-1) == 20  # stored transposed: it has fewer columns than rows


@pytest.mark.parametrize("shape", [(3, 5), (16, 4), (4, 16), (1, 7)])
@pytest.mark.parametrize("n_networks", [1, 3])
def test_products_go_where_they_belong(shape, n_networks):
    n, m = shape
    left = torch.randn(n_networks, n, 6, generator=generator(0))
    right = torch.randn(n_networks, 6, m, generator=generator(1))
    layout = ParameterLayout({"w": torch.Size(shape)})
    views = layout.views(torch.ones(n_networks, layout.row_length))["w"]
    out = aligned_matrices(views)
    assert out.shape == views.shape
    out.fill_(1.0)
    add_product_(out, left, right, beta=0.5, alpha=2.0)
    torch.testing.assert_close(out, 0.5 + 2.0 * left @ right, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(product(left, right, torch.empty(n_networks, n, m)), left @ right)
    assert torch.equal(zeros_on_lines(views), torch.zeros_like(views))


def test_a_buffer_is_the_same_memory_in_every_step():
    buffer, x = Buffer(), torch.zeros(2, 7, 3)
    first = buffer(x, 4)
    assert first.shape == (2, 7, 4)
    assert buffer(x, 4) is first
    assert buffer(x[:, :5], 4) is not first
