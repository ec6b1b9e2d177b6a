"""JSON: for lines on standard output, and reports whose `results` stand one on a line."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # lines of JSON need no document
    from convcli.reporting.document import Record, ReportHead, ReportTail


def to_json(value: Any, indent: int | None = None) -> str:
    """Return a value as JSON, which has no NaN or infinity: null stands for them.

    >>> to_json({"rate": float("nan"), "size": (2, 3)})
    '{"rate": null, "size": [2, 3]}'
    """
    import json  # which a plain run does without

    try:
        return json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:  # rare, and the search takes time
        return json.dumps(without_nan(value), indent=indent, allow_nan=False)


def without_nan(value: Any) -> Any:
    """Return a value of dicts, lists and numbers with None for each NaN and infinity.

    >>> without_nan({"a": [1.0, float("inf")]})
    {'a': [1.0, None]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: without_nan(each) for key, each in value.items()}
    return [without_nan(each) for each in value] if isinstance(value, list | tuple) else value


def write_head(head: "ReportHead") -> str:
    """Return what stands before the first record."""
    members = "".join(f"{member},\n" for member in _members(head.data))
    return f'{{\n{members}  "results": ['


def write_record(head: "ReportHead", record: "Record", place: int) -> str:
    """Return a record, the `place`-th of all from 0, on a line of its own."""
    return f"{',' if place else ''}\n    {to_json(record)}"


def write_tail(head: "ReportHead", tail: "ReportTail") -> str:
    """Return what stands after the last record."""
    members = "".join(f",\n{member}" for member in _members(tail.data))
    return f"\n  ]{members}\n}}\n"


def _members(data: Mapping[str, Any]) -> list[str]:
    lines = {key: to_json(value, indent=2).replace("\n", "\n  ") for key, value in data.items()}
    return [f"  {to_json(key)}: {text}" for key, text in lines.items()]
