"""Where on Earth, and how large, the pixels of a TIFF are, after it was cut or only every n-th pixel was kept.

Source: OGC GeoTIFF 1.1, annex B; NGA's RPC tag (STDI-0002 RPC00B); ImageJ and OME-TIFF for calibration.
"""

import re
import struct
from dataclasses import replace

from convcli.image.metadata import tiff_tags
from convcli.image.model import Metadata, TiffTags

_DOUBLE = 12
_RASTER_TYPE, _POINT = 1025, 2
_LINE_OFFSET, _SAMPLE_OFFSET, _LINE_SCALE, _SAMPLE_SCALE = 2, 3, 7, 8


def adjusted_georeference(
    metadata: Metadata, stride: tuple[int, int] = (1, 1), offset: tuple[int, int] = (0, 0)
) -> tuple[Metadata, tuple[str, ...]]:
    """Return metadata whose tags on position and scale are true of a picture cut out of another.

    The sample at row r and column c of the new picture lies over row `r * stride[0] + offset[0]` and column
    `c * stride[1] + offset[1]` of the old one.

    Parameters
    ----------
    metadata : Metadata
        That of the old picture, upright.
    stride : (int, int)
        Rows and columns from one sample to the next.
    offset : (int, int)
        The row and column of the first sample; negative where the new picture begins outside the old one.

    Returns
    -------
    Metadata, tuple of str
        The same where nothing has to change, and notes of what was dropped.
    """
    tags = metadata.tiff_tags
    if tags is None or (stride == (1, 1) and offset == (0, 0)):
        return metadata, ()
    values = dict(tags.values)
    notes: list[str] = []
    try:
        _move(values, tags.order, stride, offset)
    except (struct.error, ValueError, ZeroDivisionError):
        for tag in tiff_tags.GEOREFERENCE:
            values.pop(tag, None)
        notes.append("the georeference is dropped: it is damaged, and cannot be moved to the new pixels")
    _scale_calibration(values, tags.order, stride)
    return replace(metadata, tiff_tags=TiffTags(tags.order, values)), tuple(notes)


def _numbers(value: tuple[int, int, bytes], order: str) -> list[float]:
    if value[0] != _DOUBLE:
        raise ValueError("not doubles")
    return list(struct.unpack(f"{order}{value[1]}d", value[2]))


def _move(
    values: dict[int, tuple[int, int, bytes]], order: str, stride: tuple[int, int], offset: tuple[int, int]
) -> None:
    """Move and scale what maps pixels to the ground."""
    down, right = stride
    # Tie points and transformations count from the outer corner of the first pixel, or from its centre.
    half = 0.0 if _is_point(values, order) else 0.5
    x0, y0 = offset[1] + half * (1 - right), offset[0] + half * (1 - down)  # of the new origin, in old coordinates

    def put(tag: int, numbers: list[float]) -> None:
        values[tag] = (_DOUBLE, len(numbers), struct.pack(f"{order}{len(numbers)}d", *numbers))

    scale = _numbers(values[tiff_tags.PIXEL_SCALE], order) if tiff_tags.PIXEL_SCALE in values else None
    if tiff_tags.TIE_POINTS in values:
        points = _numbers(values[tiff_tags.TIE_POINTS], order)
        if len(points) % 6:
            raise ValueError("tie points are of six numbers")
        if len(points) == 6 and scale is not None:  # the usual form: the origin moves, and stays the tie
            points[3] += (x0 - points[0]) * scale[0]
            points[4] -= (y0 - points[1]) * scale[1]
            points[0] = points[1] = 0.0
        else:
            points[0::6] = [(column - x0) / right for column in points[0::6]]
            points[1::6] = [(row - y0) / down for row in points[1::6]]
        put(tiff_tags.TIE_POINTS, points)
    if scale is not None:
        put(tiff_tags.PIXEL_SCALE, [scale[0] * right, scale[1] * down, *scale[2:]])
    if tiff_tags.TRANSFORMATION in values:
        matrix = _numbers(values[tiff_tags.TRANSFORMATION], order)
        if len(matrix) != 16:
            raise ValueError("a transformation is of 16 numbers")
        for row in (0, 4, 8):
            matrix[row + 3] += matrix[row] * x0 + matrix[row + 1] * y0
            matrix[row] *= right
            matrix[row + 1] *= down
        put(tiff_tags.TRANSFORMATION, matrix)
    if tiff_tags.RPC in values:
        rpc = _numbers(values[tiff_tags.RPC], order)
        if len(rpc) != 92:
            raise ValueError("RPCs are 92 numbers")
        rpc[_LINE_OFFSET] = (rpc[_LINE_OFFSET] - offset[0]) / down  # from the centre of the first pixel
        rpc[_SAMPLE_OFFSET] = (rpc[_SAMPLE_OFFSET] - offset[1]) / right
        rpc[_LINE_SCALE] /= down
        rpc[_SAMPLE_SCALE] /= right
        put(tiff_tags.RPC, rpc)


def _is_point(values: dict[int, tuple[int, int, bytes]], order: str) -> bool:
    """Whether the GeoKeys say that samples are points, RasterPixelIsPoint, rather than areas."""
    _, count, keys = values.get(tiff_tags.GEO_KEYS, (3, 0, b""))
    numbers = struct.unpack(f"{order}{count}H", keys)
    return any(numbers[n : n + 4] == (_RASTER_TYPE, 0, 1, _POINT) for n in range(4, count, 4))


def _scale_calibration(values: dict[int, tuple[int, int, bytes]], order: str, stride: tuple[int, int]) -> None:
    """Scale the size of a pixel, as a resolution without a unit, ImageJ and OME-XML state it."""
    down, right = stride
    unit = values.get(tiff_tags.RESOLUTION_UNIT)
    if unit is not None and unit[2].strip(b"\0") == b"\1":
        for tag, step in ((tiff_tags.X_RESOLUTION, right), (tiff_tags.Y_RESOLUTION, down)):
            if tag in values and len(values[tag][2]) == 8:
                above, below = struct.unpack(order + "II", values[tag][2])
                if below * step < 2**32:
                    values[tag] = (5, 1, struct.pack(order + "II", above, below * step))
    description = values.get(tiff_tags.DESCRIPTION)
    if description is not None and b"<OME " in description[2][:2000]:
        text = description[2]
        for axis, step in ((b"X", right), (b"Y", down)):
            found = re.search(rb"PhysicalSize" + axis + rb'="([0-9.eE+-]+)"', text)
            if found is not None:
                text = text[: found.start(1)] + repr(float(found[1]) * step).encode() + text[found.end(1) :]
        values[tiff_tags.DESCRIPTION] = (2, len(text), text)
