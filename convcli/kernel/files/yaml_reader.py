"""Kernel files: their keys, checked, and the kernels they describe.

The keys are in `KernelFile`. Every error names the file, the key path (`weights[1][2]`) and the reason.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import msgspec
import numpy as np

from convcli.errors import KernelError, nearest
from convcli.kernel.formulas import FAMILIES
from convcli.kernel.model import NAME, AnyKernel, Combine, CompositeKernel, Kernel, SignedMapping
from convcli.kernel.parameters import MAX_WEIGHTS
from convcli.kernel.shaping import NORMALIZATIONS, SHAPING, one_of, shape, shape_as_asked
from convcli.kernel.values import finite, parse_number
from convcli.system.yaml_text import read_yaml

COMBINES: tuple[str, ...] = get_args(Combine)
MAPPINGS: tuple[str, ...] = get_args(SignedMapping)

Number = int | float | str


class Component(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """One kernel: what a kernel file may say of it, and an inline part of a composite too."""

    name: str = ""
    weights: list[list[Number]] | None = None
    family: str | None = None
    parameters: dict[str, Number | list[int]] | None = None
    normalize: str = "none"
    anchor: tuple[int, int] | None = None
    rotate: int = 0


class KernelFile(Component, forbid_unknown_fields=True, kw_only=True):
    """A kernel file: one kernel (`weights`, or `family` and `parameters`) or a composite (`kernels` and `combine`)."""

    summary: str = ""
    reference: str = ""
    mapping: str | None = None
    kernels: list[str | Component] | None = None
    combine: str | None = None


LoadPart = Callable[[str], AnyKernel]


def load_file(path: Path, changes: Mapping[str, str], load_part: LoadPart | None) -> AnyKernel:
    """Load a kernel file, with `changes` from a SPEC (text by name) on top of what it says.

    `load_part` finds the kernels that a composite names; without one, a composite is refused (it cannot be a part).
    """
    where = str(path)
    described = _convert(read_yaml(path), where)
    name = described.name or _name_from(path.stem)
    if NAME.fullmatch(name) is None:
        raise KernelError(f"{where}: name: must be letters, digits, _ and -, a letter first, not {name!r}")
    mapping = None if described.mapping is None else one_of(f"{where}: mapping", described.mapping, MAPPINGS)
    if described.kernels is None:
        if described.combine is not None:
            raise KernelError(f"{where}: combine: needs kernels to combine")
        kernel = _build(described, where, name, changes)
        return replace(kernel, mapping=mapping, summary=described.summary, reference=described.reference)
    if load_part is None:
        raise KernelError(f"{where}: kernels: is a composite, which cannot be a part of another one")
    if changes:
        raise KernelError(f"{name}: is a composite and takes no parameters, not {next(iter(changes))!r}")
    return CompositeKernel(
        name=name,
        kernels=_parts(described, where, name, load_part),
        combine=one_of(f"{where}: combine", described.combine or "", COMBINES),
        mapping=mapping,
        summary=described.summary,
        reference=described.reference,
    )


def _name_from(stem: str) -> str:
    """The name of a kernel whose file states none."""
    name = re.sub(r"[^\w-]+", "_", stem)[:50]
    return name if NAME.fullmatch(name) else f"kernel_{name}"


def kernel_from_rows(rows: list[list[Number]], where: str, name: str) -> Kernel:
    """Make a kernel of rows of numbers or fractions, checked: not empty, rectangular, finite.

    >>> kernel_from_rows([[1, "1/2"]], "example", "custom").weights
    array([[1. , 0.5]])
    """
    if not rows or not rows[0]:
        raise KernelError(f"{where}: is empty: a kernel has at least one weight")
    width = len(rows[0])
    if len(rows) * width > MAX_WEIGHTS:
        raise KernelError(f"{where}: has more than {MAX_WEIGHTS} weights")
    values: list[list[float]] = []
    for y, row in enumerate(rows):
        if len(row) != width:
            raise KernelError(f"{where}[{y}]: is of length {len(row)} where the first row is of {width}")
        try:
            values.append([parse_number(cell) if isinstance(cell, str) else finite(cell) for cell in row])
        except ValueError:
            _blame_cell(row, f"{where}[{y}]")
            raise
    weights = np.array(values, dtype=np.float64)
    weights.flags.writeable = False
    return Kernel(name=name, weights=weights)


def _blame_cell(row: list[Number], where: str) -> None:
    for x, cell in enumerate(row):
        try:
            _ = parse_number(cell) if isinstance(cell, str) else finite(cell)
        except ValueError as error:
            raise KernelError(f"{where}[{x}]: {error}") from error


def _build(described: Component, where: str, name: str, changes: Mapping[str, str]) -> Kernel:
    if (described.weights is None) == (described.family is None):
        raise KernelError(f"{where}: needs one of weights, family or kernels, and no more than one")
    if described.weights is not None:
        if described.parameters is not None:
            raise KernelError(f"{where}: parameters: need a family; this kernel has fixed weights")
        for key in changes:
            if key not in SHAPING:
                known = " and ".join(SHAPING)
                raise KernelError(f"{name}: has fixed weights and no parameter {key!r}: only {known} may be given")
        kernel = kernel_from_rows(described.weights, f"{where}: weights", name)
    else:
        kernel = _build_family(described, where, name, changes)
    if described.anchor is not None:
        for offset, length in zip(described.anchor, kernel.size, strict=True):
            if not 0 <= offset < length:
                height, width = kernel.size
                raise KernelError(f"{where}: anchor: {list(described.anchor)} lies outside the {height}x{width} kernel")
        kernel = replace(kernel, anchor=described.anchor)
    normalize = described.normalize
    if "normalize" in changes:  # the file's own is still checked, but the SPEC's holds
        one_of(f"{where}: normalize", normalize, NORMALIZATIONS)
        normalize = "none"
    kernel = shape(kernel, where, normalize, described.rotate)
    return shape_as_asked(kernel, name, changes)


def _build_family(described: Component, where: str, name: str, changes: Mapping[str, str]) -> Kernel:
    family = FAMILIES.get(described.family or "")
    if family is None:
        raise KernelError(
            f"{where}: family: there is no {described.family!r}{nearest(described.family or '', FAMILIES)};"
            f" there are {', '.join(sorted(FAMILIES))}"
        )
    values: dict[str, object] = {}
    written = {f"{where}: parameters.{key}": (key, value) for key, value in (described.parameters or {}).items()}
    written |= {f"{name}: {key}": (key, value) for key, value in changes.items() if key not in SHAPING}
    for place, (key, value) in written.items():
        try:
            values[key] = family.read(key, value)
        except ValueError as error:
            raise KernelError(f"{place} {error}") from error
    shown = {key: _plain(value) for key, value in family.filled(values).items()}
    try:
        weights = family.build(values)
    except ValueError as error:
        raise KernelError(f"{name if changes else where}: {error}") from error
    return Kernel(name=name, weights=weights, family=family.name, parameters=shown)


def _plain(value: object) -> object:
    """A checked parameter as a file would hold it."""
    if value is None:
        return "auto"
    return list(value) if isinstance(value, tuple) else value


def _parts(described: KernelFile, where: str, name: str, load_part: LoadPart) -> tuple[Kernel, ...]:
    own = {"weights", "family", "parameters", "anchor"} & {
        key for key in Component.__struct_fields__ if getattr(described, key) is not None
    }
    if own or described.normalize != "none" or described.rotate:
        raise KernelError(
            f"{where}: {min(own, default='normalize or rotate')}: belongs to one kernel, not to a composite"
        )
    if not described.kernels:
        raise KernelError(f"{where}: kernels: is empty: a composite has at least one kernel")
    if len(described.kernels) > 64:
        raise KernelError(f"{where}: kernels: are {len(described.kernels)}; at most 64 may be combined")
    parts: list[Kernel] = []
    for index, part in enumerate(described.kernels):
        place = f"{where}: kernels[{index}]"
        if isinstance(part, Component):
            parts.append(_build(part, place, part.name or f"{name}_{index + 1}", {}))
            continue
        try:
            kernel = load_part(part)
        except KernelError as error:
            raise KernelError(f"{place}: {error}") from error
        if not isinstance(kernel, Kernel):
            raise KernelError(f"{place}: {part} is a composite, which cannot be a part of another one")
        parts.append(kernel)
    return tuple(parts)


_KINDS = {
    "array": "a list",
    "object": "a mapping",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}


def _convert(data: Any, where: str) -> KernelFile:
    try:
        return msgspec.convert(data, KernelFile)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `")
        path = path.rstrip("`").removeprefix("$").removeprefix(".")
        unknown = re.search(r"unknown field `(.*)`", reason)
        if unknown:
            part = path.startswith("kernels[")
            known = (Component if part else KernelFile).__struct_fields__
            reason = f"unknown key {unknown[1]!r}{nearest(unknown[1], known)}; the keys are {', '.join(known)}"
        else:
            reason = re.sub(r"`([^`]*)`", lambda found: _plain_kinds(found[1]), reason)
            reason = reason[:1].lower() + reason[1:]
        raise KernelError(f"{where}: {path + ': ' if path else ''}{reason}") from error


def _plain_kinds(kinds: str) -> str:
    """Say `int | float | str | null` as `a number or text`."""
    names = kinds.split(" | ")
    if "float" in names and "int" in names:
        names.remove("int")
    if len(names) > 1 and "null" in names:
        names.remove("null")
    return " or ".join(_KINDS.get(name, name) for name in names)
