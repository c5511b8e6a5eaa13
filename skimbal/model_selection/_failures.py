"""Fits that fail, candidates that fail, and workers that die: errors, warnings and limits."""

from concurrent.futures import CancelledError

from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.exceptions import FitFailedWarning

from skimbal._utils._warnings import warn

# If every fit of so many candidates fails, the estimator is wrong rather than the candidates.
MAX_FAILED_CANDIDATES = 10
MAX_ATTEMPTS = 3  # what a dead worker was given may be what killed it
# Raised by loky, and by dask where data of a worker were lost with it.
LOST_WORKER = (TerminatedWorkerError, CancelledError)


def fit_errors(candidates):
    """Tracebacks of the fits that failed, and the number of all fits."""
    fits = [result["fit_error"] for candidate in candidates for result in candidate.results]
    return [error for error in fits if error is not None], len(fits)


def all_failed(candidates):
    """Whether every fit of every candidate failed."""
    errors, n_fits = fit_errors(candidates)
    return len(errors) == n_fits


def raise_if_all_failed(candidates, min_candidates=1):
    """Raise a ValueError where every fit failed, if there are enough candidates."""
    if len(candidates) >= min_candidates and all_failed(candidates):
        errors, n_fits = fit_errors(candidates)
        raise ValueError(
            f"all {n_fits} fits of {len(candidates)} candidates failed; set error_score='raise' to "
            f"stop at the first failure, which was:\n{errors[0]}"
        )


def warn_of_failures(candidates, error_score):
    """Warn once of all fits that failed."""
    errors, n_fits = fit_errors(candidates)
    if errors:
        warn(
            f"{len(errors)} of {n_fits} fits failed and have the score {error_score}; the first "
            f"failure was:\n{errors[0]}",
            FitFailedWarning,
        )


def warn_of_lost_worker(error, attempt):
    """Warn that there is another attempt; raise the error after the last one."""
    if attempt == MAX_ATTEMPTS:
        raise error
    warn(
        "a worker process died; its unfinished fits are tried again "
        f"(attempt {attempt + 1} of {MAX_ATTEMPTS})"
    )
