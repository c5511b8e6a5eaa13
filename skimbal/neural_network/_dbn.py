"""Deep belief network as a scikit-learn classifier."""

from collections.abc import Callable, Sequence
from math import prod
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from skimbal._training.contrastive_divergence import PretrainingJob, PretrainingPlan
from skimbal._training.inputs import blocks_of_rows, is_chunked, to_tensors
from skimbal._training.tables import stored_values
from skimbal.losses import class_weight_vector
from skimbal.modules import MLP, RBM, stack_rbms
from skimbal.neural_network._base import DENSE_CONSTRAINTS, BaseNetClassifier, check_layer_sizes
from skimbal.neural_network._fit_plan import check_range_of, check_step_setting

ROUNDING = 1e-6

PUBLISHED_SETTINGS = {
    "pretrain_epochs": 100,
    "pretrain_learning_rate": 0.01,
    "pretrain_momentum": 0.0,
    "pretrain_weight_decay": 0.0,
    "optimizer": "sgd",
    "learning_rate": 0.01,
    "weight_decay": 0.0,
    "batch_size": 16,
    "max_epochs": 300,
}


class DBNClassifier(BaseNetClassifier):
    """Deep belief network: RBMs trained layer by layer, then fine-tuned as a sigmoid network.

    Each hidden layer is the hidden layer of a restricted Boltzmann machine that has learned the
    distribution of the layer below by contrastive divergence, without labels. Unrolled, the
    machines are a network of sigmoids that is trained with a softmax on top.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 32)
        Units of each hidden layer, one restricted Boltzmann machine each.
    visible : {"auto", "bernoulli", "gaussian"}, default="auto"
        Visible units of the lowest machine. "bernoulli" takes inputs in [0, 1] as they are, checks
        this in `fit` and clips in `predict`; "gaussian" takes real ones; "auto" is "bernoulli" if
        all inputs are 0 or 1, else "gaussian".
    pretrain_epochs : int, default=50
        Epochs of pre-training of each layer; with 0, the network is a perceptron with sigmoid
        units.
    pretrain_learning_rate : "auto" or float > 0, default="auto"
        Step size of the pre-training. "auto" is 0.02; for Gaussian visible units and more than 64
        hidden ones it is 0.02 * 64 / n_hidden, because a larger step diverges in wide machines.
    pretrain_momentum : float in [0, 1), default=0.5
        Momentum of the pre-training.
    pretrain_weight_decay : float >= 0, default=0.0001
        Weight decay of the pre-training.
    pretrain_class_weight : None, "balanced", "effective", dict or array-like, default=None
        Weight of each class in the pre-training, in the forms of `class_weight`. Only their ratios
        matter.
    n_gibbs_steps : int, default=1
        Steps k of contrastive divergence (CD-k).
    persistent : bool, default=False
        Whether the chains continue from batch to batch (persistent CD) or start at the data.
    dropout : float in [0, 1), default=0.0
        Probability of dropping a hidden unit in fine-tuning.
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
    learning_rate : float > 0, default=0.003
        Step size of the optimizer.
    learning_rate_schedule : None, "cosine", "exponential", "step" or callable, default=None
        Factor of the step size by epoch. "cosine" falls to 0 like a cosine, "exponential" falls to
        0.01 by the same factor in every epoch, and "step" rises over five epochs and falls to a
        hundredth after 80 and 90 % of the epochs each. A callable is given the epoch, from 1, and
        `max_epochs`.
    weight_decay : float >= 0, default=0.0001
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
    visible_ : {"bernoulli", "gaussian"}
        The visible units used.
    rbms_ : list of skimbal.modules.RBM
        The machines; their weights are those of the network, fine-tuned.
    visible_biases_ : list of torch.Tensor
        Visible biases of the machines, which the network has no use for.
    pretrain_history_ : pandas.DataFrame
        A row a layer and epoch of pre-training: `layer`, `epoch`, `reconstruction_error`.

    See Also
    --------
    skimbal.ECSDBNClassifier : The same with costs that are found by differential evolution.

    References
    ----------
    G. E. Hinton, S. Osindero and Y.-W. Teh 2006, A Fast Learning Algorithm for Deep Belief Nets,
    Neural Computation 18(7), doi:10.1162/neco.2006.18.7.1527.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from skimbal import DBNClassifier
    >>> X, y = make_classification(200, weights=[0.9], random_state=0)
    >>> network = DBNClassifier(pretrain_epochs=10, max_epochs=20, random_state=0).fit(X, y)
    >>> network.transform(X).shape
    (200, 32)
    """

    _parameter_constraints: dict = {
        **DENSE_CONSTRAINTS,
        "visible": [StrOptions({"auto", "bernoulli", "gaussian"})],
        "pretrain_epochs": [Interval(Integral, 0, None, closed="left")],
        "pretrain_learning_rate": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "pretrain_momentum": [Interval(Real, 0, 1, closed="left")],
        "pretrain_weight_decay": [Interval(Real, 0, None, closed="left")],
        "pretrain_class_weight": DENSE_CONSTRAINTS["class_weight"],
        "n_gibbs_steps": [Interval(Integral, 1, None, closed="left")],
        "persistent": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes: Sequence[int] | int = (64, 32),
        visible: str = "auto",
        pretrain_epochs: int = 50,
        pretrain_learning_rate: float | str = "auto",
        pretrain_momentum: float = 0.5,
        pretrain_weight_decay: float = 1e-4,
        pretrain_class_weight: Any = None,
        n_gibbs_steps: int = 1,
        persistent: bool = False,
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
        learning_rate: float = 3e-3,
        learning_rate_schedule: str | Callable | None = None,
        weight_decay: float = 1e-4,
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
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_momentum = pretrain_momentum
        self.pretrain_weight_decay = pretrain_weight_decay
        self.pretrain_class_weight = pretrain_class_weight
        self.n_gibbs_steps = n_gibbs_steps
        self.persistent = persistent
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

    @classmethod
    def as_published(
        cls, random_state: int | np.random.RandomState | None = None, **changes: Any
    ) -> Self:
        """Return a network with the settings of the ECS-DBN paper.

        Two hidden layers of a random size, plain stochastic gradient descent with a step of 0.01
        in both phases, 100 epochs of pre-training and 300 of fine-tuning (Zhang et al. 2019,
        doi:10.1109/TNNLS.2018.2832648). Its text states neither the range of the sizes, 10 to
        100 here, nor the batch size, 16 here.

        Parameters
        ----------
        random_state : int, RandomState instance or None, default=None
            Seed of the sizes and of the network.
        **changes : dict
            Parameters to set otherwise.

        Returns
        -------
        DBNClassifier
            Not fitted.
        """
        sizes = check_random_state(random_state).randint(10, 101, size=2).tolist()
        return cls(
            **{
                **PUBLISHED_SETTINGS,
                "hidden_layer_sizes": tuple(sizes),
                "random_state": random_state,
                **changes,
            }
        )

    _takes_sparse = True
    _takes_table_rows = True
    _takes_windows = False  # pre-training goes through all rows of one tensor
    _attributes_of_start = ("visible_", "visible_biases_", "pretrain_history_")

    def _set_input_attributes(self, X):
        super()._set_input_attributes(X)
        self.visible_ = self.visible
        if self.visible == "auto":
            values = stored_values(X)
            is_binary = all(
                bool(((part == 0) | (part == 1)).all()) for _, part in blocks_of_rows(values)
            )
            self.visible_ = "bernoulli" if is_binary else "gaussian"

    def _check_inputs(self, X):
        check_step_setting("pretrain_weight_decay", self.pretrain_weight_decay)
        if self.pretrain_learning_rate != "auto":
            check_step_setting("pretrain_learning_rate", self.pretrain_learning_rate)
        if is_chunked(X) and X.ndim > 2:
            raise ValueError(
                f"X is a ChunkedTable with samples of shape {X.shape[1:]}; a belief network takes "
                "tables in chunks only: write the rows as (n_samples, n_features)"
            )
        if self.visible_ != "bernoulli":
            return
        # A scaler may end at 1 + 2e-16, which is set to 1 as any value outside in `predict` is.
        least, largest = value_range(X)
        if least < -ROUNDING or largest > 1 + ROUNDING:
            raise ValueError(
                f"X lies in [{least:g}, {largest:g}], but visible='bernoulli' takes values in "
                "[0, 1]; scale X (MinMaxScaler) or use visible='gaussian'"
            )

    def _prepare_inputs(self, X):
        if self.visible_ == "bernoulli":
            return np.clip(X, 0.0, 1.0)
        return super()._prepare_inputs(X)

    def _build_module(self, X, n_classes, generator, noise_generator):
        sizes = check_layer_sizes(self.hidden_layer_sizes)
        if not sizes:
            raise ValueError("hidden_layer_sizes is empty; a belief network needs a hidden layer")
        return MLP(
            prod(X.shape[1:]),
            sizes,
            n_classes,
            activation="sigmoid",
            dropout=self.dropout,
            generator=generator,
            noise_generator=noise_generator,
        )

    def _pretrain(self, net, X, data, counts, plan):
        sample_weight = pretraining_weight(self, data, counts)
        settings = PretrainingPlan(
            visible=self.visible_,
            n_epochs=self.pretrain_epochs,
            learning_rate=self.pretrain_learning_rate,
            momentum=self.pretrain_momentum,
            weight_decay=self.pretrain_weight_decay,
            n_gibbs_steps=self.n_gibbs_steps,
            persistent=self.persistent,
            batch_size=plan.batch_size,
        )
        X = X.reshape(len(X), -1) if isinstance(X, np.ndarray) else X
        tensor, *weight = to_tensors(X, sample_weight, device=net.device)
        job = PretrainingJob(
            net,
            plan.generator,
            plan.noise_generator,
            tensor,
            weight[0] if weight else None,
            settings,
            n_threads=self.n_threads,
            verbose=bool(self.verbose),
        )
        (job,) = yield [job]
        # A job that comes back from another process has copies of its generators.
        plan.generator, plan.noise_generator = job.generator, job.noise_generator
        job.share_generator()
        self.visible_biases_ = job.visible_biases
        self.pretrain_history_ = pd.concat(
            [
                pd.DataFrame(
                    {"layer": i, "epoch": np.arange(1, len(e) + 1), "reconstruction_error": e}
                )
                for i, e in enumerate(job.errors)
            ],
            ignore_index=True,
        )
        return job.net

    @property
    def rbms_(self) -> list[RBM]:
        """The machines, on the weights that the network has now."""
        check_is_fitted(self)
        rbms = stack_rbms(self.net_.module_, visible=self.visible_)
        for rbm, visible_bias in zip(rbms, self.visible_biases_, strict=True):
            rbm.visible_bias = visible_bias
        return rbms


def value_range(X):
    """Smallest and largest number of inputs."""
    if not is_chunked(X):
        return X.min(), X.max()
    ends = [(part.min(), part.max()) for _, part in blocks_of_rows(X)]
    return min(least for least, _ in ends), max(largest for _, largest in ends)


def pretraining_weight(network, data, counts):
    """Weights of the samples in the pre-training: those given, times those of their classes."""
    by_class = class_weight_vector(
        network.pretrain_class_weight, network.classes_, counts, "pretrain_class_weight"
    )
    if by_class is None:
        return data.sample_weight
    check_range_of("pretrain_class_weight", by_class)
    own = 1.0 if data.sample_weight is None else data.sample_weight
    return own * by_class[data.targets]
