"""What over-samplers share that train a generative network and draw new samples from it."""

from abc import ABCMeta, abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from imblearn.over_sampling.base import BaseOverSampler
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from torch import nn
from torch.nn.functional import one_hot

from skimbal._utils._torch import torch_threads
from skimbal._utils._validation import column_units
from skimbal.exceptions import NonFiniteLossError
from skimbal.sampling._samples import check_numbers, in_type

# The first step of Adam is ten times as large, and must be a float32.
MAX_LEARNING_RATE = 1e37


def linear(n_inputs, n_outputs, generator):
    """Linear layer with weights drawn from the generator, not from torch's global one."""
    layer = nn.utils.skip_init(nn.Linear, n_inputs, n_outputs)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


def with_label(inputs, target, n_classes):
    """Append the class of each sample to its values, as n_classes values of 0 and 1."""
    return torch.cat([inputs, one_hot(target, n_classes).to(inputs.dtype)], dim=1)


class BaseGenerativeSampler(BaseOverSampler, metaclass=ABCMeta):
    """Base of the generative samplers: a subclass trains on standardized rows and draws rows."""

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        **{
            name: [Interval(Integral, 1, None, closed="left")]
            for name in ("n_latent", "n_hidden", "max_epochs", "batch_size")
        },
        "learning_rate": [Interval(Real, 0, MAX_LEARNING_RATE, closed="right")],
        "random_state": ["random_state"],
    }

    @abstractmethod
    def _train_and_draw(self, x, target, wanted, generator):
        """Train on rows x (n, n_values) of classes target (n,); draw a row of each class wanted."""

    def _check_X_y(self, X, y, accept_sparse=("csr", "csc")):
        return check_numbers(self, X, y, accept_sparse)

    def _fit_resample(self, X, y):
        wanted = {label: n for label, n in self.sampling_strategy_.items() if n > 0}
        dense = X.toarray() if sparse.issparse(X) else X
        rows = dense.reshape(len(dense), -1).astype(np.float64, copy=False)
        unit = column_units(rows)
        rows = rows / unit
        mean, scale = rows.mean(axis=0), rows.std(axis=0)
        # Rounding gives a constant column a small deviation; it must stay constant.
        rounding = len(rows) * np.finfo(np.float64).eps * np.abs(mean)
        scale[scale <= rounding] = 0.0
        labels = np.repeat(list(wanted), list(wanted.values())).astype(y.dtype)
        divisor = np.where(scale > 0, scale, np.maximum(rounding, 1.0))
        standard = self._draw_standard((rows - mean) / divisor, y, labels)
        with np.errstate(over="ignore"):  # beyond the type's range is its end
            new = (unit * (mean + scale * standard)).reshape(-1, *dense.shape[1:])
            new = in_type(new, X.dtype)
        if sparse.issparse(X):
            both = sparse.vstack([X, sparse.csr_matrix(new)], format=X.format)
        else:
            both = np.concatenate([X, new])
        return both, np.concatenate([y, labels])

    def _draw_standard(self, rows, y, labels):
        """Train on standardized rows and draw one finite row for each label."""
        rng = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(rng.randint(2**31 - 1))
        classes, targets = np.unique(y, return_inverse=True)
        with torch_threads(1):
            x = torch.as_tensor(rows, dtype=torch.get_default_dtype())
            wanted = torch.as_tensor(np.searchsorted(classes, labels))
            drawn = self._train_and_draw(x, torch.as_tensor(targets), wanted, generator)
        if not drawn.isfinite().all():
            raise NonFiniteLossError(
                "the training diverged in its last step: drawn values are not finite with "
                f"learning_rate={self.learning_rate:g}; lower learning_rate"
            )
        return drawn.double().numpy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
