"""From image files to the pairs that a kernel is fitted to, and from a fit to a kernel and JSON-ready data."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.blas import blas_threads
from convcli.convolution.options import available_threads
from convcli.errors import FilterError, UsageError
from convcli.image import tone
from convcli.image.model import Image
from convcli.image.reading import read_image
from convcli.kernel.fitting import Fit, FitOptions, Pair, fit_kernel
from convcli.kernel.model import Kernel


def fit_files(paths: Sequence[str], options: FitOptions, *, gray: bool = False) -> Fit:
    """Find the kernel that best turns images into their responses, by least squares on all cores.

    Parameters
    ----------
    paths : sequence of str
        Files of an image and its response, and of another pair, and so on.
    options : FitOptions
        What kernel is looked for.
    gray : bool
        Whether to fit to the BT.601 luma of both.

    Raises
    ------
    UsageError
        Where an image has no other beside it.
    ImageReadError
        Where one cannot be read.
    FilterError
        Where two do not go together, or determine no kernel.
    """
    if len(paths) % 2:
        raise UsageError(
            "has no other image beside it", where=paths[-1], advice="give pairs, BEFORE AFTER BEFORE AFTER"
        )
    pairs = [read_pair(*paths[start : start + 2], gray=gray) for start in range(0, len(paths), 2)]
    # The threads are ours: each adds up a part of the equations, by products that BLAS computes on one core.
    with blas_threads(1):
        return fit_kernel(pairs, options, available_threads())


def read_pair(before: str, after: str, *, gray: bool = False) -> Pair:
    """Read two image files as a pair that a kernel is fitted to.

    Parameters
    ----------
    before, after : str
        The files of an image and of its response.
    gray : bool
        Whether both are made gray.

    Raises
    ------
    ImageReadError
        Where a file cannot be read.
    FilterError
        As `pair_of`.
    """
    return pair_of(read_image(before), read_image(after), f"{before}, {after}", gray=gray)


def pair_of(before: Image, after: Image, name: str, *, gray: bool = False) -> Pair:
    """Return an image and its response as a pair that a kernel is fitted to.

    Opacity is left off, and pixels of `before` that are not opaque count as unknown, since what a filter makes of them
    depends on how it treats opacity.

    Parameters
    ----------
    before, after : Image
        The image and its response.
    name : str
        What messages call the pair.
    gray : bool
        Whether both are made gray; `before` is wherever `after` alone is gray.

    Returns
    -------
    Pair
        Colour channels of equal number, and the step between the units of their sample types.

    Raises
    ------
    FilterError
        Where `after` has colours and `before` has not.
    """
    colours, coloured = (image.size[2] - image.alpha for image in (before, after))
    gray = gray or (colours == 3 and coloured == 1)
    source, response = _colours(before, gray=gray), _colours(after, gray=gray)
    if source.shape[2] != response.shape[2]:
        what = f"{colours} channels before and {coloured} after"
        raise FilterError(what, where=name, advice="they must match, or --gray makes both one")
    if gray and coloured == 3 and response.dtype.kind != "f":
        # Gray of a saturated colour is no end of the range, and yet tells no response.
        limits = np.iinfo(after.pixels.dtype)
        cut = ((after.pixels[..., :3] == limits.min) | (after.pixels[..., :3] == limits.max)).any(axis=2)
        response = np.where(cut[..., np.newaxis], np.nan, response.astype(np.float64))
    unit = tone.unit_between(before.pixels.dtype, after.pixels.dtype)
    opaque = before.pixels[..., -1] == tone.full_range(before.pixels.dtype) if before.alpha else None
    return Pair(source, response, unit, None if opaque is None or opaque.all() else opaque, name)


def _colours(image: Image, *, gray: bool) -> NDArray[Any]:
    pixels = image.pixels[..., : image.size[2] - image.alpha]
    return tone.to_gray(pixels) if gray else pixels


def kernel_of(fit: Fit, options: FitOptions, names: Sequence[str]) -> Kernel:
    """Return the kernel of a fit, described by what it was fitted to.

    Parameters
    ----------
    fit : Fit
        The fit.
    options : FitOptions
        What was asked of it.
    names : sequence of str
        The files of the pairs, two a pair.
    """
    others = len(names) // 2 - 1
    more = "" if others == 0 else f", and {others} more {'pair' if others == 1 else 'pairs'} likewise"
    summary = f"Turns {Path(names[0]).name} into {Path(names[1]).name}{more}"
    if options.bias:
        summary += f", with a bias of {fit.bias:.6g}"
    return Kernel(
        name="fitted",
        stored=fit.weights,
        anchor=options.anchor,
        summary=f"{summary}.",
        reference=f"Least squares over {fit.counts.used} samples, residual {fit.residual_rms:.3g} rms",
    )


def record(fit: Fit, options: FitOptions, names: Sequence[str]) -> dict[str, Any]:
    """Return all of a fit as JSON-ready data; what is infinite or undefined is None.

    Parameters
    ----------
    fit : Fit
        The fit.
    options : FitOptions
        What was asked of it.
    names : sequence of str
        The files of the pairs, two a pair.
    """
    counts = fit.counts
    return {
        "pairs": [list(names[start : start + 2]) for start in range(0, len(names), 2)],
        "size": list(options.size),
        "anchor": list(options.origin),
        "weights": fit.weights.tolist(),
        "bias": fit.bias if options.bias else None,
        "ridge": options.ridge,
        "symmetry": options.symmetry,
        "sum": float(fit.weights.sum()),
        "samples": {
            "used": counts.used,
            "border": counts.border,
            "saturated": counts.saturated,
            "unknown": counts.unknown,
        },
        "residual": {"rms": fit.residual_rms, "max": fit.residual_max},
        "explained": _finite(fit.explained),
        "unknowns": fit.unknowns,
        "determined": fit.determined,
        "condition": _finite(fit.condition),
        "standard_error": _finite(fit.standard_error),
        "warnings": list(fit.warnings),
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
