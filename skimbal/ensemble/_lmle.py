"""Large margin local embedding (Huang et al. 2016): quintuplets, and a decision by clusters."""

from numbers import Integral, Real
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from scipy.special import log_softmax
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import StandardScaler
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skimbal._fitting import Fit, run_fit
from skimbal._utils._early_stopping import is_automatic
from skimbal._utils._fitted_attributes import copy_attributes, undone_on_error
from skimbal._utils._log_odds import log_odds
from skimbal._utils._random import generator_of_seeds, reseeded
from skimbal._utils._validation import check_two_classes
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive import BaseCostClassifier
from skimbal.ensemble._category_centers import class_centers
from skimbal.ensemble._inputs import validate_training_data
from skimbal.ensemble._lmle_clusters import (
    MAX_DISTANCE,
    EqualClasses,
    class_clusters,
    cluster_numbers,
    large_margin_scores,
    unit_length,
)
from skimbal.losses import Quintuplets
from skimbal.metrics import cost_matrix_from_costs
from skimbal.neural_network import BaseNetClassifier, MLPClassifier, check_training_data

INPUT_ATTRIBUTES = ("n_features_in_", "feature_names_in_")

# What the network must leave to this class, and why.
LEFT_ALONE = {
    "loss": ("cross_entropy", "trains the features with a loss of its own"),
    "class_weight": (None, "draws all classes equally often"),
    "sampler": (None, "draws all classes equally often"),
    "cost_matrix": (None, "decides by distances to clusters"),
    "probabilities": ("training", "decides by distances to clusters"),
    "early_stopping": (False, "trains no last layer by which epochs could be judged"),
    "scoring": (None, "trains no last layer by which epochs could be judged"),
    "mixup": (0.0, "has no cluster for a mixture of samples"),
    "pretrain_class_weight": (None, "gives the network clusters in place of classes"),
}


