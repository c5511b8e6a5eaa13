"""The methods of the comparison: every row of the tables of the article below, and peers.

Table AI has the networks around a deep belief network, Table VII the conventional classifiers.

C. Zhang, K. C. Tan, H. Li, G. S. Hong (2018), A cost-sensitive deep belief network for imbalanced
classification, IEEE TNNLS, doi:10.1109/TNNLS.2018.2832648.
"""

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from imblearn.ensemble import (
    BalancedRandomForestClassifier,
    EasyEnsembleClassifier,
    RUSBoostClassifier,
)
from imblearn.over_sampling import ADASYN, SMOTE, SVMSMOTE, BorderlineSMOTE
from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier as SklearnMLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skimbal._utils._validation import unknown_name_message
from skimbal.benchmark._estimators import (
    EncodedLabelsClassifier,
    FoldSafeSampler,
    channel_summaries,
)
from skimbal.benchmark._makers import (
    at_prior,
    encoded,
    encoded_and_scaled,
    maker,
    native,
    resampled,
    scaled,
    table_encoded,
    with_random_costs,
    with_tuned_costs,
)
from skimbal.benchmark._peer_methods import native_peers, tuned, xgboost_peers
from skimbal.cost_sensitive import ECSDBNClassifier
from skimbal.ensemble import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    CategoryCentersClassifier,
    DeepOversamplingClassifier,
    ECOEnsembleClassifier,
    EvolutionaryELMClassifier,
    WeightedELMClassifier,
)
from skimbal.losses import IncrementalWeightedCrossEntropy
from skimbal.neural_network import CNN1DClassifier, DBNClassifier, MLPClassifier
from skimbal.sampling import NDSampler


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
        "deep belief network", "multi-layer perceptron", "convolutional network", "extreme learning
        machine", "conventional", "peer" or any name of your own.
    n_axes : tuple of int or None
        Numbers of axes of X that the method takes: (2,) for tables, (2, 3) for tables and signals.
        None takes all. A run leaves out the methods that can't take its data, and says so.
    version : str
        A text that changes with the code of the method. A run is not resumed with another version,
        or with other parameters, of a method of your own.

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
    n_axes: tuple[int, ...] | None = None
    version: str = ""


# The figures of the documentation have been measured with these, whatever the defaults become.
FIXED_TRAINING = {"standardize": "auto", "batch_size": 64, "early_stopping": False}

# All networks of the comparison have the epochs of the article.
_dbn = partial(maker, DBNClassifier, pretrain_epochs=100, max_epochs=300)
_ecs_dbn = partial(maker, ECSDBNClassifier, pretrain_epochs=100, max_epochs=300)
RESAMPLERS = {
    "adasyn": ("ADASYN", ADASYN, {}),
    "smote": ("SMOTE", SMOTE, {}),
    "smote-borderline1": ("borderline-1 SMOTE", BorderlineSMOTE, {"kind": "borderline-1"}),
    "smote-borderline2": ("borderline-2 SMOTE", BorderlineSMOTE, {"kind": "borderline-2"}),
    "smote-svm": ("SVM-SMOTE", SVMSMOTE, {}),
}


def _deep_belief_networks():
    """(name, description, maker) of the methods around a deep belief network."""
    yield "ecs-dbn", "DBN, out-of-fold costs, shrunk; mean of the folds' networks", _ecs_dbn()
    refit = {"refit": True, "shrinkage": 0.0}
    yield "ecs-dbn-refit", "one DBN fitted on all samples, out-of-fold costs", _ecs_dbn(**refit)
    balanced = {"class_weight": "balanced"}
    yield "ecs-dbn-balanced", "ecs-dbn with balanced class weights", _ecs_dbn(**balanced)
    train = {"cost_cv": "train", "cost_space": "unit", "shrinkage": 0.0}
    yield "ecs-dbn-train", "DBN, costs of the training set, as published", _ecs_dbn(**train)
    yield "dbn", "DBN, label of the largest probability", _dbn()
    yield "dbn-balanced", "DBN with balanced class weights", _dbn(**balanced)
    yield "dbn-prior", "DBN, decided at the training prevalence", partial(at_prior, _dbn())
    yield (
        "dbn-ensemble-prior",
        "networks of ecs-dbn, decided by the costs that balance its probabilities",
        _ecs_dbn(shrinkage=1.0),
    )
    yield "csdbn", "DBN with random class costs", partial(with_random_costs, _dbn())
    grid = {"search": "grid", "shrinkage": 0.0}
    yield "csdbn-grid", "DBN, out-of-fold costs from a grid", _ecs_dbn(**grid)


