"""What all networks share: validate, encode, build, train, predict.

`BaseNetClassifier` holds a skorch net (`net_`) and is none: scikit-learn's contract and skorch's
stay apart. A subclass writes `__init__` and `_build_module`, and may override `_pretrain`.
"""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
import pandas as pd
import torch
from scipy.special import logsumexp
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import _check_partial_fit_first_call, check_classification_targets
from sklearn.utils.validation import (
    _check_sample_weight,
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skimbal._fitting import run_fit
from skimbal._training.early_stopping import ValidationSet, choose
from skimbal._training.inputs import WindowInputs, channel_moments, is_windows
from skimbal._training.net import (
    OPTIMIZERS,
    EarlyStopping,
    ScheduledLoss,
    TrainingPlan,
    check_callbacks,
    make_net,
    to_tensors,
)
from skimbal._training.population import TrainingJob
from skimbal._training.prediction import predict_arrays
from skimbal._training.row_order import checked_share
from skimbal._training.schedules import SCHEDULES
from skimbal._utils._fitted_attributes import undone_on_error
from skimbal._utils._log_odds import log_odds
from skimbal._utils._torch import resolve_device, torch_threads
from skimbal._utils._validation import check_cost_matrix, unknown_name_message
from skimbal.losses import class_weight_vector, resolve_loss
from skimbal.metrics import get_scorer, inverse_frequency_cost_matrix
from skimbal.modules import NormalizedLinear
from skimbal.sampling import resolve_batches

NET_CONSTRAINTS: dict = {
    "loss": "no_validation",
    "class_weight": [None, str, dict, "array-like"],
    "cost_matrix": [None, StrOptions({"inverse_frequency"}), "array-like"],
    "sampler": "no_validation",
    "mixup": [Interval(Real, 0, None, closed="left")],
    "standardize": ["boolean"],
    "optimizer": [str, callable],
    "learning_rate": [Interval(Real, 0, None, closed="neither")],
    "learning_rate_schedule": [None, StrOptions(set(SCHEDULES)), callable],
    "weight_decay": [Interval(Real, 0, None, closed="left")],
    "batch_size": [Interval(Integral, 1, None, closed="left")],
    "max_epochs": [Interval(Integral, 1, None, closed="left")],
    "early_stopping": ["boolean"],
    "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
    "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
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


def check_layer_sizes(given, name="hidden_layer_sizes"):
    """Return the sizes as a list of int, or raise a ValueError."""
    sizes = np.atleast_1d(np.asarray(given, dtype=object)).tolist()
    if not all(isinstance(size, Integral) and int(size) >= 1 for size in sizes):
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

    @abstractmethod
    def _build_module(self, X, n_classes, generator, noise_generator):
        """Return the initialised module for inputs like `X` (standardised, without labels)."""

    def _pretrain(self, net, X, sample_weight, noise_generator):
        """Train a net without labels and return it; by default it stays as it is.

        A generator, as `_fit_coroutine`.
        """
        yield from ()
        return net

    def _check_inputs(self, X, *, reset):
        """Raise a ValueError for inputs that this network can't take."""

    def _prepare_inputs(self, X):
        """Bring validated inputs to the scale and the axes that the network is trained on."""
        if is_windows(X):
            return WindowInputs(X, self._prepare_inputs)
        X = self._with_channels(X)
        if self.standardize:
            X = (X - self.input_mean_) / self.input_scale_
        return self._with_axes(X)

    # Whether windows of recordings are cut batch by batch, or all at once before.
    _takes_windows = True

    def _cut(self, X):
        return np.asarray(X) if is_windows(X) and not self._takes_windows else X

    def _with_channels(self, X):
        """Add the axis of a single channel to images; features stay features."""
        return X if X.ndim == 2 or is_windows(X) else self._with_axes(X)

    def _with_axes(self, X):
        """Add the axes that inputs lack."""
        return X

    # ---------------------------------------------------------------- training

    def fit(self, X, y, sample_weight=None):
        """Train the network from new initial weights.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, n_channels, ...)
            Training inputs, finite.
        y : array-like of shape (n_samples,)
            Labels of two or more classes, numbers or strings.
        sample_weight : array-like of shape (n_samples,), default=None
            Non-negative weights of the samples in the loss and in the class counts.

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
        return run_fit(self._fit_coroutine(X, y, sample_weight))

    def _fit_coroutine(self, X, y, sample_weight=None):
        """`fit` as a generator: see `_together.py`."""
        self._validate_params()
        with undone_on_error(self):
            X, y, sample_weight = self._validate_training_data(X, y, sample_weight, reset=True)
            self.classes_, targets = np.unique(y, return_inverse=True)
            counts = self._class_counts(targets, sample_weight)
            rng = check_random_state(self.random_state)
            train, valid = self._split_validation(X, targets, sample_weight, rng)
            X, targets, sample_weight = train
            inputs = yield from self._initialize(X, targets, sample_weight, counts, rng, valid)
            yield from self._train(inputs, targets, sample_weight, n_epochs=self.max_epochs)
        return self

    def partial_fit(self, X, y, classes=None, sample_weight=None, class_counts=None):
        """Train for one more epoch, on the given samples.

        Where this fails in the training, as by a loss that is not finite, the weights stay as they
        are then.

        The first call initialises the network, its standardisation (from the samples given) and
        its weights; after `fit`, training goes on.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training inputs, finite.
        y : array-like of shape (n_samples,)
            Labels; may lack classes.
        classes : array-like of shape (n_classes,), default=None
            All labels; needed in the first call.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples in the loss.
        class_counts : dict label -> count or array-like of shape (n_classes,), default=None
            Class counts of the whole stream, an array in the order of `classes`. Needed in the
            first call by settings that depend on counts (``class_weight="balanced"``,
            ``cost_matrix="inverse_frequency"``), because those of the first samples would stay for
            good.

        Returns
        -------
        self : object
            The classifier.
        """
        return run_fit(self._partial_fit_coroutine(X, y, classes, sample_weight, class_counts))

    def _partial_fit_coroutine(self, X, y, classes, sample_weight, class_counts):
        self._validate_params()
        if self.early_stopping:
            raise ValueError("partial_fit has no epochs to stop early; set early_stopping=False")
        if self._needs_validation():
            raise ValueError(
                f"partial_fit has no validation data, which sampler={self.sampler!r} needs"
            )
        first = not hasattr(self, "net_")
        with undone_on_error(self):
            _check_partial_fit_first_call(self, classes)
            X, y, sample_weight = self._validate_training_data(X, y, sample_weight, reset=first)
            targets = self._encode_labels(y)
            if first:
                counts = self._stream_counts(class_counts, classes, targets, sample_weight)
                rng = check_random_state(self.random_state)
                inputs = yield from self._initialize(X, targets, sample_weight, counts, rng)
            else:
                inputs = self._prepare_inputs(X)
            yield from self._train(inputs, targets, sample_weight, n_epochs=1)
        return self

    def check_training_data(self, X, y, sample_weight=None):
        """Raise what `fit` raises for inputs and weights; sets the attributes of the inputs.

        Parameters
        ----------
        X, y, sample_weight
            As in `fit`.
        """
        self._validate_training_data(X, y, sample_weight, reset=True)

    def _validate_training_data(self, X, y, sample_weight, *, reset):
        X = self._cut(X)
        if not is_windows(X):
            X, y = validate_data(
                self, X, y, reset=reset, allow_nd=True, dtype=[np.float64, np.float32]
            )
        y = column_or_1d(y, warn=True)
        check_consistent_length(X, y)
        check_classification_targets(y)
        if reset:
            self.input_shape_ = X.shape[1:]
        self._check_input_shape(X)
        if sample_weight is not None:
            sample_weight = _check_sample_weight(
                sample_weight, y[:, None], dtype=np.float64, ensure_non_negative=True
            )
            used = sample_weight > 0
            X, y, sample_weight = X[used], y[used], sample_weight[used]
        if len(X):
            self._check_inputs(X, reset=reset)
        return X, y, sample_weight

    def _check_input_shape(self, X):
        if X.shape[1:] != self.input_shape_:
            raise ValueError(
                f"X has samples of shape {X.shape[1:]}, but {type(self).__name__} was fitted on "
                f"samples of shape {self.input_shape_}"
            )
        if X.ndim > 2 and hasattr(self, "n_features_in_"):
            del self.n_features_in_

    def _class_counts(self, targets, sample_weight):
        if len(self.classes_) < 2:
            raise ValueError(
                f"y has {len(self.classes_)} class ({self.classes_.tolist()}) with a positive "
                "weight; a classifier needs samples of two or more classes"
            )
        return np.bincount(targets, sample_weight, len(self.classes_)).astype(np.float64)

    def _encode_labels(self, y):
        unknown_labels = np.setdiff1d(y, self.classes_)
        if len(unknown_labels):
            raise ValueError(
                f"y has labels {unknown_labels.tolist()}, which are not in classes "
                f"{self.classes_.tolist()}"
            )
        return np.searchsorted(self.classes_, y)

    def _stream_counts(self, class_counts, classes, targets, sample_weight):
        """Class counts for the first call of `partial_fit`."""
        needs_counts = (
            isinstance(self.class_weight, str)
            or isinstance(self.cost_matrix, str)
            or resolve_loss(self.loss).needs_counts
        )
        if class_counts is None and needs_counts:
            raise ValueError(
                f"class_weight={self.class_weight!r}, cost_matrix={self.cost_matrix!r} and "
                f"loss={self.loss!r} depend on class counts, which the first samples don't tell; "
                "give partial_fit class_counts=..., or give weights and costs as numbers"
            )
        if class_counts is None:
            return self._class_counts(targets, sample_weight)
        if not isinstance(class_counts, dict) and len(class_counts) == len(self.classes_):
            class_counts = dict(zip(np.asarray(classes).tolist(), class_counts, strict=True))
        if isinstance(class_counts, dict):
            class_counts = [class_counts.get(label, 0) for label in self.classes_.tolist()]
        counts = np.asarray(class_counts, dtype=np.float64)
        if counts.shape != self.classes_.shape or not (counts > 0).all():
            raise ValueError(
                f"class_counts {counts.tolist()} must be one positive number for each of the "
                f"classes {self.classes_.tolist()}"
            )
        return counts

    def _split_validation(self, X, targets, sample_weight, rng):
        """Split off validation data, for early stopping or a sampler; None when there is none."""
        if not self._needs_validation():
            return (X, targets, sample_weight), None
        # Windows of one recording are alike, so whole recordings are held out.
        units = X.recording if is_windows(X) else np.arange(len(X))
        unit = "recording" if is_windows(X) else "sample"
        held_out = []
        for c, label in enumerate(self.classes_.tolist()):
            candidates = np.unique(units[targets == c])
            if len(candidates) < 2:
                why = "early_stopping=True" if self.early_stopping else f"sampler={self.sampler!r}"
                raise ValueError(
                    f"class {label!r} has 1 {unit}, but {why} needs 2 of each class, one of them "
                    "for validation"
                )
            held_out.append(rng.permutation(candidates)[: self._n_held_out(len(candidates))])
        is_valid = np.isin(units, np.concatenate(held_out))
        return [
            (X[rows], targets[rows], None if sample_weight is None else sample_weight[rows])
            for rows in (~is_valid, is_valid)
        ]

    def _needs_validation(self):
        batches = resolve_batches(self.sampler)
        return self.early_stopping or (batches is not None and batches.needs_validation)

    def _n_held_out(self, n_samples):
        """Validation samples of a class: its fraction, at least one, and not all."""
        return np.clip(round(self.validation_fraction * n_samples), 1, n_samples - 1)

    def _initialize(self, X, targets, sample_weight, counts, rng, valid=None):
        """Build module, loss and net, and return the inputs as the net takes them (a generator).

        Every setting is checked before anything is trained.
        """
        device = resolve_device(self.device)
        self._check_optimizer()
        scorer = None if self.scoring is None else get_scorer(self.scoring)
        sampler = self._checked_sampler(counts)
        value, costs = resolve_loss(self.loss), self._resolve_cost_matrix(counts)
        loss = self._bind_loss(value, counts, costs, self.class_weight)
        # Costs that the network has learned by are in its answers already.
        self.cost_matrix_ = None if value.needs_costs else costs
        self._try_loss(value, loss, weighted=sample_weight is not None)
        if self.standardize:
            moments = channel_moments(self._with_channels(X), sample_weight)
            self.input_mean_, self.input_scale_ = moments
        validation_set = None
        if valid is not None:
            unweighted = value.unweighted()
            valid_loss = self._bind_loss(unweighted, counts, costs, class_weight=None).to(device)
            data = to_tensors(self._prepare_inputs(valid[0]), *valid[1:], device=device)
            validation_set = self._validation_set(data, unweighted, valid_loss, scorer, sampler)
        plan = self._plan(device, rng, sampler, value, self._callbacks(loss, validation_set))
        inputs = self._prepare_inputs(X)
        net = make_net(self._module_of(inputs, plan, value), loss, self.classes_, plan)
        self.net_ = yield from self._pretrain(net, inputs, sample_weight, plan.noise_generator)
        return inputs

    def _checked_sampler(self, counts):
        """The mini-batch sampler; raises for parameters out of range."""
        sampler = resolve_batches(self.sampler)
        if sampler is not None:
            checked_share(sampler, counts, 1, self.max_epochs)
        return sampler

    def _plan(self, device, rng, sampler, loss_value, callbacks):
        seeds = rng.randint(2**31 - 1, size=3).tolist()
        schedule = self.learning_rate_schedule
        return TrainingPlan(
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            max_epochs=self.max_epochs,
            mixup=self.mixup,
            device=device,
            generator=torch.Generator().manual_seed(seeds[0]),
            noise_generator=torch.Generator(device).manual_seed(seeds[1]),
            augmentation_generator=torch.Generator().manual_seed(seeds[2]),
            augmentation=self._augmentation(),
            schedule=SCHEDULES[schedule] if isinstance(schedule, str) else schedule,
            sampler=sampler,
            needs_features=loss_value.needs_features,
            callbacks=callbacks,
        )

    def _module_of(self, inputs, plan, loss_value):
        """Build the module, with the last layer that the loss asks for."""
        n_classes = len(self.classes_)
        module = self._build_module(inputs, n_classes, plan.generator, plan.noise_generator)
        if loss_value.head == "normalized":
            module.output = NormalizedLinear(
                module.output.in_features, n_classes, loss_value.scale, plan.generator
            )
        return module.to(plan.device, torch.get_default_dtype())

    def _check_optimizer(self):
        if isinstance(self.optimizer, str) and self.optimizer not in OPTIMIZERS:
            raise ValueError(unknown_name_message("optimizer", self.optimizer, OPTIMIZERS))

    def _augmentation(self):
        """Names of the random changes of training images."""
        return ()

    def _bind_loss(self, loss, counts, costs, class_weight):
        """Bind a loss to the class counts, weights and costs of the training data."""
        weight = class_weight_vector(class_weight, self.classes_, counts)
        if weight is not None and loss.weights_classes:
            raise ValueError(
                f"loss={loss!r} weights the classes itself; with class_weight="
                f"{class_weight!r} the two would multiply: leave one of them out"
            )
        return loss.bind(counts, class_weight=weight, cost_matrix=costs)

    def _try_loss(self, value, loss, *, weighted):
        """Call the loss once, so that one that can't be weighted is refused before any training."""
        with torch.no_grad():
            target = torch.arange(len(self.classes_))
            logits = torch.zeros(len(target), len(target))
            weight = torch.ones(len(target)) if weighted else None
            loss(logits, target, weight, *([logits] if value.needs_features else []))

    def _resolve_cost_matrix(self, counts):
        if self.cost_matrix is None:
            return None
        if isinstance(self.cost_matrix, str):
            return inverse_frequency_cost_matrix(counts)
        return check_cost_matrix(self.cost_matrix, len(self.classes_))

    def _validation_set(self, data, loss_value, loss, scorer, sampler):
        X, target, *weight = data
        return ValidationSet(
            X,
            target,
            weight[0] if weight else None,
            loss=loss,
            scorer=scorer,
            classes=self.classes_,
            cost_matrix=self.cost_matrix_,
            needs_features=loss_value.needs_features,
            wants_f1=sampler is not None and sampler.needs_validation,
        )

    def _callbacks(self, loss, validation_set):
        callbacks = check_callbacks(self.callbacks)
        if hasattr(loss, "set_epoch"):
            callbacks.append(ScheduledLoss())
        if validation_set is not None:
            patience = self.n_iter_no_change if self.early_stopping else None
            callbacks.append(EarlyStopping(validation_set, patience))
        return callbacks

    def _train(self, inputs, targets, sample_weight, n_epochs):
        """Train; publish what there is also when the user interrupts."""
        stoppers = [c for _, c in self.net_.callbacks_ if isinstance(c, EarlyStopping)]
        job = TrainingJob(
            self.net_,
            to_tensors(inputs, targets, sample_weight, device=self.net_.device),
            n_epochs,
            schedule_length=self.max_epochs,
            early_stopping=stoppers[0] if stoppers else None,
            has_callbacks=bool(self.callbacks),
            n_threads=self.n_threads,
            verbose=bool(self.verbose),
        )
        n_before = len(self.net_.history)
        try:
            (job,) = yield [job]
            self.net_ = job.net
        finally:
            if len(self.net_.history) > n_before:  # not when it was interrupted before an epoch
                self._publish()

    def _publish(self):
        """Set the fitted attributes that describe the training."""
        self.history_ = pd.DataFrame(
            [{k: v for k, v in row.items() if k != "batches"} for row in self.net_.history]
        )
        self.n_iter_ = len(self.history_)
        weight = getattr(self.net_.criterion_, "class_weight", None)
        self.class_weight_ = (
            np.ones(len(self.classes_)) if weight is None else weight.cpu().double().numpy()
        )

    # ---------------------------------------------------------------- prediction

    def transform(self, X):
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
        return self._forward(X)[0]

    def decision_function(self, X):
        """Return how far the posteriors lean, whatever the costs.

        Parameters
        ----------
        X : array-like
            As in `transform`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            For two classes the log-odds of ``classes_[1]``; for more the log-posteriors.
        """
        return log_odds(self.predict_log_proba(X))

    def predict_log_proba(self, X):
        """Return the logarithms of the posteriors, shape (n_samples, n_classes)."""
        logits = self._forward(X)[1]
        return logits - logsumexp(logits, axis=1, keepdims=True)

    def predict_proba(self, X):
        """Return the posteriors, the softmax of the logits; costs don't change them.

        Parameters
        ----------
        X : array-like
            As in `transform`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Posteriors in the order of `classes_`; each row adds up to 1.
        """
        return np.exp(self.predict_log_proba(X))

    def predict(self, X):
        """Return the class of least expected cost; without costs, of the largest posterior.

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

    def _forward(self, X):
        """Return features and logits, which don't depend on what other samples there are."""
        check_is_fitted(self)
        X = self._cut(X)
        if not is_windows(X):
            X = validate_data(self, X, reset=False, allow_nd=True, dtype=[np.float64, np.float32])
        self._check_input_shape(X)
        with torch_threads(self.n_threads):
            return predict_arrays(self.net_.module_, self._prepare_inputs(X))

    @property
    def _n_features_out(self):
        return self.net_.module_.output.in_features

    def __sklearn_is_fitted__(self):
        return hasattr(self, "history_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
