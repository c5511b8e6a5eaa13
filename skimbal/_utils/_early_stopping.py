"""The rule of `early_stopping`: when validation data end the training of a network."""

# Chosen with the registered tests of the documentation, section (d), whose rule left it open.
MIN_ROWS_TO_STOP = 10_000


def is_automatic(early_stopping):
    """Whether nobody has asked for early stopping, or against it.

    >>> is_automatic("auto"), is_automatic(True), is_automatic(False)
    (True, False, False)
    """
    return isinstance(early_stopping, str) and early_stopping == "auto"


def is_asked_for(early_stopping):
    """Whether early stopping is asked for, so that it is an error where it can't be done.

    >>> is_asked_for("auto"), is_asked_for(True), is_asked_for(False)
    (False, True, False)
    """
    return bool(early_stopping) and not is_automatic(early_stopping)


def stops_early(early_stopping, n_samples, *, is_table=True, has_own_validation=False):
    """Whether validation data end the training of a network.

    This is the only place that knows when ``early_stopping="auto"`` does. It does on tables of at
    least `MIN_ROWS_TO_STOP` rows, and wherever `fit` is given validation data that nothing else
    uses. It does not on signals and images.

    Parameters
    ----------
    early_stopping : bool or "auto"
        As a network has it. True and False hold for all data.
    n_samples : int
        Samples that `fit` is given.
    is_table : bool, default=True
        Whether they have two axes.
    has_own_validation : bool, default=False
        Whether `fit` is given validation data that only early stopping would use.

    Returns
    -------
    bool

    Examples
    --------
    >>> stops_early("auto", 500), stops_early("auto", 100_000), stops_early(True, 500)
    (False, True, True)
    """
    if not is_automatic(early_stopping):
        return bool(early_stopping)
    return has_own_validation or (is_table and n_samples >= MIN_ROWS_TO_STOP)
