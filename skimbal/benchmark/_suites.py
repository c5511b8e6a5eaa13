"""The suites that come with the package: real two-class sets of KEEL."""

from functools import partial

from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._suite import Suite
from skimbal.datasets import keel_suite, load_keel, official_folds

# Small sets of rising imbalance, from 2.06 to 39.14.
DEMO_SETS = (
    "glass0",
    "new-thyroid1",
    "ecoli3",
    "yeast-1_vs_7",
    "glass5",
    "ecoli-0-1-3-7_vs_2-6",
)

_load_whole = partial(load_keel, return_X_y=True)


def _load_fold(name, fold):
    return load_keel(name, fold=fold)


SUITES = {
    name: Suite(name, datasets, _load_whole, _load_fold, official_folds)
    for name, datasets in {
        "keel58": keel_suite("keel58"),
        "keel-dev": keel_suite("keel-dev"),
        "demo": DEMO_SETS,
    }.items()
}


def resolve_suite(suite):
    """The suite of a name, or `suite` itself; ValueError for an unknown name."""
    if isinstance(suite, Suite):
        return suite
    if suite not in SUITES:
        raise ValueError(unknown_name_message("suite", suite, SUITES))
    return SUITES[suite]
