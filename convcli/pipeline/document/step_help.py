"""The help of steps, made from the registry: what each does, and its options with their types and defaults."""

import inspect
import json
from typing import Any

import msgspec

from convcli.errors import UsageError
from convcli.pipeline.steps.base import Step
from convcli.pipeline.steps.registry import STEPS

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
    """Return the first line of each step's description, by its name.

    >>> step_summaries()["abs"]
    'Take absolute values.'
    """
    return {name: _text(STEPS[name]).partition("\n")[0] for name in sorted(STEPS)}


def step_help(name: str) -> str:
    """Return the help of a step as text.

    Raises
    ------
    UsageError
        If there is no such step.

    Examples
    --------
    >>> print(step_help("leaky_relu").splitlines()[0])
    Multiply negative samples by a small slope, as torch.nn.LeakyReLU does. Maas et al. (2013).
    """
    record = step_record(name)
    lines = [*record["description"].splitlines(), "", f"Inputs: {record['inputs']}.", ""]
    if not record["options"]:
        return "\n".join([*lines, "No options."])
    lines.append("Options:")
    for option in record["options"]:
        default = "needed" if option["needed"] else f"default {option['unless_told'] or _written(option['default'])}"
        alone = ", may stand alone" if option["alone"] else ""
        lines.append(f"  {option['name']}: {option['takes']}; {default}{alone}.")
        if option["description"]:
            lines.append(f"      {option['description']}")
    return "\n".join(lines)


def step_record(name: str) -> dict[str, Any]:
    """Return the help of a step as data for JSON.

    `unless_told` is what happens where an option whose default is null is left out, in words.

    Raises
    ------
    UsageError
        If there is no such step.

    Examples
    --------
    >>> [option["default"] for option in step_record("max_pool")["options"]]
    [None, None, 0, False, 1]
    """
    kind = STEPS.get(name)
    if kind is None:
        from convcli.pipeline.document.step_names import step_advice

        raise UsageError(f"unknown step {name!r}{step_advice(name)}")
    options = []
    for field in msgspec.structs.fields(kind):
        schema, parts = msgspec.json.schema_components([field.type], ref_template="{name}")
        options.append(
            {
                "name": field.name,
                "takes": _kind(schema[0], parts),
                "needed": field.required,
                "default": None if field.required else field.default,
                "unless_told": kind.implicit_defaults.get(field.name),
                "alone": field.name in (kind.main, kind.main_list),
                "description": schema[0].get("description"),
            }
        )
    return {"step": name, "description": _text(kind), "inputs": _inputs(kind), "options": options}


def _text(kind: type[Step]) -> str:
    return inspect.cleandoc(kind.__doc__ or "")


def _inputs(kind: type[Step]) -> str:
    """Return how many inputs a step takes, in words.

    >>> _inputs(STEPS["relu"]), _inputs(STEPS["concat"]), _inputs(STEPS["crop"])
    ('1', '2 or more', '1 to 2')
    """
    least, most = kind.least_inputs, kind.most_inputs
    if most is None:
        return f"{least} or more"
    return str(least) if least == most else f"{least} to {most}"


def _kind(schema: dict[str, Any], parts: dict[str, Any]) -> str:
    """Return what an option takes, in words."""
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
