"""Fits that are run several times, each time with more of their training.

A fit that trains networks asks for its trainings (`skimbal/_fitting`). Here each
of them is stopped after a part of its epochs, so that the fit ends with an estimator that can be
scored. The next time all else is done again, in the same way where every seed is set, and the
trainings go on where they stopped: with the weights, the optimiser, the history and the generators
that the network had then.
"""

from dataclasses import replace

from skimbal._fitting import Fit
from skimbal._training.contrastive_divergence import PretrainingJob
from skimbal._training.job import TrainingJob


class FitInParts:
    """What a fit has asked for, in order, and what is kept of it for the next time."""

    def __init__(self):
        self.places = []

    def steps(self, fit, divisor):
        """The fit, with each training as far as a part of its epochs.

        Parameters
        ----------
        fit : generator
            The fit in steps, of a new clone of one estimator each time.
        divisor : int
            Networks are trained for ``ceil(n_epochs / divisor)`` epochs, those of former times
            included.

        Returns
        -------
        generator
            As `fit` is one. Networks are trained in place: what it returned before is used up.
        """
        n_asked = 0
        go_on, given = fit.send, None
        while True:
            try:
                wishes = go_on(given)
            except StopIteration as stop:
                return stop.value
            places = [self._place(n_asked + i, wish) for i, wish in enumerate(wishes)]
            n_asked += len(wishes)
            try:
                go_on, given = fit.send, (yield from _results(places, wishes, divisor))
            except BaseException as error:  # the fit decides what it means
                go_on, given = fit.throw, error

    def _place(self, i, wish):
        kind = PLACES.get(type(wish), _Once)
        if i == len(self.places):
            self.places.append(kind())
        assert isinstance(self.places[i], kind), "another fit than before"
        return self.places[i]

    @property
    def n_trained(self):
        """Epochs that its networks have been trained for, those of pre-training included."""
        return sum(place.n_trained for place in self.places)

    @property
    def n_planned(self):
        """The same for the whole fit, as far as it has asked."""
        return sum(place.n_planned for place in self.places)

    # As a fit that another one asks for:

    def ask(self, fit, divisor):
        """What to ask for in place of a fit; None where nothing is left to do."""
        return self.steps(fit.coroutine(), divisor)

    def take(self, fit, result):
        """The result of a fit, given that of what was asked for in its place."""
        return result


def _results(places, wishes, divisor):
    """Ask for what is left of some wishes; return the results of all."""
    asked = [place.ask(wish, divisor) for place, wish in zip(places, wishes, strict=True)]
    done = iter((yield [wish for wish in asked if wish is not None]))
    return [
        place.take(wish, None if own is None else next(done))
        for place, wish, own in zip(places, wishes, asked, strict=True)
    ]


class _Training:
    """A training: what is kept is the net, whose history has an entry for each epoch."""

    def __init__(self):
        self.net = None
        self.sums = None
        self.n_planned = 0

    @property
    def n_trained(self):
        return 0 if self.net is None else len(self.net.history)

    def ask(self, job, divisor):
        self._check_data(job)
        net = job.net if self.net is None else self.net
        if can_be_cut(job):
            self.n_planned = job.n_epochs
            n_epochs = -(-job.n_epochs // divisor) - len(net.history)
        else:
            n_epochs = job.n_epochs if self.net is None else 0
        return replace(job, net=net, n_epochs=n_epochs) if n_epochs > 0 else None

    def _check_data(self, job):
        """Raise a ValueError for other rows than before, which are those of another fit."""
        sums = [float(tensor.sum()) for tensor in job.tensors if hasattr(tensor, "sum")]
        if self.sums is not None and sums != self.sums:
            raise ValueError(
                "a training can't go on where it stopped, because its data are others when the "
                "fit is run again; set the random_state of every step and splitter"
            )
        self.sums = sums

    def take(self, job, result):
        if result is not None:
            self.net = result.net
        if not can_be_cut(job):
            self.n_planned = self.n_trained
        return replace(job, net=self.net)


def can_be_cut(job):
    """Whether a training that goes on is the same as one without a stop.

    Early stopping forgets its best epoch, and callbacks of the user are told of two trainings.
    """
    stops_early = job.early_stopping is not None and job.early_stopping.patience is not None
    return not stops_early and not job.has_callbacks


class _Pretraining:
    """A pre-training, which is done once: the net that is trained on it is kept elsewhere."""

    def __init__(self):
        self.outcome = None
        self.n_trained = self.n_planned = 0

    def ask(self, job, divisor):
        return job if self.outcome is None else None

    def take(self, job, result):
        if result is not None:
            self.outcome = {"errors": result.errors, "visible_biases": result.visible_biases}
            self.n_trained = self.n_planned = sum(map(len, result.errors))
            return result
        vars(job).update(self.outcome)
        return job


class _Once:
    """Anything else, such as the fit of an estimator without networks."""

    n_trained = n_planned = 0

    def __init__(self):
        self.result = None

    def ask(self, wish, divisor):
        return wish if self.result is None else None

    def take(self, wish, result):
        if result is not None:
            self.result = result
        return self.result


PLACES = {TrainingJob: _Training, PretrainingJob: _Pretraining, Fit: FitInParts}
