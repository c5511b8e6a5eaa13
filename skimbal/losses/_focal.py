"""Focal loss: samples that are classified well count less (Lin et al. 2017)."""

from collections.abc import Mapping
from numbers import Real

import numpy as np
from sklearn.utils._param_validation import Interval

from skimbal._utils._validation import unknown_name_message
from skimbal.losses._base import BaseLoss, BoundLoss, Formula
from skimbal.losses._class_weights import NAMED_WEIGHTS
from skimbal.losses._functional import focal
from skimbal.losses._registry import registered


@registered("focal")
class Focal(BaseLoss):
    """Focal loss, -alpha_y (1 - p_y)^gamma log p_y.

    Parameters
    ----------
    gamma : float, default=2
        How fast a sample loses weight as it is classified better; non-negative. 0: cross entropy.
    alpha : None, "balanced", "effective", float or array-like of shape (n_classes,), default=None
        Weights of the classes inside the loss, in the order of ``classes_``. A number between 0
        and 1 is for two classes: the weight of the second one, the first has 1 - alpha. With
        None, `class_weight` weights the classes.

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
    }

    def __init__(self, gamma=2, alpha=None):
        self.gamma = gamma
        self.alpha = alpha

    @property
    def weights_classes(self):  # type: ignore[override]
        """Whether `alpha` weights the classes."""
        return self.alpha is not None

    @property
    def needs_counts(self):  # type: ignore[override]
        """Whether `alpha` is one of the names."""
        return isinstance(self.alpha, str)

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module, weighted by alpha or by the class weights."""
        self._check_binding(class_weight)
        if self.alpha is not None:
            class_weight = alpha_vector(self.alpha, class_counts)
        return BoundLoss(Formula(focal, gamma=self.gamma), class_weight)

    def unweighted(self):
        """Return the focal loss without alpha."""
        return Focal(gamma=self.gamma)


def alpha_vector(alpha, class_counts):
    """Return the weights (n_classes,) that `alpha` stands for, or raise a ValueError."""
    n_classes = len(class_counts)
    if isinstance(alpha, str):
        if alpha not in NAMED_WEIGHTS:
            raise ValueError(unknown_name_message("alpha", alpha, NAMED_WEIGHTS))
        return NAMED_WEIGHTS[alpha](class_counts)
    if isinstance(alpha, Mapping):
        raise ValueError(
            f"alpha={alpha!r} is a dict, but a loss knows no labels; give the network the dict as "
            "class_weight, or alpha as an array in the order of classes_"
        )
    if isinstance(alpha, Real):
        if n_classes != 2 or not 0.0 < float(alpha) < 1.0:
            raise ValueError(
                f"alpha={alpha!r} with {n_classes} classes; one number must be between 0 and 1 and "
                "is for two classes: give an array with a weight for each class"
            )
        return np.array([1.0 - float(alpha), float(alpha)])
    vector = np.asarray(alpha, dtype=np.float64)
    if vector.shape != (n_classes,):
        raise ValueError(
            f"alpha has shape {vector.shape}, but there are {n_classes} classes; give one weight "
            "for each, in the order of classes_"
        )
    if not (np.isfinite(vector).all() and (vector >= 0).all() and vector.any()):
        raise ValueError(
            f"alpha {vector.tolist()} must be finite, non-negative and not all zero; give each "
            "class a weight"
        )
    return vector
