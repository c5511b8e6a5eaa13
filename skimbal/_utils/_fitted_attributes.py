"""Fitted attributes of estimators: undo, forget and copy them."""

from contextlib import contextmanager


@contextmanager
def undone_on_error(estimator):
    """Give an estimator its attributes back where the block fails.

    An interrupt keeps what was trained, if a new `history_` has been published.
    """
    before = dict(vars(estimator))
    try:
        yield
    except BaseException as error:
        is_trained = vars(estimator).get("history_") is not before.get("history_")
        if isinstance(error, Exception) or not is_trained:
            vars(estimator).clear()
            vars(estimator).update(before)
        raise


def forget_attributes(estimator, names):
    """Delete the named attributes of an earlier fit, where they exist."""
    for name in names:
        vars(estimator).pop(name, None)


def copy_attributes(source, target, names):
    """Set the named attributes as the source has them; delete those that it does not have."""
    for name in names:
        if hasattr(source, name):
            setattr(target, name, getattr(source, name))
        else:
            vars(target).pop(name, None)
