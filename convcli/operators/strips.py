"""Strips of rows, computed by all cores at once, and what every operator asks of its arrays."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from convcli.convolution.options import available_threads
from convcli.errors import FilterError, UsageError
from convcli.system.threads import run_tasks

ImageArray = NDArray[np.float32]

# Samples of a strip: 1 MB in float32, which stays in a core's cache while several passes go over it.
SAMPLES = 1 << 18


def in_strips(
    rows: int, samples_a_row: int, do: Callable[[slice], Any], threads: int | None = None, samples: int = SAMPLES
) -> None:
    """Call `do` with slices that cover `rows`, each of about `samples`, in as many threads as asked for or there are.

    >>> done = []
    >>> in_strips(5, 100, lambda strip: done.append((strip.start, strip.stop)), threads=1, samples=250)
    >>> done
    [(0, 2), (2, 4), (4, 5)]
    """
    height = max(1, samples // max(samples_a_row, 1))
    count = -(-rows // height)

    @np.errstate(over="ignore", invalid="ignore")  # infinity minus infinity is NaN, as it should be
    def one(number: int) -> None:
        do(slice(number * height, min((number + 1) * height, rows)))

    if count == 1:
        one(0)
        return
    run_tasks(count, lambda: one, threads or available_threads())


def pointwise(
    x: ImageArray,
    do: Callable[[ImageArray, ImageArray], Any],
    out: ImageArray | None = None,
    threads: int | None = None,
) -> ImageArray:
    """Fill an array as large as `x` by `do(part of x, part of the output)`; `out` may be `x` itself."""
    result = np.empty_like(x, order="C") if out is None else out
    in_strips(len(x), x[0].size, lambda rows: do(x[rows], result[rows]), threads)
    return result


def as_image(x: ArrayLike, what: str = "an input") -> ImageArray:
    """Give an array as float32 (height, width, channels), which it must be the shape of.

    >>> as_image(np.zeros((2, 3)))
    Traceback (most recent call last):
    convcli.errors.FilterError: an input has 3 dimensions (height, width, channels) and no empty one, not shape (2, 3)
    """
    array = np.asarray(x, np.float32)
    if array.ndim != 3 or array.size == 0:
        raise FilterError(
            f"{what} has 3 dimensions (height, width, channels) and no empty one, not shape {array.shape}"
        )
    return array


def same_shape(what: str, *inputs: ImageArray) -> None:
    """Raise FilterError unless all inputs are of one shape.

    >>> same_shape("add", np.zeros((2, 3, 1)), np.zeros((2, 4, 1)))
    Traceback (most recent call last):
    convcli.errors.FilterError: add wants inputs of one size, not 2 x 3 x 1 and 2 x 4 x 1
    """
    if len({each.shape for each in inputs}) > 1:
        shapes = " and ".join(shape_words(each.shape) for each in inputs)
        raise FilterError(f"{what} wants inputs of one size, not {shapes}")


def shape_words(shape: tuple[int, ...]) -> str:
    """Write a shape as messages have it.

    >>> shape_words((2, 3, 1))
    '2 x 3 x 1'
    """
    return " x ".join(map(str, shape))


def per_channel(what: str, values: ArrayLike, channels: int) -> NDArray[np.float64]:
    """Give one number a channel, from one a channel or one for all.

    >>> per_channel("bias", 1.5, 2).tolist()
    [1.5, 1.5]
    >>> per_channel("bias", [1, 2, 3], 2)
    Traceback (most recent call last):
    convcli.errors.UsageError: bias holds 3 numbers for 2 channels
    """
    array = np.asarray(values, np.float64)
    if array.ndim == 0:
        return np.full(channels, array)
    if array.shape != (channels,):
        raise UsageError(f"{what} holds {array.size} numbers for {channels} channels")
    return array
