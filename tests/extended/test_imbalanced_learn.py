"""imbalanced-learn's common checks on every kind of sampler."""

import pytest
from imblearn.combine import SMOTEENN, SMOTETomek
from imblearn.over_sampling import ADASYN, SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.under_sampling import (
    EditedNearestNeighbours,
    NearMiss,
    NeighbourhoodCleaningRule,
    OneSidedSelection,
    RandomUnderSampler,
    TomekLinks,
)
from imblearn.utils.estimator_checks import estimator_checks_generator

from skimbal.sampling import (
    ClusterOverSampler,
    ConditionalGANSampler,
    ConditionalVAESampler,
    NDSampler,
)

# Not ClusterCentroids: its k-means ends elsewhere for sparse rows, and the checks of sparse input
# make an exception for that class only by its type.
INNER = [
    SMOTE(random_state=0),
    BorderlineSMOTE(random_state=0),
    ADASYN(random_state=0),
    RandomOverSampler(random_state=0),
    RandomUnderSampler(random_state=0),
    NearMiss(),
    TomekLinks(),
    EditedNearestNeighbours(),
    NeighbourhoodCleaningRule(),
    OneSidedSelection(random_state=0),
    SMOTEENN(random_state=0),
    SMOTETomek(random_state=0),
]
SAMPLERS = [NDSampler(sampler) for sampler in INNER] + [
    ConditionalVAESampler(max_epochs=2, random_state=0),
    ConditionalGANSampler(max_epochs=2, random_state=0),
    ClusterOverSampler(random_state=0),
]
CASES = [
    pytest.param(estimator, check, id=f"{sampler!r}-{check.func.__name__}")
    for sampler in SAMPLERS
    for estimator, check in estimator_checks_generator(sampler)
]


@pytest.mark.extended
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("estimator", "check"), CASES)
def test_common_checks(estimator, check):
    check(estimator)
