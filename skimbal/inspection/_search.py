"""The best score of a search over its evaluations, with bands over repetitions."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skimbal.inspection._drawing import series_styles, single_axes
from skimbal.inspection._inputs import named_cases, score_name

CENTERS: dict = {"mean": np.mean, "median": np.median}


def best_so_far(scores: ArrayLike) -> NDArray[np.float64]:
    """Best score after each evaluation; NaN, a failed evaluation, improves nothing.

    >>> best_so_far([0.5, float("nan"), 0.4, 0.7])
    array([0.5, 0.5, 0.5, 0.7])
    """
    scores = np.asarray(scores, dtype=np.float64)
    if scores.ndim != 1 or not np.isfinite(scores).any():
        raise ValueError(
            f"the scores of a search have shape {scores.shape} and "
            f"{int(np.isfinite(scores).sum())} finite values; give one score for each evaluation"
        )
    return np.fmax.accumulate(scores)


def stack_curves(curves):
    """Curves (n_repetitions, n_evaluations) of searches; a shorter one stays at its best.

    >>> stack_curves([[0.5, 0.7], [0.4]])
    array([[0.5, 0.7],
           [0.4, 0.4]])
    """
    length = max(len(curve) for curve in curves)
    return np.array([np.pad(c, (0, length - len(c)), mode="edge") for c in curves], dtype=float)


class SearchConvergenceDisplay:
    """Best score over the evaluations of searches, with bands over repetitions.

    Use :meth:`from_estimator` for fitted searches, and :meth:`from_results` for their
    ``cv_results_``.

    Parameters
    ----------
    curves : dict of str to array-like of shape (n_evaluations,) or (n_repetitions, n_evaluations)
        Best score after each evaluation, by the name of the search.
    score : str, default="score"
        Name of the score, for the label of the axis.

    Attributes
    ----------
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.
    lines_ : list of Line2D
        A line for each search.
    bands_ : list of artists
        A band for each search with repetitions.

    References
    ----------
    The picture is Figure 5-5 of a thesis of Seoul National University on Bayesian optimization of
    class weights for motors (Shin).

    Examples
    --------
    >>> from skimbal.inspection import SearchConvergenceDisplay
    >>> display = SearchConvergenceDisplay({"random": [[0.5, 0.7], [0.4, 0.6]]})
    >>> display.plot().ax_.get_ylabel()  # doctest: +SKIP
    'best score so far'
    """

    def __init__(self, curves: Mapping[str, ArrayLike], *, score: str = "score"):
        self.curves = curves
        self.score = score

    @classmethod
    def from_estimator(
        cls, searches: Any, *, metric: str | None = None, ax: Any = None, **plot_options: Any
    ) -> "SearchConvergenceDisplay":
        """Draw fitted searches.

        Parameters
        ----------
        searches : search, list of searches, or dict of str to search or list of searches
            Fitted searches of this package or scikit-learn's, and fitted cost searches. A list in a
            dict are the repetitions of one search; a bare list are searches of their own.
        metric : str or None, default=None
            Score of a search with several; None is the one that its `refit` names.
        ax : Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : SearchConvergenceDisplay

        Raises
        ------
        ValueError
            If a search is not fitted or has not this score.
        """
        cases = named_cases(searches, "searches", "search")
        results, names = {}, set()
        for name, given in cases.items():
            repetitions = given if isinstance(given, list | tuple) else [given]
            results[name] = [_results_of(search) for search in repetitions]
            names |= {_score_of(search, metric) for search in repetitions}
            if metric is None and isinstance(getattr(repetitions[0], "refit", None), str):
                key = f"mean_test_{repetitions[0].refit}"
                if key in results[name][0]:
                    results[name] = [{"score": table[key]} for table in results[name]]
        score = names.pop() if len(names) == 1 else "score"
        return cls.from_results(results, metric=metric, score=score, ax=ax, **plot_options)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        metric: str | None = None,
        score: str | None = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> "SearchConvergenceDisplay":
        """Draw the results of searches.

        Parameters
        ----------
        results : dict, frame, list of them, or dict of str to one or several
            ``cv_results_`` of searches, by the name of the search; several are repetitions.
        metric : str or None, default=None
            Score of results with several.
        score : str or None, default=None
            Name of the score, for the label of the axis.
        ax : Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : SearchConvergenceDisplay

        Raises
        ------
        ValueError
            If results have no such score, or none that is finite.
        """
        if _is_results(results):
            results = {"search": results}
        curves = {}
        for name, given in named_cases(results, "results", "search").items():
            tables = given if isinstance(given, list | tuple) else [given]
            if not tables:
                raise ValueError(f"results has no repetition of {name!r}; give at least one")
            curves[name] = stack_curves([best_so_far(_scores_of(t, metric)) for t in tables])
        score = score or (score_name(metric) if metric else "score")
        return cls(curves, score=score).plot(ax, **plot_options)

    def plot(
        self, ax: Any = None, *, center: str = "mean", band: Any = "sd"
    ) -> "SearchConvergenceDisplay":
        """Draw a line and a band for each search.

        Parameters
        ----------
        ax : Axes or None, default=None
            None makes a figure.
        center : {"mean", "median"}, default="mean"
            What the line is, over the repetitions.
        band : {"sd", "range"}, tuple of two floats or None, default="sd"
            One standard deviation around the line, from the worst to the best repetition, or
            between two quantiles in [0, 1]. None draws no band.

        Returns
        -------
        display : SearchConvergenceDisplay
            The display itself.
        """
        if center not in CENTERS:
            raise ValueError(f"center={center!r} must be one of {sorted(CENTERS)}")
        _check_band(band)
        self.ax_ = single_axes(ax)
        self.figure_ = self.ax_.figure
        self.lines_, self.bands_ = [], []
        styles = series_styles(len(self.curves))
        for (name, given), style in zip(self.curves.items(), styles, strict=True):
            runs = np.atleast_2d(np.asarray(given, dtype=np.float64))
            evaluations = np.arange(1, runs.shape[1] + 1)
            middle = CENTERS[center](runs, axis=0)
            self.lines_ += self.ax_.plot(
                evaluations, middle, label=name, drawstyle="steps-post", **style
            )
            if len(runs) > 1 and band is not None:
                low, high = _limits(runs, middle, band)
                color = style["color"]
                self.bands_.append(
                    self.ax_.fill_between(
                        evaluations, low, high, step="post", color=color, alpha=0.15, lw=0
                    )
                )
        self.ax_.set(xlabel="evaluations", ylabel=f"best {self.score} so far")
        self.ax_.legend(loc="lower right")
        return self


def _check_band(band):
    if band is None or band in ("sd", "range"):
        return
    is_pair = isinstance(band, tuple | list) and len(band) == 2
    if not is_pair or not 0 <= band[0] <= band[1] <= 1:
        raise ValueError(
            f"band={band!r} must be 'sd', 'range', None or two quantiles, the lower one first"
        )


def _limits(runs, middle, band):
    if band == "sd":
        deviation = runs.std(axis=0, ddof=1)
        return middle - deviation, middle + deviation
    return np.quantile(runs, (0, 1) if band == "range" else band, axis=0)


def _is_results(given):
    """Whether a mapping or a frame is one table of results and not several by name."""
    if hasattr(given, "columns"):
        return True
    keys = given if isinstance(given, Mapping) else ()
    return any(str(key) == "score" or str(key).startswith("mean_test_") for key in keys)


def _results_of(search):
    results = getattr(search, "cv_results_", None)
    if results is None:
        raise ValueError(
            f"{type(search).__name__} has no cv_results_; fit it first, or give its results to "
            "from_results"
        )
    return results


def _score_of(search, metric):
    if metric is not None:
        return score_name(metric)
    refit, scoring = getattr(search, "refit", None), getattr(search, "scoring", None)
    if isinstance(scoring, Mapping | list | tuple):
        return score_name(refit) if isinstance(refit, str) else "score"
    return "score" if scoring is None else score_name(scoring)


def _scores_of(table, metric):
    """The scores of the evaluations in a table of results."""
    keys = [str(key) for key in getattr(table, "columns", table)]
    wanted = [f"mean_test_{metric}"] if metric else ["mean_test_score", "score"]
    for key in wanted:
        if key in keys:
            return table[key]
    known = [key for key in keys if key == "score" or key.startswith("mean_test_")]
    raise ValueError(
        f"the results have no {' or '.join(wanted)}; they have the scores {known}. Give "
        "metric=..., the name behind mean_test_"
    )
