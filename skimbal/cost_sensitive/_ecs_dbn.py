"""Evolutionary cost-sensitive deep belief network (ECS-DBN)."""

from numbers import Integral

from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skimbal.cost_sensitive._base import BaseCostClassifier
from skimbal.cost_sensitive._find_costs import SEARCH_CONSTRAINTS
from skimbal.cost_sensitive._tuned_cost import TunedCostClassifierCV
from skimbal.neural_network import DBNClassifier

COST_PARAMETERS = (
    "search",
    "cost_space",
    "shrinkage",
    "population_size",
    "max_generations",
    "n_jobs",
)


class ECSDBNClassifier(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseCostClassifier):
    """placeholder"""

    _parameter_constraints: dict = {
        **{k: v for k, v in DBNClassifier._parameter_constraints.items() if k != "cost_matrix"},
        **SEARCH_CONSTRAINTS,
        "scoring": [str, callable],
        "cost_cv": ["cv_object", StrOptions({"train"})],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes=(64, 32),
        visible="auto",
        pretrain_epochs=100,
        pretrain_learning_rate=0.01,
        pretrain_momentum=0.5,
        pretrain_weight_decay=1e-4,
        n_gibbs_steps=1,
        persistent=False,
        dropout=0.0,
        loss="cross_entropy",
        class_weight=None,
        sampler=None,
        standardize=True,
        optimizer="adam",
        learning_rate=1e-3,
        weight_decay=1e-4,
        batch_size=64,
        max_epochs=100,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        scoring="g_mean",
        cost_cv=5,
        search="jade",
        cost_space="log_ratio",
        shrinkage=0.0,
        population_size=30,
        max_generations=200,
        n_jobs=None,
        device="auto",
        n_threads=1,
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_momentum = pretrain_momentum
        self.pretrain_weight_decay = pretrain_weight_decay
        self.n_gibbs_steps = n_gibbs_steps
        self.persistent = persistent
        self.dropout = dropout
        self.loss = loss
        self.class_weight = class_weight
        self.sampler = sampler
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
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
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    def _base_estimator(self):
        own = self.get_params(deep=False)
        network = {name: own[name] for name in DBNClassifier().get_params() if name in own}
        return DBNClassifier(**network)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train the network and find its costs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs, finite.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the training and in the score.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            For invalid data or parameters, before any training.
        """
        tuned = TunedCostClassifierCV(
            self._base_estimator(),
            scoring=self.scoring,
            cv=self.cost_cv,
            random_state=self.random_state,
            **{name: getattr(self, name) for name in COST_PARAMETERS},
        ).fit(X, y, sample_weight)
        for name, value in vars(tuned).items():
            if name.endswith("_") and not name.endswith("__"):
                setattr(self, name, value)
        return self

    def transform(self, X):
        """Return the activations before the last layer, shape (n_samples, n_units)."""
        check_is_fitted(self)
        return self.estimator_.transform(X)

    @property
    def _n_features_out(self):
        return self.estimator_._n_features_out
