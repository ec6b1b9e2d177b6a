import csv
import json
import os
import pty
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import done, refused, run
from repository import ROOT

from convcli.batch.totals import BatchTotals
from convcli.cli.views.batch_totals import batch_summary, standing
from convcli.errors import ImageWriteError
from convcli.process.result import ImageResult, StepResult

RANDOM = np.random.default_rng(11)
SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float32)
CLIPPED = ("-k", "sobel_x", "--signed", "clip")


def save(path, size=(24, 32)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = RANDOM.integers(96, 128, (*size, 3), dtype=np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return pixels


def load(path):
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None, path
    return pixels


def outputs(folder):
    """The visible files below a folder; what batch keeps for itself is hidden."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(str(path) for path in found if not str(path).startswith("."))


def everything(folder):
    """All files below a folder but the journal and the lock."""
    return [path for path in folder.rglob("*") if path.is_file() and path.name not in ("journal.jsonl", "lock")]


@pytest.fixture
def photos(tmp_path):
    """A tree of five pictures, by the name below it."""
    names = ("a.png", "b.png", "c.tif", "deep/d.png", "deep/er/e.png")
    return tmp_path / "photos", {name: save(tmp_path / "photos" / name) for name in names}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def test_a_folder_goes_into_another(photos, out):
    folder, pictures = photos
    outcome = done("batch", folder, *CLIPPED, "-o", out)
    assert outputs(out) == ["a.png", "b.png", "c.tif"]
    for name in outputs(out):
        np.testing.assert_array_equal(load(out / name), cv2.filter2D(pictures[name], -1, SOBEL_X))
    note, line = outcome.lines
    assert "--recursive" in note
    assert line.startswith(f"wrote 3 files into {out}: 0.0023 MP in ")
    assert line.endswith(" files/s")


def test_folders_within_folders_keep_their_tree(photos, out):
    folder, pictures = photos
    done("batch", folder, "-r", *CLIPPED, "-o", out)
    assert outputs(out) == sorted(pictures)
    for name, pixels in pictures.items():
        np.testing.assert_array_equal(load(out / name), cv2.filter2D(pixels, -1, SOBEL_X))


def test_outputs_are_named_and_encoded_as_asked(photos, out):
    done("batch", photos[0], "-k", "sobel_x", "-o", out, "--name", "{stem}_{kernel}{suffix}", "--format", "jpeg")
    assert outputs(out) == ["a_sobel_x.jpg", "b_sobel_x.jpg", "c_sobel_x.jpg"]


def test_options_mean_what_they_mean_to_filter(photos, out, tmp_path):
    folder, _ = photos
    options = ["-k", "gaussian:sigma=2", "-k", "laplacian", "--signed", "offset", "--padding", "wrap", "--gray"]
    done("batch", folder, *options, "-o", out, "--compression", "small", "--scale", "0.5")
    done("filter", folder / "a.png", *options, "-o", tmp_path / "a.png", "--compression", "small", "--scale", "0.5")
    assert (out / "a.png").read_bytes() == (tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize("jobs", [["--jobs", 1], ["-j", 3], ["-j", 2, "--threads", 2]])
def test_the_result_does_not_depend_on_the_number_of_jobs(photos, out, jobs):
    folder, pictures = photos
    done("batch", folder, "-r", *CLIPPED, "-o", out, *jobs)
    for name, pixels in pictures.items():
        np.testing.assert_array_equal(load(out / name), cv2.filter2D(pixels, -1, SOBEL_X))


@pytest.mark.parametrize("separator", [b"\n", b"\r\n", b"\0"])
def test_a_list_of_files_comes_from_standard_input_or_a_file(photos, out, tmp_path, separator):
    folder, _ = photos
    names = separator.join(os.fsencode(folder / name) for name in ("a.png", "b.png")) + separator
    done("batch", "--files-from", "-", *CLIPPED, "-o", out, stdin=names)
    assert len(outputs(out)) == 2
    (tmp_path / "list").write_bytes(names)
    done("batch", folder / "c.tif", "--files-from", tmp_path / "list", *CLIPPED, "-o", tmp_path / "again")
    assert len(outputs(tmp_path / "again")) == 3


def test_names_in_a_list_may_hold_anything_but_nul(tmp_path, out):
    odd = tmp_path / "odd\nname, with \xff.png"
    save(tmp_path / "plain.png")
    (tmp_path / "plain.png").rename(odd)
    done("batch", "--files-from", "-", *CLIPPED, "-o", out, stdin=os.fsencode(odd) + b"\0")
    assert (out / odd.name).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-k", "sobel_x", "-o", "out"], "no input was given: name images, folders of them, or a list"),
        (["-", "-k", "sobel_x", "-o", "out"], "batch reads no image from standard input: use convcli filter"),
        (["--files-from", "nowhere", "-k", "sobel_x", "-o", "out"], "--files-from nowhere: No such file or directory"),
        (["--files-from", "-", "-k", "sobel_x", "-o", "out"], "--files-from -: the list is empty"),
        (["a.png", "-k", "sobel_x", "-o", "out", "-q", "-v"], "--quiet and --verbose exclude each other"),
        (["a.png", "-k", "sobel_x", "-o", "out", "-f", "--existing", "skip"], "-f means --existing overwrite"),
        (["a.png", "-k", "sobel_x", "-o", "out", "--existing", "maybe"], "unknown treatment of existing outputs"),
        (["a.png", "-k", "sobel_x", "-o", "out", "--report", "r.txt"], "--report r.txt: a report is written as .json"),
        (["a.png", "-k", "sobel_x", "-o", "out", "--report", "no/r.csv"], "--report no/r.csv: no such folder"),
        (["a.png", "-k", "sobel_x", "-o", "out", "--jobs", "0"], "jobs must be at least 1, not 0"),
        (["a.png", "-k", "sobel_x", "-o", "out", "--padding", "mirrored"], "unknown padding 'mirrored'"),
        (["a.png", "-k", "nix", "-o", "out"], "unknown kernel 'nix'"),
        (["a.png", "-k", "sobel_x"], "missing option '--output'"),
        (
            ["a.png", "-k", "sobel_x", "-o", "new.png"],
            "-o new.png: batch writes into a folder, and this looks like a f",
        ),
    ],
)
def test_wrong_usage_is_one_line_and_touches_nothing(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    save(tmp_path / "a.png")
    assert refused("batch", *arguments).lower().startswith(message.lower())
    assert os.listdir(tmp_path) == ["a.png"]


def test_inputs_that_match_nothing_are_all_named(photos, out):
    message = refused("batch", photos[0], "none*.png", "nix.png", *CLIPPED, "-o", out)
    assert "none*.png" in message
    assert "nix.png" in message
    assert not out.exists()


def test_bad_files_are_listed_in_the_end_and_stop_nothing(photos, out):
    folder, _ = photos
    (folder / "a.png").write_bytes(b"")
    (folder / "b.png").write_bytes((folder / "b.png").read_bytes()[:200])
    outcome = run("batch", folder, "-r", *CLIPPED, "-o", out)
    assert outcome.status == 1
    *errors, last = outcome.lines
    assert sorted(errors)[0] == f"convcli: error: {folder}/a.png: empty file, there is no image in it"
    assert sorted(errors)[1].startswith(f"convcli: error: {folder}/b.png: truncated PNG")
    assert last.startswith(f"wrote 3 files into {out}: ")
    assert last.endswith("; 2 failed")
    assert outputs(out) == ["c.tif", "deep/d.png", "deep/er/e.png"]


def test_fail_fast_leaves_the_rest(tmp_path, out):
    for number in range(40):
        save(tmp_path / "in" / f"{number:02}.png")
    (tmp_path / "in" / "00.png").write_bytes(b"no image")
    outcome = run("batch", tmp_path / "in", *CLIPPED, "-o", out, "--fail-fast", "--jobs", 1)
    assert outcome.status == 1
    assert "not tried" in outcome.lines[-1]
    assert len(outputs(out)) < 39


def test_json_is_a_line_for_each_file(photos, out):
    folder, pictures = photos
    (folder / "b.png").write_bytes(b"")
    outcome = run("batch", folder, "-r", *CLIPPED, "-o", out, "--json", "-q")
    records = {Path(r["input"]).name: r for r in map(json.loads, outcome.output.splitlines())}
    assert len(records) == len(pictures)
    assert records["b.png"]["status"] == "failed"
    assert records["b.png"]["error"] == f"{folder}/b.png: empty file, there is no image in it"
    record = records["e.png"]
    assert record["status"] == "done"
    assert record["output"] == str(out / "deep/er/e.png")
    assert record["output_size"] == [24, 32, 3]
    assert record["output_bytes"] == (out / "deep/er/e.png").stat().st_size
    assert record["input_bytes"] == (folder / "deep/er/e.png").stat().st_size
    assert record["steps"][0]["backend"]
    assert set(record["seconds"]) == {"read", "prepare", "filter", "write", "total"}
    assert outcome.lines == [f"convcli: error: {folder}/b.png: empty file, there is no image in it"]


def test_the_json_report_holds_every_file_and_the_totals(photos, out, tmp_path):
    folder, pictures = photos
    (folder / "b.png").write_bytes(b"")
    run("batch", folder, "-r", *CLIPPED, "-o", out, "--report", tmp_path / "r.json")
    report = json.loads((tmp_path / "r.json").read_text())
    assert {Path(record["input"]).name for record in report["results"]} == {Path(name).name for name in pictures}
    totals = report["totals"]
    assert (totals["files"], totals["done"], totals["failed"], totals["not_tried"]) == (5, 4, 1, 0)
    assert totals["failures"] == [
        {"input": f"{folder}/b.png", "error": f"{folder}/b.png: empty file, there is no image in it"}
    ]
    finished = [record for record in report["results"] if record["status"] == "done"]
    for stage, seconds in totals["stage_seconds"].items():
        np.testing.assert_allclose(seconds, sum(record["seconds"][stage] for record in finished), rtol=1e-9)
    slowest = max(finished, key=lambda record: record["seconds"]["total"])
    assert totals["slowest"][0] == {"input": slowest["input"], "seconds": slowest["seconds"]["total"]}
    np.testing.assert_allclose(totals["megapixels"], 4 * 24 * 32 / 1e6, rtol=1e-9)
    np.testing.assert_allclose(totals["files_per_second"], 4 / totals["seconds"], rtol=1e-9)


def test_reports_as_tables(photos, out, tmp_path):
    folder, _ = photos
    (folder / "b.png").write_bytes(b"")
    # The folder of the outputs, which the run makes, is a fine place for its report.
    run("batch", folder, *CLIPPED, "-o", out, "--report", out / "r.csv")
    with open(out / "r.csv", newline="") as file:
        rows = {Path(row["input"]).name: row for row in csv.DictReader(file)}
    assert sorted(rows) == ["a.png", "b.png", "c.tif"]
    assert rows["a.png"]["output_size"] == "24 32 3"
    assert float(rows["a.png"]["seconds.total"]) > 0
    assert rows["b.png"]["error"] == f"{folder}/b.png: empty file, there is no image in it"

    run("batch", folder, *CLIPPED, "-o", out, "-f", "--report", tmp_path / "r.md")
    lines = (tmp_path / "r.md").read_text().splitlines()
    assert lines[2].startswith("| input | output | status |")
    assert {"## Time by stage, over all jobs", "## Slowest files", "## Failures"} <= set(lines)
    assert lines[-1] == f"- {folder}/b.png: empty file, there is no image in it"


def test_a_report_replaces_no_image(photos, out):
    folder, _ = photos
    named = folder / "table.csv"
    named.write_bytes((folder / "a.png").read_bytes())
    before = named.read_bytes()
    message = refused("batch", named, "-k", "sobel_x", "--format", "png", "-o", out, "--report", named)
    assert message.startswith(f"--report {named}: that is one of the images")
    assert named.read_bytes() == before


def test_a_report_that_cannot_be_written_is_one_line(photos, out, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    message = refused("batch", photos[0], *CLIPPED, "-o", out, "--report", tmp_path / "folder.csv")
    assert message == f"--report {tmp_path / 'folder.csv'}: a folder, not a file; name a file in it"


def test_a_report_without_room_is_told_in_the_end_and_stops_nothing(photos, out, tmp_path, monkeypatch):
    def add(self, record):
        raise ImageWriteError("--report times.json: No space left on device")

    monkeypatch.setattr("convcli.reporting.writer.ReportFile.add", add)
    (photos[0] / "bad.png").touch()
    report = tmp_path / "times.json"
    outcome = run("batch", photos[0], "-r", *CLIPPED, "-o", out, "--report", report)
    assert outcome.status == 1
    failure, summary_, refusal = outcome.lines
    assert failure.startswith("convcli: error: ")
    assert summary_.startswith("wrote 5 files into ")
    assert refusal == "convcli: error: --report times.json: No space left on device"
    assert not report.exists()


def test_timing_tells_the_stages_the_slowest_and_the_choices(photos, out):
    lines = done("batch", photos[0] / "a.png", photos[0] / "b.png", *CLIPPED, "-o", out, "--timing").lines
    assert lines[0].split() == ["stage", "s", "%", "ms", "a", "file"]
    assert [line.split()[0] for line in lines[1:6]] == ["read", "prepare", "filter", "write", "other"]
    assert lines[6].split() == ["slowest", "ms"]
    assert any(line.startswith("sobel_x: ") and line.endswith("; 2 files") for line in lines)


def test_what_exists_is_an_error_before_any_work(photos, out):
    folder, _ = photos
    done("batch", folder, *CLIPPED, "-o", out)
    (out / "b.png").unlink()
    message = refused("batch", folder, *CLIPPED, "-o", out)
    assert str(out / "a.png") in message
    assert "--existing skip" in message
    assert not (out / "b.png").exists()
    done("batch", folder, *CLIPPED, "-o", out, "-f")
    assert (out / "b.png").exists()


def test_skip_redoes_what_changed_and_leaves_what_it_does_not_know(photos, out):
    folder, pictures = photos
    done("batch", folder, *CLIPPED, "-o", out)
    (out / "deep").mkdir()
    (out / "deep" / "d.png").write_bytes(b"somebody's")
    pictures["b.png"] = save(folder / "b.png", (30, 30))
    kept = (out / "a.png").stat().st_mtime_ns
    outcome = done("batch", folder, "-r", *CLIPPED, "-o", out, "--existing", "skip")
    assert (out / "a.png").stat().st_mtime_ns == kept
    assert (out / "deep" / "d.png").read_bytes() == b"somebody's"
    np.testing.assert_array_equal(load(out / "b.png"), cv2.filter2D(pictures["b.png"], -1, SOBEL_X))
    assert outputs(out) == sorted(pictures)
    note, last = outcome.lines
    assert note == f"convcli: note: {out}/deep/d.png: not from an earlier run, and not touched"
    assert last.endswith("; 3 skipped")
    assert last.startswith("wrote 2 files")


def test_a_dry_run_lists_and_touches_nothing(photos, out):
    folder, _ = photos
    (folder / "b.png").write_bytes(b"")
    outcome = run("batch", folder, *CLIPPED, "-o", out, "--dry-run")
    assert outcome.status == 1
    assert sum(line.startswith(f"would write {out}/") for line in outcome.lines) == 2
    assert outcome.lines[-1] == f"would write 2 files into {out}; 1 failed"
    assert not out.exists()


def test_notes_that_many_files_share_are_told_once(tmp_path, out):
    for number in range(4):
        path = tmp_path / "in" / f"{number}.png"
        save(path)
        assert cv2.imwrite(str(path), RANDOM.integers(0, 65536, (8, 8, 3), dtype=np.uint16))
    lines = done("batch", tmp_path / "in", "-k", "box", "-o", out, "--format", "jpeg").lines
    (note,) = (line for line in lines if "16-bit" in line)
    assert note.startswith("convcli: note: 4 files: 16-bit samples are written as 8-bit")


def test_what_is_no_image_by_its_name_is_counted_under_verbose(photos, out):
    (photos[0] / "notes.txt").write_text("cheese")
    left = "convcli: note: 1 file is left out by suffix: not of an image"
    assert left not in done("batch", photos[0], *CLIPPED, "-o", out).lines
    lines = done("batch", photos[0], *CLIPPED, "-o", out, "--existing", "skip", "-v").lines
    assert left in lines
    assert f"skipped {photos[0]}/a.png: {out}/a.png is done" in lines


def test_quiet_says_nothing(photos, out):
    assert done("batch", photos[0], *CLIPPED, "-o", out, "-q").messages == ""


def test_loops_of_links_end(photos, out):
    folder, pictures = photos
    (folder / "deep" / "round").symlink_to(folder, target_is_directory=True)
    done("batch", folder, "-r", *CLIPPED, "-o", out)
    assert outputs(out) == sorted(pictures)


def test_ten_thousand_empty_files_are_ten_thousand_lines(tmp_path, out):
    (tmp_path / "in").mkdir()
    for number in range(10_000):
        (tmp_path / "in" / f"{number}.png").touch()
    outcome = run("batch", tmp_path / "in", *CLIPPED, "-o", out)
    assert outcome.status == 1
    assert len(outcome.lines) == 10_001
    assert all(line.endswith("empty file, there is no image in it") for line in outcome.lines[:-1])
    assert outcome.lines[-1] == f"wrote 0 files into {out}; 10000 failed"


# What follows needs a process of its own, to be interrupted, starved or watched.


def command(*arguments):
    return [sys.executable, "-m", "convcli", "batch", *map(str, arguments)]


def start(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    options = {"preexec_fn": heed_interrupts, **streams, **options}
    return subprocess.Popen(command(*arguments), env=environment, text=True, **options)


def heed_interrupts():
    """Undo what a shell does for its background jobs, the tests among them: to ignore SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """A folder of pictures that take a second or two."""
    folder = tmp_path_factory.mktemp("many")
    for number in range(150):
        save(folder / f"{number:03}.png", (400, 500))
    return folder


@pytest.fixture(scope="module")
def undisturbed(many, tmp_path_factory):
    """The bytes of every output."""
    folder = tmp_path_factory.mktemp("undisturbed")
    done("batch", many, *CLIPPED, "-o", folder, "--jobs", 2, "-q")
    return {name: (folder / name).read_bytes() for name in outputs(folder)}


def assert_whole(out, undisturbed):
    """Every visible output is complete, and there is nothing else."""
    names = outputs(out)
    for name in names:
        assert (out / name).read_bytes() == undisturbed[name], name
    assert sorted(str(path.relative_to(out)) for path in everything(out)) == names
    return names


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_run_is_taken_up(many, undisturbed, out, number):
    process = start(many, *CLIPPED, "-o", out, "--json", "--jobs", 2)
    for _ in range(5):
        process.stdout.readline()
    process.send_signal(number)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130, messages
    *_, told, hint = messages.splitlines()
    assert "not tried" in told
    assert hint == "convcli: error: interrupted; the same command with --existing skip goes on from here"
    finished = assert_whole(out, undisturbed)
    assert 5 <= len(finished) < len(undisturbed)
    outcome = done("batch", many, *CLIPPED, "-o", out, "--existing", "skip", "--jobs", 2)
    skipped = int(re.search(r"; (\d+) skipped", outcome.lines[-1])[1])
    assert 5 <= skipped <= len(finished)  # what was told is recorded; the interrupt may have come before the rest was
    assert assert_whole(out, undisturbed) == sorted(undisturbed)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_in_hand_when_a_run_is_interrupted_counts_as_written(tmp_path, out, number):
    files = 16
    for each in range(files):
        save(tmp_path / "in" / f"{each}.png", (1000, 1000))
    slow = ("-k", "disk:radius=15", "--backend", "direct", "--existing", "skip")
    report = tmp_path / "r.json"
    process = start(tmp_path / "in", *slow, "-o", out, "--json", "--report", report, "--jobs", 2)
    process.stdout.readline()
    time.sleep(0.05)  # so that the next ones are in hand
    process.send_signal(number)
    lines = process.stdout.read()  # `communicate` would leave out what came with the first line
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130, messages
    written = len(outputs(out))
    assert 1 <= written < files  # a slow machine may not finish those in hand in time
    told = messages.splitlines()[-2]
    assert told.startswith(f"wrote {written} file{'s' if written > 1 else ''} into ")
    assert told.endswith(f"; {files - written} not tried")
    assert 1 + len(lines.splitlines()) == len(json.loads(report.read_text())["results"]) == written


def test_a_second_interrupt_ends_the_run_at_once(many, undisturbed, out):
    process = start(many, *CLIPPED, "-o", out, "--json", "--jobs", 2, start_new_session=True)
    process.stdout.readline()
    for _ in range(2):
        os.killpg(process.pid, signal.SIGINT)  # as a terminal sends it: to the workers too
        time.sleep(0.02)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in messages
    assert set(outputs(out)) <= set(undisturbed)
    done("batch", many, *CLIPPED, "-o", out, "--existing", "skip", "--jobs", 2)
    assert assert_whole(out, undisturbed) == sorted(undisturbed)


def test_a_killed_worker_costs_nothing_but_time(many, undisturbed, out):
    process = start(many, *CLIPPED, "-o", out, "--json", "--jobs", 2)
    process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(children[0]), signal.SIGKILL)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 0, messages
    assert assert_whole(out, undisturbed) == sorted(undisturbed)


def test_a_reader_that_goes_away_ends_the_run_quietly(many, undisturbed, out):
    process = start(many, *CLIPPED, "-o", out, "--json", "--jobs", 2)
    process.stdout.readline()
    process.stdout.close()
    messages = process.stderr.read()
    process.wait(timeout=60)
    process.stderr.close()
    assert process.returncode == 1
    assert messages == ""
    assert len(assert_whole(out, undisturbed)) < len(undisturbed)


def test_a_full_disk_leaves_no_half_files(many, undisturbed, out):
    largest = max(map(len, undisturbed.values()))

    def starve():
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest // 2, largest // 2))

    process = start(many, *CLIPPED, "-o", out, "--jobs", 2, preexec_fn=starve)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 1
    *errors, last = messages.splitlines()
    assert len(errors) == len(undisturbed)
    assert all("File too large" in line for line in errors), errors[0]
    assert last == f"wrote 0 files into {out}; {len(undisturbed)} failed"
    assert assert_whole(out, undisturbed) == []


def test_inputs_that_go_away_or_are_cut_fail_alone(many, undisturbed, out, tmp_path):
    folder = tmp_path / "in"
    shutil.copytree(many, folder)
    process = start(folder, *CLIPPED, "-o", out, "--json", "--jobs", 2)
    process.stdout.readline()
    (folder / "148.png").unlink()
    os.truncate(folder / "149.png", 1000)
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 1
    first, second, _ = sorted(messages.splitlines())
    assert first.startswith(f"convcli: error: {folder}/148.png: ")
    assert second.startswith(f"convcli: error: {folder}/149.png: ")
    assert assert_whole(out, undisturbed) == sorted(undisturbed)[:148]


def test_an_output_folder_that_goes_away_is_told_in_one_line_a_file(many, out):
    process = start(many, *CLIPPED, "-o", out, "--json", "--jobs", 2)
    process.stdout.readline()
    shutil.rmtree(out, ignore_errors=True)
    shutil.rmtree(out, ignore_errors=True)  # what was written into it meanwhile
    _, messages = process.communicate(timeout=60)
    assert process.returncode == 1
    *errors, last = messages.splitlines()
    assert all(line.startswith(f"convcli: error: {out}") for line in errors)
    assert last.endswith(f"; {len(errors)} failed")


def watched(*arguments, **variables):
    """Run the command in a terminal of 100 columns; returns what it shows, and its exit status."""
    main, other = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "100"}
    environment.update(variables)
    with subprocess.Popen(
        command(*arguments), env=environment, stdin=other, stdout=subprocess.PIPE, stderr=other
    ) as process:
        os.close(other)
        shown = b""
        while True:
            ready, _, _ = select.select([main], [], [], 60)
            try:
                part = os.read(main, 65536) if ready else b""
            except OSError:  # the last to have it open has closed it
                part = b""
            if not part:
                break
            shown += part
        process.wait(timeout=60)
    os.close(main)
    return shown.decode(), process.returncode


