"""A classifier of recordings made of a classifier of windows."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import TransformerTags, check_consistent_length
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import check_is_fitted

from skimbal._fitting import run_fit
from skimbal._training.early_stopping import choose
from skimbal._utils._fitted_attributes import undone_on_error
from skimbal._utils._groups import check_groups
from skimbal._utils._log_odds import log_odds
from skimbal._utils._recordings import pad_short
from skimbal._utils._validation import check_labels, check_two_classes, check_weights
from skimbal.ensemble._recording_stream import RecordingStream
from skimbal.ensemble._recordings import validate_recordings
from skimbal.ensemble._scale import (
    joined_peaks,
    peaks_by_type,
    warn_of_scale,
    warn_of_several_scales,
)
from skimbal.ensemble._window_fit import (
    check_all_have_windows,
    check_any_window,
    count_windows,
    fit_on_windows,
    known_targets,
    last_step,
    learn_more,
    training_steps,
    window_size,
)
from skimbal.ensemble._window_prediction import (
    in_chunks,
    mean_by_recording,
    warn_of_skipped,
    windows_at_once,
    windows_proba,
)
from skimbal.preprocessing import index_windows


def _has_method_of_estimator(name):
    """A check for `available_if`: whether the estimator, fitted or not, has a method."""
    return lambda self: hasattr(getattr(self, "estimator_", self.estimator), name)


def _has_method_of_last_step(name):
    """A check for `available_if`: whether the last step of the estimator has a method."""
    return lambda self: hasattr(last_step(getattr(self, "estimator_", self.estimator)), name)


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

    `stream` classifies a recording while it is recorded. `partial_fit` trains the estimator further
    on new recordings, if its last step can. `transform` returns the mean over the windows of what
    the `transform` of the estimator returns: for a network, the activations before the last layer.

    A classifier that was trained on numbers between -1 and 1 knows nothing about the integers of
    WAV files. It warns of recordings on another scale than those of the training: integers where
    these were numbers between -1 and 1, and the other way round; integers of another type; values
    that are more than 100 times as large as the largest one.

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
        Training windows of each class, of all calls of `partial_fit`.
    class_prior_ : ndarray of shape (n_classes,)
        Share of each class among the training recordings, by weight.
    cost_matrix_ : ndarray of shape (n_classes, n_classes) or None
        Costs of the fitted estimator (or of the last step of the pipeline) by which `predict`
        decides; None if the largest probability decides.
    peaks_by_type_ : dict of str to float
        Largest absolute value of the training recordings of each type of numbers, such as
        ``{"int16": 31044.0}``.
    n_channels_in_ : int
        Channels of a recording.
    n_features_in_ : int
        Length of the recordings (2-D X).

    See Also
    --------
    RecordingStream : The stream that `stream` returns.
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
        recordings, y, sample_weight, groups = training_recordings(
            self, X, y, sample_weight, groups, reset=True
        )
        classes, targets = np.unique(y, return_inverse=True)
        check_two_classes(classes.tolist())
        size = window_size(self.size, recordings)
        step = size if self.step is None else self.step
        steps = training_steps(self.steps_per_class, step, classes)
        windows = index_windows(recordings, size, steps[targets], on_short=self.on_short)
        n_windows = count_windows(windows, targets, classes)
        peaks = peaks_by_type(recordings)
        warn_of_several_scales(peaks)
        fitted = yield from fit_on_windows(
            clone(self.estimator),
            windows,
            y[windows.recording],
            None if sample_weight is None else sample_weight[windows.recording],
            groups[windows.recording],
            windows_at_once(windows, self.memory_limit),
        )
        self.classes_, self.size_, self.step_, self.estimator_ = classes, size, step, fitted
        self.n_windows_, self.peaks_by_type_ = n_windows, peaks
        self._publish_prior(np.bincount(targets, sample_weight))
        self.cost_matrix_ = getattr(last_step(fitted), "cost_matrix_", None)
        return self

    def _check_training_data(self, X, y, sample_weight=None):
        """Raise the errors of `fit` about recordings, for those who train on parts of them."""
        training_recordings(clone(self), X, y, sample_weight, None, reset=True)

    def _publish_prior(self, class_totals):
        """Set the shares of the classes from the weights of their recordings."""
        self._class_totals = class_totals.astype(np.float64)
        self.class_prior_ = self._class_totals / self._class_totals.sum()

    @available_if(_has_method_of_last_step("partial_fit"))
    def partial_fit(
        self,
        X: Any,
        y: ArrayLike,
        classes: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Train the estimator further on the windows of more recordings.

        The last step of the estimator learns, by its `partial_fit`. Steps before it that transform
        each window by itself are applied in chunks. Steps that learn from data are refused in the
        first call; after `fit`, they stay as they are. Nothing is held out.

        Parameters
        ----------
        X : list or array-like
            Recordings, as in `fit`.
        y : array-like of shape (n_recordings,)
            Labels; classes may be missing.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed in the first call, unless `fit` was called before.
        sample_weight : array-like of shape (n_recordings,), default=None
            Non-negative weights; the windows of a recording have its weight.
        **params : dict
            Passed on to the `partial_fit` of the last step. `class_counts` of a network are counts
            of windows.

        Returns
        -------
        self : object
            The classifier.

        Raises
        ------
        ValueError
            For invalid data and parameters as in `fit`, unknown labels, no window at all, or a step
            that would have to learn.

        Notes
        -----
        `size` and `step` are those of the first call.
        """
        self._validate_params()
        with undone_on_error(self):
            learn_recordings(self, X, y, classes, sample_weight, params)
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
        windows = self._index_windows(X)
        warn_of_skipped(windows)
        recording, n_recordings = windows.recording, len(windows.recordings)
        has_windows = np.bincount(recording, minlength=n_recordings) > 0
        proba = np.tile(self.class_prior_, (n_recordings, 1))
        if has_windows.any():
            proba[has_windows] = mean_by_recording(windows_proba(self, windows), recording)
        return proba

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """Return the log-odds of the mean probabilities; costs do not change them.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings,) or (n_recordings, n_classes)
            For two classes the log-odds of ``classes_[1]``, between -709 and 709; for more the
            logarithms of the predicted probabilities. A probability of 0 counts as the smallest
            normal number.
        """
        return log_odds(np.log(np.maximum(self.predict_proba(X), np.finfo(np.float64).tiny)))

    @available_if(_has_method_of_estimator("transform"))
    def transform(self, X: Any) -> NDArray:
        """Return the mean over the windows of what the estimator's `transform` returns.

        For a network, or a pipeline that ends with one, these are the activations before the last
        layer.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_values)
            A row for each recording.

        Raises
        ------
        ValueError
            For a recording without a window (``on_short="skip"``).
        """
        windows = self._index_windows(X)
        check_all_have_windows(windows)
        values = in_chunks(self.estimator_.transform, windows, self.memory_limit)
        return mean_by_recording(values, windows.recording)

    @available_if(_has_method_of_estimator("transform"))
    def fit_transform(self, X: Any, y: ArrayLike, **fit_params: Any) -> NDArray:
        """Fit, and return `transform` of the same recordings.

        Parameters
        ----------
        X, y : array-like
            As in `fit`.
        **fit_params : dict
            Further parameters of `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_values)
            A row for each recording.
        """
        return self.fit(X, y, **fit_params).transform(X)

    def stream(self) -> RecordingStream:
        """Return a new stream, which takes one recording block by block.

        Returns
        -------
        RecordingStream
            Its `feed` returns the rows of `predict_proba_windows` as soon as their windows are
            complete.
        """
        return RecordingStream(self)

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
        windows = self._index_windows(X)
        warn_of_skipped(windows)
        n_windows = np.bincount(windows.recording, minlength=len(windows.recordings))
        return np.split(windows_proba(self, windows), np.cumsum(n_windows)[:-1])

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

    def _index_windows(self, X):
        """Return the index of the windows of recordings that are to be predicted."""
        check_is_fitted(self)
        recordings = validate_recordings(self, X, reset=False)
        warn_of_scale(self.peaks_by_type_, peaks_by_type(recordings))
        if self.on_short == "pad":  # the fit has settled the order of the axes
            recordings = pad_short(recordings, self.size_)
        return index_windows(recordings, self.size_, self.step_, on_short=self.on_short)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_label = False
        if hasattr(self, "transform"):
            tags.transformer_tags = TransformerTags(preserves_dtype=["float64"])
        return tags


