"""Training through skorch, without per-sample and per-batch Python.

skorch's loop hooks, history and callbacks are kept; what it does for every sample (its default
`DataLoader`) and every batch (history records, mode switches, closures) is taken out, because on
data of a few hundred rows it costs several times the training itself (`docs/networks.rst` has the
figures). Batches are slices of tensors that lie on the device from the start.
"""

from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch.func import functional_call
from torch.utils.data import TensorDataset

from skimbal.exceptions import NonFiniteLossError
from skimbal.neural_network._mixup import draw_parts, mixed

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
# One kernel updates all parameters of a layer; rmsprop has none.
FUSED = {"adam", "adamw", "sgd", "adagrad"}


class TensorBatches:
    """Mini-batches of a `TensorDataset`, one shuffle an epoch and slices of it after that.

    Parameters
    ----------
    dataset : TensorDataset
        Tensors of equal length; a batch is a tuple of their rows.
    batch_size : int
        Rows of a batch; the last one may be smaller.
    generator : torch.Generator
        Draws the order of the rows.
    with_partners : bool, default=False
        Whether the rows that come next follow at the end of a batch, for mixup.
    """

    def __init__(self, dataset, batch_size, generator, with_partners=False):
        self.tensors = dataset.tensors
        self.batch_size = batch_size
        self.generator = generator
        self.with_partners = with_partners

    def epoch_order(self):
        """Draw the order in which the next epoch goes through the rows."""
        return torch.randperm(len(self.tensors[0]), generator=self.generator)

    def __iter__(self):
        order = self.epoch_order().to(self.tensors[0].device)
        shuffled = [tensor[order] for tensor in self.tensors]
        if self.with_partners:
            shuffled += [tensor.roll(-1, 0) for tensor in shuffled[:2]]
        return zip(*(tensor.split(self.batch_size) for tensor in shuffled), strict=True)


def loss_error(loss, epoch, learning_rate):
    """The error for a training loss that is NaN or infinite."""
    return NonFiniteLossError(
        f"the training loss is {loss} in epoch {epoch}; lower learning_rate "
        f"(got {learning_rate:g}) or check the scale of X and of the weights"
    )


class _StopTraining(Exception):
    """A callback asked for the end of the training."""


