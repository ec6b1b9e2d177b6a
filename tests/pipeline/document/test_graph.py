"""The order of steps, what a result needs, and sizes through a document."""

import pytest

from convcli.pipeline.document.graph import (
    check_input,
    document_properties,
    nodes_needed,
    topological_order,
    unused_nodes,
)
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError

LATER_FIRST = """
steps:
  - add:
    from: [a, b]
    name: sum
  - relu:
    from: input
    name: a
  - abs:
    from: a
    name: b
  - tanh:
    from: a
    name: unused
output: {from: sum}
"""


def test_each_node_comes_after_its_sources():
    nodes = topological_order(parse_document(LATER_FIRST).written, "net.yaml")
    done = {"input", "alpha"}
    for node in nodes:
        assert set(node.sources) <= done
        done.add(node.id)
    assert len(nodes) == 4


def test_what_a_result_does_not_need_is_known():
    document = parse_document(LATER_FIRST)
    assert nodes_needed(document.nodes, "sum") >= {"sum", "a", "b"}
    assert [node.id for node in unused_nodes(document.nodes, "sum")] == ["unused"]


def test_sizes_follow_the_steps_and_errors_name_their_place():
    document = parse_document("steps: [{max_pool: 2}, {upsample: 3}]", "net.yaml")
    assert [each.output for each in document_properties(document, (8, 6, 3)).values()] == [(4, 3, 3), (12, 9, 3)]
    with pytest.raises(DocumentError, match=r"^net\.yaml: steps\[0\]\.max_pool: a window that spans 2"):
        document_properties(document, (1, 6, 3))


def test_a_document_says_which_images_it_takes():
    document = parse_document("input: {channels: 3, size: [8, 6]}\nsteps: [relu]")
    check_input(document, (8, 6, 3))
    with pytest.raises(DocumentError, match=r"input\.channels: wants 3, and the image has 1"):
        check_input(document, (8, 6, 1))
    with pytest.raises(DocumentError, match=r"input\.size: wants 8x6"):
        check_input(document, (8, 7, 3))
