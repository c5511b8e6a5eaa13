"""Data of the tests of networks."""

import numpy as np
import pytest
from sklearn.datasets import make_classification


@pytest.fixture(scope="session")
def imbalanced():
    X, y = make_classification(300, 6, weights=[0.9], class_sep=0.8, random_state=0)
    return X, np.where(y == 1, "rare", "usual")
