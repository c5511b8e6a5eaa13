"""
A category with thousands of levels
===================================

:class:`~skimbal.preprocessing.TableEncoder` makes numbers of a mixed table. A category with many
levels becomes one column: the share of the rare class among the rows of the level. This only helps
if no training row sees its own label.
"""

# %%
# Service visits to machines: two measurements, some of them missing, the type of the machine, and
# one of 1,500 part numbers. Each part number has its own risk, and most have few rows. 8 % of the
# machines fail within a month.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split

from skimbal import MLPClassifier
from skimbal.preprocessing import TableEncoder

N, N_PARTS = 6000, 1500
rng = np.random.default_rng(0)
share = 1.0 / np.arange(10, N_PARTS + 10)
part = rng.choice(N_PARTS, N, p=share / share.sum())
X = pd.DataFrame(
    {
        "temperature": rng.normal(60.0, 10.0, N),
        "vibration": rng.gamma(2.0, 1.0, N),
        "type": rng.choice(["L", "M", "H"], N),
        "part": [f"P{number:04d}" for number in part],
    }
)
risk = 0.1 * X["temperature"] + X["vibration"] + (X["type"] == "L")
risk += rng.normal(0.0, 2.0, N_PARTS)[part]
y = np.where(risk + rng.logistic(size=N) > np.quantile(risk, 0.95), "1 fails", "0 runs")
X.loc[rng.random(N) < 0.2, "temperature"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# What becomes of each column:

encoder = TableEncoder(random_state=0)
train = encoder.set_output(transform="pandas").fit_transform(X_train, y_train)
print(dict(zip(X.columns, encoder.kinds_.tolist(), strict=True)))
print(train.head(3).round(2).T)

# %%
# ``fit_transform``, which pipelines call, encodes each fold of the training rows by the others.
# ``transform`` encodes by all training rows. For new rows this is right. If training rows are
# encoded in this way, those of part numbers with few rows show the label.

without_folds = encoder.transform(X_train)
test = encoder.transform(X_test)
encoded = [(train, y_train), (without_folds, y_train), (test, y_test)]

# %%
# Four networks, with three seeds each, are measured on the test rows.


def average_precision(train, test):
    """Mean over the seeds."""
    scores = []
    for seed in range(3):
        network = MLPClassifier(early_stopping=True, random_state=seed)
        proba = network.fit(train, y_train).predict_proba(test)[:, 1]
        scores.append(average_precision_score(y_test == "1 fails", proba))
    return np.mean(scores)


one_hot = TableEncoder(max_one_hot=None)
tables = {
    "no part numbers": (train.drop(columns="part_target"), test.drop(columns="part_target")),
    "one-hot columns": (one_hot.fit_transform(X_train), one_hot.transform(X_test)),
    "target encoding without folds": (without_folds, test),
    "target encoding by folds": (train, test),
}
scores = {name: average_precision(*pair) for name, pair in tables.items()}

# %%
# Left: the encoded part numbers of machines that run and that fail. Without folds, the classes are
# further apart in the training rows than in the test rows. Right: the network relies on this
# difference, and loses half of what part numbers bring.

figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
for place, (table, labels) in enumerate(encoded):
    for label, color, shift in (("0 runs", "C0", -0.18), ("1 fails", "C1", 0.18)):
        own = table["part_target"][labels == label]
        left.boxplot(
            own,
            positions=[place + shift],
            widths=0.3,
            sym="",
            patch_artist=True,
            boxprops={"facecolor": color},
            medianprops={"color": "black"},
            label=label[2:] if place == 0 else None,
        )
left.set_xticks(
    range(3),
    ["training rows,\nby folds", "training rows,\nno folds", "test rows"],
    fontsize="small",
)
left.set(ylabel="encoded part number", ylim=(-0.02, 0.6))
left.legend(loc="upper left")
right.barh(list(scores), list(scores.values()), color=["0.6", "C2", "C3", "C0"])
right.invert_yaxis()
right.set(xlabel="average precision on test rows")
plt.show()
