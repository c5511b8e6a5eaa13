"""How far posteriors lean: the decision function of all classifiers with posteriors."""


def log_odds(log_proba):
    """Log-odds of the second class of two, shape (n,); else log-posteriors, (n, n_classes)."""
    return log_proba[:, 1] - log_proba[:, 0] if log_proba.shape[1] == 2 else log_proba
