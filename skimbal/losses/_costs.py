"""Losses made from a cost matrix: the expected cost, and cross entropy weighted by cost."""

import numpy as np

from skimbal._utils._validation import check_cost_matrix, regret_matrix
from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundLoss, Formula
from skimbal.losses._class_weights import scale_to_mean_one
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import cross_entropy, expected_cost
from skimbal.losses._registry import registered


def cost_weights(cost_matrix, class_counts):
    """Weight of each class, n sum_j C[c, j] / sum_k n_k sum_j C[k, j] (Ting 2002)."""
    return scale_to_mean_one(cost_matrix.sum(axis=1), class_counts)


@registered("expected_cost")
class ExpectedCost(BaseCheckedLoss):
    """Expected cost sum_j C[y, j] p_j of a decision drawn from the predicted probabilities.

    C is the `cost_matrix` of the network. The expected loss is lowest if the class with the lowest
    expected cost has probability 1, so ``predict_proba`` is a decision rather than a posterior.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, pp. 973-978, eq. 1 (the
    expected cost of a decision). https://dl.acm.org/doi/10.5555/1642194.1642224

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

    def _bind(self, class_counts, class_weight, cost_matrix):
        cost = regret_matrix(check_cost_matrix(cost_matrix, len(class_counts)))
        return BoundLoss(Formula(expected_cost, cost=cost))


@registered("cost_weighted_cross_entropy")
class CostWeightedCrossEntropy(BaseCheckedLoss):
    """Cross entropy with class weights from the cost matrix.

    w_c is proportional to sum_j C[c, j], the sum of the costs of the errors on class c. It is
    scaled so that sum_c n_c w_c = n. For two classes these weights are equivalent to the costs.
    For more classes, they keep only the sum of each row.

    Notes
    -----
    The weights change the probabilities as the costs would change the decision. So a network that
    is trained with them predicts the class with the highest probability.

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
    prior_exponent = 1.0

    def _bind(self, class_counts, class_weight, cost_matrix):
        cost = regret_matrix(check_cost_matrix(cost_matrix, len(class_counts)))
        return BoundLoss(cross_entropy, cost_weights(cost, np.asarray(class_counts)))

    def unweighted(self) -> BaseLoss:
        """Return plain cross entropy."""
        return CrossEntropy()
