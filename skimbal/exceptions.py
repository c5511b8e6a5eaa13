"""Warnings and errors that a caller may want to catch by name."""


class AbsentClassWarning(UserWarning):
    """A class is absent from the labels that a score was computed on."""


class FewerFoldsWarning(UserWarning):
    """A class has fewer samples than folds were asked for; fewer folds are used."""


class DataNotFoundError(FileNotFoundError):
    """A data set is in none of the sources that were tried; the message says what to do."""


class KeelFormatError(ValueError):
    """A KEEL ``.dat`` file breaks the format; the message names file and line."""


class NonFiniteLossError(ValueError):
    """The training loss became NaN or infinite; the message names the epoch."""
