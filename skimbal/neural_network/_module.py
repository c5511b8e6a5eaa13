"""A factory of a network, with parameters that a search can set by name."""

import inspect
from typing import Any

from sklearn.base import clone
from torch import nn

from skimbal._utils._validation import unknown_name_message


class Module:
    """A factory of a network with parameters, each of which a search can set.

    As the `module` of a `NetClassifier` it makes ``module__<name>`` a parameter of the classifier.

    Parameters
    ----------
    factory : class or callable
        Called as ``factory(input_shape, n_classes, **parameters)``; returns a torch.nn.Module.
    **parameters
        Values of its other parameters. Those that are not given have the defaults of the factory.

    Raises
    ------
    ValueError
        If the factory has no parameter of a name that is given.

    See Also
    --------
    NetClassifier : Takes it as its `module`.

    Examples
    --------
    >>> import torch
    >>> from skimbal.neural_network import Module, NetClassifier
    >>> class TwoLayers(torch.nn.Sequential):
    ...     def __init__(self, input_shape, n_classes, hidden=32):
    ...         first = torch.nn.Linear(*input_shape, hidden)
    ...         super().__init__(first, torch.nn.ReLU(), torch.nn.Linear(hidden, n_classes))
    >>> network = NetClassifier(Module(TwoLayers, hidden=64))
    >>> network.set_params(module__hidden=16).module
    Module(TwoLayers, hidden=16)
    """

    def __init__(self, factory: Any, **parameters: Any) -> None:
        if isinstance(factory, nn.Module) or not callable(factory):
            raise ValueError(
                f"Module takes a class or function that makes a network, got {factory!r}; a "
                "network that exists already is a module by itself"
            )
        self.factory = factory
        self.parameters: dict[str, Any] = {}
        self.set_params(**parameters)

    def __call__(self, input_shape, n_classes):
        """Return a new network."""
        return self.factory(input_shape, n_classes, **self.parameters)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the parameters by name, with the defaults of those that are not given.

        Parameters
        ----------
        deep : bool, default=True
            Has no effect.

        Returns
        -------
        dict
            Name -> value.
        """
        defaults, _ = signature_of(self.factory)
        given = {k: v for k, v in defaults.items() if v is not inspect.Parameter.empty}
        return {**given, **self.parameters}

    def set_params(self, **parameters: Any) -> "Module":
        """Set parameters by name.

        Parameters
        ----------
        **parameters
            Name -> value.

        Returns
        -------
        self : Module
        """
        known, takes_any = signature_of(self.factory)
        for name in parameters:
            if not takes_any and name not in known:
                owner = f"parameter of {name_of(self.factory)}"
                raise ValueError(unknown_name_message(owner, name, known))
        self.parameters = {**self.parameters, **parameters}
        return self

    def __sklearn_clone__(self):
        return Module(self.factory, **{k: clone(v, safe=False) for k, v in self.parameters.items()})

    def __repr__(self):
        defaults, _ = signature_of(self.factory)
        differences = [
            f", {name}={value!r}"
            for name, value in self.parameters.items()
            if name not in defaults or repr(value) != repr(defaults[name])
        ]
        return f"Module({name_of(self.factory)}{''.join(differences)})"


def name_of(factory):
    """What a class or function is called.

    >>> name_of(dict)
    'dict'
    """
    return getattr(factory, "__qualname__", repr(factory)).rpartition("<locals>.")[2]


def signature_of(factory):
    """Defaults of a factory's parameters after the first two, and whether it takes any others.

    >>> signature_of(lambda input_shape, n_classes, hidden=64: None)
    ({'hidden': 64}, False)
    """
    try:
        parameters = list(inspect.signature(factory).parameters.values())
    except (TypeError, ValueError):  # it does not tell its parameters
        return {}, True
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return {p.name: p.default for p in parameters[2:] if p.kind not in variable}, takes_any
