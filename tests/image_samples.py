"""Pictures and metadata for the tests of image files, built without the code under test."""

import io
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any

import cv2
import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image as Pillow
from PIL import ImageCms

DTYPES: dict[str, Any] = {
    "u8": np.uint8, "u16": np.uint16, "u32": np.uint32, "i8": np.int8, "i16": np.int16, "i32": np.int32,
    "f32": np.float32, "f64": np.float64,
}  # fmt: skip
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="1"/></rdf:RDF></x:xmpmeta>'
)
# Pillow's options with which a format loses nothing, or next to nothing.
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "TIFF": {},
    "WEBP": {"lossless": True},
    "BMP": {},
    "PPM": {},
    "JPEG2000": {"irreversible": False},
    "AVIF": {"quality": 100, "subsampling": "4:4:4"},
}


def smooth(height: int, width: int, channels: int = 3, depth: str = "u8", seed: int = 0) -> NDArray[Any]:
    """Gentle waves over the full range, so that lossy formats keep them nearly."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    planes = []
    for _ in range(channels):
        a, b, phase = random.uniform((0.02, 0.02, 0), (0.09, 0.09, 6))
        planes.append(0.5 + 0.45 * np.sin(a * rows + b * columns + phase))
    values = np.stack(planes, axis=2)
    kind = np.dtype(DTYPES[depth])
    return (values if kind.kind == "f" else np.rint(values * np.iinfo(kind).max)).astype(kind)


def rough(height: int, width: int, channels: int = 3, depth: str = "u8", seed: int = 0) -> NDArray[Any]:
    """Noise over the full range of an integer depth."""
    kind = np.dtype(DTYPES[depth])
    return np.random.default_rng(seed).integers(
        np.iinfo(kind).min, np.iinfo(kind).max, (height, width, channels), dtype=kind, endpoint=True
    )


def pillow(pixels: NDArray[Any]) -> Pillow.Image:
    """The Pillow image of u8 pixels (H, W, C)."""
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    height, width, _ = pixels.shape
    return Pillow.frombytes(mode, (width, height), np.ascontiguousarray(pixels).tobytes())


def saved(image: Pillow.Image, kind: str, **options: Any) -> bytes:
    """The bytes of a file as Pillow writes it."""
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    """The bytes of a TIFF as tifffile writes it."""
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, metadata=None, **options)
    return file.getvalue()


def packed_tiff(codes: NDArray[Any], bits: int, **options: Any) -> bytes:
    """The bytes of a TIFF of samples (H, W, C) of a few bits each, packed; tifffile writes all but the packing."""
    ones = (codes[..., np.newaxis] >> np.arange(bits - 1, -1, -1) & 1).astype(np.uint8)
    strip = zlib.compress(np.packbits(ones.reshape(len(codes), -1), axis=1).tobytes())
    shape = codes.shape if codes.shape[2] > 1 else codes.shape[:2]
    file = io.BytesIO()
    layout = {"rowsperstrip": len(codes), "compression": "zlib", "metadata": None}
    tifffile.imwrite(file, iter([strip]), shape=shape, dtype=codes.dtype, **layout, **options)
    data = bytearray(file.getvalue())
    with tifffile.TiffFile(io.BytesIO(data)) as written:
        tag = written.pages.first.tags["BitsPerSample"]
    struct.pack_into(f"<{tag.count}H", data, tag.valueoffset, *[bits] * tag.count)
    return bytes(data)


def hdr(pixels: NDArray[Any]) -> bytes:
    """The bytes of a Radiance HDR as OpenCV writes RGB."""
    return cv2.imencode(".hdr", pixels[:, :, ::-1])[1].tobytes()


def npy(array: NDArray[Any]) -> bytes:
    """The bytes of an array as NumPy saves it."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


@cache
def srgb_profile() -> bytes:
    """An RGB colour profile, as Little CMS makes it: once, for it holds the second in which it was made."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def exif(
    orientation: int = 1, size: tuple[int, int] = (40, 60), order: str = "<", thumbnail: bytes = b"", tail: bytes = b""
) -> bytes:
    """A block with a maker, an orientation, an Exif directory with the size and a maker note, and maybe a thumbnail."""
    height, width = size
    make = b"Camera works!\0"
    note = b"maker note, 32 bytes of secrets!"
    first_entries: Sequence[tuple[int, int, int, bytes]] = []
    first_stop = 8 + 2 + 12 * 3 + 4
    sub_start = first_stop + len(make)
    sub_stop = sub_start + 2 + 12 * 3 + 4
    first_entries = [
        (0x010F, 2, len(make), struct.pack(order + "I", first_stop)),
        (0x0112, 3, 1, struct.pack(order + "HH", orientation, 0)),
        (0x8769, 4, 1, struct.pack(order + "I", sub_start)),
    ]
    sub_entries = [
        (0x927C, 7, len(note), struct.pack(order + "I", sub_stop)),
        (0xA002, 4, 1, struct.pack(order + "I", width)),
        (0xA003, 3, 1, struct.pack(order + "HH", height, 0)),
    ]
    second_start = sub_stop + len(note)
    second = b""
    if thumbnail:
        place = second_start + 2 + 12 * 2 + 4
        second_entries = [
            (0x0201, 4, 1, struct.pack(order + "I", place)),
            (0x0202, 4, 1, struct.pack(order + "I", len(thumbnail))),
        ]
        second = _directory(second_entries, order, 0) + thumbnail
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", 8)
    first = _directory(first_entries, order, second_start if thumbnail else 0)
    return b"".join([head, first, make, _directory(sub_entries, order, 0), note, second, tail])


def _directory(entries: Sequence[tuple[int, int, int, bytes]], order: str, following: int) -> bytes:
    records = [struct.pack(order + "HHI", tag, kind, count) + value for tag, kind, count, value in entries]
    return b"".join([struct.pack(order + "H", len(entries)), *records, struct.pack(order + "I", following)])


def as_stored(upright: NDArray[Any], orientation: int) -> NDArray[Any]:
    """What a camera stores that holds `upright` and says `orientation`: the inverse of how it is to be shown."""
    inverse = {
        1: lambda p: p,
        2: lambda p: p[:, ::-1],
        3: lambda p: p[::-1, ::-1],
        4: lambda p: p[::-1],
        5: lambda p: p.swapaxes(0, 1),
        6: lambda p: np.rot90(p, 1),
        7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
        8: lambda p: np.rot90(p, -1),
    }
    return np.ascontiguousarray(inverse[orientation](upright))
