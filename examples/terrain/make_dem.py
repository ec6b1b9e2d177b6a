"""Make dem.tif: a small elevation model of invented hills, with a lake and a strip that no flight has seen.

Heights are whole metres, i16; -9999 is missing, as its GDAL_NODATA tag says; pixels are 30 m wide, in UTM zone 32.
"""

import struct
from pathlib import Path

import numpy as np
import tifffile

NODATA = -9999
_SCALE, _TIE_POINT, _KEYS, _NODATA = 33550, 33922, 34735, 42113
_DOUBLE, _SHORT, _ASCII = 12, 3, 2


def heights() -> np.ndarray:
    """Hills from a sum of waves, rougher where they are higher."""
    random = np.random.default_rng(12)
    rows, columns = np.mgrid[:120, :160]
    ground = np.zeros(rows.shape)
    for octave in range(1, 7):
        for _ in range(4):
            angle, phase = random.uniform(0, 2 * np.pi, 2)
            along = rows * np.sin(angle) + columns * np.cos(angle)
            ground += np.sin(2 * np.pi * along * 2**octave / 400 + phase) / 2**octave
    ground = 620 + 240 * ground + random.normal(0, 3, rows.shape)
    metres = np.rint(ground).astype(np.int16)
    lake = ((rows - 78) / 16) ** 2 + ((columns - 52) / 25) ** 2 < 1
    metres[lake | (abs(columns - rows // 4 - 110) < 3)] = NODATA
    return metres


def main() -> None:
    """Write dem.tif beside this file."""
    # Model type projected, raster type area, EPSG:32632.
    keys = (1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, 32632)
    text = f"{NODATA}\0".encode()
    tags = [
        (_SCALE, _DOUBLE, 3, struct.pack("<3d", 30, 30, 0), True),
        (_TIE_POINT, _DOUBLE, 6, struct.pack("<6d", 0, 0, 0, 600000, 5200000, 0), True),
        (_KEYS, _SHORT, len(keys), struct.pack(f"<{len(keys)}H", *keys), True),
        (_NODATA, _ASCII, len(text), text, True),
    ]
    tifffile.imwrite(
        Path(__file__).with_name("dem.tif"),
        heights(),
        byteorder="<",
        compression="adobe_deflate",
        predictor=True,
        extratags=tags,
        metadata=None,
        software=False,
    )


if __name__ == "__main__":
    main()
