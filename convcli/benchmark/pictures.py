"""Small pictures of outputs and of their differences from the reference, for reports that people look at."""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcli.benchmark.reference import Reference
from convcli.benchmark.report import Picture
from convcli.image.formats import opencv_codec
from convcli.image.tone import Finish, full_range
from convcli.kernel.model import AnyKernel, resolve_mapping

LARGEST_SIDE = 240
# Blue below zero, white at it, red above: ColorBrewer's RdBu, readable to the colour-blind.
DIFFERENCE_COLOURS = ((33, 102, 172), (247, 247, 247), (178, 24, 43))
_NEGATIVE, _ZERO, _POSITIVE = np.array(DIFFERENCE_COLOURS, dtype=np.float64)
_STRIP_ROWS = 256
_LOOKED_AT = 512  # rows and columns, from which the range of a response is known well enough
_NEARLY_ALL = 99.0  # percent
_A_LITTLE_MORE = 1.1
_SCALES = (1.0, 0.7, 0.5, 0.3, 0.2, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001)


class PictureMaker:
    """The small pictures of one comparison: all outputs mapped alike, as `convcli filter` maps the kernel's response.

    `source` is the sample type of the image, in whose units responses are; `side` the longest side of a picture. A
    response too faint or too strong to be seen, as the `reference` is, is multiplied by `gain` first.
    """

    def __init__(
        self, kernel: AnyKernel, source: np.dtype[Any], reference: NDArray[Any], side: int = LARGEST_SIDE
    ) -> None:
        self._mapping = resolve_mapping("auto", [kernel], 0.0)
        self._white = full_range(source)
        self._side = side
        self.gain = self._gain(reference)

    def _gain(self, reference: NDArray[Any]) -> float:
        """Return the factor that brings nearly all samples within the range, and faint ones, as of edges, up to it."""
        some = reference[:: max(1, len(reference) // _LOOKED_AT), :: max(1, reference.shape[1] // _LOOKED_AT)]
        largest = float(np.percentile(np.abs(some[np.isfinite(some)]), _NEARLY_ALL)) if np.isfinite(some).any() else 0.0
        room = self._white / 2 if self._mapping == "offset" else self._white
        if largest == 0.0 or (self._mapping == "clip" and largest <= _A_LITTLE_MORE * room):
            return 1.0
        return float(f"{room / largest:.1g}")

    def output(self, result: NDArray[Any]) -> NDArray[np.uint8]:
        """Return the small picture of an output (height, width, channels): gray or RGB of u8."""
        shown = result[..., :3] if result.shape[2] >= 3 else result[..., :1]
        mapping = "clip" if self._mapping == "stretch" else self._mapping
        finish = Finish(np.dtype(np.uint8), scale=self.gain, unit=255.0 / self._white, mapping=mapping)
        samples = np.empty(shown.shape, np.uint8)
        for top in range(0, len(shown), _STRIP_ROWS):
            rows = slice(top, top + _STRIP_ROWS)
            finish(shown[rows].astype(np.float64), samples[rows])
        height, width = shown.shape[:2]
        shrink = self._side / max(height, width)
        if shrink < 1:
            size = max(1, round(width * shrink)), max(1, round(height * shrink))
            samples = np.asarray(cv2.resize(samples, size, interpolation=cv2.INTER_AREA), np.uint8)
        return samples.reshape(*samples.shape[:2], -1)

    def difference(self, result: NDArray[Any], reference: Reference) -> NDArray[np.float64]:
        """Return the small difference (height, width): of all samples that a pixel stands for, the one furthest off."""
        block = math.ceil(max(result.shape[:2]) / self._side)
        strips = []
        for top in range(0, len(result), _STRIP_ROWS // block * block or block):
            rows = slice(top, top + (_STRIP_ROWS // block * block or block))
            difference = reference.difference(result[rows], rows)
            furthest = np.abs(difference).argmax(axis=2)
            flat = np.take_along_axis(difference, furthest[..., np.newaxis], axis=2)[..., 0]
            strips.append(_furthest_of_blocks(flat, block))
        return np.concatenate(strips)

    def picture(self, result: NDArray[Any], reference: Reference) -> Picture | None:
        """Return both pictures of a result; None where its shape is not that of the reference."""
        if result.shape != reference.values.shape:
            return None
        return Picture(self.output(result), self.difference(result, reference))


def _furthest_of_blocks(values: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    height, width = (math.ceil(n / block) for n in values.shape)
    padded = np.zeros((height * block, width * block))
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(height, block, width, block).swapaxes(1, 2).reshape(height, width, block * block)
    return np.take_along_axis(blocks, np.abs(blocks).argmax(axis=2)[..., np.newaxis], axis=2)[..., 0]


def nice_scale(largest: float, allowed: float) -> float:
    """Return what full colour stands for, as a share of the `allowed` error: the least that holds `largest`, up to 1.

    >>> nice_scale(0.3, 2.0), nice_scale(9.0, 2.0), nice_scale(0.0, 2.0)
    (0.2, 1.0, 0.001)
    """
    return next((share for share in reversed(_SCALES) if largest <= share * allowed), 1.0)


def difference_colours(difference: NDArray[np.float64], full: float) -> NDArray[np.uint8]:
    """Return differences (height, width) as RGB: blue below zero, white at it, red above, full colour from `full` on.

    >>> difference_colours(np.array([[-2.0, 0.0, 0.5]]), 1.0).tolist()
    [[[33, 102, 172], [247, 247, 247], [212, 136, 145]]]
    """
    share = np.clip(np.nan_to_num(difference / (full or 1.0)), -1.0, 1.0)[..., np.newaxis]
    ends = np.where(share < 0, _NEGATIVE, _POSITIVE)
    return np.asarray(np.rint(_ZERO + np.abs(share) * (ends - _ZERO)), np.uint8)


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a picture (height, width, 1 or 3 channels) as the bytes of a PNG file."""
    encoded = opencv_codec.encode(".png", pixels)
    assert encoded is not None  # OpenCV writes any gray or RGB picture of bytes
    return encoded.tobytes()
