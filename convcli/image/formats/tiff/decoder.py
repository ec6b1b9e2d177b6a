"""TIFF read by tifffile and imagecodecs.

Source: TIFF 6.0; Adobe Photoshop TIFF technical notes (alpha, ICC); CIPA DC-008, section 4.6.
"""

import io
import logging
import math
from dataclasses import replace

import tifffile

from convcli.errors import ImageReadError
from convcli.image.formats import opencv_codec
from convcli.image.formats.tiff.pages import AGAIN, check_whole, metadata_of, orientation_of_page, picture_of
from convcli.image.formats.tiff.samples import DAMAGE, UnreadableError, bands_of
from convcli.image.metadata.tiff_tags import GDAL_NODATA, nodata_text, nodata_value
from convcli.image.model import Image, Metadata, TiffTags

# tifffile logs what it finds odd; without a handler, Python would print that on stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())
logging.getLogger("tifffile").propagate = False


def decode(data: bytes, name: str, threads: int, page: str | None) -> Image:
    """Decode the first full-size page of a TIFF.

    Parameters
    ----------
    data : bytes
        The whole file.
    name : str
        What messages call it.
    threads : int
        How many cores decode strips and tiles.
    page : str or None
        `preview` for the preview of a camera's raw file.

    Returns
    -------
    Image
        Upright, with every band in its role. Notes say what was changed and what is left out.

    Raises
    ------
    ImageReadError
        For a file that is cut short, damaged, too large, or of a kind that is not decoded.
    """
    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            picture = picture_of(file, data, name, page)
            check_whole(picture.page, data, name)
            bands = bands_of(picture.page, data, name, threads)
            metadata, lost = metadata_of(picture, data)
    except ImageReadError:
        raise
    except UnreadableError as error:
        raise ImageReadError(f"{name}: {error}") from None
    except DAMAGE as error:
        raise ImageReadError(f"{name}: truncated or damaged TIFF ({_one_line(error)}); {AGAIN}") from None
    except MemoryError:
        raise ImageReadError(f"{name}: the TIFF asks for more memory than there is; cut it up") from None
    nodata = None
    if metadata.tiff_tags is not None and GDAL_NODATA in metadata.tiff_tags.values:
        stated = nodata_value(metadata.tiff_tags.values[GDAL_NODATA][2])
        nodata = None if stated is None else bands.nodata(stated)
        metadata = _with_nodata(metadata, stated, nodata)
        if stated is not None and nodata is None:
            lost.append("the nodata value is dropped: it is none of a palette's colours")
    if bands.converted:
        metadata = replace(metadata, icc=None)
    return Image(
        opencv_codec.turn_upright(bands.pixels, orientation_of_page(picture.page)),
        "alpha" in bands.roles,
        metadata,
        "tiff",
        (*picture.notes, *bands.notes, *lost),
        roles=bands.roles,
        alpha_place=bands.alpha_place,
        nodata=nodata,
    )


def _with_nodata(metadata: Metadata, stated: float | None, nodata: float | None) -> Metadata:
    """Let the nodata tag say what it is of the samples in memory."""
    tags = metadata.tiff_tags
    if tags is None or stated is None or stated == nodata or (nodata is not None and math.isnan(nodata)):
        return metadata
    values = dict(tags.values)
    if nodata is None:
        del values[GDAL_NODATA]
    else:
        text = nodata_text(nodata)
        values[GDAL_NODATA] = (2, len(text), text)
    return replace(metadata, tiff_tags=TiffTags(tags.order, values))


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
