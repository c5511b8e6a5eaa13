"""Convolutional networks on signals and images."""

from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal._training.inputs import is_windows
from skimbal._utils._recordings import RULE, is_channels_last
from skimbal.modules import Convolution, per_axis, size_after_layers, smallest_size
from skimbal.neural_network._base import NET_CONSTRAINTS, BaseNetClassifier, check_layer_sizes

CNN_PRESETS: dict = {
    "motor-sound": {
        "n_filters": (64, 32, 16),
        "kernel_size": 3,
        "pool_size": 1,
        "learning_rate": 5e-4,
        "batch_size": 16,
    },
    "nested-spheres": {
        "n_filters": (32, 64),
        "kernel_size": (3, 2),
        "pool_size": (1, 2),
        "padding": "valid",
        "global_pooling": False,
        "dense_layer_sizes": (128, 16),
        "dropout": 0.2,
        "optimizer": "adagrad",
        "learning_rate_schedule": "exponential",
    },
    "activity": {
        "n_filters": (100, 160),
        "kernel_size": 10,
        "pool_size": (3, 1),
        "padding": "valid",
        "dropout": 0.2,
    },
}

MIN_SIDE = 16  # of an image, to tell its sides from its channels
SIDES: dict = {1: ("length",), 2: ("height", "width")}


def per_convolution(name, given, n_convolutions, n_axes):
    """Return a size for each convolution, an int or a pair by axis, or raise a ValueError."""
    is_single = not isinstance(given, Sequence) and np.ndim(given) == 0
    sizes = [given] * n_convolutions if is_single else list(given)
    if len(sizes) != n_convolutions:
        raise ValueError(
            f"{name} has {len(sizes)} entries for {n_convolutions} convolutions; give one for each "
            "or a single number" + PAIR_ADVICE[n_axes]
        )
    return [axis_sizes(name, size, n_axes) for size in sizes]


PAIR_ADVICE = {1: "", 2: ". An entry can be a pair (height, width), as in ((4, 1), (2, 2))"}


def axis_sizes(name, size, n_axes):
    """Return a size as an int or, where it is given by axis, as a tuple; or raise a ValueError."""
    sides = check_layer_sizes(size, name)
    if not isinstance(size, Sequence | np.ndarray):
        return sides[0]
    if len(sides) != n_axes or n_axes == 1:
        by_axis = "" if n_axes == 1 else " or a pair (height, width)"
        raise ValueError(
            f"{name} has the entry {size!r}; the entry of a convolution over "
            f"{' and '.join(SIDES[n_axes])} is a whole number{by_axis}"
        )
    return tuple(sides)


def check_channels_first(shape, name):
    """Raise a ValueError for images whose channels come last."""
    *sides, last = shape[1:]
    if len(sides) == 2 and min(sides) >= MIN_SIDE and last in (1, 3, 4):
        raise ValueError(
            f"X has shape {shape}, which looks like images with their channels last; {name} takes "
            "(n_samples, channels, height, width): use np.moveaxis(X, -1, 1). If the axes are "
            "right, give X.swapaxes(2, 3), with pairs of kernels and pools the other way round"
        )


def check_signals_channels_first(X, name):
    """Raise a ValueError for signals, or recordings of windows, whose channels come last."""
    if X.ndim != 3:
        return
    length = X.shape[2]
    if is_windows(X):  # short windows of long recordings say nothing
        length = max(np.shape(recording)[-1] for recording in X.recordings)
    if is_channels_last(X.shape[1], length):
        raise ValueError(
            f"X has shape {(X.shape[0], X.shape[1], length)}, which looks like signals with their "
            f"channels last: {RULE}. {name} takes (n_samples, channels, length): use "
            "np.moveaxis(X, -1, 1). If the axes are right, use CNN2DClassifier on X[:, :, None] "
            "with kernels and pools of height 1, such as kernel_size=((1, 5), (1, 5))"
        )


