"""JPEG 2000: its boxes read and written here; the codestream in them is OpenJPEG's, through imagecodecs.

Only the bare codestream is handed to the decoder: palette, channel definitions, luma and chroma are dealt with here,
and a profile is kept rather than applied. Source: ITU-T T.800, annexes A (SIZ) and I (JP2).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from convcli.errors import ImageReadError, ImageWriteError
from convcli.image.formats.codec import EncoderSettings
from convcli.image.formats.registry import Format

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from convcli.image.model import Image, Metadata
    from convcli.system.output_file import Sink

_TITLE = "JPEG 2000"
_AGAIN = "get the file again"
_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_CODESTREAM = b"\xff\x4f\xff\x51"
_END_MARK = b"\xff\xd9"
_HEADER_BYTES = 65536
_LOSSLESS = 100
_METRES_PER_INCH = 0.0254
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_EXIF = b"JpgTiffExif->JP2"
_SRGB, _GRAY, _YCC = 16, 17, 18
_READ_SPACES = {None, 0, _SRGB, _GRAY, _YCC, 20, 21}  # bilevel, e-sRGB and ROMM are read as the RGB they are
_COLOUR, _OPACITY, _MULTIPLIED = 0, 1, 2
_COLOURS = 3
_ALL = 65535
_DECODER_BYTES = 4  # of a sample, whatever its depth


class _Component(NamedTuple):
    bits: int
    signed: bool
    across: int
    down: int


@dataclass
class _Header:
    """What the boxes and the codestream's SIZ say."""

    height: int = 0
    width: int = 0
    components: list[_Component] = field(default_factory=list)
    space: int | None = None
    icc: bytes | None = None
    palette: Any = None
    palette_bits: list[int] = field(default_factory=list)
    mapping: list[tuple[int, int, int]] = field(default_factory=list)
    definitions: list[tuple[int, int, int]] = field(default_factory=list)
    resolution: tuple[float, float] | None = None
    exif: bytes | None = None
    xmp: bytes | None = None


def _read_size(stream: bytes | memoryview, header: _Header) -> None:
    right, low, left, top = struct.unpack_from(">4I", stream, 8)
    (count,) = struct.unpack_from(">H", stream, 40)
    header.height, header.width = max(0, low - top), max(0, right - left)
    for place in range(42, min(42 + 3 * count, len(stream) - 2), 3):
        bits, across, down = stream[place], stream[place + 1], stream[place + 2]
        header.components.append(_Component((bits & 0x7F) + 1, bool(bits & 0x80), across, down))


def read(data: bytes, name: str, threads: int = 1) -> Image:
    """Decode a JPEG 2000 file or codestream.

    Returns
    -------
    Image
        Gray or RGB, with alpha where a channel definition says so; u8, or u16 (9 to 15 bits made 0..65535).

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged, too large or of a colour space that is not read.
    """
    from convcli.image.model import Image, Metadata, check_fits_memory

    header = _Header()
    try:
        stream = _parse(data, name, header)
    except (struct.error, LookupError, ValueError, OverflowError):
        raise ImageReadError(f"{name}: damaged JPEG 2000, its boxes contradict themselves; {_AGAIN}") from None
    if not header.components or not header.height or not header.width:
        raise ImageReadError(f"{name}: damaged JPEG 2000, it states no size; {_AGAIN}")
    deepest = max(component.bits for component in header.components)
    size = (header.height, header.width, max(len(header.components), len(header.mapping)))
    check_fits_memory(name, size, _DECODER_BYTES)
    _check_is_read(header, deepest, name)
    notes: tuple[str, ...] = ()
    if any(component.signed for component in header.components):
        notes = ("signed samples are shifted: the least is black",)
    if any(component[2:] != header.components[0][2:] for component in header.components):
        pixels = _read_subsampled(data, name, header, deepest)
    else:
        pixels = _channels(_decode(bytes(stream), name, threads), header)
    alpha = None
    if header.definitions:
        pixels, alpha = _as_defined(pixels, header.definitions)
    colours = pixels.shape[2] - (alpha is not None)
    if header.space == _YCC and colours >= _COLOURS and _same_sampling(header):
        pixels = _from_luma_and_chroma(pixels)
    if alpha == _MULTIPLIED:
        pixels = _straight(pixels)
    metadata = Metadata(header.exif, header.xmp, header.icc, header.resolution, pixels.shape[:2])
    return Image(pixels, alpha is not None, metadata, "jp2", notes)


