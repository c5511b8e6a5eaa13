"""Residual networks for small images.

Depth 18 has a 3 x 3 convolution without pooling, as is usual for images of 32 x 32, and four stages
of two blocks (He et al. 2016, table 1). Depth 6n + 2 has three stages of n blocks and shortcuts
without parameters (sec. 4.2).
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from skimbal.modules._convolution import convolution
from skimbal.modules._heads import BaseNetwork
from skimbal.modules._mlp import dense


def stages_of(depth):
    """Return the filters of the first stage, the blocks of each stage, and if shortcuts project.

    >>> stages_of(18), stages_of(32)
    ((64, (2, 2, 2, 2), True), (16, (5, 5, 5), False))
    """
    if depth == 18:
        return 64, (2, 2, 2, 2), True
    return 16, ((depth - 2) // 6,) * 3, False


class BatchNorm(nn.BatchNorm2d):
    """Batch normalization that uses its running moments if a batch is a single number."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the normalized channels."""
        if self.training and x[:, 0].numel() == 1:
            moments = self.running_mean, self.running_var
            return F.batch_norm(x, *moments, self.weight, self.bias, eps=self.eps)
        return super().forward(x)


class Block(nn.Module):
    """Two convolutions and a shortcut around them.

    If `projection` is true, a shortcut to another shape is a convolution. Otherwise it skips
    entries and pads the channels with zeros.

    Parameters
    ----------
    n_in, n_out : int
        Number of channels of the input and of the output.
    stride : int
        Step of the first convolution along both axes.
    projection : bool
        Whether a shortcut to another shape is a convolution.
    generator : torch.Generator
        Draws the weights.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
    fig. 2 and sec. 3.3. doi:10.1109/CVPR.2016.90.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import Block
    >>> block = Block(4, 8, 2, projection=False, generator=torch.Generator().manual_seed(0))
    >>> block(torch.zeros(1, 4, 6, 6)).shape
    torch.Size([1, 8, 3, 3])
    """

    def __init__(
        self, n_in: int, n_out: int, stride: int, projection: bool, generator: torch.Generator
    ) -> None:
        super().__init__()

        def conv(n_in, size, stride):
            options = {"stride": stride, "padding": size // 2, "bias": False}
            return convolution(nn.Conv2d, n_in, n_out, size, generator=generator, **options)

        self.stride = stride
        self.n_new = n_out - n_in
        self.residual = nn.Sequential(
            conv(n_in, 3, stride), BatchNorm(n_out), nn.ReLU(), conv(n_out, 3, 1), BatchNorm(n_out)
        )
        self.projection: nn.Module | None = None
        if projection and (stride > 1 or self.n_new):
            self.projection = nn.Sequential(conv(n_in, 1, stride), BatchNorm(n_out))

    def forward(self, x: Tensor) -> Tensor:
        """Return relu(residual + shortcut)."""
        return F.relu(self.residual(x) + self.shortcut(x))

    def shortcut(self, x: Tensor) -> Tensor:
        """Return the inputs in the shape of the residual."""
        if self.projection is not None:
            return self.projection(x)
        x = x[:, :, :: self.stride, :: self.stride]
        half = self.n_new // 2
        return F.pad(x, (0, 0, 0, 0, half, self.n_new - half)) if self.n_new else x


class ResNet(BaseNetwork):
    """Residual network with global average pooling.

    Parameters
    ----------
    n_channels : int
        Number of channels of the images.
    depth : int
        18, or 6n + 2 with n >= 1.
    n_classes : int
        Number of logits.
    generator : torch.Generator
        Draws the weights.

    References
    ----------
    K. He, X. Zhang, S. Ren and J. Sun, "Deep Residual Learning for Image Recognition", CVPR 2016,
    table 1 and sec. 4.2. doi:10.1109/CVPR.2016.90.

    Examples
    --------
    >>> import torch
    >>> from skimbal.modules import ResNet
    >>> network = ResNet(3, 20, 10, generator=torch.Generator().manual_seed(0))
    >>> sum(parameter.numel() for parameter in network.parameters())
    269722
    """

    def __init__(
        self, n_channels: int, depth: int, n_classes: int, *, generator: torch.Generator
    ) -> None:
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
