"""Plain data into msgspec structures, with messages for people.

msgspec converts and decides. Where it refuses, the data are walked once more beside the type's description to find what
is wrong, where, and what there is instead; msgspec's own messages are never read.
"""

import math
from collections.abc import Iterator
from typing import Any, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import inspect

from convcli.errors import ConvcliError, UsageError, nearest

_T = TypeVar("_T", bound=msgspec.Struct)

# Of a value that is shown in a message, so many characters at most.
_LONGEST_SHOWN = 60
_BOUNDS = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))
_KIND_WORDS: dict[type[inspect.Type], str] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.StrType: "text",
    inspect.LiteralType: "text",
    inspect.ListType: "a list",
    inspect.VarTupleType: "a list",
    inspect.TupleType: "a list",
    inspect.DictType: "a mapping",
    inspect.StructType: "a mapping",
    inspect.NoneType: "nothing",
    inspect.AnyType: "anything",
}


class StructError(UsageError):
    """Data that a structure cannot be made of; `where` is the path in it, such as `stride[0]`, empty for all of it."""


def read_struct(data: Any, kind: type[_T], noun: str = "key") -> _T:
    """Make a structure of plain data.

    Parameters
    ----------
    data : dict, list, str, int, float, bool or None
        What was read from a file.
    kind : type
        A msgspec.Struct whose fields are of those kinds, of words (Literal), or structures themselves.
    noun : str
        What the fields are called in messages.

    Returns
    -------
    msgspec.Struct
        An instance of `kind`.

    Raises
    ------
    StructError
        For an unknown or missing key, a value of the wrong kind or out of its bounds, a list of the wrong length, a
        word that is none of the choices, and for NaN and infinities among its numbers and lists of numbers.

    Examples
    --------
    >>> class Pool(msgspec.Struct, forbid_unknown_fields=True):
    ...     ceil: bool = False
    >>> read_struct({"ceil": True}, Pool)
    Pool(ceil=True)
    >>> read_struct({"cell": True}, Pool, "option")
    Traceback (most recent call last):
    convcli.system.checked_structs.StructError: unknown option 'cell'; did you mean 'ceil'? The options are ceil
    """
    try:
        read = msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        fault = next(_faults(data, inspect.type_info(kind), "", noun), None)
        if fault is None:  # the structure refused its own values
            cause = error.__cause__
            fault = cause.as_kind(StructError) if isinstance(cause, ConvcliError) else StructError(str(cause or error))
        raise fault from error
    _check_finite(read)
    return read


def _check_finite(read: msgspec.Struct) -> None:
    """Raise StructError for NaN and infinities, which YAML can write, among the numbers and lists of numbers."""
    for name, key in zip(read.__struct_fields__, read.__struct_encode_fields__, strict=True):
        value = getattr(read, name)
        if isinstance(value, float):
            if not math.isfinite(value):
                raise StructError(_not_finite(read, key, value), where=key)
        elif isinstance(value, list):
            for index, number in enumerate(value):
                if isinstance(number, float) and not math.isfinite(number):
                    raise StructError(_not_finite(read, key, number), where=f"{key}[{index}]")


def _not_finite(read: msgspec.Struct, key: str, number: float) -> str:
    struct = inspect.type_info(type(read))
    assert isinstance(struct, inspect.StructType)
    field = next(field for field in struct.fields if field.encode_name == key)
    unlimited = field.default is not None and any(isinstance(each, inspect.NoneType) for each in _members(field.type))
    return f"must be a finite number{', or null for none' if unlimited else ''}, not {number}"


def _faults(
    data: Any, kind: inspect.Type, path: str, noun: str, choices: tuple[str, ...] = ()
) -> Iterator[StructError]:
    """Yield what keeps `data` from being of a kind, the first fault first; `choices` are the words of its field."""
    members = [each for each in _members(kind) if _is_of_kind(data, each)]
    if not members:
        yield StructError(f"must be {_kind_words(kind)}, not {_shown(data)}", where=path)
        return
    member = members[0]
    if isinstance(member, inspect.StructType):
        yield from _struct_faults(data, member, path, noun)
    elif isinstance(member, inspect.DictType):
        for key, value in data.items():
            yield from _faults(value, member.value_type, f"{path}.{key}" if path else str(key), noun, choices)
    elif isinstance(member, inspect.LiteralType):
        if data not in choices:
            hint = nearest(str(data), choices)
            yield StructError(f"unknown word {_shown(data)}: expected {', '.join(choices)}{hint}", where=path)
    elif isinstance(member, inspect.ListType | inspect.VarTupleType | inspect.TupleType):
        yield from _list_faults(data, member, path, noun, choices)
    elif isinstance(member, inspect.IntType | inspect.FloatType):
        whole = "a whole number of " if isinstance(member, inspect.IntType) else ""
        for bound, words in _BOUNDS:
            limit = getattr(member, bound)
            if limit is not None and not _keeps(data, bound, limit):
                yield StructError(f"must be {whole}{words} {limit}, not {_shown(data)}", where=path)


