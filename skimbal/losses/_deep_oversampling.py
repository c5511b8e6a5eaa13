"""Deep over-sampling (DOS): synthetic features between in-class neighbors (Ando and Huang 2017)."""

from functools import partial
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundBatchLoss
from skimbal.losses._class_weights import balanced_weights
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import cross_entropy, take_target, target_mask
from skimbal.losses._registry import registered


def neighbor_rows(features, target, share, n_neighbors):
    """Rows (n, k) of the nearest samples of the same class, by squared Euclidean distance.

    The first is the sample itself. It also stands where the batch has too few samples of the class.
    """
    x = features.detach()
    length = x.square().sum(dim=1)
    squared = (length[:, None] + length[None, :] - 2.0 * x @ x.T).clamp(min=0)
    own = torch.arange(len(target), device=target.device)
    is_possible = (target[:, None] == target[None, :]) & (share > 0)[None, :]
    squared = squared.masked_fill(~is_possible, torch.inf)
    squared = squared.masked_fill(own[:, None] == own[None, :], -1.0)
    near = squared.topk(min(n_neighbors, len(target)), dim=1, largest=False)
    return torch.where(near.values < torch.inf, near.indices, own[:, None])


def mixtures(values, rows, weights):
    """Weighted means of the values of neighbors, for each vector of weights.

    Values (n, d), rows (n, k) and weights (n_draws, k or more) give (n, n_draws, d). Weights beyond
    k are those of the sample itself.
    """
    used = weights[:, : rows.shape[1]]
    rest = weights[:, rows.shape[1] :].sum(dim=1)
    mixed = torch.einsum("rk,nkd->nrd", used, values[rows])
    return mixed + rest[None, :, None] * values[:, None, :]


def deep_oversampling(
    logits,
    target,
    share,
    features=None,
    *,
    class_weight,
    real_part,
    weights,
    clustering,
    n_neighbors,
):
    r"""Balanced cross entropy of real and synthetic features, and distances to the latter.

    .. math:: \sum_i s_i w_{y_i} \left(a_{y_i} l(z_i) + (1 - a_{y_i}) \operatorname{mean}_r
        \left(l(\tilde{z}_{ir}) + \lambda \|f_i - \tilde{f}_{ir}\|^2 / d \right)\right)

    with the share s, the class weight w, the real part a and the cross entropy l. Logits are linear
    in the features f, so those of a mixture are the mixture of the logits z.
    """
    if features is None:
        raise ValueError(
            "DeepOversampling got features=None, but it mixes the features of neighbors; call the "
            "loss with features=..., the inputs of the last layer (n, n_features)"
        )
    rows = neighbor_rows(features, target, share, n_neighbors)
    log_proba = mixtures(logits, rows, weights).log_softmax(dim=2)
    own_class = target_mask(logits, target)[:, None, :]
    synthetic = -torch.where(own_class, log_proba, 0.0).sum(dim=2).mean(dim=1)
    scatter = (features[:, None, :] - mixtures(features, rows, weights)).square().mean(dim=(1, 2))
    real = take_target(real_part.expand_as(logits), target)
    loss = real * cross_entropy(logits, target) + (1.0 - real) * (synthetic + clustering * scatter)
    return (share * take_target(class_weight.expand_as(logits), target) * loss).sum()


@registered("deep_oversampling")
class DeepOversampling(BaseCheckedLoss):
    r"""Over-sampling in the feature space of the network, with micro-clusters (DOS).

    Synthetic features of a sample are mixtures of the features of its nearest neighbors of the same
    class in the batch, :math:`\tilde{f}_{ir} = \sum_j v_{rj} f_{(j)}`. The sample is its own first
    neighbor, and the weights :math:`v_r` are non-negative and add up to 1. A class with
    :math:`n_c` samples is over-sampled to the size :math:`n_{max}` of the largest class. So a
    part :math:`a_c = n_c / n_{max}` of its loss comes from real features, and the rest from
    synthetic ones. These also attract the features of the sample:

    .. math:: l_i = w_c \left(a_c \, l(f_i) + (1 - a_c) \operatorname{mean}_r
        \left(l(\tilde{f}_{ir}) + \lambda \|f_i - \tilde{f}_{ir}\|^2 / d\right)\right)

    with the cross entropy l of the last layer, d features, and balanced class weights w.

    Parameters
    ----------
    n_neighbors : int, default=5
        Neighbors of a sample, itself included; at least 1. With 1 this is cross entropy with
        balanced class weights.
    n_draws : int, default=4
        Synthetic features of each sample, at least 1.
    clustering : float, default=0.1
        The factor :math:`\lambda`, non-negative.
    random_state : int, default=0
        Seed of the weights v, which are drawn once, uniformly from the simplex.

    Notes
    -----
    The last layer must be linear, because logits of mixtures are computed as mixtures of logits.
    Batches should hold several samples of each rare class: use a large `batch_size`. A sample that
    is alone in the batch is its own neighbor. Early stopping judges epochs by plain cross entropy;
    set the `scoring` of the network to judge them otherwise.

    The article finds the neighbors in the whole training set, and trains in rounds: it fixes the
    synthetic targets, trains the network toward them, and updates them. Here the neighbors are
    those of the batch, and targets follow the network in every step; both losses have gradients
    with respect to all features. The amount of over-sampling by class, the distribution of the
    weights and the factor are choices of this package.

    References
    ----------
    S. Ando and C.-Y. Huang, "Deep Over-sampling Framework for Classifying Imbalanced Data", ECML
    PKDD 2017, pp. 770-785. arXiv:1704.07515.

    Examples
    --------
    The two rare samples are neighbors, and are pulled together.

    >>> import numpy as np, torch
    >>> from skimbal.losses import DeepOversampling
    >>> logits, target = torch.zeros(5, 2), torch.tensor([0, 0, 0, 1, 1])
    >>> features = torch.tensor([[0.0], [0.0], [0.0], [1.0], [3.0]])
    >>> plain, pulled = (
    ...     DeepOversampling(clustering=c).bind(np.array([3.0, 2.0]))(
    ...         logits, target, features=features
    ...     )
    ...     for c in (0.0, 1.0)
    ... )
    >>> plain
    tensor(0.6931)
    >>> bool(pulled > plain)
    True
    """

    weights_classes = True
    needs_counts = True
    needs_features = True
    oversamples = True

    _parameter_constraints: dict = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "n_draws": [Interval(Integral, 1, None, closed="left")],
        "clustering": [Interval(Real, 0, None, closed="left")],
        "random_state": [Interval(Integral, 0, 2**32 - 1, closed="both")],
    }

    def __init__(
        self,
        n_neighbors: int = 5,
        n_draws: int = 4,
        clustering: float = 0.1,
        random_state: int = 0,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.n_draws = n_draws
        self.clustering = clustering
        self.random_state = random_state

    def _bind(self, class_counts, class_weight, cost_matrix):
        rng = np.random.RandomState(self.random_state)
        return BoundBatchLoss(
            partial(deep_oversampling, n_neighbors=int(self.n_neighbors)),
            class_weight=balanced_weights(class_counts),
            real_part=class_counts / class_counts.max(),
            weights=rng.dirichlet(np.ones(self.n_neighbors), size=self.n_draws),
            clustering=self.clustering,
        )

    def unweighted(self) -> BaseLoss:
        """Return plain cross entropy."""
        return CrossEntropy()
