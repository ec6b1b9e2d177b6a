"""What a kernel is: weights with a name, an anchor and the meaning of their response."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from convcli.errors import KernelError, nearest
from convcli.kernel.weights import NORMALIZATIONS, Weights, normalized, parse_number, rotated, rotated_anchor

if TYPE_CHECKING:
    from convcli.kernel.products import Products

NAME = re.compile(r"[^\W\d_][\w-]{0,63}")  # of a kernel; it becomes part of the names of output files
Combine = Literal["magnitude", "max", "maxabs", "sum", "hard_threshold", "soft_threshold"]
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
    stored : array (rows, columns), or Products
        Any array that converts to one of float64; it is copied and made read-only. Or a large kernel as products of
        columns and rows.
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
    notes : tuple of str
        Lines that a user should see, each reading on from the kernel's name or SPEC.

    Examples
    --------
    >>> Kernel("edge", [[-1, 0, 1]]).size
    (1, 3)
    """

    name: str
    stored: "Weights | Products"
    anchor: tuple[int, int] | None = None
    mapping: SignedMapping | None = None
    summary: str = ""
    reference: str = ""
    family: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if hasattr(self.stored, "pairs"):
            return
        # Plans are kept for a kernel: nobody else may hold the weights and change them.
        weights = np.array(self.stored, np.float64)
        weights.flags.writeable = False
        object.__setattr__(self, "stored", weights)

    @property
    def products(self) -> "Products | None":
        """The kernel as products of columns and rows, where it is kept as these."""
        return None if isinstance(self.stored, np.ndarray) else self.stored

    @cached_property
    def weights(self) -> Weights:
        """The weights, (rows, columns) of float64, read-only.

        Raises
        ------
        KernelError
            For products that are too large to be written out.
        """
        if self.products is None:
            return np.asarray(self.stored)
        try:
            weights = self.products.array()
        except ValueError as error:
            raise KernelError(str(error), where=self.name) from error
        weights.flags.writeable = False
        return weights

    @cached_property
    def figures(self) -> tuple[float, float, float]:
        """Sum of the weights, sum of their absolute values, and the least weight."""
        if self.products is not None:
            return self.products.figures()
        with np.errstate(over="ignore"):
            return float(self.weights.sum()), float(np.abs(self.weights).sum()), float(self.weights.min())

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        if self.products is not None:
            return self.products.size
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
    def data(self) -> bytes:
        """The weights as bytes, which tell them from others of the same size."""
        return self.weights.tobytes() if self.products is None else self.products.data()

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
    combine : {'magnitude', 'max', 'maxabs', 'sum', 'hard_threshold', 'soft_threshold'}
        The root of the sum of squares, the largest, the largest in absolute value, or the sum. With a threshold, the
        first plus what of the others is at least that (hard), or what of them lies beyond it (soft).
    threshold : float
        The threshold, in the image's own units.
    mapping, summary, reference
        As for `Kernel`.
    """

    name: str
    kernels: tuple[Kernel, ...]
    combine: Combine
    mapping: SignedMapping | None = None
    summary: str = ""
    reference: str = ""
    threshold: float = 0.0

    @property
    def parameters(self) -> Mapping[str, object]:
        """The parameters that all parts have with one value, which a SPEC may change in all of them at once."""
        first, *others = (part.parameters for part in self.kernels)
        return {k: v for k, v in first.items() if all(k in other and other[k] == v for other in others)}


AnyKernel = Kernel | CompositeKernel


def kernel_notes(kernel: AnyKernel, spec: str) -> tuple[str, ...]:
    """Return the notes of a kernel, each behind the SPEC that it was asked for by."""
    parts = kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)
    return tuple(dict.fromkeys(f"{spec}: {note}" for part in parts for note in part.notes))


def parts_of(kernels: Iterable[AnyKernel]) -> Iterator[Kernel]:
    """Yield each kernel, and each part of a composite one."""
    for kernel in kernels:
        yield from kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,)


def resolve_mapping(signed: str, kernels: Sequence[AnyKernel], bias: float = 0.0, *, keeps_sign: bool = False) -> str:
    """Return how a response becomes a picture: as asked, as the last kernel that says so has it, or by the weights.

    By the weights it is `abs` where any kernel sums to zero and no bias lifts its response, else `clip`. Where nothing
    is asked, an output type with a sign keeps it: `clip`.

    >>> resolve_mapping("auto", [Kernel("edge", [[-1, 0, 1]])]), resolve_mapping("auto", [Kernel("mean", [[1, 1]])])
    ('abs', 'clip')
    """
    if signed != "auto":
        return signed
    if keeps_sign:
        return "clip"
    stated = [kernel.mapping for kernel in kernels if kernel.mapping]
    if stated:
        return stated[-1]
    figures = (part.figures for part in parts_of(kernels))
    sums_to_zero = any(abs(total) <= _ZERO_SUM * magnitude for total, magnitude, _ in figures)
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
    if not np.isfinite(kernel.figures[1]):
        raise KernelError("the weights are so large that their sum is infinite", where=where)
    if normalize == "none" and rotate == 0:
        return kernel
    if kernel.products is not None and normalize != "posneg" and rotate % 90 == 0:
        return _shaped_products(kernel, kernel.products, where, normalize, rotate)
    try:
        weights = normalized(kernel.weights, normalize)
    except ValueError as error:
        raise KernelError(str(error), where=f"{where}: normalize") from error
    try:
        weights = rotated(weights, rotate)
        anchor = rotated_anchor(kernel.anchor, kernel.size, rotate)
    except ValueError as error:
        raise KernelError(str(error), where=f"{where}: rotate") from error
    return replace(kernel, stored=weights, anchor=anchor)


def _shaped_products(kernel: Kernel, products: "Products", where: str, normalize: str, rotate: int) -> Kernel:
    total, magnitude, _ = kernel.figures
    if normalize != "none":
        divisor = total if normalize == "sum" else magnitude
        if abs(divisor) <= 1e-12 * magnitude:
            raise KernelError(f"{normalize} divides by the weights' sum, which is zero", where=f"{where}: normalize")
        products = products.divided(divisor)
    anchor = rotated_anchor(kernel.anchor, kernel.size, rotate)
    return replace(kernel, stored=products.turned(rotate // 90), anchor=anchor)


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


def thresholded(kernel: Kernel) -> AnyKernel:
    """Return an unsharp mask with the threshold among its parameters: a composite that sharpens only what exceeds it.

    The first part is the image itself, the second the detail that is added to it. Raises KernelError where another
    normalisation than the sum, which is 1 already, has mixed the two.
    """
    given = kernel.parameters.get("threshold")
    amount = kernel.parameters.get("amount")
    if not given or not isinstance(given, int | float) or not isinstance(amount, int | float):
        return kernel
    if kernel.parameters.get("normalize", "sum") not in ("sum", "none"):
        raise KernelError("takes no normalize beside a threshold: its sum is 1", where=kernel.name)
    detail = kernel.weights.copy()
    detail[kernel.origin] -= 1.0
    parts = Kernel("image", np.ones((1, 1))), Kernel("detail", detail, anchor=kernel.anchor)
    how: Combine = "soft_threshold" if kernel.parameters.get("soft") is True else "hard_threshold"
    return CompositeKernel(
        kernel.name, parts, how, kernel.mapping or "clip", kernel.summary, kernel.reference, abs(amount) * float(given)
    )


def named_after(kernel: AnyKernel, path: str) -> AnyKernel:
    """Return a kernel called as the file it goes to, where that makes a name: found by it, it then answers to it."""
    stem = Path(path).stem
    return replace(kernel, name=stem) if NAME.fullmatch(stem) else kernel
