"""Mean false error: every class counts by its mean squared error (Wang et al. 2016)."""

from skimbal.losses._base import BaseLoss, BoundBatchLoss
from skimbal.losses._functional_batch import mean_false_error, mean_squared_false_error
from skimbal.losses._registry import registered


@registered("mean_false_error")
class MeanFalseError(BaseLoss):
    """Sum over the classes of their mean squared error (MFE).

    L = sum_c E_c with E_c the mean of 1/2 ||p - t||^2 over the samples of class c in the batch: the
    false positive and the false negative error of two classes, and its like for more.

    References
    ----------
    S. Wang et al., "Training deep neural networks on imbalanced data sets", IJCNN 2016.
    doi:10.1109/IJCNN.2016.7727770.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import MeanFalseError
    >>> bound = MeanFalseError().bind(np.array([2.0, 1.0]))
    >>> bound(torch.zeros(3, 2), torch.tensor([0, 0, 1]))  # 1/4 for each class
    tensor(0.5000)
    """

    weights_classes = True

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module."""
        self._check_binding(class_weight)
        return BoundBatchLoss(mean_false_error)


@registered("mean_squared_false_error")
class MeanSquaredFalseError(BaseLoss):
    """Sum over the classes of the square of their mean squared error (MSFE).

    L = sum_c E_c^2 with the errors of `MeanFalseError`; of errors with the same sum,
    those that are alike have the least squares.

    References
    ----------
    S. Wang et al., "Training deep neural networks on imbalanced data sets", IJCNN 2016.
    doi:10.1109/IJCNN.2016.7727770.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import MeanSquaredFalseError
    >>> bound = MeanSquaredFalseError().bind(np.array([2.0, 1.0]))
    >>> bound(torch.zeros(3, 2), torch.tensor([0, 0, 1]))  # 1/16 for each class
    tensor(0.1250)
    """

    weights_classes = True

    def bind(self, class_counts, *, class_weight=None, cost_matrix=None):
        """Return the loss as a torch module."""
        self._check_binding(class_weight)
        return BoundBatchLoss(mean_squared_false_error)
