"""Results as data."""

import math

import pytest

from convcli.errors import ImageReadError, UsageError
from convcli.process.pipeline_result import PipelineStepResult
from convcli.process.result import ImageResult, StepResult, failed_result, skipped_result


def test_a_step_names_its_backend_and_the_runner_up():
    step = StepResult("sobel_x", "opencv", "small kernel", 0.25, ("direct", 0.5))
    assert step.record() == {
        "kernel": "sobel_x",
        "backend": "opencv",
        "reason": "small kernel",
        "predicted_seconds": 0.25,
        "runner_up": {"backend": "direct", "predicted_seconds": 0.5},
    }
    assert StepResult("sobel_x", "fft").record()["runner_up"] is None


def test_a_step_of_a_pipeline_adds_what_it_is_its_size_and_time():
    step = PipelineStepResult("blur", "opencv", step="filter", size=(4, 5, 1), seconds=0.5)
    record = step.record()
    assert (record["kernel"], record["step"], record["output_size"], record["seconds"]) == (
        "blur",
        "filter",
        [4, 5, 1],
        0.5,
    )
    assert PipelineStepResult("blur", "opencv", step="filter").record()["output_size"] is None


def test_speed_is_counted_in_output_pixels_per_second_of_filtering():
    result = ImageResult("a", "b", "done", output_size=(1000, 2000, 3), seconds={"filter": 0.5, "total": 9.0})
    assert result.megapixels_per_second == pytest.approx(4.0)
    assert math.isnan(ImageResult("a", "b", "skipped").megapixels_per_second)
    assert ImageResult("a", "b", "skipped").record()["megapixels_per_second"] is None


@pytest.mark.parametrize(("kind", "status"), [(ImageReadError, 1), (UsageError, 2)])
def test_a_failure_has_the_message_and_the_exit_status_of_its_error(kind, status):
    result = failed_result("a.png", "b.png", kind("no image", where="a.png", advice="send another"))
    assert (result.status, result.error, result.exit_status) == ("failed", "a.png: no image: send another", status)
    assert result.record()["error"] == result.error


def test_what_was_skipped_is_no_failure():
    result = skipped_result("a.png", "b.png")
    assert (result.status, result.exit_status, result.notes) == ("skipped", 0, ("b.png exists",))
    assert "error" not in result.record()
