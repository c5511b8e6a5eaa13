"""A classifier of recordings made of a classifier of windows."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import _routing_enabled
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, has_fit_parameter

from skimbal._fitting import Fit, run_fit
from skimbal._training.early_stopping import choose
from skimbal._utils._warnings import warn
from skimbal.cost_sensitive._base import check_labels
from skimbal.cost_sensitive._posteriors import posteriors
from skimbal.ensemble._recordings import validate_recordings
from skimbal.neural_network._base import BaseNetClassifier
from skimbal.preprocessing import index_windows


def mean_by_recording(window_proba, recording):
    r"""Mean of the windows' posteriors of each recording, :math:`p_r = \sum_{w \in r} p_w / n_r`.

    Parameters
    ----------
    window_proba : ndarray of shape (n_windows, n_classes)
        Posteriors.
    recording : ndarray of int, shape (n_windows,)
        The recording of each window: 0, 1, ... in ascending order, none left out.

    Returns
    -------
    ndarray of shape (n_recordings, n_classes)
    """
    first = np.flatnonzero(np.diff(recording, prepend=-1))
    return np.add.reduceat(window_proba, first, axis=0) / np.bincount(recording)[:, None]


def split_stateless(pipeline):
    """How many steps of a pipeline transform each window by itself (scikit-learn's tags say so)."""
    steps = [step for _, step in pipeline.steps[:-1]]
    n_stateless = 0
    while n_stateless < len(steps) and _is_stateless(steps[n_stateless]):
        n_stateless += 1
    return n_stateless


def _is_stateless(step):
    if step is None or step == "passthrough":
        return True
    return hasattr(step, "transform") and not get_tags(step).requires_fit


def transform_in_chunks(transformer, windows, n_at_once):
    """Transform windows some at a time, each by itself; return the array of all results."""
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
    A recording's posterior is the mean of those of its windows,

    .. math:: p(y \mid r) = \frac{1}{n_r} \sum_{w \in r} p(y \mid w) .

    A sample is a recording, so whatever splits the samples, cross-validation above all, keeps the
    windows of a recording together; so does the early stopping of a network inside. Windows of one
    recording overlap and are alike; a split by window puts them on both sides and scores how well
    recordings are recognised again. What splits its samples itself, as `TunedCostClassifierCV`,
    therefore belongs around a `WindowedClassifier`, not into it.

    Windows are cut out when they are needed. Networks of skimbal take them batch by batch. In a
    pipeline the steps that transform each window by itself (scikit-learn's tag `requires_fit` is
    false: `Spectrogram`, `FunctionTransformer`) get some windows at a time; the rest of the
    pipeline, and any other estimator, gets one array of all training windows. Prediction goes some
    windows at a time throughout.

    Parameters
    ----------
    estimator : classifier with `predict_proba`
        Takes windows of shape (n_windows, channels, size): a network, or a pipeline. One for
        tables needs a step in front that makes rows of windows, such as
        ``FunctionTransformer(flatten)`` with `skimbal.preprocessing.flatten`.
    size : int, default=None
        Samples of a window. None is the whole recording; all have to be of one length then.
    step : int, default=None
        Samples between the starts of two windows. None is `size`, windows side by side.
    steps_per_class : dict label -> int, default=None
        Steps of the training windows of some classes, in place of `step`. A smaller step gives a
        class more windows, which over-samples it by parts that were not there before. Prediction
        always uses `step`, for it does not know the class.
    memory_limit : int, default=16777216
        Bytes of the windows that are cut at once for a step or a prediction; what the estimator
        makes of them comes on top. At least one window is cut.

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
    cost_matrix_ : ndarray of shape (n_classes, n_classes) or None
        Costs of the fitted estimator (or of the last step of the pipeline) that decide in
        `predict`; without any, the largest posterior decides.
    n_channels_in_ : int
        Channels of a recording.
    n_features_in_ : int
        Length of the recordings (2-D X).

    See Also
    --------
    skimbal.preprocessing.WindowIndex : What networks are given.

    Notes
    -----
    A recording counts as often as it has windows. Where lengths differ much, weights of
    1 / n_windows even that out: ``fit(X, y, sample_weight=...)`` weights recordings.

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
        "steps_per_class": [None, dict],
        "memory_limit": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, estimator, *, size=None, step=None, steps_per_class=None, memory_limit=2**24
    ):
        self.estimator = estimator
        self.size = size
        self.step = step
        self.steps_per_class = steps_per_class
        self.memory_limit = memory_limit

    # ---------------------------------------------------------------- training

    def fit(self, X, y, sample_weight=None):
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

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            For invalid data and parameters: a recording shorter than the window (the text names
            it), unequal numbers of channels, NaN, a label in `steps_per_class` that y lacks.
        """
        return run_fit(self._fit_coroutine(X, y, sample_weight))

    def _fit_coroutine(self, X, y, sample_weight=None):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        recordings = validate_recordings(self, X, reset=True)
        y = check_labels(y)
        check_consistent_length(recordings, y)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(sample_weight, y, ensure_non_negative=True)
            used = np.flatnonzero(sample_weight > 0)
            recordings = [recordings[i] for i in used]
            y, sample_weight = y[used], sample_weight[used]
        classes, targets = np.unique(y, return_inverse=True)
        if len(classes) < 2:
            raise ValueError(
                f"y has one class ({classes.tolist()}); a classifier needs recordings of two or "
                "more classes"
            )
        size = self._window_size(recordings)
        step = size if self.step is None else self.step
        windows = index_windows(recordings, size, self._training_steps(classes, targets, step))
        fitted = yield from self._fit_estimator(windows, y, sample_weight)
        self.classes_, self.size_, self.step_, self.estimator_ = classes, size, step, fitted
        self.n_windows_ = np.bincount(targets[windows.recording])
        last = fitted.steps[-1][1] if isinstance(fitted, Pipeline) else fitted
        self.cost_matrix_ = getattr(last, "cost_matrix_", None)
        return self

    def _window_size(self, recordings):
        if self.size is not None:
            return int(self.size)
        lengths = {recording.shape[-1] for recording in recordings}
        if len(lengths) > 1:
            raise ValueError(
                f"size=None takes whole recordings, but they have {min(lengths)} to "
                f"{max(lengths)} samples; give size"
            )
        return lengths.pop()

    def _training_steps(self, classes, targets, step):
        """The step of each recording's training windows."""
        steps_per_class = self.steps_per_class or {}
        labels = classes.tolist()
        unknown = [label for label in steps_per_class if label not in labels]
        if unknown:
            raise ValueError(
                f"steps_per_class has the labels {unknown}, but y has {labels}; leave them out or "
                "write them as y does"
            )
        for label, own in steps_per_class.items():
            if isinstance(own, bool) or not isinstance(own, Integral) or own < 1:
                raise ValueError(
                    f"steps_per_class[{label!r}] must be a whole number of samples, at least 1, "
                    f"got {own!r}"
                )
        return np.array([steps_per_class.get(label, step) for label in labels])[targets]

    def _fit_estimator(self, windows, y, sample_weight):
        """Fit a clone of the estimator on windows, and return it (a generator)."""
        estimator = clone(self.estimator)
        rest, inputs = estimator, windows
        n_stateless = split_stateless(estimator) if isinstance(estimator, Pipeline) else 0
        if n_stateless:
            inputs = transform_in_chunks(estimator[:n_stateless], windows, self._n_at_once(windows))
            rest = estimator[n_stateless:]
        if isinstance(rest, Pipeline) and len(rest.steps) == 1:
            rest = rest.steps[0][1]
        if inputs is windows and not isinstance(rest, BaseNetClassifier):
            inputs = np.asarray(windows)
        weight = None if sample_weight is None else sample_weight[windows.recording]
        params = _weight_params(rest, weight)
        try:
            (fitted,) = yield [Fit(rest, inputs, y[windows.recording], params)]
        except ValueError as error:
            if f"Found array with dim {inputs.ndim}" not in str(error):
                raise
            raise ValueError(
                f"{type(rest).__name__} takes tables, but the windows have shape {inputs.shape}; "
                "put a step in front that makes rows of them, such as FunctionTransformer(flatten) "
                f"with skimbal.preprocessing.flatten ({error})"
            ) from error
        if not n_stateless:
            return fitted
        ends = fitted.steps if isinstance(fitted, Pipeline) else [(estimator.steps[-1][0], fitted)]
        estimator.steps = estimator.steps[:n_stateless] + ends
        return estimator

    def _n_at_once(self, windows):
        window_bytes = windows.shape[1] * windows.shape[2] * windows.dtype.itemsize
        return max(1, self.memory_limit // window_bytes)

    # ---------------------------------------------------------------- prediction

    def predict(self, X):
        """Return the label of each recording: of the largest posterior, or the least expected cost.

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

    def predict_proba(self, X):
        """Return the mean posteriors of the windows of each recording.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        ndarray of shape (n_recordings, n_classes)
            Posteriors in the order of `classes_`.
        """
        windows = self._windows(X)
        return mean_by_recording(self._window_posteriors(windows), windows.recording)

    def predict_proba_windows(self, X):
        """Return the posteriors of the windows.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_windows, n_classes)
            An array for each recording, which has a row for each window: of those that start at
            0, `step_`, 2 `step_`, ...
        """
        windows = self._windows(X)
        ends = np.cumsum(np.bincount(windows.recording))[:-1]
        return np.split(self._window_posteriors(windows), ends)

    def predict_windows(self, X):
        """Return the labels of the windows.

        Parameters
        ----------
        X : list or array-like
            As in `fit`.

        Returns
        -------
        list of ndarray of shape (n_windows,)
            An array for each recording, as of `predict_proba_windows`.
        """
        return [
            self.classes_[choose(proba, self.cost_matrix_)]
            for proba in self.predict_proba_windows(X)
        ]

    def _windows(self, X):
        check_is_fitted(self)
        return index_windows(validate_recordings(self, X, reset=False), self.size_, self.step_)

    def _window_posteriors(self, windows):
        n_at_once = self._n_at_once(windows)
        rows = range(0, len(windows), n_at_once)
        chunks = (np.asarray(windows[first : first + n_at_once]) for first in rows)
        return np.concatenate(
            [posteriors(self.estimator_, chunk, self.classes_) for chunk in chunks]
        )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.classifier_tags.multi_label = False
        return tags


def _weight_params(estimator, weight):
    """Weights of the windows as parameters of the estimator's `fit`."""
    if weight is None:
        return {}
    name, last = estimator.steps[-1] if isinstance(estimator, Pipeline) else ("", estimator)
    if not has_fit_parameter(last, "sample_weight"):
        warn(f"{type(last).__name__} takes no sample_weight; the recordings count alike")
        return {}
    if name and not _routing_enabled():
        return {f"{name}__sample_weight": weight}
    return {"sample_weight": weight}
