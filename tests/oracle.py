"""What a convolution ought to give, by numpy.pad and scipy.signal in float64, and cases to compare on."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
from scipy.signal import correlate

from convcli.convolution.padding import PADDINGS, source_indices

# What numpy.pad and scipy.ndimage call the modes that they have; tests/convolution/test_padding.py checks these names.
NUMPY_PADDING = {mode.name: mode.numpy for mode in PADDINGS if mode.numpy}
# All that have samples outside the image.
PADDED_MODES = tuple(mode.name for mode in PADDINGS if not mode.missing)
NDIMAGE_PADDING = {mode.name: mode.scipy for mode in PADDINGS if mode.scipy}

SHAPES = {
    "gray": (21, 34),
    "rgb": (16, 23, 3),
    "gray+alpha": (9, 8, 2),
    "tiny": (5, 4),
    "row": (1, 19),
    "pixel": (1, 1),
}
KERNELS = {
    "1x1": (1, 1),
    "3x3": (3, 3),
    "column": (5, 1),
    "row": (1, 6),
    "even": (4, 2),
    "non-square": (7, 4),
    "larger than small images": (11, 9),
    "spectral in OpenCV": (13, 13),
}
DTYPES = {
    "u8": np.uint8,
    "u16": np.uint16,
    "u32": np.uint32,
    "i8": np.int8,
    "i16": np.int16,
    "i32": np.int32,
    "f16": np.float16,
    "f32": np.float32,
    "f64": np.float64,
}


def random_image(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> np.ndarray:
    """Samples over the whole range of an integer type, or about -100 to 100."""
    generator = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "f":
        return generator.uniform(-100, 100, shape).astype(dtype)
    limits = np.iinfo(dtype)
    return generator.integers(limits.min, limits.max, shape, endpoint=True).astype(dtype)


def random_kernel(size: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Weights of either sign, a fifth of them zero."""
    generator = np.random.default_rng(seed)
    weights = generator.standard_normal(size)
    weights[generator.random(size) < 0.2] = 0.0
    weights[0, 0] = 1.0
    return weights


def pad(plane: np.ndarray, beyond: Sequence[tuple[int, int]], padding: str, value: float = 0.0) -> np.ndarray:
    """Pad by numpy.pad, or by our own indices in a mode that it lacks, whose drawing is tested."""
    if padding in NUMPY_PADDING:
        extra = {"constant_values": value} if padding == "constant" else {}
        return np.pad(plane, beyond, mode=NUMPY_PADDING[padding], **extra)
    for axis, (before, after) in enumerate(beyond):
        plane = plane.take(source_indices(plane.shape[axis], before, after, padding), axis)
    return plane


def reference(
    image: np.ndarray,
    weights: np.ndarray,
    *,
    padding: str = "reflect101",
    padding_value: float = 0.0,
    extent: str = "same",
    flip: bool = False,
    anchor: tuple[int, int] | None = None,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
) -> tuple[np.ndarray, float]:
    """Correlate in float64: (response, the largest sample of the padded image)."""
    channels = image[..., np.newaxis] if image.ndim == 2 else image
    spread, beyond = laid(weights, extent, flip, anchor, dilation)
    padded = [
        pad(channels[..., c].astype(np.float64), beyond, padding, padding_value) for c in range(channels.shape[2])
    ]
    responses = [correlate(plane, spread, mode="valid", method="direct") for plane in padded]
    response = np.stack(responses, axis=-1)[:: stride[0], :: stride[1]]
    return response.reshape(response.shape[: image.ndim]), float(max(np.abs(plane).max() for plane in padded))


