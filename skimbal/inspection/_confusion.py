"""Confusion matrices of several cases side by side."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix
from sklearn.utils.validation import check_is_fitted

from skimbal.inspection._drawing import import_pyplot, panel_axes
from skimbal.inspection._inputs import check_labels_of_display, named_cases

NORMALIZE = {"true": 1, "pred": 0, "all": None}


def normalized_confusion(confusion: ArrayLike, normalize: str | None) -> np.ndarray:
    """Shares of the true class, of the predicted one or of all; the mean over a stack of matrices.

    >>> normalized_confusion([[8, 2], [0, 4]], "true").tolist()
    [[0.8, 0.2], [0.0, 1.0]]
    """
    stack = np.asarray(confusion, dtype=np.float64)
    stack = stack[None] if stack.ndim == 2 else stack
    if normalize is not None:
        axis = NORMALIZE[normalize]
        axes = (1, 2) if axis is None else axis + 1
        totals = stack.sum(axis=axes, keepdims=True)
        stack = np.divide(stack, totals, out=np.zeros_like(stack), where=totals > 0)
    return stack.mean(axis=0)


class ConfusionMatrixGridDisplay:
    """Confusion matrices of several cases, on one scale of colors.

    Use :meth:`from_estimator`, :meth:`from_predictions` or :meth:`from_results` to make one.

    Parameters
    ----------
    confusions : dict of str to array-like
        Confusion matrix of each case, shape (n_classes, n_classes), rows are the true classes. A
        stack (n_repetitions, n_classes, n_classes) is averaged after it is normalized.
    display_labels : array-like of shape (n_classes,) or None, default=None
        Names of the classes; None numbers them.
    normalize : {"true", "pred", "all"} or None, default="true"
        Shares of each true class, each predicted class, or of all samples; None for counts.

    Attributes
    ----------
    axes_ : ndarray of Axes
        The panels.
    ax_ : Axes
        The first of them.
    figure_ : Figure
        The figure.
    displays_ : list of ConfusionMatrixDisplay
        scikit-learn's display of each panel.

    References
    ----------
    The picture is Figure 5-1 of a thesis of Seoul National University on Bayesian optimization of
    class weights for motors (Shin).

    Examples
    --------
    >>> from skimbal.inspection import ConfusionMatrixGridDisplay
    >>> cases = {"weights": [[8, 2], [1, 3]], "no weights": [[9, 1], [3, 1]]}
    >>> display = ConfusionMatrixGridDisplay(cases, ["usual", "rare"]).plot()  # doctest: +SKIP
    """

    def __init__(
        self,
        confusions: Mapping[str, ArrayLike],
        display_labels: ArrayLike | None = None,
        *,
        normalize: str | None = "true",
    ):
        self.confusions = confusions
        self.display_labels = display_labels
        self.normalize = normalize

    @classmethod
    def from_estimator(
        cls,
        estimators: Any,
        X: ArrayLike,
        y: ArrayLike,
        *,
        labels: Sequence | None = None,
        normalize: str | None = "true",
        ax: Any = None,
        **plot_options: Any,
    ) -> "ConfusionMatrixGridDisplay":
        """Draw the confusion matrices of fitted classifiers.

        Parameters
        ----------
        estimators : classifier, list, or dict of str to classifier
            Fitted classifiers.
        X : array-like of shape (n_samples, ...)
            Samples that they were not trained on.
        y : array-like of shape (n_samples,)
            Their labels.
        labels, normalize, ax, **plot_options
            As in :meth:`from_predictions`.

        Returns
        -------
        display : ConfusionMatrixGridDisplay
        """
        predicted = {}
        for name, estimator in named_cases(estimators, "estimators", "classifier").items():
            check_is_fitted(estimator)
            predicted[name] = estimator.predict(X)
        return cls.from_predictions(
            y, predicted, labels=labels, normalize=normalize, ax=ax, **plot_options
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_pred: Any,
        *,
        labels: Sequence | None = None,
        normalize: str | None = "true",
        ax: Any = None,
        **plot_options: Any,
    ) -> "ConfusionMatrixGridDisplay":
        """Draw the confusion matrices of predicted labels.

        Parameters
        ----------
        y_true : array-like of shape (n_samples,) or dict of str to array-like
            True labels; a dict has those of each case.
        y_pred : dict of str to array-like of shape (n_samples,), list of them, or one
            Predicted labels of each case.
        labels : sequence or None, default=None
            Classes in the order of the matrices; None for the sorted labels that occur.
        normalize : {"true", "pred", "all"} or None, default="true"
            As in the class.
        ax : Axes, array of Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : ConfusionMatrixGridDisplay

        Raises
        ------
        ValueError
            If lengths differ, or no label of `labels` occurs.
        """
        if not isinstance(y_pred, Mapping) and np.ndim(y_pred[0]) == 0:
            y_pred = {"": y_pred}
        cases = named_cases(y_pred, "y_pred", "case")
        if isinstance(y_true, Mapping) and set(map(str, y_true)) != set(cases):
            raise ValueError(
                f"y_true has the cases {list(y_true)}, but y_pred has {list(cases)}; name the same"
            )
        truths = {str(k): v for k, v in y_true.items()} if isinstance(y_true, Mapping) else None
        truths = dict.fromkeys(cases, y_true) if truths is None else truths
        for truth in truths.values():
            check_labels_of_display(truth)
        everything = np.concatenate([*truths.values(), *map(np.asarray, cases.values())])
        order = np.unique(everything) if labels is None else np.asarray(labels)
        confusions = {n: confusion_matrix(truths[n], p, labels=order) for n, p in cases.items()}
        return cls(confusions, order, normalize=normalize).plot(ax, **plot_options)

    @classmethod
    def from_results(
        cls,
        results: Any,
        *,
        dataset: str | None = None,
        labels: Sequence | None = None,
        normalize: str | None = "true",
        ax: Any = None,
        **plot_options: Any,
    ) -> "ConfusionMatrixGridDisplay":
        """Draw the methods of a comparison on one data set, summed over folds and trials.

        Parameters
        ----------
        results : Report or frame
            What :func:`skimbal.benchmark.report` returns, or its ``cells``.
        dataset : str or None, default=None
            The data set; None if there is only one.
        labels : sequence or None, default=None
            Names of the classes in sorted order; None numbers them.
        normalize, ax, **plot_options
            As in :meth:`from_predictions`.

        Returns
        -------
        display : ConfusionMatrixGridDisplay

        Raises
        ------
        ValueError
            If the results have not this data set, or no cell of it is done.
        """
        cells = getattr(results, "cells", results)
        names = list(dict.fromkeys(cells["dataset"]))
        if dataset is None and len(names) == 1:
            dataset = names[0]
        if dataset not in names:
            raise ValueError(f"dataset={dataset!r} must be one of {names}")
        done = cells[(cells["dataset"] == dataset) & (cells["status"] == "done")]
        if not len(done):
            raise ValueError(f"no cell of {dataset!r} is done; run the comparison first")
        confusions = {
            str(method): np.sum([json.loads(text) for text in rows["confusion"]], axis=0)
            for method, rows in done.groupby("method", sort=False)
        }
        return cls(confusions, labels, normalize=normalize).plot(ax, **plot_options)

    def plot(
        self, ax: Any = None, *, n_columns: int | None = None, cmap: str = "Blues"
    ) -> "ConfusionMatrixGridDisplay":
        """Draw a panel for each case.

        Parameters
        ----------
        ax : Axes, array of Axes or None, default=None
            None makes a figure. One Axes is divided if there are several cases.
        n_columns : int or None, default=None
            Panels in a row; at most four by default.
        cmap : str, default="Blues"
            Colormap.

        Returns
        -------
        display : ConfusionMatrixGridDisplay
            The display itself.
        """
        import_pyplot()
        matrices = self._matrices()
        labels = self.display_labels
        n_classes = len(next(iter(matrices.values())))
        labels = np.arange(n_classes) if labels is None else np.asarray(labels)
        if len(labels) != n_classes:
            raise ValueError(
                f"there are {len(labels)} labels, but the matrices have {n_classes} classes"
            )
        highest = 1.0 if self.normalize else max(m.max() for m in matrices.values())
        rotation = 45 if max(len(str(label)) for label in labels) > 5 else 0
        self.axes_ = panel_axes(ax, len(matrices), n_columns)
        self.displays_ = []
        for panel, (name, matrix) in zip(self.axes_, matrices.items(), strict=True):
            display = ConfusionMatrixDisplay(matrix, display_labels=labels).plot(
                ax=panel,
                cmap=cmap,
                colorbar=False,
                values_format=".2f" if self.normalize else ".0f",
                xticks_rotation=rotation,
                im_kw={"vmin": 0.0, "vmax": highest},
            )
            panel.set(title=name, xlabel="predicted", ylabel="truth")
            self.displays_.append(display)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        return self

    def _matrices(self):
        """Normalized matrices by case; a ValueError for wrong shapes."""
        if self.normalize is not None and self.normalize not in NORMALIZE:
            raise ValueError(f"normalize={self.normalize!r} must be one of {[*NORMALIZE, None]}")
        if not self.confusions:
            raise ValueError("confusions is empty; give the matrix of at least one case")
        matrices = {n: normalized_confusion(c, self.normalize) for n, c in self.confusions.items()}
        shapes = {matrix.shape for matrix in matrices.values()}
        if len(shapes) > 1 or len({*next(iter(shapes))}) > 1:
            raise ValueError(
                f"the confusion matrices have the shapes {sorted(shapes)}; all must be square and "
                "have the same classes"
            )
        return matrices
