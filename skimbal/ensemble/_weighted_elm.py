"""Weighted extreme learning machine (Zong, Huang & Chen 2013)."""

from collections.abc import Callable
from numbers import Real
from typing import Any, Self

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal._utils._random import MAX_SEED
from skimbal.cost_sensitive import find_costs
from skimbal.ensemble._elm_base import BaseELMClassifier
from skimbal.ensemble._elm_problem import choose_widths, zong_weights


class WeightedELMClassifier(BaseELMClassifier):
    r"""Weighted extreme learning machine, with closed-form leave-one-out.

    A weighted ridge regression on fixed features h(x), of targets that are 1 for a sample's class
    and -1 for the others,

    .. math:: \min_\beta \; \|\beta\|^2 + C \sum_i w_{y_i} \|t_i - h(x_i) \beta\|^2 .

    The features are those of a kernel, or random nodes. The weights :math:`w` make up for the
    imbalance of the classes. There is no iteration: a fit solves one linear system for each pair of
    `C` and `gamma`, and its inverse also gives the predictions of all machines that lack one
    sample.

    Parameters
    ----------
    kernel : {"laplacian", "rbf", "poly"} or None, default="laplacian"
        exp(-gamma ||x - z||_1), exp(-gamma ||x - z||^2) or (gamma x z + coef0)^degree. None is
        `n_nodes` random nodes; use it for more than about 7,000 samples.
    weighting : {"W1", "W2"} or None, default="W1"
        Weights of the classes: 1 / n_c ("W1"), the same times 0.618 for classes larger than the
        mean ("W2"), or equal. They are scaled to a mean of 1 over the samples, so that `C` has the
        same meaning for each.
    encoding : {"rank", "standard", "minmax"} or None, default="rank"
        The features that the kernel or the nodes get: normal quantiles of the ranks, mean 0 and
        standard deviation 1, the range [-1, 1], or unchanged.
    C : float > 0, "loo" or array-like, default="loo"
        Weight of the errors against the norm of the coefficients (1 / C is the ridge). "loo"
        chooses from 2^-6, 2^-4, ..., 2^10 by the lowest weighted squared leave-one-out error
        (PRESS). An array has the values to choose from.
    gamma : float > 0, "scale", "loo" or array-like, default="loo"
        Width of the kernel, or factor of the inputs of the nodes. "scale" is 1 / mean distance of
        two training rows ("poly": 1 / mean squared norm; nodes: 1 / root mean square of their
        inputs). "loo" chooses from 1/8 to 8 times this value, with the middle value of `C`, and
        then `C`. An array has the values to choose from.
    degree : int, default=3
        Of "poly".
    coef0 : float >= 0, default=1
        Of "poly".
    n_nodes : int, default=500
        Random nodes of ``kernel=None``.
    activation : {"sigmoid", "tanh", "relu"}, default="sigmoid"
        Activation of the nodes.
    tune_costs : bool, default=True
        Whether to find misclassification costs on `loo_proba_`, by which `predict` then decides.
        This needs no further fit. Without costs the largest output decides, as in the article.
    scoring : str or callable, default="g_mean"
        The score `loo_score_`, for which costs are found: a name or scikit-learn scorer that takes
        labels.
    shrinkage : float in [0, 1], default=0.5
        Moves the log costs from the optimum (0) toward the costs that make up for the imbalance
        (1), measured on `loo_proba_`. See `find_costs`.
    memory_limit : int, default=2147483648
        Bytes of the matrices of a fit. A fit that needs more is refused.
    random_state : int, RandomState instance or None, default=None
        Seed of the nodes, and of the cost search for more than two classes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    class_weight_ : ndarray of shape (n_classes,)
        The weights of the classes.
    C_, gamma_ : float
        The values given or chosen.
    encoder_ : transformer or None
        The transformer of the inputs.
    features_ : object
        The kernel with its training rows, or the nodes.
    output_weights_ : ndarray of shape (n_rows, n_outputs) or (n_nodes, n_outputs)
        Weights of the kernel values, or of the nodes. Two classes have one output.
    slope_ : float
        The probabilities are the softmax (two classes: the sigmoid) of `slope_` times the outputs.
        It has the largest likelihood on `loo_decision_`.
    loo_decision_ : ndarray of shape (n_samples,) or (n_samples, n_classes)
        Output for each training sample of the machine without it, its copies and its group. NaN for
        samples of weight 0.
    loo_proba_ : ndarray of shape (n_samples, n_classes)
        The same as probabilities; `find_costs` and curves can use them as held-out probabilities.
    loo_score_ : float
        Score of the decisions on `loo_proba_`.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        The costs by which `predict` decides.
    costs_ : ndarray of shape (n_classes,)
        The costs found, with geometric mean 1 (`tune_costs`).
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    EvolutionaryELMClassifier : Finds the weights of the classes by a search.

    Notes
    -----
    The weights of the classes, the encoding and the width of "scale" are those of all samples; only
    the regression is without the sample. `slope_` is one number that is fitted on all of
    `loo_decision_`, weighted as in the training, and there is no offset. With "W1" the
    probabilities therefore lie between those of balanced classes and those of the data: the larger
    `C` is, the less the weights do for a row that is left out. The costs of `tune_costs` make up
    for it, because they are measured on `loo_proba_`.

    The article does not scale the weights: with "W1", K classes and n samples, its C is n / K times
    the one here.

    References
    ----------
    W. Zong, G.-B. Huang and Y. Chen 2013, Weighted extreme learning machine for imbalance
    learning, Neurocomputing 101, 229-242, doi:10.1016/j.neucom.2012.08.010.

    C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger 2017, On Calibration of Modern Neural Networks,
    ICML, arXiv:1706.04599 (temperature scaling: `slope_`).

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal.ensemble import WeightedELMClassifier
    >>> X, y = make_classification(300, weights=[0.95], random_state=0)
    >>> machine = WeightedELMClassifier().fit(X, y)
    >>> machine.loo_proba_.shape, bool(machine.loo_score_ > 0.5)
    ((300, 2), True)
    """

    _parameter_constraints: dict = {
        **BaseELMClassifier._parameter_constraints,
        "weighting": [None, StrOptions({"W1", "W2"})],
        "tune_costs": ["boolean"],
        "shrinkage": [Interval(Real, 0, 1, closed="both")],
    }

    def __init__(
        self,
        kernel: str | None = "laplacian",
        *,
        weighting: str | None = "W1",
        encoding: str | None = "rank",
        C: Any = "loo",
        gamma: Any = "loo",
        degree: int = 3,
        coef0: float = 1.0,
        n_nodes: int = 500,
        activation: str = "sigmoid",
        tune_costs: bool = True,
        scoring: str | Callable = "g_mean",
        shrinkage: float = 0.5,
        memory_limit: int = 2**31,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.kernel = kernel
        self.weighting = weighting
        self.encoding = encoding
        self.C = C
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.n_nodes = n_nodes
        self.activation = activation
        self.tune_costs = tune_costs
        self.scoring = scoring
        self.shrinkage = shrinkage
        self.memory_limit = memory_limit
        self.random_state = random_state

    @classmethod
    def as_published(
        cls, random_state: int | np.random.RandomState | None = None, **changes: Any
    ) -> Self:
        """Return a machine with what is known here of the article's settings.

        The Gaussian kernel, the weights "W1", and the class with the largest output as the
        decision, without costs. With ``kernel=None`` it has sigmoid nodes, the other form of the
        article. The encoding of the inputs and the choice of `C`, `gamma` and `n_nodes` are those
        of this package.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            Seed of the nodes.
        **changes : dict
            Parameters to set otherwise, such as ``weighting="W2"``.

        Returns
        -------
        WeightedELMClassifier
            Not fitted.
        """
        published = {"kernel": "rbf", "weighting": "W1", "tune_costs": False}
        return cls(**{**published, "random_state": random_state, **changes})

    def _find_weights(self, problem, samples, rng):
        class_weight = zong_weights(problem.counts, self.weighting)
        return class_weight, *choose_widths(problem, class_weight, self.C, self.gamma)

    def _find_costs(self, proba, samples, rng):
        if not self.tune_costs:
            return None
        return find_costs(
            samples.labels,
            proba,
            scoring=self.scoring,
            shrinkage=self.shrinkage,
            classes=self.classes_,
            sample_weight=samples.weight,
            random_state=rng.randint(MAX_SEED),
        ).costs
