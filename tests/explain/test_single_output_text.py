"""One output as text."""

import numpy as np

from convcli.convolution.options import ConvolveOptions
from convcli.explain.single_output import explain_output
from convcli.explain.single_output_text import output_lines, place_line
from convcli.kernel.spec import load_kernel


def test_products_are_written_beside_each_other_and_as_a_sum():
    options = ConvolveOptions(padding="constant")
    outputs = explain_output(np.arange(6.0).reshape(2, 3, 1), load_kernel("1 2 -1"), options, (0, 0))
    assert place_line(outputs[0].parts[0], (0, 0)) == (
        "row 0, column 0 of the result: the kernel lies on rows 0, columns -1 to 1"
    )
    lines = list(output_lines(outputs, options, 80))
    assert [line.split() for line in lines[:2]] == [
        ["samples", "weights", "products"],
        ["(0)", "0", "1", "1", "2", "-1", "0", "0", "-1"],
    ]
    assert lines[2] == "  0*1 + 0*2 + 1*(-1) = -1"
    assert lines[-1] == "( ) lies outside the image, where the padding value stands"


def test_of_a_wide_kernel_the_middle_is_shown():
    outputs = explain_output(np.ones((40, 40, 1)), load_kernel("box:size=31"), ConvolveOptions(), (20, 20))
    lines = list(output_lines(outputs, ConvolveOptions(), 40))
    assert max(map(len, lines)) <= 40
    assert any("of 31x31" in line for line in lines)
