"""Class-imbalanced learning with neural networks under the scikit-learn interface."""

from skimbal._version import __version__

__all__ = ["__version__"]
