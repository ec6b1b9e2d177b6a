"""Steps in the frequency domain."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from step_cases import IMAGE, channelwise, run, step

from convcli.pipeline.document.loading import parse_document


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        (
            "spectrum",
            "",
            lambda x: channelwise(lambda c: np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(c))))),
        ),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


def test_deconvolution_undoes_a_blur():
    rough = np.zeros((40, 40, 1), np.float32)
    rough[10:20, 15:30] = 100
    text = "steps: [{filter: gaussian:sigma=1}, {deconvolve: {kernel: gaussian:sigma=1, noise: 1e-7}}]"
    blurred, sharp = run(parse_document("steps: [{filter: gaussian:sigma=1}]"), rough), run(parse_document(text), rough)
    assert np.abs(sharp - rough).mean() < 0.1 * np.abs(blurred - rough).mean()
