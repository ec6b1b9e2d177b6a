"""OpenCV as a codec, and the one place that knows of its BGR order, its dropped axes and its messages on stderr."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from convcli.errors import ImageReadError, ImageWriteError
from convcli.system.captured_stderr import library_messages

MOST_PIXELS = 2**30  # OpenCV refuses more
JPEG_QUALITY = int(cv2.IMWRITE_JPEG_QUALITY)
JPEG_SUBSAMPLING = int(cv2.IMWRITE_JPEG_SAMPLING_FACTOR)
JPEG_SUBSAMPLINGS = {
    "4:4:4": int(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
    "4:4:0": int(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440),
    "4:2:2": int(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422),
    "4:2:0": int(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420),
    "4:1:1": int(cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411),
}
TIFF_COMPRESSION = int(cv2.IMWRITE_TIFF_COMPRESSION)
TIFF_LZW = int(cv2.IMWRITE_TIFF_COMPRESSION_LZW)
TIFF_PACKBITS = int(cv2.IMWRITE_TIFF_COMPRESSION_PACKBITS)
TIFF_PREDICTOR = int(cv2.IMWRITE_TIFF_PREDICTOR)
TIFF_STRIP_ROWS = int(cv2.IMWRITE_TIFF_ROWSPERSTRIP)
WEBP_QUALITY = int(cv2.IMWRITE_WEBP_QUALITY)
AVIF_QUALITY = int(cv2.IMWRITE_AVIF_QUALITY)
EXIF_BLOCK = int(cv2.IMAGE_METADATA_EXIF)
XMP_BLOCK = int(cv2.IMAGE_METADATA_XMP)
ICC_BLOCK = int(cv2.IMAGE_METADATA_ICCP)
_RGB = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
_SWAP = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}

_lock = threading.Lock()
_quiet = {"depth": 0, "level": 0}


@contextmanager
def quiet() -> Iterator[None]:
    """Keep OpenCV's log off stderr for a while: what it would say becomes our own one-line error.

    The level belongs to the whole process, so the first of several threads lowers it and the last one restores it.
    """
    with _lock:
        if _quiet["depth"] == 0:
            _quiet["level"] = cv2.utils.logging.getLogLevel()
            cv2.utils.logging.setLogLevel(0)
        _quiet["depth"] += 1
    try:
        yield
    finally:
        with _lock:
            _quiet["depth"] -= 1
            if _quiet["depth"] == 0:
                cv2.utils.logging.setLogLevel(_quiet["level"])


def decode(
    data: bytes | bytearray | memoryview, *, rgb: bool = False, talks: bool = False, said: list[str] | None = None
) -> NDArray[Any] | None:
    """Decode a file's bytes, as stored: not turned.

    Parameters
    ----------
    data : bytes-like
        The whole file.
    rgb : bool
        Whether the picture is known to be colour without alpha, so that OpenCV may write RGB at once.
    talks : bool
        Whether the library below may print on standard error, which is then kept off it.
    said : list of str, optional
        Takes what it printed.

    Returns
    -------
    ndarray or None
        Samples (H, W, C) in RGB(A) order; None where OpenCV cannot decode them.
    """
    if talks:
        with library_messages() as lines:
            pixels = _imdecode(data, rgb)
        if said is not None:
            said += lines
    else:
        pixels = _imdecode(data, rgb)
    if pixels is None:
        return None
    if pixels.ndim == 2:
        return pixels[:, :, np.newaxis]
    if not rgb and pixels.shape[2] in _SWAP:
        cv2.cvtColor(pixels, _SWAP[pixels.shape[2]], dst=pixels)
    return pixels


def _imdecode(data: bytes | bytearray | memoryview, rgb: bool) -> NDArray[Any] | None:
    try:
        with quiet():
            return cv2.imdecode(np.frombuffer(data, np.uint8), _RGB if rgb else cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None


def decode_or_raise(data: bytes, name: str, title: str, *, rgb: bool = False) -> NDArray[Any]:
    """Decode as `decode` does; raise ImageReadError, for the file `name` of a format of this title, where it cannot."""
    pixels = decode(data, rgb=rgb)
    if pixels is None:
        raise ImageReadError(f"{name}: truncated or damaged {title}, its picture cannot be decoded; get the file again")
    return pixels


def encode(
    suffix: str, pixels: NDArray[Any], parameters: Sequence[int] = (), blocks: Sequence[tuple[int, bytes]] = ()
) -> NDArray[np.uint8] | None:
    """Encode samples by OpenCV's encoder.

    Parameters
    ----------
    suffix : str
        The encoder's, `.jpg`.
    pixels : ndarray
        Gray, RGB or RGBA (H, W, C).
    parameters : sequence of int
        OpenCV's numbers of settings, each followed by its value.
    blocks : sequence of (int, bytes)
        Metadata, each block behind OpenCV's number for its kind.

    Returns
    -------
    ndarray or None
        The bytes of the file; None where OpenCV cannot encode it.
    """
    try:
        with quiet():
            if blocks:
                kinds, bodies = [kind for kind, _ in blocks], [np.frombuffer(body, np.uint8) for _, body in blocks]
                done, encoded = cv2.imencodeWithMetadata(
                    suffix, reversed_colours(pixels), kinds, bodies, list(parameters)
                )
            else:
                done, encoded = cv2.imencode(suffix, reversed_colours(pixels), list(parameters))
    except cv2.error:
        return None
    return encoded if done else None


def encode_or_raise(
    suffix: str,
    pixels: NDArray[Any],
    title: str,
    parameters: Sequence[int] = (),
    blocks: Sequence[tuple[int, bytes]] = (),
    advice: str = ".png",
) -> bytes:
    """Encode as `encode` does; raise ImageWriteError, with what to write instead, where OpenCV cannot."""
    encoded = encode(suffix, pixels, parameters, blocks)
    if encoded is None:
        height, width = pixels.shape[:2]
        raise ImageWriteError(f"OpenCV could not encode {width} x {height} pixels as {title}: write {advice}")
    return encoded.tobytes()


def reversed_colours(pixels: NDArray[Any]) -> NDArray[Any]:
    """Return RGB(A) samples as BGR(A), and the other way round; others as they are."""
    channels = pixels.shape[2]
    return cv2.cvtColor(pixels, _SWAP[channels]) if channels in _SWAP else pixels


def turn_upright(pixels: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Undo an EXIF orientation, so that row 0 is the top and column 0 the left of what was seen.

    Parameters
    ----------
    pixels : ndarray
        Samples (H, W, C) as stored.
    orientation : int
        1 to 8.

    Returns
    -------
    ndarray
        The upright samples.

    Examples
    --------
    >>> turn_upright(np.array([[[1], [2]]], np.uint8), 6)[:, :, 0].tolist()
    [[1], [2]]
    >>> turn_upright(np.array([[[1], [2]]], np.uint8), 8)[:, :, 0].tolist()
    [[2], [1]]
    """
    height, width, channels = pixels.shape
    if orientation in (5, 7):
        pixels = cv2.transpose(pixels)
    if orientation in (3, 7):
        pixels = cv2.rotate(pixels, cv2.ROTATE_180)
    elif orientation in (2, 4):
        pixels = cv2.flip(pixels, 1 if orientation == 2 else 0)
    elif orientation in (6, 8):
        pixels = cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE if orientation == 6 else cv2.ROTATE_90_COUNTERCLOCKWISE)
    # OpenCV drops the axis of a single channel, which the new shape puts back.
    return pixels.reshape((width, height, channels) if orientation >= 5 else (height, width, channels))
