"""Random changes of training samples that leave their classes as they are."""

from skimbal.augmentation._base import BaseAugmentation
from skimbal.augmentation._images import Crop, Cutout, Flip
from skimbal.augmentation._masks import FrequencyMask, TimeMask
from skimbal.augmentation._registry import all_augmentations, resolve_augmentation
from skimbal.augmentation._signals import Noise, Scaling, Shift

__all__ = [
    "Crop",
    "Cutout",
    "Flip",
    "FrequencyMask",
    "Noise",
    "Scaling",
    "Shift",
    "TimeMask",
    "all_augmentations",
]
__all__ += ["BaseAugmentation", "resolve_augmentation"]  # for extenders
