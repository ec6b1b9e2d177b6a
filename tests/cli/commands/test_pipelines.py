"""`convcli pipelines`, and pipelines by name and in one line in `run`, `batch` and `explain`."""

import json
import shutil

import cv2
import numpy as np
import pytest
from commandline import done, refused
from repository import PHOTO, ROOT

from convcli.pipeline.catalogue import pipeline_names


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a picture to work in, and one of the user's own pipelines."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "soft.yaml").write_text(
        "summary: Softer. And more.\nconstants: {sigma: 1}\nsteps: [{filter: gaussian:sigma=$sigma}]\n"
    )
    monkeypatch.setenv("CONVCLI_PIPELINES", str(tmp_path / "mine"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    cv2.imwrite(str(tmp_path / "a.png"), cv2.imread(str(PHOTO))[100:200, 300:420])
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(name):
    return cv2.imread(name, cv2.IMREAD_UNCHANGED)


def test_the_list_names_the_shipped_and_the_users_own(place):
    lines = done("pipelines", "list").output.decode().splitlines()
    first = [line.split()[0] for line in lines if line[:1].isalpha()]
    assert set(first) >= {*pipeline_names(), "soft"}
    assert any(line.startswith("soft *") and line.endswith("Softer") for line in lines)
    assert lines[-1] == "* your own"


def test_the_list_as_json_has_the_constants(place):
    entries = {each["name"]: each for each in json.loads(done("pipelines", "list", "--json").output)}
    assert entries["canny"]["constants"] == {"low": 100, "high": 200}
    assert entries["soft"] == {
        "name": "soft",
        "summary": "Softer. And more.",
        "constants": {"sigma": 1},
        "own": True,
    }


def test_a_bad_file_of_the_users_own_hides_none_of_the_others(place):
    (place / "mine" / "bad.yaml").write_text("steps: 3")
    (place / "mine" / "canny.yaml").write_text("steps: [abs]")
    outcome = done("pipelines", "list")
    assert "soft *" in outcome.output.decode()
    assert [line.partition(":")[0] for line in outcome.lines] == ["convcli", "convcli"]
    assert f"left out: {place / 'mine' / 'bad.yaml'}: steps: must be" in outcome.messages
    assert "canny is the shipped pipeline, which hides" in outcome.messages


def test_a_pipeline_is_shown_with_its_steps_and_constants(place):
    text = done("pipelines", "show", "canny", "--set", "low=20").output.decode()
    assert "low = 20, not 100" in text
    assert "high = 200" in text
    assert "strength, across, down" in text
    record = json.loads(done("pipelines", "show", "canny", "--json").output)
    assert [step["step"] for step in record["steps"]][-1] == "hysteresis"
    assert record["steps"][-1]["options"] == {"low": 100, "high": 200}
    assert "other = needed" in done("pipelines", "show", "blend").output.decode()
    assert "32 in all" in done("pipelines", "show", "gabor_bank").output.decode()


def test_an_exported_pipeline_does_the_same(place):
    done("pipelines", "export", "frangi", "-o", "mine.yaml")
    for pipeline, output in (("mine.yaml", "b.png"), ("frangi", "c.png")):
        done("run", pipeline, "a.png", "-o", output)
    np.testing.assert_array_equal(read("b.png"), read("c.png"))
    assert done("pipelines", "export", "canny").output.decode() == (ROOT / "pipelines" / "canny.yaml").read_text()
    assert refused("pipelines", "export", "canny", "-o", "mine.yaml").startswith("mine.yaml: exists already")


def test_a_line_runs_as_the_same_steps_in_a_file(place):
    line = "gray | gaussian:sigma=2 | sobel | threshold:at=40"
    assert (
        done("run", line, "a.png").lines[0].startswith("wrote a_gray_gaussian_sobel_threshold.png: 120 x 100 gray u8")
    )
    done("pipelines", "export", line, "-o", "edges.yaml")
    done("run", "edges.yaml", "a.png", "-o", "b.png")
    np.testing.assert_array_equal(read("a_gray_gaussian_sobel_threshold.png"), read("b.png"))
    assert set(np.unique(read("b.png"))) == {0, 255}


def test_constants_are_set_by_name_or_behind_the_pipeline(place):
    done("run", "canny", "a.png", "--set", "low=20", "--set", "high=60", "-o", "b.png")
    done("run", "canny:low=20,high=60", "a.png", "-o", "c.png")
    expected = cv2.Canny(cv2.cvtColor(read("a.png"), cv2.COLOR_BGR2GRAY), 20, 60)
    np.testing.assert_array_equal(read("b.png"), expected)
    np.testing.assert_array_equal(read("c.png"), expected)


def test_files_that_constants_name_lie_in_the_current_folder(place):
    for name in ("night", "lamp"):
        picture = cv2.imread(str(ROOT / "examples" / "pipelines" / "inputs" / f"{name}.jpg"))
        cv2.imwrite(f"{name}.png", picture[100:200, 300:420, 0] if name == "lamp" else picture[100:200, 300:420])
    done("run", "blend", "a.png", "--set", "other=night.png", "--set", "mask=lamp.png", "-o", "b.png")
    cover = read("lamp.png")[..., np.newaxis] / 255
    expected = read("a.png") * cover + read("night.png") * (1 - cover)
    np.testing.assert_allclose(read("b.png"), expected, rtol=0, atol=0.51)


def test_a_batch_runs_a_named_pipeline_with_constants_in_other_processes(place):
    (place / "in").mkdir()
    for name in ("a.png", "b.png", "c.png"):
        shutil.copy("a.png", place / "in" / name)
    done("batch", "in", "--pipeline", "canny", "--set", "low=20", "--set", "high=60", "-o", "out", "--jobs", "2")
    expected = cv2.Canny(cv2.cvtColor(read("a.png"), cv2.COLOR_BGR2GRAY), 20, 60)
    for name in ("a.png", "b.png", "c.png"):
        np.testing.assert_array_equal(read(f"out/{name}"), expected)
    done("batch", "in", "--pipeline", "gray | box", "-o", "lines")
    assert read("lines/c.png").shape == (100, 120)
    # Other constants make other outputs: what a batch is taken up with is not kept.
    done("batch", "in", "--pipeline", "canny", "--set", "low=30", "-o", "out", "--existing", "skip")
    expected = cv2.Canny(cv2.cvtColor(read("a.png"), cv2.COLOR_BGR2GRAY), 30, 200)
    np.testing.assert_array_equal(read("out/a.png"), expected)
    assert refused("batch", "in", "-k", "box", "--set", "low=3", "-o", "out").startswith("--set, --contact-sheet")


def test_explain_takes_names_and_lines(place):
    def names(*arguments):
        record = json.loads(done("explain", *arguments, "--input-size", "32x32x3", "--json").output)
        return [step["name"] for step in record["steps"]]

    assert names("canny")[-1] == "hysteresis_1"
    assert names("gray | box:size=5") == ["gray_1", "filter_1"]
    assert (
        "atrous" in done("explain", "atrous_wavelet", "--against", "canny", "--input-size", "64x64x3").output.decode()
    )
    text = done("explain", "retinex", "--set", "sigma=1", "--input-size", "9x9x1", "--json").output
    assert json.loads(text)["totals"]["receptive_field"] == [9, 9]
    assert refused("explain", "-k", "box", "--set", "sigma=1", "--input-size", "9x9").startswith(
        "--set is for the const"
    )
