"""Extreme learning machine whose costs evolve (after Zhang & Zhang 2016)."""

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.utils._param_validation import Interval

from skimbal._utils._random import MAX_SEED
from skimbal.ensemble._elm_base import BaseELMClassifier
from skimbal.ensemble._elm_posteriors import class_scores
from skimbal.ensemble._elm_problem import choose_widths, zong_weights
from skimbal.optim import JADE

# Generations without a lower loss, for each free weight, after which the search ends.
PATIENCE = 10
# Below any difference between two scores: of several weights with one score, those next to "W1".
TIE_BREAK = 1e-6


def weights_of_genes(genes, counts):
    """Weights of the classes: "W1" times the exponentials of 0 and of the genes, with mean 1."""
    weight = np.exp(np.append(0.0, genes)) / counts
    return weight * (counts.sum() / (counts @ weight))


def evolve(loss, bounds, population_size, max_generations, seed):
    """Minimize a function of genes by JADE, which starts at 0 and at random points.

    Returns
    -------
    ndarray of shape (n_genes,)
        The best genes.
    list of float
        The lowest loss after each generation.
    """
    n_genes = len(bounds)
    optimizer = JADE(
        bounds,
        population_size=population_size,
        random_state=seed,
        initial=np.zeros((1, n_genes)),
    )
    lowest: list[float] = []
    for _ in range(max_generations + 1):
        genes = optimizer.ask()
        optimizer.tell(genes, [loss(candidate) for candidate in genes])
        lowest.append(optimizer.best[1])
        if lowest[-1] >= lowest[-1 - PATIENCE * n_genes :][0] and len(lowest) > PATIENCE * n_genes:
            break
    return optimizer.best[0], lowest


class EvolutionaryELMClassifier(BaseELMClassifier):
    r"""Extreme learning machine whose misclassification costs are found by differential evolution.

    The costs are the weights of the classes in the regression of `WeightedELMClassifier`,

    .. math:: \min_\beta \; \|\beta\|^2 + C \sum_i c_{y_i} \|t_i - h(x_i) \beta\|^2 .

    JADE searches :math:`\log c`, from the weights "W1" (inverse class frequencies), for the best
    score of the leave-one-out decisions. `C` and `gamma` are given, or chosen once with the weights
    "W1".

    Parameters
    ----------
    kernel : {"laplacian", "rbf", "poly"} or None, default="laplacian"
        exp(-gamma ||x - z||_1), exp(-gamma ||x - z||^2) or (gamma x z + coef0)^degree. None is
        `n_nodes` random nodes; use it for more than about 7,000 samples.
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
    scoring : str or callable, default="g_mean"
        The score of the leave-one-out decisions that the costs maximize: a name or scikit-learn
        scorer that takes labels.
    max_factor : float > 1, default=100
        The weights that are searched have ratios between 1 / `max_factor` and `max_factor` times
        those of "W1".
    population_size : int, default=10
        Candidates of a generation of JADE, at least 4. Each takes the time of a fit.
    max_generations : int, default=20
        Maximum number of generations. The search ends earlier after 10 generations without a better
        score for each class but one.
    memory_limit : int, default=2147483648
        Bytes of the matrices of a fit. A fit that needs more is refused.
    random_state : int, RandomState instance or None, default=None
        Seed of the nodes and of JADE.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    class_weight_ : ndarray of shape (n_classes,)
        The costs found, scaled so that the mean weight of a sample is 1.
    search_scores_ : ndarray of shape (n_generations,)
        The best leave-one-out score so far, after each generation; the first has the weights "W1".
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
        The same as probabilities. The costs were chosen on them, so their score is optimistic.
    loo_score_ : float
        Score of the decisions on `loo_proba_`.
    cost_matrix_ : ndarray of shape (n_classes, n_classes)
        Equal costs of all errors: the costs found are in the training, not in the decision.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of str
        Names of the features, if X is a frame with names.

    See Also
    --------
    WeightedELMClassifier : The machine with given weights; `tune_costs` moves only the decision.

    Notes
    -----
    Zhang and Zhang evolve a cost matrix by the backtracking search algorithm. Here JADE evolves one
    cost for each true class, and a candidate is scored on leave-one-out decisions in closed form.

    References
    ----------
    L. Zhang and D. Zhang 2016, Evolutionary Cost-Sensitive Extreme Learning Machine, IEEE TNNLS,
    doi:10.1109/TNNLS.2016.2607757.

    W. Zong, G.-B. Huang and Y. Chen 2013, Weighted extreme learning machine for imbalance
    learning, Neurocomputing 101, 229-242, doi:10.1016/j.neucom.2012.08.010.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal.ensemble import EvolutionaryELMClassifier
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> machine = EvolutionaryELMClassifier(max_generations=5, random_state=0).fit(X, y)
    >>> bool(machine.search_scores_[-1] >= machine.search_scores_[0])
    True
    """

    _parameter_constraints: dict = {
        **BaseELMClassifier._parameter_constraints,
        "max_factor": [Interval(Real, 1, None, closed="neither")],
        "population_size": [Interval(Integral, 4, None, closed="left")],
        "max_generations": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        kernel: str | None = "laplacian",
        *,
        encoding: str | None = "rank",
        C: Any = "loo",
        gamma: Any = "loo",
        degree: int = 3,
        coef0: float = 1.0,
        n_nodes: int = 500,
        activation: str = "sigmoid",
        scoring: str | Callable = "g_mean",
        max_factor: float = 100.0,
        population_size: int = 10,
        max_generations: int = 20,
        memory_limit: int = 2**31,
        random_state: int | np.random.RandomState | None = None,
    ):
        self.kernel = kernel
        self.encoding = encoding
        self.C = C
        self.gamma = gamma
        self.degree = degree
        self.coef0 = coef0
        self.n_nodes = n_nodes
        self.activation = activation
        self.scoring = scoring
        self.max_factor = max_factor
        self.population_size = population_size
        self.max_generations = max_generations
        self.memory_limit = memory_limit
        self.random_state = random_state

    def _find_weights(self, problem, samples, rng):
        balanced = zong_weights(problem.counts, "W1")
        C, gamma, _ = choose_widths(problem, balanced, self.C, self.gamma)
        values = problem.features.values(problem.raw, gamma)

        def score(genes):
            ridge = problem.ridge(weights_of_genes(genes, problem.counts), C, values)
            decided = class_scores(ridge.left_out).argmax(axis=1)[samples.row]
            return samples.score(self.scoring, self.classes_, self.classes_[decided])

        reach = np.log(self.max_factor)
        genes, losses = evolve(
            lambda genes: TIE_BREAK * np.abs(genes).mean() - score(genes),
            np.tile([-reach, reach], (len(self.classes_) - 1, 1)),
            self.population_size,
            self.max_generations,
            rng.randint(MAX_SEED),
        )
        self.search_scores_ = -np.array(losses)
        weights = weights_of_genes(genes, problem.counts)
        return weights, C, gamma, problem.ridge(weights, C, values)
