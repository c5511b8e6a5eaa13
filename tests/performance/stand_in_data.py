"""Small random data in the layout of the real files, for tiny runs where the real ones are not."""

from zipfile import ZipFile

import numpy as np

PERSONS = (1, 2, 3, 9, 10)
N_EXERCISES = 7
EXERCISES = ["PEN", "ABD", "FEL", "IR", "ER", "TRAP", "ROW"]
CLASSES = ["airplane", "automobile", "bird", "cat", "deer"]
CLASSES += ["dog", "frog", "horse", "ship", "truck"]
CHANNELS = ["ax", "ay", "az", "wx", "wy", "wz"]


def write_all(folder):
    """Write everything that a tiny run reads into a folder for ``SKIMBAL_DATA``."""
    for write in (write_watch, write_cifar10, write_multiclass_keel, write_diabetes):
        write(folder, np.random.default_rng(0))


def write_watch(folder, rng):
    """A recording of 20 s at 50 Hz for each person and exercise."""
    path = folder / "watch" / "watch.npz"
    path.parent.mkdir(parents=True)
    n, length = len(PERSONS) * N_EXERCISES, 1000
    label = np.tile(np.arange(N_EXERCISES, dtype=np.int32), len(PERSONS))
    signal = rng.normal(size=(n, length, len(CHANNELS))) + label[:, None, None]
    np.savez(
        path,
        signal=signal.reshape(-1, len(CHANNELS)).astype(np.float32),
        length=np.full(n, length),
        label=label,
        label_names=np.array(EXERCISES),
        channel_names=np.array(CHANNELS),
        subject=np.repeat(np.array(PERSONS, np.int32), N_EXERCISES),
        side=np.zeros(n, np.int32),
    )


def write_cifar10(folder, rng):
    """Coefficients of images of one color for each class, 200 to train on and 100 to test."""
    (folder / "cifar10").mkdir(parents=True)
    for part, n_of_class in (("train", 200), ("test", 100)):
        label = np.repeat(np.arange(10, dtype=np.uint8), n_of_class)
        luma = np.zeros((8, 8, len(label), 4, 4), np.int16)
        color = 60 * label.astype(np.int16) - 270
        luma[0, 0] = color[:, None, None] + rng.integers(-99, 99, (len(label), 4, 4))
        np.savez(
            folder / "cifar10" / f"cifar10_jpeg_{part}.npz",
            Y=luma,
            C=np.zeros((8, 8, len(label), 2, 2, 2), np.int16),
            quant=np.ones((2, 8, 8), np.int16),
            label=label,
            classes=np.array(CLASSES),
        )


def write_multiclass_keel(folder, rng):
    """Two sets of three classes, in two parts as KEEL's folds are."""
    path = folder / "keel" / "keel_multiclass_5fold.zip"
    path.parent.mkdir(parents=True)
    with ZipFile(path, "w") as archive:
        for name in ("glass", "new-thyroid"):
            y = np.repeat([0, 1, 2], [60, 30, 15])
            X = rng.normal(size=(len(y), 4)) + y[:, None]
            rows = [
                ", ".join([*map("{:.4f}".format, x), f"c{c}"]) for x, c in zip(X, y, strict=True)
            ]
            archive.writestr(f"{name}/{name}-5-1tra.dat", "\n".join(rows[::2]))
            archive.writestr(f"{name}/{name}-5-1tst.dat", "\n".join(rows[1::2]))


def write_diabetes(folder, rng):
    """Visits of patients, with some of the columns; long stays are readmitted early."""
    path = folder / "diabetes130" / "dataset_diabetes.zip"
    path.parent.mkdir(parents=True)
    n = 600
    days = rng.integers(1, 14, n)
    columns = {
        "encounter_id": np.arange(n),
        "patient_nbr": rng.integers(0, 400, n),
        "race": rng.choice(["Caucasian", "Asian", "?"], n),
        "admission_type_id": rng.integers(1, 9, n),
        "discharge_disposition_id": rng.integers(1, 29, n),
        "admission_source_id": rng.integers(1, 26, n),
        "time_in_hospital": days,
        "readmitted": np.where(days + rng.normal(size=n) > 12, "<30", "NO"),
    }
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    lines = [",".join(columns), *(",".join(map(str, row)) for row in rows)]
    with ZipFile(path, "w") as archive:
        archive.writestr("dataset_diabetes/diabetic_data.csv", "\n".join(lines))
