"""Scores for imbalanced classes, decisions by costs, and statistics of comparisons."""

from skimbal.metrics._cost import cost_savings, expected_cost
from skimbal.metrics._decision import (
    cost_matrix_from_costs,
    decide,
    decide_by_costs,
    inverse_frequency_cost_matrix,
    normalize_costs,
    prior_costs,
)
from skimbal.metrics._prior import correct_prior
from skimbal.metrics._scorer_checks import check_class_scorer
from skimbal.metrics._scorers import (
    check_label_scorer,
    confusion_score,
    get_scorer,
    make_confusion_scorer,
    make_cost_scorer,
    score_labels,
    scorer_names,
)
from skimbal.metrics._scores import (
    accuracy_from_confusion,
    balanced_accuracy,
    balanced_accuracy_from_confusion,
    g_mean,
    g_mean_from_confusion,
    macro_f1,
    macro_f1_from_confusion,
    precision_per_class,
    recall_from_confusion,
    recall_per_class,
)
from skimbal.metrics._statistics import (
    average_ranks,
    friedman,
    holm,
    iman_davenport,
    nemenyi_critical_difference,
    significant_wins,
    wilcoxon,
    wilcoxon_to_control,
    win_lose_draw,
)

__all__ = [
    "average_ranks",
    "balanced_accuracy",
    "check_label_scorer",
    "confusion_score",
    "correct_prior",
    "cost_savings",
    "decide",
    "decide_by_costs",
    "expected_cost",
    "friedman",
    "g_mean",
    "get_scorer",
    "holm",
    "macro_f1",
    "make_confusion_scorer",
    "make_cost_scorer",
    "normalize_costs",
    "precision_per_class",
    "prior_costs",
    "recall_from_confusion",
    "recall_per_class",
    "scorer_names",
    "wilcoxon",
    "wilcoxon_to_control",
    "win_lose_draw",
]
__all__ += [  # for extenders
    "accuracy_from_confusion",
    "balanced_accuracy_from_confusion",
    "check_class_scorer",
    "cost_matrix_from_costs",
    "g_mean_from_confusion",
    "iman_davenport",
    "inverse_frequency_cost_matrix",
    "macro_f1_from_confusion",
    "nemenyi_critical_difference",
    "score_labels",
    "significant_wins",
]
