"""Every step: found, documented, strict, of the size it says, and changing nothing."""

import gc
import inspect
import re
import textwrap
from pathlib import Path

import msgspec
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from step_cases import CASES, IMAGE, SIZE, document, run

from convcli.pipeline import steps
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Computing, Pipeline
from convcli.pipeline.steps.registry import STEPS
from convcli.system.yaml_text import parse_yaml


def _sources(entry):
    sources = entry.get("from", [])
    return [sources] if isinstance(sources, str) else sources


def test_there_is_a_case_for_every_step():
    assert set(CASES) == set(STEPS)


@pytest.mark.parametrize(("name", "options"), [(name, each) for name in CASES for each in CASES[name]])
def test_a_step_gives_float32_of_the_size_it_says_and_changes_nothing(name, options):
    made = document(name, options)
    before = IMAGE.copy()
    IMAGE.flags.writeable = False
    try:
        result = run(made)
    finally:
        IMAGE.flags.writeable = True
    assert result.dtype == np.float32
    properties = document_properties(made, SIZE)[made.output.source]
    assert result.shape == properties.output
    assert_array_equal(IMAGE, before)
    assert properties.parameters >= 0
    assert properties.macs >= 0


@pytest.mark.parametrize("value", [np.inf, 3e38])
@pytest.mark.parametrize(("name", "options"), [(name, each) for name in CASES for each in CASES[name]])
def test_a_step_takes_what_is_infinite_and_what_becomes_so_without_a_warning(name, options, value):
    image = IMAGE.copy()
    image[4:7, 5] = image[-1, -1, 0] = value  # outside of what a template is cut from, which must be finite
    image[9, 9], image[10, 3, 2] = -value, np.nan
    run(document(name, options), image)  # warnings are errors here


@pytest.mark.parametrize("step", ["softmax:", "upsample: {scale: 2, mode: bilinear}", "spectrum:"])
def test_nor_does_it_warn_in_threads_of_its_own(step):
    image = np.full((600, 500, 3), np.inf, np.float32)
    made = Pipeline(parse_document(f"steps: [{{{step} }}]"), Computing(threads=3))
    assert np.isnan(made.program(image.shape).run(image)[0]).any()


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_documented_with_snippets_that_are_documents(name):
    first, *paragraphs = inspect.cleandoc(STEPS[name].__doc__).split("\n\n")
    assert "\n" not in first, "the first line says it all"
    snippets = [text for text in paragraphs if text.lstrip().startswith("- ")]
    steps, _, _ = textwrap.dedent("\n".join(snippets)).partition("output:")
    entries = parse_yaml(steps, name)
    mine = [entry for entry in entries if entry == name or (isinstance(entry, dict) and name in entry)]
    assert mine, f"no snippet of {name}"
    known = {"input", "alpha"}
    named = [source for entry in entries if isinstance(entry, dict) for source in _sources(entry)]
    names = {entry["name"] for entry in entries if isinstance(entry, dict) and "name" in entry}
    before = [
        {"abs": None, "name": each, "from": "input"} for each in dict.fromkeys(named) if each not in known | names
    ]
    made = parse_document(msgspec.json.encode({"steps": before + entries}).decode(), name)
    assert any(node.step.name == name for node in made.nodes)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_refuses_options_that_it_does_not_have(name):
    with pytest.raises(DocumentError, match="unknown option 'nonsense'"):
        parse_document(f"steps: [{{{name}: {{nonsense: 1}}}}]")


def test_reading_steps_survives_the_collection_of_garbage():
    # msgspec 0.22 crashes on some unions of bounded numbers and tuples once the collector has visited them.
    for _ in range(2):
        for name, cases in CASES.items():
            for options in cases:
                document(name, options)
        gc.collect()


def test_every_module_with_a_step_is_found():
    folder = Path(steps.__file__).parent
    named = [
        name
        for path in folder.glob("*.py")
        for name in re.findall(r'^    name: ClassVar\[str\] = "(\w+)"', path.read_text(), re.MULTILINE)
    ]
    assert sorted(named) == sorted(STEPS)
    assert all(kind.name == name for name, kind in STEPS.items())
