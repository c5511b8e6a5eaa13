"""Scores and expected cost over the threshold on the probability of the rare class."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import confusion_matrix_at_thresholds
from sklearn.utils.validation import _check_sample_weight

from skimbal._utils._labels import matrix_by_label
from skimbal._utils._validation import check_cost_matrix, regret_matrix
from skimbal.inspection._drawing import VERMILION, series_styles, single_axes
from skimbal.inspection._inputs import (
    check_labels_of_display,
    check_proba,
    predicted_probabilities,
    score_decisions,
    score_name,
    scoring_list,
)
from skimbal.metrics import confusion_score

DEFAULT_SCORES = ("g_mean", "minority_precision", "minority_recall")
MAX_TRIED = 200  # thresholds at which a score is called that is not a function of the confusion


def threshold_of_costs(cost_matrix: ArrayLike, positive: int = 1) -> float:
    """Probability of the positive class from which on predicting it has the lower expected cost.

    (C_np - C_nn) / (C_np - C_nn + C_pn - C_pp), with rows as the true classes (Elkan 2001, eq. 2).

    >>> threshold_of_costs([[0, 1], [9, 0]])
    0.1
    >>> threshold_of_costs([[0, 1], [0, -9]])
    0.1
    """
    regrets = regret_matrix(np.asarray(cost_matrix, dtype=np.float64))
    false_alarm, miss = regrets[1 - positive, positive], regrets[positive, 1 - positive]
    return float(false_alarm / (false_alarm + miss))


class ThresholdCurveDisplay:
    """Scores, and the expected cost, over the decision threshold of two classes.

    The threshold is on the predicted probability of the positive class, which is the rarer one if
    it is not named. The chosen threshold, that of the costs, is marked; so is the one with the
    lowest expected cost on the samples of the display.

    Use :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_results` to make one.

    Parameters
    ----------
    thresholds : ndarray of shape (n_thresholds,)
        Rising.
    scores : dict of str to ndarray of shape (n_thresholds,)
        Scores by name.
    expected_costs : ndarray of shape (n_thresholds,) or None, default=None
        Mean cost of a sample, drawn on an axis at the right.
    chosen : float or None, default=None
        The threshold to mark.
    pos_label : label, default=None
        The positive class, for the label of the axis.

    Attributes
    ----------
    ax_ : Axes
        Axes of the scores.
    cost_ax_ : Axes or None
        Axes of the expected cost.
    figure_ : Figure
        The figure.
    lines_ : list of Line2D
        A line for each score.
    cost_line_, chosen_line_, best_mark_ : Line2D or None
        The expected cost, the chosen threshold and the point of the lowest expected cost.

    See Also
    --------
    CostSurfaceDisplay : Scores over costs, for any number of classes.

    References
    ----------
    C. Elkan, "The Foundations of Cost-Sensitive Learning", IJCAI 2001, pp. 973-978, eq. 2.
    https://dl.acm.org/doi/10.5555/1642194.1642224

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.inspection import ThresholdCurveDisplay
    >>> display = ThresholdCurveDisplay(np.array([0.1, 0.5]), {"G-mean": np.array([0.9, 0.7])})
    >>> display.plot().ax_.get_ylabel()  # doctest: +SKIP
    'score'
    """

    def __init__(
        self,
        thresholds: NDArray,
        scores: Mapping[str, NDArray],
        expected_costs: NDArray | None = None,
        *,
        chosen: float | None = None,
        pos_label: Any = None,
    ):
        self.thresholds = thresholds
        self.scores = scores
        self.expected_costs = expected_costs
        self.chosen = chosen
        self.pos_label = pos_label

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: ArrayLike, y: ArrayLike, *, ax: Any = None, **options: Any
    ) -> "ThresholdCurveDisplay":
        """Draw the curves of a fitted classifier of two classes.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba``. Its ``cost_matrix_`` is used, if it has one and no other
            is given.
        X : array-like of shape (n_samples, ...)
            Samples that the classifier was not trained on.
        y : array-like of shape (n_samples,)
            Their labels.
        ax : Axes or None, default=None
            Where to draw.
        **options : dict
            Keywords of :meth:`from_predictions`.

        Returns
        -------
        display : ThresholdCurveDisplay
        """
        classes, _, _ = check_labels_of_display(y)
        proba = predicted_probabilities(estimator, X, classes)
        options.setdefault("cost_matrix", getattr(estimator, "cost_matrix_", None))
        return cls.from_predictions(y, proba, ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        proba: ArrayLike,
        *,
        cost_matrix: ArrayLike | Mapping | None = None,
        scoring: str | Callable | Sequence = DEFAULT_SCORES,
        pos_label: Any = None,
        sample_weight: ArrayLike | None = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> "ThresholdCurveDisplay":
        """Draw the curves of predicted probabilities of two classes.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels of two classes.
        proba : array-like of shape (n_samples, 2) or (n_samples,)
            Predicted probabilities in the order of the sorted labels, or those of the second label.
        cost_matrix : array-like of shape (2, 2), frame, dict or None, default=None
            Cost of predicting each label (column) for each true label (row), for the expected cost
            and the chosen threshold.
        scoring : str, callable or list of them, \
                default=("g_mean", "minority_precision", "minority_recall")
            Scores of labels.
        pos_label : label or None, default=None
            The class whose probability the threshold is on. None is the rarer class.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples.
        ax : Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : ThresholdCurveDisplay

        Raises
        ------
        ValueError
            If there are not two classes, or for an unknown score, class or cost matrix.
        """
        classes, targets, counts = check_labels_of_display(y_true)
        if len(classes) != 2:
            raise ValueError(
                f"a threshold curve is for two classes, but y has {classes.tolist()}; use "
                "CostSurfaceDisplay for more"
            )
        table = check_proba(proba, y_true, classes)
        positive = _position(pos_label, classes, counts)
        matrix = _checked_costs(cost_matrix, classes)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, table)
        listed = scoring_list(scoring)
        p = table[:, positive]
        thresholds, confusions = confusions_over_thresholds(targets, p, positive, weight)
        scores = _scores(listed, classes, targets, p, positive, thresholds, confusions, weight)
        costs = None
        if matrix is not None:
            costs = (confusions * matrix).sum(axis=(1, 2)) / confusions[0].sum()
        return cls(
            thresholds,
            scores,
            costs,
            chosen=None if matrix is None else threshold_of_costs(matrix, positive),
            pos_label=classes.tolist()[positive],
        ).plot(ax, **plot_options)

    @classmethod
    def from_results(
        cls, results: Any, *, name: str = "score", ax: Any = None, **plot_options: Any
    ) -> "ThresholdCurveDisplay":
        """Draw the held-out scores that a search for costs or for a threshold has kept.

        Parameters
        ----------
        results : fitted search or dict
            A fitted :class:`~skimbal.cost_sensitive.TunedCostClassifierCV` of two classes, a fitted
            scikit-learn ``TunedThresholdClassifierCV(store_cv_results=True)``, or the
            ``cv_results_`` of one of them. The threshold is on the probability of the second class.
        name : str, default="score"
            Name of the score.
        ax : Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : ThresholdCurveDisplay

        Raises
        ------
        ValueError
            If there are no results, or costs of more than two classes.
        """
        table = results if isinstance(results, Mapping) else getattr(results, "cv_results_", None)
        if not isinstance(table, Mapping) or not ({"thresholds", "costs"} & set(table)):
            raise ValueError(
                "results has neither thresholds nor costs; give a fitted TunedCostClassifierCV, or "
                "a fitted TunedThresholdClassifierCV with store_cv_results=True"
            )
        if "costs" in table:
            costs = np.asarray(table["costs"])
            if costs.shape[1] != 2:
                raise ValueError(
                    f"the search has found costs of {costs.shape[1]} classes; a threshold curve "
                    "is for two; use CostSurfaceDisplay"
                )
            thresholds, scores = costs[:, 0] / costs.sum(axis=1), np.asarray(table["score"])
        else:
            thresholds, scores = np.asarray(table["thresholds"]), np.asarray(table["scores"])
        order = np.argsort(thresholds, kind="stable")
        chosen = getattr(results, "best_threshold_", None)
        if hasattr(results, "costs_"):
            chosen = results.costs_[0] / results.costs_.sum()
        classes = getattr(results, "classes_", None)
        label = None if classes is None else np.asarray(classes).tolist()[1]
        display = cls(thresholds[order], {name: scores[order]}, chosen=chosen, pos_label=label)
        return display.plot(ax, **plot_options)

    def plot(self, ax: Any = None, *, scale: str = "linear") -> "ThresholdCurveDisplay":
        """Draw the curves.

        Parameters
        ----------
        ax : Axes or None, default=None
            None makes a figure.
        scale : {"linear", "log", "logit"}, default="linear"
            Scale of the thresholds. "log" and "logit" show low thresholds, as of rare classes.

        Returns
        -------
        display : ThresholdCurveDisplay
            The display itself.
        """
        if scale not in ("linear", "log", "logit"):
            raise ValueError(f"scale={scale!r} must be 'linear', 'log' or 'logit'")
        self.ax_ = single_axes(ax, figsize=(6.5, 4.8))
        self.figure_ = self.ax_.figure
        self.cost_ax_: Any = None
        self.cost_line_: Any = None
        self.chosen_line_: Any = None
        self.best_mark_: Any = None
        self.lines_ = []
        styles = series_styles(len(self.scores))
        for (name, values), style in zip(self.scores.items(), styles, strict=True):
            self.lines_ += self.ax_.plot(self.thresholds, values, label=name, **style)
        if self.expected_costs is not None:
            self._draw_costs(self.expected_costs)
        if self.chosen is not None:
            self.chosen_line_ = self.ax_.axvline(
                self.chosen, color="black", ls="--", lw=1, label=f"chosen: {self.chosen:.3g}"
            )
        of_class = "" if self.pos_label is None else f" of {self.pos_label}"
        self.ax_.set(xlabel=f"threshold on the probability{of_class}", ylabel="score", xscale=scale)
        handles, labels = self.ax_.get_legend_handles_labels()
        if self.cost_ax_ is not None:
            more, their_labels = self.cost_ax_.get_legend_handles_labels()
            handles, labels = handles + more, labels + their_labels
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.25)}
        self.ax_.legend(handles, labels, ncols=2, fontsize="small", **below)
        return self

    def _draw_costs(self, costs):
        self.cost_ax_ = self.ax_.twinx()
        (self.cost_line_,) = self.cost_ax_.plot(
            self.thresholds, costs, color=VERMILION, lw=2, label="expected cost"
        )
        best = int(np.argmin(costs))
        (self.best_mark_,) = self.cost_ax_.plot(
            self.thresholds[best],
            costs[best],
            "o",
            color=VERMILION,
            mec="white",
            ms=8,
            label=f"lowest cost: {self.thresholds[best]:.3g}",
        )
        self.cost_ax_.set_ylabel("expected cost of a sample")
        if costs.min() >= 0:  # gains are negative costs
            self.cost_ax_.set_ylim(bottom=0.0)


def confusions_over_thresholds(targets, p_positive, positive, sample_weight=None):
    """Rising thresholds, and the confusion matrices (n, 2, 2) of p >= threshold.

    >>> import numpy as np
    >>> confusions_over_thresholds(np.array([0, 1]), np.array([0.2, 0.7]), 1)[1].tolist()
    [[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]]
    """
    is_positive = (targets == positive).astype(int)
    tn, fp, fn, tp, thresholds = confusion_matrix_at_thresholds(
        is_positive, p_positive, sample_weight=sample_weight
    )
    confusions = np.stack([np.stack([tn, fp], axis=-1), np.stack([fn, tp], axis=-1)], axis=-2)
    if positive == 0:
        confusions = confusions[:, ::-1, ::-1]
    is_threshold = np.isfinite(thresholds)
    return thresholds[is_threshold][::-1], confusions[is_threshold][::-1].astype(float)


def _position(pos_label, classes, counts):
    if pos_label is None:
        return int(counts[1] <= counts[0])
    if pos_label not in classes.tolist():
        raise ValueError(f"pos_label={pos_label!r} is not one of the labels {classes.tolist()}")
    return classes.tolist().index(pos_label)


def _checked_costs(cost_matrix, classes):
    if cost_matrix is None:
        return None
    return check_cost_matrix(
        matrix_by_label(cost_matrix, classes, "cost_matrix", is_outer=True), len(classes)
    )


def _scores(listed, classes, targets, p, positive, thresholds, confusions, weight):
    """Scores by name; those that need the labels themselves are computed at some thresholds."""
    scores = {}
    some = np.unique(np.linspace(0, len(thresholds) - 1, MAX_TRIED).round().astype(int))
    for scoring in listed:
        is_fast = confusion_score(scoring, classes) is not None
        try_all = is_fast or len(thresholds) <= MAX_TRIED
        rows = np.arange(len(thresholds)) if try_all else some
        decide = partial(_decisions, p, thresholds[rows], positive)
        values = score_decisions(scoring, classes, targets, decide, confusions[rows], weight)
        scores[score_name(scoring)] = np.interp(thresholds, thresholds[rows], values)
    return scores


def _decisions(p, thresholds, positive, i):
    """Indices of the classes that a threshold decides for."""
    return np.where(p >= thresholds[i], positive, 1 - positive)