def training_recordings(classifier, X, y, sample_weight, groups, *, reset):
    """Return validated recordings that have a weight, their labels, weights and groups.

    Without groups, each recording is one.
    """
    recordings = validate_recordings(classifier, X, reset=reset)
    y = check_labels(y)
    check_consistent_length(recordings, y)
    sample_weight, groups = check_weights(sample_weight, y), check_groups(groups, y)
    groups = np.arange(len(y)) if groups is None else groups
    if sample_weight is not None:
        used = np.flatnonzero(sample_weight > 0)
        recordings = [recordings[i] for i in used]
        y, sample_weight, groups = y[used], sample_weight[used], groups[used]
    return recordings, y, sample_weight, groups


def learn_recordings(classifier, X, y, classes, sample_weight, params):
    """`partial_fit` of a classifier whose parameters are valid; an error may leave it half done."""
    is_first = _check_partial_fit_first_call(classifier, classes)
    classes = classifier.classes_
    check_two_classes(classes.tolist())
    recordings, y, weight, _ = training_recordings(
        classifier, X, y, sample_weight, None, reset=is_first
    )
    targets = known_targets(y, classes)
    if is_first:
        begin_partial_fit(classifier, recordings)
    steps = training_steps(classifier.steps_per_class, classifier.step_, classes)
    windows = index_windows(
        recordings, classifier.size_, steps[targets], on_short=classifier.on_short
    )
    check_any_window(windows)
    peaks = peaks_by_type(recordings)
    if not warn_of_scale(classifier.peaks_by_type_, peaks):
        warn_of_several_scales(peaks)
    learn_more(
        classifier.estimator_,
        windows,
        y[windows.recording],
        classes,
        None if weight is None else weight[windows.recording],
        params,
        windows_at_once(windows, classifier.memory_limit),
        is_fitted=not is_first,
    )
    n_windows = np.bincount(targets[windows.recording], minlength=len(classes))
    classifier.n_windows_ = classifier.n_windows_ + n_windows
    classifier.peaks_by_type_ = joined_peaks(classifier.peaks_by_type_, peaks)
    totals = np.bincount(targets, weight, len(classes))
    classifier._publish_prior(classifier._class_totals + totals)
    classifier.cost_matrix_ = getattr(last_step(classifier.estimator_), "cost_matrix_", None)


def begin_partial_fit(classifier, recordings):
    """Set the fitted attributes before the first training by `partial_fit`."""
    classifier.size_ = window_size(classifier.size, recordings)
    classifier.step_ = classifier.size_ if classifier.step is None else classifier.step
    classifier.estimator_ = clone(classifier.estimator)
    classifier.n_windows_ = np.zeros(len(classifier.classes_), dtype=np.intp)
    classifier._class_totals = np.zeros(len(classifier.classes_))
    classifier.peaks_by_type_ = {}
