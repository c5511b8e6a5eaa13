"""Residual networks on images."""

from collections.abc import Callable
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from sklearn.utils._param_validation import Interval

from skimbal.modules import ResNet
from skimbal.neural_network._base import NET_CONSTRAINTS, BaseNetClassifier
from skimbal.neural_network._convolutional import check_channels_first, shape_with_axes


class ResNetClassifier(BaseNetClassifier):
    """Residual network on images.

    Blocks of two convolutions, x + F(x), behind a 3 x 3 convolution, for images of some 32 x 32
    and upwards. Images are (n_samples, channels, height, width); an X of shape (n_samples, height,
    width) is one channel, one of shape (n_samples, n_features) an image of a single row. Batch
    normalization looks at the whole batch, so these networks are trained one by one.

    Parameters
    ----------
    depth : int, default=32
        Layers with weights: 18 (four stages from 64 filters on), or 8, 14, 20, 26, 32, ... (three
        stages from 16 filters on, shortcuts without parameters).
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
    augmentation : str, value of `skimbal.augmentation`, callable or list, default=("flip", "crop")
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
    optimizer : {"adam", "adamw", "sgd", "adagrad", "rmsprop"} or callable, default="adamw"
        Optimizer, or a class of `torch.optim`.
    learning_rate : float > 0, default=0.001
        Step size of the optimizer.
    learning_rate_schedule : None, "cosine", "exponential", "step" or callable, default="cosine"
        Factor of the step size by epoch. "cosine" falls to 0 like a cosine, "exponential" falls to
        0.01 by the same factor in every epoch, and "step" rises over five epochs and falls to a
        hundredth after 80 and 90 % of the epochs each. A callable is given the epoch, from 1, and
        `max_epochs`.
    weight_decay : float >= 0, default=0.05
        Weight decay of the optimizer.
    batch_size : int or "auto", default=128
        Samples of a mini-batch. "auto" is 64 for fewer than 100,000 training samples, and 256 from
        there on.
    max_epochs : int, default=100
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
    CNN2DClassifier : Shallow, for spectrograms and small images.

    References
    ----------
    K. He, X. Zhang, S. Ren & J. Sun 2016, Deep Residual Learning for Image Recognition,
    doi:10.1109/CVPR.2016.90, sections 3.3 and 4.2.

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal import ResNetClassifier
    >>> X, y = np.random.default_rng(0).normal(size=(12, 3, 16, 16)), np.arange(12) % 3
    >>> network = ResNetClassifier(depth=8, max_epochs=1, random_state=0).fit(X, y)
    >>> network.predict_proba(X).shape
    (12, 3)
    """

    _parameter_constraints: dict = {
        **NET_CONSTRAINTS,
        "depth": [Interval(Integral, 8, None, closed="left")],
    }

    def __init__(
        self,
        *,
        depth: int = 32,
        loss: Any = "cross_entropy",
        class_weight: Any = None,
        cost_matrix: ArrayLike | str | dict | None = None,
        probabilities: str = "training",
        sampler: Any = None,
        augmentation: Any = ("flip", "crop"),
        mixup: float = 0.0,
        standardize: bool | str = "auto",
        optimizer: str | Callable = "adamw",
        learning_rate: float = 1e-3,
        learning_rate_schedule: str | Callable | None = "cosine",
        weight_decay: float = 0.05,
        batch_size: int | str = 128,
        max_epochs: int = 100,
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
        self.depth = depth
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

    def _check_inputs(self, X):
        check_channels_first(X.shape, type(self).__name__)
        shape_with_axes(X.shape, 2, type(self).__name__)

    def _with_axes(self, X):
        return X.reshape(shape_with_axes(X.shape, 2, type(self).__name__))

    def _build_module(self, X, n_classes, generator, noise_generator):
        if self.depth != 18 and self.depth % 6 != 2:
            raise ValueError(
                f"depth={self.depth}; it must be 18 or one of 8, 14, 20, 26, 32, ... (6n + 2)"
            )
        return ResNet(X.shape[1], self.depth, n_classes, generator=generator)
