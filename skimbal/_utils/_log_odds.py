"""The decision function of all classifiers that predict probabilities."""


def log_odds(log_proba):
    """Log-odds (n,) of the second of two classes, or log-probabilities (n, n_classes) of more."""
    return log_proba[:, 1] - log_proba[:, 0] if log_proba.shape[1] == 2 else log_proba
