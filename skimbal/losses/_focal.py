"""Focal loss: well-classified samples count less (Lin et al. 2017)."""

from numbers import Real

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal._utils._labels import carries_labels
from skimbal.losses._base import BaseCheckedLoss, BaseLoss, BoundLoss, Formula
from skimbal.losses._class_weights import NAMED_WEIGHTS, check_weights
from skimbal.losses._functional import focal
from skimbal.losses._registry import registered


@registered("focal")
class Focal(BaseCheckedLoss):
    """Focal loss, -alpha_y (1 - p_y)^gamma log p_y.

    Parameters
    ----------
    gamma : float, default=2
        How fast the weight of a sample falls as its probability rises; non-negative. With 0, the
        loss is cross entropy.
    alpha : None, "balanced", "effective", float or array-like of shape (n_classes,), default=None
        Weights of the classes, in the order of ``classes_``. A number between 0 and 1 is for two
        classes: the second one has weight alpha, the first one 1 - alpha. With None, the
        `class_weight` of the network weights the classes.

    References
    ----------
    T.-Y. Lin, P. Goyal, R. Girshick, K. He and P. Dollár, "Focal Loss for Dense Object
    Detection", ICCV 2017, eqs. 4 and 5. doi:10.1109/ICCV.2017.324.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import Focal
    >>> bound = Focal(gamma=2).bind(np.array([3.0, 1.0]))
    >>> bound(torch.zeros(1, 2), torch.tensor([0]))  # log(2) / 4
    tensor(0.1733)
    """

    _parameter_constraints: dict = {
        "gamma": [Interval(Real, 0, None, closed="left")],
        "alpha": [
            None,
            StrOptions(set(NAMED_WEIGHTS)),
            Interval(Real, 0, 1, closed="neither"),
            "array-like",
        ],
    }

    def __init__(self, gamma: float = 2, alpha: str | float | ArrayLike | None = None) -> None:
        self.gamma = gamma
        self.alpha = alpha

    @property
    def weights_classes(self) -> bool:
        """Whether `alpha` weights the classes."""
        return self.alpha is not None

    @property
    def needs_counts(self) -> bool:
        """Whether `alpha` is a name."""
        return isinstance(self.alpha, str)

    def _bind(self, class_counts, class_weight, cost_matrix):
        if self.alpha is not None:
            class_weight = alpha_vector(self.alpha, class_counts)
        return BoundLoss(Formula(focal, gamma=self.gamma), class_weight)

    def unweighted(self) -> BaseLoss:
        """Return the focal loss without alpha."""
        return Focal(gamma=self.gamma)


def alpha_vector(alpha, class_counts):
    """Return the weights (n_classes,) that `alpha` stands for, or raise a ValueError."""
    n_classes = len(class_counts)
    if isinstance(alpha, str):
        return NAMED_WEIGHTS[alpha](class_counts)
    if carries_labels(alpha):
        raise ValueError(
            f"alpha={alpha!r} goes by labels, but a loss knows no labels; give it to the network "
            "as class_weight, or give alpha as an array in the order of classes_"
        )
    if isinstance(alpha, Real):
        if n_classes != 2:
            raise ValueError(
                f"alpha={alpha!r} is one number, but there are {n_classes} classes and it is for "
                "two; give an array with a weight for each class"
            )
        return np.array([1.0 - float(alpha), float(alpha)])
    return check_weights("alpha", alpha, n_classes)
