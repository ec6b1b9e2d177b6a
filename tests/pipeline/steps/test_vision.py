"""Steps of classical vision."""

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose
from step_cases import HE, IMAGE, SIZE, run

from convcli.image.writing import write_image
from convcli.pipeline.document.loading import parse_document
from convcli.pipeline.errors import DocumentError
from convcli.pipeline.execution.program import Pipeline


def test_a_template_is_found_where_it_was_cut_out(tmp_path):
    picture = np.clip(IMAGE, 0, 255).astype(np.uint8)
    write_image(tmp_path / "part.png", picture[4:9, 6:12])
    made = parse_document("steps: [{match_template: part.png}]", folder=tmp_path)
    found = run(made, picture.astype(np.float32))[..., 0]
    assert np.unravel_index(found.argmax(), found.shape) == (4, 6)
    expected = cv2.matchTemplate(picture, picture[4:9, 6:12], cv2.TM_CCOEFF_NORMED)
    assert_allclose(found, expected, atol=1e-4)
    gray = parse_document("steps: [gray, {match_template: part.png}]", folder=tmp_path)
    assert run(gray, picture.astype(np.float32)).max() > 0.999


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ("[{match_template: none.png}]", "none.png"),
    ],
)
def test_what_does_not_go_together_is_told_with_its_place(steps, message):
    last = "\noutput: {from: concat_1}" if "concat: , from: [input, small]" in steps else ""
    with pytest.raises(DocumentError) as caught:
        Pipeline(parse_document(f"{HE}steps: {steps}{last}", "net.yaml"), everything=True).program(SIZE)
    assert message in str(caught.value)
    assert str(caught.value).startswith("net.yaml: steps[")
    assert "\n" not in str(caught.value)