def _parse(data: bytes, name: str, header: _Header) -> bytes | memoryview:
    """Fill a header from the boxes and the codestream, and return the latter."""
    from convcli.image.formats import isobmff

    stream: bytes | memoryview = data
    if not data.startswith(_CODESTREAM):
        stream = b""
        for kind, body in isobmff.boxes(memoryview(data), name, _TITLE):
            if kind == b"jp2c" and not stream:
                stream = body
            elif kind == b"jp2h":
                _read_boxes(body, name, header)
            elif kind == b"uuid" and bytes(body[:16]) == _XMP:
                header.xmp = bytes(body[16:])
            elif kind == b"uuid" and bytes(body[:16]) == _EXIF:
                header.exif = bytes(body[16:]).removeprefix(b"Exif\0\0")
    if len(stream) < 45 or not bytes(stream[-64:]).rstrip(b"\0").endswith(_END_MARK):
        raise ImageReadError(f"{name}: truncated JPEG 2000, its end mark is missing; {_AGAIN}")
    _read_size(stream, header)
    return stream


def _same_sampling(header: _Header) -> bool:
    return all(component[2:] == header.components[0][2:] for component in header.components)


def _check_is_read(header: _Header, deepest: int, name: str) -> None:
    advice = "convert it to TIFF or PNG"
    if deepest > 16:
        raise ImageReadError(f"{name}: a JPEG 2000 of {deepest} bits a sample, which is not read; {advice}")
    if header.icc is None and header.space not in _READ_SPACES:
        raise ImageReadError(f"{name}: a JPEG 2000 of colour space {header.space}, which is not read; {advice}")
    if not _same_sampling(header) and (deepest > 8 or header.palette is not None):
        raise ImageReadError(f"{name}: a subsampled JPEG 2000 of {deepest} bits, which is not read; {advice}")


def _read_boxes(view: memoryview, name: str, header: _Header) -> None:
    """Read the boxes of a header box."""
    from convcli.image.formats import isobmff

    found_colour = False
    for kind, body in isobmff.boxes(view, name, _TITLE):
        if kind == b"colr" and len(body) >= 7 and not found_colour:
            if body[0] == 1:
                header.space, found_colour = int.from_bytes(body[3:7], "big"), True
            elif body[0] == 2:
                header.icc, found_colour = bytes(body[3:]), True
        elif kind == b"pclr" and len(body) >= 3:
            _read_palette(body, header)
        elif kind == b"cmap":
            header.mapping = [struct.unpack_from(">HBB", body, at) for at in range(0, len(body) - 3, 4)]
        elif kind == b"cdef" and len(body) >= 2:
            header.definitions = [struct.unpack_from(">HHH", body, at) for at in range(2, len(body) - 5, 6)]
        elif kind == b"res ":
            inner = dict(isobmff.boxes(body, name, _TITLE))
            held = inner.get(b"resc", inner.get(b"resd", memoryview(b"")))
            if len(held) >= 10:
                down, down_by, across, across_by, down_power, across_power = struct.unpack_from(">HHHHbb", held)
                if down and across and down_by and across_by and max(abs(down_power), abs(across_power)) < 20:
                    header.resolution = (
                        across / across_by * 10.0**across_power * _METRES_PER_INCH,
                        down / down_by * 10.0**down_power * _METRES_PER_INCH,
                    )


