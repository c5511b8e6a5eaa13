"""Evolutionary cost-sensitive deep belief network (ECS-DBN)."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import check_is_fitted, validate_data

from skimbal._fitting import run_fit
from skimbal._utils._fitted_attributes import copy_attributes
from skimbal._utils._groups import check_groups
from skimbal._utils._number_columns import numbers_needed
from skimbal._utils._validation import check_labels, check_weights
from skimbal.cost_sensitive._base import INPUT_ATTRIBUTES, BaseCostClassifier
from skimbal.cost_sensitive._find_costs import SEARCH_CONSTRAINTS
from skimbal.cost_sensitive._tuned_cost import TunedCostClassifierCV
from skimbal.neural_network import DBNClassifier, check_training_data

COST_PARAMETERS = (*SEARCH_CONSTRAINTS, "scoring", "n_jobs", "refit", "random_state")
FLOATS = [np.float64, np.float32]
ALL_METADATA = {"sample_weight": True, "X_val": True, "y_val": True, "sample_weight_val": True}
FITTED_ATTRIBUTES = (
    *("estimator_", "classes_", "costs_", "cost_matrix_", "best_score_", "unregularized_score_"),
    *("cv_results_", "n_folds_", "fold_costs_"),
)


class ECSDBNClassifier(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseCostClassifier):
    """Evolutionary cost-sensitive deep belief network.

    A deep belief network whose misclassification costs are found by adaptive differential
    evolution, so that its decisions argmax_j p_j c_j have the best score. By default the costs are
    found on samples that the networks of an inner cross-validation did not train on. The published
    protocol, ``cost_cv="train"``, finds them on the training samples, where costs change almost no
    decision once the network fits these samples. The class is `TunedCostClassifierCV` around
    `DBNClassifier` with the parameters of both.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 32)
        Units of each hidden layer, one restricted Boltzmann machine each.
    visible : {"auto", "bernoulli", "gaussian"}, default="auto"
        Visible units of the lowest machine. "bernoulli" takes inputs in [0, 1] as they are, checks
        this in `fit` and clips in `predict`; "gaussian" takes real ones; "auto" is "bernoulli" if
        all inputs are 0 or 1, else "gaussian".
    pretrain_epochs : int, default=50
        Epochs of pre-training of each layer; with 0, the network is a perceptron with sigmoid
        units.
    pretrain_learning_rate : "auto" or float > 0, default="auto"
        Step size of the pre-training. "auto" is 0.02; for Gaussian visible units and more than 64
        hidden ones it is 0.02 * 64 / n_hidden, because a larger step diverges in wide machines.
    pretrain_momentum : float in [0, 1), default=0.5
        Momentum of the pre-training.
    pretrain_weight_decay : float >= 0, default=0.0001
        Weight decay of the pre-training.
    pretrain_class_weight : None, "balanced", "effective", dict or array-like, default=None
        Weight of each class in the pre-training, in the forms of `class_weight`. Only their ratios
        matter.
    n_gibbs_steps : int, default=1
        Steps k of contrastive divergence (CD-k).
    persistent : bool, default=False
        Whether the chains continue from batch to batch (persistent CD) or start at the data.
    dropout : float in [0, 1), default=0.0
        Probability of dropping a hidden unit in fine-tuning.
    loss : str, value of `skimbal.losses` or torch.nn.Module, default="cross_entropy"
        Name or value: see `skimbal.losses.all_losses`. A module is called with logits and targets.
    class_weight : None, "balanced", "effective", dict or array-like, default=None
        Weight of each class in the loss, from the labels of each `fit`. "balanced" is the inverse
        class frequency, "effective" the inverse effective number of samples. Both are scaled so
        that the mean weight of a sample is 1. A dict or a Series maps labels to weights; labels
        that it does not name have weight 1. An array of shape (n_classes,) follows `classes_`.
    probabilities : {"training", "data"}, default="training"
        Class frequencies that the predicted probabilities are for. Class weights, a sampler and
        balancing losses change those of the training. "data" corrects the probabilities to the
        class frequencies of the labels in `fit`, before costs decide. It needs a loss that
        estimates posteriors, such as cross entropy or logit adjustment.
    sampler : None, str or value of `skimbal.sampling`, default=None
        Classes that the rows of an epoch are drawn from: "balanced", "sqrt", "progressive",
        "dynamic" or "two_phase". None takes each row once. "dynamic" holds out
        `validation_fraction` of the samples. Samplers of imbalanced-learn belong in pipelines.
    augmentation : str, value of `skimbal.augmentation`, callable or list, default=()
        Random changes of the training samples, in this order, drawn anew in each epoch: names or
        values such as ``Noise(0.1)``, or functions ``f(X, generator)``. See
        `skimbal.augmentation`. Validation and prediction use the samples as they are.
    mixup : float >= 0, default=0.0
        Above 0, the network is trained on mixtures of two samples and of their losses. The shares
        are drawn from Beta(mixup, mixup) (Zhang et al. 2018, arXiv:1710.09412).
    standardize : "auto", "robust" or bool, default="auto"
        Whether inputs are brought to mean 0 and standard deviation 1 of the training data: per
        feature for 2-D inputs, per channel for n-d inputs. With "auto", a feature that has 0 in
        most training samples and one other value in all the rest is only divided by that value: a
        one-hot column stays as it is. "robust" is "auto" with the median and the range of the
        quartiles in place of the mean and the deviation; where the quartiles are equal, it divides
        by half of the whole range. Then x becomes x / sqrt(1 + (x / 3)^2), so that no value is
        beyond 3 (Holzmueller et al. 2024, arXiv:2407.04491).
    optimizer : {"adam", "adamw", "sgd", "adagrad", "rmsprop"} or callable, default="adam"
        Optimizer, or a class of `torch.optim`.
    learning_rate : float > 0, default=0.003
        Step size of the optimizer.
    learning_rate_schedule : None, "cosine", "exponential", "step" or callable, default=None
        Factor of the step size by epoch. "cosine" falls to 0 like a cosine, "exponential" falls to
        0.01 by the same factor in every epoch, and "step" rises over five epochs and falls to a
        hundredth after 80 and 90 % of the epochs each. A callable is given the epoch, from 1, and
        `max_epochs`.
    weight_decay : float >= 0, default=0.0001
        Weight decay of the optimizer.
    batch_size : int or "auto", default=128
        Samples of a mini-batch. "auto" is 64 for fewer than 100,000 training samples, and 256 from
        there on.
    max_epochs : int, default=100
        Epochs of training.
    early_stopping : bool or "auto", default=False
        Whether to hold out `validation_fraction` of the samples, stratified, to stop when
        validation no longer improves, and to restore the best weights. "auto" does so for tables
        (2-D inputs) of at least 10,000 samples if each class can be held out, and where `fit` is
        given validation data. `partial_fit` never does.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the samples held out.
    n_iter_no_change : int or "auto", default=10
        Epochs without improvement after which early stopping ends the training. "auto" is 30 with
        ``early_stopping="auto"``, and else 10.
    scoring : str or callable, default="g_mean"
        The score that the costs maximize, and with `early_stopping` also the epochs: a name or
        scikit-learn scorer that takes labels.
    cost_cv : int, float, splitter, iterable or "train", default=5
        Where the probabilities come from on which the costs are found: `cv` of
        `TunedCostClassifierCV`.
    search : {"auto", "exact", "jade", "grid"}, default="jade"
        How costs are searched: "exact" for two classes, "jade" (adaptive differential evolution)
        or "grid". "auto" is "exact" for two classes, else "jade". See `find_costs`.
    cost_space : {"log_ratio", "unit"}, default="log_ratio"
        Where "jade" searches: log cost ratios, or costs in (0, 1] as in the ECS-DBN paper.
    shrinkage : float in [0, 1], default=0.5
        Moves the log costs from the optimum (0) toward the costs that make up for the imbalance
        (1). These are measured on the held-out probabilities: the inverse class frequencies for a
        calibrated classifier, equal costs for one that balances the classes. See `find_costs`.
    population_size : int, default=30
        Candidates in a generation of "jade".
    max_generations : int, default=200
        Maximum number of generations of "jade".
    n_jobs : int, default=None
        Inner folds trained in parallel, by joblib.
    refit : bool or "ensemble", default="ensemble"
        "ensemble" averages the probabilities of the networks of the inner folds. True trains
        another network on all samples. See `refit` of `TunedCostClassifierCV`.
    device : str or torch.device, default="auto"
        "cpu", "cuda", "cuda:<index>" or "mps"; "auto" is the first CUDA card if there is one.
    n_threads : int, default=1
        Threads of torch in `fit` and `predict`.
    callbacks : list of skorch callbacks or None, default=None
        Called in training as skorch calls them. A function that makes a callback can stand for one
        that can't be cloned. A network whose callbacks may change the training is trained alone.
    verbose : int, default=0
        Above 0, a progress bar over the epochs shows loss and score.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches, dropout, sampling and the validation split.

    Attributes
    ----------
    estimator_ : classifier
        The networks of the inner folds as one classifier, with `estimator_.estimators_`; the
        `DBNClassifier` itself where there is a single one.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    costs_ : ndarray of shape (n_classes,)
        The costs found, with geometric mean 1.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The same costs as a matrix, by which `predict` decides.
    best_score_, unregularized_score_ : float
        Score of `costs_` on the held-out samples, and the best score before shrinkage.
    cv_results_ : dict of ndarray
        Every candidate: "costs", "score" and "generation".
    fold_costs_ : ndarray of shape (n_folds, n_classes)
        The costs that each inner fold by itself would have chosen.
    n_folds_ : int
        Number of inner folds; 0 for "train".
    n_features_in_ : int
        Number of features (2-D inputs).
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    TunedCostClassifierCV : The same for any classifier with `predict_proba`.

    References
    ----------
    C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A Cost-Sensitive Deep Belief Network for
    Imbalanced Classification, IEEE TNNLS 30(1), doi:10.1109/TNNLS.2018.2832648, algorithm 1.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import ECSDBNClassifier
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> network = ECSDBNClassifier(
    ...     pretrain_epochs=5, max_epochs=10, cost_cv=2, random_state=0
    ... ).fit(X, y)
    >>> network.costs_.shape, len(network.estimator_.estimators_)
    ((2,), 2)
    >>> bool(network.best_score_ <= network.unregularized_score_)
    True
    """

    _parameter_constraints: dict = {
        **{k: v for k, v in DBNClassifier._parameter_constraints.items() if k != "cost_matrix"},
        **SEARCH_CONSTRAINTS,
        "scoring": [str, callable],
        "cost_cv": ["cv_object", StrOptions({"train"}), Interval(Real, 0, 1, closed="neither")],
        "n_jobs": [Integral, None],
        "refit": TunedCostClassifierCV._parameter_constraints["refit"],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] | int = (64, 32),
        visible: str = "auto",
        pretrain_epochs: int = 50,
        pretrain_learning_rate: float | str = "auto",
        pretrain_momentum: float = 0.5,
        pretrain_weight_decay: float = 1e-4,
        pretrain_class_weight: str | dict | ArrayLike | None = None,
        n_gibbs_steps: int = 1,
        persistent: bool = False,
        dropout: float = 0.0,
        loss: Any = "cross_entropy",
        class_weight: str | dict | ArrayLike | None = None,
        probabilities: str = "training",
        sampler: Any = None,
        augmentation: Any = (),
        mixup: float = 0.0,
        standardize: bool | str = "auto",
        optimizer: str | Callable = "adam",
        learning_rate: float = 3e-3,
        learning_rate_schedule: str | Callable | None = None,
        weight_decay: float = 1e-4,
        batch_size: int | str = 128,
        max_epochs: int = 100,
        early_stopping: bool | str = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | str = 10,
        scoring: str | Callable = "g_mean",
        cost_cv: Any = 5,
        search: str = "jade",
        cost_space: str = "log_ratio",
        shrinkage: float = 0.5,
        population_size: int = 30,
        max_generations: int = 200,
        n_jobs: int | None = None,
        refit: bool | str = "ensemble",
        device: Any = "auto",
        n_threads: int = 1,
        callbacks: list | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_momentum = pretrain_momentum
        self.pretrain_weight_decay = pretrain_weight_decay
        self.pretrain_class_weight = pretrain_class_weight
        self.n_gibbs_steps = n_gibbs_steps
        self.persistent = persistent
        self.dropout = dropout
        self.loss = loss
        self.class_weight = class_weight
        self.probabilities = probabilities
        self.sampler = sampler
        self.augmentation = augmentation
        self.mixup = mixup
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.cost_cv = cost_cv
        self.search = search
        self.cost_space = cost_space
        self.shrinkage = shrinkage
        self.population_size = population_size
        self.max_generations = max_generations
        self.n_jobs = n_jobs
        self.refit = refit
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    @classmethod
    def as_published(
        cls, random_state: int | np.random.RandomState | None = None, **changes
    ) -> Self:
        """Return a network with the settings and the protocol of the paper.

        The network is `DBNClassifier.as_published`. The costs are searched by JADE in the unit
        box, on the probabilities of the training samples, and are not shrunk.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            Seed of everything.
        **changes : dict
            Other values of parameters; with ``cost_cv=5`` the costs of the same network are found
            on held-out samples.

        Returns
        -------
        ECSDBNClassifier
            Not fitted.
        """
        network = DBNClassifier.as_published(random_state).get_params(deep=False)
        del network["cost_matrix"], network["forgetting_half_life"]  # those of a single network
        protocol = {"cost_cv": "train", "cost_space": "unit", "shrinkage": 0.0, "refit": True}
        return cls(**{**network, "scoring": "g_mean", **protocol, **changes})

    def _base_estimator(self):
        own = self.get_params(deep=False)
        network = {name: own[name] for name in DBNClassifier().get_params() if name in own}
        if not self.early_stopping:  # else the network would record its score in every epoch
            network["scoring"] = None
        network = DBNClassifier(**network)
        return network.set_fit_request(**ALL_METADATA) if _routing_enabled() else network

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
        *,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Train the network and find its costs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs, finite.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the training and in the score.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. No inner fold
            and no validation set of `early_stopping` separates samples of one group.
        X_val, y_val, sample_weight_val : array-like, default=None
            Validation data of your own for `early_stopping`: see `DBNClassifier.fit`.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            For invalid data or parameters, before any training.
        """
        own = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        fit = self._fit_coroutine(X, y, sample_weight, groups, **own)
        return run_fit(fit, n_jobs=self.n_jobs)

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **own_validation):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        network = self._base_estimator()
        check_training_data(network, X, y, sample_weight)
        network.visible = network.visible_  # so that "auto" is the same in every inner fold
        X, y = as_floats(X), check_labels(y)
        sample_weight, groups = check_weights(sample_weight, y), check_groups(groups, y)
        own = {name: value for name, value in own_validation.items() if value is not None}
        if "X_val" in own:  # the networks are trained on arrays, which have no names of columns
            with numbers_needed(network, own["X_val"]):
                own["X_val"] = validate_data(
                    network, own["X_val"], reset=False, dtype=FLOATS, accept_sparse="csr"
                )
        options = {name: getattr(self, name) for name in COST_PARAMETERS}
        tuned = TunedCostClassifierCV(network, cv=self.cost_cv, **options)
        yield from tuned._fit_checked_coroutine(X, y, sample_weight, groups, **own)
        # The networks were trained on arrays; they know the features as those of X.
        for fitted in getattr(tuned.estimator_, "estimators_", [tuned.estimator_]):
            copy_attributes(network, fitted, INPUT_ATTRIBUTES)
        copy_attributes(tuned, self, FITTED_ATTRIBUTES)
        copy_attributes(network, self, INPUT_ATTRIBUTES)
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the activations before the last layer, of all networks side by side.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_networks * n_units)
            Activations in float64.
        """
        check_is_fitted(self)
        return self.estimator_.transform(X)

    @property
    def _n_features_out(self):
        return self.estimator_._n_features_out


def as_floats(X):
    """Return inputs that are validated already as an array, or CSR, of float32 or float64."""
    X = X.tocsr() if issparse(X) else np.asarray(X)
    return X if X.dtype in FLOATS else X.astype(np.float64)
