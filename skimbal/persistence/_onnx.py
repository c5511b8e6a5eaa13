"""Export to ONNX: the graph of a fitted estimator is built, run on trial samples, then written."""

from os import PathLike

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skimbal._utils._extras import how_to_install
from skimbal._utils._validation import regret_matrix
from skimbal.modules import MLP
from skimbal.neural_network import prediction_steps
from skimbal.persistence._archive import file_to_write, write_archive
from skimbal.persistence._files import check_is_estimator
from skimbal.persistence._onnx_chain import chain, deciding_costs, first_path
from skimbal.persistence._onnx_graph import INPUT, Graph
from skimbal.persistence._onnx_steps import add_chain, add_decision

N_TRIALS = 16
TOLERANCE = {"float64": 1e-9, "float32": 1e-5}


def to_onnx(estimator: BaseEstimator, path: str | PathLike) -> None:
    """Write a fitted classifier as an ONNX graph, which programs without Python can run.

    The graph takes samples "X", shaped as in `fit` and as numbers without names, and returns
    "label" and "probabilities": what `predict` and `predict_proba` return, with the decision by
    costs. Dense networks are computed in double precision, as here, and take float64;
    convolutions are computed in single precision and take float32. Before the file is written, the
    graph is run on trial samples, and its probabilities have to be those of the estimator, within
    1e-9 in double and 1e-5 in single precision.

    Parameters
    ----------
    estimator : fitted classifier
        A network of this package, `FixedCostClassifier`, `TunedCostClassifierCV`,
        `ECSDBNClassifier` or `PriorCorrectedClassifier` around one, or a pipeline of these and of
        `StandardScaler`, `MinMaxScaler`, `MaxAbsScaler` and `RobustScaler`. Of a search it is
        `best_estimator_`; samplers of imbalanced-learn take no part in predictions.
    path : str or path-like
        The file. A file that is there is replaced when the new one is complete.

    Raises
    ------
    ImportError
        If onnx is not installed.
    ValueError
        For an estimator that is not fitted, for a step, layer or label that can't be exported, and
        where the graph does not predict what the estimator predicts. Nothing is written then.
    OSError
        Where the file can't be written; an older file stays as it is.

    See Also
    --------
    skimbal.persistence.save : Write a file that is loaded as an estimator again.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import onnxruntime
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import MLPClassifier
    >>> from skimbal.persistence import to_onnx
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> network = MLPClassifier(max_epochs=5, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(network, Path(folder) / "network.onnx")
    ...     session = onnxruntime.InferenceSession(Path(folder) / "network.onnx")
    >>> label, probabilities = session.run(None, {"X": X})
    >>> bool((label == network.predict(X)).all())
    True
    >>> bool(abs(probabilities - network.predict_proba(X)).max() < 1e-9)
    True
    """
    check_onnx()
    check_is_estimator(estimator)
    check_is_fitted(estimator)
    file_to_write(path)
    steps = chain(estimator)
    path_to_network = first_path(steps)
    dtype = "float64" if isinstance(path_to_network[-1].net_.module_, MLP) else "float32"
    data = graph_of(estimator, steps, dtype)
    check_trials(data, estimator, trial_samples(path_to_network, dtype), TOLERANCE[dtype])
    write_archive(path, data)


def check_onnx():
    """Raise an ImportError that says what to install."""
    try:
        import onnx  # noqa: F401 (only whether it is there)
    except ImportError as error:
        raise ImportError(
            f"to_onnx needs the package onnx, which is not installed: {how_to_install('onnx')}"
        ) from error


def graph_of(estimator, steps, dtype):
    """The bytes of the model of a fitted classifier."""
    network = first_path(steps)[-1]
    classes = labels_of(estimator.classes_)
    graph = Graph(dtype)
    proba = add_chain(steps, graph, INPUT)
    index = add_decision(deciding_costs(estimator), graph, proba)
    graph.output("label", graph.add("Gather", graph.constant(classes), index), classes.dtype)
    graph.output("probabilities", proba, dtype, (len(classes),))
    names = getattr(estimator, "feature_names_in_", None)
    properties = {"classes": classes.tolist()}
    if names is not None:
        properties["feature_names"] = names.tolist()
    return graph.model_bytes(network.input_shape_, properties)


def labels_of(classes):
    """The labels in a type that ONNX has, or a ValueError."""
    kind = classes.dtype.kind
    if kind == "U" or (kind == "O" and all(isinstance(label, str) for label in classes)):
        return classes.astype(object)
    types = {"b": np.bool_, "i": np.int64, "u": np.int64, "f": np.float64}
    if kind not in types or not np.array_equal(classes.astype(types[kind]), classes):
        raise ValueError(
            f"the labels {classes.tolist()} are of type {classes.dtype}, which ONNX has not; "
            "train with labels that are strings, whole numbers or booleans"
        )
    return classes.astype(types[kind])


# ---------------------------------------------------------------- the trial


def trial_samples(path_to_network, dtype):
    """Random samples on the scale of the training data, shape (N_TRIALS, ...)."""
    *scalers, network = path_to_network
    steps = prediction_steps(network)
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(N_TRIALS, *steps.channel_shape))
    if steps.moments is not None:
        mean, scale = steps.moments
        samples = samples * scale + mean
    samples = samples.reshape(N_TRIALS, *steps.input_shape)
    for scaler in reversed(scalers):
        samples = scaler.inverse_transform(samples)
    return np.asarray(samples, dtype=dtype)


def run_graph(data, samples):
    """Labels and probabilities of a graph, by onnxruntime or, without it, by onnx itself."""
    try:
        from onnxruntime import InferenceSession
    except ImportError:
        from onnx import load_model_from_string
        from onnx.reference import ReferenceEvaluator

        session = ReferenceEvaluator(load_model_from_string(data))
    else:
        session = InferenceSession(data, providers=["CPUExecutionProvider"])
    return session.run(None, {INPUT: samples})


def margin(proba, cost_matrix):
    """Difference of the two lowest expected costs, as a share of the largest cost."""
    n_classes = proba.shape[1]
    regrets = 1.0 - np.eye(n_classes) if cost_matrix is None else regret_matrix(cost_matrix)
    expected = np.partition(proba @ (regrets / regrets.max()), 1, axis=1)
    return expected[:, 1] - expected[:, 0]


def check_trials(data, estimator, samples, tolerance):
    """Raise a ValueError unless a graph predicts what the estimator predicts."""
    given = samples
    if hasattr(estimator, "feature_names_in_"):
        given = pd.DataFrame(samples, columns=estimator.feature_names_in_)
    proba, label = np.asarray(estimator.predict_proba(given)), estimator.predict(given)
    found_label, found = run_graph(data, samples)
    difference = np.abs(found - proba).max()
    is_clear = margin(proba, deciding_costs(estimator)) > tolerance
    n_wrong = int((np.asarray(found_label) != label)[is_clear].sum())
    if not difference <= tolerance or n_wrong:
        raise ValueError(
            f"nothing is written: for {len(samples)} trial samples, the graph has probabilities "
            f"that differ by up to {difference:.2g} from those of {type(estimator).__name__} "
            f"({tolerance:g} is allowed), and {n_wrong} other labels. A class that predicts in a "
            "way of its own can't be exported; in single precision, neither can values that are "
            "large compared with their scale"
        )
