"""The steps, described for people: what each does, and its options with their kinds and defaults."""

import inspect
import json
from typing import Any

import msgspec

from convcli.errors import UsageError, nearest
from convcli.pipeline.registry import STEPS
from convcli.pipeline.step import Step

_KINDS = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a mapping",
}
_MOST = 1 << 20  # a bound that only guards, and says nothing to people


def step_summaries() -> dict[str, str]:
    """Give the first line of each step's description, by its name.

    >>> step_summaries()["abs"]
    'Take absolute values.'
    """
    return {name: _text(STEPS[name]).partition("\n")[0] for name in sorted(STEPS)}


def step_help(name: str) -> str:
    """Describe a step and its options.

    >>> print(step_help("leaky_relu").splitlines()[0])
    Keep what is positive, and a part of what is negative, as torch.nn.LeakyReLU. Maas et al. (2013).

    Raises
    ------
    UsageError
        for a name that is no step's.
    """
    kind = STEPS.get(name)
    if kind is None:
        raise UsageError(f"unknown step {name!r}{nearest(name, STEPS) or '; convcli run --steps lists them'}")
    lines = [*_text(kind).splitlines(), "", f"Inputs: {_inputs(kind)}.", ""]
    fields = msgspec.structs.fields(kind)
    if not fields:
        return "\n".join([*lines, "No options."])
    lines.append("Options:")
    for field in fields:
        schema, parts = msgspec.json.schema_components([field.type], ref_template="{name}")
        described = schema[0]
        default = "needed" if field.required else f"default {_written(field.default)}"
        alone = ", may stand alone" if field.name == kind.main else ""
        lines.append(f"  {field.name}: {_kind(described, parts)}; {default}{alone}.")
        if "description" in described:
            lines.append(f"      {described['description']}")
    return "\n".join(lines)


def _text(kind: type[Step]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _inputs(kind: type[Step]) -> str:
    """Say how many inputs a step takes.

    >>> _inputs(STEPS["relu"]), _inputs(STEPS["add"]), _inputs(STEPS["crop"])
    ('1', '2 or more', '1 to 2')
    """
    least, most = kind.least_inputs, kind.most_inputs
    if most is None:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


def _kind(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    """Say in words what an option takes."""
    if "anyOf" in schema:
        return " or ".join(_kind(each, parts) for each in schema["anyOf"] if each != {"type": "null"})
    if "$ref" in schema:
        fields = parts[schema["$ref"]]["properties"]
        return "{" + ", ".join(f"{name}: {_kind(each, parts)}" for name, each in fields.items()) + "}"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    words = _KINDS[schema["type"]]
    if schema["type"] == "array" and schema.get("minItems") == schema.get("maxItems") == 2:
        words = "two as [rows, columns]"
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None:
        words += f" from {least}"
    return words if most is None or most >= _MOST else f"{words} to {most}"


def _written(value: Any) -> str:
    return "none" if value is None else json.dumps(value).strip('"')
