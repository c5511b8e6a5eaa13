"""LDAM: larger margins for rarer classes (Cao et al. 2019)."""

from numbers import Real

from sklearn.utils._param_validation import Interval

from skimbal.losses._base import BaseCheckedLoss, BoundLoss, Formula
from skimbal.losses._class_weights import fill_absent
from skimbal.losses._functional import margin_cross_entropy
from skimbal.losses._registry import registered


def margins(class_counts, max_margin):
    """Margin of each class, proportional to n_c^(-1/4), at most `max_margin`."""
    counts = fill_absent(class_counts)
    return max_margin * (counts / counts.min()) ** -0.25


@registered("ldam")
class LDAM(BaseCheckedLoss):
    """Label-distribution-aware margin loss.

    Cross entropy of the logits z = scale * cosine(features, weights), where scale * m_y is
    subtracted from the logit of the true class and m_c = max_margin * (n_c / min n)^(-1/4).

    Parameters
    ----------
    max_margin : float, default=0.5
        Margin of the rarest class, in cosines; non-negative.
    scale : float, default=30
        Scale of the logits, positive.

    Notes
    -----
    The loss needs a network with a normalized last layer (``head = "normalized"``), whose logits
    are scaled cosines. The paper combines the loss with weights in the last epochs:
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

    def __init__(self, max_margin: float = 0.5, scale: float = 30) -> None:
        self.max_margin = max_margin
        self.scale = scale

    def _bind(self, class_counts, class_weight, cost_matrix):
        margin = self.scale * margins(class_counts, self.max_margin)
        return BoundLoss(Formula(margin_cross_entropy, margin=margin), class_weight)
