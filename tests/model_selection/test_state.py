"""The state of a search and its file."""

import os
import subprocess
import sys

import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skimbal import DESearchCV
from skimbal.model_selection._state import digest

C_SPACE = {"C": (0.001, 100.0, "log-uniform")}
SMALL = {"population_size": 4, "max_generations": 3, "cv": 3, "random_state": 0}


def test_the_state_of_another_search_is_refused(data, tmp_path):
    X, y = data
    file = tmp_path / "search.pkl"
    search = DESearchCV(LogisticRegression(), C_SPACE, state_file=str(file), **SMALL)
    search.fit(X, y)
    before = file.read_bytes()
    for changed, name in (
        ({"random_state": 1}, "random_state"),
        ({"search_spaces": {"C": (0.1, 1.0)}}, "search_spaces"),
        ({"estimator": LogisticRegression(tol=0.01)}, "estimator"),
        ({"population_size": 5}, "population_size"),
    ):
        with pytest.raises(ValueError, match=f"another search: it differs in {name}"):
            clone(search).set_params(**changed).fit(X, y)
    with pytest.raises(ValueError, match="it differs in X;"):
        clone(search).fit(X + 1, y)
    assert file.read_bytes() == before
    file.write_text("notes")
    with pytest.raises(ValueError, match="holds no state of a search"):
        clone(search).fit(X, y)
    assert file.read_text() == "notes"
    with pytest.raises(ValueError, match="no folder"):
        clone(search).set_params(state_file=tmp_path / "none" / "s").fit(X, y)


@pytest.mark.slow
def test_digests_are_the_same_in_another_process():
    code = (
        "import scipy.stats; from skimbal import MLPClassifier\n"
        "from skimbal.losses import Focal\n"
        "from skimbal.model_selection import ClassWeights, class_weight_space\n"
        "from skimbal.model_selection._space import SearchSpace\n"
        "from skimbal.model_selection._state import digest\n"
        "print(digest((MLPClassifier(loss=Focal(), class_weight=ClassWeights([0, 1])),"
        " SearchSpace.parse({'x': scipy.stats.loguniform(1, 3), 'y': ['a', {1: 2}]}"
        " | class_weight_space(['a', 'b'])).description(), {'a', 'b'})))\n"
        "print(digest(lambda: 0))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert digest(LogisticRegression(C=1)) != digest(LogisticRegression(C=2))
