"""One output worked out by hand, against the filter."""

import numpy as np
import pytest
from explain_cases import KERNELS, OPTIONS
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.convolution.convolve import convolve
from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError
from convcli.explain.single_output import explain_output
from convcli.kernel.spec import load_kernel


@given(kernel=st.sampled_from(sorted(KERNELS)), **OPTIONS, data=st.data())
@settings(max_examples=80)
def test_one_outputs_arithmetic_is_what_the_filter_gives(kernel, mode, extent, flip, stride, dilation, data):
    pixels = np.random.default_rng(5).integers(0, 256, (9, 11, 2)).astype(np.uint8)
    value = 17.0 if mode == "constant" else 0.0
    options = ConvolveOptions(mode, value, extent=extent, flip=flip, stride=stride, dilation=dilation)
    words = {"padding": mode, "padding_value": value, "extent": extent, "flip": flip}
    result = convolve(pixels, KERNELS[kernel], **words, stride=stride, dilation=dilation, precision="double")
    at = data.draw(st.tuples(st.integers(0, result.shape[0] - 1), st.integers(0, result.shape[1] - 1)))
    for output in explain_output(pixels, KERNELS[kernel], options, at):
        assert output.value == pytest.approx(result[(*at, output.channel)], abs=1e-9)
        for part in output.parts:
            # What is not marked as outside is the sample that lies there.
            for (u, v), outside in np.ndenumerate(part.outside):
                row, column = part.rows[u], part.columns[v]
                assert outside == (not (0 <= row < 9 and 0 <= column < 11))
                if not outside:
                    assert part.patch[u, v] == pixels[row, column, output.channel]


def test_a_nan_under_a_weight_of_zero_makes_nothing_of_a_sum():
    pixels = np.ones((3, 3, 1))
    pixels[1, 1] = np.nan
    (output,) = explain_output(pixels, load_kernel("sobel_x"), ConvolveOptions(), (1, 1))
    assert output.value == 0.0


def test_an_output_that_is_not_there_is_refused():
    with pytest.raises(FilterError, match=r"--at 4,0: the result has rows 0 to 3, columns 0 to 4"):
        explain_output(np.zeros((4, 5, 1)), load_kernel("box"), ConvolveOptions(), (4, 0))
