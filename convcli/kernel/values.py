"""Numbers as people write weights and parameters: `3`, `-0.5`, `1e-3`, `1/16`."""

import math
import re

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_NUMBER_OR_FRACTION = re.compile(rf"({_NUMBER})(?:/({_NUMBER}))?")
_NOT_FINITE = re.compile(r"[-+]?\.?(nan|inf|infinity)", re.IGNORECASE)


def looks_like_number(text: str) -> bool:
    """Say whether `text` was meant as a number, finite or not.

    >>> looks_like_number("1/16"), looks_like_number("nan"), looks_like_number("sobel_x")
    (True, True, False)
    """
    return bool(_NUMBER_OR_FRACTION.fullmatch(text) or _NOT_FINITE.fullmatch(text))


def parse_number(text: str) -> float:
    """Read a finite number or a fraction of two.

    >>> parse_number("1/16")
    0.0625
    >>> parse_number("1.5e-3")
    0.0015

    Raises
    ------
    ValueError
        with the reason, ready to stand behind the name of the place.
    """
    text = text.strip()
    match = _NUMBER_OR_FRACTION.fullmatch(text)
    if match is None:
        if _NOT_FINITE.fullmatch(text):
            raise ValueError(f"must be a finite number, not {text}")
        raise ValueError(f"must be a number or a fraction like 1/16, not {text!r}")
    over, under = match.groups()
    value = float(over)
    if under is not None:
        if float(under) == 0.0:
            raise ValueError(f"divides by zero: {text}")
        value /= float(under)
    return finite(value, text)


def finite(value: float, shown: object = None) -> float:
    """Return `value` as a float, or raise ValueError where it is NaN, infinite or too large for one."""
    try:
        value = float(value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise ValueError(f"must be a finite number, not {value if shown is None else shown}")
    return value
