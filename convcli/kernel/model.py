"""What a kernel is: weights with a name, an anchor and the meaning of their response."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import Literal

import numpy as np

from convcli.errors import KernelError, nearest
from convcli.kernel.weights import NORMALIZATIONS, Weights, normalized, parse_number, rotated, rotated_anchor

NAME = re.compile(r"[^\W\d_][\w-]{0,63}")  # of a kernel; it becomes part of the names of output files
Combine = Literal["magnitude", "max", "maxabs", "sum"]
SignedMapping = Literal["clip", "abs", "offset", "stretch"]

# A kernel whose weights sum to no more than this part of the sum of their magnitudes answers to change alone.
_ZERO_SUM = 1e-6

# What a SPEC may add to any single kernel, beside the parameters of its family.
CHANGES = ("normalize", "rotate")


@dataclass(frozen=True, eq=False)
class Kernel:
    """A 2-D kernel, laid on the image as it is written (correlation).

    Parameters
    ----------
    name : str
        What messages and names of output files call it.
    weights : array (rows, columns) of float64
        Any array that converts to one; it is copied and made read-only.
    anchor : (int, int), optional
        The row and column of the weight over the output pixel; `(rows // 2, columns // 2)` unless stated.
    mapping : {'clip', 'abs', 'offset', 'stretch'}, optional
        How its response becomes a picture, where the kernel file states it.
    summary, reference : str
        One line for people, and where the kernel comes from.
    family : str, optional
        The formula that made the weights; one of `convcli.kernel.formulas.FAMILIES`.
    parameters : mapping
        The parameters of the formula, and what a SPEC changed.

    Examples
    --------
    >>> Kernel("edge", [[-1, 0, 1]]).size
    (1, 3)
    """

    name: str
    weights: Weights
    anchor: tuple[int, int] | None = None
    mapping: SignedMapping | None = None
    summary: str = ""
    reference: str = ""
    family: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Plans are kept for a kernel: nobody else may hold the weights and change them.
        weights = np.array(self.weights, np.float64)
        weights.flags.writeable = False
        object.__setattr__(self, "weights", weights)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.weights.shape[0], self.weights.shape[1]

    @classmethod
    def from_file(cls, path: str | os.PathLike[str]) -> "Kernel":
        """Return the kernel in a file.

        Parameters
        ----------
        path : str or os.PathLike
            A file in one of the notations of kernels; what has no known suffix is read as YAML.

        Returns
        -------
        Kernel
            The kernel.

        Raises
        ------
        KernelError
            For a file that holds none, and for one that combines several: `load_kernel` reads those.
        """
        # SPECs are read with this module, so that only by name can it ask for them.
        kernel: AnyKernel = import_module("convcli.kernel.spec").load_kernel_file(path)
        if isinstance(kernel, CompositeKernel):
            raise KernelError("combines several kernels", where=str(path), advice="read it with load_kernel")
        return kernel

    @property
    def origin(self) -> tuple[int, int]:
        """Row and column of the weight over the output pixel, stated or not."""
        return self.anchor or (self.size[0] // 2, self.size[1] // 2)


@dataclass(frozen=True, eq=False)
class CompositeKernel:
    """Several kernels whose responses are combined sample by sample, as `sobel` combines `sobel_x` and `sobel_y`.

    Parameters
    ----------
    name : str
        What messages and names of output files call it.
    kernels : tuple of Kernel
        The parts.
    combine : {'magnitude', 'max', 'maxabs', 'sum'}
        The root of the sum of squares, the largest, the largest in absolute value, or the sum.
    mapping, summary, reference
        As for `Kernel`.
    """

    name: str
    kernels: tuple[Kernel, ...]
    combine: Combine
    mapping: SignedMapping | None = None
    summary: str = ""
    reference: str = ""


AnyKernel = Kernel | CompositeKernel


def parts_of(kernels: Iterable[AnyKernel]) -> Iterator[Kernel]:
    """Yield each kernel, and each part of a composite one."""
    for kernel in kernels:
        yield from kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)


def resolve_mapping(signed: str, kernels: Sequence[AnyKernel], bias: float = 0.0) -> str:
    """Return how a response becomes a picture: as asked, as the last kernel that says so has it, or by the weights.

    By the weights it is `abs` where any kernel sums to zero and no bias lifts its response, else `clip`.

    >>> resolve_mapping("auto", [Kernel("edge", [[-1, 0, 1]])]), resolve_mapping("auto", [Kernel("mean", [[1, 1]])])
    ('abs', 'clip')
    """
    if signed != "auto":
        return signed
    stated = [kernel.mapping for kernel in kernels if kernel.mapping]
    if stated:
        return stated[-1]
    sums_to_zero = any(
        abs(float(part.weights.sum())) <= _ZERO_SUM * float(np.abs(part.weights).sum()) for part in parts_of(kernels)
    )
    return "abs" if bias == 0 and sums_to_zero else "clip"


def shaped(kernel: Kernel, where: str, normalize: str = "none", rotate: int = 0) -> Kernel:
    """Return a kernel normalised, then turned.

    Parameters
    ----------
    kernel : Kernel
        The kernel, whose anchor turns with it.
    where : str
        What stands before messages.
    normalize : str
        One of `NORMALIZATIONS`; see `convcli.kernel.weights.normalized`.
    rotate : int
        Degrees counter-clockwise as displayed; see `convcli.kernel.weights.rotated`.

    Raises
    ------
    KernelError
        For an unknown normalisation, a sum of zero to divide by, an angle that cannot be, and weights whose sum is
        infinite.
    """
    if normalize not in NORMALIZATIONS:
        what = f"must be one of {', '.join(NORMALIZATIONS)}, not {normalize!r}{nearest(normalize, NORMALIZATIONS)}"
        raise KernelError(what, where=f"{where}: normalize")
    with np.errstate(over="ignore"):
        if not np.isfinite(np.abs(kernel.weights).sum()):
            raise KernelError("the weights are so large that their sum is infinite", where=where)
    if normalize == "none" and rotate == 0:
        return kernel
    try:
        weights = normalized(kernel.weights, normalize)
    except ValueError as error:
        raise KernelError(str(error), where=f"{where}: normalize") from error
    try:
        weights = rotated(weights, rotate)
        anchor = rotated_anchor(kernel.anchor, kernel.size, rotate)
    except ValueError as error:
        raise KernelError(str(error), where=f"{where}: rotate") from error
    return replace(kernel, weights=weights, anchor=anchor)


def with_changes(kernel: Kernel, where: str, changes: Mapping[str, str]) -> Kernel:
    """Return a kernel with the `CHANGES` that a SPEC asks for, as text, and keep them among its parameters.

    >>> with_changes(Kernel("edge", [[-1, 1]]), "edge", {"rotate": "90"}).weights
    array([[ 1.],
           [-1.]])
    """
    turn = 0
    if "rotate" in changes:
        try:
            angle = parse_number(changes["rotate"])
        except ValueError as error:
            raise KernelError(str(error), where=f"{where}: rotate") from error
        if angle != int(angle):
            raise KernelError(f"must be a multiple of 90 (of 45 for 3x3), not {angle:g}", where=f"{where}: rotate")
        turn = int(angle)
    result = shaped(kernel, where, changes.get("normalize", "none"), turn)
    asked = {key: turn if key == "rotate" else changes[key] for key in CHANGES if key in changes}
    return replace(result, parameters={**kernel.parameters, **asked}) if asked else result


def named_after(kernel: AnyKernel, path: str) -> AnyKernel:
    """Return a kernel called as the file it goes to, where that makes a name: found by it, it then answers to it."""
    stem = Path(path).stem
    return replace(kernel, name=stem) if NAME.fullmatch(stem) else kernel
