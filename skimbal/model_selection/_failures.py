"""Fits that fail, candidates that fail, and workers that die: errors, warnings and limits."""

from concurrent.futures import CancelledError

import numpy as np
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.exceptions import FitFailedWarning

from skimbal._utils._warnings import error_line, warn

# If no fit or no score of so many candidates succeeds, they are not what is wrong.
MAX_FAILED_CANDIDATES = 10
MAX_ATTEMPTS = 3  # what a dead worker was given may be what killed it
# Raised by loky, and by dask where data of a worker were lost with it.
LOST_WORKER = (TerminatedWorkerError, CancelledError)


def errors_of(candidates, kind):
    """Tracebacks of what failed, and the number of all; the kind is "fit" or "score"."""
    found = [result[f"{kind}_error"] for candidate in candidates for result in candidate.results]
    return [error for error in found if error is not None], len(found)


def all_failed(candidates):
    """Whether no candidate has a score: fits or scores failed, or the scores are NaN."""
    return all(result["has_failed"] for candidate in candidates for result in candidate.results)


def raise_if_all_failed(candidates, min_candidates=1):
    """Raise a ValueError where no candidate has a score, if there are enough candidates.

    A few candidates, of which some fits and all other scores failed, are left to the last fit: it
    has all the rows, and raises the error that they have in common.
    """
    n_candidates = len(candidates)
    if n_candidates < min_candidates or not all_failed(candidates):
        return
    fit_errors, n_all = errors_of(candidates, "fit")
    if 0 < len(fit_errors) < n_all and n_candidates < MAX_FAILED_CANDIDATES:
        return
    score_errors, _ = errors_of(candidates, "score")
    counts = [(len(fit_errors), "fits"), (len(score_errors), "scores")]
    text = " and ".join(f"{'all ' * (n == n_all)}{n} {kind}" for n, kind in counts if n)
    if not text and n_candidates < MAX_FAILED_CANDIDATES:
        return  # scikit-learn's warning of scores that are not finite says it
    if not text:
        raise ValueError(
            f"every score of {n_candidates} candidates is NaN; use a score that the test rows of "
            "every split allow, or splits with rows of every class"
        )
    first = (fit_errors or score_errors)[0]
    raise ValueError(
        f"{text} of {n_candidates} candidates failed: {error_line(first)}\n"
        f"Set error_score='raise' to stop at the first failure, which was:\n{first}"
    )


def raise_if_no_mean(candidates, losses):
    """Raise a ValueError where each candidate lacks the score of some split, so that none is best.

    The text says which splits have no score for any candidate, and why the first of them has none.
    """
    if min(losses) < np.inf or all_failed(candidates):  # the latter is `raise_if_all_failed`'s
        return
    by_split = list(zip(*(candidate.results for candidate in candidates), strict=True))
    lost = [i for i, results in enumerate(by_split) if all(r["has_failed"] for r in results)]
    text = f"none of {len(candidates)} candidates has a score in all {len(by_split)} splits"
    if lost:
        first = by_split[lost[0]][0]
        error = first["fit_error"] or first["score_error"]
        why = error_line(error) if error else "the score is NaN, as where its rows lack a class"
        text += f"; {len(lost)} splits have no score for any of them (split {lost[0]}: {why})"
    raise ValueError(
        f"{text}; use fewer splits, a score that the test rows of every split allow, or "
        "error_score=0 to count such a split as 0"
    )


def warn_of_failures(candidates, error_score):
    """Warn once of all fits that failed, and once of all scores."""
    for kind, category in (("fit", FitFailedWarning), ("score", UserWarning)):
        errors, n_all = errors_of(candidates, kind)
        if errors:
            warn(
                f"{len(errors)} of {n_all} {kind}s failed and have the score {error_score}; the "
                f"first failure was:\n{errors[0]}",
                category,
            )


def warn_of_lost_worker(error, attempt):
    """Warn that there is another attempt; raise the error after the last one."""
    if attempt == MAX_ATTEMPTS:
        raise error
    warn(
        "a worker process died; its unfinished fits are tried again "
        f"(attempt {attempt + 1} of {MAX_ATTEMPTS})"
    )
