"""Points of the unit cube that stand for different candidates, and random draws of them."""

import math

import numpy as np

MAX_PARTS = 1000
LOCAL_SPREADS = (0.1, 0.01, 0.001)


def latin_hypercube(rng, n_points, n_dims):
    """Random points that have one coordinate in each of `n_points` equal parts of a dimension."""
    parts = rng.permuted(np.tile(np.arange(n_points), (n_dims, 1)), axis=1).T
    return (parts + rng.random((n_points, n_dims))) / n_points


def part_centers(dimension):
    """Centers in [0, 1], ascending, of the values of a dimension; None where it is real."""
    kind, n_values = dimension.kind
    if n_values is None or (kind == "integer" and n_values > MAX_PARTS):
        return None
    if kind == "categorical":
        values = dimension.categories
    else:
        values = [dimension.value(0.0) + i for i in range(n_values)]
    return np.unique([dimension.unit(value) for value in values])


def row_keys(points):
    """Bytes of each row, in order; equal rows have equal bytes."""
    return [row.tobytes() for row in points + 0.0]  # the bytes of -0.0 are not those of 0.0


def new_rows(points, known):
    """Rows of `points` whose keys are not in the set `known`, each once, in their order."""
    first = {key: i for i, key in reversed(list(enumerate(row_keys(points)))) if key not in known}
    return points[sorted(first.values())]


class PointGrid:
    """The unit cube of a space, in which integers and categories lie at the centers of their parts.

    Parameters
    ----------
    space : SearchSpace
        The space. Integers with more than `MAX_PARTS` values are treated as real.

    Attributes
    ----------
    n_dims : int
        Number of dimensions.
    centers : list of ndarray or None
        Centers of the parts of each dimension; None for a real one.
    is_real, is_categorical : ndarray of bool, shape (n_dims,)
        Kinds of the dimensions.
    """

    def __init__(self, space):
        self.n_dims = space.n_dims
        self.centers = [part_centers(dimension) for dimension in space.dimensions.values()]
        self.is_real = np.array([centers is None for centers in self.centers])
        self.is_categorical = np.array([kind == "categorical" for kind, _ in space.kinds])

    @property
    def n_points(self):
        """Number of different points; inf with a real dimension."""
        return math.prod(math.inf if c is None else len(c) for c in self.centers)

    def snap(self, points):
        """Points in the cube, with integers and categories at the nearest center."""
        points = np.clip(np.array(points, dtype=np.float64), 0.0, 1.0)
        for dim in np.flatnonzero(~self.is_real):
            centers = self.centers[dim]
            nearest = np.searchsorted((centers[1:] + centers[:-1]) / 2, points[:, dim])
            points[:, dim] = centers[nearest]
        return points

    def all_points(self):
        """All points, ndarray of shape (n_points, n_dims)."""
        grids = np.meshgrid(*self.centers, indexing="ij")
        return np.stack(grids, axis=-1).reshape(-1, self.n_dims)

    def draw_around(self, rng, points, n):
        """Draw n points around the rows of `points`, at several spreads; not snapped."""
        chosen = points[rng.integers(len(points), size=n)]
        spreads = np.asarray(LOCAL_SPREADS)[rng.integers(len(LOCAL_SPREADS), size=n)]
        moved = chosen + spreads[:, None] * rng.normal(size=(n, self.n_dims))
        # An integer or category sometimes jumps to any other value; a small step would not move it.
        jumps = rng.random((n, self.n_dims)) < 1.0 / max(self.n_dims, 2)
        return np.where(jumps & ~self.is_real, rng.random((n, self.n_dims)), moved)
