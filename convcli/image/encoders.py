"""One table from format to encoder; an encoder's module, and the library behind it, is loaded when it is first used."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.image.model import Image

DEFAULT_QUALITY = 95

_Encoded = tuple[bytes | memoryview, tuple[str, ...]]


def _png(image: Image, _quality: int | None, compression: str, threads: int) -> _Encoded:
    from convcli.image import png

    return png.encode(image.pixels, image.metadata, compression=compression, threads=threads), ()


def _jpeg(image: Image, quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import jpeg

    return jpeg.encode(image.pixels, image.metadata, quality=quality or DEFAULT_QUALITY)


def _tiff(image: Image, _quality: int | None, compression: str, _threads: int) -> _Encoded:
    from convcli.image import tiff

    return tiff.encode(image.pixels, image.alpha, image.metadata, compression=compression)


def _webp(image: Image, quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import webp

    return webp.encode(_as_rgb(image.pixels), image.metadata, quality=quality or DEFAULT_QUALITY), ()


def _avif(image: Image, quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import avif

    return avif.encode(_gray_or_rgb(image.pixels), image.metadata, quality=quality or DEFAULT_QUALITY), ()


def _jp2(image: Image, quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import others

    return others.encode_jp2(_gray_or_rgb(image.pixels), quality), ()


def _bmp(image: Image, _quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import others

    return others.encode_bmp(_gray_or_rgb(image.pixels), image.metadata.resolution), ()


def _hdr(image: Image, _quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import others

    return others.encode_hdr(_as_rgb(image.pixels))


def _netpbm(image: Image, _quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import netpbm

    return netpbm.encode_pnm(image.pixels), ()


def _ppm(image: Image, _quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import netpbm

    return netpbm.encode_pnm(_as_rgb(image.pixels)), ()


def _pam(image: Image, _quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import netpbm

    return netpbm.encode_pam(image.pixels), ()


def _pfm(image: Image, _quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import netpbm

    return netpbm.encode_pfm(image.pixels), ()


def _npy(image: Image, _quality: int | None, _compression: str, _threads: int) -> _Encoded:
    from convcli.image import npy

    return npy.encode(image.pixels), ()


ENCODERS: dict[str, Callable[[Image, int | None, str, int], _Encoded]] = {
    "png": _png,
    "jpeg": _jpeg,
    "tiff": _tiff,
    "webp": _webp,
    "avif": _avif,
    "jp2": _jp2,
    "bmp": _bmp,
    "hdr": _hdr,
    "pgm": _netpbm,
    "ppm": _ppm,
    "pnm": _netpbm,
    "pam": _pam,
    "pfm": _pfm,
    "npy": _npy,
}


def _gray_or_rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """Make gray+alpha RGBA, for formats that OpenCV writes, which knows no gray with alpha."""
    return _as_rgb(pixels) if pixels.shape[2] == 2 else pixels


def _as_rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """Make gray three equal channels, for formats that have no gray of their own; alpha stays the last channel.

    >>> _as_rgb(np.array([[[7, 9]]], np.uint8)).tolist()
    [[[7, 7, 7, 9]]]
    """
    if pixels.shape[2] > 2:
        return pixels
    return np.concatenate([np.repeat(pixels[:, :, :1], 3, axis=2), pixels[:, :, 1:]], axis=2)
