"""Settings that are "auto": early stopping, its patience, and the size of batches."""

from skimbal._utils._early_stopping import is_automatic, stops_early
from skimbal.sampling import resolve_batches

SMALL_BATCH = 64
LARGE_BATCH = 256
MIN_ROWS_OF_LARGE_BATCHES = 100_000
# Epochs without improvement: of early stopping that is asked for, and of the automatic one. Nobody
# has asked for that one, so it had better stop too late than too early.
PATIENCE = 10
AUTOMATIC_PATIENCE = 30


def resolve_batch_size(batch_size, n_rows):
    """Samples of a mini-batch for so many training samples.

    >>> resolve_batch_size("auto", 500), resolve_batch_size("auto", 500_000)
    (64, 256)
    """
    if batch_size != "auto":
        return batch_size
    return SMALL_BATCH if n_rows < MIN_ROWS_OF_LARGE_BATCHES else LARGE_BATCH


def resolve_patience(network):
    """Epochs without improvement after which a network that stops early ends its training."""
    if network.n_iter_no_change != "auto":
        return network.n_iter_no_change
    return AUTOMATIC_PATIENCE if is_automatic(network.early_stopping) else PATIENCE


def sampler_needs_validation(network):
    """Whether the sampler of a network looks at validation data."""
    sampler = None if network.sampler is None else resolve_batches(network.sampler)
    return sampler is not None and sampler.needs_validation


def network_stops_early(network, X, *, has_own_validation=False):
    """Whether validation data end the training of a network on samples X."""
    return stops_early(
        network.early_stopping,
        X.shape[0],
        is_table=X.ndim == 2,
        has_own_validation=has_own_validation and not sampler_needs_validation(network),
    )
