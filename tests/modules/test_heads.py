"""The normalized layer: cosines by hand, and gradients of features without a length."""

import math

import pytest
import torch

from skimbal.modules import NormalizedLinear, norms


def make_layer(weight, scale=1.0):
    layer = NormalizedLinear(2, len(weight), scale, torch.Generator().manual_seed(0)).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weight))
    return layer


def test_norms_by_hand():
    vectors = torch.tensor([[3.0, 4.0], [0.0, 0.0]], dtype=torch.float64)
    expected = torch.tensor([[math.sqrt(25 + 1e-6)], [1e-3]], dtype=torch.float64)
    torch.testing.assert_close(norms(vectors), expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("degrees", [0, 30, 90, 180])
def test_logits_are_scaled_cosines(degrees):
    angle = math.radians(degrees)
    layer = make_layer([[2.0, 0.0]], scale=30.0)
    x = 5.0 * torch.tensor([[math.cos(angle), math.sin(angle)]], dtype=torch.float64)
    assert layer(x).item() == pytest.approx(30.0 * math.cos(angle), abs=1e-5)


def test_the_lengths_of_features_and_weights_do_not_matter():
    x = torch.randn(20, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    x = 10.0 * x / x.norm(dim=1, keepdim=True)
    weight = [[10.0, 0.0], [6.0, 8.0]]
    longer = [[value * 3.0 for value in row] for row in weight]
    torch.testing.assert_close(
        make_layer(longer)(7.0 * x), make_layer(weight)(x), atol=1e-7, rtol=0
    )


def test_features_of_length_0_have_a_finite_gradient():
    x = torch.zeros(1, 2, dtype=torch.float64, requires_grad=True)
    make_layer([[2.0, 0.0]])(x).sum().backward()
    torch.testing.assert_close(
        x.grad, torch.tensor([[1e3, 0.0]], dtype=torch.float64), rtol=1e-6, atol=0
    )
