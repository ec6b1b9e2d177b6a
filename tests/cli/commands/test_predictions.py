"""What a run says of its choices: the predicted cost, the runner-up, and a profile that cannot be used."""

import csv
import io
import json

import cv2
import numpy as np
import pytest
from commandline import done

from convcli.convolution.planning.cost_model import COEFFICIENTS
from convcli.convolution.planning.profile import save_profile


@pytest.fixture
def photo(tmp_path):
    assert cv2.imwrite(str(tmp_path / "a.png"), np.tile(np.arange(64, dtype=np.uint8), (48, 1)))
    return tmp_path / "a.png"


@pytest.mark.parametrize("options", [["--dry-run", "--timing"], ["--dry-run", "-v"], ["--timing"]])
def test_messages_tell_the_predicted_cost_and_the_runner_up(photo, options):
    lines = done("filter", photo, "-k", "sobel_x", *options).lines
    (line,) = (line.strip() for line in lines if line.strip().startswith("sobel_x: "))
    assert "; predicted " in line
    assert ", next " in line
    assert line.count(" ms") == 2


def test_a_backend_that_was_named_has_no_runner_up(photo):
    (record,) = map(
        json.loads, done("filter", photo, "-k", "sobel_x", "--backend", "fft", "--json").output.splitlines()
    )
    (step,) = record["steps"]
    assert step["backend"] == "fft"
    assert step["predicted_seconds"] > 0
    assert step["runner_up"] is None


def test_json_holds_the_prediction_and_the_runner_up(photo):
    outcome = done("filter", photo, "-k", "sobel_x", "-k", "disk:radius=3", "--dry-run", "--json")
    for step in json.loads(outcome.output)["steps"]:
        assert 0 < step["predicted_seconds"] < step["runner_up"]["predicted_seconds"]
        assert step["runner_up"]["backend"] not in ("auto", step["backend"])


def test_the_csv_report_has_a_column_for_each(photo, tmp_path):
    for backend in ("auto", "direct"):
        done("filter", photo, "-k", "sobel_x", "-k", "box", "--backend", backend, "-f", "--report", tmp_path / "r.csv")
        (row,) = csv.DictReader(io.StringIO((tmp_path / "r.csv").read_text()))
        assert all(float(each) > 0 for each in row["steps.predicted_seconds"].split(" | "))
        after = row["steps.runner_up.backend"].split(" | ")
        assert len(after) == (2 if backend == "auto" else 1)
        assert "None" not in row.values()


def test_a_measured_profile_changes_what_is_predicted(photo):
    def predicted():
        outcome = done("filter", photo, "-k", "sobel_x", "--backend", "direct", "--dry-run", "--json")
        return json.loads(outcome.output)["steps"][0]["predicted_seconds"]

    before = predicted()
    save_profile({term: 3 * seconds for term, seconds in COEFFICIENTS.items()})
    np.testing.assert_allclose(predicted(), 3 * before, rtol=1e-12)


def test_a_profile_that_is_not_used_is_one_note_for_all_images(photo, tmp_path):
    other = tmp_path / "b.png"
    other.write_bytes(photo.read_bytes())
    path = save_profile({})
    path.write_text("{")
    arguments = ["filter", photo, other, "-k", "box", "-f"]
    notes = [line for line in done(*arguments).lines if line.startswith("convcli: note: ")]
    assert len(notes) == 1
    assert notes[0].startswith(f"convcli: note: {path} is not used: it is damaged")
    assert notes[0].endswith("; `convcli tune` writes a new one")
    assert done(*arguments, "-q").messages == ""
