"""The formulas of flat shapes: disk, ring, line, motion, checker. x runs right, y down, both from the centre."""

import math

import numpy as np

from convcli.kernel.family import ANY_SIZE, POSITIVE, SizeOrAuto, cos_sin, family, odd_size, offsets, radii
from convcli.kernel.parameters import KernelSize, Parameter, RealNumber, WholeNumber
from convcli.kernel.weights import Weights, check_number_of_weights

_ANGLE = Parameter(
    "angle", "of the line, counter-clockwise from the right as displayed", RealNumber(), 0.0, unit="degrees"
)
_LENGTH = Parameter("length", "of the line", RealNumber(at_least=1), 9.0, unit="pixels")


def _squares(radius_y: int, radius_x: int) -> Weights:
    """Return the square of each weight's distance from the centre."""
    return np.asarray(offsets(radius_x) ** 2 + offsets(radius_y)[:, np.newaxis] ** 2)


@family(
    "1 where x² + y² <= radius², else 0; divided by their number; auto: radius int(radius)",
    Parameter("radius", "of the disk", RealNumber(at_least=0), 2.0, unit="pixels"),
    odd_size(auto="as large as the disk"),
)
def _disk(radius: float, size: SizeOrAuto) -> Weights:
    reach = int(min(radius, 1e9))
    inside = _squares(*radii(size, reach, reach)) <= radius**2
    return np.asarray(inside / np.count_nonzero(inside))


@family(
    "1 where inner² < x² + y² <= radius², else 0; divided by their number; auto: radius int(radius)",
    Parameter("radius", "of the outer edge", POSITIVE, 5.0, unit="pixels"),
    Parameter("inner", "radius of the hole", RealNumber(at_least=0), 3.0, unit="pixels"),
    odd_size(auto="as large as the ring"),
)
def _ring(radius: float, inner: float, size: SizeOrAuto) -> Weights:
    reach = int(min(radius, 1e9))
    squares = _squares(*radii(size, reach, reach))
    inside = (squares > inner**2) & (squares <= radius**2)
    if not inside.any():
        raise ValueError(f"no pixel lies between inner, {inner:g}, and radius, {radius:g}: make inner smaller")
    return np.asarray(inside / np.count_nonzero(inside))


@family(
    "1 on the pixels nearest to a line of this length through the centre, one in each column (or row, where it is "
    "steep); divided by their number",
    _LENGTH,
    _ANGLE,
    odd_size(auto="as large as the line"),
)
def _line(length: float, angle: float, size: SizeOrAuto) -> Weights:
    cosine, sine = cos_sin(angle)
    half = min((length - 1.0) / 2.0, 1e9)
    across, up = (int(math.copysign(math.floor(abs(half * part) + 0.5), part)) for part in (cosine, sine))
    radius_y, radius_x = radii(size, abs(up), abs(across))
    steps = max(abs(across), abs(up))
    weights = np.zeros((2 * radius_y + 1, 2 * radius_x + 1))
    for step in range(-steps, steps + 1):
        y, x = (_nearest(step * part, steps) for part in (-up, across))
        if abs(y) <= radius_y and abs(x) <= radius_x:
            weights[radius_y + y, radius_x + x] = 1.0
    return np.asarray(weights / weights.sum())


def _nearest(over: int, under: int) -> int:
    """Return the whole number nearest to a fraction; of two as near, the one farther from zero."""
    return 0 if under == 0 else int(math.copysign((2 * abs(over) + under) // (2 * under), over))


@family(
    "max(0, 1 - distance from the pixel's centre to a segment of length - 1 about the centre), divided by their sum",
    _LENGTH,
    _ANGLE,
    odd_size(auto="as large as the line"),
)
def _motion(length: float, angle: float, size: SizeOrAuto) -> Weights:
    half = (length - 1.0) / 2.0
    cosine, sine = cos_sin(angle)
    # A pixel counts when it lies less than 1 from the segment; the small number keeps those at 1 - rounding out.
    reach_y, reach_x = (math.ceil(min(half * abs(part), 1e9) + 1.0 - 1e-9) - 1 for part in (sine, cosine))
    radius_y, radius_x = radii(size, reach_y, reach_x)
    x, y = offsets(radius_x)[np.newaxis, :], -offsets(radius_y)[:, np.newaxis]
    along = np.clip(x * cosine + y * sine, -half, half)
    nearness = 1.0 - np.hypot(x - along * cosine, y - along * sine)
    nearness[nearness < 1e-9] = 0.0
    return np.asarray(nearness / nearness.sum())


@family(
    "1 / (height · width) and its negative in turn, in squares of cell x cell pixels, positive at the upper left",
    Parameter("size", ANY_SIZE.meaning, KernelSize(), 4),
    Parameter("cell", "side of a square", WholeNumber(1, 1 << 15), 1, unit="pixels"),
)
def _checker(size: tuple[int, int], cell: int) -> Weights:
    check_number_of_weights(*size)
    rows, columns = (np.arange(length) // cell for length in size)
    return np.asarray((1.0 - 2.0 * ((rows[:, np.newaxis] + columns) % 2)) / (size[0] * size[1]))
