"""Windows on which a classifier of recordings is fitted, and how they reach its estimator."""

from inspect import signature
from itertools import takewhile

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import _routing_enabled

from skimbal._fitting import Fit
from skimbal._utils._groups import groups_params
from skimbal._utils._labels import vector_by_label
from skimbal._utils._recordings import transpose_advice
from skimbal._utils._validation import is_whole_number, takes_sample_weight
from skimbal._utils._warnings import warn
from skimbal.neural_network import BaseNetClassifier


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


def known_targets(y, classes):
    """Return the indices of labels in the classes of a stream; a ValueError for other labels."""
    places = {label: place for place, label in enumerate(classes.tolist())}
    unknown = [label for label in dict.fromkeys(y.tolist()) if label not in places]
    if unknown:
        raise ValueError(
            f"y has labels {unknown}, which are not in the classes {classes.tolist()}; name all "
            "classes in the first call of partial_fit, or fit again"
        )
    return np.array([places[label] for label in y.tolist()], dtype=np.intp)


def check_any_window(windows):
    """Raise a ValueError if no recording has a window."""
    if len(windows) == 0:
        raise ValueError(
            f"no recording has a window of {windows.size} samples, so there is nothing to learn; "
            'give longer recordings, or use on_short="pad"'
        )


def check_all_have_windows(windows):
    """Raise a ValueError if a recording has no window."""
    skipped = np.setdiff1d(np.arange(len(windows.recordings)), windows.recording)
    if len(skipped):
        raise ValueError(
            f"the recordings {skipped.tolist()} are shorter than the window of {windows.size} "
            'samples, so they have no features; leave them out, or use on_short="pad"'
        )


def split_stateless(pipeline):
    """How many of the first steps of a pipeline transform each window by itself."""
    steps = [step for _, step in pipeline.steps[:-1]]
    return len(list(takewhile(_is_stateless, steps)))


def _is_stateless(step):
    """Whether a step needs no fit, by scikit-learn's tags."""
    if step is None or step == "passthrough":
        return True
    return hasattr(step, "transform") and not get_tags(step).requires_fit


def transform_in_chunks(transformer, windows, n_at_once, *, is_fitted=False):
    """Transform windows in chunks, each window by itself; return the array of all results."""
    transformed = None
    for first in range(0, len(windows), n_at_once):
        rows = np.arange(first, min(first + n_at_once, len(windows)))
        chunk = windows.take(rows)
        is_known = is_fitted or first > 0
        chunk = transformer.transform(chunk) if is_known else transformer.fit_transform(chunk)
        if transformed is None:
            transformed = np.empty((len(windows), *chunk.shape[1:]), dtype=chunk.dtype)
        transformed[rows] = chunk
    return transformed


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


def last_step(estimator):
    """The classifier at the end of a pipeline, or the estimator itself."""
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def learn_more(estimator, windows, y, classes, weight, params, n_at_once, *, is_fitted):
    """Train the last step of an estimator further on windows, by its `partial_fit`.

    The steps before it transform each window by itself, or have been fitted before.
    """
    last, inputs = last_step(estimator), windows
    if last is not estimator and len(estimator.steps) > 1:
        check_no_step_learns(estimator, is_fitted)
        inputs = transform_in_chunks(estimator[:-1], windows, n_at_once, is_fitted=is_fitted)
    elif not isinstance(last, BaseNetClassifier):
        inputs = np.asarray(windows)
    if weight is not None:
        if "sample_weight" in signature(last.partial_fit).parameters:
            params = {**params, "sample_weight": weight}
        else:
            warn(
                f"partial_fit of {type(last).__name__} takes no sample_weight; all recordings have "
                "the same weight"
            )
    last.partial_fit(inputs, y, classes=classes, **params)


def check_no_step_learns(pipeline, is_fitted):
    """Raise a ValueError for steps before the last one that would have to learn from a stream."""
    for name, step in pipeline.steps[:-1]:
        if hasattr(step, "fit_resample"):
            raise ValueError(
                f"the step {name!r} draws samples anew, which partial_fit does not do; leave it "
                "out, and use class weights"
            )
        if not is_fitted and not _is_stateless(step):
            raise ValueError(
                f"the step {name!r} learns from all data at once, so partial_fit cannot begin with "
                "it; call fit first, after which the step stays as it is, or use steps that "
                "transform each window by itself"
            )
