"""Deep belief network as a scikit-learn classifier."""

from numbers import Integral, Real

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.modules import MLP, stack_rbms
from skimbal.neural_network._base import DENSE_CONSTRAINTS, BaseNetClassifier, check_layer_sizes
from skimbal.neural_network._pretraining import PretrainingPlan, train_stack
from skimbal.neural_network._training import to_tensors


class DBNClassifier(BaseNetClassifier):
    """Deep belief network: RBMs trained layer by layer, then fine-tuned as a sigmoid network.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 32)
        Units of each hidden layer, one restricted Boltzmann machine each.
    {common}
    """

    _parameter_constraints: dict = {
        **DENSE_CONSTRAINTS,
        "visible": [StrOptions({"auto", "bernoulli", "gaussian"})],
        "pretrain_epochs": [Interval(Integral, 0, None, closed="left")],
        "pretrain_learning_rate": [Interval(Real, 0, None, closed="neither")],
        "pretrain_momentum": [Interval(Real, 0, 1, closed="left")],
        "pretrain_weight_decay": [Interval(Real, 0, None, closed="left")],
        "n_gibbs_steps": [Interval(Integral, 1, None, closed="left")],
        "persistent": ["boolean"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes=(64, 32),
        visible="auto",
        pretrain_epochs=100,
        pretrain_learning_rate=0.01,
        pretrain_momentum=0.5,
        pretrain_weight_decay=1e-4,
        n_gibbs_steps=1,
        persistent=False,
        dropout=0.0,
        loss="cross_entropy",
        class_weight=None,
        cost_matrix=None,
        sampler=None,
        standardize=True,
        optimizer="adam",
        learning_rate=1e-3,
        weight_decay=1e-4,
        batch_size=64,
        max_epochs=100,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        scoring=None,
        device="auto",
        n_threads=1,
        callbacks=None,
        verbose=0,
        random_state=None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.visible = visible
        self.pretrain_epochs = pretrain_epochs
        self.pretrain_learning_rate = pretrain_learning_rate
        self.pretrain_momentum = pretrain_momentum
        self.pretrain_weight_decay = pretrain_weight_decay
        self.n_gibbs_steps = n_gibbs_steps
        self.persistent = persistent
        self.dropout = dropout
        self.loss = loss
        self.class_weight = class_weight
        self.cost_matrix = cost_matrix
        self.sampler = sampler
        self.standardize = standardize
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.scoring = scoring
        self.device = device
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.verbose = verbose
        self.random_state = random_state

    def _check_inputs(self, X, *, reset):
        if reset:
            binary = self.visible == "auto" and ((X == 0) | (X == 1)).all()
            self.visible_ = (
                ("bernoulli" if binary else "gaussian") if self.visible == "auto" else self.visible
            )
        if self.visible_ == "bernoulli" and (X.min() < 0 or X.max() > 1):
            raise ValueError(
                f"X lies in [{X.min():g}, {X.max():g}], but visible='bernoulli' takes values in "
                "[0, 1]; scale X (MinMaxScaler) or use visible='gaussian'"
            )

    def _prepare_inputs(self, X):
        if self.visible_ == "bernoulli":
            return np.clip(X, 0.0, 1.0)
        return super()._prepare_inputs(X)

    def _build_module(self, X, n_classes, generator, noise_generator):
        sizes = check_layer_sizes(self.hidden_layer_sizes)
        if not sizes:
            raise ValueError("hidden_layer_sizes is empty; a belief network needs a hidden layer")
        return MLP(
            X[0].size,
            sizes,
            n_classes,
            activation="sigmoid",
            dropout=self.dropout,
            generator=generator,
            noise_generator=noise_generator,
        )

    def _pretrain(self, module, X, sample_weight, plan, noise_generator):
        pretraining = PretrainingPlan(
            n_epochs=self.pretrain_epochs,
            learning_rate=self.pretrain_learning_rate,
            momentum=self.pretrain_momentum,
            weight_decay=self.pretrain_weight_decay,
            n_gibbs_steps=self.n_gibbs_steps,
            persistent=self.persistent,
            batch_size=self.batch_size,
        )
        self.rbms_ = stack_rbms(module, visible=self.visible_)
        data, *weight = to_tensors(X.reshape(len(X), -1), sample_weight, device=plan.device)
        errors = train_stack(
            self.rbms_,
            data,
            weight[0] if weight else None,
            pretraining,
            plan.generator,
            noise_generator,
        )
        self.pretrain_history_ = pd.concat(
            [
                pd.DataFrame(
                    {"layer": i, "epoch": np.arange(1, len(e) + 1), "reconstruction_error": e}
                )
                for i, e in enumerate(errors)
            ],
            ignore_index=True,
        )
