"""The step filter."""

import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import ndimage
from step_cases import IMAGE, SIZE, channelwise, document, run, step

from convcli.pipeline.document.graph import document_properties
from convcli.pipeline.document.loading import parse_document


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("filter", "sobel_x", lambda x: channelwise(lambda c: ndimage.sobel(c, axis=1, mode="mirror"))),
    ],
)
def test_a_step_gives_what_its_definition_gives(name, options, expected):
    assert_allclose(step(name, options), expected(IMAGE), rtol=1e-5, atol=2e-3)


def test_a_kernel_file_and_weights_are_found_beside_their_document(tmp_path):
    (tmp_path / "own.yaml").write_text("weights: [[0, 0, 1]]")
    made = parse_document("steps: [{filter: own.yaml}]", folder=tmp_path)
    assert_array_equal(run(made)[:, :-1], IMAGE[:, 1:])


@pytest.mark.parametrize(
    ("options", "formula"),
    [
        ("{kernel: 1 2 1; 2 4 2; 1 2 1}", "as large as the input"),
        ("{kernel: 1 2 1; 2 4 2; 1 2 1, extent: valid}", "rows 12 - 3 + 1 = 10; columns 15 - 3 + 1 = 13"),
        (
            "{kernel: 1 2 1; 2 4 2; 1 2 1, extent: valid, stride: 2}",
            "rows floor((12 - 3) / 2) + 1 = 5; columns floor((15 - 3) / 2) + 1 = 7",
        ),
    ],
)
def test_the_size_is_worked_out_in_words(options, formula):
    made = document("filter", options)
    assert document_properties(made, SIZE)[made.output.source].formula == formula
