"""The notations of kernels: what each is called, its suffixes, and the module that reads and writes it.

A notation is a module and a line in the table below. The module has one or both of two functions:

- `read(data: bytes, where: str) -> KernelFile | MatrixFile` reads a file, raising KernelError with the place in it.
- `write(kernel: Kernel, origin: str) -> bytes` returns a file that reads back to the same weights.

The suffix of a file decides its notation, and its content where the suffix is `.txt`, unknown or missing. The floor of
images adds the notation of pictures (`register`), since decoding them is not this floor's work. Nothing here loads
numpy or YAML, so that names are completed quickly.
"""

from pathlib import PurePath
from typing import NamedTuple

from convcli.errors import OutputError, nearest


class Notation(NamedTuple):
    """One notation.

    Parameters
    ----------
    name : str
        What `kernels export --to` calls it.
    about : str
        What it is, for people.
    suffixes : tuple of str
        Of its files, in lower case, the one it is written with first.
    module : str
        The module that reads and writes it.
    reads, writes : bool
        Whether the module does.
    text : bool
        Whether it is text, of which 4 MB are read at most.
    named : bool
        Whether a file of it in a folder of kernels is found by its name.
    anchored : bool
        Whether it holds which weight lies over the output pixel.
    signed : bool
        Whether it holds negative weights.
    """

    name: str
    about: str
    suffixes: tuple[str, ...]
    module: str
    reads: bool = True
    writes: bool = True
    text: bool = True
    named: bool = True
    anchored: bool = False
    signed: bool = True


_HERE = "convcli.kernel.files"
NOTATIONS: dict[str, Notation] = {
    each.name: each
    for each in (
        Notation(
            "yaml", "YAML, with name, anchor and all else", (".yaml", ".yml"), f"{_HERE}.yaml_notation", anchored=True
        ),
        Notation("text", "rows of numbers", (".txt",), f"{_HERE}.table", named=False),
        Notation("csv", "rows of numbers split by commas", (".csv",), f"{_HERE}.csv_table"),
        Notation("json", "a list of rows", (".json",), f"{_HERE}.json_notation"),
        Notation("npy", "a 2-D array of NumPy", (".npy",), f"{_HERE}.npy_array", text=False),
        Notation("imagemagick", "ImageMagick's WxH+X+Y: list", (".im",), f"{_HERE}.imagemagick", anchored=True),
        Notation("libvips", "libvips' matrix with scale", (".mat",), f"{_HERE}.libvips"),
        Notation("svg", "SVG's feConvolveMatrix", (".svg",), f"{_HERE}.svg", writes=False, named=False),
        Notation("c", "an array in C", (".h", ".c"), f"{_HERE}.c_array", reads=False, anchored=True),
        Notation("python", "an array in Python", (".py",), f"{_HERE}.python_array", reads=False, anchored=True),
    )
}

# What is read where neither suffix nor content say more, and written where no suffix does.
DEFAULT = "yaml"


def register(notation: Notation) -> None:
    """Add a notation of a floor above."""
    NOTATIONS[notation.name] = notation


def notation_of(suffix: str) -> Notation | None:
    """Return the notation of a suffix, in any case, or None.

    >>> notation_of(".YML").name, notation_of(".kernel")
    ('yaml', None)
    """
    suffix = suffix.lower()
    return next((each for each in NOTATIONS.values() if suffix in each.suffixes), None)


def written_notation(path: str | None, name: str | None = None) -> Notation:
    """Return the notation that a kernel is written in: the named one, or else what the suffix of its file says.

    Parameters
    ----------
    path : str or None
        The file; None for standard output.
    name : str, optional
        The name of a notation.

    Raises
    ------
    OutputError
        For an unknown name or suffix, and what is read only.

    Examples
    --------
    >>> written_notation("k.csv").name, written_notation(None).name, written_notation(None, "npy").name
    ('csv', 'yaml', 'npy')
    """
    written = [each for each in NOTATIONS.values() if each.writes]
    if name is not None:
        names = [each.name for each in written]
        if name not in names:
            raise OutputError(f"unknown notation {name!r}: expected {', '.join(names)}{nearest(name, names)}")
        return NOTATIONS[name]
    suffix = "" if path is None else PurePath(path).suffix.lower()
    if not suffix:
        return NOTATIONS[DEFAULT]
    found = next((each for each in written if suffix in each.suffixes), None)
    if found is None:
        known = ", ".join(suffix for each in written for suffix in each.suffixes)
        raise OutputError(f"kernels are not written as {suffix}: expected {known}", where=str(path))
    return found


def suffixes(*, named: bool = False) -> tuple[str, ...]:
    """Return the suffixes of all notations that are read, or of those that are found by name; the first ones win."""
    kinds = [each for each in NOTATIONS.values() if each.reads and (each.named or not named)]
    return tuple(suffix for each in kinds for suffix in each.suffixes)
