"""Average ranks of methods over data sets, with bars over those that do not differ."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skimbal._utils._extras import how_to_install
from skimbal.inspection._drawing import import_pyplot, single_axes
from skimbal.metrics import average_ranks, holm, wilcoxon


def pairwise_p_values(scores: ArrayLike) -> NDArray[np.float64]:
    """Holm-adjusted p-values (n_methods, n_methods) of Wilcoxon's test of each pair of methods.

    >>> pairwise_p_values([[0.9, 0.8], [0.8, 0.6], [0.7, 0.4], [0.9, 0.5]])
    array([[1.   , 0.125],
           [0.125, 1.   ]])
    """
    table = np.asarray(scores, dtype=np.float64)
    pairs = list(combinations(range(table.shape[1]), 2))
    adjusted = holm([wilcoxon(table[:, i], table[:, j]) for i, j in pairs])
    p_values = np.ones((table.shape[1], table.shape[1]))
    for (i, j), p in zip(pairs, adjusted, strict=True):
        p_values[i, j] = p_values[j, i] = p
    return p_values


class CriticalDifferenceDisplay:
    """Average ranks of methods over data sets; 1 is the best.

    A bar joins methods that do not differ significantly: pairwise Wilcoxon signed-rank tests over
    the data sets, with Holm's correction. scikit-posthocs draws it.

    Use :meth:`from_results` to make one.

    Parameters
    ----------
    methods : sequence of str
        Names, different from each other.
    ranks : array-like of shape (n_methods,)
        Average ranks.
    p_values : array-like of shape (n_methods, n_methods)
        Adjusted p-values of the pairs.
    alpha : float, default=0.05
        Level of significance, in (0, 1).

    Attributes
    ----------
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.
    artists_ : dict of str to list
        What scikit-posthocs has drawn: "markers", "elbows", "labels" and "crossbars".

    References
    ----------
    J. Demsar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 7, 2006, pp.
    1-30, sec. 3.2. https://jmlr.org/papers/v7/demsar06a.html

    A. Benavoli, G. Corani and F. Mangili, "Should We Really Use Post-Hoc Tests Based on
    Mean-Ranks?", JMLR 17(5), 2016, pp. 1-10 (Wilcoxon tests of the pairs).
    https://jmlr.org/papers/v17/benavoli16a.html

    Examples
    --------
    >>> import pandas as pd
    >>> from skimbal.inspection import CriticalDifferenceDisplay
    >>> scores = pd.DataFrame({"a": [0.9, 0.8, 0.9], "b": [0.8, 0.7, 0.7]})
    >>> display = CriticalDifferenceDisplay.from_results(scores)  # doctest: +SKIP
    """

    def __init__(self, methods: Any, ranks: ArrayLike, p_values: ArrayLike, *, alpha: float = 0.05):
        self.methods = methods
        self.ranks = ranks
        self.p_values = p_values
        self.alpha = alpha

    @classmethod
    def from_results(
        cls, results: Any, *, alpha: float = 0.05, ax: Any = None, **plot_options: Any
    ) -> "CriticalDifferenceDisplay":
        """Draw a comparison.

        Parameters
        ----------
        results : Report or frame of shape (n_datasets, n_methods)
            What ``run_benchmark`` of `skimbal.benchmark` returns, or ``report`` for the folder of a
            stored run. Or a frame of scores with the methods as columns; higher is better, and NaN
            stands for a failure.
        alpha : float, default=0.05
            Level of significance, in (0, 1).
        ax : Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : CriticalDifferenceDisplay

        Raises
        ------
        ValueError
            If there are fewer than two methods or two data sets.
        """
        scores = results.means() if hasattr(results, "per_dataset") else results
        if not isinstance(scores, pd.DataFrame):
            raise ValueError(
                f"results is {type(scores).__name__}; give a report of skimbal.benchmark, or a "
                "DataFrame with a row for each data set and a column for each method"
            )
        if min(scores.shape) < 2:
            raise ValueError(
                f"the scores are of {scores.shape[0]} data sets and {scores.shape[1]} methods; the "
                "comparison needs at least two of both"
            )
        methods = [str(name) for name in scores.columns]
        table = scores.to_numpy(dtype=np.float64)
        display = cls(methods, average_ranks(table), pairwise_p_values(table), alpha=alpha)
        return display.plot(ax, **plot_options)

    def plot(self, ax: Any = None, *, title: str | None = None) -> "CriticalDifferenceDisplay":
        """Draw the diagram.

        Parameters
        ----------
        ax : Axes or None, default=None
            None makes a figure.
        title : str or None, default=None
            Title.

        Returns
        -------
        display : CriticalDifferenceDisplay
            The display itself.
        """
        import_pyplot()
        try:
            import scikit_posthocs
        except ImportError as error:
            raise ImportError(
                "a critical-difference diagram needs scikit-posthocs, which is not installed; "
                f"install it with {how_to_install('plot')}"
            ) from error
        methods, ranks, p_values = self._checked()
        self.ax_ = single_axes(ax, figsize=(9.0, 1.4 + 0.3 * len(methods)))
        self.figure_ = self.ax_.figure
        self.artists_ = scikit_posthocs.critical_difference_diagram(
            pd.Series(ranks, methods),
            pd.DataFrame(p_values, methods, methods),
            alpha=self.alpha,
            ax=self.ax_,
            label_fmt_left="{label} ({rank:.1f})",
            label_fmt_right="({rank:.1f}) {label}",
            label_props={"fontsize": 9},
            color_palette=["0.3"] * len(methods),
        )
        if title is not None:
            self.ax_.set_title(title)
        return self

    def _checked(self):
        methods = list(self.methods)
        ranks, p_values = np.asarray(self.ranks, float), np.asarray(self.p_values, float)
        n = len(methods)
        if len(set(methods)) < n or ranks.shape != (n,) or p_values.shape != (n, n):
            raise ValueError(
                f"there are the methods {methods}, ranks of shape {ranks.shape} and p-values of "
                f"shape {p_values.shape}; give different names, ({n},) and ({n}, {n})"
            )
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha={self.alpha!r} must be in (0, 1)")
        return methods, ranks, p_values