class TensorNet(NeuralNetClassifier):
    """skorch's classifier, trained on tensors that lie on the device.

    The module returns logits, the criterion is called as ``criterion(logits, target, weight)``.
    """

    @property
    def _default_callbacks(self):
        return []

    def initialize_optimizer(self, *args, **kwargs):
        """Make the optimiser, or say that it takes other parameters."""
        try:
            return super().initialize_optimizer(*args, **kwargs)
        except TypeError as error:
            raise ValueError(
                f"optimizer={self.optimizer!r} can't be made with learning_rate and weight_decay "
                f"({error}); use one of {sorted(OPTIMIZERS)} or a class of torch.optim that takes "
                "lr and weight_decay"
            ) from error

    def check_data(self, X, y=None):
        """Accept the data: the estimator has validated it."""

    def get_iterator(self, dataset, training=False):
        """Slice tensors in training; skorch's own loader serves predictions."""
        if training:
            return TensorBatches(dataset, self.batch_size, self.generator, bool(self.mixup))
        return super().get_iterator(dataset, training=training)

    def notify(self, method_name, **cb_kwargs):
        """Call the callbacks; skorch's stop the training by KeyboardInterrupt after an epoch."""
        try:
            super().notify(method_name, **cb_kwargs)
        except KeyboardInterrupt:
            if method_name == "on_epoch_end":
                raise _StopTraining from None
            raise

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Train on every batch once and record the mean loss of the epoch's samples."""
        if iterator is None:
            return
        self._set_training(training)
        losses, sizes = [], []
        n_batches = -(-len(iterator.tensors[0]) // self.batch_size)
        parts = [None] * n_batches
        if self.mixup:
            parts = draw_parts(self.mixup, n_batches, self.generator)
        for batch, self.part in zip(iterator, parts, strict=True):
            if self.callbacks_:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            losses.append(step["loss"])
            sizes.append(len(batch[0]))
            if self.callbacks_:
                self.notify("on_batch_end", batch=batch, training=training, **step)
        mean_loss = np.average(torch.stack(losses).tolist(), weights=sizes)
        epoch = self.history[-1, "epoch"]
        if not np.isfinite(mean_loss):
            raise loss_error(mean_loss, epoch, self.lr)
        self.history.record(f"{prefix}_loss", mean_loss)

    def train_step(self, batch, **fit_params):
        """Take one step of the optimiser on one batch."""
        X, target, *weight = batch
        for parameter in self.trained_parameters:  # zero_grad, at a tenth of its time
            parameter.grad = None
        if self.part is None:
            logits = self.module_(X)
            loss = self.criterion_(logits, target, *weight)
        else:
            *weight, X_partner, partner = weight
            logits = self.module_(mixed(X, X_partner, self.part))
            loss = self.part * self.criterion_(logits, target, *weight)
            loss = loss + (1 - self.part) * self.criterion_(logits, partner, *weight)
        loss.backward()
        if self.callbacks_:
            self.notify(
                "on_grad_computed",
                named_parameters=self.get_all_learnable_params(),
                batch=batch,
                training=True,
            )
        self.optimizer_.step()
        return {"loss": loss.detach(), "y_pred": logits}

    def train(self, tensors, n_epochs):
        """Train on tensors of equal length for `n_epochs` more epochs or until a callback stops."""
        dataset = TensorDataset(*tensors)
        self.trained_parameters = list(self.module_.parameters())
        self.notify("on_train_begin", X=dataset)
        try:
            with suppress(_StopTraining):
                self.fit_loop(dataset, epochs=n_epochs)
        finally:
            self.notify("on_train_end", X=dataset)


class ScheduledLoss(Callback):
    """Tells a loss with a schedule which epoch begins, counted from 1."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_epoch_begin(self, net, **kwargs):
        """Set the epoch of the loss."""
        net.criterion_.set_epoch(net.history[-1, "epoch"], self.n_epochs)


class EarlyStopping(Callback):
    """Stops when validation no longer improves, and restores the best weights.

    Parameters
    ----------
    evaluate : callable
        Maps the module to the validation loss and, where a scorer was given, the score, else
        None. Higher scores are better; of equal ones the lower loss wins.
    patience : int
        Epochs without improvement after which the training stops.
    """

    def __init__(self, evaluate, patience):
        self.evaluate = evaluate
        self.patience = patience

    def on_train_begin(self, net, **kwargs):
        """Forget the best epoch of a former training."""
        self.best_rank_ = None

    def judge(self, net):
        """Evaluate; keep the weights of a better epoch; True after `patience` worse ones."""
        loss, score = self.evaluate(net.module_)
        net.history.record("valid_loss", loss)
        if score is not None:
            net.history.record("valid_score", score)
        rank = (-np.inf if score is None or np.isnan(score) else score, -loss)
        if self.best_rank_ is None or rank > self.best_rank_:
            self.best_rank_ = rank
            self.best_epoch_ = net.history[-1, "epoch"]
            self.best_state_ = {k: v.clone() for k, v in net.module_.state_dict().items()}
        return net.history[-1, "epoch"] - self.best_epoch_ >= self.patience

    def on_epoch_end(self, net, **kwargs):
        """Stop skorch's loop in the way that it knows."""
        if self.judge(net):
            raise KeyboardInterrupt

    def on_train_end(self, net, **kwargs):
        """Restore the best weights, if an epoch has been judged since the last time."""
        best_state = self.__dict__.pop("best_state_", None)
        if best_state is not None:
            net.module_.load_state_dict(best_state)


@dataclass
class TrainingPlan:
    """What a training needs besides the module, the loss and the data."""

    optimizer: object
    learning_rate: float
    weight_decay: float
    batch_size: int
    max_epochs: int
    mixup: float
    device: torch.device
    generator: torch.Generator
    callbacks: list = field(default_factory=list)


def check_callbacks(callbacks):
    """Return skorch callbacks as a list, or raise a ValueError."""
    callbacks = list(callbacks or [])
    for given in callbacks:
        callback = given[1] if isinstance(given, tuple) and len(given) == 2 else given
        is_class = isinstance(callback, type) and issubclass(callback, Callback)
        if not (is_class or isinstance(callback, Callback)):
            raise ValueError(
                f"callbacks has {given!r}; each must be a skorch callback or a tuple (name, "
                "callback)"
            )
    return callbacks


def make_net(module, loss, classes, plan):
    """Build an initialised skorch net around a module and a bound loss."""
    name = plan.optimizer
    net = TensorNet(
        module,
        criterion=loss,
        optimizer=OPTIMIZERS.get(name, name) if isinstance(name, str) else name,
        lr=plan.learning_rate,
        optimizer__weight_decay=plan.weight_decay,
        **({"optimizer__fused": True} if name in FUSED else {}),
        batch_size=plan.batch_size,
        max_epochs=plan.max_epochs,
        train_split=None,
        classes=classes,
        predict_nonlinearity=torch.nn.Softmax(dim=-1),
        callbacks=plan.callbacks,
        device=str(plan.device),
        verbose=0,
    )
    net.generator = plan.generator
    net.mixup = plan.mixup
    return net.initialize()


def to_tensors(*arrays, device):
    """Put arrays on the device once, floats in torch's default dtype; None is left out."""
    dtypes = {"f": torch.get_default_dtype()}
    return [
        torch.as_tensor(array, dtype=dtypes.get(array.dtype.kind), device=device)
        for array in arrays
        if array is not None
    ]


@torch.no_grad()
def forward_in_double(module, X):
    """Return features and logits of a module, computed in float64, as arrays.

    The module keeps its own precision: copies of its parameters are used (Apple's mps devices
    have no float64 and compute in float32).
    """
    module.eval()
    device = module.output.weight.device
    dtype = torch.float32 if device.type == "mps" else torch.float64

    def call(part, x):
        return functional_call(part, {k: v.to(dtype) for k, v in part.state_dict().items()}, (x,))

    features = call(module.features, torch.as_tensor(X, dtype=dtype, device=device))
    return tuple(
        tensor.cpu().double().numpy() for tensor in (features, call(module.output, features))
    )
