"""Mean false error: the sum of the mean squared errors of the classes (Wang et al. 2016)."""

from skimbal.losses._base import BaseBatchLoss
from skimbal.losses._functional_batch import mean_false_error, mean_squared_false_error
from skimbal.losses._registry import registered


@registered("mean_false_error")
class MeanFalseError(BaseBatchLoss):
    """Sum over the classes of their mean squared error (MFE).

    L = sum_c E_c with E_c the mean of 1/2 ||p - t||^2 over the samples of class c in the batch. For
    two classes these are the false positive error and the false negative error of the paper.

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

    formula = staticmethod(mean_false_error)


@registered("mean_squared_false_error")
class MeanSquaredFalseError(BaseBatchLoss):
    """Sum over the classes of the square of their mean squared error (MSFE).

    L = sum_c E_c^2 with the errors of `MeanFalseError`. Among errors with the same sum, equal ones
    have the lowest loss.

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

    formula = staticmethod(mean_squared_false_error)
