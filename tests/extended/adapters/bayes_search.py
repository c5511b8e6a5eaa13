"""`BayesSearchCV` in the place of scikit-learn's searches, with the grid as its first points."""

from sklearn.model_selection import ParameterGrid

from adapters._searches import grids_of, patch, size_of
from skimbal import BayesSearchCV


def spaces_of_grid(self):
    return [(grid, size_of(grid)) for grid in grids_of(self.param_grid)]


def points_of_grid(self):
    grids = grids_of(self.param_grid)
    return list(ParameterGrid(grids[0])) if len(grids) == 1 else None


patch(
    BayesSearchCV,
    {"search_spaces": property(spaces_of_grid), "x0": property(points_of_grid)},
    {"search_spaces": property(lambda self: self.param_distributions), "n_initial_points": 5},
)
