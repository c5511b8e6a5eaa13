"""Diabetes 130-US hospitals: stays of patients, and whether they came back within 30 days."""

import os
import zipfile
from typing import Any

import numpy as np
import pandas as pd

from skimbal.datasets._checks import unusable
from skimbal.datasets._sources import reading
from skimbal.datasets._tables import check_columns, table_bunch, table_file

LOCAL = "diabetes130/dataset_diabetes.zip"
URL = "https://archive.ics.uci.edu/ml/machine-learning-databases/00296/dataset_diabetes.zip"
FILE = "dataset_diabetes.zip"
SHA256 = "003e1c5b8aec71acea6294d3d93694137794530e2e2204964902acb5007a84e4"
MEMBER = "diabetic_data.csv"
IDENTIFIER, PATIENT, LABEL = "encounter_id", "patient_nbr", "readmitted"
EARLY, LATE, NEVER = "<30", ">30", "NO"
LATER = "later or never"
_NUMBERS = """
    time_in_hospital num_lab_procedures num_procedures num_medications number_outpatient
    number_emergency number_inpatient number_diagnoses
"""
_DRUGS = """
    metformin repaglinide nateglinide chlorpropamide glimepiride acetohexamide glipizide glyburide
    tolbutamide pioglitazone rosiglitazone acarbose miglitol troglitazone tolazamide examide
    citoglipton insulin glyburide-metformin glipizide-metformin glimepiride-pioglitazone
    metformin-rosiglitazone metformin-pioglitazone
"""
_OTHERS = """
    race gender age weight admission_type_id discharge_disposition_id admission_source_id payer_code
    medical_specialty diag_1 diag_2 diag_3 max_glu_serum A1Cresult change diabetesMed
"""
NUMBERS, NOMINAL = tuple(_NUMBERS.split()), (*_OTHERS.split(), *_DRUGS.split())
DISPOSITION = "discharge_disposition_id"
# Expired (11, 19, 20, 21), and hospice at home or in a medical facility (13, 14), by the table of
# codes in the same archive.
DEATHS = ("11", "13", "14", "19", "20", "21")


def fetch_diabetes130(
    *,
    n_classes: int = 2,
    drop_deaths: bool = False,
    data_home: str | os.PathLike | None = None,
    return_X_y: bool = False,
) -> Any:
    """Load Diabetes 130-US: 101,766 stays in hospitals, 11,357 of them with an early return.

    The stays are those of 71,518 patients with diabetes in 130 hospitals of the United States, from
    1999 to 2008. A patient may have several stays, so split by `groups`.

    The first source is ``diabetes130/dataset_diabetes.zip`` in the folder `data_home` or
    ``$SKIMBAL_DATA``. The second is a download from the UCI repository into ``$SKIMBAL_CACHE``,
    which is accepted only with the SHA-256 checksum of a copy of that file. If UCI serves another
    file, the error says so.

    Parameters
    ----------
    n_classes : {2, 3}, default=2
        2: "<30" (the patient came back within 30 days) and "later or never". 3: the labels of the
        file, "<30", ">30" and "NO".
    drop_deaths : bool, default=False
        Leave out the 2,423 stays that end with the death of the patient or in a hospice, as the
        authors of the data did: such a patient hardly comes back. They are known by
        ``discharge_disposition_id``, which is an input.
    data_home : path-like, default=None
        Folder of a local copy; None is ``$SKIMBAL_DATA``, if that is set.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch
        ``data``, a DataFrame of shape (101766, 47): eight columns of counts (int64) and 39 of
        categories; ``target`` of shape (n_samples,); ``groups`` of shape (n_samples,), the numbers
        of the patients; ``feature_names``; ``target_names``; ``source``; ``DESCR``. Codes of
        admissions, discharges and diagnoses are categories, as their order means nothing; the ten
        years of ``age`` are ordered. A missing category is NaN, as a weight is in 97 % of the rows.
        Left out are ``encounter_id``, which is another number in each row, and ``patient_nbr``,
        which is in `groups`. Two drugs (examide, citoglipton) were given to nobody, so that their
        columns have one value.
    (data, target)
        With ``return_X_y=True``.

    Raises
    ------
    ValueError
        If `n_classes` is neither 2 nor 3.
    DataNotFoundError
        If no source has the data, or a file is damaged or another one.

    References
    ----------
    B. Strack, J. P. DeShazo, C. Gennings, J. L. Olmo, S. Ventura, K. J. Cios, J. N. Clore (2014),
    Impact of HbA1c measurement on hospital readmission rates, BioMed Research International,
    doi:10.1155/2014/781670; the data: UCI Machine Learning Repository, doi:10.24432/C5230J.

    Examples
    --------
    >>> from skimbal.datasets import fetch_diabetes130
    >>> stays = fetch_diabetes130()  # doctest: +SKIP
    >>> stays.data.shape, int((stays.target == "<30").sum())  # doctest: +SKIP
    ((101766, 47), 11357)
    """
    if isinstance(n_classes, bool) or n_classes not in (2, 3):
        raise unusable("n_classes", n_classes, "2 or 3")
    path = table_file(LOCAL, URL, FILE, SHA256, data_home)
    with reading(path, "put a complete copy there"):
        frame = _read(path)
    if drop_deaths:
        frame = frame[~frame[DISPOSITION].isin(DEATHS)].reset_index(drop=True)
    X, y = _inputs(frame), frame[LABEL].to_numpy(dtype=str)
    if n_classes == 2:
        y = np.where(y == EARLY, EARLY, LATER)
    if return_X_y:
        return X, y
    groups = frame[PATIENT].to_numpy()
    return table_bunch(
        X,
        y,
        list(X),
        path,
        groups=groups,
        about=(
            f"Diabetes 130-US hospitals: {len(y)} stays of {len(np.unique(groups))} patients, "
            f"{(y == EARLY).sum()} of them with a return within 30 days."
        ),
        reference=(
            "B. Strack et al. (2014), Impact of HbA1c measurement on hospital readmission rates, "
            "BioMed Research International, doi:10.1155/2014/781670. CC BY 4.0."
        ),
    )


def _read(path):
    """The table in the archive, the categories as texts; a ValueError for another file."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.rpartition("/")[2] == MEMBER]
        if not members:
            raise ValueError(f"it has no file {MEMBER}")
        with archive.open(members[0]) as file:
            # "None" is a value of this table: the measurement was not made.
            frame = pd.read_csv(file, dtype=str, keep_default_na=False, na_values="?")
    numbers = [IDENTIFIER, PATIENT, *NUMBERS]
    check_columns(frame, (*numbers, *NOMINAL, LABEL))
    if not frame[LABEL].isin([EARLY, LATE, NEVER]).all():
        raise ValueError(f"the column {LABEL!r} must hold {EARLY}, {LATE} and {NEVER}")
    return frame.astype(dict.fromkeys(numbers, np.int64))


def _inputs(frame):
    """The columns of inputs in the order of the file, categories as such."""
    inputs = frame.drop(columns=[IDENTIFIER, PATIENT, LABEL])
    inputs = inputs[[name for name in inputs if name in NUMBERS or name in NOMINAL]]
    inputs = inputs.astype(dict.fromkeys(NOMINAL, "category"))
    inputs["age"] = inputs["age"].cat.as_ordered()  # [0-10) to [90-100), in the order of texts
    return inputs
