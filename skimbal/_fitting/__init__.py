"""The scheduler: fits run side by side, and networks of one structure are trained as one.

Other packages may use the names below and nothing else of this package. An estimator that trains
networks, or that fits other estimators, writes its `fit` as a generator `_fit_coroutine`, which
requests jobs and fits; `run_fit` runs one of them, `run_fits` many.
"""

from skimbal._fitting._scheduler import (
    Fit,
    has_fit_coroutine,
    last_step_fit,
    run_fit,
    run_fits,
    split_by_memory,
)

__all__ = ["Fit", "has_fit_coroutine", "last_step_fit", "run_fit", "run_fits", "split_by_memory"]
