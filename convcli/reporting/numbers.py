"""Numbers as people read them, the same in a terminal and in every report."""

import math
import re
from collections.abc import Sequence

_CHANNELS = {1: " gray", 2: " gray+alpha", 3: " RGB", 4: " RGBA"}
_MOST_PLACES = 4  # of a percentage
# C0 but tab and line feed, DEL, C1, and what turns the direction of text.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def digits(value: float, *, zeros: bool = True) -> str:
    """Return a number in three significant digits, numbers from 1000 on as whole ones.

    Parameters
    ----------
    value : float
        The number; `-` stands for one that is NaN or infinite.
    zeros : bool
        Whether zeros at the end stay, as in a column of numbers; False drops them, as in a sentence.

    Examples
    --------
    >>> digits(0.05234), digits(2.3), digits(9.999), digits(170.79), digits(12345.6), digits(0.0)
    ('0.0523', '2.30', '10.0', '171', '12346', '0')
    >>> digits(2.3, zeros=False), digits(4.0, zeros=False), digits(120.0, zeros=False), digits(4.2e-4, zeros=False)
    ('2.3', '4', '120', '4.2e-4')
    """
    if not math.isfinite(value):
        return "-"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    power = int(exponent)
    small = power < -3
    text = mantissa if small else f"{value:.{max(0, 2 - power)}f}"
    if "." in text and not zeros:
        text = text.rstrip("0").rstrip(".")
    return f"{text}e{power}" if small else text


def milliseconds(seconds: float) -> str:
    """Return a time in milliseconds without its unit, for a column.

    >>> milliseconds(0.00231)
    '2.31'
    """
    return digits(1e3 * seconds)


def duration(seconds: float) -> str:
    """Return a time with its unit: milliseconds, seconds, or from one minute on minutes or hours.

    >>> duration(0.00231), duration(0.012), duration(2.5), duration(75), duration(3 * 3600 + 62)
    ('2.31 ms', '12 ms', '2.5 s', '1:15 min', '3:01 h')
    """
    if seconds < 0.9995:
        return f"{digits(1e3 * seconds, zeros=False)} ms"
    if seconds < 59.95:
        return f"{digits(seconds, zeros=False)} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min" if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d} h"


def percent(share: float, places: int = 0) -> str:
    """Return a share as a percentage, with more decimal places where it would else read 100% and is not.

    >>> percent(0.256), percent(0.256, 1), percent(0.99997), percent(1.0)
    ('26%', '25.6%', '99.997%', '100%')
    """
    text = f"{100 * share:.{places}f}"
    while float(text) == 100.0 and share != 1.0 and places < _MOST_PLACES:
        places += 1
        text = f"{100 * share:.{places}f}"
    return "100%" if float(text) == 100.0 else f"{text}%"


def megabytes(count: int | None) -> str:
    """Return a number of bytes in megabytes (10^6 bytes) without the unit; `-` where it is not known.

    >>> megabytes(9_142_272), megabytes(120_000_000), megabytes(None)
    ('9.1', '120', '-')
    """
    if count is None:
        return "-"
    return f"{count / 1e6:.1f}" if count < 100e6 else f"{count / 1e6:.0f}"


def ratio(value: float) -> str:
    """Return a ratio of two times, for a column.

    >>> ratio(1.0), ratio(23.456), ratio(1234.5)
    ('1.00', '23.5', '1234')
    """
    return f"{value:.2f}" if value < 9.995 else digits(value)


def pixel_size(size: Sequence[int]) -> str:
    """Return the size of an image, given as (height, width, channels), as people say it: the width first.

    >>> pixel_size((427, 640, 3)), pixel_size((28, 28, 32))
    ('640 x 427 RGB', '28 x 28 x 32')
    """
    height, width, channels = size
    return f"{width} x {height}{_CHANNELS.get(channels, f' x {channels}')}"


def counted(number: int, noun: str) -> str:
    """Return a number and what it counts.

    >>> counted(1, "file"), counted(2, "file")
    ('1 file', '2 files')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def without_controls(text: str) -> str:
    r"""Return text with control characters written out: a terminal obeys them, and a CR tears a row of CSV.

    Line ends and tabs stay, as does any printable character; marks that turn the direction of text do not.

    >>> print(without_controls("a\x1b[2Jb\r"))
    a\x1b[2Jb\r
    """
    return _CONTROLS.sub(lambda match: ascii(match[0])[1:-1], text)
