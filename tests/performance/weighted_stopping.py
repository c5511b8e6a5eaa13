"""Early stopping of balanced networks on hospital visits, by the weighted and the plain loss.

The Diabetes 130-US Hospitals data (UCI data set 296, doi:10.24432/C5230J) in the folder
``SKIMBAL_DATA``: is a patient readmitted within 30 days? A sample of the patients; a quarter of
them is the test set, and the validation samples are those of other patients, too. Text columns and
columns of codes are one-hot encoded, numbers are standardized. The network with
``class_weight="balanced"`` keeps the epoch of the lowest weighted loss, which is the rule of the
package, or that of the lowest loss without weights, for which this script replaces the rule. The
last row is a network without class weights.

    python tests/performance/weighted_stopping.py --out docs/results/weighted_stopping.csv
"""

import argparse
import os
from pathlib import Path
from unittest import mock
from zipfile import ZipFile

import numpy as np
import pandas as pd
import torch
from _tiny import parse_arguments
from sklearn.compose import make_column_transformer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.model_selection import GroupShuffleSplit
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skimbal import MLPClassifier
from skimbal.neural_network import _fit_plan

ARCHIVE = "diabetes130/dataset_diabetes.zip"
MEMBER = "dataset_diabetes/diabetic_data.csv"
CODES = ("admission_type_id", "discharge_disposition_id", "admission_source_id")
N_PATIENTS = 14_000
RULES = {  # the class weights of the network, and those of the loss that judges its epochs
    "weighted loss": ("balanced", "balanced"),
    "loss without weights": ("balanced", None),
    "network without weights": (None, None),
}


def load_visits(seed):
    """Return the visits of some patients, whether they are readmitted early, and the patients."""
    with ZipFile(Path(os.environ["SKIMBAL_DATA"]) / ARCHIVE).open(MEMBER) as file:
        table = pd.read_csv(file, na_values="?", low_memory=False)
    patients = np.random.default_rng(seed).permutation(table["patient_nbr"].unique())
    table = table[table["patient_nbr"].isin(patients[:N_PATIENTS])]
    X = table.drop(columns=["encounter_id", "patient_nbr", "readmitted"])
    X = X.astype(dict.fromkeys(CODES, str)).loc[:, X.nunique() > 1]
    return X, (table["readmitted"] == "<30").to_numpy(), table["patient_nbr"].to_numpy()


def encode(X, train):
    """Return the visits as single-precision numbers, scaled and encoded by the training rows."""
    numbers = X.select_dtypes("number").columns
    encoder = make_column_transformer(
        (StandardScaler(), numbers),
        (
            OneHotEncoder(
                min_frequency=10, handle_unknown="infrequent_if_exist", sparse_output=False
            ),
            X.columns.difference(numbers),
        ),
    )
    return encoder.fit(X.iloc[train]).transform(X).astype(np.float32)


def judged_by(class_weight):
    """Replace the loss that judges epochs by the same loss with these class weights."""

    def final_loss(value, estimator, plan):
        return _fit_plan.bind_loss(value, plan.classes, plan.counts, plan.costs, class_weight)

    return mock.patch.object(_fit_plan, "final_loss", final_loss)


def scores(seed):
    """Yield the kept epoch and the test scores of each rule."""
    X, y, patients = load_visits(seed)
    split = GroupShuffleSplit(1, test_size=0.25, random_state=seed).split(X, y, patients)
    train, test = next(split)
    X = encode(X, train)
    for rule, (class_weight, judging) in RULES.items():
        network = MLPClassifier(
            class_weight=class_weight, early_stopping=True, standardize=False, random_state=seed
        )
        if judging == class_weight:
            network.fit(X[train], y[train], groups=patients[train])
        else:
            with judged_by(judging):
                network.fit(X[train], y[train], groups=patients[train])
        epoch = network.history_.epoch[network.history_.is_best].iloc[0]
        proba = network.predict_proba(X[test])[:, 1]
        yield rule, epoch, roc_auc_score(y[test], proba), average_precision_score(y[test], proba)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parse_arguments(parser, globals(), N_PATIENTS=300, seeds=1)
    torch.set_num_threads(1)
    table = pd.DataFrame(
        [row for seed in range(arguments.seeds) for row in scores(seed)],
        columns=["epoch chosen by", "best epoch", "test AUC", "test average precision"],
    )
    print(table.round(3).to_string(index=False))
    by_rule = table.groupby("epoch chosen by", sort=False)
    table = by_rule.mean().assign(**{"lowest test AUC": by_rule["test AUC"].min()}).round(3)
    table.to_csv(arguments.out)
    print(table.to_string())


if __name__ == "__main__":
    main()
