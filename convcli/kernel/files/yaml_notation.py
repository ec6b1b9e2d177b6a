"""Kernel files in YAML, the notation of the catalogue: all keys of `KernelFile`, and weights that keep every bit."""

from convcli.errors import KernelError
from convcli.kernel.files.description import KernelFile
from convcli.kernel.files.matrix_file import number_text
from convcli.kernel.model import AnyKernel, CompositeKernel, Kernel
from convcli.system.checked_structs import StructError, read_struct
from convcli.system.small_file import MAX_TEXT_BYTES, SmallFileError, decode_text
from convcli.system.yaml_text import YamlTextError, parse_yaml

# Columns of larger kernels are not aligned: nobody reads them, and blanks would double the file.
_LARGEST_ALIGNED = 1024
_WORDS_OF_YAML = ("true", "false", "null", "yes", "no", "on", "off", "y", "n")


def read(data: bytes, where: str) -> KernelFile:
    """Read a kernel file.

    Parameters
    ----------
    data : bytes
        YAML: a mapping, or a list of rows.
    where : str
        The file, for messages.

    Returns
    -------
    KernelFile
        What it says, each key checked for itself.

    Raises
    ------
    KernelError
        Naming the file, the line or key path, and the reason.
    """
    try:
        document = parse_yaml(decode_text(data, where), where)
        if isinstance(document, list) and document and all(isinstance(row, list) for row in document):
            document = {"weights": document}
        return read_struct(document, KernelFile)
    except (SmallFileError, YamlTextError) as error:
        raise error.as_kind(KernelError) from error
    except StructError as error:
        raise error.at(where).as_kind(KernelError) from error


def write(kernel: AnyKernel, origin: str = "") -> bytes:
    """Return the text of a kernel file: weights in full precision, or the parts of a composite.

    Parameters
    ----------
    kernel : Kernel or CompositeKernel
        The kernel.
    origin : str, optional
        The SPEC it came from, for a comment.

    Returns
    -------
    bytes
        YAML that loads back to the same weights, bit by bit.

    Raises
    ------
    KernelError
        For a kernel so large that its file could not be read back.

    Examples
    --------
    >>> print(write(Kernel("corner", [[-1, 0], [0.1, 1e-7]])).decode(), end="")
    name: corner
    weights:
      - [     -1,       0]
      - [    0.1, 1.0e-07]
    """
    lines = [f"# From: {_printable(' '.join(origin.split()))}"] if origin else []
    lines.append(f"name: {_name(kernel.name)}")
    if kernel.summary:
        lines.append(f"summary: {_text(kernel.summary)}")
    if isinstance(kernel, CompositeKernel):
        lines.append("kernels:")
        for part in kernel.kernels:
            lines.append(f"  - name: {_name(part.name)}")
            lines += (f"    {line}" for line in _weights(part))
        lines.append(f"combine: {kernel.combine}")
        if kernel.threshold:
            lines.append(f"threshold: {_number(kernel.threshold)}")
    else:
        lines += _weights(kernel)
    if kernel.mapping:
        lines.append(f"mapping: {kernel.mapping}")
    if kernel.reference:
        lines.append(f"reference: {_text(kernel.reference)}")
    text = ("\n".join(lines) + "\n").encode()
    if len(text) > MAX_TEXT_BYTES:
        height, width = kernel.size if isinstance(kernel, Kernel) else kernel.kernels[0].size
        what = f"{height}x{width} weights make a file of more than {MAX_TEXT_BYTES} bytes, which would not load"
        raise KernelError(what, where=kernel.name)
    return text


def _weights(kernel: Kernel) -> list[str]:
    rows = [[_number(value) for value in row] for row in kernel.weights.tolist()]
    width = max(len(cell) for row in rows for cell in row) if kernel.weights.size <= _LARGEST_ALIGNED else 0
    lines = ["weights:", *(f"  - [{', '.join(cell.rjust(width) for cell in row)}]" for row in rows)]
    if kernel.anchor is not None:
        lines.append(f"anchor: {list(kernel.anchor)}")
    return lines


def _number(value: float) -> str:
    text = number_text(value)
    if "e" in text and "." not in text:  # older YAML readers take 1e-05 for text
        text = text.replace("e", ".0e")
    return text


def _name(name: str) -> str:
    """Return a kernel's name, in quotes where it is more than a word: the name of a file may hold anything."""
    plain = name.isascii() and name.isidentifier() and name.lower() not in _WORDS_OF_YAML
    return name if plain else _text(_printable(name))


def _printable(text: str) -> str:
    """Return text without what no YAML file may hold: bytes of a file's name that are no text, control characters."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _text(text: str) -> str:
    from json import dumps  # only a kernel that is written needs it

    # A JSON string is a YAML string whatever it holds: colons, quotes, line ends.
    return dumps(text.encode("utf-8", "replace").decode(), ensure_ascii=False)
