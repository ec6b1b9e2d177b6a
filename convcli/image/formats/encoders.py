"""One table from format to encoder; an encoder's module, and the library behind it, is loaded when it is first used."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.image.model import Image
from convcli.system.atomic_file import Sink

DEFAULT_QUALITY = 95

Encoder = Callable[[Image, Sink, int | None, str, int], tuple[str, ...]]


def _png(image: Image, sink: Sink, _quality: int | None, compression: str, threads: int) -> tuple[str, ...]:
    from convcli.image.formats.png import codec as png

    png.write(sink, image.pixels, image.metadata, compression=compression, threads=threads)
    return ()


def _jpeg(image: Image, sink: Sink, quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats.jpeg import codec as jpeg

    quality = quality or image.metadata.jpeg_quality or DEFAULT_QUALITY
    data, notes = jpeg.encode(image.pixels, image.metadata, quality=quality)
    sink(data)
    return notes


def _tiff(image: Image, sink: Sink, _quality: int | None, compression: str, threads: int) -> tuple[str, ...]:
    from convcli.image.formats.tiff import codec as tiff

    parts, notes = tiff.encode(image.pixels, image.alpha, image.metadata, compression=compression, threads=threads)
    for part in parts:
        sink(part)
    return notes


def _webp(image: Image, sink: Sink, quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import webp

    sink(webp.encode(_as_rgb(image.pixels), image.metadata, quality=quality or DEFAULT_QUALITY))
    return ()


def _avif(image: Image, sink: Sink, quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import avif

    sink(avif.encode(_gray_or_rgb(image.pixels), image.metadata, quality=quality or DEFAULT_QUALITY))
    return ()


def _jp2(image: Image, sink: Sink, quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import opencv_formats

    sink(opencv_formats.encode_jp2(_gray_or_rgb(image.pixels), quality))
    return ()


def _bmp(image: Image, sink: Sink, _quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import opencv_formats

    sink(opencv_formats.encode_bmp(_gray_or_rgb(image.pixels), image.metadata.resolution))
    return ()


def _hdr(image: Image, sink: Sink, _quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import opencv_formats

    data, notes = opencv_formats.encode_hdr(_as_rgb(image.pixels))
    sink(data)
    return notes


def _netpbm(image: Image, sink: Sink, _quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import netpbm

    sink(netpbm.encode_pnm(image.pixels))
    return ()


def _ppm(image: Image, sink: Sink, _quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import netpbm

    sink(netpbm.encode_pnm(_as_rgb(image.pixels)))
    return ()


def _pam(image: Image, sink: Sink, _quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import netpbm

    sink(netpbm.encode_pam(image.pixels))
    return ()


def _pfm(image: Image, sink: Sink, _quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import netpbm

    sink(netpbm.encode_pfm(image.pixels))
    return ()


def _npy(image: Image, sink: Sink, _quality: int | None, _compression: str, _threads: int) -> tuple[str, ...]:
    from convcli.image.formats import npy

    sink(npy.encode(image.pixels))
    return ()


ENCODERS: dict[str, Encoder] = {
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
