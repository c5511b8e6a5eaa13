import numpy as np
import pytest
from scipy.fft import dctn

from skimbal.datasets import _cifar, _sources
from skimbal.datasets._cifar_format import CLASSES, decode_jpeg_blocks, read_jpeg_copy


def encode_jpeg_blocks(rgb, quantization):
    """The inverse of the decoder, in another way: image by image, block by block."""
    r, g, b = (rgb[:, k].astype(float) for k in range(3))
    y = 0.299 * r + 0.587 * g + 0.114 * b
    differences = [(b - y) / 1.772, (r - y) / 1.402]
    n = len(rgb)
    luma = np.zeros((8, 8, n, 4, 4), np.int16)
    chroma = np.zeros((8, 8, n, 2, 2, 2), np.int16)
    for i in range(n):
        for row in range(4):
            for column in range(4):
                block = y[i, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8] - 128
                luma[:, :, i, row, column] = np.rint(dctn(block, norm="ortho") / quantization[0])
        for k, difference in enumerate(differences):
            halved = difference[i].reshape(16, 2, 16, 2).mean(axis=(1, 3))
            for row in range(2):
                for column in range(2):
                    block = halved[8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
                    coefficients = np.rint(dctn(block, norm="ortho") / quantization[1])
                    chroma[:, :, i, k, row, column] = coefficients
    return luma, chroma


def smooth_images(n, seed):
    """Images without the fine colour detail that halved chroma can't hold."""
    rng = np.random.default_rng(seed)
    return rng.integers(60, 200, (n, 3, 4, 4), dtype=np.uint8).repeat(8, 2).repeat(8, 3)


def test_smooth_images_survive_the_blocks():
    images = smooth_images(5, 0)
    quantization = np.ones((2, 8, 8), np.int16)
    decoded = decode_jpeg_blocks(*encode_jpeg_blocks(images, quantization), quantization)
    assert decoded.dtype == np.uint8
    assert decoded.shape == (5, 3, 32, 32)
    assert np.abs(decoded.astype(int) - images).max() <= 2


def test_a_flat_block_by_hand():
    """The constant coefficient of a block is 8 times its value less 128, by the table's entry."""
    luma = np.zeros((8, 8, 1, 4, 4), np.int16)
    chroma = np.zeros((8, 8, 1, 2, 2, 2), np.int16)
    luma[0, 0] = 4
    chroma[0, 0, :, 1] = 5
    quantization = np.full((2, 8, 8), 2, np.int16)
    image = decode_jpeg_blocks(luma, chroma, quantization)[0]
    # Luma 4 * 2 / 8 + 128 = 129, red difference 5 * 2 / 8 = 1.25.
    assert image[:, 0, 0].tolist() == [round(129 + 1.402 * 1.25), round(129 - 0.714136 * 1.25), 129]
    assert (image == image[:, :1, :1]).all()


FILES = ("cifar10/cifar10_original_first4000.npz", _cifar.JPEG_COPY.format("train"))
PATHS = [_sources.local_file(_sources.data_folder(), file) for file in FILES]


@pytest.mark.skipif(None in PATHS, reason=f"SKIMBAL_DATA does not have {' and '.join(FILES)}")
def test_the_copy_resembles_the_originals():
    """The first two images of the archive, a frog and a truck, are among the recompressed ones."""
    with np.load(PATHS[0]) as arrays:
        originals = arrays["x"][:2].transpose(0, 3, 1, 2).astype(np.float32)
    labels, decode = read_jpeg_copy(PATHS[1])
    for original, name in zip(originals, ("frog", "truck"), strict=True):
        images = decode(np.flatnonzero(labels == CLASSES.index(name))).astype(np.float32)
        nearest = ((images - original) ** 2).mean(axis=(1, 2, 3)).min()
        assert 10 * np.log10(255**2 / nearest) > 25
