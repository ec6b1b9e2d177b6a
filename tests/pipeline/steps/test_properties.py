"""Costs of steps, those of the textbook."""

from convcli.operators.sizes import conv_size
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.steps.properties import formula_of, window_properties


def test_parameters_and_multiply_adds_of_the_textbook():
    def costs(text):
        properties = document_properties(parse_document(f"steps: {text}"), (32, 32, 32)).values()
        return sum(each.parameters for each in properties), sum(each.macs for each in properties)

    standard = costs("[{conv: {out: 64, kernel: 3, padding: 1, bias: false}}]")
    separable = costs(
        "[{conv: {kernel: 3, padding: 1, groups: channels, bias: false}}, {conv: {out: 64, kernel: 1, bias: false}}]"
    )
    assert standard == (18_432, 18_432 * 1024)
    assert separable == (288 + 2_048, (288 + 2_048) * 1024)
    assert costs("[{batch_norm: {}}]")[0] == 64
    assert costs("[{linear: 10}]")[0] == 330


def test_a_formula_of_equal_axes_is_written_once():
    rows, columns = conv_size(9, 3), conv_size(9, 3)
    assert formula_of(rows, columns) == "9 - 3 + 1 = 7"
    found = window_properties(rows, columns, 4, (3, 3), ((0, 0), (0, 0)), macs=5)
    assert (found.output, found.window, found.macs, found.lost) == ((7, 7, 4), (3, 3), 5, (0, 0))
