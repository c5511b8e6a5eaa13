"""Parameters that `set_params` takes and `get_params` does not list, of skorch and of boosting."""

import numpy as np
import pytest
import torch
from lightgbm import LGBMClassifier
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier
from xgboost import XGBClassifier

from skimbal import BayesSearchCV, DESearchCV

FEW = {
    DESearchCV: {"population_size": 4, "max_generations": 1},
    BayesSearchCV: {"n_iter": 3},
}


class Net(torch.nn.Module):
    def __init__(self, k=5):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(5, k), torch.nn.ReLU(), torch.nn.Linear(k, 3), torch.nn.Softmax(-1)
        )

    def forward(self, X):
        return self.layers(X)


class Keywords(ClassifierMixin, BaseEstimator):
    """Keeps what `set_params` is given, without a check, as the smallest estimators do."""

    def __init__(self, **options):
        self.options = options

    def get_params(self, deep=True):
        return dict(self.options)

    def set_params(self, **params):
        self.options |= params
        return self

    def fit(self, X, y):
        self.classes_ = np.unique(y)

    def predict(self, X):
        return np.full(len(X), self.classes_[self.options.get("choice", 0)])


def skorch_net():
    return NeuralNetClassifier(Net, max_epochs=1, verbose=0)


FEW_TREES = {"n_estimators": 3, "n_jobs": 1}  # threads would wait for a busy core
CASES = {
    "skorch module": (skorch_net(), "module__k", [2, 3, 4]),
    "skorch optimizer": (skorch_net(), "optimizer__weight_decay", (1e-5, 1e-2, "log-uniform")),
    "LightGBM": (
        LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1),
        "feature_fraction",
        (0.4, 1.0),
    ),
    "XGBoost": (XGBClassifier(n_estimators=3, n_jobs=1), "eta", (0.05, 0.5)),
    "keywords": (Keywords(), "choice", [0, 1, 2]),
}


@pytest.mark.parametrize("Search", FEW)
@pytest.mark.parametrize("in_pipeline", [False, True])
@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("x0", [None, "conventional"])
@pytest.mark.filterwarnings("ignore")  # of the libraries
def test_they_are_searched(Search, in_pipeline, case, x0, data):
    model, name, dimension = CASES[case]
    X, y = data[0].astype("float32"), data[1].astype("int64")
    if in_pipeline:
        name = f"{type(model).__name__.lower()}__{name}"
        model = make_pipeline(StandardScaler(), model)
    search = Search(model, {name: dimension}, cv=2, x0=x0, random_state=0, **FEW[Search])
    search.fit(X, y)
    tried = {params[name] for params in search.cv_results_["params"]}
    assert len(tried) > 1
    assert search.best_estimator_.get_params()[name] == search.best_params_[name]
    assert np.isfinite(search.best_score_)
