"""Which notation a file of unknown suffix, or standard input, is written in: what its first words say."""

import re

from convcli.kernel.files.imagemagick import HEAD
from convcli.kernel.files.notations import DEFAULT, NOTATIONS, Notation
from convcli.kernel.weights import NOT_FINITE, NUMBER_OR_FRACTION

_PICTURE = re.compile(rb"\x89PNG|II[*+]\0|MM\0[*+]|P[1-7fF]\s|\xff\xd8\xff|BM|RIFF|GIF8", re.DOTALL)
_COMMENTS = re.compile(r"\s*(?:#.*\s*)*")
_LISTED = 64  # lines looked at, to tell a matrix of libvips' from a table


def recognise(data: bytes) -> Notation:
    r"""Return the notation of a kernel file by its content.

    Parameters
    ----------
    data : bytes
        The file.

    Returns
    -------
    Notation
        YAML where nothing says otherwise; pictures only where the floor of images is there to read them.

    Examples
    --------
    >>> recognise(b"3x3+0+0: 1,2,3 ...").name, recognise(b"# mine\n1 2\n3 4").name, recognise(b"[[1, 2]]").name
    ('imagemagick', 'text', 'json')
    """
    return NOTATIONS[_name(data)]


def _name(data: bytes) -> str:
    if data.startswith(b"\x93NUMPY"):
        return "npy"
    if "picture" in NOTATIONS and _PICTURE.match(data):
        return "picture"
    text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    if "kernelMatrix" in text:
        return "svg"
    text = text[_COMMENTS.match(text).end() :]  # type: ignore[union-attr]  # an empty match is one, too
    if text.startswith("["):
        return "json"
    if HEAD.match(text):
        return "imagemagick"
    first = re.split(r"[\s,;]", text, maxsplit=1)[0]
    if NUMBER_OR_FRACTION.fullmatch(first) or NOT_FINITE.fullmatch(first):
        return "libvips" if _has_header(text) else "text"
    return DEFAULT


def _has_header(text: str) -> bool:
    """Whether the first line holds the width and height of the rest, and is no row of the same table."""
    lines = [line.split() for line in text.splitlines()[:_LISTED] if line.strip()]
    if len(lines) < 2 or not 2 <= len(lines[0]) <= 4 or len(lines[0]) == len(lines[1]):
        return False
    width, height = lines[0][:2]
    return width == str(len(lines[1])) and (height == str(len(lines) - 1) or len(lines) == _LISTED)
