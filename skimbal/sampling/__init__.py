"""Sampling: mini-batch samplers for networks, and samplers for windows and images."""

from skimbal.sampling._adversarial import ConditionalGANSampler
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
from skimbal.sampling._ndarray import NDSampler
from skimbal.sampling._variational import ConditionalVAESampler

__all__ = [
    "ClassBalancedBatches",
    "ClusterOverSampler",
    "ConditionalGANSampler",
    "ConditionalVAESampler",
    "DynamicBatches",
    "NDSampler",
    "ProgressivelyBalancedBatches",
    "SquareRootBatches",
    "TwoPhase",
]
__all__ += ["BaseBatches", "power_share", "resolve_batches"]  # for extenders
