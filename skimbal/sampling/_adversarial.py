"""Over-sampling with a conditional generative adversarial network (Mirza and Osindero 2014)."""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn.functional import leaky_relu, relu, softplus

from skimbal._utils._warnings import warn
from skimbal.exceptions import NonFiniteLossError
from skimbal.sampling._generative import BaseGenerativeSampler, linear, with_label

# Slope of the discriminator's units, and decay of Adam's mean gradient (Radford, Metz and Chintala
# 2016, section 3).
SLOPE = 0.2
BETAS = (0.5, 0.999)
# Draws of a class whose spread is a smaller part of that of its samples have collapsed.
MIN_SPREAD = 0.1


def discriminator_loss(real_logits, drawn_logits):
    r"""Cross entropy of the discriminator D, for each pair of a real and a drawn sample.

    .. math:: -\log D(x \mid y) - \log\left(1 - D(G(z \mid y) \mid y)\right)

    (Mirza and Osindero 2014, eq. 2.) Tensors (n,) give a tensor (n,).
    """
    return softplus(-real_logits) + softplus(drawn_logits)


def generator_loss(drawn_logits):
    r"""What the generator G minimizes, for each drawn sample: :math:`-\log D(G(z \mid y) \mid y)`.

    The gradient of :math:`\log(1 - D)` vanishes where the discriminator is sure, this one does not
    (Goodfellow et al. 2014, section 3). Tensors (n,) give a tensor (n,).
    """
    return softplus(-drawn_logits)


def relative_spread(drawn, real):
    r"""Spread of drawn rows as a part of that of real ones; NaN where a spread is not defined.

    .. math:: \sqrt{\sum_d \operatorname{var}(\hat{x}_d) / \sum_d \operatorname{var}(x_d)}

    >>> relative_spread(np.array([[0.0, 1.0], [0.0, 3.0]]), np.array([[4.0, 0.0], [8.0, 0.0]]))
    0.5
    """
    if len(drawn) < 2 or len(real) < 2 or real.var(axis=0).sum() == 0:
        return math.nan
    return float(np.sqrt(drawn.var(axis=0).sum() / real.var(axis=0).sum()))


class _ConditionalGAN(nn.Module):
    """Generator G(z | y) and discriminator D(x | y), with one hidden layer each."""

    def __init__(self, n_values, n_classes, n_hidden, n_latent, generator):
        super().__init__()
        self.n_classes = n_classes
        self.n_latent = n_latent
        self.generate = nn.ModuleList(
            [
                linear(n_latent + n_classes, n_hidden, generator),
                linear(n_hidden, n_values, generator),
            ]
        )
        self.judge = nn.ModuleList(
            [linear(n_values + n_classes, n_hidden, generator), linear(n_hidden, 1, generator)]
        )

    def draw(self, target, generator):
        """Draw a row of each class from standard normal latent values."""
        latent = torch.randn(len(target), self.n_latent, generator=generator)
        hidden, output = self.generate
        return output(relu(hidden(with_label(latent, target, self.n_classes))))

    def logits(self, x, target):
        """Log-odds that the rows are real."""
        hidden, output = self.judge
        inputs = with_label(x, target, self.n_classes)
        return output(leaky_relu(hidden(inputs), SLOPE))[:, 0]


def step(optimizer, loss):
    """Take a step down the gradient of a loss, and return the loss."""
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train_epoch(model, optimizers, batches, x, target, generator):
    """Train discriminator and generator in turn; return the mean loss of each."""
    total = np.zeros(2)
    for rows in batches:
        y = target[rows]
        drawn = model.draw(y, generator)
        judged = discriminator_loss(model.logits(x[rows], y), model.logits(drawn.detach(), y))
        losses = [step(optimizers[0], judged.mean())]
        losses.append(step(optimizers[1], generator_loss(model.logits(drawn, y)).mean()))
        total += len(rows) * np.array(losses)
    return total / len(x)


def train(model, x, target, *, n_epochs, batch_size, learning_rate, generator):
    """Train with Adam; return the two mean losses of each epoch."""
    optimizers = [
        torch.optim.Adam(part.parameters(), lr=learning_rate, betas=BETAS)
        for part in (model.judge, model.generate)
    ]
    history = []
    for epoch in range(1, n_epochs + 1):
        batches = torch.randperm(len(x), generator=generator).split(batch_size)
        losses = train_epoch(model, optimizers, batches, x, target, generator)
        history.append(losses)
        if not np.isfinite(losses).all():
            raise NonFiniteLossError(
                f"the losses of discriminator and generator are {losses.tolist()} in epoch "
                f"{epoch} with learning_rate={learning_rate:g}; lower learning_rate"
            )
    return np.array(history)


