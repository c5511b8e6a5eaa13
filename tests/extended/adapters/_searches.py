"""What the adapters of both searches share: a grid or distributions as a search space."""

import inspect

from sklearn.model_selection import GridSearchCV, ParameterGrid, RandomizedSearchCV


def grids_of(param_grid):
    """The grids of `param_grid`, as a list."""
    return param_grid if isinstance(param_grid, list) else [param_grid]


def size_of(grid):
    """Number of candidates of a grid."""
    return len(ParameterGrid(grid))


def adapted(Search, Original, **attributes):
    """A subclass of one of our searches with the parameters of a search of scikit-learn."""

    def __init__(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        bound.apply_defaults()
        for name, value in bound.arguments.items():
            if name != "self":
                setattr(self, name, value)

    signature = inspect.signature(Original.__init__)
    __init__.__signature__ = signature
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(Search.__init__).parameters.items()
        if name not in signature.parameters and parameter.default is not inspect.Parameter.empty
    }
    constraints = {**Search._parameter_constraints}
    body = {**defaults, "__init__": __init__, "_parameter_constraints": constraints, **attributes}
    body |= {"__module__": Original.__module__}  # where pickle finds it
    return type(Original.__name__, (Search,), body)


def patch(Search, grid_attributes, random_attributes):
    """Put adapters of a search into scikit-learn."""
    import sklearn.model_selection as package
    import sklearn.model_selection._search as module

    grid = adapted(Search, GridSearchCV, **grid_attributes)
    random = adapted(Search, RandomizedSearchCV, **random_attributes)
    for holder in (package, module):
        holder.GridSearchCV, holder.RandomizedSearchCV = grid, random
