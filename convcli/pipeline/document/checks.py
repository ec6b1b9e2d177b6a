"""Plain data of a document turned into checked structures; errors say where, what is wrong and what is allowed."""

import math
import re
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec

from convcli.errors import UsageError, nearest

_T = TypeVar("_T", bound=msgspec.Struct)

_KINDS = {
    "array": "a list",
    "object": "a mapping",
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
}
_BOUND = re.compile(r"Expected `(int|float)` (>=|<=|>|<) (\S+)")
_LENGTH = re.compile(r"Expected `array` of length (?:(>=|<=) )?(\d+)")
_BOUND_WORDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
# Of what is written, so much is repeated in a message.
_LONGEST_SHOWN = 60


class ReadingError(UsageError):
    """Data that does not fit a structure: `path` in it, such as `stride[0]`, and the `reason`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason


def read_struct(data: Any, kind: type[_T], words: str = "key") -> _T:
    """Return a structure made from plain data.

    Parameters
    ----------
    data : any
        Plain data, as YAML gives it.
    kind : type of msgspec.Struct
    words : str
        What the structure's fields are called in messages.

    Raises
    ------
    ReadingError
        If the data does not fit.

    Examples
    --------
    >>> class Pool(msgspec.Struct, forbid_unknown_fields=True):
    ...     ceil: bool = False
    >>> read_struct({"ceil": True}, Pool)
    Pool(ceil=True)
    >>> read_struct({"cell": True}, Pool, "option")
    Traceback (most recent call last):
    convcli.pipeline.document.checks.ReadingError: unknown option 'cell'; did you mean 'ceil'? The options are ceil
    """
    try:
        read = msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        reason, _, path = str(error).partition(" - at `$")
        path = path.rstrip("`").removeprefix(".")
        raise ReadingError(path, _reason(reason, path, data, kind, words)) from error
    _check_finite(read)
    return read


def _check_finite(read: msgspec.Struct) -> None:
    """Raise ReadingError for NaN and infinities, which YAML can write, among numbers and lists of them."""
    for option in msgspec.structs.fields(read):
        value = getattr(read, option.name)
        for index, number in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(number, float) and not math.isfinite(number):
                path = option.encode_name + (f"[{index}]" if isinstance(value, list) else "")
                unlimited = option.default is not None and type(None) in get_args(option.type)
                null = ", or null for none" if unlimited else ""
                raise ReadingError(path, f"must be a finite number{null}, not {number}")


def _reason(reason: str, path: str, data: Any, kind: type[msgspec.Struct], words: str) -> str:
    given = _shown(_at(data, path))
    unknown = re.search(r"contains unknown field `(.*)`", reason)
    if unknown:
        known = _fields_at(kind, path)
        hint = nearest(unknown[1], known)
        there_are = f"{words}s are {', '.join(known)}" if known else f"are no {words}s"
        the = "the" if known else "there"
        return f"unknown {words} {unknown[1]!r}{hint}{_then(hint)} {the if not hint else the.title()} {there_are}"
    missing = re.search(r"missing required field `(.*)`", reason)
    if missing:
        return f"needs {missing[1]}"
    bound = _BOUND.match(reason)
    if bound:
        whole = "a whole number of " if bound[1] == "int" else ""
        return f"must be {whole}{_BOUND_WORDS[bound[2]]} {bound[3]}, not {given}"
    length = _LENGTH.match(reason)
    if length:
        words = f"{_BOUND_WORDS[length[1]]} " if length[1] else ""
        return f"must be a list of {words}{length[2]}, not {given}"
    if reason.startswith("Invalid enum value"):
        choices = _choices_at(kind, path)
        return f"unknown word {given}: expected {', '.join(choices)}{nearest(str(_at(data, path)), choices)}"
    kinds = re.match(r"Expected `([^`]*)`", reason)
    if kinds:
        return f"must be {_plain_kinds(kinds[1])}, not {given}"
    return reason[:1].lower() + reason[1:]


def _then(hint: str) -> str:
    return "" if hint.endswith("?") else ";"


def _at(data: Any, path: str) -> Any:
    """Return what stands at a path such as `weights[0][1]`, or `input.size`."""
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path):
        try:
            data = data[key] if key else data[int(index)]
        except (LookupError, TypeError):
            return None
    return data


def _fields_at(kind: type[msgspec.Struct], path: str) -> tuple[str, ...]:
    """Return the fields of the structure at a path; only structures within structures are followed."""
    for key in filter(None, path.split(".")):
        types = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
        inner = _struct_of(types.get(key))
        if inner is None:
            break
        kind = inner
    return tuple(field.encode_name for field in msgspec.structs.fields(kind))


def _choices_at(kind: type[msgspec.Struct], path: str) -> tuple[str, ...]:
    """Return the words that the field at a path takes."""
    parent, _, name = path.rpartition(".")
    for key in filter(None, parent.split(".")):
        kind = _struct_of({field.encode_name: field.type for field in msgspec.structs.fields(kind)}[key]) or kind
    return _words_of({field.encode_name: field.type for field in msgspec.structs.fields(kind)}.get(name))


def _words_of(annotation: Any) -> tuple[str, ...]:
    if get_origin(annotation) is Literal:
        return tuple(str(word) for word in get_args(annotation))
    return tuple(word for each in getattr(annotation, "__args__", ()) for word in _words_of(each))


def _struct_of(annotation: Any) -> type[msgspec.Struct] | None:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return annotation
    found = (_struct_of(each) for each in getattr(annotation, "__args__", ()))
    return next(filter(None, found), None)


def _shown(value: Any) -> str:
    """Return a value as a document writes it, cut where it is long.

    >>> _shown(True), _shown("abc"), _shown([1, 2]), _shown(None)
    ('true', "'abc'", '[1, 2]', 'nothing')
    """
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."


def _plain_kinds(kinds: str) -> str:
    """Return types such as `int | array | null` in words: `a whole number or a list`."""
    names = kinds.split(" | ")
    if "float" in names and "int" in names:
        names.remove("int")
    if len(names) > 1 and "null" in names:
        names.remove("null")
    return " or ".join(_KINDS.get(name, name) for name in names)
