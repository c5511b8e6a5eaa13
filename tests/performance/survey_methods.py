"""Each method of the survey of deep learning with class imbalance, on one task.

The task is nested spheres in five dimensions with classes of 600, 80 and 800 samples, and a test
set of equally frequent classes. All networks are dense and have the same settings. Belief networks
have the layers of the others and five times the epochs, because sigmoid layers learn late. A seed
is a draw of the data and of the network. To add a method, add an entry to `METHODS`.

    python tests/performance/survey_methods.py --out docs/results/survey_methods.csv
"""

import argparse
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import torch
from _tiny import first, parse_arguments
from imblearn.over_sampling import RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler

from skimbal import DBNClassifier, ECSDBNClassifier, FixedCostClassifier, MLPClassifier
from skimbal.datasets import make_nested_spheres
from skimbal.ensemble import (
    CategoryCentersClassifier,
    DeepOversamplingClassifier,
    LMLEClassifier,
)
from skimbal.metrics import balanced_accuracy, macro_f1
from skimbal.sampling import ConditionalGANSampler

COUNTS = (600, 80, 800)
N_TEST = 6000
N_EPOCHS = 60
N_BELIEF_EPOCHS = 300


def mlp(seed, **params):
    return MLPClassifier(
        **{"hidden_layer_sizes": (64, 32), "max_epochs": N_EPOCHS, "random_state": seed, **params}
    )


def belief(seed, make=DBNClassifier, **params):
    return make(
        hidden_layer_sizes=(64, 32), max_epochs=N_BELIEF_EPOCHS, random_state=seed, **params
    )


# The name in the survey: what does it here (as text of the page), reference, the classifier.
METHODS = {
    "none": (":class:`~neural_network.MLPClassifier`", "", mlp),
    "none, belief network": (":class:`~neural_network.DBNClassifier`", "", belief),
    "random over-sampling": (
        "``RandomOverSampler`` of imbalanced-learn in a pipeline",
        "Hensman & Masko 2015",
        lambda seed: make_pipeline(RandomOverSampler(random_state=seed), mlp(seed)),
    ),
    "random under-sampling": (
        "``RandomUnderSampler`` of imbalanced-learn in a pipeline",
        "Buda et al. 2018",
        lambda seed: make_pipeline(RandomUnderSampler(random_state=seed), mlp(seed)),
    ),
    "two-phase training": (
        '``sampler="two_phase"``, :class:`~sampling.TwoPhase`',
        "Lee et al. 2016",
        lambda seed: mlp(seed, sampler="two_phase"),
    ),
    "dynamic sampling": (
        '``sampler="dynamic"``, :class:`~sampling.DynamicBatches`',
        "Pouyanfar et al. 2018",
        lambda seed: mlp(seed, sampler="dynamic"),
    ),
    "MFE": (
        ":class:`~losses.MeanFalseError`",
        "Wang et al. 2016",
        lambda seed: mlp(seed, loss="mean_false_error"),
    ),
    "MSFE": (
        ":class:`~losses.MeanSquaredFalseError`",
        "Wang et al. 2016",
        lambda seed: mlp(seed, loss="mean_squared_false_error"),
    ),
    "focal loss": (
        ":class:`~losses.Focal`",
        "Lin et al. 2017",
        lambda seed: mlp(seed, loss="focal"),
    ),
    "CSDNN": (
        ":ref:`costs in pre-training and in the loss <costs-in-pretraining>`",
        "Wang et al. 2018",
        lambda seed: belief(seed, class_weight="balanced", pretrain_class_weight="balanced"),
    ),
    "CSDNN, loss only": (
        '``class_weight="balanced"`` of the same network',
        "",
        lambda seed: belief(seed, class_weight="balanced"),
    ),
    "CoSen": (
        ":class:`~losses.CoSen`",
        "Khan et al. 2018",
        lambda seed: mlp(seed, loss="cosen"),
    ),
    "CSDBN-DE": (
        ":class:`~cost_sensitive.ECSDBNClassifier`",
        "Zhang et al. 2019",
        lambda seed: belief(seed, ECSDBNClassifier, max_generations=30),
    ),
    "threshold moving": (
        ":class:`~cost_sensitive.FixedCostClassifier`",
        "Buda et al. 2018",
        lambda seed: FixedCostClassifier(mlp(seed)),
    ),
    "category centers": (
        ":class:`~ensemble.CategoryCentersClassifier`",
        "Zhang et al. 2018",
        lambda seed: CategoryCentersClassifier(mlp(seed)),
    ),
    "very deep network": (
        "``hidden_layer_sizes=(32,) * 10``; :class:`~neural_network.ResNetClassifier` for images",
        "Ding et al. 2017",
        lambda seed: mlp(seed, hidden_layer_sizes=(32,) * 10),
    ),
    "LMLE": (
        ":class:`~ensemble.LMLEClassifier`",
        "Huang et al. 2016",
        lambda seed: LMLEClassifier(mlp(seed)),
    ),
    "DOS": (
        ":class:`~ensemble.DeepOversamplingClassifier`",
        "Ando & Huang 2017",
        lambda seed: DeepOversamplingClassifier(mlp(seed)),
    ),
    "CRL": (
        ":class:`~losses.ClassRectification`",
        "Dong et al. 2018",
        lambda seed: mlp(seed, loss="class_rectification"),
    ),
    "conditional GAN": (
        ":class:`~sampling.ConditionalGANSampler` in a pipeline",
        "Mirza & Osindero 2014",
        lambda seed: make_pipeline(ConditionalGANSampler(random_state=seed), mlp(seed)),
    ),
}


def evaluate(make, seed):
    """Scores and processor time of one method on one draw."""
    X, X_test, y, y_test = make_nested_spheres(
        COUNTS, n_features=5, n_test=N_TEST, random_state=seed, return_X_y=True
    )
    started = process_time()
    classifier = make(seed).fit(X, y)
    duration_s = process_time() - started
    predicted = classifier.predict(X_test)
    return macro_f1(y_test, predicted), balanced_accuracy(y_test, predicted), duration_s


def row_of(make, n_seeds):
    f1, accuracy, duration_s = np.transpose([evaluate(make, seed) for seed in range(n_seeds)])
    return {
        "macro F1 %": f"{100 * f1.mean():.1f} ± {100 * f1.std():.1f}",
        "balanced accuracy %": f"{100 * accuracy.mean():.1f} ± {100 * accuracy.std():.1f}",
        "fit, s": f"{np.median(duration_s):.1f}",
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parse_arguments(
        parser,
        globals(),
        METHODS=first(METHODS, 3),
        N_EPOCHS=2,
        N_BELIEF_EPOCHS=2,
        N_TEST=90,
        seeds=2,
    )
    torch.set_num_threads(1)
    rows = []
    for name, (here, reference, make) in METHODS.items():
        rows.append({"method": name, "here": here, "reference": reference})
        rows[-1] |= row_of(make, arguments.seeds)
        print(rows[-1], flush=True)
    pd.DataFrame(rows).to_csv(arguments.out, index=False)


if __name__ == "__main__":
    main()
