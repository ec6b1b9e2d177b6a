"""What may be asked of explain, and which report answers it."""

import pytest
from repository import EXAMPLES, ROOT

from convcli.convolution.options import ConvolveOptions
from convcli.errors import UsageError
from convcli.explain.request import ExplainRequest, KernelReport, PipelineReport, explain_request

PHOTO = str(EXAMPLES / "images" / "photo.png")
LENET = str(ROOT / "pipelines" / "lenet5.yaml")


def answered(**request):
    notes = []
    return explain_request(ExplainRequest(**request), notes.append), notes


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "nothing to explain"),
        ({"target": LENET, "kernels": ["box"]}, "give one of them"),
        ({"target": PHOTO}, "give a kernel to explain on it"),
        ({"target": LENET, "options": ConvolveOptions(stride=(2, 2))}, "their own padding"),
        ({"kernels": ["box"], "at": (0, 0), "matrix": True}, "exclude each other"),
        ({"kernels": ["box"], "matrix": True, "against": "box"}, "which --matrix does not give"),
        ({"target": PHOTO, "kernels": ["box"], "at": (0, 0), "against": "box"}, "which --at does not give"),
        ({"target": LENET, "matrix": True}, "--matrix explains a kernel"),
        ({"kernels": ["box"], "at": (0, 0)}, "needs an image"),
        ({"target": PHOTO, "kernels": ["box", "box"], "at": (0, 0)}, "--at explains one kernel"),
        ({"kernels": ["box", "box"], "matrix": True}, "--matrix writes one kernel out"),
        ({"kernels": ["box"], "gray": True}, "--gray is for an image"),
        ({"target": PHOTO, "kernels": ["box"], "input_size": (4, 5)}, "both say the size"),
        ({"kernels": ["box"]}, "give the size of the images"),
        ({"kernels": ["box"], "matrix": True}, "give the size of a small image"),
    ],
)
def test_what_does_not_go_together_is_refused(request_, message):
    with pytest.raises(UsageError, match=message):
        answered(**request_)


def test_a_pipeline_of_known_size_needs_no_more():
    report, notes = answered(target=LENET)
    assert isinstance(report, PipelineReport)
    assert report.record()["totals"]["parameters"] == 61_706
    assert report.markdown(80).startswith("# lenet5, for images of 32x32x1")
    assert (report.warnings, notes) == ([], [])


def test_kernels_side_by_side_carry_their_specs():
    report, _ = answered(kernels=["box:size=3"], against="box:size=5", input_size=(32, 32))
    assert (report.found.name, report.other.name) == ("box:size=3", "box:size=5")
    assert report.record()["ratios"]["parameters"] == pytest.approx(9 / 25)


def test_one_output_and_a_matrix_are_reports_of_a_kernel():
    output, _ = answered(target=PHOTO, kernels=["sobel_x"], at=(0, 17), gray=True)
    assert isinstance(output, KernelReport)
    assert output.record()["at"] == [0, 17]
    matrix, _ = answered(kernels=["1 2 1"], matrix=True, input_size=(1, 6))
    assert matrix.record()["matrix"]["size"] == [6, 6]
    assert matrix.text(80).startswith("custom as a matrix\n\n6x6: ")
    assert matrix.markdown(80).startswith("# custom as a matrix\n\n    6x6: ")
