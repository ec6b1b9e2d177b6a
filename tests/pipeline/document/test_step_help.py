"""The help of steps, made from the registry."""

import pytest

from convcli.errors import UsageError
from convcli.pipeline.document.step_help import step_help, step_record, step_summaries
from convcli.pipeline.steps.registry import STEPS


@pytest.mark.parametrize("name", STEPS)
def test_the_help_of_a_step_names_its_options_and_its_inputs(name):
    text, record = step_help(name), step_record(name)
    assert text.startswith(step_summaries()[name])
    assert f"Inputs: {record['inputs']}." in text
    assert [option["name"] for option in record["options"]] == list(STEPS[name].__struct_fields__)
    for option in record["options"]:
        assert f"\n  {option['name']}: {option['takes']}" in text


def test_a_step_that_is_none_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'conv'"):
        step_record("convv")
