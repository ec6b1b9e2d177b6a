"""Kernels under the names that other tools have for them, and what was meant by a SPEC that names none.

Loaded only where a name is not that of a kernel as it stands.
"""

import re
from importlib import import_module
from pathlib import Path

from convcli.errors import KernelError, closest
from convcli.kernel.catalogue import catalogue_names, find, is_file, user_files
from convcli.kernel.files.notations import DEFAULT, NOTATIONS, notation_of
from convcli.kernel.model import CHANGES
from convcli.system.small_file import read_file

# Words of other tools and books that mean one kernel. What means several, such as `edge`, stands for none.
SYNONYMS = {
    "average": "box",
    "blur": "gaussian",
    "boxblur": "box",
    "boxfilter": "box",
    "delta": "identity",
    "differenceofgaussians": "dog",
    "dirac": "identity",
    "disc": "disk",
    "embossing": "emboss",
    "gauss": "gaussian",
    "gaussblur": "gaussian",
    "gaussianblur": "gaussian",
    "laplace": "laplacian",
    "laplaceofgaussian": "log",
    "laplacianofgaussian": "log",
    "mean": "box",
    "meanblur": "box",
    "mexicanhat": "mexican_hat",
    "motionblur": "motion",
    "pillbox": "disk",
    "ricker": "mexican_hat",
    "sharpening": "sharpen",
    "sharpness": "sharpen",
    "unity": "identity",
    "unsharpmask": "unsharp",
    "usm": "unsharp",
}

# Weights as Python's tuples and C write them: ((0, 1), ...), {{0, 1}, ...}.
_OTHER_WEIGHTS = re.compile(r"\s*[\[({]")
# A name with something behind it that is not the : of a SPEC, or not its =: gaussian(sigma=2), gaussian sigma 2.
_CALL = re.compile(r"(?P<name>[^\W\d][\w-]*)\s*[\s:,;=(\[{?@](?P<rest>.*)", re.DOTALL)
_SIZED = re.compile(r"(?P<name>[^\W\d]\w*?)[-_]?(?P<rest>\d+x\d+)")
_PAIR = re.compile(r"-*([^\W\d]\w*)\s*[\s=:]\s*([^\s=:,;&]+)")


class UnknownKernelError(KernelError):
    """A SPEC that names no kernel; `where` is empty and `what` quotes it.

    Attributes
    ----------
    name : str
        The SPEC without its parameters, as it was typed.
    """

    name = ""


def usual_name(name: str) -> str:
    """Return the name that a kernel has here: lower case, `_` for `-` and spaces, synonyms resolved.

    >>> usual_name("Sobel-X"), usual_name("GaussianBlur"), usual_name("my_own")
    ('sobel_x', 'gaussian', 'my_own')
    """
    plain = re.sub(r"[-\s]+", "_", name.strip().lower())
    return SYNONYMS.get(plain.replace("_", ""), plain)


def unknown_kernel(name: str) -> KernelError:
    """Return the error of a SPEC's base that names no kernel: with the form to type, or the nearest name.

    Parameters
    ----------
    name : str
        The SPEC without its parameters.

    Returns
    -------
    KernelError
        An `UnknownKernelError` where even the first word is no kernel's name.

    Examples
    --------
    >>> print(unknown_kernel("gaussian(sigma=2)"))
    unknown kernel 'gaussian(sigma=2)': write gaussian:sigma=2
    >>> print(unknown_kernel("gaussian:2"))
    unknown kernel 'gaussian:2': write gaussian:sigma=2
    """
    call = _CALL.fullmatch(name.strip()) or _SIZED.fullmatch(name.strip())
    if call is not None:
        found = find(call["name"]) or find(usual_name(call["name"]))
        if found is not None:
            base, rest = call["name"], call["rest"].strip().rstrip(")]}").strip()
            return KernelError(f"unknown kernel {name!r}", advice=_written(base, rest, _parameters(found)))
    if _OTHER_WEIGHTS.match(name):
        return KernelError(
            f"unknown kernel {name!r}", advice="weights are written row by row: '0 -1 0; -1 5 -1; 0 -1 0'"
        )
    known = [*catalogue_names(), *user_files()]
    near = closest(name, known)
    if is_file(name):
        hint = f"; to use the file of that name, write ./{name};"
    else:
        hint = f"; did you mean {near!r}?" if near else ";"
    error = UnknownKernelError(f"unknown kernel {name!r}{hint} `convcli kernels list` shows them all")
    error.name = name
    return error


def _parameters(path: Path) -> list[str]:
    """Return the names of the parameters of a kernel, in its formula's order, without those that every kernel has."""
    from convcli.kernel.formulas import FAMILIES

    notation = notation_of(path.suffix) or NOTATIONS[DEFAULT]
    if not notation.text:  # arrays and pictures hold no formula
        return []
    described = import_module(notation.module).read(read_file(path, "kernel file"), str(path))
    family = FAMILIES.get(getattr(described, "family", None) or "")
    return [parameter.name for parameter in family.parameters] if family else []


def _written(base: str, rest: str, known: list[str]) -> str:
    """Return what to write for a name with `rest` behind it, of which `known` are the parameters."""
    pairs = _PAIR.findall(rest)
    if pairs and all(name in (*known, *CHANGES) for name, _ in pairs):
        return f"write {base}:{','.join(f'{name}={value}' for name, value in pairs)}"
    if not known:
        return f"{base} has no parameters: write {base}" if not pairs else f"{base} takes only {' and '.join(CHANGES)}"
    if not rest:
        return f"write {base}, or {base}:{known[0]}=VALUE"
    if re.fullmatch(r"\d+x\d+", rest) and "size" in known:
        return f"write {base}:size={rest}"
    if re.fullmatch(r"[\d./]+", rest):
        return f"write {base}:{known[0]}={rest}"
    return f"parameters are written {base}:{known[0]}=VALUE; {base} takes {', '.join(known)}"
