"""AdaBoost of networks, each of which starts from the parameters of the one before.

AdaBoost-CNN (Taherkhani, Cosma & McGinnity 2020) with any network of this package, and with a
resampling before each round (SMOTEBoost, RUSBoost).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

from skimbal._fitting import Fit, run_fit
from skimbal._utils._early_stopping import is_automatic
from skimbal._utils._fitted_attributes import undone_on_error
from skimbal._utils._labels import check_label_parameters
from skimbal._utils._log_odds import log_odds
from skimbal._utils._random import MAX_SEED, generator_of_seeds, reseeded
from skimbal._utils._validation import check_two_classes
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive import BaseCostClassifier
from skimbal.ensemble._inputs import validate_arrays, validate_training_data
from skimbal.ensemble._resampling import resample
from skimbal.metrics import cost_matrix_from_costs, decide
from skimbal.neural_network import (
    BaseNetClassifier,
    CNN1DClassifier,
    MLPClassifier,
    check_training_data,
    validation_rows,
)

# Smaller probabilities count as this one, so that one sample does not get all of the weight.
MIN_LOG_PROBABILITY = np.log(np.finfo(np.float64).eps)

# The network in the code of the authors of AdaBoost-CNN, github.com/a-taherkhani/AdaBoost_CNN.
PUBLISHED_NETWORK: dict = {
    "n_filters": (32,),
    "kernel_size": 3,
    "pool_size": 2,
    "padding": "same",
    "global_pooling": False,
    "dense_layer_sizes": (128, 64),
    "dropout": 0.2,
    "standardize": False,
    "optimizer": "adam",
    "learning_rate": 0.001,
    "weight_decay": 0.0,
    "batch_size": 10,
    "max_epochs": 1,
}


def centered(log_proba):
    r"""Log-probabilities minus their mean over the classes, shape (n_samples, n_classes).

    :math:`\log p_k - \frac{1}{K} \sum_j \log p_j`; times K - 1, this is what a network adds to the
    decision function of SAMME.R (Zhu et al. 2009, algorithm 4, step 2c). Probabilities below
    2.2e-16 count as 2.2e-16.
    """
    log_proba = np.maximum(log_proba, MIN_LOG_PROBABILITY)
    return log_proba - log_proba.mean(axis=1, keepdims=True)


def samme_r_weights(weight, targets, log_proba, learning_rate=1.0):
    r"""Return the weights of SAMME.R for the next round; they add up to 1.

    .. math:: w_i \leftarrow w_i \exp\left(-\eta \frac{K-1}{K} y_i^T \log p(x_i)\right)
        = w_i \exp\left(-\eta \left(\log p_{y_i} - \frac{1}{K} \sum_k \log p_k\right)\right)

    with the code :math:`y_{ik}` of 1 for the class of the sample and -1 / (K - 1) for the others
    (Zhu et al. 2009, algorithm 4, step 2d).

    Parameters
    ----------
    weight : ndarray of shape (n_samples,)
        Positive weights.
    targets : ndarray of int of shape (n_samples,)
        Classes of the samples.
    log_proba : ndarray of shape (n_samples, n_classes)
        Log-probabilities of the network.
    learning_rate : float, default=1.0
        The exponent's factor eta.

    Returns
    -------
    ndarray of shape (n_samples,)
        All positive.

    Examples
    --------
    >>> log_proba = np.log([[0.8, 0.2], [0.8, 0.2]])
    >>> samme_r_weights(np.array([0.5, 0.5]), np.array([0, 1]), log_proba).round(3)
    array([0.2, 0.8])
    """
    own = centered(log_proba)[np.arange(len(targets)), targets]
    log_weight = np.log(weight) - learning_rate * own
    weight = np.exp(log_weight - logsumexp(log_weight))
    return np.maximum(weight, np.finfo(np.float64).tiny)  # a weight of 0 would drop the sample


def combined_log_proba(log_probas):
    r"""Log-probabilities of the first 1, 2, ... networks, an iterator of ndarray.

    .. math:: p_k \propto \exp\left(\frac{1}{M} \sum_m \log p_{mk}\right)

    This is the softmax of the decision function over K - 1 (Zhu et al. 2009, algorithm 4, step 3).

    Examples
    --------
    >>> two = [np.log([[0.5, 0.5]]), np.log([[0.8, 0.2]])]
    >>> [np.exp(each).round(3).tolist() for each in combined_log_proba(two)]
    [[[0.5, 0.5]], [[0.667, 0.333]]]
    """
    total = 0.0
    for n_networks, log_proba in enumerate(log_probas, start=1):
        total = total + centered(log_proba)
        yield total / n_networks - logsumexp(total / n_networks, axis=1, keepdims=True)


@dataclass
class WeightedData:
    """Samples and their weights, which boosting changes."""

    X: NDArray
    y: NDArray
    targets: NDArray
    weight: NDArray

    def reweighted(self, network, learning_rate):
        """Return the data with the weights of the next round."""
        log_proba = network.predict_log_proba(self.X)
        weight = samme_r_weights(self.weight, self.targets, log_proba, learning_rate)
        return WeightedData(self.X, self.y, self.targets, weight)

    def wrong(self, network):
        """Whether each sample's most probable class is a wrong one, an array of bool."""
        return network.predict_log_proba(self.X).argmax(axis=1) != self.targets


