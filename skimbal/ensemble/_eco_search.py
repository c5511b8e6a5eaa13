"""The search of an ECO-ensemble: its box, its candidates, and how they are trained and judged."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from skimbal._fitting import Fit
from skimbal._utils._early_stopping import is_automatic
from skimbal._utils._groups import group_folds, groups_by_class
from skimbal._utils._random import MAX_SEED, reseeded
from skimbal._utils._warnings import warn
from skimbal.ensemble._resampling import resample
from skimbal.exceptions import FewerFoldsWarning
from skimbal.metrics import score_labels
from skimbal.neural_network import BaseNetClassifier, class_probabilities, validation_rows
from skimbal.sampling import ClusterOverSampler

MAX_CLUSTERS = 10
# What is evolved besides the number of clusters: limits, and whether the search is logarithmic.
SEARCHED = {
    "scale": (0.5, 1.5, False),
    "size_exponent": (0.0, 1.0, False),
    "amount": (1 / 3, 3.0, True),
}
# The share of the log-loss in what is minimized: it decides between equal scores of labels.
LOG_LOSS_SHARE = 1e-3
MIN_PROBABILITY = 1e-10


def search_bounds(max_clusters):
    """The box of the search, shape (4, 2): log number of clusters, then those of `SEARCHED`."""
    bounds = [(0.0, np.log(max_clusters + 0.999))]  # the number is the integer part
    for low, high, is_log in SEARCHED.values():
        bounds.append((np.log(low), np.log(high)) if is_log else (low, high))
    return np.array(bounds)


def parameters_at(point):
    """The parameters of a point of the box, as a dict.

    >>> parameters_at(np.array([np.log(3.5), 1.0, 0.5, 0.0]))
    {'n_clusters': 3, 'scale': 1.0, 'size_exponent': 0.5, 'amount': 1.0}
    """
    parameters: dict = {"n_clusters": int(np.exp(point[0]))}
    for (name, (_, _, is_log)), value in zip(SEARCHED.items(), point[1:], strict=True):
        parameters[name] = float(np.exp(value) if is_log else value)
    return parameters


def balanced_log_loss(proba, targets, weight):
    r"""Mean over the classes of the weighted mean of :math:`-\log p_y`.

    >>> proba = np.array([[0.5, 0.5], [0.5, 0.5], [0.75, 0.25]])
    >>> round(balanced_log_loss(proba, np.array([0, 0, 1]), np.ones(3)), 4)  # log(2), log(4)
    1.0397
    """
    own = -np.log(np.maximum(proba[np.arange(len(targets)), targets], MIN_PROBABILITY))
    return float(np.mean(np.bincount(targets, weight * own) / np.bincount(targets, weight)))


@dataclass
class SearchData:
    """The samples, their weights (or None) and groups (or None), and the splits (train, test)."""

    X: NDArray
    y: NDArray
    targets: NDArray
    sample_weight: NDArray | None
    groups: NDArray | None
    splits: list

    @property
    def weight(self):
        """The weights, 1 without any."""
        return np.ones(len(self.y)) if self.sample_weight is None else self.sample_weight


@dataclass(eq=False)
class Candidate:
    """Parameters of the search, and the classifiers of the splits that were fitted with them."""

    parameters: dict
    generation: int
    fitted: list = field(default_factory=list)
    score: float = np.nan
    loss: float = np.inf

    def record(self):
        """What `cv_results_` says of it."""
        return {"generation": self.generation, **self.parameters, "score": self.score}


def fit_candidate(base, candidate, data, rows, linkage, rng, *, is_weighted):
    """Return the fit of a candidate on some rows, which are over-sampled.

    Validation samples of the classifier are taken out before.
    """
    estimator = reseeded(base, rng)
    rows, params = without_validation(estimator, data, rows, rng)
    sampler = make_sampler(candidate.parameters, np.bincount(data.targets[rows]).min(), linkage)
    amount = candidate.parameters["amount"]
    X, y, weight = resample(sampler, data.X[rows], data.y[rows], data.weight[rows], rng, amount)
    if is_weighted:
        params["sample_weight"] = weight
    return Fit(estimator, X, y, params, is_part=True)


def without_validation(estimator, data, rows, rng):
    """Return the rows to train on, and the others as parameters of `fit`."""
    if not isinstance(estimator, BaseNetClassifier):
        return rows, {}
    groups = None if data.groups is None else data.groups[rows]
    seed = rng.randint(MAX_SEED)
    is_valid = validation_rows(estimator, data.X[rows], data.y[rows], groups, seed)
    if is_valid is None:
        if is_automatic(estimator.early_stopping):
            # The rows of `fit` have decided, not those after over-sampling, which are more.
            estimator.set_params(early_stopping=False)
        return rows, {}
    valid = rows[is_valid]
    given = {"X_val": data.X[valid], "y_val": data.y[valid]}
    return rows[~is_valid], given | {"sample_weight_val": data.weight[valid]}


def make_sampler(parameters, n_smallest, linkage):
    """Return the sampler of a candidate for a smallest class of so many samples."""
    return ClusterOverSampler(
        n_clusters=max(1, min(parameters["n_clusters"], n_smallest // 2)),
        scale=parameters["scale"],
        size_exponent=parameters["size_exponent"],
        linkage=linkage,
    )


def judge(candidate, data, classes, scoring):
    """Set score and loss of a candidate, by the samples that its classifiers did not train on."""
    proba = np.empty((len(data.y), len(classes)))
    for classifier, (_, test) in zip(candidate.fitted, data.splits, strict=True):
        proba[test] = class_probabilities(classifier, data.X[test], classes)
    decided = classes[proba.argmax(axis=1)]
    candidate.score = score_labels(scoring, classes, data.y, decided, data.sample_weight)
    log_loss = balanced_log_loss(proba, data.targets, data.weight)
    candidate.loss = -candidate.score + LOG_LOSS_SHARE * log_loss


def survivors(parents, trials):
    """Return the next population: each trial, or its parent where that is not worse.

    Those who leave lose their classifiers.
    """
    population = []
    for parent, trial in zip(parents or [None] * len(trials), trials, strict=True):
        is_better = parent is None or trial.loss < parent.loss
        population.append(trial if is_better else parent)
        leaving = parent if is_better else trial
        if leaving is not None:
            leaving.fitted = []
    return population


def make_folds(y, groups, n_folds, seed):
    """Return stratified folds that leave groups whole, a list of (train, test).

    Fewer folds, with a warning, where a class has fewer samples or groups.

    Raises
    ------
    ValueError
        For a class of which a fold has fewer than 2 training samples.
    """
    classes, targets = np.unique(y, return_inverse=True)
    units, unit = (np.arange(len(y)), "sample") if groups is None else (groups, "group")
    counts = np.array([len(own) for own in groups_by_class(targets, units)])
    smallest, label = int(counts.min()), classes.tolist()[counts.argmin()]
    if smallest < 2:
        raise ValueError(
            f"class {label!r} has 1 {unit}, but cv={n_folds} needs at least 2 of each class; merge "
            f"classes or add {unit}s"
        )
    if smallest < n_folds:
        warn(
            f"class {label!r} has {smallest} {unit}s, but cv={n_folds} needs {n_folds} of each "
            f"class; {smallest} folds are used",
            FewerFoldsWarning,
        )
    n_folds = min(n_folds, smallest)
    if groups is None:
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
        splits = list(folds.split(targets, targets))
    else:
        splits = group_folds(y, groups, n_folds, seed)
    n_training = np.min(
        [np.bincount(targets[train], minlength=len(classes)) for train, _ in splits], axis=0
    )
    if n_training.min() < 2:
        c = int(n_training.argmin())
        raise ValueError(
            f"class {classes.tolist()[c]!r} has {(targets == c).sum()} samples, of which one of "
            f"{n_folds} folds leaves {n_training[c]} for training, but clusters need 2; merge "
            "classes, add samples or use a larger cv"
        )
    return splits


def possible_max_clusters(max_clusters, data):
    """Return the largest number of clusters of 2 samples on average, in the smallest class."""
    counts = [np.bincount(data.targets[train]) for train, _ in data.splits]
    n_smallest = int(np.min(counts))
    possible = max(1, n_smallest // 2)
    if max_clusters is None:
        return min(MAX_CLUSTERS, possible)
    if max_clusters > possible:
        warn(
            f"the smallest class has {n_smallest} training samples in a fold, too few for "
            f"max_clusters={max_clusters} of 2 samples each; at most {possible} are used"
        )
    return min(max_clusters, possible)
