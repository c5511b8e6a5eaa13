"""Over-sampling with a conditional variational autoencoder (Sohn, Lee and Yan 2015).

The noise of the decoder has its own standard deviation for each value, which is trained together
with the network (Rybkin, Daniilidis and Levine 2021).
"""

import math
from collections.abc import Callable
from numbers import Integral, Real

import numpy as np
import torch
from imblearn.over_sampling.base import BaseOverSampler
from imblearn.utils import check_target_type
from scipy import sparse
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import validate_data
from torch import nn
from torch.nn.functional import one_hot, relu

from skimbal._utils._torch import torch_threads
from skimbal.exceptions import NonFiniteLossError
from skimbal.sampling._samples import check_samples, in_type

# Smallest deviation of the noise of the decoder, in deviations of a value. Without it, a value that
# the decoder reconstructs exactly has an unbounded likelihood.
MIN_NOISE = 1e-2
# The first step of Adam is ten times as large, and must be a float32.
MAX_LEARNING_RATE = 1e37
# Columns with larger or smaller values are measured in units of their largest one.
LARGE, SMALL = 1e100, 1e-100


def kl_to_standard_normal(mean, log_variance):
    r"""Divergence of a diagonal Gaussian from the standard one, for each sample.

    .. math:: D = \frac{1}{2} \sum_j \left(\mu_j^2 + \sigma_j^2 - 1 - \log \sigma_j^2\right)

    (Kingma and Welling 2014, appendix B.) Tensors (n, n_latent) give a tensor (n,).
    """
    return 0.5 * (mean**2 + log_variance.exp() - 1.0 - log_variance).sum(dim=1)


def gaussian_log_likelihood(x, mean, log_deviation):
    r"""Log-density of independent Gaussians, for each sample.

    .. math:: \log p = -\sum_d \left(\frac{(x_d - \mu_d)^2}{2 s_d^2} + \log s_d
        + \frac{1}{2} \log 2 \pi \right)

    Tensors (n, n_values), (n, n_values) and (n_values,) give a tensor (n,).
    """
    z = (x - mean) / log_deviation.exp()
    return -(0.5 * z**2 + log_deviation + 0.5 * math.log(2.0 * math.pi)).sum(dim=1)


def _linear(n_inputs, n_outputs, generator):
    """Linear layer with weights drawn from the generator, not from torch's global one."""
    layer = nn.utils.skip_init(nn.Linear, n_inputs, n_outputs)
    nn.init.xavier_uniform_(layer.weight, generator=generator)
    nn.init.zeros_(layer.bias)
    return layer


class _ConditionalVAE(nn.Module):
    """Encoder q(z | x, y) and decoder p(x | z, y), with one hidden layer each."""

    def __init__(self, n_values, n_classes, n_hidden, n_latent, generator):
        super().__init__()
        self.n_classes = n_classes
        self.encode_hidden = _linear(n_values + n_classes, n_hidden, generator)
        self.encode_moments = _linear(n_hidden, 2 * n_latent, generator)
        self.decode_hidden = _linear(n_latent + n_classes, n_hidden, generator)
        self.decode_mean = _linear(n_hidden, n_values, generator)
        self.log_noise = nn.Parameter(torch.zeros(n_values))

    def _with_label(self, inputs, target):
        return torch.cat([inputs, one_hot(target, self.n_classes).to(inputs.dtype)], dim=1)

    def encode(self, x, target):
        """Mean and log-variance of the latent values."""
        hidden = relu(self.encode_hidden(self._with_label(x, target)))
        return self.encode_moments(hidden).chunk(2, dim=1)

    def decode(self, latent, target):
        """Mean of the values."""
        return self.decode_mean(relu(self.decode_hidden(self._with_label(latent, target))))

    def log_deviation(self):
        """Log-deviations of the decoder's noise."""
        return self.log_noise.clamp(min=math.log(MIN_NOISE))

    def negative_elbo(self, x, target, noise):
        """Mean of divergence minus log-likelihood (Kingma and Welling 2014, eq. 10)."""
        mean, log_variance = self.encode(x, target)
        latent = mean + noise * (0.5 * log_variance).exp()
        log_likelihood = gaussian_log_likelihood(
            x, self.decode(latent, target), self.log_deviation()
        )
        return (kl_to_standard_normal(mean, log_variance) - log_likelihood).mean()


