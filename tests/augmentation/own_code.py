"""Functions of the user's own at module level, so that they can be pickled and named."""

import torch


def with_offset(X, generator):
    """Add a normal offset to each channel of each sample."""
    shape = (*X.shape[:2], *[1] * (X.ndim - 2))
    return X + 0.3 * torch.randn(shape, generator=generator, dtype=X.dtype)


def convolution(input_shape, n_classes):
    """A network of one convolution."""
    n_channels = input_shape[0]
    return torch.nn.Sequential(
        torch.nn.Conv1d(n_channels, 4, 3, padding=1),
        torch.nn.ReLU(),
        torch.nn.AdaptiveMaxPool1d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(4, n_classes),
    )


class TwoInputs(torch.nn.Module):
    """A linear network of two inputs."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        n_features = sum(shape[0] for shape in input_shape.values())
        self.output = torch.nn.Linear(n_features, n_classes)

    def forward(self, first, second):
        return self.output(torch.cat([first, second], dim=1))
