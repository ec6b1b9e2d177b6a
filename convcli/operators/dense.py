"""Dense layers: every output depends on all channels of a pixel, or, after `flatten`, on all samples."""

import numpy as np
from numpy.typing import ArrayLike

from convcli.convolution.backends.blas import blas_threads
from convcli.errors import UsageError
from convcli.operators.arrays import ImageArray, as_image, per_channel, shape_text
from convcli.operators.strips import in_strips


def flatten(x: ArrayLike) -> ImageArray:
    """Turn all samples into the channels of one pixel: channel after channel, each row by row, as PyTorch orders them.

    Parameters
    ----------
    x : array_like, (height, width, channels)

    Returns
    -------
    float32 array, (1, 1, height * width * channels)

    Raises
    ------
    FilterError
        If `x` has not three dimensions, or an empty one.

    Examples
    --------
    >>> flatten([[[1.0, 5.0], [2.0, 6.0]]]).tolist()
    [[[1.0, 2.0, 5.0, 6.0]]]
    """
    return as_image(x).transpose(2, 0, 1).reshape(1, 1, -1)


def linear(x: ArrayLike, weights: ArrayLike, bias: ArrayLike | None = None, threads: int | None = None) -> ImageArray:
    """Multiply the channels of each pixel by a matrix and add a bias.

    After `flatten` there is one pixel, and this is a fully connected layer, torch.nn.Linear.

    Parameters
    ----------
    x : array_like, (height, width, inputs)
    weights : array_like, (outputs, inputs)
    bias : array_like, optional
        A number for each output, or one for all.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, outputs)

    Raises
    ------
    UsageError
        If the matrix reads another number of channels, or is not finite.
    FilterError
        If `x` has not three dimensions, or an empty one.

    Examples
    --------
    >>> linear([[[1.0, 2.0]]], [[3.0, 4.0], [0.0, 1.0]], [0.5, 0.0]).tolist()
    [[[11.5, 2.0]]]
    """
    image, matrix = as_image(x), check_matrix(weights)
    if matrix.shape[1] != image.shape[2]:
        raise UsageError(
            f"weights of {shape_text(matrix.shape)} read {matrix.shape[1]} channels, and the input has "
            f"{image.shape[2]}: {shape_text(image.shape)}"
        )
    return apply_linear(image, matrix, bias, threads)


def apply_linear(
    image: ImageArray, matrix: ImageArray, bias: ArrayLike | None = None, threads: int | None = None
) -> ImageArray:
    """Compute `linear` of float32 arrays without checking them, which takes longer than the product for large weights.

    Parameters
    ----------
    image : float32 array, (height, width, inputs)
    matrix : float32 array, (outputs, inputs)
    bias : array_like, optional
        A number for each output, or one for all.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, outputs)

    Examples
    --------
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
    """Return weights (outputs, inputs) as float32; `what` names them in messages.

    Raises
    ------
    UsageError
        If they are not a finite matrix.

    Examples
    --------
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
