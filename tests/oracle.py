"""What a convolution ought to give, by numpy.pad and scipy.signal in float64, and cases to compare on."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

import numpy as np
from scipy.signal import correlate

from convcli.convolution.padding import PADDINGS, source_indices

# What numpy.pad and scipy.ndimage call the modes that they have; tests/convolution/test_padding.py checks these names.
NUMPY_PADDING = {mode.name: mode.numpy for mode in PADDINGS if mode.numpy}
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
DTYPES = {"u8": np.uint8, "u16": np.uint16, "i16": np.int16, "f32": np.float32, "f64": np.float64}


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
    channels = image[..., np.newaxis] if image.ndim == 2 else image
    padded = [
        pad(channels[..., c].astype(np.float64), beyond, padding, padding_value) for c in range(channels.shape[2])
    ]
    responses = [correlate(plane, spread, mode="valid", method="direct") for plane in padded]
    response = np.stack(responses, axis=-1)[:: stride[0], :: stride[1]]
    return response.reshape(response.shape[: image.ndim]), float(max(np.abs(plane).max() for plane in padded))


def bound(weights: np.ndarray, largest: float, double: bool) -> float:
    """The error bound of docs/numerics.md."""
    return (1e-13 if double else 2e-6) * float(np.abs(weights).sum()) * largest


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
