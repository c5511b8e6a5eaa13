import numpy as np
import pytest
import torch

from skimbal._training.augmentation import (
    AUGMENTATIONS,
    augmented,
    cropped,
    cut_out,
    draw_changes,
    flipped,
)

GENERATOR = torch.Generator().manual_seed(0)
X = torch.arange(2 * 3 * 16 * 16.0).view(2, 3, 16, 16) + 1


def drawn(**columns):
    """The table of random numbers with the given columns."""
    table = torch.full((2, 5), 0.5)
    for name, values in columns.items():
        table[:, int(name[1:])] = torch.tensor(values)
    return table


def test_half_of_the_images_are_flipped():
    changed = flipped(X, drawn(c0=[0.2, 0.7]))
    assert torch.equal(changed[0], X[0].flip(-1))
    assert torch.equal(changed[1], X[1])


def test_crops_move_images_by_up_to_an_eighth():
    changed = cropped(X, drawn(c1=[0.0, 0.999], c2=[0.5, 0.0]))
    expected = torch.zeros_like(X)
    expected[0, :, 2:, :] = X[0, :, :-2, :]
    expected[1, :, :-2, 2:] = X[1, :, 2:, :-2]
    assert torch.equal(changed, expected)


def test_a_square_of_half_the_sides_is_cut_out():
    changed = cut_out(X, drawn(c3=[0.5, 0.0], c4=[0.5, 0.0]))
    expected = X.clone()
    expected[0, :, 4:12, 4:12] = 0
    expected[1, :, :4, :4] = 0  # half outside
    assert torch.equal(changed, expected)


@pytest.mark.parametrize("names", [tuple(AUGMENTATIONS), ("cutout", "flip"), ()])
def test_a_stack_of_networks_gets_what_each_alone_gets(names):
    changes = draw_changes(6, GENERATOR).view(2, 3, 5)
    images = torch.randn(2, 3, 1, 8, 8, generator=GENERATOR)
    together = augmented(images, changes, names)
    for i in range(2):
        assert torch.equal(together[i], augmented(images[i], changes[i], names))


def test_every_place_is_drawn():
    changed = cropped(torch.ones(4000, 1, 8, 8), draw_changes(4000, GENERATOR))
    shares = [(changed[:, 0, 0] == 0).all(dim=1).float().mean(), (changed[:, 0, :, -1] == 0).all(1)]
    np.testing.assert_allclose([float(s.float().mean()) for s in shares], 1 / 3, atol=0.03)
