import warnings
from functools import partial

import numpy as np
import pytest
import sklearn.metrics
from imblearn.metrics import geometric_mean_score

from skimbal.exceptions import AbsentClassWarning
from skimbal.metrics import (
    accuracy_from_confusion,
    balanced_accuracy,
    balanced_accuracy_from_confusion,
    cost_savings,
    expected_cost,
    g_mean,
    g_mean_from_confusion,
    macro_f1,
    macro_f1_from_confusion,
    precision_per_class,
    recall_from_confusion,
    recall_per_class,
)
from skimbal.metrics._minority import minority_f1, minority_precision, minority_recall
from skimbal.metrics._scores import (
    count_confusion,
    f1_from_confusion,
    precision_from_confusion,
)

SYMMETRIC = [
    accuracy_from_confusion,
    balanced_accuracy_from_confusion,
    g_mean_from_confusion,
    macro_f1_from_confusion,
]
OF_ONE_MATRIX = [*SYMMETRIC, lambda confusion: f1_from_confusion(confusion, 0)]
PER_CLASS = [recall_from_confusion, precision_from_confusion]
LABEL_SCORES = [g_mean, macro_f1, balanced_accuracy]


def draw_labels(seed, n_classes, n_samples=60):
    """True and predicted labels in which every class is present in the truth."""
    rng = np.random.default_rng(seed)
    y_true = np.concatenate([np.arange(n_classes), rng.integers(n_classes, size=n_samples)])
    noise = rng.random(y_true.size) < rng.random()
    y_pred = np.where(noise, rng.integers(n_classes, size=y_true.size), y_true)
    return y_true, y_pred, rng.random(y_true.size) + 0.1


