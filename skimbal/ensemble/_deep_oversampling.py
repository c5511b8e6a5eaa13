"""Deep over-sampling (Ando and Huang 2017): a network with synthetic features of rare classes."""

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import clone
from sklearn.utils import check_random_state

from skimbal._fitting import Fit, run_fit
from skimbal._utils._fitted_attributes import copy_attributes, undone_on_error
from skimbal._utils._random import MAX_SEED, generator_of_seeds, seed_unset
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive import BaseCostClassifier
from skimbal.ensemble._inputs import validate_training_data
from skimbal.losses import DeepOversampling
from skimbal.metrics import cost_matrix_from_costs
from skimbal.neural_network import BaseNetClassifier, MLPClassifier

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")


class DeepOversamplingClassifier(BaseCostClassifier):
    r"""Network that over-samples the rare classes in its own feature space (DOS).

    A synthetic feature vector is a mixture of the features of a sample and of its nearest neighbors
    of the same class, which are a micro-cluster. The last layer is trained on real and synthetic
    features, as if all classes had the size of the largest. The features are also trained to be
    near the synthetic ones, so that the micro-clusters of rare classes shrink. Both are the loss
    :class:`~skimbal.losses.DeepOversampling`, with which this class trains a network.

    Parameters
    ----------
    estimator : network classifier, default=None
        A network of this package with the loss "cross_entropy" and without `class_weight` and
        `sampler`. None is an `MLPClassifier` with batches of 256 samples. Batches should hold
        several samples of each rare class.
    n_neighbors : int, default=5
        Samples of a micro-cluster, at least 1. A class with fewer samples uses all of them, and a
        warning says so. With 1, the network has balanced class weights and nothing else.
    n_draws : int, default=4
        Synthetic feature vectors of each sample, at least 1.
    clustering : float, default=0.1
        Weight of the squared distances between features and synthetic features, non-negative.
    random_state : int, RandomState instance or None, default=None
        Seed of the mixtures, and of the network if its own is None.

    Attributes
    ----------
    estimator_ : network classifier
        The fitted network. Its `transform` returns the features.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs by which `predict` decides: those of the network, or equal costs.
    n_features_in_ : int
        Number of features (2-D inputs).
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    skimbal.sampling.NDSampler : SMOTE in the space of the inputs.

    Notes
    -----
    The article finds neighbors in the whole training set and trains in rounds: the synthetic
    targets are fixed, the network is trained, and the targets are updated. Here the neighbors are
    those of the mini-batch, and the targets follow the network in every step. The amount of
    over-sampling by class, the distribution of the mixtures, and the weight of the distances are
    choices of this package.

    References
    ----------
    S. Ando and C.-Y. Huang 2017, Deep over-sampling framework for classifying imbalanced data, ECML
    PKDD, pp. 770-785, arXiv:1704.07515.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.ensemble import DeepOversamplingClassifier
    >>> X, y = make_classification(300, weights=[0.9], random_state=0)
    >>> network = MLPClassifier(hidden_layer_sizes=(16, 8), batch_size=128, max_epochs=10)
    >>> classifier = DeepOversamplingClassifier(network, random_state=0).fit(X, y)
    >>> classifier.estimator_.transform(X).shape
    (300, 8)
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "n_neighbors": DeepOversampling._parameter_constraints["n_neighbors"],
        "n_draws": DeepOversampling._parameter_constraints["n_draws"],
        "clustering": DeepOversampling._parameter_constraints["clustering"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseNetClassifier | None = None,
        *,
        n_neighbors: int = 5,
        n_draws: int = 4,
        clustering: float = 0.1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_neighbors = n_neighbors
        self.n_draws = n_draws
        self.clustering = clustering
        self.random_state = random_state

    def _base_estimator(self):
        return MLPClassifier(batch_size=256) if self.estimator is None else self.estimator

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs, finite, with the shape that the network takes.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the loss and in the class counts.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, passed on to the network, which separates no group where it
            holds samples out.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any training: for invalid data or parameters, or a network with another loss,
            with class weights or with a sampler.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        check_network(self._base_estimator())
        with undone_on_error(self):
            # The network validates what it is given; this checks first that the classes are usable.
            _, labels, *_ = validate_training_data(self, X, y, sample_weight, groups)
            warn_of_small_classes(labels, self.n_neighbors)
            given = {"sample_weight": sample_weight, "groups": groups}
            params = {name: value for name, value in given.items() if value is not None}
            self.estimator_ = yield from Fit(self._network(), X, y, params).coroutine()
            self.classes_ = self.estimator_.classes_
            self.cost_matrix_ = self.estimator_.cost_matrix_
            if self.cost_matrix_ is None:
                self.cost_matrix_ = cost_matrix_from_costs(np.ones(len(self.classes_)))
            copy_attributes(self.estimator_, self, INPUT_ATTRIBUTES)
        return self

    def _network(self):
        """Return the unfitted network with the loss."""
        network = clone(self._base_estimator())
        rng = check_random_state(self.random_state)
        rng = generator_of_seeds(network, self.random_state, rng)
        loss = DeepOversampling(
            self.n_neighbors, self.n_draws, self.clustering, random_state=rng.randint(MAX_SEED)
        )
        return seed_unset(network, None if self.random_state is None else rng).set_params(loss=loss)


def check_network(estimator):
    """Raise a ValueError for what can't be trained with the loss of deep over-sampling."""
    if not isinstance(estimator, BaseNetClassifier):
        raise ValueError(
            f"estimator={estimator!r} is no network of this package, so it has no features to "
            "over-sample; give a network such as MLPClassifier(), or over-sample the inputs of "
            "other classifiers with imblearn.over_sampling.SMOTE"
        )
    if not (isinstance(estimator.loss, str) and estimator.loss == "cross_entropy"):
        raise ValueError(
            f"the network has loss={estimator.loss!r}, but deep over-sampling sets the loss "
            'itself; use loss="cross_entropy"'
        )
    if estimator.class_weight is not None:
        raise ValueError(
            f"the network has class_weight={estimator.class_weight!r}, but deep over-sampling "
            "weights the classes itself; use class_weight=None"
        )
    if estimator.sampler is not None:
        raise ValueError(
            f"the network has sampler={estimator.sampler!r}, but deep over-sampling balances the "
            "classes itself, and the balance would count twice; use sampler=None"
        )


def warn_of_small_classes(labels, n_neighbors):
    """Warn of the classes that have fewer samples than a micro-cluster."""
    classes, counts = np.unique(labels, return_counts=True)
    small = {
        str(label): int(n) for label, n in zip(classes, counts, strict=True) if n < n_neighbors
    }
    if small:
        warn(
            f"these classes have fewer samples than n_neighbors={n_neighbors}, so their "
            f"micro-clusters have all of them: {small}; use a smaller n_neighbors"
        )
