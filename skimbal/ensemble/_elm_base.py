"""What the extreme learning machines share: the regression, its probabilities and its decisions."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from skimbal._utils._fitted_attributes import forget_attributes, undone_on_error
from skimbal._utils._groups import check_groups
from skimbal._utils._number_columns import numbers_needed
from skimbal._utils._validation import check_labels, check_two_classes, check_weights
from skimbal._utils._warnings import warn
from skimbal.ensemble._elm_features import ACTIVATIONS, KERNELS, KernelFeatures, draw_nodes
from skimbal.ensemble._elm_inputs import ENCODINGS, fit_weighted_encoder, join_copies
from skimbal.ensemble._elm_posteriors import fit_slope, log_posteriors, posteriors
from skimbal.ensemble._elm_problem import ELMProblem, check_grid, check_memory, samples_to_score
from skimbal.metrics import check_label_scorer, cost_matrix_from_costs, decide

BYTES = 8


def warn_of_lone(labels):
    """Warn of classes in a single unit, which no machine without it knows."""
    if labels:
        warn(
            f"the classes {labels} have one distinct sample (or group) each, so leave-one-out says "
            "nothing of them: costs stay equal, and loo_score_ counts these samples as they are "
            "seen by a machine that does not know their class; give more samples of them"
        )


class BaseELMClassifier(ClassifierMixin, BaseEstimator, metaclass=ABCMeta):
    """Base of the extreme learning machines: a subclass finds the weights of the classes.

    References
    ----------
    W. Zong, G.-B. Huang and Y. Chen 2013, Weighted extreme learning machine for imbalance
    learning, Neurocomputing 101, doi:10.1016/j.neucom.2012.08.010.
    """

    __metadata_request__fit = {"groups": True}

    _parameter_constraints: dict = {
        "kernel": [None, StrOptions({*KERNELS})],
        "encoding": [None, StrOptions({*ENCODINGS})],
        "C": [StrOptions({"loo"}), Interval(Real, 0, None, closed="neither"), "array-like"],
        "gamma": [
            StrOptions({"scale", "loo"}),
            Interval(Real, 0, None, closed="neither"),
            "array-like",
        ],
        "degree": [Interval(Integral, 1, None, closed="left")],
        "coef0": [Interval(Real, 0, None, closed="left")],
        "n_nodes": [Interval(Integral, 1, None, closed="left")],
        "activation": [StrOptions({*ACTIVATIONS})],
        "scoring": [str, callable],
        "memory_limit": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    @abstractmethod
    def _find_weights(self, problem, samples, rng):
        """Return the weights of the classes, C, gamma and the regression."""

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the machine.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Training inputs, finite.
        y : array-like of shape (n_samples,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples. A weight of 2 is the same as two copies, 0 as no
            sample.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. Samples of one
            group are left out together. Without groups, only copies of a row are.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            Before any computation: for invalid data or parameters, or matrices above
            `memory_limit`. Later: for a `C` that is so large that the regression is singular.

        Warns
        -----
        UserWarning
            For a class with one distinct sample, or in one group. Costs are then not searched.
        """
        self._validate_params()
        for name, words in (("C", "'loo'"), ("gamma", "'scale', 'loo'")):
            check_grid(name, getattr(self, name), words)
        with undone_on_error(self):
            inputs, labels, weight = self._validate_training_data(X, y, sample_weight)
            units = check_groups(groups, labels)
            used = weight > 0
            inputs, labels, weight = inputs[used], labels[used], weight[used]
            units = None if units is None else units[used]
            self.classes_, codes = np.unique(labels, return_inverse=True)
            check_two_classes(self.classes_.tolist())
            check_label_scorer(self.scoring, self.classes_.tolist())
            data = join_copies(inputs, codes, len(self.classes_), weight, units)
            n_nodes = self.n_nodes if self.kernel is None else None
            check_memory(len(data.X), n_nodes, self.memory_limit)
            warn_of_lone(self.classes_[data.is_lone()].tolist())
            given = None if sample_weight is None else weight
            samples = samples_to_score(self.scoring, self.classes_, data, labels, given)
            self._fit_rows(data, samples, used)
        return self

    def _validate_training_data(self, X, y, sample_weight):
        with numbers_needed(self, X):
            X, y = validate_data(self, X, y, dtype=np.float64)
        y = check_labels(y)
        sample_weight = check_weights(sample_weight, y)
        return X, y, np.ones(len(y)) if sample_weight is None else sample_weight.astype(np.float64)

    def _fit_rows(self, data, samples, used):
        """Find weights and widths, and publish the regression and what it says left out."""
        n_classes = len(self.classes_)
        rng = check_random_state(self.random_state)
        self.encoder_ = fit_weighted_encoder(self.encoding, data.X, data.weight)
        encoded = data.X if self.encoder_ is None else self.encoder_.transform(data.X)
        if self.kernel is None:
            self.features_ = draw_nodes(encoded.shape[1], self.n_nodes, self.activation, rng)
        else:
            self.features_ = KernelFeatures(self.kernel, self.degree, self.coef0, encoded)
        problem = ELMProblem(data, self.features_, self.features_.raw(encoded))
        self.class_weight_, self.C_, self.gamma_, ridge = self._find_weights(problem, samples, rng)
        self.output_weights_ = ridge.coefficients
        self.slope_ = fit_slope(
            ridge.left_out, data.class_sums * ~data.is_lone(), self.class_weight_
        )
        left_out = np.full((len(used), ridge.left_out.shape[1]), np.nan)
        left_out[used] = ridge.left_out[data.row_of_sample]
        self.loo_decision_ = left_out[:, 0] if left_out.shape[1] == 1 else left_out
        self.loo_proba_ = posteriors(left_out, self.slope_)
        proba = posteriors(ridge.left_out, self.slope_)[samples.row]
        forget_attributes(self, ("costs_",))
        costs = None if data.is_lone().any() else self._find_costs(proba, samples, rng)
        if costs is not None:
            self.costs_ = costs
        self.cost_matrix_ = cost_matrix_from_costs(np.ones(n_classes) if costs is None else costs)
        decided = self.classes_[decide(proba, self.cost_matrix_)]
        self.loo_score_ = samples.score(self.scoring, self.classes_, decided)

    def _find_costs(self, proba, samples, rng) -> Any:
        """Return costs of the decisions that are found on `loo_proba_`, or None."""
        return None

    def _decision(self, X):
        """Decision values of shape (n_samples, 1) or (n_samples, n_classes)."""
        check_is_fitted(self)
        with numbers_needed(self, X):
            X = validate_data(self, X, reset=False, dtype=np.float64)
        X = X if self.encoder_ is None else self.encoder_.transform(X)
        n_at_once = max(1, self.memory_limit // (2 * BYTES * len(self.output_weights_)))
        parts = [
            self.features_.values(self.features_.raw(X[first : first + n_at_once]), self.gamma_)
            @ self.output_weights_
            for first in range(0, len(X), n_at_once)
        ]
        return np.concatenate(parts)

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the outputs of the machine, which is trained on the targets -1 and 1.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the output of ``classes_[1]``, else one for each class.
        """
        decision = self._decision(X)
        return decision[:, 0] if decision.shape[1] == 1 else decision

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the probabilities of the classes, the softmax of `slope_` times the outputs.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        return posteriors(self._decision(X), self.slope_)

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithms of `predict_proba`."""
        return log_posteriors(self._decision(X), self.slope_)

    def predict(self, X: ArrayLike) -> NDArray:
        """Return the label of each sample.

        It is the label with the largest output or, with costs, with the lowest expected cost.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Inputs.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[decide(proba, self.cost_matrix_)]