def _perceptrons():
    mlp = maker(MLPClassifier, **FIXED_TRAINING)
    yield "ecs-mlp", "MLP, out-of-fold costs", partial(with_tuned_costs, mlp)
    yield "mlp", "MLP, label of the largest probability", mlp
    yield "mlp-prior", "MLP, decided at the training prevalence", partial(at_prior, mlp)
    present = partial(at_prior, maker(MLPClassifier))
    yield "mlp-auto-prior", "MLP with its own defaults, decided at the training prevalence", present
    bagging = maker(BalancedBaggingNetClassifier)
    yield "bagging-net", "mean of networks on bootstraps, out-of-bag costs", bagging
    eco = maker(ECOEnsembleClassifier)
    yield "eco-ensemble", "networks and cluster-based over-sampling, evolved together", eco
    boosted = maker(AdaBoostNetClassifier)
    yield "adaboost-net", "at most ten MLPs of ten epochs each, boosted", boosted


def _extreme_learning_machines():
    welm = maker(WeightedELMClassifier)
    yield "welm", "weighted extreme learning machine, leave-one-out costs", welm
    published = maker(WeightedELMClassifier, tune_costs=False)
    yield "welm-no-costs", "weighted extreme learning machine, decided by its outputs", published
    evolutionary = maker(EvolutionaryELMClassifier)
    yield "evolutionary-elm", "extreme learning machine, class weights by JADE", evolutionary


def _conventional():
    """The rows of Table VII, each with the defaults of scikit-learn."""
    yield "svm", "SVM with RBF kernel", maker(SVC)
    yield "sklearn-mlp", "multi-layer perceptron of scikit-learn", maker(SklearnMLPClassifier)
    yield "knn", "five nearest neighbors", _k_nearest_neighbors
    yield "gradient-boosting", "gradient-boosted trees", maker(GradientBoostingClassifier)
    yield "logistic", "logistic regression", maker(LogisticRegression)
    yield "adaboost", "AdaBoost of decision stumps", maker(AdaBoostClassifier)
    yield "lasso", "logistic regression with an L1 penalty", _lasso
    yield "sgd", "linear SVM fitted by stochastic gradient descent", maker(SGDClassifier)


def _k_nearest_neighbors(random_state):
    return KNeighborsClassifier()


def _lasso(random_state):
    # scikit-learn 1.8 deprecates `penalty`; before it, `l1_ratio` alone does nothing.
    default = LogisticRegression().penalty
    penalty = {"l1_ratio": 1.0} if default == "deprecated" else {"penalty": "l1"}
    return LogisticRegression(**penalty, solver="saga", max_iter=1000, random_state=random_state)


def _peers():
    balanced = {"class_weight": "balanced"}
    logistic = maker(LogisticRegression, **balanced, max_iter=1000)
    yield "logistic-balanced", "logistic regression, balanced class weights", logistic
    yield "svm-balanced", "SVM with RBF kernel, balanced class weights", maker(SVC, **balanced)
    forest = maker(BalancedRandomForestClassifier, n_estimators=100, n_jobs=1)
    yield "balanced-random-forest", "forest of trees on balanced bootstraps", forest
    easy = maker(EasyEnsembleClassifier, n_jobs=1)
    yield "easy-ensemble", "AdaBoost ensembles on balanced subsets", easy
    boost = maker(RUSBoostClassifier, estimator=DecisionTreeClassifier(max_depth=3))
    yield "rusboost", "boosted trees of depth 3 with random under-sampling", boost
    trees = {"n_estimators": 100, "min_samples_leaf": 2, "n_jobs": 1}
    random_forest, extra_trees = RandomForestClassifier, ExtraTreesClassifier
    for name, title, make in [
        ("random-forest", "random forest", maker(random_forest, **trees)),
        ("extra-trees", "extremely randomized trees", maker(extra_trees, **trees)),
    ]:
        prior = partial(at_prior, make)
        yield f"{name}-prior", f"{title}, decided at the training prevalence", prior
        yield tuned(name, title, make)
    yield from xgboost_peers()
    stopped_mlp = "multi-layer perceptron of scikit-learn with early stopping, at the prevalence"
    yield "sklearn-mlp-early-stopping", stopped_mlp, partial(at_prior, _stopped_mlp)


