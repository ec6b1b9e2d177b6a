"""How a JPEG was compressed: its quality, from its quantization table, and its chroma subsampling.

Source: ITU-T T.81, section B.2 and table K.1; the scaling of that table by a quality from 1 to 100 is that of the
Independent JPEG Group's software, which most programs have taken over.
"""

import struct
from functools import cache, lru_cache

# Table K.1, luminance, row by row, and where the k-th number of a file's zigzag lies in it.
_LUMINANCE = bytes.fromhex(
    "10 0b 0a 10 18 28 33 3d 0c 0c 0e 13 1a 3a 3c 37 0e 0d 10 18 28 39 45 38 0e 11 16 1d 33 57 50 3e"
    "12 16 25 38 44 6d 67 4d 18 23 37 40 51 68 71 5c 31 40 4e 57 67 79 78 65 48 5c 5f 62 70 64 67 63"
)
_ZIGZAG = sorted(range(64), key=lambda i: (i // 8 + i % 8, i // 8 if (i // 8 + i % 8) % 2 else i % 8))
_ROUNDING = 1  # programs differ in how they round

# The luma's horizontal and vertical sampling factors over the chromas', and what that is called.
_SUBSAMPLINGS = {(1, 1): "4:4:4", (2, 1): "4:2:2", (2, 2): "4:2:0", (1, 2): "4:4:0", (4, 1): "4:1:1"}
_TURNED = {"4:2:2": "4:4:0", "4:4:0": "4:2:2", "4:1:1": None}


def read_tables(body: bytes | memoryview) -> dict[int, tuple[int, ...]]:
    """Read the quantization tables of a DQT segment.

    Parameters
    ----------
    body : bytes-like
        The segment behind its length.

    Returns
    -------
    dict
        By number, 64 values in the zigzag order of the file; of a cut segment, the tables before the cut.
    """
    tables: dict[int, tuple[int, ...]] = {}
    place = 0
    while place < len(body):
        precision, number = body[place] >> 4, body[place] & 15
        form = ">64H" if precision else ">64B"
        stop = place + 1 + struct.calcsize(form)
        if stop > len(body):
            break
        tables[number] = struct.unpack(form, body[place + 1 : stop])
        place = stop
    return tables


@lru_cache(maxsize=64)  # the pictures of one camera have few tables between them
def quality_of(table: tuple[int, ...]) -> int | None:
    """Return the quality that a luma table stands for in the Independent JPEG Group's software.

    Parameters
    ----------
    table : tuple of int
        64 values in zigzag order.

    Returns
    -------
    int or None
        1 to 100; None where the table is of another making.

    Examples
    --------
    >>> quality_of((1,) * 64), quality_of((16,) * 64)
    (100, None)
    """
    differences = (
        (sum(map(abs, gaps)), -quality)
        for quality, known in _known_tables().items()
        if max(map(abs, gaps := [a - b for a, b in zip(table, known, strict=True)])) <= _ROUNDING
    )
    nearest = min(differences, default=None)
    return None if nearest is None else -nearest[1]


@cache
def _known_tables() -> dict[int, tuple[int, ...]]:
    tables = {}
    for quality in range(1, 101):
        scale = 5000 // quality if quality < 50 else 200 - 2 * quality
        tables[quality] = tuple(min(255, max(1, (_LUMINANCE[place] * scale + 50) // 100)) for place in _ZIGZAG)
    return tables


def subsampling_of(factors: list[tuple[int, int]]) -> str | None:
    """Return the chroma subsampling of three components.

    Parameters
    ----------
    factors : list of (int, int)
        Horizontal and vertical sampling factors of each component.

    Returns
    -------
    str or None
        As `4:2:0`; None for factors without a name.

    Examples
    --------
    >>> subsampling_of([(2, 2), (1, 1), (1, 1)])
    '4:2:0'
    """
    if len(factors) != 3 or factors[1] != factors[2] or 0 in factors[1]:
        return None
    (across, down), (chroma_across, chroma_down), _ = factors
    if across % chroma_across or down % chroma_down:
        return None
    return _SUBSAMPLINGS.get((across // chroma_across, down // chroma_down))


def turned_subsampling(subsampling: str | None) -> str | None:
    """Return the name of a subsampling once the picture is turned by a quarter; None where it has no name."""
    return None if subsampling is None else _TURNED.get(subsampling, subsampling)
