"""Training through skorch, without per-sample and per-batch Python.

skorch's loop hooks, history and callbacks are kept; what it does for every sample (its default
`DataLoader`) and every batch (history records, mode switches, closures) is taken out, because on
data of a few hundred rows it costs several times the training itself (`docs/networks.rst` has the
figures). Batches are rows of tensors that lie on the device from the start.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from torch.utils.data import Dataset

from skimbal._training.augmentation import augmented, draw_changes
from skimbal._training.inputs import WindowInputs
from skimbal._training.mixup import draw_parts, mixed
from skimbal._training.row_order import RowOrder
from skimbal._training.schedules import learning_rate_factor
from skimbal.exceptions import NonFiniteLossError

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "adagrad": torch.optim.Adagrad,
    "rmsprop": torch.optim.RMSprop,
}
# One kernel updates all parameters of a layer; rmsprop has none.
FUSED = {"adam", "adamw", "sgd", "adagrad"}


class TrainingRows(Dataset):
    """Inputs, targets and, where there are weights, these, of equal length.

    Parameters
    ----------
    *columns : tensor, or an object with len and [rows] for the inputs
    """

    def __init__(self, *columns):
        self.columns = columns

    def __len__(self):
        return len(self.columns[1])

    def __getitem__(self, rows):
        return tuple(column[rows] for column in self.columns)


class TensorBatches:
    """Mini-batches of `TrainingRows`, in a new order every epoch.

    Parameters
    ----------
    rows : TrainingRows
        A batch is a tuple of their columns.
    order : RowOrder
        Draws the order.
    net : Net
        Whose batches they are: it has the size of a batch, mixup and augmentation. With mixup,
        the rows that come next follow at the end of a batch.
    """

    def __init__(self, rows, order, net):
        self.rows = rows
        self.order = order
        self.net = net

    def __len__(self):
        return -(-len(self.rows) // self.net.batch_size)

    def __iter__(self):
        order = self.order.draw().to(self.rows.columns[1].device)
        drawn = torch.empty(len(order), 0)
        if self.net.augmentation:
            drawn = draw_changes(len(order), self.net.augmentation_generator)
        split = [order, order.roll(-1, 0), drawn, drawn.roll(-1, 0)]
        for rows, partners, changes, partner_changes in zip(
            *(tensor.split(self.net.batch_size) for tensor in split), strict=True
        ):
            batch = self._batch(rows, changes)
            if self.net.mixup:
                batch += self._batch(partners, partner_changes)
            yield tuple(batch)

    def _batch(self, rows, changes):
        X, target, *weight = self.rows[rows]
        if self.net.augmentation:
            X = augmented(X, changes, self.net.augmentation)
        if self.order.is_drawn:
            weight = [torch.ones_like(w) for w in weight]
        return [X, target, *weight]


def loss_error(loss, epoch, learning_rate):
    """The error for a training loss that is NaN or infinite."""
    return NonFiniteLossError(
        f"the training loss is {loss} in epoch {epoch}; lower learning_rate "
        f"(got {learning_rate:g}) or check the scale of X and of the weights"
    )


class _StopTraining(Exception):
    """A callback asked for the end of the training."""


class Net(NeuralNetClassifier):
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
            return TensorBatches(dataset, RowOrder.of_net(self, *dataset.columns[1:]), self)
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
        epoch = self.history[-1, "epoch"]
        iterator.order.begin_epoch(epoch, self.max_epochs, self.valid_f1)
        if self.schedule is not None:
            self._set_learning_rate(learning_rate_factor(self.schedule, epoch, self.max_epochs))
        losses, sizes = [], []
        parts = [None] * len(iterator)
        if self.mixup:
            parts = draw_parts(self.mixup, len(iterator), self.generator)
        for batch, self.part in zip(iterator, parts, strict=True):
            if self.callbacks_:
                self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch)
            losses.append(step["loss"])
            sizes.append(len(batch[0]))
            if self.callbacks_:
                self.notify("on_batch_end", batch=batch, training=training, **step)
        mean_loss = np.average(torch.stack(losses).tolist(), weights=sizes)
        if not np.isfinite(mean_loss):
            raise loss_error(mean_loss, epoch, self.lr)
        self.history.record(f"{prefix}_loss", mean_loss)

    def train_step(self, batch, **fit_params):
        """Take one step of the optimiser on one batch."""
        for parameter in self.trained_parameters:  # zero_grad, at a tenth of its time
            parameter.grad = None
        if self.part is None:
            logits, loss = self._loss(batch[0], batch[1:])
        else:
            half = len(batch) // 2
            X, X_partner = batch[0], batch[half]
            X = mixed(X, X_partner, self.part)
            logits, loss = self._loss(X, batch[1:half], batch[half + 1 :])
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

    def _set_learning_rate(self, factor):
        for group in self.optimizer_.param_groups:
            group["lr"] = factor * self.lr

    def _loss(self, X, *labels):
        """Logits and loss of a batch, or of two sets of labels the mixture of both losses.

        Labels are the targets and, where there are weights, these.
        """
        given = {}
        if self.needs_features:
            logits, given["features"] = self.module_(X, with_features=True)
        else:
            logits = self.module_(X)
        loss, *others = [self.criterion_(logits, *own, **given) for own in labels]
        return logits, mixed(loss, others[0], self.part) if others else loss

    def train(self, tensors, n_epochs):
        """Train on tensors of equal length for `n_epochs` more epochs or until a callback stops."""
        dataset = TrainingRows(*tensors)
        self.trained_parameters = list(self.module_.parameters())
        self.notify("on_train_begin", X=dataset)
        try:
            with suppress(_StopTraining):
                self.fit_loop(dataset, epochs=n_epochs)
        finally:
            if self.schedule is not None:
                self._set_learning_rate(1.0)
            self.notify("on_train_end", X=dataset)


class ScheduledLoss(Callback):
    """Tells a loss with a schedule which epoch begins, counted from 1."""

    def on_epoch_begin(self, net, **kwargs):
        """Set the epoch of the loss."""
        net.criterion_.set_epoch(net.history[-1, "epoch"], net.max_epochs)


class EarlyStopping(Callback):
    """Stops when validation no longer improves, and restores the best weights.

    Parameters
    ----------
    evaluate : ValidationSet
        Maps the module to the validation loss and, where a scorer was given, the score, else
        None. Higher scores are better; of equal ones the lower loss wins.
    patience : int or None
        Epochs without improvement after which the training stops; None only records.
    """

    def __init__(self, evaluate, patience):
        self.evaluate = evaluate
        self.patience = patience

    def on_train_begin(self, net, **kwargs):
        """Forget the best epoch of a former training."""
        self.best_rank_ = None

    def judge(self, net):
        """Evaluate; keep the weights of a better epoch; True after `patience` worse ones."""
        loss, score, net.valid_f1 = self.evaluate(net.module_)
        net.history.record("valid_loss", loss)
        if score is not None:
            net.history.record("valid_score", score)
        if self.patience is None:
            return False
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
    noise_generator: torch.Generator
    augmentation_generator: torch.Generator
    augmentation: tuple = ()
    schedule: Callable | None = None
    sampler: object = None
    needs_features: bool = False
    callbacks: list = field(default_factory=list)


# What a net keeps of its plan beside skorch's own parameters.
PARTS_OF_PLAN = (
    "generator",
    "mixup",
    "augmentation",
    "augmentation_generator",
    "schedule",
    "sampler",
    "needs_features",
)


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
    net = Net(
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
    for part in PARTS_OF_PLAN:
        setattr(net, part, getattr(plan, part))
    net.valid_f1 = None
    return net.initialize()


def to_tensors(*arrays, device):
    """Put arrays on the device once, floats in torch's default dtype; None is left out."""
    dtypes = {"f": torch.get_default_dtype()}
    return [
        array.to(device)
        if isinstance(array, WindowInputs)
        else torch.as_tensor(array, dtype=dtypes.get(array.dtype.kind), device=device)
        for array in arrays
        if array is not None
    ]
