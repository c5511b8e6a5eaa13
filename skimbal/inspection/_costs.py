"""Scores over a grid of two costs: Figures 8 and 9 of the ECS-DBN paper."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import check_random_state
from sklearn.utils.validation import _check_sample_weight

from skimbal._utils._labels import vector_by_label
from skimbal._utils._validation import is_whole_number
from skimbal.cost_sensitive import find_costs
from skimbal.inspection._drawing import (
    VERMILION,
    class_colors,
    panel_axes,
    series_styles,
    single_axes,
)
from skimbal.inspection._inputs import (
    check_labels_of_display,
    check_proba,
    predicted_probabilities,
    score_decisions,
    score_name,
    scoring_list,
)
from skimbal.metrics import decide_by_costs, normalize_costs, recall_from_confusion

DEFAULT_SCORES = ("g_mean", "minority_precision")
BLOCK = 2_000_000  # products of probability and cost that are held at a time


def confusions_over_costs(
    targets: NDArray, proba: NDArray, costs: NDArray, sample_weight: NDArray | None = None
) -> NDArray[np.float64]:
    """Confusion matrices (n_candidates, n_classes, n_classes) of the decisions by each costs.

    >>> import numpy as np
    >>> proba = np.array([[0.9, 0.1], [0.6, 0.4]])
    >>> confusions_over_costs(np.array([0, 1]), proba, np.array([[1.0, 1.0], [1.0, 2.0]])).tolist()
    [[[1.0, 0.0], [1.0, 0.0]], [[1.0, 0.0], [0.0, 1.0]]]
    """
    n_classes = proba.shape[1]
    step = max(1, BLOCK // proba.size)
    matrices = []
    for start in range(0, len(costs), step):
        decided = decide_by_costs(proba, costs[start : start + step])
        cells = targets * n_classes + decided
        matrices += [
            np.bincount(row, sample_weight, n_classes**2).reshape(n_classes, n_classes)
            for row in cells
        ]
    return np.array(matrices, dtype=np.float64)


def grid_of_costs(cost_range, cost_space, n_points, optimum, shown):
    """Values of one cost of the grid: even in the logarithm, or even in the unit box."""
    if cost_range is None:
        if cost_space == "unit":
            cost_range = (0.0, 1.0)
        else:
            reach = 1.0 if optimum is None else np.abs(np.log10(optimum[list(shown)])).max()
            reach = max(1.0, 1.3 * reach)
            cost_range = (10.0**-reach, 10.0**reach)
    low, high = (float(value) for value in cost_range)
    lowest = 0.0 if cost_space == "unit" else np.finfo(float).tiny
    if not lowest <= low < high < np.inf:
        raise ValueError(
            f"cost_range={cost_range!r} must be two numbers, the lower one first, and above 0 for "
            "cost_space='log_ratio'"
        )
    if cost_space == "unit":  # costs of 0 decide nothing
        return np.linspace(low, high, n_points + (low == 0))[int(low == 0) :]
    return np.geomspace(low, high, n_points)


class CostSurfaceDisplay:
    """Scores of the decisions over a grid of the costs of two classes.

    A decision is the class with the largest product of probability and cost. The display shows, for
    each pair of costs, scores and the recall of both classes, and marks the costs that were found.
    With ``kind="ratio"`` the horizontal axis is the ratio of the two costs, on which alone the
    decisions of two classes depend.

    Use :meth:`from_estimator` or :meth:`from_predictions` to make one.

    Parameters
    ----------
    x : ndarray of shape (n_points,)
        Costs of the class on the horizontal axis, or cost ratios.
    values : dict of str to ndarray
        Values of each panel by its title, shape (n_points, n_points) with the vertical axis first,
        or (n_points,) over ratios.
    y : ndarray of shape (n_points,) or None, default=None
        Costs of the class on the vertical axis. None for ratios.
    shown : tuple of two labels, default=(0, 1)
        The classes of the horizontal and the vertical axis. A ratio is the cost of the second one
        divided by that of the first one.
    optimum : ndarray of shape (2,) or None, default=None
        The costs of the shown classes to mark.
    cost_space : {"log_ratio", "unit"}, default="log_ratio"
        Whether the axes are logarithmic, or costs in [0, 1] as in the paper.
    colors : dict of str to str or None, default=None
        Colors of the lines over ratios, by title.

    Attributes
    ----------
    axes_ : ndarray of Axes
        The panels.
    ax_ : Axes
        The first of them.
    figure_ : Figure
        The figure.
    surfaces_, lines_, marks_ : list of artists
        Shading of the panels, lines over ratios, and marks of the costs that were found.

    See Also
    --------
    ThresholdCurveDisplay : The same for two classes over thresholds, with the expected cost.

    References
    ----------
    C. Zhang, K. C. Tan, H. Li and G. S. Hong 2019, A Cost-Sensitive Deep Belief Network for
    Imbalanced Classification, IEEE TNNLS 30(1), doi:10.1109/TNNLS.2018.2832648, Figures 8 and 9.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.inspection import CostSurfaceDisplay
    >>> x = np.array([0.1, 1.0, 10.0])
    >>> display = CostSurfaceDisplay(x, {"G-mean": np.eye(3)}, x, optimum=np.array([1.0, 1.0]))
    >>> display.plot().ax_.get_title()  # doctest: +SKIP
    'G-mean'
    """

    def __init__(
        self,
        x: NDArray,
        values: Mapping[str, NDArray],
        y: NDArray | None = None,
        *,
        shown: tuple = (0, 1),
        optimum: NDArray | None = None,
        cost_space: str = "log_ratio",
        colors: Mapping[str, str] | None = None,
    ):
        self.x = x
        self.y = y
        self.values = values
        self.shown = shown
        self.optimum = optimum
        self.cost_space = cost_space
        self.colors = colors

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        ax: Any = None,
        **options: Any,
    ) -> "CostSurfaceDisplay":
        """Draw the scores of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            Fitted, with ``predict_proba``. Its ``costs_`` are marked, if it has them.
        X : array-like of shape (n_samples, ...)
            Samples that the classifier was not trained on.
        y : array-like of shape (n_samples,)
            Their labels; every class must occur.
        ax : Axes, array of Axes or None, default=None
            Where to draw, as in :meth:`plot`.
        **options : dict
            Keywords of :meth:`from_predictions`.

        Returns
        -------
        display : CostSurfaceDisplay
        """
        classes, _, _ = check_labels_of_display(y)
        proba = predicted_probabilities(estimator, X, classes)
        options.setdefault("costs", getattr(estimator, "costs_", "find"))
        return cls.from_predictions(y, proba, ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        proba: ArrayLike,
        *,
        costs: Any = "find",
        scoring: str | Callable | Sequence = DEFAULT_SCORES,
        kind: str = "surface",
        shown: tuple | None = None,
        cost_space: str = "log_ratio",
        cost_range: tuple[float, float] | None = None,
        n_points: int = 41,
        sample_weight: ArrayLike | None = None,
        random_state: int | np.random.RandomState | None = 0,
        ax: Any = None,
    ) -> "CostSurfaceDisplay":
        """Draw the scores of predicted probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels; every class must occur.
        proba : array-like of shape (n_samples, n_classes)
            Predicted probabilities, in the order of the sorted labels; a frame goes by its columns.
        costs : "find", array-like of shape (n_classes,), dict or None, default="find"
            The costs to mark. "find" searches those with the best first score on these samples.
            None marks nothing.
        scoring : str, callable or list of them, default=("g_mean", "minority_precision")
            Scores of labels. The recall of each shown class is always drawn.
        kind : {"surface", "ratio"}, default="surface"
            A surface over both costs, or lines over their ratio.
        shown : tuple of two labels or None, default=None
            Classes whose costs vary; the costs of other classes stay at those marked. None is the
            most frequent and the rarest class.
        cost_space : {"log_ratio", "unit"}, default="log_ratio"
            "unit" has the axes of the paper: costs in (0, 1]. "log_ratio" has logarithmic axes.
        cost_range : tuple of two floats or None, default=None
            Lowest and highest cost of the grid, or ratio.
        n_points : int, default=41
            Points of each axis, at least 2.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the scores.
        random_state : int, RandomState instance or None, default=0
            Seed of the search for costs of three or more classes.
        ax : Axes, array of Axes or None, default=None
            Where to draw, as in :meth:`plot`.

        Returns
        -------
        display : CostSurfaceDisplay

        Raises
        ------
        ValueError
            For probabilities that do not fit the labels, an unknown score, class or option.
        """
        classes, targets, counts = check_labels_of_display(y_true)
        table = check_proba(proba, y_true, classes)
        scores = scoring_list(scoring)
        _check_options(kind, cost_space, n_points)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, table)
        pair = _positions(shown, classes, counts)
        marked = _costs_to_mark(costs, classes, table, targets, scores[0], weight, random_state)
        base = np.ones(len(classes)) if marked is None else marked
        if cost_space == "unit":
            base = base / base[list(pair)].max()
            marked = None if marked is None else base
        x = grid_of_costs(cost_range, cost_space, n_points, marked, pair)
        candidates = _candidates(x, base, pair, kind)
        confusions = confusions_over_costs(targets, table, candidates, weight)

        def decisions(i):
            return decide_by_costs(table, candidates[i])

        shape = (n_points,) if kind == "ratio" else (n_points, n_points)
        recalls = recall_from_confusion(confusions)
        values = {
            score_name(s): score_decisions(s, classes, targets, decisions, confusions, weight)
            for s in scores
        } | {f"recall of {classes[c]}": recalls[:, c] for c in pair}
        hues = class_colors(counts)
        styles = ("#0072B2", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000")
        colors = {score_name(s): styles[i % len(styles)] for i, s in enumerate(scores)}
        colors |= {f"recall of {classes[c]}": hues[c] for c in pair}
        return cls(
            x,
            {name: v.reshape(shape) for name, v in values.items()},
            None if kind == "ratio" else x,
            shown=tuple(classes[list(pair)].tolist()),
            optimum=None if marked is None else marked[list(pair)],
            cost_space=cost_space,
            colors=colors,
        ).plot(ax)

    def plot(self, ax: Any = None, *, cmap: str = "cividis") -> "CostSurfaceDisplay":
        """Draw the panels.

        Parameters
        ----------
        ax : Axes, array of Axes or None, default=None
            None makes a figure. One Axes is divided if there are several panels.
        cmap : str, default="cividis"
            Colormap of the surfaces.

        Returns
        -------
        display : CostSurfaceDisplay
            The display itself.
        """
        self.surfaces_: list = []
        self.lines_: list = []
        self.marks_: list = []
        if self.y is None:
            self.axes_ = np.array([single_axes(ax, figsize=(7.5, 4.0))], dtype=object)
            self._draw_lines(self.axes_[0])
        else:
            n_columns = 2 if len(self.values) == 4 else None
            self.axes_ = panel_axes(ax, len(self.values), n_columns)
            for panel, (title, values) in zip(self.axes_, self.values.items(), strict=True):
                self._draw_surface(panel, title, values, cmap)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        return self

    def _draw_surface(self, ax, title, values, cmap):
        masked = np.ma.masked_invalid(values)
        limits = {"vmin": 0.0, "vmax": 1.0}
        if masked.min() < 0 or masked.max() > 1:  # of a score that is not a share
            limits = {}
        surface = ax.pcolormesh(
            self.x, self.y, masked, cmap=cmap, shading="nearest", rasterized=True, **limits
        )
        ax.figure.colorbar(surface, ax=ax)
        self.surfaces_.append(surface)
        if self.optimum is not None:
            marks = ax.plot(
                *self.optimum, "o", ms=9, mfc=VERMILION, mec="white", mew=1.5, label="costs found"
            )
            self.marks_ += marks
        if self.cost_space == "log_ratio":
            ax.set(xscale="log", yscale="log")
        first, second = self.shown
        ax.set(title=title, xlabel=f"cost of {first}", ylabel=f"cost of {second}")

    def _draw_lines(self, ax):
        default = dict(zip(self.values, series_styles(len(self.values)), strict=True))
        for title, values in self.values.items():
            style = {"color": self.colors[title]} if self.colors else default[title]
            self.lines_ += ax.plot(self.x, values, label=title, **style)
        if self.optimum is not None:
            ratio = self.optimum[1] / self.optimum[0]
            label = f"costs found: {ratio:.3g}"
            self.marks_.append(ax.axvline(ratio, color="black", ls="--", lw=1, label=label))
        if self.cost_space == "log_ratio":
            ax.set_xscale("log")
        first, second = self.shown
        ax.set(xlabel=f"cost of {second} / cost of {first}", ylabel="score")
        ax.legend(loc="center left", bbox_to_anchor=(1.02, 0.5))


def _check_options(kind, cost_space, n_points):
    for name, value, allowed in (
        ("kind", kind, ("surface", "ratio")),
        ("cost_space", cost_space, ("log_ratio", "unit")),
    ):
        if value not in allowed:
            raise ValueError(f"{name}={value!r} must be one of {allowed}")
    if not is_whole_number(n_points, 2):
        raise ValueError(f"n_points={n_points!r} must be a whole number of at least 2")


def _positions(shown, classes, counts):
    """Indices of the two classes whose costs vary."""
    if shown is None:
        return _ends(counts)
    labels = classes.tolist()
    if len(shown) != 2 or shown[0] == shown[1] or not set(shown) <= set(labels):
        raise ValueError(f"shown={shown!r} must be two different labels of {labels}")
    return labels.index(shown[0]), labels.index(shown[1])


def _ends(counts):
    """The most frequent and the rarest class; of equal ones, the first and the last."""
    order = np.argsort(-counts, kind="stable")
    return int(order[0]), int(order[-1])


def _costs_to_mark(costs, classes, table, targets, scoring, weight, random_state):
    """The costs to mark, with geometric mean 1, or None."""
    if costs is None:
        return None
    if isinstance(costs, str):
        if costs != "find":
            raise ValueError(f"costs={costs!r} must be 'find', None or one cost for each class")
        rng = check_random_state(random_state)
        found = find_costs(
            classes[targets], table, scoring=scoring, sample_weight=weight, random_state=rng
        )
        return found.costs
    costs = np.asarray(vector_by_label(costs, classes, "costs", is_outer=True), dtype=np.float64)
    if costs.shape != (len(classes),):
        raise ValueError(
            f"costs has shape {costs.shape}; give one cost for each of {classes.tolist()}"
        )
    return normalize_costs(costs)


def _candidates(x, base, pair, kind):
    """Costs of every point: of the ratio x, or of the grid with the vertical axis first."""
    first, second = pair
    if kind == "ratio":
        candidates = np.repeat(base[None], len(x), axis=0)
        candidates[:, second] = x * base[first]
        return candidates
    candidates = np.repeat(base[None], len(x) ** 2, axis=0)
    candidates[:, first] = np.tile(x, len(x))
    candidates[:, second] = np.repeat(x, len(x))
    return candidates
