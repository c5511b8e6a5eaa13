"""What all networks have in common: parts up to the last layer, and the last layer."""

import torch
from torch import nn


class Network(nn.Module):
    """Base of the networks: `features`, all but the last layer, and `output`, the last one.

    Both are set by the subclass.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import Network
    >>> network = Network()
    >>> network.features, network.output = torch.nn.Flatten(), torch.nn.Linear(4, 3)
    >>> logits, features = network(torch.zeros(5, 2, 2), with_features=True)
    >>> logits.shape, features.shape
    (torch.Size([5, 3]), torch.Size([5, 4]))
    """

    features: nn.Module
    output: nn.Module

    def __init__(self):
        super().__init__()

    def forward(self, x, with_features=False):
        """Return the logits, shape (n, n_classes), and with them the features if asked for."""
        features = self.features(x)
        logits = self.output(features)
        return (logits, features) if with_features else logits


# Under the root, so that the features of a sample that no unit answers to have a gradient.
LEAST_SQUARE = 1e-6


def norms(vectors):
    """Return the lengths of vectors, the root of their square plus 1e-6.

    Parameters
    ----------
    vectors : tensor of shape (..., n)
        The vectors.

    Returns
    -------
    tensor of shape (..., 1)
        Their lengths.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import norms
    >>> round(norms(torch.tensor([3.0, 4.0])).item(), 4)
    5.0
    """
    return vectors.square().sum(dim=-1, keepdim=True).add_(LEAST_SQUARE).sqrt_()


class NormalizedLinear(nn.Module):
    """A last layer whose logits are scaled cosines, z_j = s cos(features, w_j).

    Parameters
    ----------
    in_features : int
        Number of features.
    n_classes : int
        Number of logits.
    scale : float
        The factor s.
    generator : torch.Generator
        Draws the weights.

    References
    ----------
    H. Wang et al. 2018, CosFace: Large Margin Cosine Loss for Deep Face Recognition,
    doi:10.1109/CVPR.2018.00552, section 3.1.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import NormalizedLinear
    >>> layer = NormalizedLinear(2, 3, 30.0, torch.Generator().manual_seed(0))
    >>> bool((layer(torch.randn(100, 2)).abs() <= 30).all())
    True
    """

    def __init__(self, in_features, n_classes, scale, generator):
        super().__init__()
        self.in_features = in_features
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(n_classes, in_features))
        nn.init.xavier_uniform_(self.weight, generator=generator)

    def forward(self, x):
        """Return the scaled cosines."""
        cosine = (x / norms(x)) @ (self.weight / norms(self.weight)).mT
        return self.scale * cosine
