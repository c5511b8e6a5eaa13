"""An ensemble whose members and whose over-sampling are evolved together.

After the ECO-ensemble (Lim, Goh & Tan 2017), driven by JADE. `_eco_search.py` has the candidates,
`skimbal/sampling/_clusters.py` draws the new samples.
"""

from collections.abc import Callable
from numbers import Integral
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval

from skimbal._fitting import run_fit
from skimbal._utils._fitted_attributes import undone_on_error
from skimbal._utils._labels import check_label_parameters
from skimbal._utils._random import MAX_SEED, generator_of_seeds
from skimbal._utils._validation import check_two_classes, takes_sample_weight
from skimbal.cost_sensitive import BaseCostClassifier, PosteriorEnsemble
from skimbal.ensemble._balanced_bagging import default_network
from skimbal.ensemble._eco_search import (
    Candidate,
    SearchData,
    fit_candidate,
    judge,
    make_folds,
    parameters_at,
    possible_max_clusters,
    search_bounds,
    survivors,
)
from skimbal.ensemble._inputs import validate_arrays, validate_training_data
from skimbal.metrics import check_label_scorer, cost_matrix_from_costs
from skimbal.neural_network import BaseNetClassifier, check_training_data
from skimbal.optim import JADE
from skimbal.sampling import ClusterOverSampler


