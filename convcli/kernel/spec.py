"""SPECs: how a kernel is written on a command line.

A SPEC is a base, and parameters after it: `BASE:param=value,param=value`, split at the last `:` that is followed by
`word=`. What the base is follows from its form alone, so that no file in the current folder changes a meaning:

1. it ends in the suffix of a notation (`.yaml`, `.yml`): the path of a kernel file;
2. its first word is a number or a fraction, or it holds a `;`: weights, rows split by `;` or line ends;
3. it holds a `/`: a path;
4. anything else: a name, looked up in the shipped catalogue, then in the user's folders.

Beside its family's parameters every single kernel takes `normalize` and `rotate` (added to the file's own turn).
"""

import os
import re
from importlib import import_module
from pathlib import Path

import numpy as np

from convcli.errors import KernelError
from convcli.kernel.catalogue import find
from convcli.kernel.files.notations import DEFAULT, NOTATIONS, SUFFIXES
from convcli.kernel.model import CHANGES, AnyKernel, Kernel, with_changes
from convcli.kernel.weights import NOT_FINITE, NUMBER_OR_FRACTION, parse_number
from convcli.system.user_folders import expand_user

_PARAMETERS = re.compile(r"(?P<base>.*):(?P<parameters>\s*\w+\s*=.*)", re.DOTALL)


def load_kernel(spec: str) -> AnyKernel:
    """Return the kernel that a SPEC stands for.

    Parameters
    ----------
    spec : str
        A name (`sobel_x`), a name with parameters (`gaussian:sigma=2`), the path of a kernel file, or weights
        (`0 -1 0; -1 5 -1; 0 -1 0`).

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
        A file in one of the notations; what has no known suffix is read as YAML.

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
    if re.fullmatch(r"\w+:\s*\w+\s*=[^/]*", base) and not base.lower().endswith(SUFFIXES):
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


def parse_weights(text: str) -> list[list[float]]:
    """Read weights from text: rows split by `;` or line ends, numbers or fractions by spaces.

    Raises
    ------
    KernelError
        Naming the row: for commas, an empty row, rows of unequal length, and what is not a finite number.

    Examples
    --------
    >>> parse_weights("1/16 2/16 1/16; 0 1e-3 -1")
    [[0.0625, 0.125, 0.0625], [0.0, 0.001, -1.0]]
    """
    rows = [row.split() for row in re.split(r"[;\n]", text.strip().rstrip(";"))]
    values: list[list[float]] = []
    for number, row in enumerate(rows, start=1):
        place = f"weights, row {number}"
        if "," in "".join(row):
            raise KernelError("numbers are split by spaces, rows by ';', as in '0 -1 0; -1 5 -1; 0 -1 0'", where=place)
        if not row:
            raise KernelError("is empty", where=place, advice="a row has at least one number")
        if len(row) != len(rows[0]):
            raise KernelError(f"is of length {len(row)} where the first is of {len(rows[0])}", where=place)
        try:
            values.append([parse_number(cell) for cell in row])
        except ValueError as error:
            raise KernelError(str(error), where=place) from error
    return values


def _load(spec: str, beside: tuple[Path, ...], composites: bool) -> AnyKernel:
    base, parameters = split_spec(spec)
    if not base:
        raise KernelError("the kernel is empty", advice="give a name, a .yaml file or weights such as '1 2 1'")
    path = _path_of(base, beside)
    if path is None:
        return _custom(base, parameters)
    return _load_file(path, parameters, composites)


def _load_file(path: Path, parameters: dict[str, str], composites: bool) -> AnyKernel:
    from convcli.kernel.files.description import build  # weights given as text need neither YAML nor msgspec

    def load_part(part: str) -> AnyKernel:
        return _load(part, (path.parent,), composites=False)

    described = import_module(NOTATIONS.get(path.suffix.lower(), DEFAULT)).read(path)
    return build(described, path, parameters, load_part if composites else None)


def _path_of(base: str, beside: tuple[Path, ...]) -> Path | None:
    """Return the file that a base stands for, or None where it is weights."""
    is_file = base.lower().endswith(SUFFIXES)
    first_word = re.split(r"[\s,]", base, maxsplit=1)[0]
    if not is_file and (";" in base or NUMBER_OR_FRACTION.fullmatch(first_word) or NOT_FINITE.fullmatch(first_word)):
        return None
    if is_file or "/" in base or os.sep in base:
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
    for key in parameters:
        if key not in CHANGES:
            raise KernelError(f"weights take only {' and '.join(CHANGES)} as parameters, not {key!r}")
    return with_changes(Kernel("custom", np.array(parse_weights(text))), "weights", parameters)
