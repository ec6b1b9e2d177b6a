"""Formats that are read by Pillow alone: ICO, TGA, QOI, PCX, SGI, and of PSD the merged picture.

Each description says the size and the bits by the file's own header, so that nothing is decoded that does not fit, and
what Pillow reads in part is refused. Sources: Truevision TGA 2.0; ZSoft PCX; SGI image file format; the QOI
specification; Adobe Photoshop file formats; Microsoft's ICONDIR.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from convcli.image.model import Image

_READERS = {
    "ico": ("IcoImagePlugin", "IcoImageFile"),
    "cur": ("CurImagePlugin", "CurImageFile"),
    "tga": ("TgaImagePlugin", "TgaImageFile"),
    "qoi": ("QoiImagePlugin", "QoiImageFile"),
    "pcx": ("PcxImagePlugin", "PcxImageFile"),
    "sgi": ("SgiImagePlugin", "SgiImageFile"),
    "psd": ("PsdImagePlugin", "PsdImageFile"),
}
_QOI, _PSD, _ICO, _CUR, _SGI = b"qoif", b"8BPS", b"\0\0\1\0", b"\0\0\2\0", b"\x01\xda"
_TGA_KINDS = {1: (8,), 2: (15, 16, 24, 32), 3: (8, 16), 9: (8,), 10: (15, 16, 24, 32), 11: (8, 16)}
_PSD_RGB, _PSD_GRAYS = 3, (0, 1, 8)
_PSD_MODES = {4: "inks (CMYK)", 7: "several channels", 9: "Lab colours", 2: "a palette"}


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode one of these.

    Returns
    -------
    Image
        Gray or RGB with or without alpha, u8 or, of an SGI, u16.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large, or of a kind that Pillow reads in part.
    """
    from convcli.image.formats import pillow_codec

    kind = next(format_ for format_ in FORMATS if format_.matches(data[:256]))
    notes = _check(data, name, kind)
    cursor = kind.name == "ico" and data.startswith(_CUR)
    pixels, info = pillow_codec.decode(data, name, kind.title, *_READERS["cur" if cursor else kind.name])
    if kind.name == "ico" and len(info.get("sizes", ())) > 1:
        notes = (*notes, "several sizes: only the largest is used")
    return pillow_codec.image(pixels, kind.name, notes=notes)


def _check(data: bytes, name: str, kind: Format) -> tuple[str, ...]:
    """Refuse what Pillow reads in part or wrongly, and return notes of what else is lost."""
    advice = "convert it to PNG"
    if kind.name == "psd":
        version, channels, height, width, bits, mode = (
            struct.unpack_from(">H6xHIIHH", data, 4) if len(data) > 26 else [0] * 6
        )
        if version == 2:
            raise ImageReadError(f"{name}: a PSB, Photoshop's large document, which is not read; export it as TIFF")
        if bits not in (1, 8):
            raise ImageReadError(f"{name}: a PSD of {bits} bits a sample, which is not read; export it as TIFF")
        if mode in _PSD_MODES and mode != 2:
            raise ImageReadError(f"{name}: a PSD of {_PSD_MODES[mode]}, which is not read; export it as TIFF")
        _check_psd_is_whole(data, name, channels, height, width, bits)
        known = 4 if mode == _PSD_RGB else 1
        more = ("channels beyond the picture's own are not read",) if channels > known else ()
        return ("only the merged picture of its layers is used", *more)
    if kind.name == "sgi" and len(data) > 108:
        (pixel_type,) = struct.unpack_from(">I", data, 104)
        (channels,) = struct.unpack_from(">H", data, 10)
        if pixel_type or channels > 4 or channels == 2:
            raise ImageReadError(f"{name}: an SGI picture of an unusual kind, which is not read; {advice}")
    if kind.name == "tga" and data[2] in (3, 11) and data[16] == 16 and not data[17] & 15:
        raise ImageReadError(f"{name}: a TGA of 16 bits of gray, which is not read; {advice}")
    return ()


