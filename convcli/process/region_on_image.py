"""A region laid on one image: the part of it that has to be filtered, and the place of the result."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.alignment import laid_size
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError
from convcli.image.model import Image
from convcli.image.tone import to_gray
from convcli.kernel.model import AnyKernel, resolve_mapping
from convcli.process.region import Region
from convcli.process.tone_options import ToneOptions


class RegionOnImage:
    """A region on one image: what has to be filtered for it, and where the result goes.

    The region comes out as if the whole image had been filtered.

    Parameters
    ----------
    region : Region
        The region.
    image : Image
        The image.
    kernels : sequence of AnyKernel
        What it is filtered by, one after the other.
    options : ConvolveOptions
        How each is laid on it.
    toning : ToneOptions
        What is done to pixels besides.

    Raises
    ------
    FilterError
        Where it lies outside of the image, or no sample that the stride keeps lies in it.
    """

    def __init__(
        self,
        region: Region,
        image: Image,
        kernels: Sequence[AnyKernel],
        options: ConvolveOptions,
        toning: ToneOptions,
    ) -> None:
        height, width, _ = image.size
        if region.x + region.width > width or region.y + region.height > height:
            raise FilterError(
                f"lies outside of the image, which is {width} x {height} pixels",
                where=f"--roi {region}",
                advice="X,Y,W,H are the first column and row, width and height",
            )
        self._region = region
        # What is stretched or wrapped around depends on the whole image.
        whole = options.padding == "wrap" or resolve_mapping(toning.signed, kernels, toning.bias) == "stretch"
        reach, self.stride = _reach(kernels, options)
        self._source: list[slice] = []
        self._result: list[slice] = []
        starts, lengths = (region.y, region.x), (region.height, region.width)
        for start, length, far, step, end in zip(starts, lengths, reach, self.stride, (height, width), strict=True):
            # The stride's grid starts at the image's first sample, and so at a multiple of it.
            first = 0 if whole else max(0, start - far) // step * step
            kept = slice(-(-start // step) - first // step, -(-(start + length) // step) - first // step)
            if kept.start == kept.stop:
                raise FilterError(
                    f"no sample that the stride of {step} keeps lies in it",
                    where=f"--roi {region}",
                    advice="take a larger region",
                )
            self._source.append(slice(first, end if whole else min(end, start + length + far)))
            self._result.append(kept)
        self._backdrop: list[NDArray[Any]] = []  # emptied by `place`, so that the image is let go
        if not region.crop:
            self._backdrop.append(to_gray(image.pixels, image.alpha) if toning.gray else image.pixels)
        self._size = (height, width)

    @property
    def origin(self) -> tuple[int, int] | None:
        """Row and column of the image at which the output's first sample lies; None where it is as large as that."""
        if not self._region.crop:
            return None
        rows, columns = self.stride
        return -(-self._region.y // rows) * rows, -(-self._region.x // columns) * columns

    def cut(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the part of an array (height, width, ...) that has to be filtered."""
        return np.ascontiguousarray(array[self._source[0], self._source[1]])

    def output_size(self, channels: int) -> tuple[int, int, int]:
        """Return height, width and channels of the output."""
        if not self._region.crop:
            return (*self._size, channels)
        rows, columns = self._result
        return rows.stop - rows.start, columns.stop - columns.start, channels

    def kept(self, result: NDArray[Any]) -> NDArray[Any]:
        """Return what of a result (height, width, ...) lies in the region."""
        return result[self._result[0], self._result[1]]

    def place(self, samples: NDArray[Any], converted: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
        """Return the output, once: the region's samples alone, or where they belong on the image as it was.

        Parameters
        ----------
        samples : ndarray
            Of the output's type, as `kept` gives them.
        converted : callable
            Turns samples of the image into new ones of the output's type.
        """
        if not self._backdrop:
            return np.ascontiguousarray(samples)
        pixels = self._backdrop.pop()[..., : samples.shape[2]]
        out = converted(pixels)
        region = self._region
        out[region.y : region.y + region.height, region.x : region.x + region.width] = samples
        return out


def _reach(kernels: Sequence[AnyKernel], options: ConvolveOptions) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return how many rows and columns around its place a sample depends on, and which of them are kept."""
    reach, stride = [0, 0], [1, 1]
    for kernel in kernels:
        size, anchor = laid_size(kernel, options)
        for axis in (0, 1):
            last = size[axis] - 1
            # Padding may reflect what lies before the first row to rows as far behind it.
            reach[axis] += stride[axis] * options.dilation[axis] * max(anchor[axis], last - anchor[axis])
            stride[axis] *= options.stride[axis]
    return (reach[0], reach[1]), (stride[0], stride[1])