def _struct_faults(data: dict[str, Any], struct: inspect.StructType, path: str, noun: str) -> Iterator[StructError]:
    fields = {field.encode_name: field for field in struct.fields}
    stated = {field.encode_name: field.type for field in msgspec.structs.fields(struct.cls)}
    for key, value in data.items():
        if key in fields:
            words = _words(stated[key])
            yield from _faults(value, fields[key].type, f"{path}.{key}" if path else key, noun, words)
        elif struct.forbid_unknown_fields:
            hint = nearest(str(key), fields)
            known = f"{noun}s are {', '.join(fields)}" if fields else f"are no {noun}s"
            the = "the" if fields else "there"
            known = f" {the.title()} {known}" if hint else f"; {the} {known}"
            yield StructError(f"unknown {noun} {key!r}{hint}{known}", where=path)
    for key, field in fields.items():
        if field.required and key not in data:
            yield StructError(f"needs {key}", where=path)


def _list_faults(
    data: list[Any],
    kind: inspect.ListType | inspect.VarTupleType | inspect.TupleType,
    path: str,
    noun: str,
    choices: tuple[str, ...],
) -> Iterator[StructError]:
    if isinstance(kind, inspect.TupleType):
        if len(data) != len(kind.item_types):
            yield StructError(f"must be a list of {len(kind.item_types)}, not {_shown(data)}", where=path)
        items = kind.item_types[: len(data)]
    else:
        for limit, words, kept in (
            (kind.min_length, "at least", len(data) >= (kind.min_length or 0)),
            (kind.max_length, "at most", kind.max_length is None or len(data) <= kind.max_length),
        ):
            if not kept:
                yield StructError(f"must be a list of {words} {limit}, not {_shown(data)}", where=path)
        items = (kind.item_type,) * len(data)
    for index, item in enumerate(items):
        yield from _faults(data[index], item, f"{path}[{index}]", noun, choices)


def _words(annotation: Any) -> tuple[str, ...]:
    """Return the words that an annotation allows, in the order in which it states them, which msgspec sorts."""
    if get_origin(annotation) is Literal:
        return tuple(str(word) for word in get_args(annotation))
    return tuple(word for each in getattr(annotation, "__args__", ()) for word in _words(each))


def _members(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    """Return the kinds that a value may be of; more than one for a union."""
    if isinstance(kind, inspect.Metadata):
        return _members(kind.type)
    if isinstance(kind, inspect.UnionType):  # a member may be described in its turn
        return tuple(member for each in kind.types for member in _members(each))
    return (kind,)


def _is_of_kind(data: Any, kind: inspect.Type) -> bool:
    """Whether data are of a kind whatever their bounds, their length and what they hold."""
    if isinstance(kind, inspect.AnyType):
        return True
    if isinstance(kind, inspect.NoneType):
        return data is None
    if isinstance(kind, inspect.BoolType):
        return isinstance(data, bool)
    if isinstance(kind, inspect.IntType):
        return isinstance(data, int) and not isinstance(data, bool)
    if isinstance(kind, inspect.FloatType):
        return isinstance(data, int | float) and not isinstance(data, bool)
    if isinstance(kind, inspect.StrType | inspect.LiteralType):
        return isinstance(data, str)
    if isinstance(kind, inspect.DictType | inspect.StructType):
        return isinstance(data, dict)
    return isinstance(data, list | tuple)


def _keeps(number: float, bound: str, limit: float) -> bool:
    return {"ge": number >= limit, "gt": number > limit, "le": number <= limit, "lt": number < limit}[bound]


def _kind_words(kind: inspect.Type) -> str:
    """Name the kinds of a union, `a number or text`; that it may be left out goes without saying."""
    members = _members(kind)
    if any(isinstance(each, inspect.FloatType) for each in members):
        members = tuple(each for each in members if not isinstance(each, inspect.IntType))
    if len(members) > 1:
        members = tuple(each for each in members if not isinstance(each, inspect.NoneType))
    return " or ".join(dict.fromkeys(_KIND_WORDS[type(each)] for each in members))


def _shown(value: Any) -> str:
    """Write a value as a document would, cut where it is long.

    >>> _shown(True), _shown("abc"), _shown([1, 2]), _shown(None)
    ('true', "'abc'", '[1, 2]', 'nothing')
    """
    if value is None:
        return "nothing"
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 3] + "..."
