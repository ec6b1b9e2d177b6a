"""What a formula of kernels is: its parameters, its weights, and the list of all formulas.

`FAMILIES` is filled by the modules of formulas: whoever reads it takes it from `convcli.kernel.formulas`, which loads
them all.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from convcli.errors import nearest
from convcli.kernel.parameters import KernelSize, Parameter, RealNumber
from convcli.kernel.products import Products
from convcli.kernel.weights import Weights, check_number_of_weights, check_sides

SizeOrAuto = tuple[int, int] | None


@dataclass(frozen=True)
class Family:
    """A formula and its parameters.

    Parameters
    ----------
    name : str
        As kernel files write it under `family`.
    formula : str
        The formula, for people.
    parameters : tuple of Parameter
        What it takes.
    compute : callable
        Takes the checked parameters by name and returns the weights, (rows, columns) of float64, or products of columns
        and rows.
    derive : callable, optional
        Takes the checked parameters and returns those of them that follow from others.
    """

    name: str
    formula: str
    parameters: tuple[Parameter, ...]
    compute: Callable[..., Weights | Products]
    derive: Callable[[dict[str, Any]], dict[str, object]] | None = None

    @property
    def direction(self) -> Parameter | None:
        """The parameter that turns the kernel, where there is one."""
        return next((each for each in self.parameters if each.name in _DIRECTIONS), None)

    def turned(self, values: Mapping[str, object], degrees: float) -> dict[str, object]:
        """Return checked `values` with the direction turned counter-clockwise as displayed.

        >>> FAMILIES["gabor"].turned({"theta": 10.0}, 30.0)
        {'theta': -20.0}
        """
        assert self.direction is not None
        name = self.direction.name
        before = values.get(name, self.direction.default)
        assert isinstance(before, int | float)
        return {**values, name: before + _DIRECTIONS[name] * degrees}

    def read(self, name: str, value: object) -> object:
        """Return one parameter, checked.

        Raises
        ------
        ValueError
            For an unknown name or a value that is not taken, with a reason that reads on from the name.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter.read(value)
        known = [parameter.name for parameter in self.parameters]
        raise ValueError(f"is not one of its parameters ({', '.join(known)}){nearest(name, known)}")

    def filled(self, values: Mapping[str, object]) -> dict[str, object]:
        """Return checked `values` completed by the defaults and by what follows from them; None stands for `auto`.

        Raises
        ------
        ValueError
            Where two of them say the same thing twice.

        Examples
        --------
        >>> FAMILIES["gabor"].filled({"frequency": 0.25})["wavelength"]
        4.0
        """
        filled = {p.name: values[p.name] if p.name in values else p.read(p.default) for p in self.parameters}
        return filled if self.derive is None else filled | self.derive(filled)

    def build(self, values: Mapping[str, object]) -> Weights | Products:
        """Compute the weights.

        Parameters
        ----------
        values : mapping
            Parameters as `read` returns them; the others take their defaults.

        Returns
        -------
        array (rows, columns) of float64, or Products
            The weights, finite; products of columns and rows where the kernel is a large sum of such.

        Raises
        ------
        ValueError
            Where the parameters, each in its range, make too large a kernel or one that is not finite.

        Examples
        --------
        >>> FAMILIES["box"].build({"size": (1, 2)})
        array([[0.5, 0.5]])
        """
        filled = self.filled(values)
        try:
            with np.errstate(all="ignore"):  # an overflow is answered below, by name
                made = self.compute(**filled)
        except (OverflowError, ZeroDivisionError) as error:
            raise ValueError(_EXTREME) from error
        parts = [factor for pair in made.pairs for factor in pair] if isinstance(made, Products) else [made]
        if not all(np.isfinite(part).all() for part in parts):
            raise ValueError(_EXTREME)
        return made.compact() if isinstance(made, Products) else made


# Parameters that are directions, and their sense: 1 counter-clockwise as displayed, -1 clockwise.
_DIRECTIONS = {"theta": -1.0, "angle": 1.0}

FAMILIES: dict[str, Family] = {}
_EXTREME = "gives weights that are not finite numbers: its parameters are too extreme"

POSITIVE = RealNumber(above=0)
SIGMA = Parameter("sigma", "standard deviation", POSITIVE, 1.0, unit="pixels")
TRUNCATE = Parameter("truncate", "where `size: auto` cuts", POSITIVE, 4.0, unit="standard deviations")
DC = "the kernel's sum, left as the formula gives it (raw), or brought to 0 by a multiple of the Gaussian (zero)"
ANY_SIZE = Parameter("size", "rows and columns", KernelSize(), 3)


def odd_size(auto: str = "as far as truncate reaches") -> Parameter:
    """Return the parameter `size` of a formula with a centre."""
    return Parameter("size", "rows and columns", KernelSize(odd=True), auto=auto)


_Compute = TypeVar("_Compute", bound=Callable[..., Weights | Products])


def family(
    formula: str, *parameters: Parameter, derive: Callable[[dict[str, Any]], dict[str, object]] | None = None
) -> Callable[[_Compute], _Compute]:
    """Register the function below as the family of its name, which takes these parameters by name."""

    def register(compute: _Compute) -> _Compute:
        name = compute.__name__.removeprefix("_")
        FAMILIES[name] = Family(name, formula, parameters, compute, derive)
        return compute

    return register


def radii(size: SizeOrAuto, radius_y: int, radius_x: int, *, apart: bool = False) -> tuple[int, int]:
    """Return the rows and columns on either side of the centre: those of `size` if given, else the two radii.

    Raises ValueError where the kernel would be too large; one whose columns and rows are made apart has more room.
    """
    if size is not None:
        radius_y, radius_x = size[0] // 2, size[1] // 2
    (check_sides if apart else check_number_of_weights)(2 * radius_y + 1, 2 * radius_x + 1)
    return radius_y, radius_x


def reach_of(truncate: float, sigma: float) -> int:
    """Return how many pixels so many standard deviations are, rounded."""
    return int(min(truncate * sigma + 0.5, 1e9))  # beyond 1e9 the size is refused in any case


def offsets(radius: int) -> Weights:
    """Return -radius, ..., radius."""
    return np.arange(-radius, radius + 1, dtype=np.float64)


def bell_of(sigma: float, radius: int) -> Weights:
    """Return the sampled Gaussian in one dimension, sum 1, cut at `radius`."""
    bell = np.exp(-0.5 * (offsets(radius) / sigma) ** 2)
    return np.asarray(bell / bell.sum())


def cos_sin(degrees: float) -> tuple[float, float]:
    """Return cosine and sine, exact at multiples of 90 degrees, so that kernels along the axes keep rank 1."""
    quarter, rest = divmod(math.fmod(degrees, 360.0), 90.0)
    cosine, sine = math.cos(math.radians(rest)), math.sin(math.radians(rest))
    return ((cosine, sine), (-sine, cosine), (-cosine, -sine), (sine, -cosine))[int(quarter) % 4]
