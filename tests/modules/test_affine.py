"""Affine maps: the same numbers for one network and in stacks of any size, to the bit."""

import pytest
import torch
import torch.nn.functional as F

from skimbal.modules import affine, is_matrix_vector, repeat_for_batched_kernel

SHAPES = [(1, 1, 1), (1, 4, 1), (5, 1, 3), (5, 4, 1), (32, 10, 7)]  # n, n_inputs, n_outputs


def draw_stack(n_networks, n, n_inputs, n_outputs):
    generator = torch.Generator().manual_seed(0)
    shapes = [(n, n_inputs), (n_outputs, n_inputs), (n_outputs,)]
    return [torch.randn(n_networks, *shape, generator=generator) for shape in shapes]


@pytest.mark.parametrize("shape", SHAPES)
def test_equals_the_linear_layer_of_torch(shape):
    x, weight, bias = (tensor[0] for tensor in draw_stack(1, *shape))
    torch.testing.assert_close(affine(x, weight, bias), F.linear(x, weight, bias))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_networks", [1, 2, 5])
def test_a_network_has_the_same_bits_in_every_stack(shape, n_networks):
    x, weight, bias = draw_stack(n_networks, *shape)
    together = affine(x, weight, bias)
    for i in range(n_networks):
        one = slice(i, i + 1)
        assert torch.equal(affine(x[one], weight[one], bias[one]), together[one])
        torch.testing.assert_close(together[i], F.linear(x[i], weight[i], bias[i]))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n_networks", [1, 3])
def test_writes_to_the_given_tensor(shape, n_networks):
    x, weight, bias = draw_stack(n_networks, *shape)
    out = torch.full((n_networks, shape[0], shape[2]), torch.nan)
    assert affine(x, weight, bias, out).data_ptr() == out.data_ptr()
    assert torch.equal(out, affine(x, weight, bias))


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 4, 1), True), ((1, 1, 4), True), ((1, 2, 2), False), ((2, 4, 1), False)],
)
def test_matrix_vector_products_are_those_of_one_matrix_with_a_side_of_1(shape, expected):
    assert is_matrix_vector(torch.ones(shape)) is expected


def test_repeating_copies_nothing():
    matrices = torch.arange(6.0).reshape(1, 2, 3)
    repeated = repeat_for_batched_kernel(matrices)
    assert torch.equal(repeated, torch.cat([matrices, matrices]))
    assert repeated.data_ptr() == matrices.data_ptr()
