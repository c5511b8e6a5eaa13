"""Names of suites, methods, splits and metrics, which the command line knows without imports.

A test compares those of suites and methods with what there is.
"""

SUITE_NAMES = (
    "keel58",
    "keel-dev",
    "keel-multiclass",
    "demo",
    "spheres",
    "watch",
    "cwru",
    "kdd99",
    "ai4i2020",
    "mixed",
)
RESAMPLER_NAMES = ("adasyn", "smote", "smote-borderline1", "smote-borderline2", "smote-svm")
METHOD_NAMES = (
    "ecs-dbn",
    "ecs-dbn-refit",
    "ecs-dbn-balanced",
    "ecs-dbn-train",
    "dbn",
    "dbn-balanced",
    "dbn-prior",
    "dbn-ensemble-prior",
    "csdbn",
    "csdbn-grid",
    "adasyn-dbn",
    "smote-dbn",
    "smote-borderline1-dbn",
    "smote-borderline2-dbn",
    "smote-svm-dbn",
    "ecs-mlp",
    "mlp",
    "mlp-prior",
    "mlp-auto-prior",
    "bagging-net",
    "eco-ensemble",
    "adaboost-net",
    "welm",
    "welm-no-costs",
    "evolutionary-elm",
    "svm",
    "sklearn-mlp",
    "knn",
    "gradient-boosting",
    "logistic",
    "adaboost",
    "lasso",
    "sgd",
    "logistic-balanced",
    "svm-balanced",
    "balanced-random-forest",
    "easy-ensemble",
    "rusboost",
    "random-forest-prior",
    "random-forest-tuned",
    "extra-trees-prior",
    "extra-trees-tuned",
    "xgboost-prior",
    "xgboost-tuned",
    "sklearn-mlp-early-stopping",
    "lightgbm-prior",
    "lightgbm-tuned",
    "catboost-prior",
    "catboost-tuned",
    "hist-gradient-boosting-prior",
    "hist-gradient-boosting-tuned",
    "realmlp",
    "realmlp-256",
    "tabm",
    "cnn",
    "cnn-weighted",
    "cnn-iwce",
    "cnn-focal",
    "cnn-smote",
    "cnn-prior",
    "ecs-cnn",
    "adaboost-cnn",
    "cnn-cosen",
    "cnn-centers",
    "cnn-deep-oversampling",
    "extra-trees-summary-prior",
)
DEMO_METHODS = ("ecs-dbn", "dbn-prior", "dbn", *(f"{name}-dbn" for name in RESAMPLER_NAMES))
# Where cells run: in processes of this machine, or on the workers of a cluster.
BACKENDS = ("processes", "dask", "ray")
SPLITS = ("stratified", "official")
# Scores of ranks, which no confusion matrix gives.
RANK_METRICS = ("auc", "average_precision", "rare_average_precision")
METRICS = ("g_mean", "accuracy", "balanced_accuracy", "macro_f1", *RANK_METRICS)
# Kinds of a report that are written to a file of one's choice, and the endings of these files.
REPORT_KINDS = {"html": ".html", "latex": ".tex", "markdown": ".md"}
