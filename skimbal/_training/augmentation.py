"""Augmentation of the training rows, batch by batch.

The random numbers of a batch come from the generators of its networks. What is done with them is up
to the values of `skimbal.augmentation`, so that a network gets the same rows alone and in a
population.
"""

from dataclasses import dataclass

import torch

from skimbal.augmentation import resolve_augmentation

# Rows on which an augmentation is tried before the training.
N_TRIAL_ROWS = 3


@dataclass
class Augmentation:
    """Changes of the rows of a training, one after the other.

    Attributes
    ----------
    values : tuple of BaseAugmentation
    n_drawn : tuple of int
        Random numbers that each of them needs for a row.
    """

    values: tuple
    n_drawn: tuple

    def draw(self, plans, n_rows):
        """Draw uniform random numbers for the rows of a batch, shape (P, n_rows, n).

        Parameters
        ----------
        plans : list of TrainingPlan
            One for each of P networks; their generators are used.
        n_rows : int
        """
        shape = n_rows, sum(self.n_drawn)
        drawn = []
        for plan in plans:
            # The formulas count on the 24 digits of float32.
            generator = plan.augmentation_generator
            drawn.append(torch.rand(shape, generator=generator, dtype=torch.float32))
        return torch.stack(drawn)

    def apply(self, X, drawn):
        """Return the changed rows of P networks.

        Parameters
        ----------
        X : tensor of shape (P, n_rows, ...)
        drawn : tensor of shape (P, n_rows, n)
        """
        parts = drawn.to(X.device).split(self.n_drawn, dim=2)
        for value, own in zip(self.values, parts, strict=True):
            if value.is_rowwise:
                X = value.apply(X.flatten(0, 1), own.flatten(0, 1)).view(X.shape)
            else:
                X = torch.stack([value.apply(*rows) for rows in zip(X, own, strict=True)])
        return X


def make_augmentation(given, inputs, device):
    """Resolve the parameter `augmentation`, check it, and try it on the first inputs.

    Parameters
    ----------
    given : str, value of `skimbal.augmentation`, callable, sequence of them or None
    inputs : ndarray, tensor, WindowInputs or TableInputs of shape (n_samples, ...)
        As the network is trained on them.
    device : torch.device

    Returns
    -------
    Augmentation or None
    """
    values = resolve_augmentation(given)
    if not values:
        return None
    shape = tuple(inputs.shape[1:])
    X = torch.as_tensor(inputs[:N_TRIAL_ROWS]).to(device, torch.get_default_dtype())
    n_drawn = []
    for value in values:
        value.check(shape)
        value.try_on(X)
        n_drawn.append(value.n_drawn(shape))
    return Augmentation(values, tuple(n_drawn))


def numbers_of_batches(plans, sizes):
    """Yield the random numbers of each batch of an epoch, and those of its rows' partners.

    The partner of a row in mixup is the row that comes next, and that of the last row is the first
    of the epoch. A partner has the numbers that it has as a row itself.

    Parameters
    ----------
    plans : list of TrainingPlan
        One for each of P networks, with the same augmentation.
    sizes : list of int
        Rows of the batches.

    Yields
    ------
    tuple of tensor of shape (P, n_rows, n), or of None without augmentation
    """
    augmentation = plans[0].augmentation
    if not augmentation:
        yield from [(None, None)] * len(sizes)
        return
    first = current = augmentation.draw(plans, sizes[0])
    for i in range(len(sizes)):
        is_last = i + 1 == len(sizes)
        following = first if is_last else augmentation.draw(plans, sizes[i + 1])
        partners = None
        if plans[0].mixup:
            partners = torch.cat([current[:, 1:], following[:, :1]], dim=1)
        yield current, partners
        current = following
