"""Maps of the features before the last layer, by t-SNE or UMAP."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.manifold import TSNE
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from skimbal._utils._extras import how_to_install
from skimbal._utils._validation import is_whole_number
from skimbal.inspection._drawing import MARKERS, class_colors, panel_axes
from skimbal.inspection._inputs import check_labels_of_display, named_cases

METHODS = ("tsne", "umap", "none")
MAX_SEED = 2**31 - 1


def rows_to_show(targets: NDArray, max_per_class: int, rng: np.random.RandomState) -> NDArray:
    """Rows of at most `max_per_class` samples of each class, drawn at random, in rising order.

    >>> rng = np.random.RandomState(0)
    >>> rows_to_show(np.array([0, 0, 0, 1]), 2, rng).tolist()
    [1, 2, 3]
    """
    chosen = []
    for c in np.unique(targets):
        rows = np.flatnonzero(targets == c)
        chosen.append(rng.permutation(rows)[:max_per_class])
    return np.sort(np.concatenate(chosen))


def embed(features: NDArray, method: str, random_state: int) -> NDArray[np.float64]:
    """Two coordinates of each row of features."""
    if method == "none":
        if features.shape[1] != 2:
            raise ValueError(
                f"method='none' draws two features as they are, but there are {features.shape[1]}; "
                "use 'tsne' or 'umap'"
            )
        return features
    if method == "umap":
        return _umap(features, random_state)
    perplexity = min(30.0, (len(features) - 1) / 3.0)
    return TSNE(perplexity=perplexity, random_state=random_state).fit_transform(features)


def _umap(features, random_state):
    try:
        import umap
    except ImportError as error:
        raise ImportError(
            "method='umap' needs umap-learn, which is not installed; install it with "
            f"{how_to_install('umap')}, or use method='tsne'"
        ) from error
    n_neighbors = min(15, len(features) - 1)
    reducer = umap.UMAP(n_neighbors=n_neighbors, random_state=random_state, n_jobs=1)
    return reducer.fit_transform(features)


class FeatureMapDisplay:
    """Features before the last layer of networks, drawn in two dimensions.

    Each case has a map of its own, so distances can be compared within a panel only.

    Use :meth:`from_estimator` for fitted networks, or :meth:`from_features`.

    Parameters
    ----------
    maps : dict of str to ndarray of shape (n_samples, 2)
        Coordinates of the samples of each case.
    y : array-like of shape (n_samples,)
        Labels of the samples.
    class_counts : array-like of shape (n_classes,) or None, default=None
        Numbers of samples that say which class is rare, for the colors. None counts `y`.

    Attributes
    ----------
    axes_ : ndarray of Axes
        The panels.
    ax_ : Axes
        The first of them.
    figure_ : Figure
        The figure.
    points_ : list of lists of PathCollection
        The points of each class in each panel, in the order of the sorted labels.

    References
    ----------
    L. van der Maaten and G. Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008, pp. 2579-2605.
    https://jmlr.org/papers/v9/vandermaaten08a.html

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.inspection import FeatureMapDisplay
    >>> display = FeatureMapDisplay({"network": np.eye(2)}, ["usual", "rare"])
    >>> display.plot().ax_.get_title()  # doctest: +SKIP
    'network'
    """

    def __init__(
        self, maps: Mapping[str, NDArray], y: ArrayLike, *, class_counts: ArrayLike | None = None
    ):
        self.maps = maps
        self.y = y
        self.class_counts = class_counts

    @classmethod
    def from_estimator(
        cls, estimators: Any, X: ArrayLike, y: ArrayLike, *, ax: Any = None, **options: Any
    ) -> "FeatureMapDisplay":
        """Draw the features of fitted networks, those that their ``transform`` returns.

        Parameters
        ----------
        estimators : estimator, list, or dict of str to estimator
            Fitted networks, or pipelines that end with one.
        X : array-like of shape (n_samples, ...)
            Samples.
        y : array-like of shape (n_samples,)
            Their labels.
        ax : Axes, array of Axes or None, default=None
            Where to draw.
        **options : dict
            Keywords of :meth:`from_features`.

        Returns
        -------
        display : FeatureMapDisplay

        Raises
        ------
        ValueError
            If an estimator has no ``transform``.
        """
        features = {}
        for name, estimator in named_cases(estimators, "estimators", "network").items():
            check_is_fitted(estimator)
            if not hasattr(estimator, "transform"):
                raise ValueError(
                    f"{type(estimator).__name__} has no transform, so it has no features; give a "
                    "network, or a pipeline that ends with one"
                )
            features[name] = estimator.transform(X)
        return cls.from_features(features, y, ax=ax, **options)

    @classmethod
    def from_features(
        cls,
        features: Any,
        y: ArrayLike,
        *,
        method: str = "tsne",
        max_per_class: int = 500,
        random_state: int | np.random.RandomState | None = 0,
        ax: Any = None,
        **plot_options: Any,
    ) -> "FeatureMapDisplay":
        """Draw features.

        Parameters
        ----------
        features : array-like of shape (n_samples, n_features), or dict of str to array-like
            Features of each case.
        y : array-like of shape (n_samples,)
            Labels.
        method : {"tsne", "umap", "none"}, default="tsne"
            t-SNE of scikit-learn, UMAP (needs umap-learn), or two features as they are.
        max_per_class : int, default=500
            Samples of each class that are drawn, at most. The same samples are in each panel.
        random_state : int, RandomState instance or None, default=0
            Seed of the samples and the maps.
        ax : Axes, array of Axes or None, default=None
            Where to draw.
        **plot_options : dict
            Keywords of :meth:`plot`.

        Returns
        -------
        display : FeatureMapDisplay

        Raises
        ------
        ValueError
            If lengths differ, or for an unknown method, or too few samples.
        """
        if method not in METHODS:
            raise ValueError(f"method={method!r} must be one of {METHODS}")
        if not is_whole_number(max_per_class, 1):
            raise ValueError(
                f"max_per_class={max_per_class!r} must be a whole number of at least 1"
            )
        cases = features if isinstance(features, Mapping) else {"features": features}
        _, targets, counts = check_labels_of_display(y)
        rng = check_random_state(random_state)
        seed = rng.randint(MAX_SEED)
        rows = rows_to_show(targets, max_per_class, rng)
        if len(rows) < 4 and method != "none":
            raise ValueError(f"a map needs at least 4 samples, but there are {len(rows)}")
        maps = {}
        for name, given in named_cases(cases, "features").items():
            table = np.asarray(given)
            check_consistent_length(table, targets)
            table = table.reshape(len(table), -1)
            maps[name] = embed(table[rows], method, seed)
        return cls(maps, np.asarray(y)[rows], class_counts=counts).plot(ax, **plot_options)

    def plot(
        self, ax: Any = None, *, n_columns: int | None = None, names: Sequence | None = None
    ) -> "FeatureMapDisplay":
        """Draw a panel for each case, the rare classes on top.

        Parameters
        ----------
        ax : Axes, array of Axes or None, default=None
            None makes a figure. One Axes is divided if there are several cases.
        n_columns : int or None, default=None
            Panels in a row; at most four by default.
        names : sequence of str or None, default=None
            Names of the classes in the legend, in the order of the sorted labels.

        Returns
        -------
        display : FeatureMapDisplay
            The display itself.
        """
        classes, targets, counts = check_labels_of_display(self.y)
        counts = counts if self.class_counts is None else np.asarray(self.class_counts)
        names = classes.tolist() if names is None else list(names)
        if len(names) != len(classes) or len(counts) != len(classes):
            raise ValueError(
                f"there are {len(classes)} classes, but {len(names)} names and {len(counts)} counts"
            )
        colors = class_colors(counts)
        self.axes_ = panel_axes(ax, len(self.maps), n_columns)
        self.points_ = []
        for panel, (title, points) in zip(self.axes_, self.maps.items(), strict=True):
            check_consistent_length(points, targets)
            drawn: dict[int, Any] = {}
            for c in np.argsort(-counts, kind="stable").tolist():
                drawn[c] = panel.scatter(
                    *np.asarray(points)[targets == c].T,
                    s=14,
                    marker=MARKERS[c % len(MARKERS)],
                    color=colors[c],
                    alpha=0.75,
                    lw=0,
                    label=str(names[c]),
                )
            self.points_.append([drawn[c] for c in range(len(classes))])
            panel.set(title=title, xticks=[], yticks=[])
        self.axes_[0].legend(fontsize="small", framealpha=0.9)
        self.ax_ = self.axes_[0]
        self.figure_ = self.ax_.figure
        return self
