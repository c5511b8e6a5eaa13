"""From how many samples on ``early_stopping="auto"`` holds samples out."""

# Chosen with the registered tests of the documentation, section (d), whose rule left it open.
MIN_ROWS_TO_STOP = 10_000


def may_hold_out(early_stopping, n_samples):
    """Whether a network holds samples out for early stopping, if they are a table.

    >>> may_hold_out("auto", 500), may_hold_out("auto", 100_000), may_hold_out(True, 500)
    (False, True, True)
    """
    if isinstance(early_stopping, str):
        return n_samples >= MIN_ROWS_TO_STOP
    return bool(early_stopping)
