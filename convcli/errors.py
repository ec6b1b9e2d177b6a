"""Every error that a user can cause, as one small family.

A message is one line of up to three parts: where, what is wrong, and what to do about it. The command line prints it
behind `convcli: error:` and exits with the error's `exit_status`; nothing here knows of a terminal.

| class | exit status | raised for |
| --- | --- | --- |
| `UsageError` | 2 | options and arguments that are wrong whatever the image; its subclasses say which |
| `ImageReadError`, `ImageWriteError`, `FilterError` | 1 | one image that cannot be read, written or filtered |
| `ProfileError` | 1 | a measured profile that cannot be kept |

Other rooms add subclasses for what they alone read. A subclass takes the same parts, so that `at` and `advising` work
on it, and so that it survives pickling on its way between processes.
"""

from collections.abc import Iterable
from typing import Self, TypeVar

# The exit status of a run that was interrupted, as shells give it.
INTERRUPTED = 130

_Kind = TypeVar("_Kind", bound="ConvcliError")


class ConvcliError(Exception):
    """Something could not be done; the message is one line for the person at the terminal.

    Code that handles an error reads its parts and never its text.

    Parameters
    ----------
    what : str
        What is wrong. A message that nobody takes apart may be given here as a whole.
    where : str, optional
        The file, option or key that is at fault.
    advice : str, optional
        What to do about it.

    Attributes
    ----------
    exit_status : int
        The exit status of a command that ends with this error: 1, or 2 for wrong usage.

    Examples
    --------
    >>> error = ConvcliError("truncated PNG", advice="get the file again")
    >>> str(error), str(error.at("a.png")), str(error.at("a.png").advising("run again"))
    ('truncated PNG: get the file again', 'a.png: truncated PNG: get the file again', 'a.png: truncated PNG: run again')
    """

    exit_status = 1

    def __init__(self, what: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(": ".join(part for part in (where, what, advice) if part))
        self.what = what
        self.where = where
        self.advice = advice

    def at(self, where: str) -> Self:
        """Return the same error at a place, or within a larger one where it has a place already."""
        place = f"{where}: {self.where}" if self.where else where
        return type(self)(self.what, where=place, advice=self.advice)

    def advising(self, advice: str) -> Self:
        """Return the same error with other advice."""
        return type(self)(self.what, where=self.where, advice=advice)

    def as_kind(self, kind: type[_Kind]) -> _Kind:
        """Return an error of class `kind` with the same parts.

        >>> ConvcliError("is empty", where="a.yaml").as_kind(KernelError)
        KernelError('a.yaml: is empty')
        """
        return kind(self.what, where=self.where, advice=self.advice)


class UsageError(ConvcliError, ValueError):
    """An option or argument that is wrong whatever the image."""

    exit_status = 2


class KernelError(UsageError):
    """An unknown kernel, a bad kernel file, or a parameter out of range."""


class OutputExistsError(UsageError):
    """An output that exists already and was not to be replaced."""


class OutputError(UsageError):
    """An output that cannot be what was asked: an unknown suffix, a depth the format lacks, a missing folder."""


class ImageReadError(ConvcliError):
    """An input that is missing, damaged, unreadable or not an image."""


class ImageWriteError(ConvcliError):
    """An output that could not be written."""


class ProfileError(ConvcliError):
    """A measured profile that cannot be kept: no place for it, no permission, a full disk."""


class FilterError(ConvcliError, ValueError):
    """A filter that cannot be applied to this image: `valid` with too large a kernel, an empty image."""


def nearest(name: str, choices: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the closest choice, or an empty string where none is near.

    >>> nearest("sobelx", ["sobel_x", "gaussian"])
    "; did you mean 'sobel_x'?"
    >>> nearest("zzz", ["sobel_x", "gaussian"])
    ''
    """
    found = closest(name, choices)
    return f"; did you mean {found!r}?" if found else ""


def closest(name: str, choices: Iterable[str]) -> str | None:
    """Return the choice that a name was meant for, or None where that would be a guess.

    A choice is near when it is the same but for case, `-` and `_`; when the name is its beginning (of three letters or
    more); when the name is the choice with a number or a common ending behind it; or when few letters differ: one in
    five, two in eight, three in more. A swap of neighbours counts as one.

    Parameters
    ----------
    name : str
        What was typed.
    choices : iterable of str
        What it may be; of those equally near the first is taken.

    Returns
    -------
    str or None
        One of the choices.

    Examples
    --------
    >>> closest("gauss", ["gabor", "gaussian"]), closest("emboss3", ["emboss"]), closest("--padd1ng", ["--padding"])
    ('gaussian', 'emboss', '--padding')
    >>> closest("--include", ["--scale"]), closest("--sigma", ["--signed"]), closest("repeat", ["replicate"])
    (None, None, None)
    """
    typed = _bare(name)
    ranked: list[tuple[int, int, str]] = []
    for choice in choices:
        meant = _bare(choice)
        if typed == meant:
            return choice
        letters = min(len(typed), len(meant))
        if letters >= 3 and (meant.startswith(typed) or (typed.startswith(meant) and _is_ending(typed[len(meant) :]))):
            ranked.append((1, len(meant), choice))
            continue
        changes = _changes(typed, meant)
        if letters >= 3 and changes <= (1 if letters <= 5 else 2 if letters <= 8 else 3):
            ranked.append((changes, 0, choice))
    return min(ranked, key=lambda each: each[:2])[2] if ranked else None


_ENDINGS = ("blur", "filter", "kernel", "mode", "scale", "type")


def _bare(word: str) -> str:
    return word.lower().strip("-._ ").replace("-", "").replace("_", "").replace(" ", "")


def _is_ending(text: str) -> bool:
    return text.isdecimal() or text in _ENDINGS


def _changes(a: str, b: str) -> int:
    """Count the letters to insert, delete, replace or swap with their neighbour (restricted Damerau-Levenshtein)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, start=1):
        before, last, row = row, before, [i]
        for j, other in enumerate(b, start=1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                cost = min(cost, last[j - 2] + 1)
            row.append(cost)
    return row[-1]


def check_word(what: str, word: str, allowed: tuple[str, ...], also: tuple[str, ...] = ()) -> None:
    """Raise UsageError, listing the choices, unless `word` is one of them; `also` may be offered for a misspelling.

    >>> check_word("extent", "sam", ("same", "valid", "full"))
    Traceback (most recent call last):
    convcli.errors.UsageError: unknown extent 'sam': expected same, valid, full; did you mean 'same'?
    """
    if word not in allowed:
        raise UsageError(f"unknown {what} {word!r}: expected {', '.join(allowed)}{nearest(word, allowed + also)}")
