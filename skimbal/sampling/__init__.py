"""Sampling: mini-batch samplers for networks, and samplers for windows and images."""

import typing

from skimbal._lazy import lazy_names as _lazy_names

if typing.TYPE_CHECKING:
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
else:
    __getattr__, __dir__ = _lazy_names(
        __name__,
        {
            "skimbal.sampling._adversarial": "ConditionalGANSampler",
            "skimbal.sampling._batches": (
                "BaseBatches ClassBalancedBatches DynamicBatches ProgressivelyBalancedBatches "
                "SquareRootBatches TwoPhase power_share resolve_batches"
            ),
            "skimbal.sampling._clusters": "ClusterOverSampler",
            "skimbal.sampling._ndarray": "NDSampler",
            "skimbal.sampling._variational": "ConditionalVAESampler",
        },
    )

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
