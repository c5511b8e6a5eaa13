"""A function of the user's own as an augmentation."""

from collections.abc import Callable

import torch
from torch import Tensor

from skimbal.augmentation._base import BaseAugmentation, problem_of

# A seed is put together from two numbers of so many binary digits.
DIGITS = 2**24


class FunctionAugmentation(BaseAugmentation):
    """Changes batches by a function of the batch and of a generator of random numbers.

    Parameters
    ----------
    function : callable
        Maps a tensor of shape (n, ...) and a `torch.Generator` on its device to a tensor of the
        same shape and type.

    Examples
    --------
    >>> import torch
    >>> from skimbal.augmentation._own import FunctionAugmentation
    >>> change = FunctionAugmentation(lambda X, generator: -X)
    >>> change.apply(torch.ones(1, 2), torch.rand(1, 2))
    tensor([[-1., -1.]])
    """

    is_rowwise = False

    def __init__(self, function: Callable[[Tensor, torch.Generator], Tensor]) -> None:
        self.function = function

    def n_drawn(self, input_shape: tuple[int, ...]) -> int:
        """Return two: those of the first row seed the generator."""
        return 2

    def apply(self, X: Tensor, drawn: Tensor) -> Tensor:
        """Return what the function makes of a batch, or raise a ValueError if it doesn't fit."""
        high, low = (drawn[0].double().cpu() * DIGITS).long().tolist()
        generator = torch.Generator(X.device).manual_seed(high * DIGITS + low)
        changed = self.function(X, generator)
        problem = problem_of(X, changed)
        if problem is not None:
            raise self._unfit(problem)
        return changed

    def try_on(self, X: Tensor) -> None:
        """Raise a ValueError if the function doesn't fit samples, or has other random numbers.

        Parameters
        ----------
        X : tensor of shape (n, ...)
            A few training samples; a copy of them is changed.
        """
        drawn = torch.full((len(X), 2), 0.5)
        try:
            first, second = (self.apply(X.clone(), drawn) for _ in range(2))
        except ValueError:
            raise
        except Exception as error:
            raise self._unfit(f"raises {type(error).__name__}: {error}") from error
        if not torch.equal(first, second):
            raise self._unfit(
                "returns something else when it is called again with the same samples and seed; "
                "draw with the generator, as in torch.rand(..., generator=generator)"
            )

    def _unfit(self, what):
        name = getattr(self.function, "__qualname__", repr(self.function))
        return ValueError(
            f"augmentation {name} does not fit: called with a batch X of training samples, a "
            f"tensor, and a torch.Generator, it {what}"
        )