class LMLEClassifier(BaseCostClassifier):
    r"""Network whose features keep clusters and classes apart by margins (LMLE).

    Each class is divided into clusters. The network is trained on quintuplets: a sample, the
    farthest sample of its cluster, the nearest one of another cluster of its class, the farthest
    one of its class, and the nearest one of another class. Their distances from the first shall
    increase in this order, by margins that depend on the sizes of cluster and class
    (:class:`~skimbal.losses.Quintuplets`). All classes are drawn equally often.

    A new sample q is classified by its nearest clusters :math:`\phi`. The class wins whose farthest
    cluster among them is nearer than the nearest cluster of another class by the largest margin:

    .. math:: \operatorname{arg\,max}_c \; m_c , \qquad m_c = \min_{j \in \phi, y_j \ne c} D(q, j)
        - \max_{i \in \phi, y_i = c} D(q, i)

    with the squared distance D of the features, scaled to length 1, to the mean of the cluster. The
    predicted probabilities are :math:`p(c \mid q) \propto \exp m_c`.

    Parameters
    ----------
    estimator : network classifier, default=None
        A network of this package with the loss "cross_entropy", without `class_weight`, `sampler`,
        `cost_matrix`, `early_stopping` and `mixup`. Its `max_epochs` are the epochs of all rounds
        together. None is an `MLPClassifier`. Batches should hold several samples of each class.
    cluster_size : int, default=20
        Samples of a cluster on average, at least 2. A class of fewer than 1.5 times as many samples
        has two smaller clusters, and a warning names it. A class of two or three samples has one.
    epochs_per_round : int, default=20
        Epochs between two clusterings, at least 1. The clusters of the first round are those of the
        inputs, and later ones those of the features.
    n_neighbors : int, default=20
        Nearest clusters that decide, at least 1.
    margin_scale : float, default=0.5
        Factor of the margins, non-negative. 1 is the largest that the geometry allows.
    random_state : int, RandomState instance or None, default=None
        Seed of the clusterings and of the network.

    Attributes
    ----------
    estimator_ : network classifier
        The network of the last round. Its `transform` returns the features, and its classes are
        the clusters. Its last layer is not trained. Its `history_` is that of the last round.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cluster_centers_ : ndarray of shape (n_clusters, n_units)
        The mean of the features of each cluster, scaled to length 1 before.
    cluster_classes_ : ndarray of int of shape (n_clusters,)
        The class of each cluster, as an index of `classes_`.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        Equal costs: `predict` takes the largest probability.
    n_features_in_ : int
        Number of features (2-D inputs).
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    CategoryCentersClassifier : One center for each class, in the features of any network.
    skimbal.losses.ClassRectification : Triplets of samples together with cross entropy.

    Notes
    -----
    *From the article* are the quintuplets, the three hinges and their order, features of length 1,
    classes that are drawn equally often, clusters that are found again between rounds of training,
    and the decision by clusters. What this page says of the margins and the decision was taken from
    summaries of the article.
    *Different here:* quintuplets are those of a mini-batch, where the article draws them from half
    of the training set. The first clusters are those of the standardized inputs, where the article
    uses features of another network. Each round has a new optimizer, and schedules begin again. The
    default sizes are ours, and so are the probabilities: they rank samples, and are not calibrated.

    The features of all classes can collapse to nearly one point, as networks with
    ``activation="tanh"`` did on nested spheres. Look at ``estimator_.transform`` if scores are low.

    Groups have no effect, because no samples are held out.

    References
    ----------
    C. Huang, Y. Li, C. C. Loy and X. Tang 2016, Learning deep representation for imbalanced
    classification, CVPR, pp. 5375-5384, doi:10.1109/CVPR.2016.580.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.ensemble import LMLEClassifier
    >>> X, y = make_classification(400, weights=[0.9], random_state=0)
    >>> network = MLPClassifier(hidden_layer_sizes=(16, 8), batch_size=128, max_epochs=20)
    >>> classifier = LMLEClassifier(network, epochs_per_round=10, random_state=0).fit(X, y)
    >>> classifier.cluster_centers_.shape
    (20, 8)
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "cluster_size": [Interval(Integral, 2, None, closed="left")],
        "epochs_per_round": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "margin_scale": [Interval(Real, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseNetClassifier | None = None,
        *,
        cluster_size: int = 20,
        epochs_per_round: int = 20,
        n_neighbors: int = 20,
        margin_scale: float = 0.5,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.cluster_size = cluster_size
        self.epochs_per_round = epochs_per_round
        self.n_neighbors = n_neighbors
        self.margin_scale = margin_scale
        self.random_state = random_state

    def _base_estimator(self):
        return MLPClassifier() if self.estimator is None else self.estimator

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the network in rounds, and find the clusters of its features.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs, finite, with the shape that the network takes.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples: how often they are drawn within their class, and how much they
            count in the clusterings and in the centers.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample. They are checked, and have no effect.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any training: for invalid data or parameters, a class of one sample, or a network
            with settings that this class makes itself.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        base = self._base_estimator()
        check_network(base)
        with undone_on_error(self):
            X, y, weight, _ = validate_training_data(self, X, y, sample_weight, groups)
            self.classes_, targets = np.unique(y, return_inverse=True)
            check_two_classes(self.classes_.tolist())
            if weight is not None and np.ptp(weight) == 0:  # other draws would have the same odds
                weight = None
            check_sizes(self.classes_, np.bincount(targets), self.cluster_size)
            check_training_data(reseeded(base, np.random.RandomState(0)), X, y)
            rng = check_random_state(self.random_state)
            rng = generator_of_seeds(base, self.random_state, rng)
            self.estimator_, clusters = yield from self._train(X, targets, weight, rng)
            features = unit_length(self.estimator_.transform(X))
            self.cluster_centers_ = class_centers(features, clusters, weight)
            self.cost_matrix_ = cost_matrix_from_costs(np.ones(len(self.classes_)))
            copy_attributes(self.estimator_, self, INPUT_ATTRIBUTES)
        return self

    def _train(self, X, targets, weight, rng):
        """Return the network of the last round, and the clusters of its features (a generator)."""
        points = X.toarray() if issparse(X) else X.reshape(len(X), -1)
        points = StandardScaler().fit_transform(points)
        n_distinct = [len(np.unique(points[targets == c], axis=0)) for c in np.unique(targets)]
        n_clusters = cluster_numbers(np.bincount(targets), n_distinct, self.cluster_size)
        self.cluster_classes_ = np.repeat(np.arange(len(n_clusters)), n_clusters)
        clusters = class_clusters(points, targets, n_clusters, weight, rng)
        network, params = None, {} if weight is None else {"sample_weight": weight}
        for n_epochs in round_lengths(self._base_estimator().max_epochs, self.epochs_per_round):
            start: dict = {} if network is None else {"start": network}
            fit = Fit(self._network(n_epochs, rng), X, clusters, params | start, is_part=True)
            (network,) = yield [fit]
            points = unit_length(network.transform(X))
            clusters = class_clusters(points, targets, n_clusters, weight, rng, before=clusters)
        return network, clusters

    def _network(self, n_epochs, rng):
        """Return the unfitted network of a round."""
        of_cluster = tuple(self.cluster_classes_.tolist())
        return reseeded(self._base_estimator(), rng).set_params(
            loss=Quintuplets(of_cluster, self.margin_scale),
            sampler=EqualClasses(of_cluster),
            max_epochs=n_epochs,
            early_stopping=False,
        )

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithms of the predicted probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        check_is_fitted(self)
        features = unit_length(self.estimator_.transform(X))
        distance = euclidean_distances(features, self.cluster_centers_, squared=True)
        distance = np.minimum(distance, MAX_DISTANCE)
        return log_softmax(
            large_margin_scores(distance, self.cluster_classes_, self.n_neighbors), axis=1
        )

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the predicted probabilities, the softmax of the margins of the classes.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`; each row adds up to 1.
        """
        return np.exp(self.predict_log_proba(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds of ``classes_[1]`` for two classes, log-probabilities for more.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
        """
        return log_odds(self.predict_log_proba(X))


def round_lengths(n_epochs, epochs_per_round):
    """Epochs of each round.

    >>> round_lengths(50, 20)
    [20, 20, 10]
    """
    return [min(epochs_per_round, n_epochs - done) for done in range(0, n_epochs, epochs_per_round)]


def check_network(estimator):
    """Raise a ValueError for a network whose settings this class makes itself."""
    if not isinstance(estimator, BaseNetClassifier):
        raise ValueError(
            f"estimator={estimator!r} is no network of this package, so its features cannot be "
            "trained; give a network such as MLPClassifier()"
        )
    for name, (allowed, reason) in LEFT_ALONE.items():
        given = getattr(estimator, name, allowed)
        if name == "early_stopping" and is_automatic(given):  # not in this training
            continue
        # An array or a loss may not compare as one truth value.
        is_allowed = given is allowed or (isinstance(given, str | Real) and given == allowed)
        if not is_allowed:
            raise ValueError(
                f"the network has {name}={given!r}, but LMLEClassifier {reason}; use "
                f"{name}={allowed!r}"
            )


def check_sizes(classes, counts, cluster_size):
    """Raise a ValueError for classes of one sample, and warn of classes with smaller clusters."""
    sizes = {str(label): int(n) for label, n in zip(classes, counts, strict=True)}
    single = [label for label, n in sizes.items() if n < 2]
    if single:
        raise ValueError(
            f"a quintuplet needs two samples of a class, but these classes have 1: {single}; leave "
            "them out, merge them with other classes or collect more samples"
        )
    small = {label: n for label, n in sizes.items() if n < 1.5 * cluster_size}
    if small:
        warn(
            f"these classes are too small for two clusters of cluster_size={cluster_size}, so "
            f"their clusters are smaller: {small}; use a smaller cluster_size"
        )