def sufficient_changes(side, kernels, pools, padding):
    """What leaves something of an axis, each by itself; what is set already is no change.

    >>> sufficient_changes(12, [1, 1], [4, 4], "valid")
    ['smaller pools', 'pool_size="auto"']
    """
    ones, given = [1] * len(kernels), (kernels, pools, padding)
    changes = {
        "smaller pools": (kernels, ones, padding),
        'pool_size="auto"': (kernels, [None] * len(pools), padding),
        "smaller kernels": (ones, pools, padding),
        'padding="same"': (kernels, pools, "same"),
    }
    return [
        text
        for text, change in changes.items()
        if change != given and size_after_layers(side, *change) >= 1
    ] or ["smaller kernels and pools"]


def check_sizes(sides, kernels, pools, padding):
    """Raise a ValueError if convolutions and pools leave nothing of an axis."""
    n_axes = len(sides)
    by_axis = zip(
        SIDES[n_axes],
        sides,
        zip(*(per_axis(kernel, n_axes) for kernel in kernels), strict=True),
        zip(*(per_axis(pool, n_axes) for pool in pools), strict=True),
        strict=True,
    )
    for axis, side, own_kernels, own_pools in by_axis:
        if size_after_layers(side, own_kernels, own_pools, padding) < 1:
            min_side = smallest_size(own_kernels, own_pools, padding)
            remedies = ["longer inputs" if n_axes == 1 else "larger inputs"]
            remedies += sufficient_changes(side, list(own_kernels), list(own_pools), padding)
            raise ValueError(
                f"the {axis} of X is {side}, of which kernels of {list(own_kernels)} with "
                f"padding={padding!r} and pools of {[pool or 'auto' for pool in own_pools]} leave "
                f"nothing; the smallest {axis} they take is {min_side}: use "
                f"{', '.join(remedies[:-1])} or {remedies[-1]}"
            )


def shape_with_axes(shape, n_axes, name):
    """Return a shape with all its axes, missing ones of length 1; a ValueError for too many."""
    n_missing = n_axes + 2 - len(shape)
    if n_missing < 0:
        sides = ", ".join(SIDES[n_axes])
        raise ValueError(
            f"X has shape {shape}; {name} takes (n_samples, channels, {sides}), or "
            f"(n_samples, {sides}) for one channel"
        )
    return (shape[0], *[1] * n_missing, *shape[1:])


class _BaseConvolutionClassifier(BaseNetClassifier):
    """What signals and images have in common."""

    _n_axes: int

    def _check_inputs(self, X):
        name = type(self).__name__
        sides = shape_with_axes(X.shape, self._n_axes, name)[2:]
        if self._n_axes == 1:
            check_signals_channels_first(X, name)
        else:
            check_channels_first(X.shape, name)
        _, kernels, pools = self._layer_sizes()
        check_sizes(sides, kernels, pools, self.padding)

    def _layer_sizes(self):
        """Filters, kernels and pools of each convolution; a pool None is chosen by the input."""
        n_filters = check_layer_sizes(self.n_filters, "n_filters")
        n = len(n_filters)
        if not n:
            raise ValueError("n_filters is empty; give the filters of at least one convolution")
        pools = [None] * n
        if not isinstance(self.pool_size, str):
            pools = per_convolution("pool_size", self.pool_size, n, self._n_axes)
        return n_filters, per_convolution("kernel_size", self.kernel_size, n, self._n_axes), pools

    def _with_axes(self, X):
        return X.reshape(shape_with_axes(X.shape, self._n_axes, type(self).__name__))

    def _build_module(self, X, n_classes, generator, noise_generator):
        return Convolution(
            X.shape[1:],
            *self._layer_sizes(),
            padding=self.padding,
            global_pooling=self.global_pooling,
            dense_layer_sizes=check_layer_sizes(self.dense_layer_sizes, "dense_layer_sizes"),
            dropout=self.dropout,
            n_classes=n_classes,
            generator=generator,
            noise_generator=noise_generator,
        )


CONVOLUTION_CONSTRAINTS: dict = {
    **NET_CONSTRAINTS,
    "n_filters": ["array-like", Interval(Integral, 1, None, closed="left")],
    "kernel_size": ["array-like", Interval(Integral, 1, None, closed="left")],
    "pool_size": [StrOptions({"auto"}), "array-like", Interval(Integral, 1, None, closed="left")],
    "padding": [StrOptions({"same", "valid"})],
    "global_pooling": ["boolean"],
    "dense_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "dropout": [Interval(Real, 0, 1, closed="left")],
}


