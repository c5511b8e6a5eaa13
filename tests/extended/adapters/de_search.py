"""`DESearchCV` in the place of scikit-learn's searches; small spaces are searched to the end."""

from sklearn.model_selection import ParameterGrid

from adapters._searches import grids_of, patch, size_of
from skimbal import DESearchCV


def points_of_grid(self):
    grids = grids_of(self.param_grid)
    return list(ParameterGrid(grids[0])) if len(grids) == 1 else None


def population_of_grid(self):
    return max(4, *map(size_of, grids_of(self.param_grid)))


patch(
    DESearchCV,
    {
        "search_spaces": property(lambda self: self.param_grid),
        "x0": property(points_of_grid),
        "population_size": property(population_of_grid),
        "max_generations": 5,
    },
    {
        "search_spaces": property(lambda self: self.param_distributions),
        "population_size": property(lambda self: max(4, self.n_iter)),
        "max_generations": 1,
    },
)
