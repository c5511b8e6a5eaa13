"""The loop of a search: ask for candidates, evaluate the new ones, tell their losses."""

import pickle
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from skimbal.model_selection._evaluation import Evaluation, configured, loss_of
from skimbal.model_selection._failures import (
    MAX_FAILED_CANDIDATES,
    all_failed,
    raise_if_all_failed,
    raise_if_no_mean,
)
from skimbal.model_selection._state import Candidate, Progress, SearchState, write_state

# So many batches without a new candidate mean that the optimizer proposes old ones only.
MAX_REPEATED_BATCHES = 100
# Reasons that end the whole search; others end the search of one space.
ENDS_SEARCH = ("time", "target", "callback")


@dataclass
class SearchRun:
    """A search under way.

    Attributes
    ----------
    search : estimator
        Has the parameters `patience`, `time_budget_s`, `target_score`, `state_file` and `verbose`.
    state : SearchState
        What has been done.
    evaluation : Evaluation
        Evaluates candidates.
    ask : callable
        Called with an optimizer and the number of candidates that are left in the budget of its
        space. Returns points, at least one unless the space has no more.
    budgets : list of int
        Candidates of each space.
    after_batch : callable
        Called with this object after each batch, if some candidate has a score; returns whether
        the search ends.
    after_candidate : callable
        The same after each candidate, within a batch.
    """

    search: Any
    state: SearchState
    evaluation: Evaluation
    ask: Callable
    budgets: list
    after_batch: Callable
    after_candidate: Callable

    def __post_init__(self):
        search, n_done = self.search, len(self.state.candidates)
        self.deadline = time.monotonic() + (search.time_budget_s or np.inf)
        self.patience = search.patience or np.inf
        self.target_score = np.inf if search.target_score is None else search.target_score
        self.bar = tqdm(initial=n_done, unit="candidate", disable=not search.verbose)

    def run(self):
        """Search one space after another; return the reason why the search ended."""
        with self.bar:
            if any(self._reason_to_leave(p) is None for p in self.state.progresses):
                self._save()  # a file that can't be written is noticed before the first fit
            for progress in self.state.progresses:
                while (reason := self._reason_to_leave(progress)) is None:
                    reason = self._run_batch(progress) or self._reason_to_end()
                    if reason is not None:
                        break
                if reason in ENDS_SEARCH:
                    break
        return reason

    def _reason_to_leave(self, progress):
        """Why the search of this space is over, or None."""
        if len(self.state.indices_of(progress.index)) >= progress.space.n_points:
            return "exhausted"
        if progress.n_without_new >= MAX_REPEATED_BATCHES:
            return "repeated"
        if progress.n_without_gain >= self.patience:
            return "patience"
        return None if progress.n_proposed < self.budgets[progress.index] else "budget"

    def _run_batch(self, progress):
        """Ask, evaluate and tell; return why the search ends within the batch, or None.

        The state is saved after each batch. If a batch is not finished, it is saved with the
        optimizer as it was before, which then proposes the same points again.
        """
        before = None if self.search.state_file is None else pickle.dumps(progress.optimizer)
        points = self.ask(progress.optimizer, self.budgets[progress.index] - progress.n_proposed)
        if not len(points):
            return "exhausted"
        keys = [point.tobytes() for point in progress.space.snap(points) + 0.0]
        known = self.state.indices_of(progress.index)
        new = {key: point for key, point in zip(keys, points, strict=True) if key not in known}
        try:
            reason = self._evaluate(new, progress)
        except BaseException:
            with suppress(OSError):  # the first error is the one to tell
                self._save_unfinished(progress, before)
            raise
        if reason is not None:
            self._save_unfinished(progress, before)
            return reason
        progress.tell(points, self._losses(keys, progress), n_new=len(new))
        self.bar.set_postfix_str(f"best {-self.state.best_loss:.4g}")
        self._save()
        return None

    def _evaluate(self, new, progress):
        """Evaluate the points of a dict key -> point; return why the search ends, or None."""
        params = [progress.space.to_params(point) for point in new.values()]
        batch = sum(progress.n_batches for progress in self.state.progresses)
        n_done = 0
        with closing(self.evaluation.run([self._candidate(p) for p in params])) as outcomes:
            for key, own, results in zip(new, params, outcomes, strict=True):
                self.state.candidates.append(Candidate(own, results, batch, progress.index, key))
                self.bar.update()
                n_done += 1
                if not all_failed(self.state.candidates) and self.after_candidate(self):
                    return "callback"
                if time.monotonic() > self.deadline and n_done < len(new):
                    return "time"
        return "time" if time.monotonic() > self.deadline else None

    def _candidate(self, params):
        """An estimator with the parameters, or the exception that says why it can't be made."""
        try:
            return configured(self.state.estimator, params, self.state.seed)
        except Exception as error:
            if self.evaluation.error_score == "raise":
                raise
            return error

    def losses(self):
        """Losses of all candidates, in the order of their evaluation; inf where there is none."""
        metric = self.evaluation.metric
        return [loss_of(candidate.results, metric) for candidate in self.state.candidates]

    def _losses(self, keys, progress):
        indices = self.state.indices_of(progress.index)
        results = [self.state.candidates[indices[key]].results for key in keys]
        return np.array([loss_of(each, self.evaluation.metric) for each in results])

    def _reason_to_end(self):
        """Why the whole search is over after a batch, or None."""
        candidates = self.state.candidates
        raise_if_all_failed(candidates, min_candidates=MAX_FAILED_CANDIDATES)
        if len(candidates) >= MAX_FAILED_CANDIDATES:
            raise_if_no_mean(candidates, self.losses())
        is_stopped = not all_failed(candidates) and self.after_batch(self)
        if -self.state.best_loss >= self.target_score:
            return "target"
        return "callback" if is_stopped else None

    def _save(self):
        if self.search.state_file is not None:
            write_state(self.search.state_file, self.state)

    def _save_unfinished(self, progress: Progress, optimizer_before):
        if self.search.state_file is not None:
            progress.optimizer = pickle.loads(optimizer_before)
            self._save()
