"""Sampling: mini-batch samplers for networks, and samplers for windows and images."""

from skimbal.sampling._batches import (
    BaseBatches,
    ClassBalancedBatches,
    DynamicBatches,
    ProgressivelyBalancedBatches,
    SquareRootBatches,
    TwoPhase,
    dynamic_share,
    power_share,
    progressive_share,
    resolve_batches,
)
from skimbal.sampling._generative import ConditionalVAESampler
from skimbal.sampling._ndarray import NDSampler

__all__ = [
    "BaseBatches",
    "ClassBalancedBatches",
    "ConditionalVAESampler",
    "DynamicBatches",
    "NDSampler",
    "ProgressivelyBalancedBatches",
    "SquareRootBatches",
    "TwoPhase",
    "dynamic_share",
    "power_share",
    "progressive_share",
    "resolve_batches",
]
