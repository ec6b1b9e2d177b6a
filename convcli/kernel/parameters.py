"""Parameters of the kernel families: their types and ranges, checked alike from a file and from a SPEC.

A reader takes a value as it was written (text from a SPEC; a number, text or list from YAML) and returns it checked, or
raises ValueError with a reason that reads on from the parameter's name: `must be greater than 0, not -1`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from convcli.kernel.values import finite, parse_number

Reader = Callable[[object], object]

MAX_WEIGHTS = 1 << 24  # 128 MB of float64: far above any useful kernel, far below what would hang a machine


@dataclass(frozen=True)
class Parameter:
    """One parameter of a family: its name, what it means (with its unit), its default, and how it is read."""

    name: str
    meaning: str
    default: object
    read: Reader


def number(*, above: float | None = None, at_least: float | None = None) -> Reader:
    """Make a reader of finite numbers, `above` a bound or `at_least` one.

    >>> number(above=0)("1/2")
    0.5
    """

    def read(value: object) -> float:
        if isinstance(value, str):
            result = parse_number(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            result = finite(value)
        else:
            raise ValueError(f"must be a number, not {value!r}")  # noqa: TRY004 (a reader's one way to refuse)
        if above is not None and not result > above:
            raise ValueError(f"must be greater than {above:g}, not {result:g}")
        if at_least is not None and not result >= at_least:
            raise ValueError(f"must be at least {at_least:g}, not {result:g}")
        return result

    return read


def auto_or(read_other: Reader) -> Reader:
    """Make a reader that takes the word `auto`, returned as None, beside what `read_other` takes."""
    return lambda value: None if value is None or value == "auto" else read_other(value)


def word(*choices: str) -> Reader:
    """Make a reader of one of some words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"must be {' or '.join(choices)}, not {value}")
        return value

    return read


def read_size(value: object) -> tuple[int, int]:
    """Read a kernel size, `N` or `HxW` (in YAML `[H, W]` too), as (height, width).

    >>> read_size("3x5"), read_size(7)
    ((3, 5), (7, 7))
    """
    parts: Sequence[object] = (value,)
    if isinstance(value, str):
        parts = re.split(r"[x×]", value.strip())
    elif isinstance(value, list | tuple):
        parts = value
    if len(parts) not in {1, 2} or not all(re.fullmatch(r"\d{1,9}", str(part).strip()) for part in parts):
        raise ValueError(f"must be a whole number N or HxW, not {value}")
    height, width = int(str(parts[0])), int(str(parts[-1]))
    if height < 1 or width < 1:
        raise ValueError(f"must be at least 1, not {value}")
    check_count(height, width)
    return height, width


def read_odd_size(value: object) -> tuple[int, int]:
    """Read the size of a kernel whose formula has a centre: `auto` (None) apart, both sides must be odd."""
    size = read_size(value)
    if size[0] % 2 == 0 or size[1] % 2 == 0:
        raise ValueError(f"must be odd, so that the kernel has a centre, not {value}")
    return size


def check_count(height: int, width: int) -> None:
    """Refuse a kernel of more than `MAX_WEIGHTS` weights before it is made."""
    if height * width > MAX_WEIGHTS:
        raise ValueError(f"makes a kernel of {height}x{width}: at most {MAX_WEIGHTS} weights are allowed")
