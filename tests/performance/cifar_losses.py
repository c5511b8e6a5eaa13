"""Eight losses on a part of CIFAR-10 in which five classes are cut to 40, 20 and 5 %.

200 training images in each full class, 2,000 test images in equal parts, a ResNet of 8 layers in
batches of 32. A seed is a draw of the images and of the network. The imbalance is that of the
article on IWCE; the network, the images and the epochs are far fewer, so that all of it takes some
minutes on a processor. Cells that are already in cifar_losses_cells.csv.xz are not run again.

    python tests/performance/cifar_losses.py --jobs 2 --out docs/results
"""

from _comparison import (
    base_parser,
    compared_losses,
    points,
    predictions,
    run_cells,
    scores,
)
from _tiny import parse_arguments

from skimbal import ResNetClassifier
from skimbal.datasets import fetch_cifar10_imbalanced

PERCENTS = (40, 20, 5)
N_TEST = 2000


def evaluate(seed, percent, loss, n_max, n_epochs):
    cifar = fetch_cifar10_imbalanced(
        profile="step",
        imbalance_ratio=100 / percent,
        n_max=n_max,
        n_test=N_TEST,
        random_state=seed,
    )
    network = ResNetClassifier(
        depth=8,
        batch_size=32,
        **compared_losses(n_epochs)[loss],
        max_epochs=n_epochs,
        random_state=seed,
    ).fit(cifar.data, cifar.target)
    names = cifar.target_names
    by_class = dict(zip(names, cifar.class_counts, strict=True))
    counts = [by_class[label] for label in network.classes_]
    for row, predicted in predictions(network, cifar.data_test, loss, counts).items():
        yield {
            "row": row,
            "n_train": len(cifar.data),
            "version": cifar.version,
            **scores(cifar.target_test, predicted, names),
        }


def summary(cells):
    """A row a loss, columns by the percents that five classes are cut to."""
    recalls = [column for column in cells if column.startswith("recall_")]
    cells = cells.assign(full=cells[recalls[:5]].mean(axis=1), cut=cells[recalls[5:]].mean(axis=1))
    means = cells.groupby(["row", "percent"], sort=False)[
        ["balanced_accuracy", "macro_f1", "full", "cut"]
    ].mean()
    names = {
        "balanced_accuracy": "balanced accuracy",
        "macro_f1": "macro F1",
        "full": "recall, full",
        "cut": "recall, cut",
    }
    table = means.rename(columns=names).map(points).unstack("percent")
    table.columns = [f"{percent} %: {name}" for name, percent in table.columns]
    columns = [f"{percent} %: {name}" for percent in PERCENTS for name in names.values()]
    return table.loc[cells.row.unique(), columns].rename_axis("loss")


def main():
    parser = base_parser(__doc__, n_seeds=1, n_epochs=20)
    parser.add_argument("--images", type=int, default=200, help="of a full class, to train")
    arguments = parse_arguments(parser, globals(), PERCENTS=(20,), N_TEST=50, images=20, epochs=2)
    cells = [
        {
            "seed": seed,
            "percent": percent,
            "loss": loss,
            "n_max": arguments.images,
            "n_epochs": arguments.epochs,
        }
        for seed in range(arguments.seeds)
        for percent in PERCENTS
        for loss in compared_losses(arguments.epochs)
    ]
    path = arguments.out / "cifar_losses_cells.csv.xz"
    table = summary(run_cells(evaluate, cells, path, arguments.jobs))
    for percent in PERCENTS:
        columns = [column for column in table if column.startswith(f"{percent} %")]
        print(table[columns].to_string())
    table.to_csv(arguments.out / "cifar_losses.csv")


if __name__ == "__main__":
    main()
