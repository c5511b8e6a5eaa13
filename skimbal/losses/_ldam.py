"""LDAM: margins that are greater for rarer classes (Cao et al. 2019)."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseLoss, BoundLoss, Formula
from skimbal.losses._class_weights import as_rare_as_the_rarest
from skimbal.losses._functional import margin_cross_entropy
from skimbal.losses._registry import registered


def margins(class_counts, max_margin):
    """Margin of each class, proportional to n_c^(-1/4), at most `max_margin`."""
    counts = as_rare_as_the_rarest(class_counts)
    return max_margin * (counts / counts.min()) ** -0.25


@registered("ldam")
class LDAM(BaseLoss):
    """Label-distribution-aware margin loss.

    Cross entropy of the logits z = scale * cosine(features, weights) with scale * m_y taken from
    that of the true class, m_c = max_margin * (n_c / min n)^(-1/4).

    Parameters
    ----------
    max_margin : float, default=0.5
        Margin of the rarest class, in cosines; non-negative.
    scale : float, default=30
        Scale of the logits, positive.

    Notes
    -----
    The loss asks the network for a normalised last layer (``head = "normalized"``): its logits
    are already scaled. The paper combines it with re-weighting in the last epochs:
    ``DeferredReweighting("ldam")``.

    References
    ----------
    K. Cao, C. Wei, A. Gaidon, N. Arechiga and T. Ma, "Learning Imbalanced Datasets with
    Label-Distribution-Aware Margin Loss", NeurIPS 2019, sec. 3. arXiv:1906.07413.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.losses import LDAM
    >>> LDAM(max_margin=0.5, scale=30).bind(np.array([160.0, 10.0])).per_sample.margin
    tensor([ 7.5000, 15.0000])
    """

    needs_counts = True
    head = "normalized"

    _parameter_constraints: dict = {
        "max_margin": [Interval(Real, 0, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, max_margin=0.5, scale=30):
        self.max_margin = max_margin
        self.scale = scale

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss with the given class weights as a torch module."""
        self._check_binding(class_weight)
        margin = self.scale * margins(class_counts, self.max_margin)
        return BoundLoss(Formula(margin_cross_entropy, margin=margin), class_weight)
