"""The image that backends are compared on: read from a file, or made."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.benchmark.synthetic import parse_synthetic, synthetic_image
from convcli.image import tone
from convcli.process.shell import read_source


@dataclass(frozen=True)
class ComparedImage:
    """An image that backends are compared on.

    Parameters
    ----------
    pixels : ndarray
        Its samples, of shape (height, width, channels); opacity, where there is any, is the last channel.
    name : str
        What it is called in reports: the path, or `synthetic`.
    notes : tuple of str
        What there is to say of it.
    """

    pixels: NDArray[Any]
    name: str
    notes: tuple[str, ...] = ()


def read_compared_image(path: str, *, gray: bool = False) -> ComparedImage:
    """Read the image in a file, or from standard input, `-`.

    Parameters
    ----------
    path : str
        The file.
    gray : bool
        Whether to take the BT.601 luma of its colours.

    Raises
    ------
    ImageReadError
        Where it cannot be read.
    """
    image = read_source(path)
    pixels = tone.to_gray(image.pixels, image.alpha) if gray else image.pixels
    notes = ("opacity is filtered as any other channel here",) if image.alpha else ()
    return ComparedImage(np.ascontiguousarray(pixels), path, (*image.notes, *notes))


def made_image(form: str) -> ComparedImage:
    """Make a picture of a form such as `2048x2048x1:f32`.

    Raises
    ------
    UsageError
        For what is no such form.
    FilterError
        Where it does not fit into memory.

    Examples
    --------
    >>> made_image("4x6x1").pixels.shape
    (4, 6, 1)
    """
    return ComparedImage(synthetic_image(*parse_synthetic(form)), "synthetic")