def _read_palette(body: memoryview, header: _Header) -> None:
    import numpy as np

    count, columns = struct.unpack_from(">HB", body)
    header.palette_bits = [(bits & 0x7F) + 1 for bits in body[3 : 3 + columns]]
    sizes = [(bits + 7) // 8 for bits in header.palette_bits]
    rows, place = [], 3 + columns
    for _ in range(count):
        row = []
        for size in sizes:
            row.append(int.from_bytes(body[place : place + size], "big"))
            place += size
        rows.append(row)
    header.palette = np.asarray(rows, np.uint32).reshape(count, columns)


def _decode(stream: bytes, name: str, threads: int) -> NDArray[Any]:
    import imagecodecs

    from convcli.system.captured_stderr import library_messages

    try:
        with library_messages():
            pixels = imagecodecs.jpeg2k_decode(stream, numthreads=threads)
    except NotImplementedError as error:
        raise ImageReadError(f"{name}: a JPEG 2000 that is not read ({error}); convert it to TIFF or PNG") from None
    except (RuntimeError, ValueError):
        raise ImageReadError(f"{name}: damaged JPEG 2000, its picture cannot be decoded; {_AGAIN}") from None
    return pixels.reshape(*pixels.shape[:2], -1)


def _channels(pixels: NDArray[Any], header: _Header) -> NDArray[Any]:
    """Return channels of full range: the palette looked up, or the components stretched and shifted."""
    import numpy as np

    if header.palette is not None and header.palette.size and header.mapping:
        planes, bits = [], []
        for component, kind, column in header.mapping:
            plane = pixels[:, :, min(component, pixels.shape[2] - 1)]
            if kind == 1 and column < header.palette.shape[1]:
                planes.append(header.palette[np.clip(plane, 0, len(header.palette) - 1), column])
                bits.append(header.palette_bits[column])
            else:
                planes.append(plane.astype(np.uint32))
                bits.append(header.components[min(component, len(header.components) - 1)].bits)
        lowest = [0] * len(planes)
    else:
        if all(component.bits in (8, 16) and not component.signed for component in header.components):
            return pixels
        planes = [pixels[:, :, index] for index in range(pixels.shape[2])]
        bits = [component.bits for component in header.components]
        lowest = [-(1 << component.bits - 1) if component.signed else 0 for component in header.components]
    sample: type[np.unsignedinteger[Any]] = np.uint8 if max(bits) <= 8 else np.uint16
    white = 255 if max(bits) <= 8 else 65535
    full = []
    for plane, depth, low in zip(planes, bits, lowest, strict=True):
        shifted = np.clip(plane.astype(np.int64) - low, 0, 2**depth - 1)
        full.append(np.rint(shifted * (white / (2**depth - 1))).astype(sample))
    return np.stack(full, axis=2)


def _read_subsampled(data: bytes, name: str, header: _Header, deepest: int) -> NDArray[Any]:
    """Decode components of different sizes by Pillow, which makes them alike and RGB of luma and chroma."""
    from convcli.image.formats import pillow_codec

    pixels, _ = pillow_codec.decode(data, name, _TITLE, "Jpeg2KImagePlugin", "Jpeg2KImageFile")
    stated = any(kind in (_OPACITY, _MULTIPLIED) for _, kind, _ in header.definitions)
    header.definitions = [(pixels.shape[2] - 1, _OPACITY, 0)] if stated and pixels.shape[2] in (2, 4) else []
    return pixels


def _as_defined(pixels: NDArray[Any], definitions: list[tuple[int, int, int]]) -> tuple[NDArray[Any], int | None]:
    """Order channels as their definitions say: colours, what has no colour, then opacity of the whole picture."""
    channels = pixels.shape[2]
    kinds = {channel: (kind, of) for channel, kind, of in definitions if channel < channels}
    opacity = [c for c, (kind, of) in kinds.items() if kind in (_OPACITY, _MULTIPLIED) and of in (0, _ALL)]
    colours = sorted((of, c) for c, (kind, of) in kinds.items() if kind == _COLOUR and 0 < of < _ALL)
    order = [c for _, c in colours]
    order += [c for c in range(channels) if c not in order and c not in opacity[:1]] + opacity[:1]
    if order != list(range(channels)):
        pixels = pixels[:, :, order].copy()
    return pixels, kinds[opacity[0]][0] if opacity and channels > 1 else None


def _from_luma_and_chroma(pixels: NDArray[Any]) -> NDArray[Any]:
    """Turn sYCC into RGB (IEC 61966-2-1, annex F)."""
    import numpy as np

    white = np.iinfo(pixels.dtype).max
    luma, blue, red = (pixels[:, :, index].astype(np.float64) for index in range(3))
    blue, red = blue - (white + 1) / 2, red - (white + 1) / 2
    colours = (luma + 1.402 * red, luma - 0.344136 * blue - 0.714136 * red, luma + 1.772 * blue)
    turned = [np.clip(np.rint(plane), 0, white).astype(pixels.dtype) for plane in colours]
    return np.dstack([*turned, pixels[:, :, 3:]])


def _straight(pixels: NDArray[Any]) -> NDArray[Any]:
    """Divide colours by the opacity that they are multiplied with."""
    import numpy as np

    white = np.iinfo(pixels.dtype).max
    opacity = pixels[:, :, -1:].astype(np.float64)
    colours = np.where(opacity > 0, pixels[:, :, :-1] * white / np.maximum(opacity, 1), 0)
    return np.dstack([np.minimum(np.rint(colours), white).astype(pixels.dtype), pixels[:, :, -1:]])


def write(image: Image, sink: Sink, settings: EncoderSettings) -> tuple[str, ...]:
    """Encode gray or RGB, with or without alpha, u8 or u16, to `sink`; by default at quality 100, which loses nothing.

    A lower quality q asks for a signal that is 10 + 0.4 q dB above the noise.
    """
    import imagecodecs

    height, width, channels = image.pixels.shape
    quality = _LOSSLESS if settings.quality is None else settings.quality
    lossless = quality == _LOSSLESS
    try:
        stream = imagecodecs.jpeg2k_encode(
            image.pixels[:, :, 0] if channels == 1 else image.pixels,
            level=0 if lossless else 10 + round(0.4 * quality),
            codecformat="j2k",
            reversible=lossless,
            mct=channels in (3, 4),
            resolutions=min(6, min(height, width).bit_length()),
            numthreads=settings.threads,
        )
    except (RuntimeError, ValueError, NotImplementedError) as error:
        raise ImageWriteError(
            f"{width} x {height} pixels cannot be encoded as JPEG 2000 ({error}): write .png"
        ) from None
    bits = 8 * image.pixels.dtype.itemsize - 1
    sink(_SIGNATURE + _box(b"ftyp", b"jp2 \0\0\0\0jp2 "))
    header = _box(b"ihdr", struct.pack(">IIHBBBB", height, width, channels, bits, 7, 0, 0))
    sink(_box(b"jp2h", header + _described(image.metadata, channels, image.alpha)))
    if image.metadata.exif is not None:
        sink(_box(b"uuid", _EXIF + image.metadata.exif))
    if image.metadata.xmp is not None:
        sink(_box(b"uuid", _XMP + image.metadata.xmp))
    sink(_box(b"jp2c", bytes(stream)))
    return ()


def _described(metadata: Metadata, channels: int, alpha: bool) -> bytes:
    """Return the boxes on colour, opacity and resolution."""
    colours = channels - alpha
    if metadata.icc is not None:
        parts = _box(b"colr", b"\2\0\0" + metadata.icc)
    else:
        parts = _box(b"colr", b"\1\0\0" + (_SRGB if colours == _COLOURS else _GRAY).to_bytes(4, "big"))
    if alpha:
        places = [(c, _COLOUR, c + 1) for c in range(colours)] + [(colours, _OPACITY, 0)]
        parts += _box(b"cdef", struct.pack(">H", channels) + b"".join(struct.pack(">3H", *p) for p in places))
    if metadata.resolution is not None:
        across, down = (Fraction(value / _METRES_PER_INCH).limit_denominator(1) for value in metadata.resolution)
        power = 0
        while max(across, down) > _ALL and power < 9:
            across, down, power = across / 10, down / 10, power + 1
        x, y = round(across), round(down)
        if 0 < x <= _ALL and 0 < y <= _ALL:
            parts += _box(b"res ", _box(b"resc", struct.pack(">HHHHbb", y, 1, x, 1, power, power)))
    return parts


def _box(kind: bytes, body: bytes) -> bytes:
    if len(body) + 8 >= 2**32:
        return struct.pack(">I4sQ", 1, kind, len(body) + 16) + body
    return struct.pack(">I4s", len(body) + 8, kind) + body


def _decoded_bytes(file: BinaryIO) -> int | None:
    head = file.read(_HEADER_BYTES)
    start = head.find(_CODESTREAM)
    if start < 0:
        return None
    header = _Header()
    _read_size(head[start : start + 42 + 3 * 4], header)
    deep = any(component.bits > 8 for component in header.components)
    channels = int.from_bytes(head[start + 40 : start + 42], "big")
    if b"pclr" in head[:start]:
        channels = _COLOURS
    return header.height * header.width * channels * (2 if deep else 1)


FORMATS = (
    Format(
        name="jp2",
        title=_TITLE,
        suffixes=(".jp2",),
        aliases=("jpeg2000", "j2k"),
        read_suffixes=(".j2k", ".j2c", ".jpc", ".jpf"),
        codec=__name__,
        depths=("u8", "u16"),
        channels=(1, 2, 3, 4),
        signatures=(_SIGNATURE, _CODESTREAM),
        metadata=("exif", "xmp", "icc", "resolution"),
        encoder_options=("quality",),
        decoded_bytes=_decoded_bytes,
    ),
)
