"""ImageMagick's kernel strings, `3x3+0+1: 0,-1,0 -1,5,-1 nan,-1,0`, and numbers behind `HxW:`.

As in ImageMagick, the size is width x height where numbers are split by commas, or an origin or a hole (`nan`, `-`) is
there. Numbers split by blanks alone follow rows x columns, as everywhere else: `1x9:` is one row of nine. Both are the
same for squares. Holes have weight 0. The weights are laid on the image as they are written, as `-convolve` does;
`-morphology Convolve` turns them by 180 degrees, which `rotate=180` in the SPEC does, too.
"""

import re

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.files.matrix_file import MatrixFile, number_rows, single, text_of
from convcli.kernel.model import AnyKernel
from convcli.kernel.weights import MAX_WEIGHTS, parse_number

HEAD = re.compile(
    r"\s*(?P<first>\d{1,9})(?:[xX](?P<second>\d{1,9}))?(?P<origin>[+-]\d{1,9}[+-]\d{1,9})?(?P<turns>[@<>^]*)\s*:"
)
_COMMENT = re.compile(r"#.*")
_HOLE = re.compile(r"-|[+-]?nan", re.IGNORECASE)


def parse(text: str, where: str) -> MatrixFile:
    """Read a kernel string.

    Parameters
    ----------
    text : str
        `WxH: numbers`, `WxH+X+Y: numbers` or `N: numbers` for a square.
    where : str
        What stands before messages.

    Returns
    -------
    MatrixFile
        The weights as written. Without an origin, that of an even size is ImageMagick's, `(size - 1) // 2`, where the
        string is one of ImageMagick's.

    Raises
    ------
    KernelError
        For a list of kernels, a wrong count of numbers, an origin outside, and what is no number.

    Examples
    --------
    >>> parse("3x2: 1,2,3 4,-,6", "kernel").weights.tolist()
    [[1.0, 2.0, 3.0], [4.0, 0.0, 6.0]]
    >>> parse("1x3: 1 2 1", "kernel").weights.tolist()
    [[1.0, 2.0, 1.0]]
    """
    head = HEAD.match(text)
    if head is None:
        raise KernelError("must begin with its size, as in '3x3: 0,-1,0 -1,5,-1 0,-1,0'", where=where)
    body = text[head.end() :]
    if head["turns"] or any(HEAD.match(part) for part in re.split(r"[;\n]", body)):
        what = "holds several kernels, or one that ImageMagick turns into several"
        raise KernelError(what, where=where, advice="give one, or each with a -k of its own")
    cells = re.split(r"[\s;]*,[\s;]*|[\s;]+", body.strip(" \t\n\r;,"))
    holes = [_HOLE.fullmatch(cell) is not None for cell in cells]
    first, second = int(head["first"]), int(head["second"] or head["first"])
    width_first = "," in body or head["origin"] is not None or any(holes)
    height, width = (second, first) if width_first else (first, second)
    size = f"{first}x{second}"
    if not 0 < height * width <= MAX_WEIGHTS:
        raise KernelError(f"{size} is no size of a kernel", where=where)
    if len(cells) != height * width or cells == [""]:
        count = 0 if cells == [""] else len(cells)
        raise KernelError(f"{size} takes {height * width} numbers, not {count}", where=where)
    try:
        values = [0.0 if hole else parse_number(cell) for cell, hole in zip(cells, holes, strict=True)]
    except ValueError as error:
        raise KernelError(str(error), where=where) from error
    weights = np.array(values).reshape(height, width)
    anchor = ((height - 1) // 2, (width - 1) // 2) if width_first else (height // 2, width // 2)
    if head["origin"]:
        x, y = map(int, re.findall(r"[+-]\d+", head["origin"]))
        if not (0 <= x < width and 0 <= y < height):
            raise KernelError(f"the origin {head['origin']} lies outside {size}", where=where)
        anchor = y, x
    turned = np.array_equal(weights, weights[::-1, ::-1]) and anchor == (height // 2, width // 2)
    notes = []
    if width_first and height != width:
        notes.append(f"{size} is read as ImageMagick does, width first: {height} rows, {width} columns")
    if width_first and not turned:
        notes.append(
            "laid on as written, as ImageMagick's -convolve does; -morphology Convolve turns it first: add :rotate=180"
        )
    return MatrixFile(weights, None if anchor == (height // 2, width // 2) else anchor, notes=tuple(notes))


def read(data: bytes, where: str) -> MatrixFile:
    """Read a file that holds a kernel string. Raises KernelError."""
    return parse(_COMMENT.sub("", text_of(data, where)), where)


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    r"""Return the string that ImageMagick's -convolve takes for the same response.

    >>> from convcli.kernel.model import Kernel
    >>> write(Kernel("step", [[-1, 0.5]])), write(Kernel("sum", [[1, 1, 1]]))
    (b'2x1+1+0: -1,0.5\n', b'3x1: 1,1,1\n')
    """
    kernel = single(kernel, "ImageMagick's notation")
    height, width = kernel.size
    place = "" if kernel.origin == ((height - 1) // 2, (width - 1) // 2) else "+{1}+{0}".format(*kernel.origin)
    rows = [",".join(row) for row in number_rows(kernel)]
    # A comma, which says whose order the size has, stands between any two numbers of a column, too.
    return f"{width}x{height}{place}: {(', ' if width == 1 else ' ').join(rows)}\n".encode()
