"""SPECs: how a kernel is written on a command line.

A SPEC is a base, and parameters after it: `BASE:param=value,param=value`, split at the last `:` that is followed by
`word=`. What the base is follows from its form alone, so that no file in the current folder changes a meaning:

1. it ends in `.yaml` or `.yml`: the path of a kernel file;
2. its first word is a number or a fraction, or it holds a `;`: weights, rows split by `;` or line ends;
3. it holds a `/`: a path;
4. anything else: a name, looked up in the shipped catalogue, then in the user's folders.

Beside its family's parameters every single kernel takes `normalize` and `rotate` (added to the file's own turn).
"""

import os
import re
from pathlib import Path

import numpy as np

from convcli.errors import KernelError, nearest
from convcli.kernel.catalogue import SUFFIXES, catalogue_names, find, is_file, user_files
from convcli.kernel.model import AnyKernel, Kernel
from convcli.kernel.shaping import SHAPING, shape_as_asked
from convcli.kernel.values import looks_like_number, parse_number
from convcli.system.user_folders import expand_user

# Weights as Python and ImageMagick write them: [[0, 1], ...], 3x3: 0,1,...
_OTHER_WEIGHTS = re.compile(r"\s*([\[({]|\d+(x\d+)?\s*:)")
_PARAMETERS = re.compile(r"(?P<base>.*):(?P<parameters>\s*\w+\s*=.*)", re.DOTALL)


def load_kernel(spec: str) -> AnyKernel:
    """Return the kernel that a SPEC stands for.

    >>> load_kernel("0 -1 0; -1 5 -1; 0 -1 0").weights
    array([[ 0., -1.,  0.],
           [-1.,  5., -1.],
           [ 0., -1.,  0.]])
    >>> load_kernel("gaussian:sigma=2").size
    (17, 17)
    >>> load_kernel("gausian:sigma=2")
    Traceback (most recent call last):
    convcli.errors.KernelError: unknown kernel 'gausian'; did you mean 'gaussian'? `convcli kernels list` shows them all

    Raises
    ------
    KernelError
        for a SPEC that stands for none: one line with what is wrong, where, and what to do.
    """
    return _load(spec, beside=(), composites=True)


def load_kernel_file(path: str | os.PathLike[str]) -> AnyKernel:
    """Return the kernel in a YAML file, whatever the file is called.

    Raises
    ------
    KernelError
        naming the file, the key path and the reason.
    """
    return _load_file(Path(path), {}, composites=True)


def split_spec(spec: str) -> tuple[str, dict[str, str]]:
    """Split a SPEC into its base and its parameters, as text.

    >>> split_spec("gabor:sigma=4,theta=45")
    ('gabor', {'sigma': '4', 'theta': '45'})
    """
    match = _PARAMETERS.fullmatch(spec)
    if match is None:
        return spec.strip(), {}
    base = match["base"].strip()
    parameters: dict[str, str] = {}
    for part in match["parameters"].split(","):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not name or not value:
            raise KernelError(f"{spec}: parameters are written param=value,param=value, not {part.strip()!r}")
        if name in parameters:
            raise KernelError(f"{spec}: the parameter {name!r} is given twice")
        parameters[name] = value
    return base, parameters


def parse_weights(text: str) -> list[list[float]]:
    """Read weights from text, rows split by `;` or line ends, numbers or fractions by spaces.

    >>> parse_weights("1/16 2/16 1/16; 0 1e-3 -1")
    [[0.0625, 0.125, 0.0625], [0.0, 0.001, -1.0]]
    """
    rows = [row.split() for row in re.split(r"[;\n]", text.strip().rstrip(";"))]
    values: list[list[float]] = []
    for number, row in enumerate(rows, start=1):
        place = f"weights, row {number}"
        if "," in "".join(row):
            raise KernelError(f"{place}: numbers are split by spaces, rows by ';', as in '0 -1 0; -1 5 -1; 0 -1 0'")
        if not row:
            raise KernelError(f"{place}: is empty: a row has at least one number")
        if len(row) != len(rows[0]):
            raise KernelError(f"{place}: is of length {len(row)} where the first is of {len(rows[0])}")
        try:
            values.append([parse_number(cell) for cell in row])
        except ValueError as error:
            raise KernelError(f"{place}: {error}") from error
    return values


def _load(spec: str, beside: tuple[Path, ...], composites: bool) -> AnyKernel:
    base, parameters = split_spec(spec)
    if not base:
        raise KernelError("the kernel is empty: give a name, a .yaml file or weights such as '1 2 1'")
    path = _path_of(base, beside)
    if path is None:
        return _custom(base, parameters)
    return _load_file(path, parameters, composites)


def _load_file(path: Path, parameters: dict[str, str], composites: bool) -> AnyKernel:
    from convcli.kernel.files.yaml_reader import load_file  # weights given as text need neither YAML nor msgspec

    def load_part(part: str) -> AnyKernel:
        return _load(part, (path.parent,), composites=False)

    return load_file(path, parameters, load_part if composites else None)


def _path_of(base: str, beside: tuple[Path, ...]) -> Path | None:
    """The file that a base stands for, or None where it is weights."""
    is_file = base.lower().endswith(SUFFIXES)
    if not is_file and (";" in base or looks_like_number(re.split(r"[\s,]", base, maxsplit=1)[0])):
        return None
    if is_file or "/" in base or os.sep in base:
        path = expand_user(base)
        return beside[0] / path if beside else path
    found = find(base, *beside)
    if found is None:
        raise _unknown(base)
    return found


def _unknown(name: str) -> KernelError:
    base, colon, rest = name.partition(":")
    if colon and find(base.strip()) is not None:
        return KernelError(f"{name}: parameters are written {base}:param=value, not {rest.strip()!r}")
    if _OTHER_WEIGHTS.match(name):
        return KernelError(f"unknown kernel {name!r}; weights are written row by row: '0 -1 0; -1 5 -1; 0 -1 0'")
    known = [*catalogue_names(), *user_files()]
    hint = nearest(name.lower(), known) or nearest(name, known)
    if is_file(name):
        hint = f"; to use the file of that name, write ./{name}"
    end = "" if hint.endswith("?") else ";"
    return KernelError(f"unknown kernel {name!r}{hint}{end} `convcli kernels list` shows them all")


def _custom(text: str, parameters: dict[str, str]) -> Kernel:
    weights = np.array(parse_weights(text), dtype=np.float64)
    weights.flags.writeable = False
    for key in parameters:
        if key not in SHAPING:
            raise KernelError(f"weights take only {' and '.join(SHAPING)} as parameters, not {key!r}")
    return shape_as_asked(Kernel(name="custom", weights=weights), "weights", parameters)