def _stopped_mlp(random_state):
    """scikit-learn 1.8 cannot stop early with labels that are texts."""
    network = SklearnMLPClassifier(early_stopping=True, random_state=random_state)
    return EncodedLabelsClassifier(network)


def _convolutional_networks():
    """Networks of one structure on signals; they standardize each channel, or each feature."""
    cnn = partial(maker, CNN1DClassifier)
    yield "cnn", "CNN, label of the largest probability", cnn()
    yield "cnn-weighted", "CNN with balanced class weights", cnn(class_weight="balanced")
    iwce = IncrementalWeightedCrossEntropy()
    yield "cnn-iwce", "CNN with incremental weighted cross entropy", cnn(loss=iwce)
    yield "cnn-focal", "CNN with focal loss", cnn(loss="focal")
    smote = "CNN after SMOTE of the raw values"
    yield "cnn-smote", smote, partial(_resampled_signals, SMOTE, cnn())
    yield "cnn-prior", "CNN, decided at the training prevalence", partial(at_prior, cnn())
    yield "ecs-cnn", "CNN, out-of-fold costs", partial(with_tuned_costs, cnn())
    few_epochs = CNN1DClassifier(max_epochs=10)  # of each, or the first has no error to boost
    boosted = maker(AdaBoostNetClassifier, estimator=few_epochs)
    yield "adaboost-cnn", "at most ten CNNs of ten epochs each, boosted", boosted
    yield "cnn-cosen", "CNN with a learned cost matrix on its scores", cnn(loss="cosen")
    yield "cnn-centers", "nearest class center in the features of a CNN", partial(_centers, cnn())
    large_batches = CNN1DClassifier(batch_size=256)  # several samples of a rare class in each
    oversampled = maker(DeepOversamplingClassifier, estimator=large_batches)
    yield "cnn-deep-oversampling", "CNN with over-sampling in its feature space", oversampled


def _centers(make_classifier, random_state):
    return CategoryCentersClassifier(make_classifier(random_state))


def _resampled_signals(sampler_class, make_classifier, random_state):
    sampler = NDSampler(FoldSafeSampler(sampler_class(random_state=random_state)))
    return make_sampling_pipeline(sampler, make_classifier(random_state))


def _peers_of_signals():
    trees = maker(ExtraTreesClassifier, n_estimators=100, min_samples_leaf=2, n_jobs=1)
    yield (
        "extra-trees-summary-prior",
        "extremely randomized trees on five summaries of each channel, at the training prevalence",
        partial(_summarized, partial(at_prior, trees)),
    )


def _summarized(make_classifier, random_state):
    return make_pipeline(FunctionTransformer(channel_summaries), make_classifier(random_state))


def _resampled_networks():
    for name, (title, sampler, options) in RESAMPLERS.items():
        yield f"{name}-dbn", f"DBN after {title}", partial(resampled, sampler, options, _dbn())


def _standardized(family):
    for name, description, make in family:
        yield name, description, partial(scaled, make), partial(encoded_and_scaled, make)


def _table_encoded(family):
    for name, description, make in family:
        yield name, description, partial(scaled, make), partial(table_encoded, make)


def _native(family):
    for name, description, make, columns in family:
        yield name, description, partial(scaled, make), partial(native, columns, make)


