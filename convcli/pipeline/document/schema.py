"""The JSON Schema of pipeline documents, for editors, made from the registry of steps."""

import inspect
from typing import Any

import msgspec

from convcli.pipeline.document.entries import MOST_STEPS
from convcli.pipeline.document.loading import ID, DocumentFile
from convcli.pipeline.steps.base import Step
from convcli.pipeline.steps.registry import STEPS
from convcli.reporting.json_text import to_json

DRAFT = "https://json-schema.org/draft/2020-12/schema"
_TEMPLATE = "#/$defs/{name}"
_REFERENCE = {"$ref": "#/$defs/reference"}


def pipeline_schema() -> dict[str, Any]:
    """Return the schema (JSON Schema 2020-12) of a pipeline document as plain data."""
    kinds: list[type[msgspec.Struct]] = [*STEPS.values(), DocumentFile]
    parts = msgspec.json.schema_components(kinds, ref_template=_TEMPLATE)[1]
    definitions = {name: _tidied(part) for name, part in sorted(parts.items())}
    top = definitions.pop(DocumentFile.__name__)
    top["properties"]["constants"]["description"] = (
        "Values by name, which options refer to as $name and $(2 * name), and --set changes; null has to be set."
    )
    definitions = {name: _with_references(part) for name, part in definitions.items()}
    top["properties"]["name"]["pattern"] = f"^{ID.pattern}$"
    top["properties"]["steps"] = {
        "type": "array",
        "minItems": 1,
        "items": {"$ref": "#/$defs/entry"},
        "description": "Applied in order; each reads the result of the one before unless `from` says otherwise.",
    }
    definitions["entry"] = {
        "anyOf": [_names(), *(_entry(name, kind) for name, kind in sorted(STEPS.items())), _block()]
    }
    definitions["id"] = {"type": "string", "pattern": rf"^{ID.pattern}$|\$"}
    definitions["source"] = {"type": "string", "pattern": rf"^{ID.pattern}(\.\*)?$|\$"}
    definitions["reference"] = {"type": "string", "pattern": r"\$", "description": "A constant, or a formula of some."}
    return {
        "$schema": DRAFT,
        "title": "A pipeline of convcli",
        **{key: value for key, value in top.items() if key != "title"},
        "$defs": definitions,
    }


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return to_json(pipeline_schema(), indent=1) + "\n"


def _names() -> dict[str, Any]:
    """Return the schema of steps that are written as a name alone."""
    alone = [name for name, kind in sorted(STEPS.items()) if not _required(kind) and kind.least_inputs <= 1]
    return {"type": "string", "enum": alone}


def _entry(name: str, kind: type[Step]) -> dict[str, Any]:
    """Return the schema of the mapping of one step to its options, with its name and sources beside it."""
    options: list[dict[str, Any]] = [{"$ref": _TEMPLATE.format(name=kind.__name__)}]
    if not _required(kind):
        options.append({"type": "null"})
    for field in msgspec.structs.fields(kind):
        if field.name in (kind.main, kind.main_list):
            options.append(_with_references(_tidied(msgspec.json.schema(field.type))))
    several = kind.least_inputs > 1
    return {
        "type": "object",
        "properties": {
            name: {"anyOf": options, "description": _first_line(kind)},
            "name": {"$ref": "#/$defs/id", "description": "What its result is called."},
            "from": {
                "anyOf": [
                    *([] if several else [{"$ref": "#/$defs/source"}]),
                    {
                        "type": "array",
                        "items": {"$ref": "#/$defs/source"},
                        "minItems": max(1, kind.least_inputs),
                        **({} if kind.most_inputs is None else {"maxItems": kind.most_inputs}),
                    },
                ],
                "description": "What it reads: names of steps, input or alpha; the step before where it is left out.",
            },
        },
        "required": [name, "from"] if several else [name],
        "additionalProperties": False,
    }


def _block() -> dict[str, Any]:
    """Return the schema of steps that are repeated."""
    values = {"type": "array", "minItems": 1, "items": {"type": ["number", "string", "boolean"]}}
    turns: list[dict[str, Any]] = [{"type": "integer", "minimum": 1, "maximum": MOST_STEPS}, _REFERENCE]
    counted = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": {"anyOf": [*turns, values]},
    }
    return {
        "type": "object",
        "properties": {
            "repeat": {
                "anyOf": [*turns, counted],
                "description": "How often; or a constant and its values, one a turn, as in {sigma: [2, 4]}.",
            },
            "steps": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/entry"}},
            "name": {"$ref": "#/$defs/id", "description": "What the result of the last turn is called."},
            "from": {"$ref": "#/$defs/source", "description": "What the first turn reads; the step before by default."},
        },
        "required": ["repeat", "steps"],
        "additionalProperties": False,
    }


def _with_references(part: Any) -> Any:
    """Return a schema in which a reference to a constant may stand for every number, word and truth value."""
    if isinstance(part, list):
        return [_with_references(each) for each in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") in ("integer", "number", "boolean") or "enum" in part:
        kept = {key: part[key] for key in ("description", "default") if key in part}
        return {"anyOf": [{key: value for key, value in part.items() if key not in kept}, _REFERENCE], **kept}
    return {key: value if key in ("default", "required") else _with_references(value) for key, value in part.items()}


def _required(kind: type[Step]) -> bool:
    return any(field.required for field in msgspec.structs.fields(kind))


def _first_line(kind: type[Step]) -> str:
    return (inspect.getdoc(kind) or "").partition("\n")[0]


def _tidied(part: Any) -> Any:
    """Return a schema without titles and the indentation of docstrings, which editors would show."""
    if isinstance(part, dict):
        tidy = {key: _tidied(value) for key, value in part.items() if key != "title"}
        if isinstance(tidy.get("description"), str):
            tidy["description"] = inspect.cleandoc(tidy["description"])
        return tidy
    return [_tidied(each) for each in part] if isinstance(part, list) else part
