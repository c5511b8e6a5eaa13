"""Sampling: mini-batch samplers for networks, and samplers for windows and images."""

from skimbal.sampling._batches import (
    BaseBatches,
    ClassBalancedBatches,
    DynamicBatches,
    ProgressivelyBalancedBatches,
    SquareRootBatches,
    TwoPhase,
    power_share,
    resolve_batches,
)
from skimbal.sampling._clusters import ClusterOverSampler
from skimbal.sampling._generative import ConditionalVAESampler
from skimbal.sampling._ndarray import NDSampler

__all__ = [
    "ClassBalancedBatches",
    "ClusterOverSampler",
    "ConditionalVAESampler",
    "DynamicBatches",
    "NDSampler",
    "ProgressivelyBalancedBatches",
    "SquareRootBatches",
    "TwoPhase",
]
__all__ += ["BaseBatches", "power_share", "resolve_batches"]  # for extenders
