"""Self-attention: each position becomes a mean over all positions, weighted by similarity.

Vaswani et al., Attention is all you need (2017); over the positions of an image, with 1x1 convolutions, as in Wang et
al., Non-local neural networks (2018), and Zhang et al., Self-attention generative adversarial networks (2019).
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from convcli.convolution.backends.blas import blas_threads
from convcli.errors import FilterError, UsageError
from convcli.operators.arrays import ImageArray, as_image, shape_text
from convcli.operators.dense import check_matrix, linear
from convcli.operators.strips import in_strips

# More positions than this would take minutes and more: their square is what is computed.
MOST_POSITIONS = 1 << 16
# Scores held at once by a thread: 8 MB.
_SCORES = 1 << 21


def attention(
    x: ArrayLike,
    query: ArrayLike,
    key: ArrayLike,
    value: ArrayLike,
    *,
    scale: float | None = None,
    heads: int = 1,
    threads: int | None = None,
) -> ImageArray:
    """Compute the self-attention of all positions: softmax(Q K^T * scale) V.

    Q, K and V are the pixels times the matrices `query`, `key` and `value`: 1x1 convolutions. The softmax sums to 1
    over all positions. The scores, positions times positions, are computed a few rows at a time.

    Parameters
    ----------
    x : array_like, (height, width, channels)
    query, key : array_like, (d, channels)
    value : array_like, (outputs, channels)
    scale : float, optional
        What the scores are multiplied by; 1 / sqrt(d / heads) unless given.
    heads : int
        Number of equal parts of Q, K and V that attend by themselves.
    threads : int, optional
        Number of threads; all cores unless given.

    Returns
    -------
    float32 array, (height, width, outputs)

    Raises
    ------
    UsageError
        If the matrices do not fit each other or the channels, or do not split into the heads.
    FilterError
        If the image has more than 65,536 positions.

    Examples
    --------
    >>> attention([[[0.0], [2.0]]], query=[[0.0]], key=[[1.0]], value=[[1.0]]).tolist()
    [[[1.0], [1.0]]]
    """
    image = as_image(x)
    height, width = image.shape[:2]
    matrices = [check_matrix(each, what) for each, what in ((query, "query"), (key, "key"), (value, "value"))]
    if matrices[0].shape != matrices[1].shape:
        shapes = f"{shape_text(matrices[0].shape)} and {shape_text(matrices[1].shape)}"
        raise UsageError(f"query and key weights must be of one shape, not {shapes}")
    inner, outputs = len(matrices[0]), len(matrices[2])
    if heads < 1 or inner % heads or outputs % heads:
        raise UsageError(f"{inner} query and {outputs} value channels cannot be split into {heads} heads")
    check_attention(height, width)
    positions = height * width
    queries, keys, values = (
        linear(image, each, threads=threads).reshape(positions, heads, -1).swapaxes(0, 1) for each in matrices
    )
    factor = np.float32(1 / math.sqrt(inner // heads) if scale is None else scale)
    out = np.empty((positions, heads, outputs // heads), np.float32)
    turned = keys.swapaxes(1, 2)

    def strip(rows: slice) -> None:
        for head in range(heads):
            scores = (queries[head, rows] * factor) @ turned[head]
            scores -= scores.max(axis=1, keepdims=True)
            np.exp(scores, out=scores)
            total = scores.sum(axis=1, keepdims=True)
            np.divide(scores @ values[head], total, out=out[rows, head])

    with blas_threads(1):
        in_strips(positions, positions, strip, threads, samples=_SCORES)
    return out.reshape(height, width, outputs)


def check_attention(height: int, width: int) -> None:
    """Check that an image is small enough for self-attention.

    Parameters
    ----------
    height, width : int
        Size of the image.

    Raises
    ------
    FilterError
        If it has more than 65,536 positions; with an estimate of the scores.

    Examples
    --------
    >>> check_attention(3000, 4000)
    Traceback (most recent call last):
    convcli.errors.FilterError: attention relates each of 12,000,000 positions to all: 1.4e+14 scores, 576 TB as a \
matrix; make the image smaller first, to 65,536 positions at most (256 x 256)
    """
    positions = height * width
    if positions > MOST_POSITIONS:
        raise FilterError(
            f"attention relates each of {positions:,} positions to all: {positions**2:.2g} scores, "
            f"{_bytes(4 * positions**2)} as a matrix; make the image smaller first, to {MOST_POSITIONS:,} positions at "
            "most (256 x 256)"
        )


def _bytes(count: int) -> str:
    for unit, name in ((10**12, "TB"), (10**9, "GB")):
        if count >= unit:
            return f"{count / unit:.0f} {name}"
    return f"{count / 10**6:.0f} MB"
