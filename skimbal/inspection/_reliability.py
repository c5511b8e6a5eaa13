"""Reliability diagrams of several classes and cases; scikit-learn computes and draws the lines."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.calibration import CalibrationDisplay, calibration_curve

from skimbal._utils._validation import is_whole_number
from skimbal.inspection._drawing import import_pyplot, panel_axes, series_styles
from skimbal.inspection._inputs import (
    check_labels_of_display,
    check_proba,
    named_cases,
    predicted_probabilities,
)


class ReliabilityDiagramDisplay:
    """Observed frequency of each class over its predicted probability, for several cases.

    Each class has a panel, against the rest; each case, such as before and after a calibration, has
    a line. scikit-learn's ``CalibrationDisplay`` draws one line of two classes and is used here.

    Use :meth:`from_estimator` or :meth:`from_predictions` to make one.

    Parameters
    ----------
    curves : dict of class to dict of str to tuple of two ndarrays
        For each class and case, the observed frequency and the mean predicted probability of each
        bin.

    Attributes
    ----------
    axes_ : ndarray of Axes
        The panels.
    ax_ : Axes
        The first of them.
    figure_ : Figure
        The figure.
    lines_ : dict of class to dict of str to Line2D
        The lines.

    References
    ----------
    A. Niculescu-Mizil and R. Caruana, "Predicting Good Probabilities with Supervised Learning",
    ICML 2005, pp. 625-632. doi:10.1145/1102351.1102430.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.inspection import ReliabilityDiagramDisplay
    >>> curve = np.array([0.1, 0.6]), np.array([0.2, 0.5])
    >>> display = ReliabilityDiagramDisplay({"rare": {"network": curve}})
    >>> display.plot().ax_.get_title()  # doctest: +SKIP
    'rare'
    """

    def __init__(self, curves: Mapping[Any, Mapping[str, tuple[NDArray, NDArray]]]):
        self.curves = curves

    @classmethod
    def from_estimator(
        cls, estimators: Any, X: ArrayLike, y: ArrayLike, *, ax: Any = None, **options: Any
    ) -> "ReliabilityDiagramDisplay":
        """Draw fitted classifiers.

        Parameters
        ----------
        estimators : classifier, list, or dict of str to classifier
            Fitted, with ``predict_proba``.
        X : array-like of shape (n_samples, ...)
            Samples that they were not trained on.
        y : array-like of shape (n_samples,)
            Their labels.
        ax : Axes, array of Axes or None, default=None
            Where to draw.
        **options : dict
            Keywords of :meth:`from_predictions`.

        Returns
        -------
        display : ReliabilityDiagramDisplay
        """
        classes, _, _ = check_labels_of_display(y)
        cases = named_cases(estimators, "estimators", "classifier")
        probas = {n: predicted_probabilities(each, X, classes) for n, each in cases.items()}
        return cls.from_predictions(y, probas, ax=ax, **options)

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        proba: Any,
        *,
        classes: Sequence | None = None,
        n_bins: int = 10,
        strategy: str = "quantile",
        ax: Any = None,
        **plot_options: Any,
    ) -> "ReliabilityDiagramDisplay":
        """Draw predicted probabilities.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,)
            True labels.
        proba : array-like of shape (n_samples, n_classes), or dict of str to array-like
            Predicted probabilities of each case, in the order of the sorted labels.
        classes : sequence of labels or None, default=None
            Classes to draw. None is all, or the rarer one of two.
        n_bins : int, default=10
            Bins of each line, at least 1.
        strategy : {"quantile", "uniform"}, default="quantile"
            Bins of as many samples each, or of one width. Most probabilities of a rare class are
            small, so bins of one width are nearly empty but the first.
        ax : Axes, array of Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : ReliabilityDiagramDisplay

        Raises
        ------
        ValueError
            If probabilities do not fit the labels, or for an unknown class or strategy.
        """
        labels, targets, counts = check_labels_of_display(y_true)
        known = labels.tolist()
        if classes is None:
            classes = known if len(known) > 2 else [known[int(counts[1] <= counts[0])]]
        if not len(classes) or not set(classes) <= set(known):
            raise ValueError(f"classes={list(classes)} must be some of the labels {known}")
        if not is_whole_number(n_bins, 1) or strategy not in ("quantile", "uniform"):
            raise ValueError(
                f"n_bins={n_bins!r} must be a whole number of at least 1, and "
                f"strategy={strategy!r} 'quantile' or 'uniform'"
            )
        cases = proba if isinstance(proba, Mapping) else {"classifier": proba}
        tables = {
            name: check_proba(each, y_true, labels)
            for name, each in named_cases(cases, "proba").items()
        }
        curves = {
            c: {
                name: calibration_curve(
                    targets == known.index(c),
                    table[:, known.index(c)].clip(0.0, 1.0),
                    n_bins=n_bins,
                    strategy=strategy,
                )
                for name, table in tables.items()
            }
            for c in classes
        }
        return cls(curves).plot(ax, **plot_options)

    def plot(
        self, ax: Any = None, *, n_columns: int | None = None, zoom: bool = False
    ) -> "ReliabilityDiagramDisplay":
        """Draw a panel for each class.

        Parameters
        ----------
        ax : Axes, array of Axes or None, default=None
            None makes a figure. One Axes is divided if there are several classes.
        n_columns : int or None, default=None
            Panels in a row; at most four by default.
        zoom : bool, default=False
            Whether the axes end a little above the largest value, instead of at 1.

        Returns
        -------
        display : ReliabilityDiagramDisplay
            The display itself.
        """
        import_pyplot()
        if not self.curves or not all(self.curves.values()):
            raise ValueError("curves is empty; give at least one class and one case")
        self.axes_ = panel_axes(ax, len(self.curves), n_columns)
        self.lines_: dict[Any, dict[str, Any]] = {}
        for panel, (label, cases) in zip(self.axes_, self.curves.items(), strict=True):
            self.lines_[label] = {}
            styles = series_styles(len(cases))
            for (name, (observed, predicted)), style in zip(cases.items(), styles, strict=True):
                display = CalibrationDisplay(observed, predicted, predicted)
                display.plot(ax=panel, name=name, markersize=4, **style)
                self.lines_[label][name] = display.line_
            panel.set(
                title=str(label),
                xlabel="mean predicted probability",
                ylabel="observed frequency",
                aspect="equal",
            )
            if zoom:
                highest = max(float(np.max(values)) for curve in cases.values() for values in curve)
                limits = (0.0, min(1.0, 1.1 * highest))
                panel.set(xlim=limits, ylim=limits)
            panel.legend(loc="upper left", fontsize="small")
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        return self
