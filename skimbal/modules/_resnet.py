"""Residual networks for small images.

He, Zhang, Ren & Sun 2016, doi:10.1109/CVPR.2016.90. Depth 18 has four stages of two blocks (table
1) behind a 3 x 3 convolution without pooling, as is usual for images of 32 x 32; depth 6n + 2 has
three stages of n blocks and shortcuts without parameters (section 4.2).
"""

import torch.nn.functional as F
from torch import nn

from skimbal.modules._convolution import convolution
from skimbal.modules._heads import Network
from skimbal.modules._mlp import dense


def stages_of(depth):
    """Filters of the first stage, blocks of each stage, and whether shortcuts have parameters.

    >>> stages_of(18), stages_of(32)
    ((64, (2, 2, 2, 2), True), (16, (5, 5, 5), False))
    """
    if depth == 18:
        return 64, (2, 2, 2, 2), True
    return 16, ((depth - 2) // 6,) * 3, False


class BatchNorm(nn.BatchNorm2d):
    """Batch normalisation that takes its running moments where a batch is a single number."""

    def forward(self, x):
        """Return the normalised channels."""
        if self.training and x[:, 0].numel() == 1:
            moments = self.running_mean, self.running_var
            return F.batch_norm(x, *moments, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


class Block(nn.Module):
    """Two convolutions around which a shortcut leads.

    Parameters
    ----------
    n_in, n_out : int
        Channels before and behind.
    stride : int
        Step of the first convolution.
    projection : bool
        Whether a shortcut to another shape has parameters; else it skips entries and fills up
        the channels with zeros.
    generator : torch.Generator
        Draws the weights.
    """

    def __init__(self, n_in, n_out, stride, projection, generator):
        super().__init__()

        def conv(n_in, size, stride):
            return convolution(
                nn.Conv2d, n_in, n_out, size, stride=stride, padding=size // 2, bias=False,
                generator=generator,
            )  # fmt: skip

        self.stride = stride
        self.n_new = n_out - n_in
        self.residual = nn.Sequential(
            conv(n_in, 3, stride), BatchNorm(n_out), nn.ReLU(), conv(n_out, 3, 1), BatchNorm(n_out)
        )
        self.projection = None
        if projection and (stride > 1 or self.n_new):
            self.projection = nn.Sequential(conv(n_in, 1, stride), BatchNorm(n_out))

    def forward(self, x):
        """Return relu(residual + shortcut)."""
        return F.relu(self.residual(x) + self.shortcut(x))

    def shortcut(self, x):
        """Bring the inputs to the shape of the residual."""
        if self.projection is not None:
            return self.projection(x)
        x = x[:, :, :: self.stride, :: self.stride]
        half = self.n_new // 2
        return F.pad(x, (0, 0, 0, 0, half, self.n_new - half)) if self.n_new else x


class ResNet(Network):
    """Residual network with global average pooling.

    Parameters
    ----------
    n_channels : int
        Channels of the images.
    depth : int
        18 or 6n + 2: 8, 14, 20, 26, 32, ...
    n_classes : int
        Number of logits.
    generator : torch.Generator
        Draws the weights.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import ResNet
    >>> network = ResNet(3, 20, 10, generator=torch.Generator().manual_seed(0))
    >>> sum(parameter.numel() for parameter in network.parameters())
    269722
    """

    def __init__(self, n_channels, depth, n_classes, *, generator):
        super().__init__()
        n_filters, n_blocks, projection = stages_of(depth)
        layers: list[nn.Module] = [
            convolution(
                nn.Conv2d, n_channels, n_filters, 3, padding=1, bias=False, generator=generator
            ),
            BatchNorm(n_filters),
            nn.ReLU(),
        ]
        n_in = n_filters
        for stage, n in enumerate(n_blocks):
            n_out = n_filters * 2**stage
            for i in range(n):
                stride = 2 if stage and i == 0 else 1
                layers.append(Block(n_in, n_out, stride, projection, generator))
                n_in = n_out
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.output = dense(n_in, n_classes, generator)
