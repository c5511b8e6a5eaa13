"""A classifier of recordings made of a classifier of windows."""

from itertools import takewhile
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import check_is_fitted

from skimbal._fitting import Fit, run_fit
from skimbal._training.early_stopping import choose
from skimbal._utils._groups import check_groups, groups_params
from skimbal._utils._labels import vector_by_label
from skimbal._utils._recordings import pad_short, transpose_advice
from skimbal._utils._validation import (
    check_labels,
    check_two_classes,
    check_weights,
    is_whole_number,
    takes_sample_weight,
)
from skimbal._utils._warnings import warn
from skimbal.ensemble._recordings import validate_recordings
from skimbal.neural_network import BaseNetClassifier, class_probabilities
from skimbal.preprocessing import index_windows


def mean_by_recording(window_proba, recording):
    r"""Mean over the windows of each recording, :math:`p_r = \sum_{w \in r} p_w / n_r`.

    Parameters
    ----------
    window_proba : ndarray of shape (n_windows, n_classes)
        Predicted probabilities.
    recording : ndarray of int, shape (n_windows,)
        The recording of each window, in ascending order.

    Returns
    -------
    ndarray of shape (n_recordings, n_classes)
        A row for each recording that has windows.
    """
    first = np.flatnonzero(np.diff(recording, prepend=-1))
    n_windows = np.bincount(recording)
    return np.add.reduceat(window_proba, first, axis=0) / n_windows[n_windows > 0][:, None]


def split_stateless(pipeline):
    """How many of the first steps of a pipeline transform each window by itself."""
    steps = [step for _, step in pipeline.steps[:-1]]
    return len(list(takewhile(_is_stateless, steps)))


def _is_stateless(step):
    """Whether a step needs no fit, by scikit-learn's tags."""
    if step is None or step == "passthrough":
        return True
    return hasattr(step, "transform") and not get_tags(step).requires_fit


def transform_in_chunks(transformer, windows, n_at_once):
    """Transform windows in chunks, each window by itself; return the array of all results."""
    transformed = None
    for first in range(0, len(windows), n_at_once):
        rows = np.arange(first, min(first + n_at_once, len(windows)))
        chunk = windows.take(rows)
        chunk = transformer.transform(chunk) if first else transformer.fit_transform(chunk)
        if transformed is None:
            transformed = np.empty((len(windows), *chunk.shape[1:]), dtype=chunk.dtype)
        transformed[rows] = chunk
    return transformed


class WindowedClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    r"""Classify recordings by the windows in them.

    The estimator is fitted on windows of `size` samples, which have the label of their recording.
    The predicted probabilities of a recording are the mean of those of its windows,

    .. math:: p(y \mid r) = \frac{1}{n_r} \sum_{w \in r} p(y \mid w) .

    A sample is a recording. Cross-validation and all other splits of samples therefore keep the
    windows of a recording together. Windows of one recording overlap and are alike. A split by
    window would put them on both sides and would measure how well known recordings are recognized.
    Whatever holds out windows inside gets the recordings as groups and leaves them whole: early
    stopping and the dynamic sampler of a network, the bags of `BalancedBaggingNetClassifier`, the
    folds of `TunedCostClassifierCV` and of the searches, in a pipeline, too. Classifiers that take
    no groups and split their samples belong around a `WindowedClassifier` and not inside it.

    Windows are cut out when they are needed. Networks of skimbal take them batch by batch. In a
    pipeline, the first steps that transform each window by itself (scikit-learn's tag
    `requires_fit` is false, as for `Spectrogram` and `FunctionTransformer`) get the windows in
    chunks. The rest of the pipeline, and any other estimator, gets one array of all training
    windows. Prediction always works in chunks.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Takes windows of shape (n_windows, channels, size): a network, or a pipeline. A classifier
        for tables needs a first step that makes rows of windows, such as
        ``FunctionTransformer(flatten)`` with `skimbal.preprocessing.flatten`.
    size : int, default=None
        Samples of a window. None is the whole recording; all recordings must then have one length.
    step : int, default=None
        Samples between the starts of two windows. None is `size`: windows do not overlap.
    steps_per_class : dict or Series of int by label, default=None
        Steps of the training windows of some classes, in place of `step`. A smaller step gives a
        class more windows; it over-samples the class by parts of recordings that no other window
        has. Prediction always uses `step`, because the class is not known.
    on_short : {"raise", "pad", "skip"}, default="raise"
        What happens to recordings that are shorter than a window. "raise" is an error that names
        the recording. "pad" appends zeros up to the size of a window. "skip" cuts no window: `fit`
        leaves the recording out, and `predict` returns what is known without looking at it
        (`class_prior_`) and warns.
    memory_limit : int, default=16777216
        Bytes of the windows that are cut at once for a step or a prediction, without what the
        estimator computes from them. At least one window is cut.

    Attributes
    ----------
    estimator_ : classifier
        Fitted on windows.
    classes_ : ndarray of shape (n_classes,)
        The labels.
    size_ : int
        Samples of a window.
    step_ : int
        Samples between the starts of two windows in prediction.
    n_windows_ : ndarray of int, shape (n_classes,)
        Training windows of each class.
    class_prior_ : ndarray of shape (n_classes,)
        Share of each class among the training recordings, by weight.
    cost_matrix_ : ndarray of shape (n_classes, n_classes) or None
        Costs of the fitted estimator (or of the last step of the pipeline) by which `predict`
        decides; None if the largest probability decides.
    n_channels_in_ : int
        Channels of a recording.
    n_features_in_ : int
        Length of the recordings (2-D X).

    See Also
    --------
    skimbal.preprocessing.WindowIndex : The windows as networks get them.

    Notes
    -----
    In training, the weight of a recording is its number of windows. If lengths differ much, give
    recordings the weights 1 / n_windows: ``fit(X, y, sample_weight=...)``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import FunctionTransformer
    >>> from skimbal import WindowedClassifier
    >>> from skimbal.preprocessing import Spectrogram, flatten
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["usual", "rare"], [12, 4])
    >>> X = [rng.normal(size=(1, rng.integers(300, 500))) for _ in y]
    >>> for x in X[12:]:
    ...     x += 0.5 * np.sin(np.arange(x.shape[1]))
    >>> levels = make_pipeline(
    ...     Spectrogram(window=32), FunctionTransformer(flatten), LogisticRegression(max_iter=1000)
    ... )
    >>> classifier = WindowedClassifier(levels, size=100, step=50, steps_per_class={"rare": 20})
    >>> classifier.fit(X, y).predict(X[-2:]).tolist()
    ['rare', 'rare']
    """

    _parameter_constraints: dict = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "size": [None, Interval(Integral, 1, None, closed="left")],
        "step": [None, Interval(Integral, 1, None, closed="left")],
        "steps_per_class": [None, HasMethods(["items"])],
        "on_short": [StrOptions({"raise", "pad", "skip"})],
        "memory_limit": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        estimator: BaseEstimator,
        *,
        size: int | None = None,
        step: int | None = None,
        steps_per_class: Any = None,
        on_short: str = "raise",
        memory_limit: int = 2**24,
    ):
        self.estimator = estimator
        self.size = size
        self.step = step
        self.steps_per_class = steps_per_class
        self.on_short = on_short
        self.memory_limit = memory_limit

    __metadata_request__fit = {"groups": True}

    def fit(
        self,
        X: Any,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the estimator on the windows of recordings.

        Parameters
        ----------
        X : list of array-like of shape (channels, length) or (length,), or array-like of shape \
                (n_recordings, channels, length) or (n_recordings, length)
            Finite recordings. In a list (or an object array) their lengths may differ; 2-D X is
            recordings of one channel.
        y : array-like of shape (n_recordings,)
            Labels of two or more classes.
        sample_weight : array-like of shape (n_recordings,), default=None
            Non-negative weights; the windows of a recording have its weight.
        groups : array-like of shape (n_recordings,), default=None
            The group of each recording, such as a machine or a person. Nothing inside separates
            the windows of one group. Without groups, each recording is one.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            For invalid data and parameters: a recording that is shorter than the window (see
            `on_short`), a class without windows, unequal numbers of channels, axes that seem to be
            swapped, NaN, or steps that are not whole numbers.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        recordings = validate_recordings(self, X, reset=True)
        y = check_labels(y)
        check_consistent_length(recordings, y)
        sample_weight, groups = check_weights(sample_weight, y), check_groups(groups, y)
        groups = np.arange(len(y)) if groups is None else groups
        if sample_weight is not None:
            used = np.flatnonzero(sample_weight > 0)
            recordings = [recordings[i] for i in used]
            y, sample_weight, groups = y[used], sample_weight[used], groups[used]
        classes, targets = np.unique(y, return_inverse=True)
        check_two_classes(classes.tolist())
        size = window_size(self.size, recordings)
        step = size if self.step is None else self.step
        steps = training_steps(self.steps_per_class, step, classes)
        windows = index_windows(recordings, size, steps[targets], on_short=self.on_short)
        n_windows = count_windows(windows, targets, classes)
        weight = None if sample_weight is None else sample_weight[windows.recording]
        n_at_once = windows_at_once(windows, self.memory_limit)
        fitted = yield from fit_on_windows(
            clone(self.estimator),
            windows,
            y[windows.recording],
            weight,
            groups[windows.recording],
            n_at_once,
        )
        self.classes_, self.size_, self.step_, self.estimator_ = classes, size, step, fitted
        self.n_windows_ = n_windows
        self.class_prior_ = np.bincount(targets, sample_weight) / (
            len(y) if sample_weight is None else sample_weight.sum()
        )
        last = fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted
        self.cost_matrix_ = getattr(last, "cost_matrix_", None)
        return self

    def predict(self, X: Any) -> NDArray:
        """Return the label of each recording.

        It is the label with the largest probability or, with costs, with the lowest expected cost.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings,)
            Labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[choose(proba, self.cost_matrix_)]

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the mean of the predicted probabilities of the windows of each recording.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_classes)
            Probabilities in the order of `classes_`.
        """
        window_proba, recording, n_recordings = self._predict_windows(X)
        has_windows = np.bincount(recording, minlength=n_recordings) > 0
        proba = np.tile(self.class_prior_, (n_recordings, 1))
        if has_windows.any():
            proba[has_windows] = mean_by_recording(window_proba, recording)
        return proba

    def predict_proba_windows(self, X: Any) -> list[NDArray[np.float64]]:
        """Return the predicted probabilities of the windows.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_windows, n_classes)
            An array for each recording, with a row for each window: those that start at 0,
            `step_`, 2 `step_`, and so on. A recording that was skipped has no rows.
        """
        proba, recording, n_recordings = self._predict_windows(X)
        return np.split(proba, np.cumsum(np.bincount(recording, minlength=n_recordings))[:-1])

    def predict_windows(self, X: Any) -> list[NDArray]:
        """Return the labels of the windows.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_windows,)
            An array for each recording, in the order of `predict_proba_windows`.
        """
        return [
            self.classes_[choose(proba, self.cost_matrix_)]
            for proba in self.predict_proba_windows(X)
        ]

    def _predict_windows(self, X):
        """Return probabilities and recording of all windows, and the number of recordings."""
        check_is_fitted(self)
        recordings = validate_recordings(self, X, reset=False)
        if self.on_short == "pad":  # the fit has settled the order of the axes
            recordings = pad_short(recordings, self.size_)
        windows = index_windows(recordings, self.size_, self.step_, on_short=self.on_short)
        warn_of_skipped(windows)
        n_at_once = windows_at_once(windows, self.memory_limit)
        chunks = [
            class_probabilities(
                self.estimator_, np.asarray(windows[first : first + n_at_once]), self.classes_
            )
            for first in range(0, len(windows), n_at_once)
        ]
        proba = np.concatenate([np.empty((0, len(self.classes_))), *chunks])
        return proba, windows.recording, len(recordings)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_label = False
        return tags


def window_size(size, recordings):
    """Return the samples of a window: those given, or the length that all recordings have."""
    if size is not None:
        return int(size)
    lengths = {recording.shape[-1] for recording in recordings}
    if len(lengths) > 1:
        raise ValueError(
            f"size=None takes whole recordings, but they have {min(lengths)} to {max(lengths)} "
            "samples; give size"
        )
    return lengths.pop()


def training_steps(steps_per_class, step, classes):
    """Return the step of the training windows of each class, or raise."""
    if steps_per_class is None:
        return np.full(len(classes), step)
    for label, own in steps_per_class.items():
        if not is_whole_number(own, 1):
            raise ValueError(
                f"steps_per_class[{label!r}] must be a whole number of samples, at least 1, but it "
                f"is {own!r}"
            )
    return vector_by_label(steps_per_class, classes, "steps_per_class", step)


def count_windows(windows, targets, classes):
    """Return the number of windows of each class; a ValueError for a class without any."""
    n_windows = np.bincount(targets[windows.recording], minlength=len(classes))
    if not n_windows.all():
        raise ValueError(
            f"all recordings of the classes {classes[n_windows == 0].tolist()} are shorter than "
            f'the window of {windows.size} samples, so on_short="skip" leaves none; use a smaller '
            'size, or on_short="pad"'
            + transpose_advice([np.shape(recording) for recording in windows.recordings])
        )
    return n_windows


def warn_of_skipped(windows):
    """Warn of recordings that have no window."""
    skipped = np.setdiff1d(np.arange(len(windows.recordings)), windows.recording)
    if len(skipped):
        warn(
            f"the recordings {skipped.tolist()} are shorter than the window of {windows.size} "
            "samples; their probabilities are the shares of the classes in the training data"
        )


def windows_at_once(windows, memory_limit):
    """Return how many windows fit into so many bytes, at least 1."""
    window_bytes = windows.shape[1] * windows.shape[2] * windows.dtype.itemsize
    return max(1, memory_limit // window_bytes)


def fit_on_windows(estimator, windows, y, weight, groups, n_at_once):
    """Fit an estimator, its stateless first steps in chunks, and return it (a generator)."""
    rest, inputs = estimator, windows
    n_stateless = split_stateless(estimator) if isinstance(estimator, Pipeline) else 0
    if n_stateless:
        inputs = transform_in_chunks(estimator[:n_stateless], windows, n_at_once)
        rest = estimator[n_stateless:]
    if isinstance(rest, Pipeline) and len(rest.steps) == 1:
        rest = rest.steps[0][1]
    if inputs is windows and not isinstance(rest, BaseNetClassifier):
        inputs = np.asarray(windows)
    params = {**_weight_params(rest, weight), **groups_params(rest, groups)}
    try:
        (fitted,) = yield [Fit(rest, inputs, y, params)]
    except ValueError as error:
        if f"Found array with dim {inputs.ndim}" not in str(error):
            raise
        raise ValueError(
            f"{type(rest).__name__} takes tables, but the windows have shape {inputs.shape}; put a "
            "step in front that makes rows of them, such as FunctionTransformer(flatten) with "
            f"skimbal.preprocessing.flatten ({error})"
        ) from error
    if not n_stateless:
        return fitted
    ends = fitted.steps if isinstance(fitted, Pipeline) else [(estimator.steps[-1][0], fitted)]
    estimator.steps = estimator.steps[:n_stateless] + ends
    return estimator


def _weight_params(estimator, weight):
    """Weights of the windows as parameters of the estimator's `fit`."""
    name, last = estimator.steps[-1] if isinstance(estimator, Pipeline) else ("", estimator)
    if weight is None or not takes_sample_weight(last, "all recordings have the same weight"):
        return {}
    is_step = name and not _routing_enabled()
    return {f"{name}__sample_weight" if is_step else "sample_weight": weight}
