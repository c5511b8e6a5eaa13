"""One's own network as a classifier."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils._param_validation import Interval

from skimbal._utils._torch import torch_threads
from skimbal.neural_network._base import NET_CONSTRAINTS, BaseNetClassifier
from skimbal.neural_network._build_own_network import build_own_network
from skimbal.neural_network._input_parts import input_parts


class NetClassifier(BaseNetClassifier):
    """One's own network as a classifier.

    Any module that maps a batch to logits is trained, judged and used as the networks of this
    package: losses, class weights, costs, samplers, early stopping, groups, callbacks, populations
    and searches are the same. Before the training the network is tried on five rows. A network
    that does not fit is a ValueError, which says what it returned and what it must return.

    Parameters
    ----------
    module : torch.nn.Module, class, callable or Module
        The network. A module is copied in each `fit`, which starts from its weights. A class or
        function is called as ``module(input_shape, n_classes)`` and draws new weights by
        `random_state`. ``Module(MyNet, hidden=64)`` gives it more parameters, which searches set
        as ``module__hidden``. The network takes a batch of shape (n, ...) and returns
        logits of shape (n, n_classes).
    head : str or None, default=None
        Name of the last layer, a `torch.nn.Linear` whose output the network returns. What it is
        given are the features: `transform` returns them, and some losses need them. None finds
        the layer, if there is one.
    columns : dict or None, default=None
        For a network with several inputs and an X of shape (n_samples, n_features): name of each
        input -> its columns, by name or number, in a list or a slice. The network is called with
        the inputs by name, as ``forward(sound=..., table=...)``, and `input_shape` is a dict. X may
        be a dict of arrays instead.
    frozen : str, sequence of str or None, default=None
        Patterns of the names of parameters that are not trained, such as "backbone.*". Parts of
        which all parameters are frozen stay in evaluation mode.
    unfreeze_epoch : int or None, default=None
        The epoch, counted from 1, from which frozen parameters are trained too. None is never.
    learning_rates : dict or None, default=None
        Learning rates of single parameters, in place of `learning_rate`: pattern of their names ->
        learning rate. The first pattern that fits counts. The schedule applies to all of them.
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
    batch_size : int or "auto", default="auto"
        Samples of a mini-batch. "auto" is 64 for fewer than 100,000 training samples, and 256 from
        there on.
    max_epochs : int, default=100
        Epochs of training.
    forgetting_half_life : float > 0 or None, default=None
        For `partial_fit` on streams whose class frequencies drift: samples after which an earlier
        one counts half in the class counts, from which class weights, balancing losses and the
        costs "inverse_frequency" are made anew in each call. None keeps the first counts.
    early_stopping : bool or "auto", default="auto"
        Whether to hold out `validation_fraction` of the samples, stratified, to stop when
        validation no longer improves, and to restore the best weights. "auto" does so for tables
        (2-D inputs) of at least 10,000 samples if each class can be held out, and where `fit` is
        given validation data. `partial_fit` never does.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the samples held out.
    n_iter_no_change : int or "auto", default="auto"
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
    input_parts_ : dict
        Name -> shape of a sample, where X is a dict.

    See Also
    --------
    Module : Gives a factory parameters that a search can set.
    MLPClassifier : Dense layers, without a network of one's own.

    Notes
    -----
    `input_mean_` and `input_scale_` standardize each column of a table, and each channel of
    signals, images and of the arrays of a dict. A network that looks up columns by their values,
    such as one with `torch.nn.Embedding`, needs ``standardize=False``.

    `torch.nn.Dropout` is replaced by a layer that draws from a generator of the network. Other
    random numbers of torch get a seed for each batch. Networks of one structure are trained
    together where `torch.func` can take them.

    References
    ----------
    A. Paszke et al. 2019, PyTorch: An Imperative Style, High-Performance Deep Learning Library,
    NeurIPS, arXiv:1912.01703.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import NetClassifier
    >>> def two_layers(input_shape, n_classes):
    ...     first, last = torch.nn.Linear(*input_shape, 16), torch.nn.Linear(16, n_classes)
    ...     return torch.nn.Sequential(first, torch.nn.ReLU(), last)
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> network = NetClassifier(two_layers, class_weight="balanced", max_epochs=20, random_state=0)
    >>> network.fit(X, y).transform(X).shape
    (200, 16)
    """

    _parameter_constraints: dict = {
        **NET_CONSTRAINTS,
        "module": "no_validation",
        "head": [None, str],
        "columns": [None, dict],
        "frozen": [None, str, "array-like"],
        "unfreeze_epoch": [None, Interval(Integral, 1, None, closed="left")],
        "learning_rates": [None, dict],
    }

    def __init__(
        self,
        module: Any,
        *,
        head: str | None = None,
        columns: dict | None = None,
        frozen: str | Sequence[str] | None = None,
        unfreeze_epoch: int | None = None,
        learning_rates: dict[str, float] | None = None,
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
        batch_size: int | str = "auto",
        max_epochs: int = 100,
        forgetting_half_life: float | None = None,
        early_stopping: bool | str = "auto",
        validation_fraction: float = 0.1,
        n_iter_no_change: int | str = "auto",
        scoring: str | Callable | None = None,
        device: str | torch.device = "auto",
        n_threads: int = 1,
        callbacks: list | None = None,
        verbose: int = 0,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.module = module
        self.head = head
        self.columns = columns
        self.frozen = frozen
        self.unfreeze_epoch = unfreeze_epoch
        self.learning_rates = learning_rates
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

    _takes_sparse = True
    _takes_table_rows = True
    _takes_dict = True

    def _check_inputs(self, X):
        input_parts(self, X.shape[1:])

    def _build_module(self, X, n_classes, generator, noise_generator):
        with torch_threads(self.n_threads):  # more may be many times as slow on a busy machine
            return build_own_network(self, X, n_classes, generator, noise_generator)

    def transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the activations before the last layer.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...) or dict of array-like
            Inputs shaped as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_units)
            Activations in float64.

        Raises
        ------
        ValueError
            For a network whose logits are not the output of a `torch.nn.Linear`.
        """
        if self.__sklearn_is_fitted__():
            _ = self._n_features_out  # an error without a last layer, before anything is computed
        return super().transform(X)
