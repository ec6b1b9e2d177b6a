"""What a kernel file says, and the kernel that it describes.

`KernelFile` lists the keys. Every error names the file, the key path (`weights[1][2]`) and the reason.
"""

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np

from convcli.errors import KernelError, nearest
from convcli.kernel.catalogue import catalogue_folder
from convcli.kernel.files.matrix_file import MatrixFile, check_changes, of_matrix
from convcli.kernel.model import (
    CHANGES,
    NAME,
    AnyKernel,
    Combine,
    CompositeKernel,
    Kernel,
    SignedMapping,
    shaped,
    thresholded,
    with_changes,
)
from convcli.kernel.weights import MAX_WEIGHTS, Normalize, Weights, parse_number, read_number

NumberOrText = int | float | str

_MOST_PARTS = 64
# What a SPEC may say without changing what a formula is given.
_LEAVE_WEIGHTS = {"normalize"}


class SingleKernel(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One kernel, as a kernel file or a part of a composite states it.

    Parameters
    ----------
    name : str
        Letters, digits, `_` and `-`; made from the file's name unless stated.
    weights : list of lists of numbers, optional
        Rows of equal length; text such as `1/16` is a number too.
    family, parameters : str and mapping, optional
        A formula and its parameters. Weights beside them are those that the formula gives, and must be.
    normalize : {'none', 'sum', 'abssum', 'posneg'}
        What the weights are scaled by.
    anchor : [row, column], optional
        The weight over the output pixel; the middle unless stated.
    rotate : number
        Degrees counter-clockwise as displayed: multiples of 90, of 45 for 3x3, any for a formula with a direction.
    """

    name: str = ""
    weights: list[list[NumberOrText]] | None = None
    family: str | None = None
    parameters: dict[str, NumberOrText | bool | list[int]] | None = None
    normalize: Normalize = "none"
    anchor: tuple[int, int] | None = None
    rotate: int | float = 0


class KernelFile(SingleKernel, forbid_unknown_fields=True, kw_only=True):
    """A kernel file: one kernel (`weights`, or `family` and `parameters`) or a composite (`kernels` and `combine`).

    Parameters
    ----------
    summary, reference : str
        One line for people, and where the kernel comes from.
    mapping : {'clip', 'abs', 'offset', 'stretch'}, optional
        How the response becomes a picture.
    kernels : list of str or SingleKernel, optional
        The parts of a composite: SPECs, or kernels written out.
    combine : {'magnitude', 'max', 'maxabs', 'sum', 'hard_threshold', 'soft_threshold'}, optional
        How the parts' responses become one.
    threshold : number, optional
        That of the last two, in the image's own units.
    """

    summary: str = ""
    reference: str = ""
    mapping: SignedMapping | None = None
    kernels: list[str | SingleKernel] | None = None
    combine: Combine | None = None
    threshold: int | float | None = None


LoadPart = Callable[[str, Mapping[str, str]], AnyKernel]


def build(
    described: KernelFile | MatrixFile, path: Path, changes: Mapping[str, str], load_part: LoadPart | None
) -> AnyKernel:
    """Make the kernel that a file describes.

    Parameters
    ----------
    described : KernelFile or MatrixFile
        What the file says.
    path : Path
        The file, for messages, and for the name of a kernel whose file states none.
    changes : mapping
        Parameters from a SPEC, as text by name, which take precedence over those in the file.
    load_part : callable, optional
        Loads a kernel that a composite names, with changes. Without one, a composite is refused: it cannot be a part of
        another.

    Returns
    -------
    Kernel or CompositeKernel
        The kernel, normalised and turned.

    Raises
    ------
    KernelError
        Naming the file, the key and the reason.

    Examples
    --------
    >>> build(KernelFile(weights=[[1, "1/2"]], rotate=90), Path("edge.yaml"), {}, None).weights
    array([[0.5],
           [1. ]])
    """
    where = str(path)
    if isinstance(described, MatrixFile):
        return of_matrix(described, where, _name_from(path.stem), changes)
    name = described.name or _name_from(path.stem)
    if NAME.fullmatch(name) is None:
        raise KernelError(f"must be letters, digits, _ and -, a letter first, not {name!r}", where=f"{where}: name")
    if described.kernels is None:
        if described.combine is not None:
            raise KernelError("needs kernels to combine", where=f"{where}: combine")
        if described.threshold is not None:
            raise KernelError("needs kernels to combine", where=f"{where}: threshold")
        single = _single(described, where, name, changes)
        single = replace(single, mapping=described.mapping, summary=described.summary, reference=described.reference)
        return thresholded(single) if single.family == "unsharp" else single
    if load_part is None:
        raise KernelError("is a composite, which cannot be a part of another one", where=f"{where}: kernels")
    if described.combine is None:
        choices = ", ".join(get_args(Combine))
        raise KernelError(f"must say how the kernels' responses become one: {choices}", where=f"{where}: combine")
    if (described.threshold is not None) != described.combine.endswith("_threshold"):
        what = "belongs to combine: hard_threshold or soft_threshold, which need it"
        raise KernelError(what, where=f"{where}: threshold")
    if not 0 <= (described.threshold or 0) < math.inf:
        raise KernelError(f"must be at least 0, not {described.threshold}", where=f"{where}: threshold")
    kernel = CompositeKernel(
        name=name,
        kernels=_parts(described, where, name, load_part, {}),
        combine=described.combine,
        mapping=described.mapping,
        summary=described.summary,
        reference=described.reference,
        threshold=described.threshold or 0.0,
    )
    for key in changes:
        if key not in kernel.parameters:
            known = f"only {', '.join(kernel.parameters)}" if kernel.parameters else "no parameters"
            raise KernelError(f"is a composite and takes {known}, not {key!r}", where=name)
    return replace(kernel, kernels=_parts(described, where, name, load_part, changes)) if changes else kernel


def _name_from(stem: str) -> str:
    """Return the name of a kernel whose file states none."""
    name = re.sub(r"[^\w-]+", "_", stem)[:50]
    return name if NAME.fullmatch(name) else f"kernel_{name}"


def _single(described: SingleKernel, where: str, name: str, changes: Mapping[str, str]) -> Kernel:
    if described.weights is None and described.family is None:
        raise KernelError("needs one of weights, family or kernels", where=where)
    rotate = described.rotate
    if described.family is None:
        if described.parameters is not None:
            raise KernelError("need a family; this kernel has fixed weights", where=f"{where}: parameters")
        check_changes(changes, name)
        kernel = Kernel(name, _array(described.weights or [], f"{where}: weights"))
    elif (
        described.weights is not None and changes.keys() <= _LEAVE_WEIGHTS and Path(where).parent == catalogue_folder()
    ):
        # The catalogue's are known to be right, and a kernel as usual as sobel_x loads no formulas.
        weights = _array(described.weights, f"{where}: weights")
        kernel = Kernel(name, weights, family=described.family, parameters=described.parameters or {})
    else:
        kernel, rotate, changes = _of_family(described, where, name, changes)
    if described.anchor is not None:
        height, width = kernel.size
        if not (0 <= described.anchor[0] < height and 0 <= described.anchor[1] < width):
            what = f"{list(described.anchor)} lies outside the {height}x{width} kernel"
            raise KernelError(what, where=f"{where}: anchor")
        kernel = replace(kernel, anchor=described.anchor)
    if rotate != int(rotate):
        raise KernelError(f"must be a multiple of 90 (of 45 for 3x3), not {rotate:g}", where=f"{where}: rotate")
    normalize = "none" if "normalize" in changes else described.normalize  # the SPEC's takes precedence
    return with_changes(shaped(kernel, where, normalize, int(rotate)), name, changes)


def _array(rows: list[list[NumberOrText]], where: str) -> Weights:
    """Return rows of numbers or fractions as an array, checked: not empty, rectangular, finite."""
    width = len(rows[0]) if rows else 0
    if width == 0:
        raise KernelError("is empty", where=where, advice="a kernel has at least one weight")
    if len(rows) * width > MAX_WEIGHTS:
        raise KernelError(f"has more than {MAX_WEIGHTS} weights", where=where)
    for y, row in enumerate(rows):
        if len(row) != width:
            raise KernelError(f"is of length {len(row)} where the first row is of {width}", where=f"{where}[{y}]")
    if not any(isinstance(value, str) for row in rows for value in row):
        try:
            weights = np.array(rows, dtype=np.float64)
        except OverflowError:  # a whole number beyond the range of floats, which is named below
            pass
        else:
            if np.isfinite(weights).all():
                return weights
    return np.array(
        [[_number(value, f"{where}[{y}][{x}]") for x, value in enumerate(row)] for y, row in enumerate(rows)]
    )


def _number(value: NumberOrText, where: str) -> float:
    try:
        return read_number(value)
    except ValueError as error:
        raise KernelError(str(error), where=where) from error


def _of_family(
    described: SingleKernel, where: str, name: str, changes: Mapping[str, str]
) -> tuple[Kernel, float, Mapping[str, str]]:
    """Return the kernel of a formula, with the turn and the changes that are still to be made to it."""
    from convcli.kernel.formulas import FAMILIES  # kernels of fixed weights need none

    family = FAMILIES.get(described.family or "")
    if family is None:
        hint = nearest(described.family or "", FAMILIES)
        what = f"there is no {described.family!r}{hint}; there are {', '.join(sorted(FAMILIES))}"
        raise KernelError(what, where=f"{where}: family")
    values: dict[str, object] = {}
    written = [(where, f"parameters.{key}", key, value) for key, value in (described.parameters or {}).items()]
    written += [(name, key, key, value) for key, value in changes.items() if key not in CHANGES]
    for place, path, key, value in written:
        try:
            values[key] = family.read(key, value)
        except ValueError as error:
            raise KernelError(f"{path} {error}", where=place) from error
    rotate: float = described.rotate
    try:
        turn = rotate + parse_number(changes.get("rotate", "0"))
        if turn % 90 != 0 and family.direction:  # quarters of a turn move weights, which keeps every bit
            values |= family.turned(values, turn)
            rotate, changes = 0, {key: value for key, value in changes.items() if key != "rotate"}
        weights, filled = family.build(values), family.filled(values)
    except ValueError as error:
        raise KernelError(str(error), where=name if changes else where) from error
    if described.weights is not None and not changes:
        _check_agreement(_array(described.weights, f"{where}: weights"), weights, family.name, where)
    notes: tuple[str, ...] = ()
    if values.get("size") is not None:
        from convcli.kernel.notes import size_notes  # few kernels are given a size

        notes = size_notes(family.name, values, filled)
    shown = {key: _as_written(value) for key, value in filled.items()}
    return Kernel(name, weights, family=family.name, parameters=shown, notes=notes), rotate, changes


def _check_agreement(stated: Weights, computed: object, family: str, where: str) -> None:
    shown = np.asarray(computed) if isinstance(computed, np.ndarray) else np.empty((0, 0))
    if stated.shape != shown.shape or np.abs(stated - shown).sum() > 1e-9 * np.abs(shown).sum():
        what = f"are not those that {family} gives with these parameters"
        raise KernelError(what, where=f"{where}: weights", advice="leave out the weights, or family and parameters")


def _as_written(value: object) -> object:
    """Return a checked parameter as a file would hold it."""
    if value is None:
        return "auto"
    return list(value) if isinstance(value, tuple) else value


def _parts(
    described: KernelFile, where: str, name: str, load_part: LoadPart, changes: Mapping[str, str]
) -> tuple[Kernel, ...]:
    own = [key for key in ("anchor", "family", "parameters", "weights") if getattr(described, key) is not None]
    if own or described.normalize != "none" or described.rotate:
        key = own[0] if own else "normalize or rotate"
        raise KernelError("belongs to one kernel, not to a composite", where=f"{where}: {key}")
    kernels = described.kernels or []
    if not kernels:
        raise KernelError("is empty", where=f"{where}: kernels", advice="a composite has at least one kernel")
    if len(kernels) > _MOST_PARTS:
        raise KernelError(f"are {len(kernels)}; at most {_MOST_PARTS} may be combined", where=f"{where}: kernels")
    parts: list[Kernel] = []
    for index, part in enumerate(kernels):
        place = f"{where}: kernels[{index}]"
        if isinstance(part, SingleKernel):
            single = _single(part, place, part.name or f"{name}_{index + 1}", changes)
            if single.parameters.get("threshold"):
                raise KernelError("has a threshold, and so cannot be a part of another kernel", where=place)
            parts.append(single)
            continue
        try:
            kernel = load_part(part, changes)
        except KernelError as error:
            raise error.at(place) from error
        if not isinstance(kernel, Kernel):
            raise KernelError(f"{part} is a composite, which cannot be a part of another one", where=place)
        parts.append(kernel)
    return tuple(parts)
