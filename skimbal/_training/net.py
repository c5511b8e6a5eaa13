"""skorch's net as the container of a trained network, and skorch's callbacks.

The net holds the module, the loss, the optimizer and the history, and predicts. It is trained by
the loop in `population.py`, which calls the callbacks through `Net.notify`.
"""

from contextlib import contextmanager
from copy import deepcopy

import numpy as np
import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import (
    BatchScoring,
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    TensorBoard,
    TrainEndCheckpoint,
)
from skorch.dataset import Dataset

from skimbal._training.optimizer import FUSED, OPTIMIZERS
from skimbal._utils._signals import sigint_deferred

# They read parameters, scores and history, and may set the learning rate. What they do before the
# first epoch, such as loading parameters, is done before the stack is made.
READING_CALLBACKS = {
    BatchScoring,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    EpochTimer,
    InputShapeSetter,
    LoadInitState,
    LRScheduler,
    PassthroughScoring,
    PrintLog,
    ProgressBar,
    TensorBoard,
    TrainEndCheckpoint,
}
EVENTS = (
    "on_train_begin",
    "on_train_end",
    "on_epoch_begin",
    "on_epoch_end",
    "on_batch_begin",
    "on_batch_end",
    "on_grad_computed",
)


class Net(NeuralNetClassifier):
    """skorch's classifier around a module that exists already.

    The module returns logits, the criterion is called as ``criterion(logits, target, weight)``.
    """

    @property
    def _default_callbacks(self):
        return []

    def initialized_instance(self, instance_or_cls, kwargs):
        """Return a module as it is: it was made for the shape of the inputs."""
        if isinstance(instance_or_cls, torch.nn.Module):
            return instance_or_cls
        return super().initialized_instance(instance_or_cls, kwargs)

    def initialize_optimizer(self, *args, **kwargs):
        """Make the optimizer, or say that it takes other parameters."""
        try:
            return super().initialize_optimizer(*args, **kwargs)
        except TypeError as error:
            raise ValueError(
                f"optimizer={self.optimizer!r} can't be made with learning_rate and weight_decay "
                f"({error}); use one of {sorted(OPTIMIZERS)} or a class of torch.optim that takes "
                "lr and weight_decay"
            ) from error

    def __getstate__(self):
        """Return all attributes, so that any pickler can take what a user has written.

        skorch hands module and loss to pickle itself, which knows none of a notebook's classes. It
        does so for networks on other devices, so that they can be loaded where there are none.
        """
        return vars(self).copy() if self.device == "cpu" else super().__getstate__()

    def __setstate__(self, state):
        if "module_" in state:
            self.__dict__.update(state)
        else:
            super().__setstate__(state)

    def check_data(self, X, y=None):
        """Accept the data: the estimator has validated it."""

    def notify(self, method_name, **cb_kwargs):
        """Call the callbacks; return whether one of them asks to end the training."""
        ends = False
        for _, callback in self.callbacks_:
            call = getattr(callback, method_name)
            if method_name == "on_train_begin" and _goes_on(callback, self):
                continue
            if isinstance(callback, EarlyStopping):
                ends = _asks_to_end(call, self, **cb_kwargs) or ends
            else:
                call(self, **cb_kwargs)
        return ends


@contextmanager
def unchanged_on_error(net, generators):
    """Give a net and generators back the state that they had, where the block raises an error.

    An interrupt keeps what was trained.
    """
    parts = net.module_, net.criterion_, net.optimizer_
    states = [deepcopy(part.state_dict()) for part in parts]
    draws = [generator.get_state() for generator in generators]
    n_epochs = len(net.history)
    try:
        yield
    except Exception:
        for part, state in zip(parts, states, strict=True):
            part.load_state_dict(state)
        for generator, state in zip(generators, draws, strict=True):
            generator.set_state(state)
        del net.history[n_epochs:]
        raise


def _goes_on(callback, net):
    """Whether a scheduler has the optimizer already: a new one would repeat its last step."""
    scheduler = callback.lr_scheduler_ if isinstance(callback, LRScheduler) else None
    return scheduler is not None and scheduler.optimizer is net.optimizer_


