"""CoSen: a cost matrix that is learned with the network, on its scores (Khan et al. 2018).

After each epoch, the costs take a step toward a target that is made from the frequencies of the
classes, their separability in the feature space and the confusions of the network.
"""

from numbers import Integral, Real

import torch
from sklearn.utils._param_validation import Interval
from torch import Tensor

from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundLoss, Formula
from skimbal.losses._cross_entropy import CrossEntropy
from skimbal.losses._functional import cross_entropy
from skimbal.losses._registry import registered

# Costs below it would outweigh all scores of the other classes.
MIN_COST = 1e-4


def cosen_cross_entropy(logits, target, cost):
    """Cross entropy of scores that the costs multiply, -log(C_yy e^z_y / sum_k C_yk e^z_k).

    Only the ratios of the costs in row y matter. Equal costs give cross entropy.
    """
    return cross_entropy(logits + cost.log()[target], target)


def separability(features, target, n_classes):
    """Class-to-class separability, 1 where classes mix and near 0 where they are far apart.

    Entry (p, q) is the mean over the samples i of class p of min(1, d_ip / d_iq), with the distance
    d_iq of sample i to the nearest other sample of class q. It is 1 where a class has no two
    samples.

    Parameters
    ----------
    features : tensor of shape (n, n_features)
    target : tensor of int64 of shape (n,)
    n_classes : int

    Returns
    -------
    tensor of shape (n_classes, n_classes)
        The diagonal is 1.
    """
    distance = torch.cdist(features, features).fill_diagonal_(torch.inf)
    nearest = distance.new_full((len(target), n_classes), torch.inf)
    for c in range(n_classes):
        is_own = target == c
        if is_own.any():
            nearest[:, c] = distance[:, is_own].amin(dim=1)
    within = nearest.gather(1, target[:, None])
    # Of samples without another one of their class, or on top of one another, nothing is known.
    ratio = torch.where((within >= nearest) | within.isinf(), 1.0, within / nearest)
    membership = torch.nn.functional.one_hot(target, n_classes).to(ratio)
    n_own = membership.sum(dim=0)[:, None]
    return torch.where(n_own > 0, membership.T @ ratio / n_own.clamp(min=1.0), 1.0)


def larger_shares(share):
    """Entry (p, q) is the larger one of the shares of the classes p and q; of p on the diagonal."""
    return torch.maximum(share[:, None], share[None, :])


def bell(x, mu, sigma):
    """exp(-(x - mu)^2 / (2 sigma^2))."""
    return torch.exp(-((x - mu) ** 2) / (2.0 * sigma**2))


class CoSenBoundLoss(BoundLoss):
    """The CoSen cross entropy with the costs of one network, which it changes after each epoch.

    `observe` collects what the target of the costs is made of; `set_epoch` makes the step.
    """

    per_sample: Formula

    def __init__(self, n_classes, value):
        super().__init__(Formula(cosen_cross_entropy, cost=torch.ones(n_classes, n_classes)))
        self.value = value
        self._forget()

    def forward(
        self,
        logits: Tensor,
        target: Tensor,
        sample_weight: Tensor | None = None,
        features: Tensor | None = None,
    ) -> Tensor:
        """Return the loss of a batch as a scalar tensor; the features don't change it."""
        return super().forward(logits, target, sample_weight)

    @property
    def cost(self):
        """The costs, shape (n_classes, n_classes), true classes in rows."""
        return self.per_sample.cost

    def _forget(self):
        n_classes = len(self.cost)
        self.confusion = torch.zeros(n_classes, n_classes)
        self.kept_features = torch.zeros(0, 0)
        self.kept_target = torch.zeros(0, dtype=torch.int64)

    @torch.no_grad()
    def observe(self, logits, target, sample_weight, features):
        """Count the decisions of a batch, and keep the last features of each class.

        Parameters
        ----------
        logits : tensor of shape (n, n_classes)
        target : tensor of int64 of shape (n,)
        sample_weight : tensor of shape (n,) or None
            Their scale does not matter.
        features : tensor of shape (n, n_features)
        """
        if sample_weight is not None:
            used = sample_weight > 0
            logits, target, features = logits[used], target[used], features[used]
            sample_weight = sample_weight[used] / sample_weight[used].mean()
        if not len(target):
            return
        n_classes = len(self.cost)
        truth, predicted = (
            torch.nn.functional.one_hot(classes, n_classes).to(logits)
            for classes in (target, logits.argmax(dim=1))
        )
        if sample_weight is not None:
            predicted = predicted * sample_weight[:, None]
        self.confusion = self.confusion.to(logits) + truth.T @ predicted
        if len(self.kept_target):
            features = torch.cat([self.kept_features, features])
            target = torch.cat([self.kept_target, target])
        kept = last_of_each_class(target, n_classes, self.value.n_kept)
        self.kept_features, self.kept_target = features[kept].clone(), target[kept].clone()

    def set_epoch(self, epoch, n_epochs):
        """Make a step toward the target of the epoch that has ended, if there was one."""
        if len(self.kept_target):
            cost = self.cost.double().cpu()
            self.cost.copy_(cost + self.value.step * (self.target_costs() - cost))
        self._forget()

    def target_costs(self):
        """The target T, between `MIN_COST` and 1; the costs as they are for a missing class.

        It is small, and computed on the processor: some devices have no double precision.
        """
        value, confusion = self.value, self.confusion.cpu().double()
        features, classes = self.kept_features.cpu().double(), self.kept_target.cpu()
        n_own = confusion.sum(dim=1, keepdim=True)
        share = (n_own / n_own.sum())[:, 0]
        rates = confusion / torch.where(n_own > 0, n_own, 1.0)
        mixing = separability(features, classes, len(share))
        target = (
            larger_shares(share)
            * bell(mixing, value.mu_separability, value.sigma_separability)
            * bell(rates, value.mu_confusion, value.sigma_confusion)
        )
        is_there = (n_own > 0) & (n_own.T > 0)
        return torch.where(is_there, target.clamp(min=MIN_COST), self.cost.cpu().double())


