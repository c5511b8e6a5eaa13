"""The files that hold CIFAR-10: the university's archive, and a recompressed copy.

A reader returns the labels of all images of a part and a function that decodes chosen images: an
imbalanced subset needs a fifth of them.
"""

import io
import pickle
import tarfile

import numpy as np
from scipy.fft import idctn

from skimbal.datasets._sources import npz_arrays

CLASSES: tuple[str, ...] = ("airplane", "automobile", "bird", "cat", "deer")
CLASSES += ("dog", "frog", "horse", "ship", "truck")
_BATCHES = {"train": [f"data_batch_{k}" for k in range(1, 6)], "test": ["test_batch"]}


def decode_jpeg_blocks(luma, chroma, quantization):
    """RGB images from the quantized blocks of JPEG files with halved chroma.

    Parameters
    ----------
    luma : int array of shape (8, 8, n_images, 4, 4)
        Coefficients of the 16 blocks of an image; the first two axes are the frequencies.
    chroma : int array of shape (8, 8, n_images, 2, 2, 2)
        Those of the blue and red difference (fourth axis), four blocks each.
    quantization : int array of shape (2, 8, 8)
        Quantization tables of luma and chroma.

    Returns
    -------
    uint8 array of shape (n_images, 3, 32, 32)
    """
    scale = quantization.astype(np.float32)
    luma_scale = scale[0][..., None, None, None]
    chroma_scale = scale[1][..., None, None, None, None]
    y = idctn(luma.astype(np.float32) * luma_scale, axes=(0, 1), norm="ortho") + 128
    c = idctn(chroma.astype(np.float32) * chroma_scale, axes=(0, 1), norm="ortho")
    n = y.shape[2]
    y = y.transpose(2, 3, 0, 4, 1).reshape(n, 32, 32)
    blue, red = c.transpose(3, 2, 4, 0, 5, 1).reshape(2, n, 16, 16).repeat(2, 2).repeat(2, 3)
    # ITU-R BT.601 with the full range of 8 bits, as in JFIF.
    rgb = [y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue]
    return np.clip(np.rint(np.stack(rgb, axis=1)), 0, 255).astype(np.uint8)


def read_jpeg_copy(path):
    """Labels of a recompressed part, and the function that decodes chosen images."""
    with npz_arrays(path, "put a complete copy there") as arrays:
        labels, quantization = arrays["label"], arrays["quant"]
        luma, chroma = arrays["Y"], arrays["C"]
        _check_jpeg_copy(labels, luma, chroma, quantization)
        if "classes" in arrays and arrays["classes"].tolist() != list(CLASSES):
            raise ValueError(f"classes are {arrays['classes'].tolist()}, not {list(CLASSES)}")

    def decode(indices):
        return decode_jpeg_blocks(luma[:, :, indices], chroma[:, :, indices], quantization)

    return labels.astype(np.int64), decode


def _check_jpeg_copy(labels, luma, chroma, quantization):
    """Raise a ValueError unless the arrays are whole numbers of the same images."""
    n = len(labels)
    for name, array, shape in (
        ("label", labels, (n,)),
        ("Y", luma, (8, 8, n, 4, 4)),
        ("C", chroma, (8, 8, n, 2, 2, 2)),
        ("quant", quantization, (2, 8, 8)),
    ):
        if array.shape != shape or array.dtype.kind not in "iu":
            raise ValueError(
                f"{name} is {array.dtype} of shape {array.shape}, but whole numbers of shape "
                f"{shape} are expected"
            )
    if not np.isin(labels, np.arange(len(CLASSES))).all():
        raise ValueError(f"labels must be 0 to {len(CLASSES) - 1}")


def read_archive(path, part):
    """The same for ``cifar-10-python.tar.gz``, whose pickles the caller must have verified."""
    images, labels = [], []
    with tarfile.open(path, "r:gz") as archive:
        for name in _BATCHES[part]:
            member = archive.extractfile(f"cifar-10-batches-py/{name}")
            assert member is not None
            batch = pickle.load(io.BytesIO(member.read()), encoding="bytes")
            images.append(batch[b"data"])
            labels.append(batch[b"labels"])
    pixels = np.concatenate(images).reshape(-1, 3, 32, 32)
    return np.concatenate(labels).astype(np.int64), lambda indices: pixels[indices]
