"""Files of each format, with what their estimators predict: what later versions have to load.

The files of a format are written once, when the format is new, and stay as they are:

    python -m tests.persistence.earlier_files
"""

import json
from pathlib import Path

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skimbal import (
    CNN1DClassifier,
    CNN2DClassifier,
    ECSDBNClassifier,
    FixedCostClassifier,
    MLPClassifier,
    TunedCostClassifierCV,
)
from skimbal.losses import Focal
from skimbal.persistence import save
from skimbal.persistence._archive import FORMAT

FOLDER = Path(__file__).parent / "data"
SMALL = {"hidden_layer_sizes": (3,), "max_epochs": 3, "learning_rate": 0.05, "random_state": 0}


def samples(*shape):
    """Samples and labels that need no random numbers, so that they are the same for ever."""
    n_samples = 40
    rows = np.arange(n_samples)
    X = np.sin(np.outer(rows + 1.0, np.arange(1.0, np.prod(shape) + 1.0)))
    X[rows % 4 == 0] += 1.0
    return X.reshape(n_samples, *shape), np.where(rows % 4 == 0, "rare", "fine")


ESTIMATORS = {
    "table": (
        make_pipeline(
            StandardScaler(),
            TunedCostClassifierCV(
                MLPClassifier(**SMALL, loss=Focal(gamma=1.0), class_weight={"rare": 2.0}),
                cv=2,
                random_state=0,
            ),
        ),
        (4,),
    ),
    "belief": (ECSDBNClassifier(**SMALL, pretrain_epochs=1, cost_cv=2, max_generations=2), (4,)),
    "signals": (
        FixedCostClassifier(
            CNN1DClassifier(n_filters=(2,), max_epochs=2, random_state=0), costs={"rare": 3.0}
        ),
        (2, 8),
    ),
    "images": (CNN2DClassifier(n_filters=(2,), max_epochs=2, random_state=0), (4, 4)),
}


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, (estimator, shape) in ESTIMATORS.items():
        X, y = samples(*shape)
        fitted = estimator.fit(X, y)
        path = FOLDER / f"format_{FORMAT}_{name}.skimbal"
        save(fitted, path)
        predicted = {
            "shape": shape,
            "label": fitted.predict(X).tolist(),
            "probabilities": fitted.predict_proba(X).tolist(),
        }
        path.with_suffix(".json").write_text(json.dumps(predicted) + "\n")


if __name__ == "__main__":
    main()