def last_of_each_class(target, n_classes, n_kept):
    """Rows of the last `n_kept` samples of each class.

    >>> last_of_each_class(torch.tensor([0, 0, 1, 0]), 2, 2)
    tensor([1, 3, 2])
    """
    return torch.cat([(target == c).nonzero()[-n_kept:, 0] for c in range(n_classes)])


@registered("cosen")
class CoSen(BaseCheckedLoss):
    r"""Cross entropy with a cost matrix on the scores that is learned with the network (CoSen).

    .. math:: l = -\log \frac{C_{yy} \, e^{z_y}}{\sum_k C_{yk} \, e^{z_k}}

    The costs C are 1 in the first epoch. After each epoch they take a step toward a target T,
    C <- C + step (T - C), with

    .. math::

        T_{pq} = \max(h_p, h_q) \,
            \exp\left(-\frac{(S_{pq} - \mu_S)^2}{2 \sigma_S^2}\right) \,
            \exp\left(-\frac{(R_{pq} - \mu_R)^2}{2 \sigma_R^2}\right)

    with the shares h of the classes, their separability S in the feature space (1 where they mix)
    and the rates R at which the network predicts class q for class p. With the default
    :math:`\mu = 1` the costs grow where classes mix and are confused. The larger the cost of an
    error compared with that of the right answer, the larger the score that the true class needs.
    All costs stay above 0 and at most 1. Predictions are made without the costs.

    Parameters
    ----------
    mu_separability : float, default=1.0
        Separability at which the target is largest.
    sigma_separability : float, default=1.0
        Width of the bell around it, positive. If it is infinite, S does not matter.
    mu_confusion : float, default=1.0
        Rate of confusion at which the target is largest.
    sigma_confusion : float, default=1.0
        Width of the bell around it, positive. If it is infinite, R does not matter.
    step : float, default=0.1
        Share of the way to the target that the costs go after an epoch, in [0, 1]. 0 is cross
        entropy.
    n_kept : int, default=32
        Samples of each class that S is computed from, at least 2.

    Notes
    -----
    *From the article* are the loss, the alternation between the network and the costs, costs of 1
    in the beginning, costs in (0, 1], the form of T and the step along the gradient of the squared
    norm of T - C.
    *Different here:* R and h are those of the batches of the epoch, where the article takes R from
    validation data; S is computed from the last features of the epoch in training, and each of its
    ratios is cut at 1, so that it lies between 0 and 1; the step is constant; costs are at least
    1e-4; the values of mu and sigma, which the article tunes, are ours.

    The learned costs are ``network.net_.criterion_.cost``, with true classes in rows. Early
    stopping judges epochs by plain cross entropy. Samplers change h: classes that are drawn equally
    often have equal shares.

    References
    ----------
    S. H. Khan, M. Hayat, M. Bennamoun, F. A. Sohel and R. Togneri, "Cost-Sensitive Learning of Deep
    Feature Representations from Imbalanced Data", IEEE TNNLS 29(8), 2018, pp. 3573-3587.
    doi:10.1109/TNNLS.2017.2732482, arXiv:1508.03422.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.losses import CoSen
    >>> X, y = make_classification(300, weights=[0.9], random_state=0)
    >>> network = MLPClassifier(loss=CoSen(), max_epochs=30, random_state=0).fit(X, y)
    >>> cost = network.net_.criterion_.cost
    >>> bool(cost[1, 0] / cost[1, 1] > cost[0, 1] / cost[0, 0])  # an error on the rare class costs
    True
    """

    weights_classes = True
    needs_features = True

    _parameter_constraints: dict = {
        "mu_separability": [Interval(Real, None, None, closed="neither")],
        "sigma_separability": [Interval(Real, 0, None, closed="right")],
        "mu_confusion": [Interval(Real, None, None, closed="neither")],
        "sigma_confusion": [Interval(Real, 0, None, closed="right")],
        "step": [Interval(Real, 0, 1, closed="both")],
        "n_kept": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(
        self,
        mu_separability: float = 1.0,
        sigma_separability: float = 1.0,
        mu_confusion: float = 1.0,
        sigma_confusion: float = 1.0,
        step: float = 0.1,
        n_kept: int = 32,
    ) -> None:
        self.mu_separability = mu_separability
        self.sigma_separability = sigma_separability
        self.mu_confusion = mu_confusion
        self.sigma_confusion = sigma_confusion
        self.step = step
        self.n_kept = n_kept

    def _bind(self, class_counts, class_weight, cost_matrix):
        return CoSenBoundLoss(len(class_counts), CoSen(**self.get_params()))

    def unweighted(self) -> BaseLoss:
        """Return plain cross entropy."""
        return CrossEntropy()
