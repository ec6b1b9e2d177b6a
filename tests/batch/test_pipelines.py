"""`convcli batch --pipeline`: folders through a pipeline."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import done, refused, run

from convcli.process.pipeline_operation import PipelineOperation
from convcli.process.pipeline_options import RunOptions

BLUR = """
name: blur
steps:
  - filter: {kernel: box:size=3}
"""
BANK = """
name: bank
steps:
  - conv: {out: 5, kernel: 3, weights: {init: he, seed: 0}, bias: false}
"""
WEIGHTED = """
name: weighted
steps:
  - conv: {out: 3, kernel: 1, weights: w.npy, bias: false}
"""
PIXELS = np.random.default_rng(0).integers(0, 256, (5, 20, 24, 3), np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number, pixels in enumerate(PIXELS):
        assert cv2.imwrite(f"in/{number}.png", pixels)
    for name, text in {"blur": BLUR, "bank": BANK, "weighted": WEIGHTED}.items():
        Path(f"{name}.yaml").write_text(text)
    return tmp_path


def statuses(*arguments):
    outcome = run("batch", "in", "-o", "out", *arguments, "--json", "-q")
    return [line.count('"done"') for line in outcome.output.decode().splitlines()]


def test_each_image_goes_through_the_pipeline():
    done("batch", "in", "--pipeline", "blur.yaml", "-o", "out", "--name", "{stem}_{kernel}{suffix}")
    for number, pixels in enumerate(PIXELS):
        expected = cv2.blur(pixels.astype(np.float64), (3, 3))
        found = cv2.imread(f"out/{number}_blur.png")
        np.testing.assert_allclose(found, expected, atol=0.5 + 1e-3)


def test_skip_knows_the_document_and_the_files_it_names():
    np.save("w.npy", np.eye(3, dtype=np.float32)[:, :, None, None])
    options = ("--pipeline", "weighted.yaml", "--existing", "skip")
    assert statuses(*options) == [1] * 5
    assert statuses(*options) == [0] * 5
    np.save("w.npy", np.eye(3, dtype=np.float32)[::-1, :, None, None].copy())
    assert statuses(*options) == [1] * 5
    np.testing.assert_array_equal(cv2.imread("out/0.png"), PIXELS[0][..., ::-1])
    Path("weighted.yaml").write_text(WEIGHTED.replace("kernel: 1", "kernel: 1, groups: 1, padding: same"))
    assert statuses(*options) == [1] * 5


def test_maps_are_drawn_as_sheets_or_refused_one_by_one():
    outcome = run("batch", "in", "--pipeline", "bank.yaml", "-o", "out")
    assert outcome.status == 1
    assert outcome.messages.count("the result has 5 channels") == 5
    done("batch", "in", "--pipeline", "bank.yaml", "-o", "sheets", "--contact-sheet")
    assert cv2.imread("sheets/3.png").std() > 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "with -k KERNEL, such as -k sobel_x, or with --pipeline PIPELINE: one of both"),
        (["-k", "box", "--pipeline", "blur.yaml"], "one of both"),
        (["-k", "box", "--contact-sheet"], "are for a --pipeline"),
        (
            ["--pipeline", "blur.yaml", "--stride", "2", "--gray"],
            "--stride, --gray: with --pipeline that is said in the",
        ),
        (["--pipeline", "none.yaml"], "none.yaml: no such pipeline file"),
        (["--pipeline", "blur.yaml", "--alpha", "premultiply"], "premultiply"),
    ],
)
def test_what_does_not_go_together_is_refused(arguments, message):
    assert message in refused("batch", "in", "-o", "out", *arguments)
    assert not Path("out").exists()


def test_steps_that_are_computed_in_one_way_alone_leave_nothing_empty():
    Path("mixed.yaml").write_text(
        "name: mixed\nsteps:\n  - gray\n  - filter: {kernel: box:size=3}\n  - filter: {kernel: sobel_x}\n  - abs\n"
    )
    lines = done("batch", "in", "--pipeline", "mixed.yaml", "-o", "out", "--timing", "--report", "r.md").lines
    choices = [line for line in lines if line.endswith("; 5 files")]
    assert [choice.split(":")[0] for choice in choices] == ["filter_1", "filter_2"]
    assert not [line for line in lines if ": ," in line or ", ;" in line]
    row = [cell.strip() for cell in Path("r.md").read_text().splitlines()[4].split("|")]
    backends = row[5].split(", ")
    assert row[4] == "gray_1, filter_1, filter_2, abs_1"
    assert all(backends)
    assert len(set(backends)) == len(backends)


def test_the_work_goes_to_other_processes_by_the_name_of_its_file():
    operation = PipelineOperation("blur.yaml", RunOptions())
    again = pickle.loads(pickle.dumps(operation))
    assert again == operation
    assert again.cache_key() == operation.cache_key()
    assert operation.memory(10**9) > 8 * 10**9  # maps are of four bytes a sample, and there are two at least