def _asks_to_end(call, net, **given):
    """Call skorch's early stopping, which asks for the end by a KeyboardInterrupt of its own."""
    with sigint_deferred():  # so that a real Ctrl-C is not taken for it
        try:
            call(net, **given)
        except KeyboardInterrupt:
            return True
    return False


def overridden_events(net):
    """The events that the callbacks of a net listen to."""
    return {
        event
        for _, callback in net.callbacks_
        for event in EVENTS
        if getattr(type(callback), event) is not getattr(Callback, event)
    }


def changes_the_training(callback):
    """Whether a callback may change parameters, gradients or the loss while a network trains."""
    return type(callback) not in READING_CALLBACKS


def make_dataset(X, target):
    """Return training data in the form that skorch's callbacks know."""
    return Dataset(X, target, length=len(target))


def make_callbacks(given, *, has_validation, schedule):
    """Return skorch callbacks as a list, or raise a ValueError for those that can't be served.

    Parameters
    ----------
    given : list or None
        Callbacks, classes or other factories of them, or tuples (name, one of these).
    has_validation : bool
        Whether some of the samples are held out.
    schedule : str, callable or None
        The learning rate schedule of the estimator.
    """
    callbacks = []
    for entry in given or []:
        is_named = isinstance(entry, tuple) and len(entry) == 2
        callback = entry[1] if is_named else entry
        if not isinstance(callback, Callback) and callable(callback):
            callback = callback()
        if not isinstance(callback, Callback):
            raise ValueError(
                f"callbacks has {entry!r}; each must be a skorch callback, a class or function "
                "that makes one, or a tuple (name, callback)"
            )
        _check_callback(callback, has_validation, schedule)
        callbacks.append((entry[0], callback) if is_named else callback)
    return callbacks


def _check_callback(callback, has_validation, schedule):
    name = type(callback).__name__
    monitor = getattr(callback, "monitor", None)
    scores_validation = isinstance(callback, EpochScoring | BatchScoring | PassthroughScoring)
    needs_validation = (isinstance(monitor, str) and monitor.startswith("valid_")) or (
        scores_validation and not callback.on_train
    )
    if needs_validation and not has_validation:
        what = f"monitor={monitor!r}" if isinstance(monitor, str) else "on_train=False"
        raise ValueError(
            f"callbacks has {name} with {what}, but there are no validation data; use "
            "early_stopping=True, or let it look at the training data"
        )
    if isinstance(callback, LRScheduler) and schedule is not None:
        raise ValueError(
            f"callbacks has {name}, and learning_rate_schedule is {schedule!r}; both set the "
            "learning rate: leave one of them out"
        )


def parameter_groups(learning_rates):
    """skorch's parameter that gives some parameters of the module learning rates of their own."""
    if not learning_rates:
        return {}
    return {"optimizer__param_groups": [(name, {"lr": rate}) for name, rate in learning_rates]}


def learning_rates_of(net):
    """The pairs of pattern and learning rate that a net was made with."""
    groups = getattr(net, "optimizer__param_groups", [])
    return [(name, group["lr"]) for name, group in groups]


def make_net(module, loss, classes, plan, callbacks, verbose):
    """Build an initialized skorch net around a module and a bound loss."""
    name = plan.optimizer
    net = Net(
        module,
        criterion=loss,
        optimizer=OPTIMIZERS.get(name, name) if isinstance(name, str) else name,
        lr=plan.learning_rate,
        optimizer__weight_decay=plan.weight_decay,
        **({"optimizer__fused": True} if name in FUSED else {}),
        **parameter_groups(plan.learning_rates),
        batch_size=plan.batch_size,
        max_epochs=plan.max_epochs,
        train_split=None,
        classes=np.arange(len(classes)),  # it is trained on these, and predicts them
        predict_nonlinearity=torch.nn.Softmax(dim=-1),
        callbacks=callbacks,
        device=str(plan.device),
        verbose=verbose,
    )
    return net.initialize()
