"""Parameters of the kernel families, described once: what help texts show, and what a file or a SPEC may give.

Reading takes a value as it was written (text from a SPEC; a number, text or list from YAML) and returns it checked, or
raises ValueError with a reason that reads on from the parameter's name: `must be greater than 0, not -1`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from convcli.kernel.weights import check_sides, finite, parse_number


class ParameterKind(Protocol):
    """What values a parameter takes."""

    def read(self, value: object) -> object:
        """Return a value as written, checked, or raise ValueError."""

    @property
    def words(self) -> str:
        """What is taken, for people: `a number greater than 0`."""


@dataclass(frozen=True)
class RealNumber:
    """A finite number or a fraction of two, within bounds.

    >>> RealNumber(above=0).read("1/2"), RealNumber(at_least=1).words
    (0.5, 'a number of at least 1')
    """

    above: float | None = None
    at_least: float | None = None
    below: float | None = None

    def read(self, value: object) -> float:
        """Return the number, or raise ValueError for what is none or out of range."""
        if isinstance(value, str):
            result = parse_number(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            result = finite(value)
        else:
            raise ValueError(f"must be a number, not {value!r}")  # noqa: TRY004 (all kinds refuse by ValueError)
        if self.above is not None and not result > self.above:
            raise ValueError(f"must be greater than {self.above:g}, not {result:g}")
        if self.at_least is not None and not result >= self.at_least:
            raise ValueError(f"must be at least {self.at_least:g}, not {result:g}")
        if self.below is not None and not result < self.below:
            raise ValueError(f"must be less than {self.below:g}, not {result:g}")
        return result

    @property
    def words(self) -> str:
        """What is taken, for people."""
        if self.above is not None:
            below = "" if self.below is None else f" and less than {self.below:g}"
            return f"a number greater than {self.above:g}{below}"
        return "any number" if self.at_least is None else f"a number of at least {self.at_least:g}"


@dataclass(frozen=True)
class WholeNumber:
    """A whole number within bounds.

    >>> WholeNumber(0, 4).read("2"), WholeNumber(0, 4).words
    (2, 'a whole number from 0 to 4')
    """

    least: int
    most: int

    def read(self, value: object) -> int:
        """Return the number, or raise ValueError for any other."""
        text = str(value).strip()
        if isinstance(value, bool) or not re.fullmatch(r"\d{1,9}", text) or not self.least <= int(text) <= self.most:
            raise ValueError(f"must be {self.words}, not {value}")
        return int(text)

    @property
    def words(self) -> str:
        """What is taken, for people."""
        return f"a whole number from {self.least} to {self.most}"


@dataclass(frozen=True)
class OneOfWords:
    """One of some words."""

    choices: tuple[str, ...]

    def read(self, value: object) -> str:
        """Return the word, or raise ValueError for any other."""
        if not isinstance(value, str) or value not in self.choices:
            raise ValueError(f"must be {self.words}, not {value}")
        return value

    @property
    def words(self) -> str:
        """What is taken, for people."""
        return " or ".join(self.choices)


class YesOrNo:
    """True or false.

    >>> YesOrNo().read("true"), YesOrNo().words
    (True, 'true or false')
    """

    def read(self, value: object) -> bool:
        """Return the answer, or raise ValueError for what is none."""
        text = str(value).strip().lower()
        if text not in ("true", "false"):
            raise ValueError(f"must be {self.words}, not {value}")
        return text == "true"

    @property
    def words(self) -> str:
        """What is taken, for people."""
        return "true or false"


@dataclass(frozen=True)
class KernelSize:
    """Rows and columns, `N` or `HxW` (in YAML `[H, W]` too); `odd` where the formula has a centre.

    >>> KernelSize().read("3x5"), KernelSize(odd=True).read(7)
    ((3, 5), (7, 7))
    """

    odd: bool = False

    def read(self, value: object) -> tuple[int, int]:
        """Return (rows, columns), or raise ValueError for what is no size, even where it must be odd, or huge."""
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
        check_sides(height, width)
        if self.odd and (height % 2 == 0 or width % 2 == 0):
            raise ValueError(f"must be odd, so that the kernel has a centre, not {value}")
        return height, width

    @property
    def words(self) -> str:
        """What is taken, for people."""
        return "N or HxW, odd" if self.odd else "N or HxW, even too"


@dataclass(frozen=True)
class Parameter:
    """One parameter of a family.

    Parameters
    ----------
    name : str
        As it is written in a SPEC and under `parameters` in a file.
    meaning : str
        What it means, for people, without its unit and range.
    kind : ParameterKind
        The values it takes.
    default : object
        What it is unless stated, as it would be written; None where only `auto` is.
    unit : str
        The unit of its values, such as `pixels`; empty for what has none.
    auto : str
        What the word `auto` stands for, where it is taken and is the default; empty where it is not taken.
    """

    name: str
    meaning: str
    kind: ParameterKind
    default: object = None
    unit: str = ""
    auto: str = ""

    def read(self, value: object) -> object:
        """Return a value as written, checked; None for `auto`. Raise ValueError for what is not taken.

        >>> Parameter("sigma", "standard deviation", RealNumber(above=0), 1.0, unit="pixels").read("3/2")
        1.5
        """
        if self.auto and (value is None or value == "auto"):
            return None
        return self.kind.read(value)

    @property
    def help(self) -> str:
        """One line for people.

        >>> Parameter("size", "of the kernel", KernelSize(odd=True), auto="as large as the disk").help
        'of the kernel: N or HxW, odd; auto: as large as the disk'
        """
        unit = f", in {self.unit}" if self.unit else ""
        auto = f"; auto: {self.auto}" if self.auto else ""
        return f"{self.meaning}{unit}: {self.kind.words}{auto}"
