"""Over-sampling with a conditional variational autoencoder (Sohn, Lee and Yan 2015).

The noise of the decoder has its own standard deviation for each value, which is trained together
with the network (Rybkin, Daniilidis and Levine 2021).
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import relu

from skimbal.exceptions import NonFiniteLossError
from skimbal.sampling._generative import BaseGenerativeSampler, linear, with_label

# Smallest deviation of the noise of the decoder, in deviations of a value. Without it, a value that
# the decoder reconstructs exactly has an unbounded likelihood.
MIN_NOISE = 1e-2


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


class _ConditionalVAE(nn.Module):
    """Encoder q(z | x, y) and decoder p(x | z, y), with one hidden layer each."""

    def __init__(self, n_values, n_classes, n_hidden, n_latent, generator):
        super().__init__()
        self.n_classes = n_classes
        self.encode_hidden = linear(n_values + n_classes, n_hidden, generator)
        self.encode_moments = linear(n_hidden, 2 * n_latent, generator)
        self.decode_hidden = linear(n_latent + n_classes, n_hidden, generator)
        self.decode_mean = linear(n_hidden, n_values, generator)
        self.log_noise = nn.Parameter(torch.zeros(n_values))

    def encode(self, x, target):
        """Mean and log-variance of the latent values."""
        hidden = relu(self.encode_hidden(with_label(x, target, self.n_classes)))
        return self.encode_moments(hidden).chunk(2, dim=1)

    def decode(self, latent, target):
        """Mean of the values."""
        return self.decode_mean(
            relu(self.decode_hidden(with_label(latent, target, self.n_classes)))
        )

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


class ConditionalVAESampler(BaseGenerativeSampler):
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

    def _train_and_draw(self, x, target, wanted, generator):
        n_classes = int(target.max()) + 1
        model = _ConditionalVAE(x.shape[1], n_classes, self.n_hidden, self.n_latent, generator)
        self.history_ = train(
            model,
            x,
            target,
            n_latent=self.n_latent,
            n_epochs=self.max_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            generator=generator,
        )
        return draw(model, wanted, self.n_latent, generator)
