"""Steps that smooth and keep edges."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from step_cases import IMAGE, document, step

from convcli.operators.denoising import bilateral, nonlocal_means
from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError


def test_options_are_those_of_the_operators():
    assert_array_equal(step("bilateral", "{sigma_space: 2, sigma_color: 30}"), bilateral(IMAGE, 2, 30))
    assert_array_equal(step("nlmeans", "20"), nonlocal_means(IMAGE, 20))
    options = "{strength: 20, patch: 3, search: 5, sigma: 10}"
    assert_array_equal(step("nlmeans", options), nonlocal_means(IMAGE, 20, 3, 5, 10))


@pytest.mark.parametrize(
    ("name", "options", "side"),
    [("bilateral", "{sigma_space: 3, sigma_color: 30}", 9), ("nlmeans", "{strength: 20, patch: 3, search: 5}", 7)],
)
def test_a_window_is_what_one_output_reads(name, options, side):
    made = document(name, options)
    assert document_properties(made, (40, 40, 3))[made.output.source].window == (side, side)
    image = np.random.default_rng(2).random((40, 40, 1)).astype(np.float32) * 10
    changed = image.copy()
    changed[20, 20] += 1
    rows = np.flatnonzero((step(name, options, changed) != step(name, options, image)).any(axis=(1, 2)))
    assert 20 - side // 2 <= rows.min() < 20 < rows.max() <= 20 + side // 2


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{bilateral: {sigma_space: 0, sigma_color: 1}}", "bilateral.sigma_space: must be more than 0, not 0"),
        (
            "{nlmeans: {strength: 1, patch: 4}}",
            "nlmeans: a window has a middle: its rows and columns are odd, not 4x21",
        ),
    ],
)
def test_what_has_no_meaning_is_refused_where_the_document_is_read(entry, message):
    with pytest.raises(DocumentError) as caught:
        parse_document(f"steps: [{entry}]", "net.yaml")
    assert str(caught.value) == f"net.yaml: steps[0].{message}"
