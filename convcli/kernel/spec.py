"""SPECs: how a kernel is written on a command line.

A SPEC is a base, and parameters after it: `BASE:param=value,param=value`, split at the last `:` that is followed by
`word=`. What the base is follows from its form alone, so that no file in the current folder changes a meaning:

1. it is `-`: a kernel file on standard input;
2. it ends in the suffix of a notation (`.yaml`, `.csv`, `.npy`, ...): the path of a kernel file;
3. its first word is a number or a fraction, or it holds a `;`: weights, rows split by `;` or line ends;
4. it begins with a size and a colon (`3x3:`, `1x9:`, `3x3+0+1:`), or with `[[`: weights in ImageMagick's or JSON's
   form;
5. it holds a `/`, or ends in another suffix: a path;
6. anything else: a name, looked up in the shipped catalogue, then in the user's folders.

Beside its family's parameters every single kernel takes `normalize` and `rotate` (added to the file's own turn).
"""

import os
import re
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import BinaryIO

from convcli.errors import KernelError
from convcli.kernel.catalogue import find
from convcli.kernel.files.notations import Notation, notation_of, suffixes
from convcli.kernel.model import AnyKernel, Kernel
from convcli.kernel.weights import NOT_FINITE, NUMBER_OR_FRACTION
from convcli.system.small_file import SmallFileError, read_file, read_stream
from convcli.system.user_folders import expand_user

STANDARD_INPUT = "-"
_SUFFIX = re.compile(r".*[^./\\]\.[A-Za-z][A-Za-z0-9]{0,7}", re.DOTALL)
_SIZED = re.compile(r"\d+(x\d+)?([+-]\d+[+-]\d+)?[@<>^]*\s*:", re.IGNORECASE)
_LISTED = re.compile(r"\[\s*[\[\d.+-]")
# 128 MB of float64, and what stands around it.
_MOST_BYTES = (1 << 27) + (1 << 16)
_PARAMETERS = re.compile(r"(?P<base>.*):(?P<parameters>\s*\w+\s*=.*)", re.DOTALL)


def load_kernel(spec: str) -> AnyKernel:
    """Return the kernel that a SPEC stands for.

    Parameters
    ----------
    spec : str
        A name (`sobel_x`), a name with parameters (`gaussian:sigma=2`), the path of a kernel file in any notation, `-`
        for one on standard input, or weights (`0 -1 0; -1 5 -1; 0 -1 0`).

    Returns
    -------
    Kernel or CompositeKernel
        The kernel; composites such as `sobel` combine the responses of several.

    Raises
    ------
    KernelError
        For a SPEC that stands for none: one line with where, what is wrong, and what to do.

    Examples
    --------
    >>> load_kernel("0 -1 0; -1 5 -1; 0 -1 0").weights
    array([[ 0., -1.,  0.],
           [-1.,  5., -1.],
           [ 0., -1.,  0.]])
    >>> load_kernel("gaussian:sigma=2").size
    (17, 17)
    >>> load_kernel("qq:sigma=2")
    Traceback (most recent call last):
    convcli.kernel.synonyms.UnknownKernelError: unknown kernel 'qq'; `convcli kernels list` shows them all
    """
    return _load(spec, beside=(), composites=True)


def load_kernel_file(path: str | os.PathLike[str]) -> AnyKernel:
    """Return the kernel in a file, whatever the file is called.

    Parameters
    ----------
    path : str or os.PathLike
        A file in one of the notations, or `-` for standard input. Where the suffix says no notation, the content does.

    Returns
    -------
    Kernel or CompositeKernel
        The kernel.

    Raises
    ------
    KernelError
        Naming the file, the key path and the reason.
    """
    return _load_file(Path(path), {}, composites=True)


