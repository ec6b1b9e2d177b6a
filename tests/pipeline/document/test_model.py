"""A pipeline once it is read."""

import pytest

from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.document.model import ALPHA, INPUT, SOURCES, InputSpec, OutputSpec


def test_a_document_without_more_takes_every_image_and_gives_its_last_step():
    document = parse_document("steps: [relu, abs]")
    assert document.input == InputSpec()
    assert document.output == OutputSpec("abs_1", "auto")
    assert document.node("relu_1").sources == (INPUT,)
    assert SOURCES == (INPUT, ALPHA)


def test_a_node_that_is_not_there_is_not_found():
    with pytest.raises(StopIteration):
        parse_document("steps: [relu]").node("abs_1")
