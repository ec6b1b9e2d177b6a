"""Layers in which every output sees every input."""

import numpy as np
from numpy.typing import ArrayLike

from convcli.convolution.backends.blas import blas_threads
from convcli.errors import UsageError
from convcli.operators.strips import ImageArray, as_image, in_strips, per_channel, shape_words


def flatten(x: ArrayLike) -> ImageArray:
    """Lay all samples out as the channels of one pixel: (1, 1, height * width * channels).

    Channel after channel, each row by row, as PyTorch has them, so that weights trained there fit.

    >>> flatten([[[1.0, 5.0], [2.0, 6.0]]]).tolist()
    [[[1.0, 2.0, 5.0, 6.0]]]
    """
    return as_image(x).transpose(2, 0, 1).reshape(1, 1, -1)


def linear(x: ArrayLike, weights: ArrayLike, bias: ArrayLike | None = None, threads: int | None = None) -> ImageArray:
    """Multiply the channels of each pixel by a matrix (outputs, inputs), and add a number for each output.

    After `flatten` there is one pixel, and this is a fully connected layer, torch.nn.Linear.

    >>> linear([[[1.0, 2.0]]], [[3.0, 4.0], [0.0, 1.0]], [0.5, 0.0]).tolist()
    [[[11.5, 2.0]]]

    Raises
    ------
    UsageError
        where the matrix reads another number of channels.
    """
    image, matrix = as_image(x), check_matrix(weights)
    if matrix.shape[1] != image.shape[2]:
        raise UsageError(
            f"weights of {shape_words(matrix.shape)} read {matrix.shape[1]} channels, and the input has "
            f"{image.shape[2]}: {shape_words(image.shape)}"
        )
    return apply_linear(image, matrix, bias, threads)


def apply_linear(
    image: ImageArray, matrix: ImageArray, bias: ArrayLike | None = None, threads: int | None = None
) -> ImageArray:
    """Compute `linear` of float32 arrays that are known to be right: looking through large weights takes longer.

    >>> apply_linear(np.ones((1, 1, 2), np.float32), np.array([[3, 4]], np.float32)).tolist()
    [[[7.0]]]
    """
    pixels = image.reshape(-1, image.shape[2])
    out = np.empty((len(pixels), len(matrix)), np.float32)
    added = None if bias is None else per_channel("bias", bias, len(matrix)).astype(np.float32)

    def strip(rows: slice) -> None:
        np.matmul(pixels[rows], matrix.T, out=out[rows])
        if added is not None:
            out[rows] += added

    with blas_threads(1):
        in_strips(len(pixels), max(matrix.shape), strip, threads)
    return out.reshape(*image.shape[:2], -1)


def check_matrix(weights: ArrayLike, what: str = "weights") -> ImageArray:
    """Give weights (outputs, inputs) as float32, or raise UsageError where they are no finite matrix.

    >>> check_matrix([1.0, 2.0])
    Traceback (most recent call last):
    convcli.errors.UsageError: weights have 2 dimensions here (outputs, inputs) and no empty one, not shape (2,)
    """
    matrix = np.asarray(weights, np.float32)
    if matrix.ndim != 2 or matrix.size == 0:
        raise UsageError(f"{what} have 2 dimensions here (outputs, inputs) and no empty one, not shape {matrix.shape}")
    if not np.isfinite(matrix).all():
        raise UsageError(f"{what} must be finite")
    return matrix