def train(model, x, target, *, n_latent, n_epochs, batch_size, learning_rate, generator):
    """Maximize the evidence lower bound with Adam; return the mean negative bound of each epoch."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    history = []
    for epoch in range(1, n_epochs + 1):
        total = 0.0
        for rows in torch.randperm(len(x), generator=generator).split(batch_size):
            noise = torch.randn(len(rows), n_latent, generator=generator)
            loss = model.negative_elbo(x[rows], target[rows], noise)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(rows)
        history.append(total / len(x))
        if not math.isfinite(history[-1]):
            raise NonFiniteLossError(
                f"the negative bound is {history[-1]} in epoch {epoch} with learning_rate="
                f"{learning_rate:g}; lower learning_rate"
            )
    return history


@torch.no_grad()
def draw(model, target, n_latent, generator):
    """Draw latent values from the prior, and values from the decoder with noise."""
    latent = torch.randn(len(target), n_latent, generator=generator)
    mean = model.decode(latent, target)
    noise = torch.randn(mean.shape, generator=generator)
    return mean + noise * model.log_deviation().exp()


def units(rows):
    """Units of the columns in which sums of squares neither overflow nor vanish; 1 by default.

    >>> units(np.array([[1e-200, 3.0, 0.0], [-2e-200, 4.0, 0.0]]))
    array([2.e-200, 1.e+000, 1.e+000])
    """
    largest = np.abs(rows).max(axis=0)
    return np.where((largest > LARGE) | (largest < SMALL) & (largest > 0), largest, 1.0)


class ConditionalVAESampler(BaseOverSampler):
    r"""Over-sample by drawing from a conditional variational autoencoder.

    An encoder :math:`q(z \mid x, y)` and a decoder :math:`p(x \mid z, y)`, each with one hidden
    layer, are trained on the samples of all classes to maximize

    .. math:: \mathbb{E}_{q(z \mid x, y)} \log p(x \mid z, y)
        - D_{KL}\left(q(z \mid x, y) \,\|\, \mathcal{N}(0, I)\right) .

    New samples of class y are drawn from :math:`p(x \mid z, y)` with standard normal :math:`z`.
    The network learns from all classes what the rare ones have in common with the others. Values
    are standardized internally. Windows and images (n-d X) are reshaped to rows.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow to how many samples, as for the over-samplers of imbalanced-learn.
    n_latent : int, default=8
        Size of z.
    n_hidden : int, default=128
        Units of the hidden layers.
    max_epochs : int, default=200
        Number of training epochs.
    learning_rate : float, default=3e-3
        Step size of Adam.
    batch_size : int, default=64
        Number of samples in a batch.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches and draws.

    Attributes
    ----------
    sampling_strategy_ : dict label -> int
        Number of drawn samples of each class.
    history_ : list of float
        Mean negative bound of the samples in each epoch, in nats.
    n_features_in_ : int
        Number of features (2-D X), or size of the first axis of a sample.

    References
    ----------
    .. [1] D. P. Kingma, M. Welling (2014). Auto-encoding variational Bayes. ICLR.
       arXiv:1312.6114
    .. [2] K. Sohn, H. Lee, X. Yan (2015). Learning structured output representation using deep
       conditional generative models. NeurIPS.
    .. [3] O. Rybkin, K. Daniilidis, S. Levine (2021). Simple and effective VAE training with
       calibrated decoders. ICML. arXiv:2006.13202

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.sampling import ConditionalVAESampler
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 1, 20))
    >>> y = np.repeat(["usual", "rare"], [40, 10])
    >>> sampler = ConditionalVAESampler(max_epochs=5, random_state=0)
    >>> X_new, y_new = sampler.fit_resample(X, y)
    >>> X_new.shape
    (80, 1, 20)
    """

    _parameter_constraints: dict = {
        **BaseOverSampler._parameter_constraints,
        **{
            name: [Interval(Integral, 1, None, closed="left")]
            for name in ("n_latent", "n_hidden", "max_epochs", "batch_size")
        },
        "learning_rate": [Interval(Real, 0, MAX_LEARNING_RATE, closed="right")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        sampling_strategy: float | str | dict | Callable = "auto",
        n_latent: int = 8,
        n_hidden: int = 128,
        max_epochs: int = 200,
        learning_rate: float = 3e-3,
        batch_size: int = 64,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        super().__init__(sampling_strategy=sampling_strategy)
        self.n_latent = n_latent
        self.n_hidden = n_hidden
        self.max_epochs = max_epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.random_state = random_state

    def _check_X_y(self, X, y, accept_sparse=("csr", "csc")):
        X = check_samples(X, type(self).__name__)
        y, binarize_y = check_target_type(y, indicate_one_vs_all=True)
        X, y = validate_data(self, X, y, accept_sparse=list(accept_sparse), allow_nd=True)
        return X, y, binarize_y

    def _fit_resample(self, X, y):
        wanted = {label: n for label, n in self.sampling_strategy_.items() if n > 0}
        dense = X.toarray() if sparse.issparse(X) else X
        rows = dense.reshape(len(dense), -1).astype(np.float64, copy=False)
        unit = units(rows)
        rows = rows / unit
        mean, scale = rows.mean(axis=0), rows.std(axis=0)
        # Rounding gives a constant column a small deviation; it must stay constant.
        rounding = len(rows) * np.finfo(np.float64).eps * np.abs(mean)
        scale[scale <= rounding] = 0.0
        labels = np.repeat(list(wanted), list(wanted.values())).astype(y.dtype)
        divisor = np.where(scale > 0, scale, np.maximum(rounding, 1.0))
        standard = self._train_and_draw((rows - mean) / divisor, y, labels)
        if not np.isfinite(standard).all():
            raise NonFiniteLossError(
                "the training diverged in its last step: drawn values are not finite with "
                f"learning_rate={self.learning_rate:g}; lower learning_rate"
            )
        with np.errstate(over="ignore"):  # beyond the type's range is its end
            new = (unit * (mean + scale * standard)).reshape(-1, *dense.shape[1:])
            new = in_type(new, X.dtype)
        if sparse.issparse(X):
            both = sparse.vstack([X, sparse.csr_matrix(new)], format=X.format)
        else:
            both = np.concatenate([X, new])
        return both, np.concatenate([y, labels])

    def _train_and_draw(self, rows, y, labels):
        """Train on standardized rows and draw one row for each label."""
        rng = check_random_state(self.random_state)
        generator = torch.Generator().manual_seed(rng.randint(2**31 - 1))
        classes, targets = np.unique(y, return_inverse=True)
        with torch_threads(1):
            model = _ConditionalVAE(
                rows.shape[1], len(classes), self.n_hidden, self.n_latent, generator
            )
            self.history_ = train(
                model,
                torch.as_tensor(rows, dtype=torch.get_default_dtype()),
                torch.as_tensor(targets),
                n_latent=self.n_latent,
                n_epochs=self.max_epochs,
                batch_size=self.batch_size,
                learning_rate=self.learning_rate,
                generator=generator,
            )
            wanted = torch.as_tensor(np.searchsorted(classes, labels))
            return draw(model, wanted, self.n_latent, generator).double().numpy()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags
