"""Functions that make the classifiers of the methods from a seed."""

from functools import partial

from imblearn.pipeline import make_pipeline as make_sampling_pipeline
from sklearn.model_selection import StratifiedKFold, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal.benchmark._estimators import FoldSafeSampler, RandomCostClassifier
from skimbal.benchmark._native_columns import NativeColumns
from skimbal.benchmark._table_encoder import (
    make_network_encoder,
    make_scaled_encoder,
    make_table_encoder,
)
from skimbal.cost_sensitive import FixedCostClassifier, TunedCostClassifierCV
from skimbal.metrics import get_scorer


def maker(classifier_class, **options):
    """A function that makes a classifier with these options from a seed."""
    return partial(_seeded, classifier_class, options)


def _seeded(classifier_class, options, random_state):
    return classifier_class(**options, random_state=random_state)


def scaled(make_classifier, random_state):
    """A classifier of standardized inputs."""
    return make_pipeline(StandardScaler(), make_classifier(random_state))


def resampled(sampler_class, options, make_classifier, random_state):
    """A classifier of standardized inputs, which are resampled in training."""
    sampler = FoldSafeSampler(sampler_class(**options, random_state=random_state))
    return make_sampling_pipeline(StandardScaler(), sampler, make_classifier(random_state))


def at_prior(make_classifier, random_state):
    """A classifier that is decided at the training prevalence."""
    return FixedCostClassifier(make_classifier(random_state), costs="inverse_frequency")


def with_random_costs(make_classifier, random_state):
    """A classifier that is decided by random costs."""
    return RandomCostClassifier(make_classifier(random_state), random_state=random_state)


def with_tuned_costs(make_classifier, random_state):
    """A classifier that is decided by out-of-fold costs."""
    return TunedCostClassifierCV(make_classifier(random_state), random_state=random_state)


def with_tuned_threshold(make_classifier, random_state):
    """A classifier whose threshold is tuned for the G-mean by inner folds."""
    splitter = StratifiedKFold(5, shuffle=True, random_state=random_state)
    return TunedThresholdClassifierCV(
        make_classifier(random_state), scoring=get_scorer("g_mean"), cv=splitter
    )


def encoded(make_classifier, random_state):
    """A classifier of a frame, all of whose columns are made numbers."""
    return make_pipeline(make_table_encoder(), make_classifier(random_state))


def encoded_and_scaled(make_classifier, random_state):
    """A classifier of a frame, with standardized numbers and one-hot columns as they are."""
    return make_pipeline(make_scaled_encoder(), make_classifier(random_state))


def table_encoded(make_classifier, random_state):
    """A network of the package for a frame, as the guide makes it: it scales for itself."""
    return make_pipeline(make_network_encoder(random_state), make_classifier(random_state))


def native(options, make_classifier, random_state):
    """A classifier of a frame that takes categories as such."""
    return make_pipeline(NativeColumns(**options), make_classifier(random_state))
