"""Peers of other packages that take categories as such, and the packages that they need."""

import contextlib
from functools import partial

from sklearn.ensemble import HistGradientBoostingClassifier

from skimbal._utils._extras import how_to_install
from skimbal.benchmark._estimators import CategoriesAtFitClassifier, EncodedLabelsClassifier
from skimbal.benchmark._makers import at_prior, maker, with_tuned_threshold

# scikit-learn's histogram boosting takes at most 255 levels of a category.
_AT_MOST_255 = {"max_categories": 255}
_NO_LIMIT = {"max_categories": None}
_IMPUTED = {"max_categories": None, "impute": True}
# CatBoost has 1,000 trees by default, and its time is in proportion.
N_CATBOOST_TREES = 300
# RealMLP has 256 epochs by default, TabM blocks of 512 units, 32 members and batches of 256, with
# which few epochs are too few steps for a small table. "auto" is the rule of its authors.
N_REALMLP_EPOCHS = 64
SMALL_TABM = {"d_block": 128, "tabm_k": 16, "patience": 8, "batch_size": "auto"}
EXTRAS = {"lightgbm": "boosting", "xgboost": "boosting", "catboost": "peers", "pytabkit": "peers"}


@contextlib.contextmanager
def package(name):
    """Say how to install a package of an extra if the import of it in the block fails."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"it needs {name}, which can't be imported ({error}): {how_to_install(EXTRAS[name])}"
        ) from error


def native_peers():
    """(name, description, maker, options of the columns) of the methods for frames as they are."""
    boosting = [
        ("lightgbm", "LightGBM", _lightgbm, _NO_LIMIT),
        ("catboost", f"CatBoost of {N_CATBOOST_TREES} trees", _catboost, _NO_LIMIT),
        (
            "hist-gradient-boosting",
            "histogram boosting of scikit-learn",
            maker(HistGradientBoostingClassifier, categorical_features="from_dtype"),
            _AT_MOST_255,
        ),
    ]
    for name, title, make, columns in boosting:
        description = f"{title}, decided at the training prevalence"
        yield f"{name}-prior", description, partial(at_prior, make), columns
        yield *tuned(name, title, make), columns
    for name, title, make in [
        (
            "realmlp",
            f"RealMLP-TD of {N_REALMLP_EPOCHS} epochs",
            partial(_realmlp, N_REALMLP_EPOCHS),
        ),
        ("realmlp-256", "RealMLP-TD of 256 epochs, its default", partial(_realmlp, 256)),
        ("tabm", "small TabM: 16 members with blocks of 128 units", _tabm),
    ]:
        description = f"{title}, at the training prevalence"
        yield name, description, partial(at_prior, make), _IMPUTED


def xgboost_peers():
    """XGBoost gets encoded columns: it refuses categories unless it is told which."""
    title = "XGBoost"
    description = f"{title}, decided at the training prevalence"
    yield "xgboost-prior", description, partial(at_prior, _xgboost)
    yield tuned("xgboost", title, _xgboost)


def tuned(name, title, make):
    """(name, description, maker) of a method with a tuned threshold."""
    description = f"{title}, threshold tuned for G-mean by inner folds"
    return f"{name}-tuned", description, partial(with_tuned_threshold, make)


def _lightgbm(random_state):
    with package("lightgbm"):
        from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, verbose=-1, random_state=random_state)


def _xgboost(random_state):
    with package("xgboost"):
        from xgboost import XGBClassifier

    return EncodedLabelsClassifier(XGBClassifier(n_jobs=1, random_state=random_state))


def _catboost(random_state):
    with package("catboost"):
        from catboost import CatBoostClassifier

    boosting = CatBoostClassifier(
        iterations=N_CATBOOST_TREES,
        thread_count=1,
        verbose=False,
        allow_writing_files=False,
        random_state=random_state,
    )
    return CategoriesAtFitClassifier(boosting)


def _realmlp(n_epochs, random_state):
    with package("pytabkit"):
        from pytabkit import RealMLP_TD_Classifier

    # Smoothed labels move the probabilities of rare classes, which are cut at the prevalence.
    options = _of_pytabkit(random_state)
    return RealMLP_TD_Classifier(n_epochs=n_epochs, use_ls=False, **options)


def _tabm(random_state):
    with package("pytabkit"):
        from pytabkit import TabM_D_Classifier

    return TabM_D_Classifier(**SMALL_TABM, **_of_pytabkit(random_state))


def _of_pytabkit(random_state):
    return {
        "device": "cpu",
        "n_threads": 1,
        "random_state": random_state,
        "val_metric_name": "cross_entropy",
    }
