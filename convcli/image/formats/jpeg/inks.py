"""CMYK and YCCK JPEGs made RGB, through their profile where they have one. Sources: ICC.1:2022; Adobe TN 5116."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convcli.image.formats import pillow_codec

_INKS = b"CMYK"


def rgb_of_inks(data: bytes, profile: bytes | None, name: str) -> tuple[NDArray[Any], str]:
    """Decode a JPEG of four inks and return it as RGB.

    Parameters
    ----------
    data : bytes
        The whole file, known to be sound.
    profile : bytes or None
        Its colour profile.
    name : str
        What messages call it.

    Returns
    -------
    ndarray, str
        Samples (H, W, 3), u8, sRGB where a profile says what the inks are, else (1 - ink)(1 - black); and a note.
    """
    from PIL import ImageCms

    with pillow_codec.opened(data, name, "JPEG", "JpegImagePlugin", "JpegImageFile") as inks:
        if profile is not None and profile[16:20] == _INKS:
            try:
                source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
                target = ImageCms.createProfile("sRGB")
                seen = ImageCms.profileToProfile(inks, source, target, outputMode="RGB")
            except (ImageCms.PyCMSError, OSError, ValueError):
                seen = None
            if seen is not None:
                return np.array(seen), "CMYK became sRGB through its profile, which is dropped"
        light = 255 - np.asarray(inks).astype(np.uint16)
    pixels = ((light[:, :, :3] * light[:, :, 3:] + 127) // 255).astype(np.uint8)
    if profile is not None:
        return pixels, "CMYK became RGB as (1 - ink)(1 - black): its profile is not one for inks, and is dropped"
    return pixels, "CMYK without a profile became RGB as (1 - ink)(1 - black)"