class CNN1DClassifier(_BaseConvolutionClassifier):
    """Convolutional network on signals.

    Convolutions along time, each with a rectifier and a maximum pool, the mean of each filter or
    dense layers, and a linear layer to the logits. Signals are (n_samples, channels, length); an X
    of shape (n_samples, n_features) is one channel. Signals that look like (length, channels) are
    refused: those with more than 8 channels for each entry of the length (4 if the length is at
    most 16).

    Parameters
    ----------
    n_filters : sequence of int, default=(32, 64)
        Filters of each convolution.
    kernel_size : int or sequence of int or pairs, default=5
        Side of the kernels, or one side for each convolution. For images, the entry of a
        convolution can be a pair (height, width), as in ``((5, 3), (3, 3))``.
    pool_size : "auto", int or sequence of int or pairs, default="auto"
        Side of the maximum pools after the convolutions, or one side for each; 1 does not pool.
        For images, the entry of a convolution can be a pair, as in ``((4, 1), (2, 2))``. "auto" is
        2, and pools no axis of one entry, so that inputs of any size are accepted.
    padding : {"same", "valid"}, default="same"
        Zeros around the inputs of a convolution, so that it keeps their size ("same"), or none.
    global_pooling : bool, default=True
        Whether the dense layers get the mean of each filter, or all values of the filters.
    dense_layer_sizes : sequence of int, default=()
        Units of the hidden dense layers.
    dropout : float in [0, 1), default=0.0
        Probability of dropping in training, behind the first dense layer; without one, behind the
        convolutions.
    loss : str, value of `skimbal.losses` or torch.nn.Module, default="cross_entropy"
        Name or value: see `skimbal.losses.all_losses`. A module is called with logits and targets.
    class_weight : None, "balanced", "effective", dict or array-like, default=None
        Weight of each class in the loss, from the labels of each `fit`. "balanced" is the inverse
        class frequency, "effective" the inverse effective number of samples. Both are scaled so
        that the mean weight of a sample is 1. A dict or a Series maps labels to weights; labels
        that it does not name have weight 1. An array of shape (n_classes,) follows `classes_`.
    cost_matrix : None, "inverse_frequency", dict, frame or array-like, default=None
        Costs that decide in `predict`: entry (i, j) is the cost of predicting ``classes_[j]`` when
        the truth is ``classes_[i]``. The diagonal is 0. A frame goes by the labels of its rows and
        columns. A dict maps pairs (true label, predicted label) to costs; other errors cost 1.
        Predicted probabilities do not change.
    probabilities : {"training", "data"}, default="training"
        Class frequencies that the predicted probabilities are for. Class weights, a sampler and
        balancing losses change those of the training. "data" corrects the probabilities to the
        class frequencies of the labels in `fit`, before costs decide. It needs a loss that
        estimates posteriors, such as cross entropy or logit adjustment.
    sampler : None, str or value of `skimbal.sampling`, default=None
        Classes that the rows of an epoch are drawn from: "balanced", "sqrt", "progressive",
        "dynamic" or "two_phase". None takes each row once. "dynamic" holds out
        `validation_fraction` of the samples. Samplers of imbalanced-learn belong in pipelines.
    augmentation : str, value of `skimbal.augmentation`, callable or list, default=()
        Random changes of the training samples, in this order, drawn anew in each epoch: names or
        values such as ``Noise(0.1)``, or functions ``f(X, generator)``. See
        `skimbal.augmentation`. Validation and prediction use the samples as they are.
    mixup : float >= 0, default=0.0
        Above 0, the network is trained on mixtures of two samples and of their losses. The shares
        are drawn from Beta(mixup, mixup) (Zhang et al. 2018, arXiv:1710.09412).
    standardize : "auto", "robust" or bool, default="auto"
        Whether inputs are brought to mean 0 and standard deviation 1 of the training data: per
        feature for 2-D inputs, per channel for n-d inputs. With "auto", a feature that has 0 in
        most training samples and one other value in all the rest is only divided by that value: a
        one-hot column stays as it is. "robust" is "auto" with the median and the range of the
        quartiles in place of the mean and the deviation; where the quartiles are equal, it divides
        by half of the whole range. Then x becomes x / sqrt(1 + (x / 3)^2), so that no value is
        beyond 3 (Holzmueller et al. 2024, arXiv:2407.04491).
    optimizer : {"adam", "adamw", "sgd", "adagrad", "rmsprop"} or callable, default="adam"
        Optimizer, or a class of `torch.optim`.
    learning_rate : float > 0, default=0.001
        Step size of the optimizer.
    learning_rate_schedule : None, "cosine", "exponential", "step" or callable, default=None
        Factor of the step size by epoch. "cosine" falls to 0 like a cosine, "exponential" falls to
        0.01 by the same factor in every epoch, and "step" rises over five epochs and falls to a
        hundredth after 80 and 90 % of the epochs each. A callable is given the epoch, from 1, and
        `max_epochs`.
    weight_decay : float >= 0, default=0.0001
        Weight decay of the optimizer.
    batch_size : int or "auto", default=64
        Samples of a mini-batch. "auto" is 64 for fewer than 100,000 training samples, and 256 from
        there on.
    max_epochs : int, default=50
        Epochs of training.
    forgetting_half_life : float > 0 or None, default=None
        For `partial_fit` on streams whose class frequencies drift: samples after which an earlier
        one counts half in the class counts, from which class weights, balancing losses and the
        costs "inverse_frequency" are made anew in each call. None keeps the first counts.
    early_stopping : bool or "auto", default=False
        Whether to hold out `validation_fraction` of the samples, stratified, to stop when
        validation no longer improves, and to restore the best weights. "auto" does so for tables
        (2-D inputs) of at least 10,000 samples if each class can be held out, and where `fit` is
        given validation data. `partial_fit` never does.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the samples held out.
    n_iter_no_change : int or "auto", default=10
        Epochs without improvement after which early stopping ends the training. "auto" is 30 with
        ``early_stopping="auto"``, and else 10.
    scoring : str, callable or None, default=None
        Score of each epoch: a name or scikit-learn scorer. With `early_stopping` it is computed on
        the validation data and decides; the validation loss decides between equal scores. Without,
        it is recorded on the training data. With None, the validation loss decides: what the
        network is trained for, with its class weights.
    device : str or torch.device, default="auto"
        "cpu", "cuda", "cuda:<index>" or "mps"; "auto" is the first CUDA card if there is one.
    n_threads : int, default=1
        Threads of torch in `fit` and `predict`.
    callbacks : list of skorch callbacks or None, default=None
        Called in training as skorch calls them. A function that makes a callback can stand for one
        that can't be cloned. A network whose callbacks may change the training is trained alone.
    verbose : int, default=0
        Above 0, a progress bar over the epochs shows loss and score.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches, dropout, sampling and the validation split.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    class_weight_ : ndarray of shape (n_classes,)
        The class weights of the last epoch.
    cost_matrix_ : ndarray of shape (n_classes, n_classes) or None
        The costs that decide; None without any, and where the loss has used them already.
    training_prior_ : ndarray of shape (n_classes,) or None
        Class frequencies that the training has seen in the last epoch, and whose posteriors the
        network estimates: class weights and a sampler change them. None where they are not known.
    class_frequencies_ : ndarray of shape (n_classes,)
        Class frequencies of the labels; with `forgetting_half_life`, those that the stream has now.
    history_ : pandas.DataFrame
        A row an epoch: `epoch`, `train_loss`, with held-out samples `valid_loss`, with `scoring`
        `valid_score` or `train_score`, `learning_rate`, `duration_s` (seconds) and `is_best`.
    n_iter_ : int
        Epochs trained.
    input_shape_ : tuple of int
        Shape of a sample.
    n_features_in_ : int
        Number of features (2-D inputs).
    net_ : skorch.NeuralNetClassifier
        The trained net, initialized and usable. It takes standardized inputs.

    See Also
    --------
    CNN2DClassifier : The same on images.
    skimbal.neural_network.CNN_PRESETS : Parameters of published networks.

    References
    ----------
    Y. LeCun et al. 1998, Gradient-based learning applied to document recognition,
    doi:10.1109/5.726791, section II.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal import CNN1DClassifier
    >>> time = np.arange(64) / 64
    >>> y = np.arange(40) % 4 == 0
    >>> hz = np.where(y, 9, 3)[:, None, None]
    >>> X = np.sin(2 * np.pi * (hz * time + np.linspace(0, 1, 40)[:, None, None]))
    >>> network = CNN1DClassifier(class_weight="balanced", max_epochs=15, random_state=0)
    >>> network.fit(X, y).score(X, y)
    1.0
    """

    _n_axes = 1
    _parameter_constraints: dict = CONVOLUTION_CONSTRAINTS

    def __init__(
        self,
        *,
        n_filters: Sequence[int] | int = (32, 64),
        kernel_size: Sequence[int] | int = 5,
        pool_size: Sequence[int] | int | str = "auto",
        padding: str = "same",
        global_pooling: bool = True,
        dense_layer_sizes: Sequence[int] | int = (),
        dropout: float = 0.0,
        loss: Any = "cross_entropy",
        class_weight: Any = None,
        cost_matrix: ArrayLike | str | dict | None = None,
        probabilities: str = "training",
        sampler: Any = None,
        augmentation: Any = (),
        mixup: float = 0.0,
        standardize: bool | str = "auto",
        optimizer: str | Callable = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: str | Callable | None = None,
        weight_decay: float = 1e-4,
        batch_size: int | str = 64,
        max_epochs: int = 50,
        forgetting_half_life: float | None = None,
        early_stopping: bool | str = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | str = 10,
        scoring: str | Callable | None = None,
        device: str | torch.device = "auto",
        n_threads: int = 1,
        callbacks: list | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.padding = padding
        self.global_pooling = global_pooling
        self.dense_layer_sizes = dense_layer_sizes
        self.dropout = dropout
        self.loss = loss
        self.class_weight = class_weight
        self.cost_matrix = cost_matrix
        self.probabilities = probabilities
        self.sampler = sampler
        self.augmentation = augmentation
        self.mixup = mixup
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.forgetting_half_life = forgetting_half_life
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state


class CNN2DClassifier(_BaseConvolutionClassifier):
    """Convolutional network on images and spectrograms.

    Convolutions over height and width, each with a rectifier and a maximum pool, the mean of each
    filter or dense layers, and a linear layer to the logits. Images are (n_samples, channels,
    height, width); an X of shape (n_samples, height, width) is one channel, one of shape
    (n_samples, n_features) an image of a single row.

    Parameters
    ----------
    n_filters : sequence of int, default=(32, 64)
        Filters of each convolution.
    kernel_size : int or sequence of int or pairs, default=3
        Side of the kernels, or one side for each convolution. For images, the entry of a
        convolution can be a pair (height, width), as in ``((5, 3), (3, 3))``.
    pool_size : "auto", int or sequence of int or pairs, default="auto"
        Side of the maximum pools after the convolutions, or one side for each; 1 does not pool.
        For images, the entry of a convolution can be a pair, as in ``((4, 1), (2, 2))``. "auto" is
        2, and pools no axis of one entry, so that inputs of any size are accepted.
    padding : {"same", "valid"}, default="same"
        Zeros around the inputs of a convolution, so that it keeps their size ("same"), or none.
    global_pooling : bool, default=True
        Whether the dense layers get the mean of each filter, or all values of the filters.
    dense_layer_sizes : sequence of int, default=()
        Units of the hidden dense layers.
    dropout : float in [0, 1), default=0.0
        Probability of dropping in training, behind the first dense layer; without one, behind the
        convolutions.
    loss : str, value of `skimbal.losses` or torch.nn.Module, default="cross_entropy"
        Name or value: see `skimbal.losses.all_losses`. A module is called with logits and targets.
    class_weight : None, "balanced", "effective", dict or array-like, default=None
        Weight of each class in the loss, from the labels of each `fit`. "balanced" is the inverse
        class frequency, "effective" the inverse effective number of samples. Both are scaled so
        that the mean weight of a sample is 1. A dict or a Series maps labels to weights; labels
        that it does not name have weight 1. An array of shape (n_classes,) follows `classes_`.
    cost_matrix : None, "inverse_frequency", dict, frame or array-like, default=None
        Costs that decide in `predict`: entry (i, j) is the cost of predicting ``classes_[j]`` when
        the truth is ``classes_[i]``. The diagonal is 0. A frame goes by the labels of its rows and
        columns. A dict maps pairs (true label, predicted label) to costs; other errors cost 1.
        Predicted probabilities do not change.
    probabilities : {"training", "data"}, default="training"
        Class frequencies that the predicted probabilities are for. Class weights, a sampler and
        balancing losses change those of the training. "data" corrects the probabilities to the
        class frequencies of the labels in `fit`, before costs decide. It needs a loss that
        estimates posteriors, such as cross entropy or logit adjustment.
    sampler : None, str or value of `skimbal.sampling`, default=None
        Classes that the rows of an epoch are drawn from: "balanced", "sqrt", "progressive",
        "dynamic" or "two_phase". None takes each row once. "dynamic" holds out
        `validation_fraction` of the samples. Samplers of imbalanced-learn belong in pipelines.
    augmentation : str, value of `skimbal.augmentation`, callable or list, default=()
        Random changes of the training samples, in this order, drawn anew in each epoch: names or
        values such as ``Noise(0.1)``, or functions ``f(X, generator)``. See
        `skimbal.augmentation`. Validation and prediction use the samples as they are.
    mixup : float >= 0, default=0.0
        Above 0, the network is trained on mixtures of two samples and of their losses. The shares
        are drawn from Beta(mixup, mixup) (Zhang et al. 2018, arXiv:1710.09412).
    standardize : "auto", "robust" or bool, default="auto"
        Whether inputs are brought to mean 0 and standard deviation 1 of the training data: per
        feature for 2-D inputs, per channel for n-d inputs. With "auto", a feature that has 0 in
        most training samples and one other value in all the rest is only divided by that value: a
        one-hot column stays as it is. "robust" is "auto" with the median and the range of the
        quartiles in place of the mean and the deviation; where the quartiles are equal, it divides
        by half of the whole range. Then x becomes x / sqrt(1 + (x / 3)^2), so that no value is
        beyond 3 (Holzmueller et al. 2024, arXiv:2407.04491).
    optimizer : {"adam", "adamw", "sgd", "adagrad", "rmsprop"} or callable, default="adam"
        Optimizer, or a class of `torch.optim`.
    learning_rate : float > 0, default=0.001
        Step size of the optimizer.
    learning_rate_schedule : None, "cosine", "exponential", "step" or callable, default=None
        Factor of the step size by epoch. "cosine" falls to 0 like a cosine, "exponential" falls to
        0.01 by the same factor in every epoch, and "step" rises over five epochs and falls to a
        hundredth after 80 and 90 % of the epochs each. A callable is given the epoch, from 1, and
        `max_epochs`.
    weight_decay : float >= 0, default=0.0001
        Weight decay of the optimizer.
    batch_size : int or "auto", default=64
        Samples of a mini-batch. "auto" is 64 for fewer than 100,000 training samples, and 256 from
        there on.
    max_epochs : int, default=50
        Epochs of training.
    forgetting_half_life : float > 0 or None, default=None
        For `partial_fit` on streams whose class frequencies drift: samples after which an earlier
        one counts half in the class counts, from which class weights, balancing losses and the
        costs "inverse_frequency" are made anew in each call. None keeps the first counts.
    early_stopping : bool or "auto", default=False
        Whether to hold out `validation_fraction` of the samples, stratified, to stop when
        validation no longer improves, and to restore the best weights. "auto" does so for tables
        (2-D inputs) of at least 10,000 samples if each class can be held out, and where `fit` is
        given validation data. `partial_fit` never does.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the samples held out.
    n_iter_no_change : int or "auto", default=10
        Epochs without improvement after which early stopping ends the training. "auto" is 30 with
        ``early_stopping="auto"``, and else 10.
    scoring : str, callable or None, default=None
        Score of each epoch: a name or scikit-learn scorer. With `early_stopping` it is computed on
        the validation data and decides; the validation loss decides between equal scores. Without,
        it is recorded on the training data. With None, the validation loss decides: what the
        network is trained for, with its class weights.
    device : str or torch.device, default="auto"
        "cpu", "cuda", "cuda:<index>" or "mps"; "auto" is the first CUDA card if there is one.
    n_threads : int, default=1
        Threads of torch in `fit` and `predict`.
    callbacks : list of skorch callbacks or None, default=None
        Called in training as skorch calls them. A function that makes a callback can stand for one
        that can't be cloned. A network whose callbacks may change the training is trained alone.
    verbose : int, default=0
        Above 0, a progress bar over the epochs shows loss and score.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches, dropout, sampling and the validation split.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    class_weight_ : ndarray of shape (n_classes,)
        The class weights of the last epoch.
    cost_matrix_ : ndarray of shape (n_classes, n_classes) or None
        The costs that decide; None without any, and where the loss has used them already.
    training_prior_ : ndarray of shape (n_classes,) or None
        Class frequencies that the training has seen in the last epoch, and whose posteriors the
        network estimates: class weights and a sampler change them. None where they are not known.
    class_frequencies_ : ndarray of shape (n_classes,)
        Class frequencies of the labels; with `forgetting_half_life`, those that the stream has now.
    history_ : pandas.DataFrame
        A row an epoch: `epoch`, `train_loss`, with held-out samples `valid_loss`, with `scoring`
        `valid_score` or `train_score`, `learning_rate`, `duration_s` (seconds) and `is_best`.
    n_iter_ : int
        Epochs trained.
    input_shape_ : tuple of int
        Shape of a sample.
    n_features_in_ : int
        Number of features (2-D inputs).
    net_ : skorch.NeuralNetClassifier
        The trained net, initialized and usable. It takes standardized inputs.

    See Also
    --------
    CNN1DClassifier : The same on signals.
    ResNetClassifier : Deeper, for photographs.
    skimbal.neural_network.CNN_PRESETS : Parameters of published networks.

    References
    ----------
    Y. LeCun et al. 1998, Gradient-based learning applied to document recognition,
    doi:10.1109/5.726791, section II.

    Examples
    --------
    The network of the motor-sound preset has 23,796 parameters for four classes.

    >>> import numpy as np
    >>> from skimbal import CNN2DClassifier
    >>> from skimbal.neural_network import CNN_PRESETS
    >>> X, y = np.random.default_rng(0).normal(size=(8, 1, 12, 12)), np.arange(8) % 4
    >>> network = CNN2DClassifier(**CNN_PRESETS["motor-sound"], random_state=0)
    >>> module = network.set_params(max_epochs=1).fit(X, y).net_.module_
    >>> sum(parameter.numel() for parameter in module.parameters())
    23796
    """

    _n_axes = 2
    _parameter_constraints: dict = CONVOLUTION_CONSTRAINTS

    def __init__(
        self,
        *,
        n_filters: Sequence[int] | int = (32, 64),
        kernel_size: Sequence[int | Sequence[int]] | int = 3,
        pool_size: Sequence[int | Sequence[int]] | int | str = "auto",
        padding: str = "same",
        global_pooling: bool = True,
        dense_layer_sizes: Sequence[int] | int = (),
        dropout: float = 0.0,
        loss: Any = "cross_entropy",
        class_weight: Any = None,
        cost_matrix: ArrayLike | str | dict | None = None,
        probabilities: str = "training",
        sampler: Any = None,
        augmentation: Any = (),
        mixup: float = 0.0,
        standardize: bool | str = "auto",
        optimizer: str | Callable = "adam",
        learning_rate: float = 1e-3,
        learning_rate_schedule: str | Callable | None = None,
        weight_decay: float = 1e-4,
        batch_size: int | str = 64,
        max_epochs: int = 50,
        forgetting_half_life: float | None = None,
        early_stopping: bool | str = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int | str = 10,
        scoring: str | Callable | None = None,
        device: str | torch.device = "auto",
        n_threads: int = 1,
        callbacks: list | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.padding = padding
        self.global_pooling = global_pooling
        self.dense_layer_sizes = dense_layer_sizes
        self.dropout = dropout
        self.loss = loss
        self.class_weight = class_weight
        self.cost_matrix = cost_matrix
        self.probabilities = probabilities
        self.sampler = sampler
        self.augmentation = augmentation
        self.mixup = mixup
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.forgetting_half_life = forgetting_half_life
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state
