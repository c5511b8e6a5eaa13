"""What all networks share: fit, continue, predict.

`BaseNetClassifier` holds a skorch net (`net_`) and does not inherit from it, so that the contracts
of scikit-learn and of skorch stay apart. `_fit_data.py` validates the data, `_fit_plan.py` resolves
the settings, and `skimbal/_training/population.py` trains. A subclass writes `__init__` and
`_build_module`.
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call
from sklearn.utils.validation import check_is_fitted

from skimbal._fitting import run_fit
from skimbal._training.augmentation import make_augmentation
from skimbal._training.chunked import ChunkedInputs
from skimbal._training.early_stopping import choose
from skimbal._training.inputs import (
    WindowInputs,
    channel_moments,
    is_chunked,
    is_windows,
    to_tensors,
)
from skimbal._training.job import TrainingJob
from skimbal._training.net import make_net, unchanged_on_error
from skimbal._training.prediction import predict_arrays, predict_logits
from skimbal._training.robust import robust_moments, smooth_clip
from skimbal._training.schedules import SCHEDULES
from skimbal._training.tables import TableInputs, is_large, moments_without_one_hot
from skimbal._utils._early_stopping import is_asked_for, is_automatic
from skimbal._utils._fitted_attributes import copy_attributes, forget_attributes, undone_on_error
from skimbal._utils._groups import check_groups
from skimbal._utils._labels import carries_labels, label_list
from skimbal._utils._log_odds import log_odds, log_softmax
from skimbal._utils._torch import import_compiler
from skimbal._utils._validation import check_two_classes
from skimbal.neural_network._by_rows import (
    network_stops_early,
    resolve_patience,
    sampler_needs_validation,
)
from skimbal.neural_network._chunked import in_chunks, unchanged_file
from skimbal.neural_network._fit_data import (
    TrainingData,
    check_input_shape,
    check_inputs,
    count_classes,
    drop_weightless,
    encode_classes,
    encode_labels,
    given_class_counts,
    is_held_out,
    is_held_out_if_possible,
    own_validation_data,
    validate_training_data,
    with_mean_one,
)
from skimbal.neural_network._fit_plan import (
    depends_on_counts,
    finish_module,
    make_early_stopping,
    make_fit_plan,
)
from skimbal.neural_network._forgetting import following_counts, stream_estimate
from skimbal.neural_network._input_parts import moments_of_parts
from skimbal.neural_network._prior import (
    class_weights_of,
    log_prior_ratio,
    prior_in_training,
)

NET_CONSTRAINTS: dict = {
    "loss": "no_validation",
    "class_weight": [None, str, dict, "array-like"],
    "cost_matrix": [None, StrOptions({"inverse_frequency"}), dict, "array-like"],
    "probabilities": [StrOptions({"training", "data"})],
    "sampler": "no_validation",
    "augmentation": "no_validation",
    "mixup": [Interval(Real, 0, None, closed="left")],
    "standardize": ["boolean", StrOptions({"auto", "robust"})],
    "optimizer": [str, callable],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "learning_rate_schedule": [None, StrOptions(set(SCHEDULES)), callable],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "forgetting_half_life": [None, Interval(Real, 0, None, closed="neither")],
    "early_stopping": ["boolean", StrOptions({"auto"})],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
    "scoring": [None, str, callable],
    "device": [str, torch.device],
    "n_threads": [Interval(Integral, 1, None, closed="left")],
    "callbacks": [None, list],
    "verbose": ["verbose"],
    "random_state": ["random_state"],
}
DENSE_CONSTRAINTS: dict = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    **NET_CONSTRAINTS,
}


# What standardizes inputs: `input_limit_` only with standardize="robust".
MOMENTS = ("input_mean_", "input_scale_", "input_limit_")
MOMENTS_OF = {True: channel_moments, "auto": moments_without_one_hot, "robust": robust_moments}


def check_layer_sizes(given, name="hidden_layer_sizes"):
    """Return the sizes as a list of int, or raise a ValueError."""
    sizes = np.atleast_1d(np.asarray(given, dtype=object)).tolist()
    for size in sizes:
        if not isinstance(size, Integral) or int(size) < 1:
            raise ValueError(f"{name} must be whole numbers of at least 1, got {given!r}")
    return sizes


class BaseNetClassifier(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClassifierMixin,
    BaseEstimator,
    metaclass=ABCMeta,
):
    """Base of the network classifiers.

    A subclass writes out `__init__` and defines `_build_module`; its module has the parts
    `features` (all but the last layer) and `output` (the last layer, which gives the logits).
    """

    # Whether windows of recordings are cut batch by batch, or all at once before.
    _takes_windows = True
    # Whether sparse tables are taken, and made dense batch by batch.
    _takes_sparse = False
    # Whether the rows of a large table that many fits share are taken batch by batch.
    _takes_table_rows = False
    # Whether a dict of arrays, one for each input of the network, is taken.
    _takes_dict = False
    # What a fit that starts from another network takes over besides its parameters.
    _attributes_of_start: tuple[str, ...] = ()

    @abstractmethod
    def _build_module(self, X, n_classes, generator, noise_generator):
        """Return the initialized module for inputs like `X` (standardized, without labels)."""

    def _pretrain(self, net, X, data, counts, plan):
        """Train a net without labels and return it; by default it stays as it is.

        A generator, as `_fit_coroutine`. The labels of `data`, and the counts of the classes, are
        for weights of the samples.
        """
        yield from ()
        return net

    def _set_input_attributes(self, X):
        """Set the fitted attributes that describe the inputs."""
        self.input_shape_ = X.shape[1:]

    def _check_inputs(self, X):
        """Raise a ValueError for inputs that this network can't take."""

    def _with_axes(self, X):
        """Add the missing axes of inputs."""
        return X

    def _prepare_inputs(self, X):
        """Bring validated inputs to the scale and the axes that the network is trained on."""
        X = X if X.ndim == 2 else self._with_axes(X)  # the channel of images; features stay so
        if self.standardize:
            X = (X - self.input_mean_) / self.input_scale_
        if self.standardize == "robust":
            X = smooth_clip(X, self.input_limit_)
        return self._with_axes(X)

    # ---------------------------------------------------------------- training

    __metadata_request__fit = {"groups": True}

    def fit(
        self,
        X,
        y,
        sample_weight=None,
        groups=None,
        *,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train the network from new initial weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, ...)
            Training inputs, finite. Networks that take tables also take sparse ones of SciPy; their
            rows are made dense batch by batch. Rows that do not fit into memory are a
            `skimbal.preprocessing.ChunkedTable`.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, numbers or strings.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples in the loss and in the class counts.
        groups : array-like of shape (n_samples,), default=None
            The group of each sample, such as a patient, a machine or a recording. Where samples
            are held out (`early_stopping`, ``sampler="dynamic"``), no group is separated. Without
            groups, windows of one recording and copies of one sample are not separated.
        X_val : array-like of shape (n_val, ...), default=None
            Validation inputs of your own, in place of samples that are held out.
        y_val : array-like of shape (n_val,), default=None
            Their labels, which must be labels of `y`.
        sample_weight_val : array-like of shape (n_val,), default=None
            Their weights in the validation loss, and in the score if its scorer takes weights.

        Returns
        -------
        self : object
            The fitted classifier.

        Raises
        ------
        ValueError
            For invalid data or parameters, before any training; NonFiniteLossError when the loss
            becomes NaN or infinite.
        """
        own = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
        return run_fit(self._fit_coroutine(X, y, sample_weight, groups, **own))

    def _fit_coroutine(self, X, y, sample_weight=None, groups=None, **own_validation):
        """`fit` as a generator: see `skimbal/_fitting`."""
        self._validate_params()
        with undone_on_error(self), unchanged_file(X):
            X, y, weight = validate_training_data(self, X, y, sample_weight, reset=True)
            yield from self._fit_checked_coroutine(X, y, weight, groups, **own_validation)
        return self

    def _fit_checked_coroutine(
        self, X, y, sample_weight=None, groups=None, *, start=None, **own_validation
    ):
        """Fit on arrays that have been validated: encode, hold out, plan, build, train.

        `start` is a fitted network of the same settings and classes. Its standardization and its
        parameters are those that the training starts from.
        """
        if X.ndim == 2:
            self.n_features_in_ = X.shape[1]
        groups = check_groups(groups, y)
        X, y, sample_weight, groups = drop_weightless(X, y, sample_weight, groups)
        sample_weight = with_mean_one(sample_weight)
        forget_attributes(self, ["_stream_counts"])
        self.classes_, targets = encode_classes(X, y)
        check_two_classes(self.classes_.tolist())
        self._set_input_attributes(X)
        if start is not None:
            copy_attributes(start, self, self._attributes_of_start)
        self._check_inputs(X)
        data = TrainingData(X, targets, sample_weight, groups)
        counts = count_classes(data, len(self.classes_))
        rng = check_random_state(self.random_state)
        data, valid, patience = split_validation(self, data, rng, **own_validation)
        inputs, early_stopping = yield from initialize(
            self, data, counts, rng, valid, patience, start
        )
        yield from train(self, inputs, data, self.max_epochs, early_stopping)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None, class_counts=None):
        """Train for one more epoch, on the given samples.

        The first call initializes the network, its standardization (from the samples given) and
        its weights. After `fit`, the training continues. Where a call fails in the training, as by
        a loss that is not finite, the network stays as it was before the call.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs, finite.
        y : array-like of shape (n_samples,)
            Labels; classes may be missing.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the loss.
        class_counts : dict, Series or array-like of shape (n_classes,), default=None
            Class counts of the whole stream: by label, or an array in the order of `classes`.
            Needed in the first call by settings that depend on counts
            (``class_weight="balanced"``, ``cost_matrix="inverse_frequency"``), because those of the
            first samples would stay for good. With `forgetting_half_life` they are not needed; if
            given, they are the counts before the first samples.

        Returns
        -------
        self : object
            The classifier.
        """
        return run_fit(continue_fit(self, X, y, classes, sample_weight, class_counts))

    # ---------------------------------------------------------------- prediction

    @in_chunks
    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the activations before the last layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, ...)
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Activations in float64.
        """
        return self._forward(X, predict_arrays)[0]

    @in_chunks
    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the log-odds of the predicted probabilities; costs do not change them.

        Parameters
        ----------
        X : array-like
            As in `transform`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log-odds of ``classes_[1]``; for more the logarithms of the
            predicted probabilities.
        """
        return log_odds(self.predict_log_proba(X))

    @in_chunks
    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the logarithms of the predicted probabilities.

        Parameters
        ----------
        X : array-like
            As in `transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
        """
        return log_softmax(self._forward(X, predict_logits) + log_prior_ratio(self))

    @in_chunks
    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the predicted probabilities, the softmax of the logits; costs do not change them.

        With ``probabilities="data"`` they are corrected to the class frequencies of the data.

        Parameters
        ----------
        X : array-like
            As in `transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`; each row adds up to 1.
        """
        return np.exp(self.predict_log_proba(X))

    @in_chunks
    def predict(self, X: ArrayLike) -> NDArray:
        """Return the class with the lowest expected cost; without costs, the most probable class.

        Parameters
        ----------
        X : array-like
            As in `transform`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        proba = self.predict_proba(X)
        return self.classes_[choose(proba, self.cost_matrix_)]

    def _forward(self, X, predict):
        """Return what `predict` computes of samples, whatever other samples there are."""
        check_is_fitted(self)
        X = check_inputs(self, X, reset=False)
        check_input_shape(X, self.input_shape_, type(self).__name__)
        return predict(self.net_.module_, prepared(self, X), self.n_threads)

    @property
    def _n_features_out(self):
        return self.net_.module_.output.in_features

    def __sklearn_is_fitted__(self):
        return hasattr(self, "history_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.sparse = self._takes_sparse
        return tags


def split_validation(network, data, rng, X_val=None, y_val=None, sample_weight_val=None):
    """Return the training data, the validation data and the patience in epochs.

    The validation data are None if nothing needs them, the patience without early stopping.
    """
    valid = own_validation_data(network, X_val, y_val, sample_weight_val)
    stops = network_stops_early(network, data.X, has_own_validation=valid is not None)
    patience = resolve_patience(network) if stops else None
    if valid is not None:
        if not (stops or sampler_needs_validation(network)):
            raise ValueError(
                "X_val and y_val are given, but nothing uses them; set early_stopping=True or "
                "leave them out"
            )
        return data, valid, patience
    is_valid = draw_validation(network, data, network.classes_, rng)
    if is_valid is None:
        return data, None, None
    return data.take(~is_valid), data.take(is_valid), patience


def draw_validation(network, data, classes, rng):
    """Draw the rows that a network holds out; None if it needs none, or "auto" can have none."""
    fraction = network.validation_fraction
    if sampler_needs_validation(network) and not is_asked_for(network.early_stopping):
        return is_held_out(data, classes, fraction, rng, f"sampler={network.sampler!r}")
    if not network_stops_early(network, data.X):
        return None
    if is_automatic(network.early_stopping):
        return is_held_out_if_possible(data, classes, fraction, rng)
    return is_held_out(data, classes, fraction, rng, "early_stopping=True")


def validation_rows(
    network: BaseNetClassifier,
    X: NDArray,
    y: ArrayLike,
    groups: NDArray | None = None,
    random_state: int | np.random.RandomState | None = None,
) -> NDArray[np.bool_] | None:
    """Draw the rows that a network would hold out for validation.

    What resamples in front of a network holds them out first, so that no synthetic sample is made
    from them, and passes them to `fit` as `X_val` and `y_val`.

    Parameters
    ----------
    network : network classifier
        A network of this package. Its `early_stopping`, `sampler` and `validation_fraction` say
        whether and how many rows are held out.
    X : ndarray of shape (n_samples, ...)
        Inputs.
    y : array-like of shape (n_samples,)
        Labels.
    groups : ndarray of int of shape (n_samples,), default=None
        Groups that stay whole, as `check_groups` numbers them. Without groups, copies of one
        sample stay together.
    random_state : int, RandomState instance or None, default=None
        Seed of the draw.

    Returns
    -------
    ndarray of bool of shape (n_samples,) or None
        True for the rows that are held out; None if the network needs no validation data.

    Raises
    ------
    ValueError
        If a class has too few samples or groups to be on both sides.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal import MLPClassifier
    >>> from skimbal.neural_network import validation_rows
    >>> X, y = np.arange(20.0)[:, None], np.repeat([0, 1], 10)
    >>> network = MLPClassifier(early_stopping=True, validation_fraction=0.2)
    >>> int(validation_rows(network, X, y, random_state=0).sum())
    4
    >>> validation_rows(MLPClassifier(), X, y) is None
    True
    """
    classes, targets = np.unique(y, return_inverse=True)
    data = TrainingData(X, targets, None, groups)
    return draw_validation(network, data, classes, check_random_state(random_state))


def stream_counts(estimator, class_counts, classes):
    """Class counts for the first call of `partial_fit`; None where those of the samples do."""
    if class_counts is not None:
        if not carries_labels(class_counts) and len(class_counts) == len(estimator.classes_):
            class_counts = dict(zip(label_list(classes), class_counts, strict=True))
        return given_class_counts(class_counts, estimator.classes_)
    if estimator.forgetting_half_life is None and depends_on_counts(estimator):
        names = ["class_weight", "cost_matrix", "pretrain_class_weight", "loss"]
        given = [f"{n}={getattr(estimator, n)!r}" for n in names if hasattr(estimator, n)]
        raise ValueError(
            f"{', '.join(given[:-1])} and {given[-1]} depend on class counts, which the first "
            "samples don't tell; give partial_fit class_counts=..., set forgetting_half_life, or "
            "give weights and costs as numbers"
        )
    return None


def history_table(history, best_epoch):
    """The history of a net as a table, a row an epoch."""
    hidden = ["batches", "train_batch_count", "train_loss_best", "valid_loss_best"]
    table = pd.DataFrame(list(history)).drop(columns=hidden, errors="ignore")
    if best_epoch is None:
        best_epoch = table["epoch"][table["train_loss"].argmin()]
    return table.assign(is_best=table["epoch"] == best_epoch)


def continue_fit(network, X, y, classes, sample_weight, given_counts):
    """`partial_fit` as a generator."""
    network._validate_params()
    if is_asked_for(network.early_stopping):
        raise ValueError("partial_fit has no epochs to stop early; set early_stopping=False")
    if sampler_needs_validation(network):
        raise ValueError(
            f"partial_fit has no validation data, which sampler={network.sampler!r} needs"
        )
    is_first, given = not hasattr(network, "net_"), X
    with undone_on_error(network):
        _check_partial_fit_first_call(network, classes)
        X, y, weight = validate_training_data(network, X, y, sample_weight, reset=is_first)
        X, y, weight = drop_weightless(X, y, weight)
        weight = with_mean_one(weight)
        data = TrainingData(X, encode_labels(y, network.classes_), weight)
        if is_first:
            network._set_input_attributes(X)
            network._check_inputs(X)
            start = stream_counts(network, given_counts, classes)
            counts = stream_estimate(network, start, data)
            rng = check_random_state(network.random_state)
            inputs, _ = yield from initialize(network, data, counts, rng)
        else:
            check_input_shape(X, network.input_shape_, type(network).__name__)
            network._check_inputs(X)
            inputs = prepared(network, X)
            counts = stream_estimate(network, network._class_counts, data)
        generators = network._training_plan.generators()
        unchanged = unchanged_on_error(network.net_, generators)
        with following_counts(network, counts), unchanged, unchanged_file(given):
            yield from train(network, inputs, data, n_epochs=1)
    return network


def check_training_data(
    network: BaseNetClassifier, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
) -> None:
    """Raise what the `fit` of a network raises for inputs and weights.

    Sets the fitted attributes of the inputs.

    Parameters
    ----------
    network : network classifier
        A network of this package, fitted or not.
    X, y, sample_weight : array-like
        As in its `fit`.

    Examples
    --------
    >>> from skimbal import MLPClassifier
    >>> from skimbal.neural_network import check_training_data
    >>> network = MLPClassifier()
    >>> check_training_data(network, [[0.0, 1.0], [1.0, 0.0]], ["a", "b"])
    >>> network.n_features_in_
    2
    """
    X, y, weight = validate_training_data(network, X, y, sample_weight, reset=True)
    X, *_ = drop_weightless(X, y, weight)
    network._set_input_attributes(X)
    network._check_inputs(X)


def standardize_as(network, data, start):
    """Set the standardization of the inputs: of the data, or that of a network to start from."""
    if start is not None:
        copy_attributes(start, network, MOMENTS)
        return
    forget_attributes(network, MOMENTS)
    moments = MOMENTS_OF[network.standardize]
    if hasattr(network, "input_parts_"):
        found = moments_of_parts(data.X, network.input_parts_, data.sample_weight, moments)
    else:
        is_ready = is_windows(data.X) or is_chunked(data.X) or data.X.ndim == 2
        X = data.X if is_ready else network._with_axes(data.X)
        found = moments(X, data.sample_weight)
    for name, value in zip(MOMENTS, found, strict=False):  # the limit is of robust ones only
        setattr(network, name, value)


def prepared(network, X):
    """Validated inputs as a network takes them: an array, or rows that are prepared when asked for.

    Those are windows, and rows of large or sparse tables, in memory or in chunks on the disk.
    """
    if is_chunked(X):
        return ChunkedInputs(X, network._prepare_inputs)
    if is_windows(X):
        return WindowInputs(X, network._prepare_inputs)
    if network._takes_sparse and is_large(X):
        return TableInputs(X, network._prepare_inputs)
    return network._prepare_inputs(X)


def initialize(network, data, counts, rng, valid=None, patience=None, start=None):
    """Build the net; return the inputs as it takes them, and what judges it (a generator).

    Every setting is checked before anything is trained.
    """
    import_compiler()
    is_weighted, has_validation = data.sample_weight is not None, valid is not None
    plan = make_fit_plan(
        network,
        network.classes_,
        counts,
        rng,
        n_rows=len(data.targets),
        is_weighted=is_weighted,
        has_validation=has_validation,
    )
    network.cost_matrix_ = plan.decision_costs
    network._class_counts = counts
    if network.standardize:
        standardize_as(network, data, start)
    inputs, training = prepared(network, data.X), plan.training
    augmentation = getattr(network, "augmentation", ())  # networks of others may not have it
    training.augmentation = make_augmentation(augmentation, inputs, training.device)
    early_stopping = None
    if valid is not None:
        valid = TrainingData(valid.X, valid.targets, with_mean_one(valid.sample_weight))
        valid_inputs = prepared(network, valid.X)
        early_stopping = make_early_stopping(
            network, plan, valid_inputs, valid, patience, is_held_out=True
        )
    elif plan.scorer is not None:
        early_stopping = make_early_stopping(network, plan, inputs, data, None, is_held_out=False)
    generators = training.generator, training.noise_generator
    module = finish_module(network._build_module(inputs, len(network.classes_), *generators), plan)
    net = make_net(
        module, plan.loss, network.classes_, training, plan.callbacks, bool(network.verbose)
    )
    network._training_plan = training
    if start is not None:
        net.module_.load_state_dict(start.net_.module_.state_dict())
        network.net_ = net
    else:
        network.net_ = yield from network._pretrain(net, inputs, data, counts, training)
    return inputs, early_stopping


def train(network, inputs, data, n_epochs, early_stopping=None):
    """Train; publish the whole epochs also when the user interrupts."""
    tensors = to_tensors(inputs, data.targets, data.sample_weight, device=network.net_.device)
    job = TrainingJob(
        network.net_,
        network._training_plan,
        tensors,
        n_epochs,
        schedule_length=network.max_epochs,
        early_stopping=early_stopping,
        n_threads=network.n_threads,
        verbose=bool(network.verbose),
    )
    n_before = len(network.net_.history)
    try:
        (job,) = yield [job]
        network.net_, network._training_plan = job.net, job.plan
    finally:
        if len(network.net_.history) > n_before:  # not when it was interrupted before an epoch
            best_epoch = None if early_stopping is None else early_stopping.best_epoch
            network.history_ = history_table(network.net_.history, best_epoch)
            network.n_iter_ = len(network.history_)
            network.class_weight_ = class_weights_of(network.net_.criterion_, len(network.classes_))
            counts = getattr(network, "_stream_counts", network._class_counts)
            network.class_frequencies_ = counts / counts.sum()
            network.training_prior_ = prior_in_training(
                network, network._class_counts, network.class_weight_, network.n_iter_
            )
