"""YAML text of untrusted origin into plain data.

Only the library's parser of events is used, never a constructor: no object is ever made from a tag. Anchors, aliases
and tags are refused altogether, so there are no alias bombs; repeated keys are refused, where YAML libraries silently
keep the last. The limits on size and nesting are this module's own and do not depend on the library's: deep nesting
overflows the C stack of other readers. Numbers follow YAML 1.2: `1e-3` is one, `010` is ten, `1:30` and `no` are text.
"""

import re
from pathlib import Path
from typing import Any

from convcli.errors import UsageError
from convcli.system.small_file import MAX_TEXT_BYTES as MAX_BYTES
from convcli.system.small_file import SmallFileError, decode_text, read_file

MAX_DEPTH = 8  # collections within collections
_INTEGER = re.compile(r"[-+]?\d{1,300}")
_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}
# What holds brackets that open nothing, and the brackets that do.
_QUOTED_OR_BRACKET = re.compile(r"""'[^']*'|"(?:[^"\\]|\\.)*"|\#.*|[\[\]{}]""")


class YamlTextError(UsageError):
    """Text that is not YAML, or YAML of a kind that is not taken; `where` is the file, and the line where known."""


def read_yaml(path: Path, kind: str = "kernel file") -> Any:
    """Read the one document of a YAML file.

    Parameters
    ----------
    path : Path
        A file of at most `MAX_BYTES` bytes, in UTF-8.
    kind : str
        What messages call such a file.

    Returns
    -------
    dict, list, str, int, float, bool or None
        The document; see `parse_yaml`.

    Raises
    ------
    YamlTextError
        Naming the file, and the line where there is one.
    """
    where = str(path)
    try:
        return parse_yaml(decode_text(read_file(path, kind), where), where)
    except SmallFileError as error:
        raise error.as_kind(YamlTextError) from error


def parse_yaml(text: str, where: str) -> Any:
    """Parse text that holds one YAML document.

    Parameters
    ----------
    text : str
        The document, at most `MAX_BYTES` characters, nested at most `MAX_DEPTH` deep.
    where : str
        What stands before each message, such as the file.

    Returns
    -------
    dict, list, str, int, float, bool or None
        The document. Keys of mappings are str.

    Raises
    ------
    YamlTextError
        For what is not YAML, and for YAML with anchors, aliases, tags or repeated keys, or beyond the limits.

    Examples
    --------
    >>> parse_yaml("{size: 3, rows: [[1, .5], [1e-3, 1/4]]}", "example")
    {'size': 3, 'rows': [[1, 0.5], [0.001, '1/4']]}
    """
    import yaml  # weights given as text need no YAML

    if len(text) > MAX_BYTES:
        raise YamlTextError(f"has more than {MAX_BYTES} characters, the most that are read", where=where)
    tree = _Tree(where)
    reached = 0
    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
                tree.close()
            elif isinstance(event, yaml.ScalarEvent):
                tree.check(event)
                tree.add_scalar(event)
            elif isinstance(event, yaml.NodeEvent):
                tree.check(event)
                tree.add_collection(event, {} if isinstance(event, yaml.MappingStartEvent) else [])
            reached = event.end_mark.index if event.end_mark else reached
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{where}: line {mark.line + 1}" if mark else where
        # The library reads ahead of its events, and may meet a limit of its own there before ours is checked.
        if tree.depth + _depth_opened(text[reached : mark.index if mark else None]) > MAX_DEPTH:
            raise YamlTextError(_TOO_DEEP, where=place) from error
        raise YamlTextError(f"not valid YAML: {error.problem}", where=place) from error
    except yaml.YAMLError as error:
        raise YamlTextError(f"not valid YAML: {' '.join(str(error).split())}", where=where) from error
    return tree.only_document()


_TOO_DEEP = f"is nested more than {MAX_DEPTH} deep"


def _depth_opened(text: str) -> int:
    """Count how many brackets are open at once at most, leaving out those in quotes and comments."""
    depth = deepest = 0
    for found in _QUOTED_OR_BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        deepest = max(deepest, depth)
    return deepest


class _Tree:
    """Plain data, built from the parser's events one by one, without recursion."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._documents: list[Any] = []
        self._open: list[Any] = [self._documents]  # the collections being filled, outermost first
        self._keys: list[str | None] = [None]  # for each: the mapping key that waits for its value

    @property
    def depth(self) -> int:
        """How many collections are open."""
        return len(self._open) - 1

    def check(self, event: Any) -> None:
        """Refuse what may make objects, or copies of much."""
        if event.anchor is not None:  # an alias carries the name of its anchor
            raise self._fault(event, "anchors and aliases (& and *) are not allowed", "write the value out")
        if event.tag is not None:
            raise self._fault(event, f"tags such as {event.tag} are not allowed")

    def add_scalar(self, event: Any) -> None:
        parent = self._open[-1]
        if not isinstance(parent, dict) or self._keys[-1] is not None:
            self._add(_plain_value(event.value) if event.implicit[0] else event.value)
        elif event.value in parent:
            raise self._fault(event, f"the key {event.value!r} is given twice")
        else:
            self._keys[-1] = event.value

    def add_collection(self, event: Any, empty: dict[str, Any] | list[Any]) -> None:
        if isinstance(self._open[-1], dict) and self._keys[-1] is None:
            raise self._fault(event, "a key must be plain text")
        if self.depth >= MAX_DEPTH:
            raise self._fault(event, _TOO_DEEP)
        self._add(empty)
        self._open.append(empty)
        self._keys.append(None)

    def close(self) -> None:
        self._open.pop()
        self._keys.pop()

    def only_document(self) -> Any:
        if len(self._documents) != 1:
            what = "holds more than one document" if self._documents else "is empty"
            raise YamlTextError(what, where=self._where)
        return self._documents[0]

    def _add(self, value: Any) -> None:
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, dict):
            parent[key] = value
            self._keys[-1] = None
        else:
            parent.append(value)

    def _fault(self, event: Any, what: str, advice: str = "") -> YamlTextError:
        return YamlTextError(what, where=f"{self._where}: line {event.start_mark.line + 1}", advice=advice)


def _plain_value(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return _WORDS.get(text, text)