def split_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split a SPEC into its base and its parameters, as text.

    Raises
    ------
    KernelError
        For parameters that are not written `param=value`, or given twice.

    Examples
    --------
    >>> split_spec("gabor:sigma=4,theta=45")
    ('gabor', {'sigma': '4', 'theta': '45'})
    """
    match = _PARAMETERS.fullmatch(spec)
    if match is None:
        return spec.strip(), {}
    base = match["base"].strip()
    if re.fullmatch(r"\w+:\s*\w+\s*=[^/]*", base) and not base.lower().endswith(suffixes()):
        commas = re.sub(r":(?=\s*\w+\s*=)", ",", spec).replace(",", ":", 1)
        raise KernelError("parameters are separated by commas", where=spec, advice=f"write {commas}")
    parameters: dict[str, str] = {}
    for part in match["parameters"].split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if re.search(r"[\s;&:]\w+\s*=", value):
            commas = re.sub(r"[\s;&]+(?=\w+\s*=)", ",", spec)
            raise KernelError("parameters are separated by commas", where=spec, advice=f"write {commas}")
        if not equals or not name or not value:
            raise KernelError(f"parameters are written param=value,param=value, not {part.strip()!r}", where=spec)
        if name in parameters:
            raise KernelError(f"the parameter {name!r} is given twice", where=spec)
        parameters[name] = value
    return base, parameters


def _load(spec: str, beside: tuple[Path, ...], composites: bool, changes: Mapping[str, str] | None = None) -> AnyKernel:
    base, parameters = split_spec(spec)
    parameters |= changes or {}
    if not base:
        raise KernelError("the kernel is empty", advice="give a name, a .yaml file or weights such as '1 2 1'")
    path = _path_of(base, beside)
    if path is None:
        return _custom(base, parameters)
    return _load_file(path, parameters, composites)


def _load_file(path: Path, parameters: Mapping[str, str], composites: bool) -> AnyKernel:
    from convcli.kernel.files.description import build  # weights given as text need neither YAML nor msgspec

    def load_part(part: str, more: Mapping[str, str]) -> AnyKernel:
        return _load(part, (path.parent,), composites=False, changes=more)

    stream = str(path) == STANDARD_INPUT
    place = Path("standard input") if stream else path
    known = None if stream else notation_of(path.suffix)
    text_only = known is not None and known.text and known.reads
    try:
        if stream:
            data = _standard_input(None if sys.stdin is None else sys.stdin.buffer)
        else:
            data = read_file(path, "kernel file", *(() if text_only else (_MOST_BYTES,)))
        notation = known if known is not None and known.reads and known.name != "text" else _recognised(data, place)
    except SmallFileError as error:
        raise error.as_kind(KernelError) from error
    described = import_module(notation.module).read(data, str(place))
    return build(described, Path("custom") if stream else path, parameters, load_part if composites else None)


def _recognised(data: bytes, place: Path) -> Notation:
    """Return the notation of a file by its content; text is refused beyond the size that text may have."""
    from convcli.kernel.files.recognition import recognise
    from convcli.system.small_file import MAX_TEXT_BYTES

    notation = recognise(data)
    if notation.text and len(data) > MAX_TEXT_BYTES:
        raise SmallFileError(
            f"has {len(data)} bytes; a kernel file of text has at most {MAX_TEXT_BYTES}", where=str(place)
        )
    return notation


@lru_cache(maxsize=1)  # a command may load its kernels twice, and what was read is gone
def _standard_input(stream: BinaryIO | None) -> bytes:
    data = b"" if stream is None else read_stream(stream, "standard input", "kernel file", _MOST_BYTES)
    if not data.strip():
        raise SmallFileError("holds no kernel", where="standard input", advice="pipe a kernel file into it")
    return data


def _path_of(base: str, beside: tuple[Path, ...]) -> Path | None:
    """Return the file that a base stands for, or None where it is weights."""
    if base == STANDARD_INPUT:
        return Path(base)
    is_file = base.lower().endswith(suffixes())
    first_word = re.split(r"[\s,]", base, maxsplit=1)[0]
    if not is_file:
        if ";" in base or NUMBER_OR_FRACTION.fullmatch(first_word) or NOT_FINITE.fullmatch(first_word):
            return None
        if _SIZED.match(base) or _LISTED.match(base):
            return None
    if is_file or "/" in base or os.sep in base or _SUFFIX.fullmatch(base):
        path = expand_user(base)
        return beside[0] / path if beside else path
    found = find(base, *beside)
    if found is None:
        from convcli.kernel.synonyms import unknown_kernel, usual_name

        found = find(usual_name(base), *beside)
        if found is None:
            raise unknown_kernel(base)
    return found


def _custom(text: str, parameters: dict[str, str]) -> Kernel:
    from convcli.kernel.files import matrix_file, table  # named kernels need neither

    if _LISTED.match(text):
        from convcli.kernel.files import json_notation
        from convcli.kernel.files.description import build

        kernel = build(json_notation.read(text.encode(), "weights"), Path("custom"), parameters, None)
        assert isinstance(kernel, Kernel)  # a list of rows is one
        return kernel
    if _SIZED.match(text):
        from convcli.kernel.files import imagemagick

        found = imagemagick.parse(text, "weights")
    else:
        weights = table.parse_rows(text)
        matrix_file.check_not_flat(weights.shape[0], weights.shape[1], "weights")
        found = matrix_file.MatrixFile(weights)
    return matrix_file.of_matrix(found, "weights", "custom", parameters)
