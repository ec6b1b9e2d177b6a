"""Where a kernel lies on the image."""

import numpy as np
import pytest

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.explain.single_output import explain_output
from convcli.kernel.spec import load_kernel


def test_padding_values_are_those_of_their_channels():
    options = ConvolveOptions("constant", (1.0, 2.0))
    outputs = explain_output(np.zeros((3, 3, 2)), load_kernel("1 1 1"), options, (0, 0))
    assert [output.value for output in outputs] == [1.0, 2.0]
    with pytest.raises(UsageError, match="gives 2 values for 3 channels: give one, or 3"):
        explain_output(np.zeros((3, 3, 3)), load_kernel("1 1 1"), options, (0, 0))
