"""Reading a YAML file of untrusted origin into plain data.

Only libyaml's parser is used, never a constructor: no object is ever made from a tag. Anchors, aliases and tags are
refused altogether, so there are no alias bombs; repeated keys are refused, where YAML libraries silently keep the last;
nesting is limited, since deep nesting overflows the C stack of other readers. Numbers follow YAML 1.2: `1e-3` is one,
`010` is ten, `1:30` and `no` are text.
"""

import re
from pathlib import Path
from typing import Any

from convcli.errors import KernelError

MAX_BYTES = 4 << 20
_MAX_DEPTH = 8
_INTEGER = re.compile(r"[-+]?\d{1,300}")
_FLOAT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {"true": True, "True": True, "false": False, "False": False, "null": None, "~": None, "": None}


def read_yaml(path: Path, kind: str = "kernel file") -> Any:
    """Read the one document of a YAML file as dicts, lists, str, int, float, bool and None; messages call it a `kind`.

    Raises
    ------
    KernelError
        naming the file, and the line where there is one.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # a pipe or a growing file tells no true size
    except FileNotFoundError:
        raise KernelError(f"{path}: no such {kind}") from None
    except IsADirectoryError:
        raise KernelError(f"{path}: is a folder: give a .yaml file in it") from None
    except OSError as error:
        raise KernelError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the path
        raise KernelError(f"{str(path)!r}: cannot be read: {error}") from error
    if size > MAX_BYTES:
        raise KernelError(f"{path}: has {size} bytes; a {kind} has at most {MAX_BYTES}")
    if len(data) > MAX_BYTES:
        raise KernelError(f"{path}: has more than {MAX_BYTES} bytes, the most that a {kind} may have")
    try:
        return parse_yaml(data.decode("utf-8-sig"), str(path))
    except UnicodeDecodeError as error:
        raise KernelError(f"{path}: is not UTF-8 text (byte {error.start})") from error


def parse_yaml(text: str, where: str) -> Any:
    """Parse one YAML document; `where` stands before each message.

    >>> parse_yaml("{size: 3, rows: [[1, .5], [1e-3, 1/4]]}", "example")
    {'size': 3, 'rows': [[1, 0.5], [0.001, '1/4']]}
    """
    import yaml  # weights given as text need no YAML

    tree = _Tree(where)
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
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise KernelError(f"{where}: {line}not valid YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise KernelError(f"{where}: not valid YAML: {' '.join(str(error).split())}") from error
    return tree.only_document()


class _Tree:
    """Plain data, built from the parser's events one by one, without recursion."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._documents: list[Any] = []
        self._open: list[Any] = [self._documents]  # the collections being filled, outermost first
        self._keys: list[str | None] = [None]  # for each: the mapping key that waits for its value

    def check(self, event: Any) -> None:
        if event.anchor is not None:  # an alias carries the name of its anchor
            raise self._fault(event, "anchors and aliases (& and *) are not allowed: write the value out")
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
        if len(self._open) > _MAX_DEPTH:
            raise self._fault(event, f"is nested more than {_MAX_DEPTH} deep")
        self._add(empty)
        self._open.append(empty)
        self._keys.append(None)

    def close(self) -> None:
        self._open.pop()
        self._keys.pop()

    def only_document(self) -> Any:
        if len(self._documents) != 1:
            raise KernelError(f"{self._where}: {'holds more than one document' if self._documents else 'is empty'}")
        return self._documents[0]

    def _add(self, value: Any) -> None:
        parent, key = self._open[-1], self._keys[-1]
        if isinstance(parent, dict):
            parent[key] = value
            self._keys[-1] = None
        else:
            parent.append(value)

    def _fault(self, event: Any, reason: str) -> KernelError:
        return KernelError(f"{self._where}: line {event.start_mark.line + 1}: {reason}")


def _plain_value(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
    return _WORDS.get(text, text)
