"""The methods of the comparison: every row of the paper's Table AI, and peers.

Zhang, Tan, Li, Hong (2018), A Cost-Sensitive Deep Belief Network for Imbalanced Classification,
IEEE TNNLS, https://doi.org/10.1109/TNNLS.2018.2832648.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from imblearn.ensemble import (
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.over_sampling import ADASYN, SMOTE, SVMSMOTE, BorderlineSMOTE
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._estimators import (
    EncodedLabelsClassifier,
    FoldSafeSampler,
    RandomCostClassifier,
)
from skimbal.cost_sensitive import ECSDBNClassifier, FixedCostClassifier, TunedCostClassifierCV
from skimbal.ensemble import BalancedBaggingNetClassifier
from skimbal.metrics import get_scorer
from skimbal.neural_network import DBNClassifier, MLPClassifier


@dataclass(frozen=True)
class Method:
    """A named way to make a classifier.

    Parameters
    ----------
    name : str
        Name in tables and on the command line.
    description : str
        One line.
    make : callable
        ``make(random_state)`` returns an unfitted classifier.
    group : str
        "deep belief network", "multi-layer perceptron" or "peer"; your own may be anything.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skimbal.benchmark import Method
    >>> method = Method("majority", "the larger class", lambda seed: DummyClassifier())
    >>> method.make(0)
    DummyClassifier()
    """

    name: str
    description: str
    make: Callable
    group: str = "own"


def _scaled(make_classifier, random_state):
    return make_pipeline(StandardScaler(), make_classifier(random_state))


def _resampled(sampler_class, options, make_classifier, random_state):
    sampler = FoldSafeSampler(sampler_class(**options, random_state=random_state))
    return make_sampling_pipeline(StandardScaler(), sampler, make_classifier(random_state))


def _seeded(classifier_class, options, random_state):
    return classifier_class(**options, random_state=random_state)


def _at_prior(make_classifier, random_state):
    return FixedCostClassifier(make_classifier(random_state), costs="inverse_frequency")


def _random_costs(make_classifier, random_state):
    return RandomCostClassifier(make_classifier(random_state), random_state=random_state)


def _tuned_costs(make_classifier, random_state):
    return TunedCostClassifierCV(make_classifier(random_state), random_state=random_state)


def _tuned_threshold(make_classifier, random_state):
    splitter = StratifiedKFold(5, shuffle=True, random_state=random_state)
    return TunedThresholdClassifierCV(
        make_classifier(random_state), scoring=get_scorer("g_mean"), cv=splitter
    )


def _maker(classifier_class, **options):
    return partial(_seeded, classifier_class, options)


# The epochs of the paper, for every network of the comparison.
DBN_EPOCHS = {"pretrain_epochs": 100, "max_epochs": 300}
DBN = _maker(DBNClassifier, **DBN_EPOCHS)
ECS_DBN = partial(_maker, ECSDBNClassifier, **DBN_EPOCHS)
MLP = _maker(MLPClassifier)
FOREST = _maker(RandomForestClassifier, n_estimators=100, min_samples_leaf=2, n_jobs=1)
BAGGING = _maker(BalancedBaggingNetClassifier)
EXTRA_TREES = _maker(ExtraTreesClassifier, n_estimators=100, min_samples_leaf=2, n_jobs=1)
RESAMPLERS = {
    "adasyn": ("ADASYN", ADASYN, {}),
    "smote": ("SMOTE", SMOTE, {}),
    "smote-borderline1": ("borderline-1 SMOTE", BorderlineSMOTE, {"kind": "borderline-1"}),
    "smote-borderline2": ("borderline-2 SMOTE", BorderlineSMOTE, {"kind": "borderline-2"}),
    "smote-svm": ("SVM-SMOTE", SVMSMOTE, {}),
}


def _network_methods():
    """(name, description, maker) of the methods around a deep belief network."""
    yield (
        "ecs-dbn",
        "DBN, costs found on out-of-fold probabilities and shrunk, networks of the folds averaged",
        ECS_DBN(),
    )
    yield (
        "ecs-dbn-refit",
        "the same with one network trained on everything, and its costs not shrunk",
        ECS_DBN(refit=True, shrinkage=0.0),
    )
    yield (
        "ecs-dbn-balanced",
        "ecs-dbn with balanced class weights in the training",
        ECS_DBN(class_weight="balanced"),
    )
    yield (
        "ecs-dbn-train",
        "the network of dbn, costs found on its training probabilities (the paper's protocol)",
        ECS_DBN(cost_cv="train", cost_space="unit", shrinkage=0.0),
    )
    yield "dbn", "deep belief network, labels by the larger probability", DBN
    yield (
        "dbn-balanced",
        "DBN with balanced class weights",
        _maker(DBNClassifier, class_weight="balanced", **DBN_EPOCHS),
    )
    yield (
        "dbn-prior",
        "the same DBN, its probabilities cut at the training prevalence",
        partial(_at_prior, DBN),
    )
    yield (
        "dbn-ensemble-prior",
        "the networks of ecs-dbn cut at the training prevalence: no cost is searched",
        ECS_DBN(shrinkage=1.0),
    )
    yield "csdbn", "DBN with random class costs", partial(_random_costs, DBN)


def _perceptron_methods():
    yield "ecs-mlp", "MLP, costs found on out-of-fold probabilities", partial(_tuned_costs, MLP)
    yield "mlp", "multi-layer perceptron, labels by the larger probability", MLP
    yield (
        "mlp-prior",
        "the same MLP, its probabilities cut at the training prevalence",
        partial(_at_prior, MLP),
    )


def _peer_methods():
    yield (
        "logistic-balanced",
        "logistic regression, balanced class weights",
        _maker(LogisticRegression, class_weight="balanced", max_iter=1000),
    )
    yield (
        "svm-balanced",
        "SVM with RBF kernel, balanced class weights",
        _maker(SVC, class_weight="balanced"),
    )
    yield (
        "balanced-random-forest",
        "forest of trees on balanced bootstraps",
        _maker(BalancedRandomForestClassifier, n_estimators=100, n_jobs=1),
    )
    yield (
        "easy-ensemble",
        "AdaBoosts on balanced subsets",
        _maker(EasyEnsembleClassifier, n_jobs=1),
    )
    yield (
        "rusboost",
        "boosting of trees of depth 3 with random under-sampling",
        _maker(RUSBoostClassifier, estimator=DecisionTreeClassifier(max_depth=3)),
    )
    for name, title, maker in [
        ("random-forest", "random forest", FOREST),
        ("extra-trees", "extremely randomised trees", EXTRA_TREES),
    ]:
        yield f"{name}-prior", f"{title}, cut at the prevalence", partial(_at_prior, maker)
        yield (
            f"{name}-tuned",
            f"{title}, threshold tuned for G-mean by inner folds",
            partial(_tuned_threshold, maker),
        )


def _lightgbm(random_state):
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, verbose=-1, random_state=random_state)


def _xgboost(random_state):
    from xgboost import XGBClassifier

    return EncodedLabelsClassifier(XGBClassifier(n_jobs=1, random_state=random_state))


def _boosting_methods():
    """Those that need packages of the extra "boosting"."""
    for name, title, maker in [
        ("lightgbm", "LightGBM", _lightgbm),
        ("xgboost", "XGBoost", _xgboost),
    ]:
        yield (
            f"{name}-tuned",
            f"{title}, threshold tuned for G-mean by inner folds",
            partial(_tuned_threshold, maker),
        )


def _all_methods():
    for name, description, maker in _network_methods():
        yield Method(name, description, partial(_scaled, maker), "deep belief network")
    for name, (title, sampler, options) in RESAMPLERS.items():
        make = partial(_resampled, sampler, options, DBN)
        yield Method(f"{name}-dbn", f"DBN after {title}", make, "deep belief network")
    for name, description, maker in _perceptron_methods():
        yield Method(name, description, partial(_scaled, maker), "multi-layer perceptron")
    yield Method(
        "bagging-net",
        "networks on bootstraps, averaged, costs found out of bag",
        partial(_scaled, BAGGING),
        "multi-layer perceptron",
    )
    for name, description, maker in [*_peer_methods(), *_boosting_methods()]:
        yield Method(name, description, partial(_scaled, maker), "peer")


METHODS = {method.name: method for method in _all_methods()}


def resolve_methods(methods):
    """Methods of a list of names and `Method` values, or a ValueError that names the unknown one.

    Parameters
    ----------
    methods : iterable of str or Method

    Returns
    -------
    list of Method
    """
    resolved = [method if isinstance(method, Method) else _by_name(method) for method in methods]
    names = [method.name for method in resolved]
    if not names:
        raise ValueError(f"no methods were given; known: {', '.join(METHODS)}")
    if len(set(names)) < len(names):
        raise ValueError(f"methods must differ by name, got {', '.join(names)}")
    return resolved


def _by_name(name):
    if name not in METHODS:
        raise ValueError(unknown_name_message("method", name, METHODS))
    return METHODS[name]