def _check_psd_is_whole(data: bytes, name: str, channels: int, height: int, width: int, bits: int) -> None:
    """Check that the merged picture is there: after three blocks that say their lengths."""
    place = 26
    for _ in range(3):
        if place + 4 > len(data):
            break
        place += 4 + int.from_bytes(data[place : place + 4], "big")
    stored = int.from_bytes(data[place : place + 2], "big") if place + 2 <= len(data) else None
    needed = 0
    if stored == 0:
        needed = channels * height * ((width * bits + 7) // 8)
    elif stored == 1 and place + 2 + 2 * channels * height <= len(data):
        needed = 2 * channels * height + sum(struct.unpack_from(f">{channels * height}H", data, place + 2))
    if stored is None or place + 2 + needed > len(data):
        raise ImageReadError(f"{name}: truncated PSD, its merged picture is not whole; get the file again")


def _is_tga(start: bytes) -> bool:
    """Whether a header, which has no signature, makes sense as one of TGA's."""
    if len(start) < 18:
        return False
    map_type, kind, first, length, map_bits, width, height, bits, flags = struct.unpack_from("<xBBHHB4xHHBB", start)
    if bits not in _TGA_KINDS.get(kind, ()) or map_type > 1 or not width or not height or flags & 0xC0:
        return False
    if flags & 15 > 8 or (flags & 15 and bits not in (16, 32)):
        return False  # as many bits of opacity as there cannot be
    if kind in (1, 9):
        return map_type == 1 and length > 0 and map_bits in (15, 16, 24, 32) and first < 2**12
    return map_bits in (15, 16, 24, 32) if map_type else not length and not map_bits


def _is_pcx(start: bytes) -> bool:
    return (
        len(start) >= 68
        and start[0] == 10
        and start[1] in (0, 2, 3, 4, 5)
        and start[2] == 1
        and start[3] in (1, 2, 4, 8)
    )


def _is_icon(start: bytes) -> bool:
    if start[:4] not in (_ICO, _CUR) or len(start) < 22 or not start[4] or start[5]:
        return False
    length, place = struct.unpack_from("<II", start, 14)
    return bool(length > 0 and 22 <= place < 2**24)


def _qoi_bytes(file: BinaryIO) -> int | None:
    width, height, channels = struct.unpack(">4xIIB", file.read(13))
    return int(width * height * channels)


def _psd_bytes(file: BinaryIO) -> int | None:
    channels, height, width = struct.unpack(">12xHII", file.read(22))
    return int(height * width * min(channels, 4))


def _sgi_bytes(file: BinaryIO) -> int | None:
    sample, width, height, channels = struct.unpack(">3xB2xHHH", file.read(12))
    return int(height * width * channels * sample)


def _pcx_bytes(file: BinaryIO) -> int | None:
    head = file.read(68)
    left, top, right, bottom = struct.unpack_from("<4H", head, 4)
    bits, planes = head[3], head[65]
    if (bits, planes) == (8, 1):  # of gray, or of the palette that ends the file
        file.seek(-768, 2)
        table = file.read(768)
        gray = table[::3] == table[1::3] == table[2::3]
    else:
        gray = (bits, planes) == (1, 1)
    return int((right - left + 1) * (bottom - top + 1) * (1 if gray else 3))


def _tga_bytes(file: BinaryIO) -> int | None:
    kind, width, height, bits = struct.unpack("<2xB9xHHB", file.read(17))
    return int(height * width * (1 if kind in (3, 11) else 4 if bits == 32 else 3))


def _icon_bytes(file: BinaryIO) -> int | None:
    head = file.read(6 + 16 * 64)
    count = min(int.from_bytes(head[4:6], "little"), (len(head) - 6) // 16)
    return max(((head[6 + 16 * i] or 256) * (head[7 + 16 * i] or 256) * 4 for i in range(count)), default=None)


FORMATS = (
    Format(
        name="qoi",
        title="QOI",
        suffixes=(".qoi",),
        codec=__name__,
        depths=("u8",),
        channels=(3, 4),
        signatures=(_QOI,),
        decoded_bytes=_qoi_bytes,
        only_read="by Pillow",
    ),
    Format(
        name="psd",
        title="PSD",
        suffixes=(".psd",),
        codec=__name__,
        depths=("u8",),
        channels=(1, 3, 4),
        signatures=(_PSD,),
        decoded_bytes=_psd_bytes,
        only_read="its merged picture",
    ),
    Format(
        name="sgi",
        title="SGI",
        suffixes=(".sgi", ".rgb", ".rgba", ".bw"),
        codec=__name__,
        depths=("u8", "u16"),
        channels=(1, 3, 4),
        signatures=(_SGI,),
        decoded_bytes=_sgi_bytes,
        only_read="by Pillow",
    ),
    Format(
        name="pcx",
        title="PCX",
        suffixes=(".pcx",),
        codec=__name__,
        depths=("u8",),
        channels=(1, 3),
        recognise=_is_pcx,
        decoded_bytes=_pcx_bytes,
        only_read="by Pillow",
    ),
    Format(
        name="ico",
        title="ICO",
        suffixes=(".ico", ".cur"),
        codec=__name__,
        depths=("u8",),
        channels=(3, 4),
        recognise=_is_icon,
        decoded_bytes=_icon_bytes,
        only_read="its largest picture",
    ),
    # The last of all formats: a TGA has no signature, and what fits its header may be anything else's.
    Format(
        name="tga",
        title="TGA",
        suffixes=(".tga",),
        codec=__name__,
        depths=("u8",),
        channels=(1, 3, 4),
        recognise=_is_tga,
        decoded_bytes=_tga_bytes,
        only_read="by Pillow",
    ),
)
