"""The suites that scikit-learn installs, run with skimbal's classes in the place of its own.

Nothing is copied: a plugin of pytest (`adapters`) replaces the classes while the suite is imported.
Tests that fail are listed with the reason; any other failure, or a listed test that passes, fails.
"""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SECONDS = 3600

MULTICLASS = "costs take more than two classes"
MESSAGES = "the error is the same, its text is another one"
NEEDS_PROBA = "costs need probabilities, so a classifier without predict_proba is refused"
NO_THRESHOLDS = "cv_results_ has costs, not thresholds"
SHUFFLED = "the default folds are shuffled"
FROZEN = "a fitted classifier is wrapped in a FrozenEstimator"
WARNS = "constant predictions warn"
NEEDS_FIT = "fit is called for a fitted classifier, too"
NEGATIVE = "a threshold of decision_function is no pair of costs"

OWN_COLUMN = "cv_results_ has the column batch, and where asked for rank_train_score"
ORDER = "candidates come in an order of our own"
DUPLICATES = "a value that is listed twice is searched once"
EMPTY = "a space without parameters is refused"
METRIC_FUNCTION = "a metric function in place of a scorer is refused"
ONE_LIST = "the splits are made once, so a splitter that lies about their number is harmless"
CALLBACKS = "set_callbacks is refused; the searches have the parameter callbacks"
BAR = "verbose shows a progress bar"

FAILURES_OF_SEARCHES = {
    "test_grid_search_no_score": MESSAGES,
    "test_grid_search_cv_results": OWN_COLUMN,
    "test_random_search_cv_results": OWN_COLUMN,
    "test_grid_search_cv_results_multimetric": OWN_COLUMN,
    "test_custom_run_search": OWN_COLUMN,
    "test_unsupported_sample_weight_scorer": METRIC_FUNCTION,
    "test_search_cv_results_rank_tie_breaking": DUPLICATES,
    "test_grid_search_cv_splits_consistency": DUPLICATES,
    "test_predict_proba_disabled": EMPTY,
    "test_grid_search_failing_classifier": MESSAGES,
    "test_grid_search_classifier_all_fits_fail": MESSAGES,
    "test_callable_multimetric_error_failing_clf": MESSAGES,
    "test_callable_multimetric_clf_all_fits_fail": MESSAGES,
    "test_empty_cv_iterator_error": MESSAGES,
    "test_random_search_bad_cv": ONE_LIST,
    "test_search_cv_verbose_3": BAR,
    "test_search_cv_timing": ORDER,
    "test_search_with_2d_array": ORDER,
    "test_search_default_iid": ORDER,
}

FAILURES_OF_COSTS = {
    "test_tuned_threshold_classifier_no_binary[data0]": MULTICLASS,
    "test_tuned_threshold_classifier_no_binary[data1]": MESSAGES,
    "test_tuned_threshold_classifier_conflict_cv_refit": MESSAGES,
    "test_threshold_classifier_estimator_response_methods": NEEDS_PROBA,
    "test_tuned_threshold_classifier_without_constraint_value": NO_THRESHOLDS,
    "test_tuned_threshold_classifier_thresholds_array": NO_THRESHOLDS,
    "test_tuned_threshold_classifier_store_cv_results[False]": NO_THRESHOLDS,
    "test_tuned_threshold_classifier_metric_with_parameter": SHUFFLED,
    "test_tuned_threshold_classifier_cv_float": SHUFFLED,
    "test_tuned_threshold_classifier_refit": FROZEN,
    "test_tuned_threshold_classifier_error_constant_predictor": WARNS,
    "test_fixed_threshold_classifier[0-decision_function-2.0]": NEGATIVE,
    "test_fixed_threshold_classifier[1-decision_function-2.0]": NEGATIVE,
    "test_fixed_threshold_classifier_fitted_estimator": NEEDS_FIT,
    "test_fixed_threshold_classifier_classes_": MESSAGES,
}


def outcomes(plugin, suite, folder):
    """Name of each test of an installed suite -> "passed", "skipped" or the text of its failure."""
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "-p", f"adapters.{plugin}"]
    command += ["-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore", "--pyargs", suite]
    paths = [str(HERE), str(HERE.parents[1]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    result = subprocess.run(
        [*command, f"--junitxml={report}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert report.exists(), result.stdout + result.stderr
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        problems = [case.find(kind) for kind in ("failure", "error")]
        texts = [problem.get("message") for problem in problems if problem is not None]
        skipped = "skipped" if case.find("skipped") is not None else "passed"
        found[case.get("name")] = texts[0] if texts else skipped
    return found


def is_listed(name, listed):
    return name in listed or name.split("[")[0] in listed


def check(found, listed):
    failures = {name: text for name, text in found.items() if text not in ("passed", "skipped")}
    assert {n: t for n, t in failures.items() if not is_listed(n, listed)} == {}
    failed = {*failures, *(name.split("[")[0] for name in failures)}
    assert [name for name in listed if name not in failed] == []


@pytest.mark.extended
@pytest.mark.parametrize("plugin", ["bayes_search", "de_search"])
def test_searches(plugin, tmp_path):
    """A listed test may pass with one of the searches."""
    found = outcomes(plugin, "sklearn.model_selection.tests.test_search", tmp_path)
    failures = {name: text for name, text in found.items() if text not in ("passed", "skipped")}
    unlisted = {n: t for n, t in failures.items() if not is_listed(n, FAILURES_OF_SEARCHES)}
    assert {n: t for n, t in unlisted.items() if "callback" not in n} == {}, CALLBACKS


@pytest.mark.extended
def test_classification_thresholds(tmp_path):
    suite = "sklearn.model_selection.tests.test_classification_threshold"
    check(outcomes("costs", suite, tmp_path), FAILURES_OF_COSTS)
