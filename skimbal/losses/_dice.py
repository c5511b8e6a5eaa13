"""Dice losses: the overlap of predicted probabilities and truth, class by class."""

from skimbal.losses._base import BaseBatchLoss
from skimbal.losses._functional_batch import dice, generalized_dice
from skimbal.losses._registry import registered


@registered("dice")
class Dice(BaseBatchLoss):
    """One minus the mean soft Dice coefficient of the classes of a batch.

    D_c = 2 sum_i s_i p_ic t_ic / (sum_i s_i p_ic^2 + sum_i s_i t_ic) with sample weights s and the
    truth t as 0 and 1.

    References
    ----------
    F. Milletari, N. Navab and S.-A. Ahmadi, "V-Net: Fully Convolutional Neural Networks for
    Volumetric Medical Image Segmentation", 3DV 2016, sec. 3. doi:10.1109/3DV.2016.79.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import Dice
    >>> bound = Dice().bind(np.array([1.0, 1.0]))
    >>> bound(torch.zeros(2, 2), torch.tensor([0, 1]))  # 1 - 1 / (1/2 + 1)
    tensor(0.3333)
    """

    formula = staticmethod(dice)


@registered("generalized_dice")
class GeneralizedDice(BaseBatchLoss):
    """One minus the Dice coefficient over all classes, weighted by their inverse squared sizes.

    GD = 2 sum_c w_c sum_i s_i p_ic t_ic / sum_c w_c sum_i s_i (p_ic + t_ic), where
    w_c = 1 / n_c^2 with the sizes n_c of the classes in the batch.

    References
    ----------
    C. H. Sudre, W. Li, T. Vercauteren, S. Ourselin and M. J. Cardoso, "Generalised Dice Overlap
    as a Deep Learning Loss Function for Highly Unbalanced Segmentations", DLMIA 2017, sec. 2.
    doi:10.1007/978-3-319-67558-9_28.

    Examples
    --------
    >>> import numpy as np, torch
    >>> from skimbal.losses import GeneralizedDice
    >>> bound = GeneralizedDice().bind(np.array([1.0, 1.0]))
    >>> bound(torch.zeros(2, 2), torch.tensor([0, 1]))
    tensor(0.5000)
    """

    formula = staticmethod(generalized_dice)