def draw_confusions(n_classes, n_matrices=40, seed=0):
    """Sparse counts, so that absent, missed and never predicted classes all occur."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 9, size=(n_matrices, n_classes, n_classes)).astype(float)
    return counts * (rng.random(counts.shape) < 0.4)


@pytest.mark.parametrize("n_classes", [2, 3, 4, 5, 6])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("seed", range(10))
def test_g_mean_agrees_with_imbalanced_learn_where_all_classes_are_present(
    seed, weighted, n_classes
):
    y_true, y_pred, weight = draw_labels(seed, n_classes)
    weight = weight if weighted else None
    expected = geometric_mean_score(y_true, y_pred, average="multiclass", sample_weight=weight)
    assert g_mean(y_true, y_pred, sample_weight=weight) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("seed", range(5))
def test_scores_agree_with_scikit_learn(seed, n_classes):
    y_true, y_pred, weight = draw_labels(seed, n_classes)
    options = {"sample_weight": weight}
    recalls = sklearn.metrics.recall_score(y_true, y_pred, average=None, **options)
    precisions = sklearn.metrics.precision_score(
        y_true, y_pred, average=None, zero_division=np.nan, **options
    )
    macro = sklearn.metrics.f1_score(y_true, y_pred, average="macro", zero_division=0, **options)
    balanced = sklearn.metrics.balanced_accuracy_score(y_true, y_pred, **options)
    accuracy = sklearn.metrics.accuracy_score(y_true, y_pred, **options)
    confusion = sklearn.metrics.confusion_matrix(y_true, y_pred, **options)
    each = sklearn.metrics.f1_score(y_true, y_pred, average=None, zero_division=0, **options)

    np.testing.assert_allclose(recall_per_class(y_true, y_pred, **options), recalls)
    np.testing.assert_allclose(precision_per_class(y_true, y_pred, **options), precisions)
    assert macro_f1(y_true, y_pred, **options) == pytest.approx(macro)
    assert balanced_accuracy(y_true, y_pred, **options) == pytest.approx(balanced)
    assert accuracy_from_confusion(confusion) == pytest.approx(accuracy)
    for positive in range(n_classes):
        assert f1_from_confusion(confusion, positive) == pytest.approx(each[positive])


def test_values_by_hand():
    confusion = np.array([[6.0, 2.0, 0.0], [1.0, 1.0, 0.0], [0.0, 3.0, 1.0]])
    assert g_mean_from_confusion(confusion) == pytest.approx((0.75 * 0.5 * 0.25) ** (1 / 3))
    assert balanced_accuracy_from_confusion(confusion) == pytest.approx(0.5)
    assert accuracy_from_confusion(confusion) == pytest.approx(8 / 14)
    assert f1_from_confusion(confusion, 1) == pytest.approx(2 / 8)
    assert macro_f1_from_confusion(confusion) == pytest.approx((12 / 15 + 2 / 8 + 2 / 5) / 3)
    np.testing.assert_allclose(recall_from_confusion(confusion), [0.75, 0.5, 0.25])
    np.testing.assert_allclose(precision_from_confusion(confusion), [6 / 7, 1 / 6, 1.0])


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("score", [*OF_ONE_MATRIX, *PER_CLASS])
def test_a_stack_scores_as_its_matrices_do(score, n_classes):
    """To the bit, whatever is absent in the other matrices: a search compares across stacks."""
    stack = draw_confusions(n_classes)
    stack[0] = 0
    alone = np.array([score(confusion) for confusion in stack])
    np.testing.assert_array_equal(score(stack), alone)
    np.testing.assert_array_equal(
        score(stack.reshape(4, 10, n_classes, n_classes)).ravel(), alone.ravel()
    )
    np.testing.assert_array_equal(score(stack.astype(int)), alone)


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("score", SYMMETRIC)
def test_scores_do_not_depend_on_the_order_of_classes_nor_on_scale(score, n_classes):
    stack = draw_confusions(n_classes)
    order = np.random.default_rng(1).permutation(n_classes)
    np.testing.assert_allclose(score(stack[:, order][:, :, order]), score(stack), atol=1e-15)
    np.testing.assert_allclose(score(0.3 * stack), score(stack), atol=1e-15)


@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_g_mean_of_one_missed_class_is_exactly_zero(n_classes):
    confusion = np.eye(n_classes) * 5
    confusion[-1] = np.roll(confusion[-1], 1)
    assert g_mean_from_confusion(confusion) == 0.0
    assert g_mean_from_confusion(np.eye(n_classes)) == 1.0


def test_g_mean_of_many_weak_classes_does_not_underflow():
    n_classes = 400
    confusion = np.full((n_classes, n_classes), 1.0)
    assert g_mean_from_confusion(confusion) == pytest.approx(1 / n_classes)


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("score", SYMMETRIC)
def test_a_class_that_never_occurs_changes_nothing(score, n_classes):
    confusion = np.random.default_rng(0).integers(1, 9, size=(n_classes, n_classes))
    padded = np.pad(confusion, (0, 1))
    assert score(padded) == pytest.approx(score(confusion), abs=1e-15)


def test_absent_classes_in_matrices():
    only_first = np.array([[3.0, 1.0], [0.0, 0.0]])
    assert g_mean_from_confusion(only_first) == 0.75
    assert balanced_accuracy_from_confusion(only_first) == 0.75
    assert macro_f1_from_confusion(only_first) == pytest.approx((6 / 7 + 0) / 2)
    np.testing.assert_array_equal(recall_from_confusion(only_first), [0.75, np.nan])
    np.testing.assert_array_equal(
        precision_from_confusion(np.array([[3, 0], [1, 0]])), [0.75, np.nan]
    )
    for score in SYMMETRIC:
        assert np.isnan(score(np.zeros((2, 2))))
        assert np.isnan(score(np.zeros((3, 3))))


@pytest.mark.parametrize("score", [g_mean, balanced_accuracy])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "labels", "named", "recalls"),
    [
        (["a", "a", "b"], ["a", "c", "b"], None, r"\['c'\]", [0.5, 1.0]),
        (["a", "a", "b"], ["a", "a", "b"], ["a", "b", "c"], r"\['c'\]", [1.0, 1.0]),
        ([0, 0, 0, 0], [0, 0, 0, 1], None, r"\[1\]", [0.75]),
        ([0, 0, 0], [0, 0, 0], None, "class 0 only", [1.0]),
        ([0, 0, 0], [0, 0, 0], [0], "class 0 only", [1.0]),
    ],
)
def test_an_absent_class_is_warned_of(score, y_true, y_pred, labels, named, recalls):
    with pytest.warns(AbsentClassWarning, match=named) as records:
        value = score(y_true, y_pred, labels=labels)
    assert records[0].filename == __file__
    mean = np.prod(recalls) ** (1 / len(recalls)) if score is g_mean else np.mean(recalls)
    assert value == pytest.approx(mean)


def test_macro_f1_counts_a_class_that_is_predicted_and_absent_as_0():
    with pytest.warns(AbsentClassWarning, match="macro_f1: the classes \\[2\\] are absent") as seen:
        value = macro_f1([0, 0, 1, 1], [0, 2, 1, 1])
    assert seen[0].filename == __file__
    assert value == pytest.approx((2 / 3 + 1 + 0) / 3)
    with pytest.warns(AbsentClassWarning):
        assert macro_f1([0, 1], [0, 1], labels=[0, 1, 2]) == 1.0


def test_a_class_whose_samples_weigh_nothing_is_absent():
    with pytest.warns(AbsentClassWarning):
        assert g_mean([0, 0, 1], [0, 1, 0], sample_weight=[1, 3, 0]) == 0.25


@pytest.mark.parametrize("score", LABEL_SCORES)
def test_integer_weights_equal_repetition(score):
    y_true, y_pred, _ = draw_labels(3, 3)
    weight = np.random.default_rng(3).integers(1, 4, size=y_true.size)
    repeated = score(np.repeat(y_true, weight), np.repeat(y_pred, weight))
    assert score(y_true, y_pred, sample_weight=weight) == pytest.approx(repeated)


@pytest.mark.parametrize("score", [*LABEL_SCORES, recall_per_class, precision_per_class])
def test_labels_of_any_type_score_alike(score):
    y_true, y_pred, _ = draw_labels(5, 3)
    names = np.array(["low", "middle", "top"])
    expected = score(y_true, y_pred)
    np.testing.assert_array_equal(score(names[y_true], names[y_pred]), expected)
    objects = names.astype(object)
    np.testing.assert_array_equal(score(objects[y_true], objects[y_pred]), expected)
    np.testing.assert_array_equal(score((y_true - 1) * 10.0, (y_pred - 1) * 10.0), expected)


def test_labels_give_the_order_of_the_result():
    y_true, y_pred = ["a", "a", "b"], ["a", "b", "b"]
    np.testing.assert_array_equal(recall_per_class(y_true, y_pred, labels=["b", "a"]), [1.0, 0.5])
    np.testing.assert_array_equal(
        precision_per_class(y_true, y_pred, labels=["b", "a"]), [0.5, 1.0]
    )


@pytest.mark.parametrize("score", [*LABEL_SCORES, recall_per_class, precision_per_class])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "options", "message"),
    [
        ([], [], {}, "no samples"),
        ([0, 1], [0], {}, "inconsistent numbers of samples"),
        ([0, 1], [0, 1], {"labels": [0, 2]}, r"\[1\] occur"),
        ([0, 1], [0, 1], {"labels": [0, 1, 1]}, "distinct labels"),
        ([0, 1], [0, 1], {"sample_weight": [1, -1]}, "[Nn]egative"),
        ([0, 1], [0, 1], {"sample_weight": [1]}, r"sample_weight\.shape"),
        ([0, 1], [0, 1], {"sample_weight": [1, np.nan]}, "NaN"),
        ([0.5, 1.5], [0.5, 1.5], {}, "Unknown label type"),
    ],
)
def test_bad_input_is_refused(score, y_true, y_pred, options, message):
    with pytest.raises(ValueError, match=message):
        score(y_true, y_pred, **options)


@pytest.mark.parametrize("n_classes", [1, 2, 3, 5])
def test_confusion_counts_equal_a_loop(n_classes):
    y_true, y_pred, weight = draw_labels(7, n_classes)
    expected = np.zeros((n_classes, n_classes))
    for truth, prediction, w in zip(y_true, y_pred, weight, strict=True):
        expected[truth, prediction] += w
    labels, confusion = count_confusion(y_true, y_pred, sample_weight=weight)
    np.testing.assert_array_equal(labels, np.arange(n_classes))
    np.testing.assert_allclose(confusion, expected)
    assert confusion.dtype == np.float64


@pytest.mark.parametrize("score", [*OF_ONE_MATRIX, *PER_CLASS])
def test_matrices_give_no_warnings_even_where_numpy_is_told_to_raise(score):
    with warnings.catch_warnings(), np.errstate(all="raise"):
        warnings.simplefilter("error")
        score(np.zeros((4, 2, 2)))
        score(draw_confusions(3))


class CountedArray(np.ndarray):
    """An array that counts the array operations in which it takes part."""

    n_operations = 0

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **options):
        CountedArray.n_operations += 1
        inputs = [np.asarray(value) for value in inputs]
        if out:
            options["out"] = tuple(np.asarray(value) for value in out)
        return np.asarray(getattr(ufunc, method)(*inputs, **options)).view(CountedArray)


def count_operations(score, stack):
    CountedArray.n_operations = 0
    np.testing.assert_array_equal(np.asarray(score(stack.view(CountedArray))), score(stack))
    return CountedArray.n_operations


@pytest.mark.parametrize("score", [*OF_ONE_MATRIX, recall_from_confusion])
def test_a_stack_takes_few_operations_however_many_matrices_it_has(score):
    """A search calls these thousands of times, with 30 matrices or so."""
    small, large = (
        np.random.default_rng(0).integers(1, 9, size=(n, 2, 2)).astype(float) for n in (30, 3000)
    )
    n_operations = count_operations(score, small)
    assert 2 <= n_operations <= 12
    assert count_operations(score, large) == n_operations


@pytest.mark.parametrize("scale", [1e-310, 1e-300, 1e300, 1e306])
@pytest.mark.parametrize(
    "score",
    [
        g_mean,
        macro_f1,
        minority_f1,
        minority_precision,
        minority_recall,
        partial(expected_cost, cost_matrix=[[0, 1], [5, 0]]),
        partial(cost_savings, cost_matrix=[[0, 1], [5, 0]]),
    ],
    ids=lambda score: getattr(score, "func", score).__name__,
)
def test_the_scale_of_the_weights_changes_no_score(score, scale):
    """Sums of the largest weights overflow, products of the smallest ones vanish."""
    rng = np.random.default_rng(0)
    y_true, y_pred = rng.integers(0, 2, size=(2, 200))
    weight = rng.uniform(0.5, 2.0, size=200)
    expected = score(y_true, y_pred, sample_weight=weight)
    assert score(y_true, y_pred, sample_weight=scale * weight) == pytest.approx(expected, rel=1e-9)