def test_a_terminal_shows_progress_and_is_left_as_it_was(many, out):
    (many / "bad.png").write_bytes(b"")
    try:
        shown, status = watched(many, *CLIPPED, "-o", out)
    finally:
        (many / "bad.png").unlink()
    assert status == 1
    assert "/151 files" in shown
    assert "1 failed" in shown
    assert "last failure: " in shown
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1
    assert "wrote 150 files into " in shown


def test_no_colours_where_none_are_wanted_and_no_display_where_it_cannot_be(many, out):
    shown, _ = watched(many, *CLIPPED, "-o", out, NO_COLOR="1")
    assert "/150 files" in shown
    assert "\x1b[3" not in shown
    shown, _ = watched(many, *CLIPPED, "-o", out, "-f", TERM="dumb")
    assert "\x1b" not in shown
    shown, _ = watched(many, *CLIPPED, "-o", out, "-f", "-q")
    assert shown == ""


def result(number, status="done", **fields):
    return ImageResult(f"{number}.png", f"out/{number}.png", status, **fields)


def test_the_time_left_goes_by_bytes_where_files_differ():
    now = 0.0
    totals = BatchTotals(3, 3_000_000, clock=lambda: now)
    assert totals.seconds_left is None
    now = 10.0
    totals.add(result(1, input_bytes=2_000_000, output_size=(1000, 2000, 3), seconds={"total": 10.0}))
    np.testing.assert_allclose(totals.seconds_left, 5.0, rtol=0.05)
    assert list(standing(totals)) == ["1/3 files", "6 s left", "0.2 MP/s"]


def test_what_was_done_before_says_nothing_of_the_time_left():
    now = 0.0
    totals = BatchTotals(100, 1000, ready=98, clock=lambda: now)
    for number in range(98):
        totals.add(result(number, "skipped"))
    now = 4.0
    assert totals.seconds_left is None
    totals.add(result(98, input_bytes=500, seconds={"total": 4.0}))
    np.testing.assert_allclose(totals.seconds_left, 4.0)
    assert batch_summary(totals, "out").endswith("; 98 skipped, 1 not tried")


def test_totals_hold_no_more_for_more_files():
    totals = BatchTotals(10_000)
    for number in range(10_000):
        step = StepResult("box", "opencv", f"reason {number}", 0.1, ("fft", 0.2))
        totals.add(
            result(number, steps=(step,), notes=(f"note {number}",), seconds={"total": (number * 7919) % 10_007})
        )
    assert [seconds for _, seconds in totals.slowest] == sorted(
        (n * 7919 % 10_007 for n in range(10_000)), reverse=True
    )[:5]
    assert len(totals.notes) <= 50
    assert len(totals.choices) <= 50
    assert len(totals.record()["slowest"]) == 5
