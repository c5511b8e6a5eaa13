"""Loss formulas against values by hand."""

import numpy as np
import torch

from skimbal.losses._functional import cross_entropy


def test_cross_entropy_by_hand():
    logits = torch.tensor([[0.0, np.log(3.0), np.log(6.0)]] * 3)
    torch.testing.assert_close(
        cross_entropy(logits, torch.arange(3)), torch.tensor(np.log([10.0, 10 / 3, 10 / 6]))
    )


def test_cross_entropy_of_large_logits():
    logits = torch.tensor([[1e4, -1e4], [-1e4, 1e4]])
    assert cross_entropy(logits, torch.tensor([0, 0])).tolist() == [0.0, 2e4]
