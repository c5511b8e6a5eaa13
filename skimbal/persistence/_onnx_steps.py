"""The steps of a chain as nodes of an ONNX graph: scalers, networks, and decisions by costs."""

from functools import singledispatch

import numpy as np
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, RobustScaler, StandardScaler

from skimbal._utils._validation import regret_matrix
from skimbal.metrics import cost_matrix_from_costs
from skimbal.modules import OwnNetwork
from skimbal.neural_network import BaseNetClassifier, prediction_steps
from skimbal.persistence._onnx_chain import Columns, Mean, PriorRatio
from skimbal.persistence._onnx_layers import add_layer
from skimbal.persistence._onnx_own_network import add_own_network


def add_chain(steps, graph, x):
    """Add the nodes of all steps; return the name of the last output."""
    for step in steps:
        x = add_step(step, graph, x)
    return x


@singledispatch
def add_step(step, graph, x):
    """Add the nodes of a step; return the name of its output."""
    raise AssertionError(f"{step!r} is no step of a chain")


# ---------------------------------------------------------------- scalers


@add_step.register
def _(scaler: StandardScaler, graph, x):
    # scikit-learn rounds this mean to the precision of X before it subtracts it; the others not.
    x = graph.add("Sub", x, scaler.mean_) if scaler.with_mean else x
    return graph.add("Div", x, scaler.scale_) if scaler.with_std else x


@add_step.register
def _(scaler: RobustScaler, graph, x):
    x = graph.subtract(x, scaler.center_) if scaler.with_centering else x
    return graph.add("Div", x, scaler.scale_) if scaler.with_scaling else x


@add_step.register
def _(scaler: MinMaxScaler, graph, x):
    x = graph.add("Add", graph.add("Mul", x, scaler.scale_), scaler.min_)
    return graph.add("Clip", x, *map(float, scaler.feature_range)) if scaler.clip else x


@add_step.register
def _(scaler: MaxAbsScaler, graph, x):
    x = graph.add("Div", x, scaler.scale_)
    is_clipped = getattr(scaler, "clip", False)  # scikit-learn 1.8 and before have no such option
    return graph.add("Clip", x, -1.0, 1.0) if is_clipped else x


# ---------------------------------------------------------------- networks


@add_step.register
def _(network: BaseNetClassifier, graph, x):
    steps = prediction_steps(network)
    if steps.clip_range is not None:
        x = graph.add("Clip", x, *steps.clip_range)
    if steps.channel_shape != steps.input_shape:
        x = graph.reshape(x, steps.channel_shape)
    if steps.moments is not None:
        mean, scale = steps.moments
        x = graph.add("Div", graph.subtract(x, mean), scale)
    if steps.limit is not None:
        x = add_smooth_clip(graph, x, steps.limit)
    if steps.module_shape != steps.channel_shape:
        x = graph.reshape(x, steps.module_shape)
    if isinstance(steps.module, OwnNetwork):
        x = add_own_network(steps.module, graph, x, steps.module_shape)
    else:
        x = add_layer(steps.module, graph, x)
    if steps.log_prior_ratio.any():
        x = graph.add("Add", x, steps.log_prior_ratio)
    return graph.add("Softmax", x, axis=1)


def add_smooth_clip(graph, x, limit):
    """Add the nodes of x / sqrt(1 + r^2), r = x / limit, over m = max(1, |r|): no square overflows.

    An infinite limit is a factor of 0.
    """
    ratio = graph.add("Mul", x, 1.0 / limit)
    unit = graph.add("Max", graph.add("Abs", ratio), 1.0)
    squares = []
    for part in (graph.add("Reciprocal", unit), graph.add("Div", ratio, unit)):
        squares.append(graph.add("Mul", part, part))
    return graph.add(
        "Div", graph.add("Div", x, unit), graph.add("Sqrt", graph.add("Add", *squares))
    )


# ---------------------------------------------------------------- probabilities


@add_step.register
def _(step: Mean, graph, x):
    members = [add_chain(steps, graph, x) for steps in step.chains]
    return graph.add("Div", graph.add("Sum", *members), float(len(members)))


@add_step.register
def _(step: Columns, graph, x):
    return graph.add("MatMul", x, step.selection)


@add_step.register
def _(step: PriorRatio, graph, x):
    moved = graph.add("Mul", x, step.ratio)
    return graph.add("Div", moved, graph.add("ReduceSum", moved, np.array([1]), keepdims=1))


def add_decision(cost_matrix, graph, proba):
    """Add the nodes of the decision with the lowest expected cost, as `skimbal.metrics.decide`."""
    if cost_matrix is None:
        return graph.add("ArgMax", proba, axis=1, keepdims=0)
    regrets = regret_matrix(cost_matrix)
    costs = regrets.max(axis=1)
    if np.array_equal(regrets, cost_matrix_from_costs(costs)):
        return graph.add("ArgMax", graph.add("Mul", proba, costs), axis=1, keepdims=0)
    return graph.add("ArgMin", graph.add("MatMul", proba, regrets), axis=1, keepdims=0)
