"""BMP, read and written here: every header, palettes, bit fields of any width, run lengths, profiles.

Source: Microsoft's BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER and BITMAPV5HEADER, and IBM's of OS/2 2.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, BinaryIO

from convcli.errors import ImageReadError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.image.model import Image
    from convcli.system.output_file import Sink

_AGAIN = "get the file again"
_ADVICE = "convert it to PNG"
_METRES_PER_INCH = 0.0254
_FILE_HEADER = 14
_CORE_HEADER, _INFO_HEADER, _V3_HEADER, _OS2_HEADER, _V4_HEADER, _V5_HEADER = 12, 40, 56, 64, 108, 124
_PLAIN, _RUNS_8, _RUNS_4, _FIELDS, _JPEG, _PNG, _ALPHA_FIELDS = range(7)
_RUNS = {_RUNS_8: 8, _RUNS_4: 4}
_USUAL_FIELDS = {16: (0x7C00, 0x03E0, 0x001F, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_EMBEDDED = b"DEBM"
_SRGB = b"BGRs"
_PALETTE_BITS = (1, 2, 4, 8)
_MOST_PIXELS_A_BYTE = 128  # a run of 255 takes two bytes


@dataclass(frozen=True)
class _Header:
    """What the headers say."""

    start: int
    header: int
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int = _PLAIN
    listed: int = 0
    colours: int = 0
    dpi: tuple[float, float] | None = None
    masks: tuple[int, int, int, int] = (0, 0, 0, 0)

    @property
    def row_bytes(self) -> int:
        return (self.width * self.bits + 31) // 32 * 4


def _parse(data: bytes) -> _Header:
    start, header = struct.unpack_from("<II", data, 10)
    if header == _CORE_HEADER:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        return _Header(start, header, width, height, False, bits)
    padded = data[:54] if header >= _INFO_HEADER else data[: _FILE_HEADER + header].ljust(54, b"\0")
    width, height, _, bits, compression, listed, across, down, colours = struct.unpack_from("<iiHHIIiiI", padded, 18)
    dpi = (across * _METRES_PER_INCH, down * _METRES_PER_INCH) if across > 0 and down > 0 else None
    found = _Header(
        start,
        header,
        width,
        abs(height),
        height < 0,
        bits,
        compression,
        listed,
        colours,
        dpi,
        _USUAL_FIELDS.get(bits, (0,) * 4),
    )
    if header == _OS2_HEADER or header < _INFO_HEADER:
        return found
    stated = len(data) >= _V3_HEADER + _FILE_HEADER and (header >= _V3_HEADER or compression == _ALPHA_FIELDS)
    alpha = int.from_bytes(data[66:70], "little") if stated else 0
    if compression in (_FIELDS, _ALPHA_FIELDS) and len(data) >= 66:
        return replace(found, masks=(*struct.unpack_from("<3I", data, 54), alpha))
    return found  # masks that are stated beside plain pixels say nothing


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a BMP.

    Returns
    -------
    Image
        Gray, RGB or RGBA, u8; fields of other widths than 8 bits become 0..255.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged or too large, or of a kind that no header explains.
    """
    import numpy as np

    from convcli.image.model import Image, Metadata, check_fits_memory, check_plausible

    if len(data) < 26:
        raise ImageReadError(f"{name}: truncated BMP, its header is not whole; {_AGAIN}")
    header_bytes = int.from_bytes(data[14:18], "little")
    if not (header_bytes == _CORE_HEADER or 16 <= header_bytes <= 2**16) or len(data) < _FILE_HEADER + header_bytes:
        raise ImageReadError(f"{name}: truncated or damaged BMP, its header is not whole; {_AGAIN}")
    header = _parse(data)
    if header.width <= 0 or header.height == 0:
        raise ImageReadError(f"{name}: damaged BMP, it states no size; {_AGAIN}")
    if header.compression in (_JPEG, _PNG) and header.header != _OS2_HEADER:
        return _wrapped(data, header, name, threads)
    check_fits_memory(name, (header.height, header.width, 4 if header.bits == 32 else 3), 1)
    if header.compression in _RUNS and header.bits == _RUNS[header.compression]:
        check_plausible(name, "BMP", (header.height, header.width), len(data), _MOST_PIXELS_A_BYTE)
        pixels = _coloured(_run_lengths(data, header, name), data, header)
    elif header.compression == _PLAIN or (
        header.compression in (_FIELDS, _ALPHA_FIELDS) and header.header != _OS2_HEADER and header.bits in (16, 32)
    ):
        pixels = _uncompressed(data, header, name)
    else:
        raise ImageReadError(
            f"{name}: a BMP of {header.bits} bits with compression {header.compression}, which is not read; {_ADVICE}"
        )
    metadata = Metadata(icc=_profile(data, header), resolution=header.dpi, stored_size=pixels.shape[:2])
    return Image(np.ascontiguousarray(pixels), pixels.shape[2] == 4, metadata, "bmp")


