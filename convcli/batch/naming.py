"""The names of outputs: the inputs' tree below the output folder, each file by a template; never two alike."""

import os
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from string import Formatter

from convcli.errors import UsageError, nearest
from convcli.image.formats.registry import format_for

FIELDS = ("stem", "suffix", "kernel", "parent", "ext")
HOME = ".convcli"  # what a batch keeps in its output folder
_MOST_NAMED = 3
_MOST_FOLDERS = 200  # in a template, one inside the other
# What is advised to tell inputs apart that differ by their suffixes alone, and others.
_BY_SUFFIX = ("{stem}_{ext}{suffix}",)
_BY_FOLDER = ("{parent}_{stem}{suffix}", "{parent}_{stem}_{ext}{suffix}")
_PIECES_OF_NONE = frozenset(("", ".", "..", HOME))  # of a name that is a place in the output folder


class Naming:
    """Names outputs by a template of the fields stem, suffix, kernel, parent (the name of the input's folder) and ext.

    Parameters
    ----------
    template : str
        With the fields in braces. `{ext}` is the input's own suffix without its dot, whatever that of the output is.
    operation : str
        What `{kernel}` becomes: the names of kernels or of a pipeline, as a part of a file's name.
    format_name : str or None
        A format, which changes suffixes that do not mean it.

    Raises
    ------
    UsageError
        For a template with another field, a format or conversion of one, or one that leads out of the folder.

    Examples
    --------
    >>> Naming("{stem}_edges{suffix}", "sobel", "jpeg")("tour/day 1/img.png")
    'tour/day 1/img_edges.jpg'
    """

    def __init__(self, template: str, operation: str, format_name: str | None) -> None:
        _check_template(template)
        self._given = operation, format_name
        self._template = template
        self._plain = template == "{stem}{suffix}"
        self._kernel = operation
        self._suffixes = None if format_name is None else format_for(None, format_name).suffixes

    def __call__(self, relative: str, folder: str = "") -> str:
        """Name the output of the input that lies at `relative` below `folder`; the name is relative too."""
        stem, suffix = os.path.splitext(relative)
        ext = suffix[1:]
        if self._suffixes is not None and suffix.lower() not in self._suffixes:
            suffix = self._suffixes[0]
        if self._plain:
            return stem + suffix
        inner, stem = os.path.split(stem)
        parent = os.path.basename(inner) if inner else os.path.basename(os.path.abspath(folder))
        name = self._template.format(stem=stem, suffix=suffix, kernel=self._kernel, parent=parent, ext=ext)
        if not _PIECES_OF_NONE.isdisjoint(name.split("/")):  # a file in / has no parent, one may be called .convcli.png
            raise UsageError(
                f"--name {self._template!r}: {os.path.join(folder, relative)} would become {name!r}, "
                "which names no file below the output folder"
            )
        return os.path.join(inner, name)

    def by(self, template: str) -> "Naming":
        """Return the same naming by another template."""
        return Naming(template, *self._given)


def _check_template(template: str) -> None:
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise UsageError(f"--name {template!r}: {error}; double a brace that is meant, as {{{{") from None
    for _, field, form, conversion in parts:
        if field is None:
            continue
        if field not in FIELDS:
            known = ", ".join(f"{{{name}}}" for name in FIELDS)
            raise UsageError(
                f"--name {template!r}: unknown field {{{field}}}: expected {known}{nearest(field, FIELDS)}"
            )
        if form or conversion:
            raise UsageError(f"--name {template!r}: fields are written as they are, without ':' or '!': {{{field}}}")
    pieces = re.split(r"[/\\]" if os.sep == "\\" else "/", template)
    if len(pieces) > _MOST_FOLDERS:
        raise UsageError(f"--name has {len(pieces) - 1} folders inside one another: it may have {_MOST_FOLDERS - 1}")
    if not pieces[-1] or not _PIECES_OF_NONE.isdisjoint(pieces) or "\0" in template:
        raise UsageError(
            f"--name {template!r}: it must name a file below the output folder, such as {{stem}}{{suffix}}"
        )


def check_distinct(
    names: Iterable[tuple[str, str]],
    folder: str,
    named_by: Callable[[str], Iterable[tuple[str, str]]] | None = None,
) -> list[str]:
    """Check that no two of the (input, relative output) pairs mean one file in `folder`; returns notes.

    On a file system that does not tell case apart, names that differ by it alone are alike; elsewhere they are noted.
    `named_by` gives the pairs by another template, so that only one that tells all inputs apart is advised.

    Raises
    ------
    UsageError
        naming both inputs of the first few outputs that two inputs would be written to.
    """
    clashes, by_case = _clashes(names, folder)
    if clashes:
        more = f" (and {len(clashes) - _MOST_NAMED} more)" if len(clashes) > _MOST_NAMED else ""
        shown = "; ".join(
            f"{one} and {other} would both be written to {name}" for one, other, name in clashes[:_MOST_NAMED]
        )
        raise UsageError(f"{shown}{more}: {_advice(clashes, folder, named_by)}")
    return by_case


def _clashes(names: Iterable[tuple[str, str]], folder: str) -> tuple[list[tuple[str, str, str]], list[str]]:
    """Find the pairs of inputs with one output, each with that; and notes on outputs that differ by case alone."""
    claimed: dict[str, tuple[str, str]] = {}
    clashes, by_case = [], []
    one_case = ignores_case(folder)
    for source, name in names:
        key = name.casefold() if name.isascii() else _composed(name).casefold()
        other = claimed.setdefault(key, (source, name))
        if other[0] is source and other[1] is name:
            continue
        if other[1] == name or one_case:
            clashes.append((other[0], source, name))
        else:
            by_case.append(f"{other[1]} and {name} differ by case alone: some systems take them for one file")
            # A third one may be equal to this one in full.
            again = claimed.setdefault(f"\0{name}", (source, name))
            if again[0] is not source:
                clashes.append((again[0], source, name))
    return clashes, by_case


def _advice(
    clashes: Sequence[tuple[str, str, str]],
    folder: str,
    named_by: Callable[[str], Iterable[tuple[str, str]]] | None,
) -> str:
    """Advise how to tell inputs apart whose outputs are one file: by a template that does so, where there is one."""
    by_suffix = all(os.path.splitext(one)[0] == os.path.splitext(other)[0] for one, other, _ in clashes)
    for template in _BY_SUFFIX + _BY_FOLDER if by_suffix else _BY_FOLDER + _BY_SUFFIX:
        if named_by is None or _tells_apart(template, folder, named_by):
            return f"tell them apart with --name, such as '{template}'"
    return "filter them by runs of their own, each into another folder"


def _tells_apart(template: str, folder: str, named_by: Callable[[str], Iterable[tuple[str, str]]]) -> bool:
    try:
        return not _clashes(named_by(template), folder)[0]
    except UsageError:  # of an input that cannot be named so
        return False


def ignores_case(folder: str) -> bool:
    """Whether the file system of a folder, which need not be there yet, takes `a` and `A` for one name.

    Asked of names that exist, so that nothing is touched.
    """
    place = os.path.realpath(folder)
    while True:
        parent, name = os.path.split(place)
        if not name:
            return sys.platform in ("darwin", "win32")
        if name.swapcase() != name and os.path.lexists(place):
            try:
                return os.path.samefile(place, os.path.join(parent, name.swapcase()))
            except OSError:
                return False
        place = parent


def _composed(name: str) -> str:
    import unicodedata  # 4 ms that names in ASCII need not wait for

    return unicodedata.normalize("NFC", name)
