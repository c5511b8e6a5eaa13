"""Warnings and errors that can be caught by name."""


class AbsentClassWarning(UserWarning):
    """A class is absent from the labels of a score."""


class UnknownLabelWarning(UserWarning):
    """Weights, costs or steps by label name a label that no sample of the fit has."""


class BalancedTwiceWarning(UserWarning):
    """Two settings make up for the same imbalance, such as costs and balanced class weights."""


class FewerFoldsWarning(UserWarning):
    """A class has fewer samples than there are folds, so fewer folds are used."""


class DataNotFoundError(FileNotFoundError):
    """A data set was not found in any source; the message says what to do."""


class KeelFormatError(ValueError):
    """A KEEL ``.dat`` file breaks the format; the message names file and line."""


class NonFiniteLossError(ValueError):
    """The training loss became NaN or infinite; the message names the epoch."""


class ModelFileError(ValueError):
    """A file with an estimator is damaged, unsafe or of another format; nothing was loaded."""
