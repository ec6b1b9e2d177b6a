"""The published JSON Schema is that of the steps, and says what reading a document says."""

import json

import msgspec
import pytest
from repository import ROOT

from convcli.pipeline.document.schema import pipeline_schema, schema_text
from convcli.pipeline.steps.registry import STEPS

PUBLISHED = ROOT / "schemas" / "pipeline.schema.json"
SCHEMA = pipeline_schema()


def sorted_alternatives(part):
    """The schema with the alternatives of `anyOf` in one order: that of msgspec differs between its versions."""
    if isinstance(part, list):
        return [sorted_alternatives(each) for each in part]
    if not isinstance(part, dict):
        return part
    known = {key: sorted_alternatives(value) for key, value in part.items()}
    if "anyOf" in known:
        known["anyOf"].sort(key=json.dumps)
    return known


def test_the_published_schema_is_that_of_the_steps():
    published, current = (json.loads(text) for text in (PUBLISHED.read_text(encoding="utf-8"), schema_text()))
    assert sorted_alternatives(published) == sorted_alternatives(current), (
        "write it anew: convcli run --schema > schemas/pipeline.schema.json"
    )


def test_every_reference_leads_somewhere():
    def references(part):
        if isinstance(part, dict):
            yield from (value for key, value in part.items() if key == "$ref")
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    found = set(references(SCHEMA))
    assert found
    for reference in found:
        assert reference.removeprefix("#/$defs/") in SCHEMA["$defs"]


def entry_of(name):
    return next(
        entry
        for entry in SCHEMA["$defs"]["entry"]["anyOf"]
        if entry["type"] == "object" and name in entry["properties"]
    )


@pytest.mark.parametrize("name", STEPS)
def test_every_step_and_option_is_in_it_with_the_first_line_of_its_help(name):
    kind = STEPS[name]
    entry = entry_of(name)
    described = entry["properties"][name]
    assert described["description"] == kind.__doc__.partition("\n")[0]
    options = SCHEMA["$defs"][kind.__name__]
    assert set(options["properties"]) == {field.encode_name for field in msgspec.structs.fields(kind)}
    assert options["additionalProperties"] is False
    assert entry["additionalProperties"] is False


def test_steps_that_need_nothing_may_stand_by_name_alone():
    names = next(entry for entry in SCHEMA["$defs"]["entry"]["anyOf"] if entry["type"] == "string")["enum"]
    assert "relu" in names
    assert "softmax" in names
    assert "max_pool" not in names
    assert "concat" not in names


def test_it_is_plain_json():
    assert json.loads(schema_text()) == SCHEMA
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["required"] == ["steps"]
