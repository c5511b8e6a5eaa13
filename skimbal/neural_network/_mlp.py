"""Multi-layer perceptron as a scikit-learn classifier."""

from numbers import Real

from sklearn.utils._param_validation import Interval, StrOptions

from skimbal.modules import ACTIVATIONS, MLP
from skimbal.neural_network._base import DENSE_CONSTRAINTS, BaseNetClassifier, check_layer_sizes


class MLPClassifier(BaseNetClassifier):
    """Multi-layer perceptron whose classes can weigh and cost differently.

    The network is trained on the mean of s_i w_{y_i} l(z_i, y_i) over the samples of a batch, with
    logits z, sample weights s and class weights w, and decides for the class of least expected
    cost, argmin_j sum_i p_i C_ij (Elkan 2001, eq. 1).

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(64, 32)
        Units of each hidden layer.
    activation : {"relu", "tanh", "sigmoid", "elu", "gelu"}, default="relu"
        Activation of the hidden units.
    dropout : float in [0, 1), default=0.0
        Probability of dropping a hidden unit in training.
    {common}
    """

    _parameter_constraints: dict = {
        **DENSE_CONSTRAINTS,
        "activation": [StrOptions(set(ACTIVATIONS))],
        "dropout": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        hidden_layer_sizes=(64, 32),
        activation="relu",
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
        self.activation = activation
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

    def _build_module(self, X, n_classes, generator, noise_generator):
        return MLP(
            X[0].size,
            check_layer_sizes(self.hidden_layer_sizes),
            n_classes,
            activation=self.activation,
            dropout=self.dropout,
            generator=generator,
            noise_generator=noise_generator,
        )