class ECOEnsembleClassifier(BaseCostClassifier):
    r"""Evolve the over-sampling of the rare classes and the members of an ensemble together.

    A candidate of the evolution is a way to over-sample: the number of clusters of each rare class,
    the factor that contracts or expands the clusters, how the clusters share the new samples, and
    the weight of the new samples. A classifier is trained with each candidate on each fold, and the
    candidate is judged on the samples that the folds hold out. JADE makes the next generation. A
    candidate replaces its parent if it is better. The classifiers of the last population are the
    ensemble; their predicted probabilities are averaged. So no classifier is trained twice, and the
    candidates of a generation and their folds are trained together.

    All classes grow to the size of the largest one. What is evolved is

    ================= ==================== ================================================
    parameter         range                meaning
    ================= ==================== ================================================
    ``n_clusters``    1 to `max_clusters`  clusters of each class that grows
    ``scale``         0.5 to 1.5           below 1 contracts the clusters, above 1 expands them
    ``size_exponent`` 0 to 1               0: clusters grow alike; 1: in proportion to their sizes
    ``amount``        1/3 to 3             weight of a new sample, in mean weights of its class
    ================= ==================== ================================================

    The first three are parameters of `ClusterOverSampler`. With the weight for the amount, the
    training sets of all candidates have the same size, so their networks train as one.

    Parameters
    ----------
    estimator : classifier with `predict_proba`, default=None
        Cloned for each candidate and fold, with a seed of its own. Networks are trained together.
        None is the network of a `BalancedBaggingNetClassifier` without class weights and early
        stopping, with batches of 64 samples.
    population_size : int, default=10
        Candidates of a generation, 3 or more.
    max_generations : int, default=5
        Generations, the first one included.
    max_clusters : int, default=None
        Largest number of clusters of a class. None is 10, or half of the training samples of the
        smallest class. If fewer are possible, a number is reduced to that, with a warning.
    linkage : {"average", "complete", "single", "ward"}, default="average"
        Which clusters are merged, as in scikit-learn's `AgglomerativeClustering`.
    scoring : str or callable, default="g_mean"
        The score that is maximized: a name or scikit-learn scorer that takes labels. Among equal
        scores, the balanced log-loss decides.
    cv : int, default=3
        Stratified folds whose held-out samples judge the candidates; the ensemble has a classifier
        of each candidate and fold.
    n_jobs : int, default=None
        Processes, by joblib; each trains a part of the networks. Results don't depend on it.
    random_state : int, RandomState instance or None, default=None
        Seed of the folds, of the evolution, of the new samples and of the classifiers.

    Attributes
    ----------
    estimators_ : list of fitted classifiers
        The members: `population_size` candidates with one classifier for each fold.
    estimator_ : PosteriorEnsemble
        The members as one classifier.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        Equal costs: the largest probability decides.
    cv_results_ : dict of ndarray of shape (n_candidates,)
        For each candidate in the order of training: ``generation``, the four parameters,
        ``score`` and ``is_member``.
    best_score_ : float
        The best score of a candidate. It is optimistic, because it is the best of many.
    n_features_in_ : int
        Number of features (2-D inputs).
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    skimbal.sampling.ClusterOverSampler : The over-sampling by itself.
    skimbal.BalancedBaggingNetClassifier : An ensemble without a search.

    Notes
    -----
    From the reference are the ideas of its abstract: clusters say where to over-sample, an
    evolutionary algorithm tunes the over-sampling, and the candidates that it trains are the
    ensemble. Here the algorithm is JADE and a population of one solution a slot, and each candidate
    is judged on samples that it was not trained on. The formulas, the ranges and the classifiers
    are of this package, so figures of the article don't carry over.

    Networks with `early_stopping` get validation samples of each fold that are not over-sampled.

    All new samples of a generation are in memory at once, about twice the data for each candidate
    and fold.

    References
    ----------
    .. [1] P. Lim, C. K. Goh and K. C. Tan 2017, Evolutionary Cluster-Based Synthetic Oversampling
       Ensemble (ECO-Ensemble) for Imbalance Learning, IEEE Transactions on Cybernetics 47(9),
       2850-2861, doi:10.1109/TCYB.2016.2579658.
    .. [2] J. Zhang and A. C. Sanderson 2009, JADE: Adaptive Differential Evolution With Optional
       External Archive, IEEE Transactions on Evolutionary Computation 13(5),
       doi:10.1109/TEVC.2009.2014613.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skimbal import ECOEnsembleClassifier
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> ensemble = ECOEnsembleClassifier(
    ...     LogisticRegression(), population_size=4, max_generations=2, random_state=0
    ... ).fit(X, y)
    >>> len(ensemble.estimators_), len(ensemble.cv_results_["score"])
    (12, 8)
    """

    _parameter_constraints: dict = {
        "estimator": [None, HasMethods(["fit", "predict_proba"])],
        "population_size": [Interval(Integral, JADE.min_population_size, None, closed="left")],
        "max_generations": [Interval(Integral, 1, None, closed="left")],
        "max_clusters": [None, Interval(Integral, 1, None, closed="left")],
        "linkage": ClusterOverSampler._parameter_constraints["linkage"],
        "scoring": [str, callable],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "n_jobs": [None, Integral],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseEstimator | None = None,
        *,
        population_size: int = 10,
        max_generations: int = 5,
        max_clusters: int | None = None,
        linkage: str = "average",
        scoring: str | Callable = "g_mean",
        cv: int = 3,
        n_jobs: int | None = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.estimator = estimator
        self.population_size = population_size
        self.max_generations = max_generations
        self.max_clusters = max_clusters
        self.linkage = linkage
        self.scoring = scoring
        self.cv = cv
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _base_estimator(self):
        if self.estimator is None:
            return default_network().set_params(
                class_weight=None, standardize=True, batch_size=64, early_stopping=False
            )
        return self.estimator

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Evolve the ensemble.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs, finite, with the shape that the classifier takes.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in training and in the score. A new sample has the mean weight of
            its class, times ``amount``.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. No fold
            separates a group.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            Before any training: for invalid data or parameters, or a class of which a fold has
            fewer than 2 training samples.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups), n_jobs=self.n_jobs)

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        with undone_on_error(self):
            X, y, weight, groups = validate_training_data(self, X, y, sample_weight, groups)
            base = self._base_estimator()
            self.classes_, targets = np.unique(y, return_inverse=True)
            check_two_classes(self.classes_.tolist())
            check_label_scorer(self.scoring, self.classes_)
            check_label_parameters(base, y, is_fold_possible=True)
            if isinstance(base, BaseNetClassifier):
                check_training_data(clone(base), X, y)
            rng = check_random_state(self.random_state)
            seed = generator_of_seeds(base, self.random_state, rng).randint(MAX_SEED)
            splits = make_folds(y, groups, self.cv, seed)
            data = SearchData(X, y, targets, weight, groups, splits)
            candidates, population = yield from self._evolve(data, seed)
            self._publish(candidates, population)
        return self

    def _evolve(self, data, seed):
        """Train the generations; return all candidates and the last population (a generator)."""
        base = self._base_estimator()
        consequence = "new samples weigh as much as others, and weights count in scores only"
        is_weighted = takes_sample_weight(base, consequence)
        bounds = search_bounds(possible_max_clusters(self.max_clusters, data))
        optimizer = JADE(bounds, population_size=self.population_size, random_state=seed)
        candidates: list = []
        population: list = []
        for generation, seeds in enumerate(
            np.random.SeedSequence(seed).spawn(self.max_generations)
        ):
            rng = np.random.RandomState(seeds.generate_state(1))
            points = optimizer.ask()
            trials = [Candidate(parameters_at(point), generation) for point in points]
            fits = [
                fit_candidate(base, trial, data, train, self.linkage, rng, is_weighted=is_weighted)
                for trial in trials
                for train, _ in data.splits
            ]
            fitted = iter((yield fits))
            for trial in trials:
                trial.fitted = [next(fitted) for _ in data.splits]
                judge(trial, data, self.classes_, self.scoring)
            optimizer.tell(points, [trial.loss for trial in trials])
            candidates += trials
            population = survivors(population, trials)
        return candidates, population

    def _publish(self, candidates, population):
        self.estimators_ = [member for candidate in population for member in candidate.fitted]
        self.estimator_ = PosteriorEnsemble(self.estimators_)
        self.cost_matrix_ = cost_matrix_from_costs(np.ones(len(self.classes_)))
        results = [candidate.record() for candidate in candidates]
        self.cv_results_ = {name: np.array([row[name] for row in results]) for name in results[0]}
        self.cv_results_["is_member"] = np.array([bool(c.fitted) for c in candidates])
        self.best_score_ = float(self.cv_results_["score"].max())

    def _validate_inputs(self, X):
        return validate_arrays(self, X, reset=False)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        for name in ("sparse", "allow_nan", "string", "categorical"):  # clusters need numbers
            setattr(tags.input_tags, name, False)
        return tags
