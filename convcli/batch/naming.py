"""What outputs are called: the inputs' tree below the output folder, each file by a template; never two alike."""

import os
import re
import sys
from collections.abc import Iterable, Sequence
from string import Formatter

from convcli.errors import UsageError, nearest
from convcli.image.formats import format_for
from convcli.job import Named, joined_names

FIELDS = ("stem", "suffix", "kernel", "parent")
HOME = ".convcli"  # what a batch keeps in its output folder
_MOST_NAMED = 3
_PIECES_OF_NONE = frozenset(("", ".", "..", HOME))  # of a name that is a place in the output folder


class Naming:
    """Names outputs by a template of the fields stem, suffix, kernel and parent (the name of the input's folder).

    `kernels`, or a pipeline, give `{kernel}`: their names, joined. `format_name` changes suffixes that do not mean it.

    >>> Naming("{stem}_edges{suffix}", (), "jpeg")("tour/day 1/img.png")
    'tour/day 1/img_edges.jpg'

    Raises
    ------
    UsageError
        for a template with another field, a format or conversion of one, or one that leads out of the folder.
    """

    def __init__(self, template: str, kernels: Sequence[Named], format_name: str | None) -> None:
        _check_template(template)
        self._template = template
        self._plain = template == "{stem}{suffix}"
        self._kernel = joined_names(kernels)
        self._suffixes = None if format_name is None else format_for(None, format_name).suffixes

    def __call__(self, relative: str, folder: str = "") -> str:
        """Name the output of the input that lies at `relative` below `folder`; the name is relative too."""
        stem, suffix = os.path.splitext(relative)
        if self._suffixes is not None and suffix.lower() not in self._suffixes:
            suffix = self._suffixes[0]
        if self._plain:
            return stem + suffix
        inner, stem = os.path.split(stem)
        parent = os.path.basename(inner) if inner else os.path.basename(os.path.abspath(folder))
        name = self._template.format(stem=stem, suffix=suffix, kernel=self._kernel, parent=parent)
        if not _PIECES_OF_NONE.isdisjoint(name.split("/")):  # a file in / has no parent, one may be called .convcli.png
            raise UsageError(
                f"--name {self._template!r}: {os.path.join(folder, relative)} would become {name!r}, "
                "which names no file below the output folder"
            )
        return os.path.join(inner, name)


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
    if not pieces[-1] or not _PIECES_OF_NONE.isdisjoint(pieces) or "\0" in template:
        raise UsageError(
            f"--name {template!r}: it must name a file below the output folder, such as {{stem}}{{suffix}}"
        )


def check_distinct(names: Iterable[tuple[str, str]], folder: str) -> list[str]:
    """Check that no two of the (input, relative output) pairs mean one file in `folder`; returns notes.

    On a file system that does not tell case apart, names that differ by it alone are alike; elsewhere they are noted.

    Raises
    ------
    UsageError
        naming both inputs of the first few outputs that two inputs would be written to.
    """
    claimed: dict[str, tuple[str, str]] = {}
    clashes, by_case = [], []
    one_case = ignores_case(folder)
    for source, name in names:
        key = name.casefold() if name.isascii() else _composed(name).casefold()
        other = claimed.setdefault(key, (source, name))
        if other[0] is source and other[1] is name:
            continue
        if other[1] == name or one_case:
            clashes.append(f"{other[0]} and {source} would both be written to {name}")
        else:
            by_case.append(f"{other[1]} and {name} differ by case alone: some systems take them for one file")
            # A third one may be equal to this one in full.
            again = claimed.setdefault(f"\0{name}", (source, name))
            if again[0] is not source:
                clashes.append(f"{again[0]} and {source} would both be written to {name}")
    if clashes:
        more = f" (and {len(clashes) - _MOST_NAMED} more)" if len(clashes) > _MOST_NAMED else ""
        shown = "; ".join(clashes[:_MOST_NAMED])
        raise UsageError(f"{shown}{more}: tell them apart with --name, such as '{{parent}}_{{stem}}{{suffix}}'")
    return by_case


def ignores_case(folder: str) -> bool:
    """Tell whether the file system of a folder, which need not be there yet, takes `a` and `A` for one name.

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
