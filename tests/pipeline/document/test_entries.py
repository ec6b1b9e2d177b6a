"""Blocks of steps that are repeated, laid out turn by turn."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from convcli.image.model import Image
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline
from convcli.process.pipeline_on_image import run_image


def graph(text, **constants):
    """The ids of a document's steps with what they read."""
    return {node.id: node.sources for node in parse_document(text, constants=constants).nodes}


def test_each_turn_reads_the_one_before():
    found = graph("""
steps:
  - gray
  - repeat: 3
    steps:
      - filter: box
        name: blur
  - relu
""")
    assert found == {
        "gray_1": ("input",),
        "blur.1": ("gray_1",),
        "blur.2": ("blur.1",),
        "blur.3": ("blur.2",),
        "relu_1": ("blur.3",),
    }


def test_a_block_that_is_repeated_gives_what_writing_it_out_gives():
    block = "steps: [{repeat: {n: [1, 2, 3]}, steps: [{multiply: $n}, {add: {value: $n}}]}]"
    written = "steps: [multiply: 1, add: {value: 1}, multiply: 2, add: {value: 2}, multiply: 3, add: {value: 3}]"
    image = Image(np.arange(60, dtype=np.uint8).reshape(4, 5, 3))
    results = [run_image(image, Pipeline(parse_document(text))) for text in (block, written)]
    assert_array_equal(*results)
    assert_array_equal(results[0], 6.0 * image.pixels + 6 + 6 + 3)  # ((x + 1) 2 + 2) 3 + 3


def test_previous_is_what_the_turn_begins_with_and_names_are_those_of_the_turn():
    found = graph("""
steps:
  - gray:
    name: start
  - abs
  - repeat: 2
    from: start
    steps:
      - add: [1, -1]
        from: [previous, smooth]
        name: detail
      - filter: box
        from: previous
        name: smooth
    name: rest
  - concat:
    from: [detail.*, rest, smooth, detail, start]
""")
    assert found["detail.1"] == ("start", "smooth.1")
    assert found["smooth.1"] == ("start",)
    assert found["detail.2"] == ("smooth.1", "smooth.2")
    assert found["concat_1"] == ("detail.1", "detail.2", "smooth.2", "smooth.2", "detail.2", "start")


def test_the_first_step_of_a_block_reads_what_the_block_does():
    found = graph("steps: [{gray: , name: a}, abs, {repeat: 2, from: a, steps: [{repeat: 2, steps: [relu]}]}]")
    assert found["relu_1"] == ("a",)
    assert found["relu_2"] == ("relu_1",)
    assert found["relu_4"] == ("relu_3",)
    assert graph("steps: [{repeat: 1, steps: [relu]}]") == {"relu_1": ("input",)}


def test_blocks_within_blocks_count_by_their_constants():
    document = parse_document("""
constants: {turns: 2}
steps:
  - gray:
    name: first
  - repeat: {angle: [0, 45]}
    steps:
      - repeat: {turn: $turns}
        steps:
          - filter: gabor:theta=$angle,sigma=$(turn + 1)
            from: first
            name: map
  - concat:
    from: map.*
""")
    *_, last = document.nodes
    assert last.sources == ("map.1.1", "map.1.2", "map.2.1", "map.2.2")
    assert [document.node(id_).step.kernel for id_ in last.sources] == [
        f"gabor:theta={angle},sigma={sigma}" for angle in (0, 45) for sigma in (2, 3)
    ]


def test_the_output_may_be_a_result_of_a_block():
    text = "steps: [{repeat: 3, steps: [{abs: , name: a}, {relu: , name: b}], name: all}, gray]\noutput: {from: %s}"
    assert parse_document(text % "a").output.source == "a.3"
    assert parse_document(text % "a.2").output.source == "a.2"
    assert parse_document(text % "all").output.source == "b.3"


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{repeat: 0, steps: [abs]}]", "steps[0].repeat: must be a whole number from 1 to 10000, not 0"),
        ("[{repeat: many, steps: [abs]}]", "steps[0].repeat: must be a whole number from 1 to 10000, not 'many'"),
        ("[{repeat: true, steps: [abs]}]", "steps[0].repeat: must be a whole number from 1 to 10000, not True"),
        ("[{repeat: [1, 2], steps: [abs]}]", "steps[0].repeat: values are numbers or words, under a name"),
        ("[{repeat: {a: []}, steps: [abs]}]", "steps[0].repeat: values are numbers or words, under a name"),
        ("[{repeat: {a: [[1]]}, steps: [abs]}]", "steps[0].repeat: values are numbers or words, under a name"),
        ("[{repeat: {a: 1, b: 2}, steps: [abs]}]", "steps[0].repeat: counts by one constant"),
        ("[{repeat: {a-b: 1}, steps: [abs]}]", "steps[0].repeat: a constant is called by letters, digits and _"),
        ("[{repeat: 2}]", "steps[0]: repeat needs steps, a list of those that are repeated"),
        ("[{repeat: 2, steps: []}]", "steps[0]: repeat needs steps, a list of those that are repeated"),
        ("[{repeat: 2, step: [abs]}]", "steps[0]: unknown key 'step'; did you mean 'steps'?"),
        ("[{repeat: 2, steps: [abs], from: [input, alpha]}]", "steps[0].from: a block begins with one result, and 2"),
        ("[{repeat: 2, steps: [abs, absx]}]", "steps[0].steps[1]: unknown step 'absx'"),
        ("[{repeat: 9999, steps: [abs, relu]}]", "steps[0].steps[0]: makes more than 10000 steps"),
        ("[{relu: , from: previous}]", "steps[0].from: there is no step called 'previous'"),
        (
            "[{repeat: 2, steps: [{abs: , name: a}]}, {relu: , from: b.*}]",
            "steps[1].from: there is no step called 'b.*'",
        ),
        ("[{repeat: 2, steps: [{abs: , name: a}, {abs: , name: a}]}]", "steps[0].steps[1]: is called a.1, as steps[0]"),
    ],
)
def test_a_wrong_block_is_named_with_its_place(steps, message):
    with pytest.raises(DocumentError) as error:
        parse_document(f"steps: {steps}")
    assert str(error.value).startswith(f"pipeline: {message}")
