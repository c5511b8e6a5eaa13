"""Data sets for imbalanced learning."""

from skimbal.datasets._ai4i2020 import load_ai4i2020
from skimbal.datasets._cifar import fetch_cifar10_imbalanced
from skimbal.datasets._cwru import load_cwru
from skimbal.datasets._diabetes130 import fetch_diabetes130
from skimbal.datasets._gun_drilling import make_gun_drilling
from skimbal.datasets._kddcup99 import load_kddcup99
from skimbal.datasets._keel import keel_suite, list_keel, load_keel, official_folds
from skimbal.datasets._motor import make_motor_sound
from skimbal.datasets._segments import cut_segments
from skimbal.datasets._synthetic import make_nested_spheres
from skimbal.datasets._watch import load_watch
from skimbal.datasets._wisdm import fetch_wisdm

__all__ = [
    "cut_segments",
    "fetch_cifar10_imbalanced",
    "fetch_diabetes130",
    "fetch_wisdm",
    "list_keel",
    "load_ai4i2020",
    "load_cwru",
    "load_kddcup99",
    "load_keel",
    "load_watch",
    "make_gun_drilling",
    "make_motor_sound",
    "make_nested_spheres",
]
__all__ += ["keel_suite", "official_folds"]  # for extenders
