"""Parts that all networks share: a base with features and a last layer, and a normalized layer."""

import torch
from torch import Tensor, nn


class BaseNetwork(nn.Module):
    """Base of the networks: a subclass sets `features`, all but the last layer, and `output`."""

    features: nn.Module
    output: nn.Module

    def forward(self, x: Tensor, with_features: bool = False) -> Tensor | tuple[Tensor, Tensor]:
        """Return the logits, shape (n, n_classes), and with them the features on request."""
        features = self.features(x)
        logits = self.output(features)
        return (logits, features) if with_features else logits

    def replace_output(self, layer: nn.Module) -> None:
        """Put another layer in the place of the last one."""
        self.output = layer


# Added under the root, so that an all-zero feature vector has a gradient.
MIN_SQUARED_NORM = 1e-6


def norms(vectors: Tensor) -> Tensor:
    """Return the lengths of vectors, the square root of their squared length plus 1e-6.

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
    return vectors.square().sum(dim=-1, keepdim=True).add_(MIN_SQUARED_NORM).sqrt_()


class NormalizedLinear(nn.Module):
    """Last layer whose logits are scaled cosines, z_j = s cos(features, w_j).

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
    H. Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition", CVPR 2018,
    sec. 3.1. doi:10.1109/CVPR.2018.00552.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import NormalizedLinear
    >>> layer = NormalizedLinear(2, 3, 30.0, torch.Generator().manual_seed(0))
    >>> bool((layer(torch.randn(100, 2)).abs() <= 30).all())
    True
    """

    def __init__(
        self, in_features: int, n_classes: int, scale: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.in_features = in_features
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(n_classes, in_features))
        nn.init.xavier_uniform_(self.weight, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled cosines."""
        return self.scale * ((x / norms(x)) @ (self.weight / norms(self.weight)).mT)
