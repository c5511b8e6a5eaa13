"""LDAM: margins by hand, and what they do to the logits."""

import numpy as np
import torch

from skimbal.losses import (
    LDAM,
    CrossEntropy,
)
from skimbal.losses._ldam import margins

from .contract import value_of


def test_margins_by_hand():
    np.testing.assert_allclose(margins(np.array([16.0, 81.0, 1.0]), 0.6), [0.3, 0.2, 0.6])
    np.testing.assert_allclose(margins(np.array([160.0, 10.0, 0.0]), 0.5), [0.25, 0.5, 0.5])


def test_ldam_without_margin_is_cross_entropy_of_the_scaled_logits():
    torch.testing.assert_close(value_of(LDAM(max_margin=0)), value_of(CrossEntropy()))


def test_ldam_lowers_the_true_logit_by_the_scaled_margin():
    bound = LDAM(max_margin=0.5, scale=4).bind(np.array([16.0, 1.0]))
    value = bound(torch.tensor([[1.0, 3.0]]), torch.tensor([1]))
    np.testing.assert_allclose(value, np.log(1 + np.exp(1.0 - (3.0 - 2.0))), rtol=1e-6)
