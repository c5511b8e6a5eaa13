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

__all__ = [
    "BaseBatches",
    "ClassBalancedBatches",
    "DynamicBatches",
    "ProgressivelyBalancedBatches",
    "SquareRootBatches",
    "TwoPhase",
    "dynamic_share",
    "power_share",
    "progressive_share",
    "resolve_batches",
]