def laid(
    weights: np.ndarray, extent: str, flip: bool, anchor: tuple[int, int] | None, dilation: tuple[int, int]
) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Turn and spread weights as they lie on the image: (weights, padding before and after each axis)."""
    height, width = weights.shape
    anchor = (height // 2, width // 2) if anchor is None else anchor
    if flip:
        weights, anchor = weights[::-1, ::-1], (height - 1 - anchor[0], width - 1 - anchor[1])
    spread = np.zeros((dilation[0] * (height - 1) + 1, dilation[1] * (width - 1) + 1))
    spread[:: dilation[0], :: dilation[1]] = weights
    beyond = [(n - 1, n - 1) for n in spread.shape]
    if extent == "same":
        beyond = [(a * d, n - 1 - a * d) for a, d, n in zip(anchor, dilation, spread.shape, strict=True)]
    elif extent == "valid":
        beyond = [(0, 0), (0, 0)]
    return spread, beyond


def normalized_reference(
    image: np.ndarray,
    weights: np.ndarray,
    certainty: np.ndarray,
    *,
    padding: str = "reflect101",
    padding_value: float = 0.0,
    extent: str = "same",
    flip: bool = False,
    anchor: tuple[int, int] | None = None,
    stride: tuple[int, int] = (1, 1),
    dilation: tuple[int, int] = (1, 1),
    rule: str = "ignore",
    min_coverage: float = 0.0,
    holes: str = "fill",
) -> tuple[np.ndarray, np.ndarray, float]:
    """Correlate one plane without what is missing, in plain loops: (response, coverage, largest known sample).

    The response is NaN where it is missing; the coverage is the least of the signs', as a share of their weights.
    """
    spread, beyond = laid(weights, extent, flip, anchor, dilation)
    outside = padding == "none"
    mode, value = ("constant", 0.0) if outside else (padding, padding_value)
    known = np.where(certainty > 0, image.astype(np.float64), 0.0)
    samples = pad(known, beyond, mode, value)
    gone = pad(certainty == 0, beyond, mode, False)
    within = pad(np.ones(image.shape), beyond, mode, 0.0 if outside else 1.0)
    share = within * (pad(certainty.astype(np.float64), beyond, mode, 1.0) if rule == "ignore" else 1.0)
    image_places = pad(np.ones(image.shape), beyond, "constant", 0.0) > 0
    rows, columns = (
        range(0, length - size + 1, step)
        for length, size, step in zip(samples.shape, spread.shape, stride, strict=True)
    )
    response, coverage = np.zeros((len(rows), len(columns))), np.ones((len(rows), len(columns)))
    height, width = weights.shape
    at = (height // 2, width // 2) if anchor is None else anchor
    if flip:
        at = height - 1 - at[0], width - 1 - at[1]
    for i, y in enumerate(rows):
        for j, x in enumerate(columns):
            window = np.s_[y : y + spread.shape[0], x : x + spread.shape[1]]
            under, c = samples[window], share[window]
            for sign in (1, -1):
                w = np.where(sign * spread > 0, np.abs(spread), 0.0)
                if not w.any():
                    continue
                part = (c * w).sum() / w.sum()
                coverage[i, j] = min(coverage[i, j], part)
                lost = not (c * w).any() or part < min_coverage - 1e-9
                response[i, j] += np.nan if lost else sign * w.sum() * (under * c * w).sum() / (c * w).sum()
            center = y + at[0] * dilation[0], x + at[1] * dilation[1]
            if rule == "spread" and (gone[window] & (spread != 0)).any():
                response[i, j] = np.nan
            if rule == "ignore" and holes == "keep" and gone[center] and image_places[center]:
                response[i, j] = np.nan
    return response, coverage, float(np.abs(samples).max())


def bound(weights: np.ndarray, largest: float, double: bool) -> float:
    """The error bound of docs/numerics.md."""
    return (1e-13 if double else 2e-6) * float(np.abs(weights).sum()) * largest


def in_double(dtype: Any) -> bool:
    """Whether samples of a type are computed in double precision whatever is asked for."""
    return np.dtype(dtype).name in ("int32", "uint32", "float64")


def all_pairs(axes: Mapping[str, Sequence[Any]], seed: int = 0) -> Iterator[dict[str, Any]]:
    """Choose few cases of a large grid so that every two values of two axes meet in one of them (greedily)."""
    names = list(axes)
    missing = {
        (first, x, second, y)
        for first, second in combinations(names, 2)
        for x, y in product(range(len(axes[first])), range(len(axes[second])))
    }
    generator = np.random.default_rng(seed)
    while missing:
        first, x, second, y = min(missing)
        best: tuple[int, dict[str, int]] = (-1, {})
        for _ in range(30):
            case = {name: int(generator.integers(len(axes[name]))) for name in names} | {first: x, second: y}
            met = sum((a, case[a], b, case[b]) in missing for a, b in combinations(names, 2))
            best = max(best, (met, case), key=lambda scored: scored[0])
        case = best[1]
        missing -= {(a, case[a], b, case[b]) for a, b in combinations(names, 2)}
        yield {name: axes[name][case[name]] for name in names}