def _plain(family):
    for name, description, make in family:
        yield name, description, make, partial(encoded, make)


def _all_methods():
    """Each method, and the function that makes it for frames."""
    tables, signals = (2,), (3,)
    for family, group, n_axes in [
        (_standardized(_deep_belief_networks()), "deep belief network", tables),
        (_plain(_resampled_networks()), "deep belief network", tables),
        (_table_encoded(_perceptrons()), "multi-layer perceptron", tables),
        (_standardized(_extreme_learning_machines()), "extreme learning machine", tables),
        (_standardized(_conventional()), "conventional", tables),
        (_standardized(_peers()), "peer", tables),
        (_native(native_peers()), "peer", tables),
        (_plain(_convolutional_networks()), "convolutional network", (*tables, *signals)),
        (_plain(_peers_of_signals()), "peer", signals),
    ]:
        for name, description, make, make_for_frames in family:
            yield Method(name, description, make, group, n_axes), make_for_frames


_ALL = list(_all_methods())
METHODS = {method.name: method for method, _ in _ALL}
_MAKERS_FOR_FRAMES = {method.name: make for method, make in _ALL}


def is_own(method):
    """Whether a method is the user's, and not the package's of that name."""
    return method is not METHODS.get(method.name)


def for_frames(method):
    """A method of the package for tables of numbers as one for frames; the user's own as it is."""
    return method if is_own(method) else replace(method, make=_MAKERS_FOR_FRAMES[method.name])


def make_first(method):
    """The classifier of the seed 0; ValueError if it can't be made."""
    try:
        return method.make(0)
    except Exception as error:
        raise ValueError(
            f"the method {method.name!r} can't be made: {type(error).__name__}: {error}"
        ) from error


def fingerprint(method):
    """A text that changes with the parameters or the version of a method."""
    classifier = make_first(method)
    is_estimator = isinstance(classifier, BaseEstimator)
    # scikit-learn would leave out the middle of a long text.
    text = classifier.__repr__(N_CHAR_MAX=float("inf")) if is_estimator else repr(classifier)
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", " ".join(text.split()))
    return f"{zlib.crc32(text.encode('utf-8', 'backslashreplace')):08x} {method.version}".strip()


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
        raise ValueError(f"no methods were given; choose from {', '.join(METHODS)}")
    if len(set(names)) < len(names):
        raise ValueError(f"the methods {', '.join(names)} have a name twice; give different names")
    return resolved


def methods_for(methods, shapes):
    """The methods that take data of all of these shapes, and the others with the reason.

    Parameters
    ----------
    methods : list of Method
    shapes : dict of str to tuple of int
        Shape of X of each data set.

    Returns
    -------
    usable : list of Method
    left_out : dict of str to str

    Raises
    ------
    ValueError
        If no method is left.

    Examples
    --------
    >>> svm, cnn = METHODS["svm"], METHODS["cnn"]
    >>> usable, left_out = methods_for([svm, cnn], {"watch": (700, 6, 100)})
    >>> [method.name for method in usable], left_out
    (['cnn'], {'svm': 'it takes X of 2 axes, and watch has shape (700, 6, 100)'})
    """
    usable, left_out = [], {}
    for method in methods:
        unfit = [
            f"{name} has shape {shape}"
            for name, shape in shapes.items()
            if method.n_axes is not None and len(shape) not in method.n_axes
        ]
        if unfit:
            axes = " or ".join(map(str, method.n_axes))
            left_out[method.name] = f"it takes X of {axes} axes, and {unfit[0]}"
        else:
            usable.append(method)
    if not usable:
        name, reason = next(iter(left_out.items()))
        axes_of_all = {len(shape) for shape in shapes.values()}
        fitting = [m.name for m in METHODS.values() if axes_of_all <= set(m.n_axes)]
        raise ValueError(
            f"no method can take these data sets ({name}: {reason}); "
            f"choose from {', '.join(fitting) or 'your own'}"
        )
    return usable, left_out


def _by_name(name):
    if name not in METHODS:
        raise ValueError(unknown_name_message("method", name, METHODS))
    return METHODS[name]