def _wrapped(data: bytes, header: _Header, name: str, threads: int) -> Image:
    """Decode the JPEG or PNG that a BMP wraps up."""
    from convcli.image.formats.registry import format_of

    inner = data[header.start :]
    found = format_of(inner)
    if found is None or found.name not in ("jpeg", "png"):
        raise ImageReadError(f"{name}: damaged BMP, it holds no picture where its header says; {_AGAIN}")
    return replace(found.load_codec().read(inner, name, threads), format="bmp")


def _uncompressed(data: bytes, header: _Header, name: str) -> NDArray[Any]:
    import numpy as np

    from convcli.image.formats import opencv_codec

    if header.bits not in (*_PALETTE_BITS, 16, 24, 32):
        raise ImageReadError(f"{name}: a BMP of {header.bits} bits a pixel, which is not read; {_ADVICE}")
    row = header.row_bytes
    needed = (header.height - 1) * row + (header.width * header.bits + 7) // 8  # the last row's padding may be missing
    missing = header.start + needed - len(data)
    if missing > 0:
        raise ImageReadError(f"{name}: truncated BMP, {missing} bytes are missing; {_AGAIN}")
    body = data[header.start : header.start + header.height * row].ljust(header.height * row, b"\0")
    rows = np.frombuffer(body, np.uint8).reshape(header.height, row)
    if not header.top_down:
        rows = rows[::-1]
    if header.bits in _PALETTE_BITS:
        return _coloured(_indices(rows, header), data, header)
    if header.bits == 24:
        return opencv_codec.reversed_colours(
            np.ascontiguousarray(rows[:, : 3 * header.width]).reshape(header.height, header.width, 3)
        )
    packed = np.ascontiguousarray(rows[:, : header.width * header.bits // 8])
    if header.bits == 32 and header.masks[:3] == _USUAL_FIELDS[32][:3] and header.masks[3] in (0, 0xFF000000):
        four = packed.reshape(header.height, header.width, 4)
        return opencv_codec.reversed_colours(four if header.masks[3] else np.ascontiguousarray(four[:, :, :3]))
    return _fields(packed.view("<u2" if header.bits == 16 else "<u4"), header, name)


def _fields(values: NDArray[Any], header: _Header, name: str) -> NDArray[Any]:
    """Take samples out of values by their masks, stretched to 0..255."""
    import numpy as np

    planes = []
    seen = 0
    for mask in header.masks if header.masks[3] else header.masks[:3]:
        shift = (mask & -mask).bit_length() - 1
        largest = mask >> shift if mask else 0
        if not mask or largest & largest + 1 or seen & mask or mask >> header.bits:
            shown = " ".join(f"{each:x}" for each in header.masks)
            raise ImageReadError(f"{name}: a BMP whose masks ({shown}) do not say what its bits are; {_ADVICE}")
        seen |= mask
        planes.append(np.rint((values >> shift & largest) * (255 / largest)).astype(np.uint8))
    return np.stack(planes, axis=2)


def _indices(rows: NDArray[Any], header: _Header) -> NDArray[Any]:
    import numpy as np

    if header.bits == 8:
        return rows[:, : header.width]
    per_byte = 8 // header.bits
    spread = np.empty((*rows.shape, per_byte), np.uint8)
    for place in range(per_byte):
        spread[:, :, place] = rows >> (8 - header.bits * (place + 1)) & (1 << header.bits) - 1
    return spread.reshape(header.height, -1)[:, : header.width]


def _coloured(indices: NDArray[Any], data: bytes, header: _Header) -> NDArray[Any]:
    """Look indices up in the palette; one of grays makes a gray picture, and a colour that is not there is black."""
    import numpy as np

    size = 3 if header.header == _CORE_HEADER else 4
    place = _FILE_HEADER + header.header
    count = min(header.colours or 1 << header.bits, 1 << header.bits)
    if header.start > place:
        count = min(count, (header.start - place) // size)
    listed = np.frombuffer(data[place : place + count * size], np.uint8)
    listed = listed[: listed.size // size * size].reshape(-1, size)[:, 2::-1]
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(listed)] = listed
    if len(listed) and (listed == listed[:, :1]).all():
        palette = palette[:, :1]
    found: NDArray[Any] = palette[indices]
    return found


def _run_lengths(data: bytes, header: _Header, name: str) -> NDArray[Any]:
    """Undo run lengths: pairs of a count and a value; a count of 0 ends the row or the picture, moves, or copies."""
    import numpy as np

    canvas = np.zeros((header.height, header.width), np.uint8)
    half = header.compression == _RUNS_4
    place, x, y = header.start, 0, 0
    widest = header.width + 3  # some writers fill rows up
    while y < header.height:
        if x > widest:
            raise ImageReadError(f"{name}: damaged BMP, its run lengths go beyond row {y}; {_AGAIN}")
        pair = data[place : place + 2]
        if len(pair) < 2 and x >= header.width and y == header.height - 1:
            break  # all pixels are there, only the end mark is not
        place += 2
        count, value = pair if len(pair) == 2 else (0, 2)
        if count:
            run = np.array([value >> 4, value & 15] if half else [value], np.uint8)
            canvas[y, x : x + count] = np.resize(run, count)[: max(0, header.width - x)]
            x += count
        elif value == 0:
            x, y = 0, y + 1
        elif value == 1:
            break
        elif value == 2:
            across, down = data[place : place + 2].ljust(2, b"\0")
            x, y, place = x + across, y + down, place + 2
        else:
            size = (value + 1) // 2 if half else value
            copied = np.frombuffer(data[place : place + size].ljust(size, b"\0"), np.uint8)
            samples = np.stack([copied >> 4, copied & 15], axis=1).ravel() if half else copied
            canvas[y, x : x + value] = samples[:value][: max(0, header.width - x)]
            x, place = x + value, place + size + size % 2
        if place > len(data) + 1:  # a byte that fills up the last copy may be missing
            raise ImageReadError(f"{name}: truncated BMP, its run lengths end early; {_AGAIN}")
    return canvas if header.top_down else canvas[::-1]


def _profile(data: bytes, header: _Header) -> bytes | None:
    """Return the profile that a header of version 5 embeds."""
    if header.header < _V5_HEADER or data[70:74] != _EMBEDDED:
        return None
    start, length = struct.unpack_from("<II", data, _FILE_HEADER + 112)
    found = data[_FILE_HEADER + start : _FILE_HEADER + start + length]
    return found if 128 <= length == len(found) else None


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode gray, RGB or RGBA u8 to `sink`, with its resolution and its profile; nothing is lost."""
    import numpy as np

    from convcli.image.formats import opencv_codec

    pixels, metadata = image.pixels, image.metadata
    height, width, channels = pixels.shape
    bits = 8 * channels
    row = (width * bits + 31) // 32 * 4
    rows = np.zeros((height, row), np.uint8)
    stored = pixels if channels == 1 else opencv_codec.reversed_colours(np.ascontiguousarray(pixels))
    rows[:, : width * channels] = stored.reshape(height, -1)[::-1]
    palette = b"".join(bytes([v, v, v, 0]) for v in range(256)) if channels == 1 else b""
    across, down = (
        (0, 0)
        if metadata.resolution is None
        else (min(2**31 - 1, round(v / _METRES_PER_INCH)) for v in metadata.resolution)
    )
    version = _V5_HEADER if channels == 4 or metadata.icc is not None else _INFO_HEADER
    start = _FILE_HEADER + version + len(palette)
    compression = _FIELDS if channels == 4 else _PLAIN
    header = struct.pack(
        "<IiiHHIIiiII", version, width, height, 1, bits, compression, rows.size, across, down, len(palette) // 4, 0
    )
    profile = metadata.icc or b""
    if version == _V5_HEADER:
        masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000 if channels == 4 else 0)
        header += struct.pack("<4I", *masks) + (_EMBEDDED if profile else _SRGB) + bytes(48)
        place = version + len(palette) + rows.size if profile else 0
        header += struct.pack("<IIII", 4, place, len(profile), 0)  # 4: pictures, rendered perceptually
    whole = start + rows.size + len(profile)
    sink(b"BM" + struct.pack("<IHHI", whole % 2**32, 0, 0, start) + header + palette)
    sink(rows.tobytes())
    if profile:
        sink(profile)
    return ()


def _decoded_bytes(file: BinaryIO) -> int | None:
    data = file.read(2048)
    header = _parse(data)
    channels = 4 if header.bits == 32 and header.masks[3] else 3
    if header.bits <= 8:
        import numpy as np

        channels = _coloured(np.zeros((1, 1), np.uint8), data, header).shape[2]
    return int(header.width * header.height * channels)


FORMATS = (
    Format(
        name="bmp",
        title="BMP",
        suffixes=(".bmp", ".dib"),
        codec=__name__,
        depths=("u8",),
        channels=(1, 3, 4),
        signatures=(b"BM",),
        metadata=("icc", "resolution"),
        decoded_bytes=_decoded_bytes,
    ),
)
