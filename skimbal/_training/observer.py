"""The callbacks of one network, called from the training loop as skorch calls them.

They see the net as it is at that moment: its parameters, its optimizer and its history.
"""

from skimbal._training.early_stopping import ValidationSet
from skimbal._training.net import make_dataset, overridden_events
from skimbal._training.prediction import forward


class Observer:
    """Calls the callbacks of a network that is trained alone.

    Parameters
    ----------
    job : TrainingJob
    stack : BaseStack
        Holds the parameters and the gradients.
    optimizer : StackedOptimizer or SequentialOptimizer
        Takes the learning rate that the callbacks leave in the net's own optimizer.
    """

    def __init__(self, job, stack, optimizer):
        self.net = job.net
        self.stack = stack
        self.optimizer = optimizer
        self.validation: ValidationSet | None = None
        if job.early_stopping is not None and job.early_stopping.is_held_out:
            self.validation = job.early_stopping.evaluate
        self.events = overridden_events(self.net)
        held_out = self.validation
        self.datasets = {
            "dataset_train": make_dataset(*job.tensors[:2]),
            "dataset_valid": held_out and make_dataset(held_out.X, held_out.target),
        }
        # Schedulers of the learning rate warn where no step has been taken before theirs.
        self.net.optimizer_.zero_grad()
        self.net.optimizer_.step()

    def _notify(self, event, **given):
        """Call the callbacks; return whether one of them asks to end the training."""
        if event not in self.events:
            return False
        self.stack.write_to(self.net.module_, 0)
        self.optimizer.write_to(self.net, 0, self.optimizer.state())
        ends = self.net.notify(event, **given)
        self.optimizer.read_settings(self.net)
        return ends

    def begin_epoch(self, learning_rate):
        """Tell the callbacks that an epoch begins."""
        self.optimizer.show_rate(self.net, learning_rate)
        self._notify("on_epoch_begin", **self.datasets)

    def begin_batch(self, X, labels):
        """Tell the callbacks that a step begins."""
        target, _, n_rows, _ = labels
        self.batch = X[0, : n_rows[0]], target[0, : n_rows[0]]
        self.net.history.new_batch()
        self._notify("on_batch_begin", batch=self.batch, training=True)

    def after_gradients(self):
        """Show the callbacks the gradients of a batch."""
        if "on_grad_computed" in self.events:
            self.stack.write_gradients_to(self.net.module_, 0)
            given = {"named_parameters": self.net.get_all_learnable_params(), "batch": self.batch}
            self._notify("on_grad_computed", training=True, **given)

    def end_batch(self, losses, logits):
        """Tell the callbacks that a step has been taken."""
        logits = logits[0, : len(self.batch[0])].detach().clone()
        self._end_batch(self.batch, losses[0], logits, prefix="train")

    def _end_batch(self, batch, loss, logits, prefix):
        self.net.history.record_batch(f"{prefix}_loss", loss.item())
        self.net.history.record_batch(f"{prefix}_batch_size", len(batch[0]))
        is_training = prefix == "train"
        self._notify("on_batch_end", batch=batch, training=is_training, loss=loss, y_pred=logits)

    def end_epoch(self):
        """Tell the callbacks that an epoch ends; return whether one of them ends the training."""
        history = self.net.history
        history.record("train_batch_count", len(history[-1]["batches"]))  # schedulers read it
        for name in ("train_loss", "valid_loss"):
            if name in history[-1]:
                history.record(f"{name}_best", history[-1][name] == min(history[:, name]))
        if self.validation is not None:
            self._show_validation(self.validation)
        return self._notify("on_epoch_end", **self.datasets)

    def _show_validation(self, held_out):
        """Tell the callbacks of the batches of the validation data."""
        for start in range(0, len(held_out.target), self.net.batch_size):
            rows = slice(start, start + self.net.batch_size)
            batch = held_out.X[rows], held_out.target[rows]
            self.net.history.new_batch()
            self._notify("on_batch_begin", batch=batch, training=False)
            features, logits = forward(self.net.module_, batch[0])
            loss = held_out.loss_of(features, logits, rows)
            self._end_batch(batch, loss, logits, prefix="valid")
