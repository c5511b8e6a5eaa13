"""
Rare categories in a mixed table
================================

Tables from practice have texts with many rare values. One-hot encoding makes a column of each. If
these columns are standardized, a value that 1 in 1,000 rows has becomes a number of about 30, and
the network learns single rows by heart. By default, networks leave such columns as they are. For
columns with values that are far from the others, there is a robust scale.
"""

# %%
# Service visits to machines: two measurements, one of them with missing values, whether the machine
# is under warranty, and a part number. There are 400 part numbers, most of them rare. 8 % of the
# machines fail within a month.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skimbal import MLPClassifier

N, N_PARTS = 5000, 400
rng = np.random.default_rng(0)
share = 1.0 / np.arange(1, N_PARTS + 1)
part = rng.choice(N_PARTS, N, p=share / share.sum())
X = pd.DataFrame(
    {
        "temperature": rng.normal(60.0, 10.0, N),
        "vibration": rng.gamma(2.0, 1.0, N),
        "warranty": rng.random(N) < 0.5,
        "part": [f"P{number:03d}" for number in part],
    }
)
risk = 0.1 * X["temperature"] + X["vibration"] + rng.normal(0.0, 1.5, N_PARTS)[part]
y = np.where(risk + rng.logistic(size=N) > np.quantile(risk, 0.95), "fails", "runs")
X.loc[rng.random(N) < 0.2, "temperature"] = np.nan
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)

# %%
# The pipeline fills in what is missing and encodes the texts and truth values. Its result is
# sparse; the network makes a batch at a time dense. The third network gets no part numbers.

numbers = make_column_selector(dtype_include="number")
others = make_column_selector(dtype_exclude="number")


def encoder():
    return make_column_transformer(
        (SimpleImputer(strategy="median", add_indicator=True), numbers),
        (OneHotEncoder(handle_unknown="ignore"), others),
    )


network = MLPClassifier(hidden_layer_sizes=(32,), max_epochs=1, random_state=0)
columns = encoder().fit(X_train)
train, test = columns.transform(X_train), columns.transform(X_test)
print(type(train).__name__, train.shape)

without = encoder().fit(X_train.drop(columns="part"))
tables = {
    "one-hot columns as they are (default)": ("auto", train, test),
    "all columns standardized": (True, train, test),
    "no part numbers": ("auto", without.transform(X_train), without.transform(X_test)),
}

# %%
# One call of ``partial_fit`` is one epoch. After each, the network ranks the test machines. The
# average precision is that of the failures.

N_EPOCHS = 30
curves = {}
for name, (standardize, rows, new_rows) in tables.items():
    network.set_params(standardize=standardize)
    fitted = MLPClassifier(**network.get_params())
    curves[name] = []
    for _ in range(N_EPOCHS):
        fitted.partial_fit(rows, y_train, classes=["fails", "runs"])
        proba = fitted.predict_proba(new_rows)[:, 0]
        curves[name].append(average_precision_score(y_test == "fails", proba))

# %%
# Left: what the network gets in a one-hot column, by how rare the category is. Right: part numbers
# help if their columns are left as they are, and do harm if all columns are standardized.

rarity = np.asarray(train[:, -N_PARTS:].mean(axis=0)).ravel()
rarity = rarity[(rarity > 0) & (rarity < 0.5)]
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.loglog(rarity, np.sqrt((1 - rarity) / rarity), ".", color="C1", label="standardized")
left.loglog(rarity, np.ones_like(rarity), ".", color="C0", label="as it is")
left.set(xlabel="share of rows with the category", ylabel="value that the network gets")
left.legend()
for (name, curve), style in zip(curves.items(), ("C0-", "C1-", "k:"), strict=True):
    right.plot(range(1, N_EPOCHS + 1), curve, style, label=name)
right.set(xlabel="epoch", ylabel="average precision on test data")
right.legend()

# %%
# Counts and amounts often have a few values that are far from the others. Such values make the
# deviation so large that the network can't tell the others apart. With ``standardize="robust"``,
# the quartiles of the column set its scale, and a smooth limit of 3 holds the far values. The ticks
# at the bottom are rows of the column.

amount = np.exp(rng.normal(0.0, 2.0, 1000))
grid = np.geomspace(amount.min(), amount.max(), 200)
plain, robust = (
    MLPClassifier(standardize=value, max_epochs=1, random_state=0).fit(amount[:, None], amount > 9)
    for value in ("auto", "robust")
)
x_plain = (grid - plain.input_mean_) / plain.input_scale_
x = (grid - robust.input_mean_) / robust.input_scale_
figure, axes = plt.subplots(figsize=(6, 3.4), layout="constrained")
axes.semilogx(grid, x_plain, "C1", label='standardize="auto"')
axes.semilogx(grid, x / np.hypot(1.0, x / robust.input_limit_), "C0", label='"robust"')
axes.plot(amount, np.full(1000, -1.4), "k|", alpha=0.2)
axes.set(xlabel="value in the table", ylabel="value that the network gets", ylim=(-1.7, 8.0))
axes.legend()

# %%
# New rows may have categories that the training does not have, or lack a value: the pipeline has a
# rule for each. A missing column is an error that names it.

model = make_pipeline(encoder(), MLPClassifier(max_epochs=10, random_state=0)).fit(X_train, y_train)
print(model.predict_proba(X_test[:2].assign(part="P999", temperature=np.nan)).round(2))
try:
    model.predict(X_test.drop(columns="part"))
except ValueError as error:
    print(error)
plt.show()
