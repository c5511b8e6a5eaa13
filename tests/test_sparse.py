"""Sparse tables give what the same dense tables give."""

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE, RandomOverSampler
from scipy import sparse

from skimbal import (
    AdaBoostNetClassifier,
    BalancedBaggingNetClassifier,
    DBNClassifier,
    ECSDBNClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.ensemble import (
    CategoryCentersClassifier,
    DeepOversamplingClassifier,
    LMLEClassifier,
)

rng = np.random.default_rng(0)
X = rng.normal(size=(120, 6)) * (rng.random((120, 6)) < 0.4)
Y = (X.sum(axis=1) > 1).astype(int)
NET = MLPClassifier(hidden_layer_sizes=(8,), max_epochs=3, random_state=0)


@pytest.mark.filterwarnings("ignore:.* samples are in every bag")
@pytest.mark.parametrize("layout", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize(
    "estimator",
    [
        NET,
        DBNClassifier(hidden_layer_sizes=(8,), max_epochs=3, pretrain_epochs=2, random_state=0),
        ECSDBNClassifier(
            hidden_layer_sizes=(8,), max_epochs=3, pretrain_epochs=2, cost_cv=2, random_state=0
        ),
        TunedCostClassifierCV(NET, cv=2),
        BalancedBaggingNetClassifier(NET, n_estimators=3, encoding=None, random_state=0),
        AdaBoostNetClassifier(NET, n_estimators=2, random_state=0),
        AdaBoostNetClassifier(NET, n_estimators=2, sampler=SMOTE(), random_state=0),
        AdaBoostNetClassifier(NET, n_estimators=2, sampler=RandomOverSampler(), random_state=0),
        CategoryCentersClassifier(NET),
        DeepOversamplingClassifier(NET, random_state=0),
        LMLEClassifier(NET, random_state=0),
    ],
)
def test_a_sparse_table_gives_what_the_dense_one_gives(estimator, layout):
    dense = estimator.fit(X, Y).predict_proba(X)
    given = layout(X)
    np.testing.assert_allclose(estimator.fit(given, Y).predict_proba(given), dense, atol=1e-6)
