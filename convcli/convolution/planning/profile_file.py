"""The files that a profile is kept in: their form, and the check of every one that is read.

Imports msgspec, which takes some milliseconds where no kernel file has loaded it: only for a file that is there.
"""

import math
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

Key = dict[str, str | int]

# The dearest unit of any term is a start of something, which takes less than this many seconds.
_DEAREST = 1000.0

_LONGEST_SHOWN = 60


class Stored(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What every such file says: for which machine and libraries it holds, and when it was written, in UTC."""

    key: Key
    written: str


class StoredProfile(Stored, forbid_unknown_fields=True, kw_only=True):
    """Seconds for a unit of each cost term."""

    coefficients: dict[str, float]


class StoredWisdom(Stored, forbid_unknown_fields=True, kw_only=True):
    """What FFTW has learnt, for each of its precisions, in its own notation.

    The checksum is ours: FFTW ends the process, rather than refuse, where a number of its wisdom was changed.
    """

    double: str
    single: str
    long_double: str
    checksum: str


def checksum_of(*parts: bytes) -> str:
    """Return the CRC-32 of bytes in hexadecimal, which finds any one number that was changed.

    It holds damage off, not somebody who may write into the folder of caches: that is the user alone.
    """
    import zlib  # only where there is wisdom, which few runs look for

    return f"{zlib.crc32(b'/'.join(parts)):08x}"


Kind = TypeVar("Kind", bound=Stored)


def encode(stored: Stored) -> bytes:
    """Write a file's content as JSON that people can read."""
    return msgspec.json.format(msgspec.json.encode(stored), indent=2) + b"\n"


def read_stored(path: Path, kind: type[Kind], largest: int, key: Key) -> Kind:
    """Read a file of at most `largest` bytes that holds for `key`.

    Raises
    ------
    ValueError
        with the reason in a few words, where there is nothing to be made of it.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a FIFO would wait for ever
            raise ValueError("it is not a file: remove it")
        with open(path, "rb") as file:
            data = file.read(largest + 1)
    except OSError as error:
        raise ValueError(f"{error.strerror or error}".lower()) from error
    if len(data) > largest:
        raise ValueError(f"it is larger than {largest} bytes")
    try:
        stored = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"it is damaged, {_lower(str(error))}") from error
    for name in sorted({*key, *stored.key}):
        theirs, ours = stored.key.get(name), key.get(name)
        if theirs != ours:
            raise ValueError(f"it is for {name} {_short(theirs)}, and this is {_short(ours)}")
    return stored


def wisdom_parts(stored: StoredWisdom) -> tuple[bytes, bytes, bytes]:
    """Return wisdom (double, single, long double) that is as it was written.

    Raises ValueError, with the reason in a few words, where it is not.
    """
    parts = stored.double.encode("ascii"), stored.single.encode("ascii"), stored.long_double.encode("ascii")
    if stored.checksum != checksum_of(*parts):
        raise ValueError("it is damaged, its checksum is another")
    return parts


def check_coefficients(coefficients: Mapping[str, float], known: Mapping[str, float]) -> None:
    """Check that there is a coefficient for every term that is known, each a time that a unit may take.

    Raises ValueError, with the reason in a few words.

    >>> check_coefficients({"direct.calls": -1.0}, {"direct.calls": 1e-5})
    Traceback (most recent call last):
    ValueError: its direct.calls is -1.0, and a unit takes 0 to 1000 seconds
    """
    for term in known:
        if term not in coefficients:
            raise ValueError(f"it lacks {term}")
    for term, seconds in coefficients.items():
        if term not in known:
            raise ValueError(f"it has a term unknown here, {_short(term)}")
        if not (math.isfinite(seconds) and 0.0 <= seconds <= _DEAREST):
            raise ValueError(f"its {term} is {seconds!r}, and a unit takes 0 to {_DEAREST:.0f} seconds")


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:] if not text.startswith("JSON") else text