class ConditionalGANSampler(BaseGenerativeSampler):
    r"""Over-sample by drawing from a conditional generative adversarial network.

    A generator :math:`G(z \mid y)` makes samples of class y from standard normal values z. A
    discriminator :math:`D(x \mid y)` tells them from real samples of the class. Each has one hidden
    layer, and they are trained in turn, on the samples of all classes:

    .. math:: \min_G \max_D \; \mathbb{E} \log D(x \mid y)
        + \mathbb{E} \log \left(1 - D(G(z \mid y) \mid y)\right) .

    Samples of the rare classes are drawn from the trained generator. Values are standardized
    internally. Windows and images (n-d X) are reshaped to rows.

    Parameters
    ----------
    sampling_strategy : float, str, dict or callable, default="auto"
        Which classes grow to how many samples, as for the over-samplers of imbalanced-learn.
    n_latent : int, default=8
        Size of z.
    n_hidden : int, default=128
        Units of the hidden layers.
    max_epochs : int, default=300
        Number of training epochs.
    learning_rate : float, default=1e-3
        Step size of Adam, for both networks.
    batch_size : int, default=64
        Number of samples in a batch.
    random_state : int, RandomState instance or None, default=None
        Seed of weights, batches and draws.

    Attributes
    ----------
    sampling_strategy_ : dict label -> int
        Number of drawn samples of each class.
    history_ : ndarray of shape (n_epochs, 2)
        Mean losses of the discriminator and of the generator in each epoch, in nats. If the
        discriminator cannot tell drawn samples from real ones, they are near 1.39 and 0.69.
    spread_ : dict label -> float
        Total standard deviation of the drawn samples of a class, divided by that of its real
        samples. NaN for classes with fewer than two samples or draws, or without any deviation.
    n_features_in_ : int
        Number of features (2-D X), or size of the first axis of a sample.

    See Also
    --------
    ConditionalVAESampler : Draws from a variational autoencoder, which is easier to train.

    Notes
    -----
    If ``spread_`` of a class is below 0.1, the generator draws almost the same sample every time
    (mode collapse), and a warning says so. A training with losses that are not finite ends with a
    `NonFiniteLossError` that names the epoch.

    The generator minimizes :math:`-\log D(G(z \mid y) \mid y)`, whose gradient does not vanish
    while the discriminator wins [2]_. The article [1]_ has dropout, maxout units and stochastic
    gradient descent. Here are Adam and leaky rectifiers, as in [3]_.

    References
    ----------
    .. [1] M. Mirza, S. Osindero (2014). Conditional generative adversarial nets. Equation 2.
       arXiv:1411.1784
    .. [2] I. Goodfellow et al. (2014). Generative adversarial nets. NeurIPS. Section 3.
       arXiv:1406.2661
    .. [3] A. Radford, L. Metz, S. Chintala (2016). Unsupervised representation learning with deep
       convolutional generative adversarial networks. ICLR. Section 3. arXiv:1511.06434

    Examples
    --------
    >>> import numpy as np
    >>> from skimbal.sampling import ConditionalGANSampler
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 1, 20))
    >>> y = np.repeat(["usual", "rare"], [40, 10])
    >>> sampler = ConditionalGANSampler(max_epochs=5, random_state=0)
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
        max_epochs: int = 300,
        learning_rate: float = 1e-3,
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
        model = _ConditionalGAN(x.shape[1], n_classes, self.n_hidden, self.n_latent, generator)
        self.history_ = train(
            model,
            x,
            target,
            n_epochs=self.max_epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            generator=generator,
        )
        with torch.no_grad():
            return model.draw(wanted, generator)

    def _draw_standard(self, rows, y, labels):
        drawn = super()._draw_standard(rows, y, labels)
        self.spread_ = {
            label: relative_spread(drawn[labels == label], rows[y == label])
            for label in self.sampling_strategy_
        }
        warn_of_collapse(self.spread_)
        return drawn


def warn_of_collapse(spread):
    """Warn of the classes whose draws are almost all the same."""
    collapsed = {str(label): round(part, 3) for label, part in spread.items() if part < MIN_SPREAD}
    if collapsed:
        warn(
            "the generator draws almost the same sample every time (mode collapse): the spread of "
            f"the drawn samples is {collapsed} of that of the real ones; use another "
            "learning_rate, other max_epochs or random_state, or ConditionalVAESampler"
        )
