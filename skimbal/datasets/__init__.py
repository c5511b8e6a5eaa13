"""Data sets for imbalanced learning."""

from skimbal.datasets._cifar import fetch_cifar10_imbalanced
from skimbal.datasets._cwru import load_cwru
from skimbal.datasets._keel import (
    KEEL58,
    keel_name,
    keel_suite,
    list_keel,
    load_keel,
    official_folds,
)
from skimbal.datasets._keel_format import (
    KeelAttribute,
    KeelDataset,
    encode_inputs,
    encode_output,
    parse_keel,
)
from skimbal.datasets._motor import make_motor_sound
from skimbal.datasets._stretches import cut_stretches
from skimbal.datasets._synthetic import make_nested_spheres
from skimbal.datasets._watch import load_watch
from skimbal.datasets._wisdm import fetch_wisdm

__all__ = [
    "KEEL58",
    "KeelAttribute",
    "KeelDataset",
    "cut_stretches",
    "encode_inputs",
    "encode_output",
    "fetch_cifar10_imbalanced",
    "fetch_wisdm",
    "keel_name",
    "keel_suite",
    "list_keel",
    "load_cwru",
    "load_keel",
    "load_watch",
    "make_motor_sound",
    "make_nested_spheres",
    "official_folds",
    "parse_keel",
]
