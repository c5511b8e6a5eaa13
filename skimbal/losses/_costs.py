"""Losses that a cost matrix makes: the expected cost, and cross entropy weighted by cost."""

import numpy as np

from skimbal._utils._validation import check_cost_matrix
from skimbal.losses._base import BaseLoss, BoundLoss, Formula
from skimbal.losses._class_weights import scale_to_mean_one
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import cross_entropy, expected_cost
from skimbal.losses._registry import registered


def cost_weights(cost_matrix, class_counts):
    """Weight of each class, n sum_j C[c, j] / sum_k n_k sum_j C[k, j] (Ting 2002)."""
    return scale_to_mean_one(cost_matrix.sum(axis=1), class_counts)


@registered("expected_cost")
class ExpectedCost(BaseLoss):
    """Expected cost of a decision that is drawn by the posteriors, sum_j C[y, j] p_j.

    C is the network's `cost_matrix`, as it is given. The least expected loss has the decision of
    least expected cost at posterior 1: ``predict_proba`` is then a decision, no posterior.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import ExpectedCost
    >>> costs = np.array([[0.0, 1.0], [8.0, 0.0]])
    >>> bound = ExpectedCost().bind(np.array([3.0, 1.0]), cost_matrix=costs)
    >>> bound(torch.zeros(1, 2), torch.tensor([1]))  # 8 / 2
    tensor(4.)
    """

    weights_classes = True
    needs_costs = True

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss of a cost matrix as a torch module."""
        self._check_binding(class_weight, cost_matrix)
        cost = check_cost_matrix(cost_matrix, len(class_counts))
        return BoundLoss(Formula(expected_cost, cost=cost))


@registered("cost_weighted_cross_entropy")
class CostWeightedCrossEntropy(BaseLoss):
    """Cross entropy with class weights from the cost matrix.

    w_c is proportional to sum_j C[c, j], all that an error on class c can cost, and scaled so that
    sum_c n_c w_c = n. For two classes it is exactly what the costs ask for; for more, costs that
    differ within a row are added up.

    Notes
    -----
    The weights move the posteriors as the costs would move the decision, so a network that is
    trained by them takes the largest posterior.

    References
    ----------
    K. M. Ting, "An instance-weighting method to induce cost-sensitive trees", IEEE TKDE 14(3),
    2002, pp. 659-665. doi:10.1109/TKDE.2002.1000348.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.losses import CostWeightedCrossEntropy
    >>> costs = np.array([[0.0, 1.0], [9.0, 0.0]])
    >>> CostWeightedCrossEntropy().bind(np.array([90.0, 10.0]), cost_matrix=costs).class_weight
    tensor([0.5556, 5.0000])
    """

    weights_classes = True
    needs_counts = True
    needs_costs = True

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss of a cost matrix as a torch module."""
        self._check_binding(class_weight, cost_matrix)
        cost = check_cost_matrix(cost_matrix, len(class_counts))
        return BoundLoss(cross_entropy, cost_weights(cost, np.asarray(class_counts)))

    def unweighted(self):
        """Return plain cross entropy."""
        return CrossEntropy()
