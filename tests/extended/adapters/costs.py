"""The cost classifiers in the place of scikit-learn's threshold classifiers."""

import sklearn.model_selection as package
import sklearn.model_selection._classification_threshold as module

from skimbal import FixedCostClassifier, TunedCostClassifierCV


def threshold_of(costs):
    """The probability of the second class above which costs decide for it."""
    return costs[0] / costs.sum()


class TunedThresholdClassifierCV(TunedCostClassifierCV):
    """With the parameters of scikit-learn's class; those that costs do not have are not used."""

    search, cost_space, shrinkage = "auto", "log_ratio", 0.0
    population_size, max_generations = 30, 200
    window, search_every = 500, 1

    def __init__(
        self,
        estimator,
        *,
        scoring="balanced_accuracy",
        response_method="auto",
        thresholds=100,
        cv=None,
        refit=True,
        n_jobs=None,
        random_state=None,
        store_cv_results=False,
    ):
        self.estimator = estimator
        self.scoring = scoring
        self.response_method = response_method
        self.thresholds = thresholds
        self.cv = cv
        self.refit = refit
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.store_cv_results = store_cv_results

    @property
    def best_threshold_(self):
        return threshold_of(self.costs_)


class FixedThresholdClassifier(FixedCostClassifier):
    """With the parameters of scikit-learn's class; the threshold is a pair of costs."""

    def __init__(self, estimator, *, threshold="auto", pos_label=None, response_method="auto"):
        self.estimator = estimator
        self.threshold = threshold
        self.pos_label = pos_label
        self.response_method = response_method

    @property
    def costs(self):
        threshold = 0.5 if self.threshold == "auto" else self.threshold
        costs = [threshold, 1 - threshold]  # of an error on each class; pos_label is 0 or 1
        return costs[::-1] if self.pos_label == 0 else costs


for holder in (package, module):
    holder.TunedThresholdClassifierCV = TunedThresholdClassifierCV
    holder.FixedThresholdClassifier = FixedThresholdClassifier
