"""Class weights over the epochs of a training, and the history of trainings."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skimbal._utils._labels import label_list, sorted_by_label
from skimbal._utils._validation import is_whole_number
from skimbal.inspection._drawing import class_colors, panel_axes, series_styles, single_axes
from skimbal.inspection._inputs import check_labels_of_display, innermost, named_cases
from skimbal.losses import class_weight_vector, resolve_loss

# Columns of a history by panel: of the training samples (dashed), and of held-out ones (solid).
PANELS = {
    "loss": ("train_loss", "valid_loss"),
    "score": ("train_score", "valid_score"),
    "learning rate": ("learning_rate",),
}
PARTS = {"train": "training", "valid": "validation", "learning": ""}


def weights_over_epochs(
    loss: Any, class_counts: ArrayLike, n_epochs: int, class_weight: Any = None
):
    """Class weights (n_epochs, n_classes) that a loss has in each epoch of a training.

    >>> from skimbal.losses import DeferredReweighting
    >>> weights_over_epochs(DeferredReweighting(start=0.5, weights="balanced"), [9, 1], 2).tolist()
    [[1.0, 1.0], [0.5555555820465088, 5.0]]
    """
    counts = np.asarray(class_counts, dtype=np.float64)
    bound: Any = resolve_loss(loss).bind(counts, class_weight=class_weight)
    rows = []
    for epoch in range(1, n_epochs + 1):
        if hasattr(bound, "set_epoch"):
            bound.set_epoch(epoch, n_epochs)
        weight = getattr(bound, "class_weight", None)
        rows.append(np.ones(len(counts)) if weight is None else weight.numpy().copy())
    return np.array(rows, dtype=np.float64)


class ClassWeightScheduleDisplay:
    """Class weights of losses over the epochs of a training.

    With one loss there is a line for each class; with several losses, a line for the rarest class
    of each.

    Use :meth:`from_losses`, or :meth:`from_estimator` for a network.

    Parameters
    ----------
    weights : dict of str to ndarray of shape (n_epochs, n_classes)
        Weights in each epoch, by the name of the loss.
    class_counts : array-like of shape (n_classes,)
        Numbers of training samples.
    classes : sequence or None, default=None
        Names of the classes; None numbers them.

    Attributes
    ----------
    ax_ : Axes
        The axes.
    figure_ : Figure
        The figure.
    lines_ : list of Line2D
        The lines.

    References
    ----------
    The pictures are Figures 2 and 3 of incremental weighted cross entropy, a journal paper of Imam
    Hussein University, 2023 (1402 AP, no DOI).

    Examples
    --------
    >>> from skimbal.inspection import ClassWeightScheduleDisplay
    >>> from skimbal.losses import IncrementalWeightedCrossEntropy
    >>> losses = {f"T = {T}": IncrementalWeightedCrossEntropy(T=T) for T in (10, 50)}
    >>> display = ClassWeightScheduleDisplay.from_losses(losses, [900, 100])  # doctest: +SKIP
    """

    def __init__(
        self,
        weights: Mapping[str, NDArray],
        class_counts: ArrayLike,
        classes: Sequence | None = None,
    ):
        self.weights = weights
        self.class_counts = class_counts
        self.classes = classes

    @classmethod
    def from_losses(
        cls,
        losses: Any,
        class_counts: ArrayLike | Mapping,
        *,
        n_epochs: int = 200,
        ax: Any = None,
        **plot_options: Any,
    ) -> "ClassWeightScheduleDisplay":
        """Draw the class weights of losses.

        Parameters
        ----------
        losses : str, value of `skimbal.losses`, list, or dict of str to one
            Losses.
        class_counts : array-like of shape (n_classes,), dict or Series
            Numbers of training samples of each class, > 0.
        n_epochs : int, default=200
            Epochs of the training, at least 1.
        ax : Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : ClassWeightScheduleDisplay

        Raises
        ------
        ValueError
            For an unknown loss, or counts that are not positive.
        """
        _check_epochs(n_epochs)
        names = sorted(class_counts) if isinstance(class_counts, Mapping) else None
        counts = np.asarray(sorted_by_label(class_counts, "class_counts"), dtype=np.float64)
        if counts.ndim != 1 or len(counts) < 2 or not (counts > 0).all():
            raise ValueError(
                f"class_counts={counts.tolist()} must be the number of samples, > 0, of at least "
                "two classes"
            )
        cases = {losses: losses} if isinstance(losses, str) else losses
        weights = {
            name: weights_over_epochs(loss, counts, n_epochs)
            for name, loss in named_cases(cases, "losses", "loss").items()
        }
        return cls(weights, counts, names).plot(ax, **plot_options)

    @classmethod
    def from_estimator(
        cls,
        estimators: Any,
        y: ArrayLike,
        *,
        n_epochs: int | None = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> "ClassWeightScheduleDisplay":
        """Draw the class weights that networks use in their training on y.

        Parameters
        ----------
        estimators : network, list, or dict of str to network
            Networks, fitted or not.
        y : array-like of shape (n_samples,)
            Labels of the training samples.
        n_epochs : int or None, default=None
            Epochs of the training; None is `max_epochs` of each network.
        ax : Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : ClassWeightScheduleDisplay

        Raises
        ------
        ValueError
            If an estimator is not a network.
        """
        classes, _, counts = check_labels_of_display(y)
        weights = {}
        for name, estimator in named_cases(estimators, "estimators", "network").items():
            network = innermost(estimator)
            if not hasattr(network, "loss") or not hasattr(network, "max_epochs"):
                raise ValueError(f"{type(network).__name__} is not a network: it has no loss")
            vector = class_weight_vector(network.class_weight, classes, counts)
            length = network.max_epochs if n_epochs is None else n_epochs
            _check_epochs(length)
            weights[name] = weights_over_epochs(network.loss, counts, length, vector)
        return cls(weights, counts, label_list(classes)).plot(ax, **plot_options)

    def plot(self, ax: Any = None, *, rarest: bool | None = None) -> "ClassWeightScheduleDisplay":
        """Draw the lines.

        Parameters
        ----------
        ax : Axes or None, default=None
            None makes a figure.
        rarest : bool or None, default=None
            Whether only the rarest class is drawn; None does so for several losses.

        Returns
        -------
        display : ClassWeightScheduleDisplay
            The display itself.
        """
        self.ax_ = single_axes(ax)
        self.figure_ = self.ax_.figure
        self.lines_ = []
        counts = np.asarray(self.class_counts)
        names = list(range(len(counts))) if self.classes is None else list(self.classes)
        rare = len(counts) - 1 - int(counts[::-1].argmin())
        only_rare = len(self.weights) > 1 if rarest is None else rarest
        styles = series_styles(len(self.weights))
        for (title, table), style in zip(self.weights.items(), styles, strict=True):
            epochs = np.arange(1, len(table) + 1)
            if only_rare:
                self.lines_ += self.ax_.plot(epochs, table[:, rare], label=title, **style)
                continue
            for c, color in enumerate(class_colors(counts)):
                label = str(names[c]) if len(self.weights) == 1 else f"{title}, {names[c]}"
                style_of_loss = {"color": color, "linestyle": style["linestyle"]}
                self.lines_ += self.ax_.plot(epochs, table[:, c], label=label, **style_of_loss)
        ylabel = f"weight of class {names[rare]}" if only_rare else "class weight"
        self.ax_.set(xlabel="epoch", ylabel=ylabel)
        self.ax_.legend()
        return self


def _check_epochs(n_epochs):
    if not is_whole_number(n_epochs, 1):
        raise ValueError(f"n_epochs={n_epochs!r} must be a whole number of at least 1")


class TrainingHistoryDisplay:
    """Loss and score over the epochs of the trainings of networks.

    There is a panel for the loss and, if the networks have scores, one for the score. Lines of the
    training samples are dashed and those of held-out samples are solid. A dot marks the epoch whose
    weights were kept.

    Use :meth:`from_estimator` for fitted networks, or :meth:`from_results` for their ``history_``.

    Parameters
    ----------
    histories : dict of str to frame or dict of str to array-like
        Columns of each history, such as `epoch`, `train_loss`, `valid_loss`, `is_best`.

    Attributes
    ----------
    axes_ : ndarray of Axes
        The panels.
    ax_ : Axes
        The first of them.
    figure_ : Figure
        The figure.
    lines_ : list of Line2D
        The lines of all panels.
    marks_ : list of Line2D
        The best epochs.

    Examples
    --------
    >>> from skimbal.inspection import TrainingHistoryDisplay
    >>> history = {"epoch": [1, 2], "train_loss": [0.7, 0.5]}
    >>> display = TrainingHistoryDisplay({"network": history})
    >>> display.plot().ax_.get_ylabel()  # doctest: +SKIP
    'loss'
    """

    def __init__(self, histories: Mapping[str, Any]):
        self.histories = histories

    @classmethod
    def from_estimator(
        cls, estimators: Any, *, ax: Any = None, **plot_options: Any
    ) -> "TrainingHistoryDisplay":
        """Draw the histories of fitted networks.

        Parameters
        ----------
        estimators : estimator, list, or dict of str to estimator
            Fitted networks, or pipelines, searches and wrappers around one.
        ax : Axes, array of Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : TrainingHistoryDisplay

        Raises
        ------
        ValueError
            If an estimator has no history.
        """
        histories = {}
        for name, estimator in named_cases(estimators, "estimators", "network").items():
            network = innermost(estimator)
            if not hasattr(network, "history_"):
                raise ValueError(
                    f"{type(network).__name__} has no history_; give a fitted network (an ensemble "
                    "has one for each member: give its estimators_)"
                )
            histories[name] = network.history_
        return cls(histories).plot(ax, **plot_options)

    @classmethod
    def from_results(
        cls, histories: Any, *, ax: Any = None, **plot_options: Any
    ) -> "TrainingHistoryDisplay":
        """Draw tables of histories.

        Parameters
        ----------
        histories : frame, list of frames, or dict of str to frame
            The ``history_`` of networks.
        ax : Axes, array of Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : TrainingHistoryDisplay
        """
        if hasattr(histories, "columns"):
            histories = {"network": histories}
        return cls(named_cases(histories, "histories", "network")).plot(ax, **plot_options)

    def plot(
        self, ax: Any = None, *, panels: Sequence[str] | None = None, log_loss: bool = False
    ) -> "TrainingHistoryDisplay":
        """Draw the panels.

        Parameters
        ----------
        ax : Axes, array of Axes or None, default=None
            None makes a figure. One Axes is divided if there are several panels.
        panels : sequence of {"loss", "score", "learning rate"} or None, default=None
            What to draw; None is the loss, and the score if there is one.
        log_loss : bool, default=False
            Whether the axis of the loss is logarithmic.

        Returns
        -------
        display : TrainingHistoryDisplay
            The display itself.

        Raises
        ------
        ValueError
            For an unknown panel, or one that no history has.
        """
        shown = self._panels(panels)
        self.axes_ = panel_axes(ax, len(shown))
        self.lines_: list = []
        self.marks_: list = []
        styles = series_styles(len(self.histories))
        for panel, name in zip(self.axes_, shown, strict=True):
            for (title, history), style in zip(self.histories.items(), styles, strict=True):
                for column in PANELS[name]:
                    if column in history:
                        self._draw_line(panel, title, history, column, style["color"])
            panel.set(xlabel="epoch", ylabel=name)
            panel.legend(fontsize="small")
            if name == "loss" and log_loss:
                panel.set_yscale("log")
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        return self

    def _panels(self, panels):
        """Names of the panels; a ValueError for those that can't be drawn."""
        columns = {str(c) for history in self.histories.values() for c in history}
        possible = [name for name, wanted in PANELS.items() if columns & set(wanted)]
        if panels is None:
            panels = [name for name in possible if name != "learning rate"]
        wrong = [name for name in panels if name not in possible]
        if wrong or not panels or "epoch" not in columns:
            raise ValueError(
                f"the panels {list(panels)} can't be drawn from the columns {sorted(columns)}; a "
                f"history needs epoch, and the columns of a panel: {PANELS}"
            )
        return list(panels)

    def _draw_line(self, ax, title, history, column, color):
        part = PARTS[column.split("_")[0]]
        label = f"{title}, {part}" if part else title
        style = "--" if part == "training" else "-"
        epochs, values = (np.asarray(history[name], float) for name in ("epoch", column))
        self.lines_ += ax.plot(epochs, values, style, color=color, label=label)
        is_judge = column.startswith("valid") or column.replace("train", "valid") not in history
        if is_judge and part and "is_best" in history:
            best = np.asarray(history["is_best"], bool)
            self.marks_ += ax.plot(epochs[best], values[best], "o", color=color, ms=5)
