"""PBM, PGM, PPM, PNM, PAM and PFM: their descriptions here, the codec beside.

Source: the pbm, pgm, ppm and pam manual pages of Netpbm; Paul Debevec's PFM.
"""

import re
from typing import BinaryIO

from convcli.image.formats.registry import Format

_CODEC = "convcli.image.formats.netpbm.codec"
_HEADER_BYTES = 4096
_WORD = re.compile(rb"(?:\s|#[^\n]*\n)*([^\s#]+)")
_SHORT = 256  # the least largest value whose samples take two bytes


def header_words(data: bytes, number: int) -> tuple[list[bytes], int]:
    """Return the first words of the header behind its magic, at most `number`, and the place of the blank behind."""
    words: list[bytes] = []
    place = 2
    while len(words) < number and (match := _WORD.match(data, place)) is not None:
        words.append(match[1])
        place = match.end()
    return words, place


def pam_fields(header: bytes) -> dict[bytes, bytes]:
    """Return what the lines of a PAM's header say, by their first words."""
    fields = {}
    for line in header[3:].splitlines():
        key, _, value = line.strip().partition(b" ")
        fields[key] = value.strip()
    return fields


def _decoded_bytes(file: BinaryIO) -> int | None:
    data = file.read(_HEADER_BYTES)
    if data.startswith(b"P7"):
        fields = pam_fields(data.partition(b"ENDHDR")[0])
        width, height, channels, most = (
            int(fields.get(key, b"0")) for key in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL")
        )
        return width * height * channels * (1 if most < _SHORT else 2)
    words, _ = header_words(data, 3)
    channels = 3 if data[1:2] in (b"3", b"6", b"F") else 1
    if data[1:2] in (b"F", b"f"):
        sample_bytes = 4
    else:
        sample_bytes = 2 if data[1:2] not in (b"1", b"4") and int(words[2]) >= _SHORT else 1
    return int(words[0]) * int(words[1]) * channels * sample_bytes


def _magic(*letters: bytes) -> tuple[bytes, ...]:
    return tuple(b"P" + letter + blank for letter in letters for blank in (b" ", b"\t", b"\r", b"\n"))


def _netpbm(
    name: str,
    depths: tuple[str, ...],
    channels: tuple[int, ...],
    signatures: tuple[bytes, ...] = (),
    only_read: str = "",
) -> Format:
    return Format(
        name=name,
        title=name.upper(),
        suffixes=(f".{name}",),
        codec=_CODEC,
        depths=depths,
        channels=channels,
        signatures=signatures,
        decoded_bytes=_decoded_bytes,
        only_read=only_read,
    )


FORMATS = (
    _netpbm("pbm", ("u8",), (1,), _magic(b"1", b"4"), only_read="with its two shades"),
    _netpbm("pgm", ("u8", "u16"), (1,), _magic(b"2", b"5")),
    _netpbm("ppm", ("u8", "u16"), (3,), _magic(b"3", b"6")),
    _netpbm("pnm", ("u8", "u16"), (1, 3)),
    _netpbm("pam", ("u8", "u16"), (1, 2, 3, 4), _magic(b"7")),
    _netpbm("pfm", ("f32",), (1, 3), _magic(b"F", b"f")),
)
