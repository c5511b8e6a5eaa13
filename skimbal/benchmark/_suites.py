"""The suites that come with the package."""

from functools import partial

from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._mixed_suite import MIXED_SUITE
from skimbal.benchmark._signal_suites import SIGNAL_SUITES
from skimbal.benchmark._suite import Suite
from skimbal.datasets import (
    keel_suite,
    load_ai4i2020,
    load_kddcup99,
    load_keel,
    official_folds,
)

# Small sets in the order of their imbalance ratio, 2.06 to 39.14.
DEMO_SETS = ("glass0", "new-thyroid1", "ecoli3", "yeast-1_vs_7", "glass5", "ecoli-0-1-3-7_vs_2-6")


def _load_fold(name, fold):
    return load_keel(name, fold=fold)


def _keel(name, datasets):
    return Suite(name, datasets, partial(load_keel, return_X_y=True), _load_fold, official_folds)


def _load_kdd99(name):
    """The classes of ten samples or more, of which five folds have two each; see the guide."""
    return load_kddcup99(min_per_class=10, max_per_class=5000, random_state=0, return_X_y=True)


def _load_ai4i2020(name):
    return load_ai4i2020(return_X_y=True)


KEEL_SUITES = ("keel58", "keel-dev", "keel-multiclass")
SUITES = {name: _keel(name, keel_suite(name)) for name in KEEL_SUITES}
SUITES["demo"] = _keel("demo", DEMO_SETS)
SUITES |= SIGNAL_SUITES
SUITES["kdd99"] = Suite("kdd99", ("kdd99",), _load_kdd99)
SUITES["ai4i2020"] = Suite("ai4i2020", ("ai4i2020",), _load_ai4i2020)
SUITES["mixed"] = MIXED_SUITE


def resolve_suite(suite):
    """The suite of a name, or `suite` itself; ValueError if the name is unknown."""
    if isinstance(suite, Suite):
        return suite
    if suite not in SUITES:
        raise ValueError(unknown_name_message("suite", suite, SUITES))
    return SUITES[suite]