class AdaBoostNetClassifier(BaseCostClassifier):
    r"""AdaBoost of networks, each of which starts from the parameters of the one before.

    The weights of the samples follow SAMME.R: after a network with the probabilities p, sample i of
    class y has the weight

    .. math:: w_i \leftarrow w_i \exp\left(-\eta \left(\log p_{y}(x_i)
        - \frac{1}{K} \sum_k \log p_k(x_i)\right)\right)

    and the next network gets these weights in its loss. The probabilities of the ensemble are the
    normalized geometric means of those of the networks. With ``transfer=True`` this is AdaBoost-CNN
    for any network: it needs few epochs a network, because a network continues where the one before
    ended.

    Each network counts its epochs from 1 to its own `max_epochs`. Schedules of learning rates, of
    losses and of mini-batch samplers begin again with each network, and so does the optimizer.

    Parameters
    ----------
    estimator : network classifier, default=None
        A network of this package. None is an `MLPClassifier` of 10 epochs with batches of 64
        samples, without early stopping. Choose few epochs: the boosting ends with the first network
        without a training error.
    n_estimators : int, default=10
        Largest number of networks.
    learning_rate : float, default=1.0
        The factor :math:`\eta`, above 0. Small values change the weights less. Use 0.1 if the
        weights concentrate on a few samples: see the Notes.
    transfer : bool, default=True
        Whether a network starts from the parameters, and the standardization of the inputs, of the
        network before. If False, each starts from new initial weights.
    continued_epochs : int, default=None
        Epochs of each network after the first. None is the `max_epochs` of the network.
    sampler : sampler, default=None
        A sampler of imbalanced-learn that resamples the training samples before each round: with
        SMOTE this is SMOTEBoost, with RandomUnderSampler RUSBoost. It is cloned, gets a new seed in
        each round and is wrapped by `NDSampler` for windows and images. A sample that it keeps or
        copies has the weight of its original. A synthetic sample has the mean weight of the
        training samples of its class; it is thrown away after the round.
    random_state : int, RandomState instance or None, default=None
        Seed of the networks, of the samplers and of the validation samples. The first k of n
        networks are those of an ensemble of k.

    Attributes
    ----------
    estimators_ : list of fitted networks
        The networks.
    estimator_errors_ : ndarray of shape (n_networks,)
        The weighted training error of each, in [0, 1].
    classes_ : ndarray of shape (n_classes,)
        The labels.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs by which `predict` decides: those of the network, or equal costs.
    validation_rows_ : ndarray of bool of shape (n_samples,) or None
        True for the samples of positive weight that all networks use for validation; None if the
        network needs none.
    n_features_in_ : int
        Number of features (2-D inputs).
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    sklearn.ensemble.AdaBoostClassifier : AdaBoost of trees and other classifiers.
    imblearn.ensemble.RUSBoostClassifier : RUSBoost of trees and other classifiers.
    skimbal.BalancedBaggingNetClassifier : Networks that are trained together.

    Notes
    -----
    The boosting ends early after a network without a training error, and before a network whose
    weighted error is that of chance, 1 - 1 / n_classes, or larger. The first network is kept in any
    case.

    SAMME.R multiplies the weight of a sample by a large number if a network is sure of another
    class, and networks are often sure. With ``learning_rate=1`` the weights can soon be on a few
    samples. On windows of a watch with seven classes and about 595 training samples, the weights
    of the tenth CNN were worth 1.4 samples of equal weight, :math:`(\sum_i w_i)^2 / \sum_i w_i^2`,
    and later networks forgot whole classes. The G-mean was 0.35. With a learning rate of 0.2 it was
    0.75, and with 0.1 it was 0.78, at 52 samples (means over five folds by person). This is the
    published update, and not the limit of the smallest probability: `estimator_errors_` that fall
    toward 0 while staged scores get worse are the sign.

    Networks with `early_stopping`, or with a sampler that needs validation, share one validation
    set. It is drawn once, before any resampling. Its weights follow the same formula, so that the
    epochs of a network are judged by what it is trained for.

    The code that the authors of AdaBoost-CNN have published trains all networks for the same number
    of epochs, and starts from the parameters of the one before with a new optimizer, as here.

    References
    ----------
    .. [1] A. Taherkhani, G. Cosma and T. M. McGinnity 2020, AdaBoost-CNN: An adaptive boosting
       algorithm for convolutional neural networks to classify multi-class imbalanced datasets using
       transfer learning, Neurocomputing 404, doi:10.1016/j.neucom.2020.03.064.
    .. [2] J. Zhu, H. Zou, S. Rosset and T. Hastie 2009, Multi-class AdaBoost, Statistics and Its
       Interface 2(3), doi:10.4310/SII.2009.v2.n3.a8, algorithm 4.
    .. [3] N. V. Chawla, A. Lazarevic, L. O. Hall and K. W. Bowyer 2003, SMOTEBoost: Improving
       prediction of the minority class in boosting, PKDD, doi:10.1007/978-3-540-39804-2_12.
    .. [4] C. Seiffert, T. M. Khoshgoftaar, J. Van Hulse and A. Napolitano 2010, RUSBoost: A hybrid
       approach to alleviating class imbalance, IEEE Transactions on Systems, Man, and Cybernetics A
       40(1), doi:10.1109/TSMCA.2009.2029559.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import AdaBoostNetClassifier, MLPClassifier
    >>> X, y = make_classification(300, weights=[0.9], flip_y=0.1, random_state=0)
    >>> network = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=5)
    >>> boosted = AdaBoostNetClassifier(
    ...     network, n_estimators=3, learning_rate=0.3, random_state=0
    ... ).fit(X, y)
    >>> len(boosted.estimators_), boosted.predict_proba(X).shape
    (3, (300, 2))
    """

    _parameter_constraints: dict = {
        "estimator": "no_validation",
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "transfer": ["boolean"],
        "continued_epochs": [None, Interval(Integral, 1, None, closed="left")],
        "sampler": [None, HasMethods(["fit_resample"])],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: BaseNetClassifier | None = None,
        *,
        n_estimators: int = 10,
        learning_rate: float = 1.0,
        transfer: bool = True,
        continued_epochs: int | None = None,
        sampler: Any = None,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.transfer = transfer
        self.continued_epochs = continued_epochs
        self.sampler = sampler
        self.random_state = random_state

    @classmethod
    def as_published(
        cls, random_state: int | np.random.RandomState | None = None, **changes: Any
    ) -> Self:
        """Return AdaBoost-CNN with the settings of the code that its authors have published.

        The code is at https://github.com/a-taherkhani/AdaBoost_CNN (``test2_CNN.py``).
        Ten networks of one epoch each with Adam and batches of 10, for tables and signals: one
        convolution of 32 filters of size 3, a pool of 2, and dense layers of 128 (with a dropout of
        0.2) and 64 units. Inputs are not standardized. The code has a second dropout of 0.2 behind
        the pool, which is left out here.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            Seed of the networks.
        **changes : dict
            Parameters to set otherwise, such as ``estimator__max_epochs=10`` or another
            `estimator`.

        Returns
        -------
        AdaBoostNetClassifier
            Not fitted.
        """
        published = cls(CNN1DClassifier(**PUBLISHED_NETWORK), random_state=random_state)
        return published.set_params(**changes)

    def _base_estimator(self):
        if self.estimator is not None:
            return self.estimator
        return MLPClassifier(max_epochs=10, early_stopping=False, batch_size=64)

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Train the networks, one after the other.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs, finite, with the shape that the network takes.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the first round, from which the boosting starts.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. Where the network
            needs validation samples, no group is separated.

        Returns
        -------
        self : object
            The fitted ensemble.

        Raises
        ------
        ValueError
            Before any training: for invalid data or parameters, another estimator than a network,
            or a sampler that cannot resample the classes.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        base = self._base_estimator()
        check_network(base)
        with undone_on_error(self):
            X, y, weight, groups = validate_training_data(self, X, y, sample_weight, groups)
            self.classes_, targets = np.unique(y, return_inverse=True)
            check_two_classes(self.classes_.tolist())
            check_training_data(clone(base), X, y)
            check_label_parameters(base, y, is_fold_possible=True)
            rng = check_random_state(self.random_state)
            seed = generator_of_seeds(base, self.random_state, rng).randint(MAX_SEED)
            weight = np.ones(len(y)) if weight is None else weight
            data = WeightedData(X, y, targets, weight / len(y))
            self.validation_rows_ = validation_rows(base, X, y, groups, seed)
            self.estimators_, self.estimator_errors_ = yield from self._boost(data, seed)
            self.cost_matrix_ = self.estimators_[0].cost_matrix_
            if self.cost_matrix_ is None:
                self.cost_matrix_ = cost_matrix_from_costs(np.ones(len(self.classes_)))
        return self

    def _boost(self, data, seed):
        """Train networks until one is perfect or no better than chance (a generator)."""
        train, valid = split(data, self.validation_rows_)
        networks: list = []
        errors: list = []
        for seeds in np.random.SeedSequence(seed).spawn(self.n_estimators):
            rng = np.random.RandomState(seeds.generate_state(1))
            start = networks[-1] if networks and self.transfer else None
            (network,) = yield [self._round(train, valid, start, len(networks), rng)]
            wrong = train.wrong(network)
            error = train.weight[wrong].sum() / train.weight.sum()
            is_chance = error >= 1.0 - 1.0 / len(self.classes_)
            if is_chance and networks:
                break
            networks.append(network)
            errors.append(error)
            if is_chance:
                warn_of_chance(error)
            if is_chance or not wrong.any():
                break
            train = train.reweighted(network, self.learning_rate)
            valid = valid and valid.reweighted(network, self.learning_rate)
        return networks, np.array(errors)

    def _round(self, train, valid, start, n_before, rng):
        """Return the fit of the next network, on resampled data if there is a sampler."""
        network = reseeded(self._base_estimator(), rng)
        if n_before and self.continued_epochs is not None:
            network.set_params(max_epochs=self.continued_epochs)
        X, y, weight = train.X, train.y, train.weight
        if self.sampler is not None:
            X, y, weight = resample(self.sampler, X, y, weight, rng)
        params = {"sample_weight": weight}
        if start is not None:
            params["start"] = start
        if valid is None and is_automatic(network.early_stopping):
            # The rows of `fit` have decided, not those after a sampler, which may be more.
            network.set_params(early_stopping=False)
        if valid is not None:
            params |= {"X_val": valid.X, "y_val": valid.y, "sample_weight_val": valid.weight}
        return Fit(network, X, y, params, is_part=True)

    def _validate_inputs(self, X):
        return validate_arrays(self, X, reset=False)

    def _staged_log_proba(self, X):
        check_is_fitted(self)
        X = self._validate_inputs(X)
        return combined_log_proba(network.predict_log_proba(X) for network in self.estimators_)

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithms of the predicted probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            In the order of `classes_`.
        """
        *_, log_proba = self._staged_log_proba(X)
        return log_proba

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the normalized geometric means of the networks' probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
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
            Log-odds or log-probabilities.
        """
        return log_odds(self.predict_log_proba(X))

    def staged_predict_proba(self, X: ArrayLike) -> Iterator[NDArray[np.float64]]:
        """Yield the probabilities of the first network, of the first two, and so on.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Yields
        ------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        yield from map(np.exp, self._staged_log_proba(X))

    def staged_predict(self, X: ArrayLike) -> Iterator[NDArray]:
        """Yield the labels that the first network predicts, the first two, and so on.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Inputs shaped as in `fit`.

        Yields
        ------
        ndarray of shape (n_samples,)
            Labels.
        """
        for proba in self.staged_predict_proba(X):
            yield self.classes_[decide(proba, self.cost_matrix_)]


def check_network(estimator):
    """Raise a ValueError for a classifier that is no network of this package."""
    if not isinstance(estimator, BaseNetClassifier):
        raise ValueError(
            f"estimator={estimator!r} is no network of this package, so it cannot continue from "
            "the network before; give a network such as MLPClassifier(), or use "
            "sklearn.ensemble.AdaBoostClassifier for other classifiers"
        )


def split(data, is_valid):
    """Split data into those for training and those for validation, None without any."""
    if is_valid is None:
        return data, None
    parts = []
    for rows in (~is_valid, is_valid):
        weight = data.weight[rows]
        parts.append(
            WeightedData(data.X[rows], data.y[rows], data.targets[rows], weight / weight.sum())
        )
    return parts


def warn_of_chance(error):
    """Warn of a first network that is no better than chance."""
    warn(
        f"the first network has the training error {error:.3g}, which is no better than chance, so "
        "the boosting ends with it; use a larger network, more epochs or another learning rate of "
        "the network"
    )
