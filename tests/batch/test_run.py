"""A batch from its plan to its outputs: the same bytes as one by one, whatever goes wrong in between."""

import contextlib
import faulthandler
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import pytest
from hanging import LONG, must_end
from repository import ROOT, bare_environment

from convcli.batch import local_processes as workers
from convcli.batch import run as batch_run
from convcli.batch.journal import Journal, read_journal
from convcli.batch.plan import BatchOptions, plan_batch
from convcli.batch.run import run_batch
from convcli.errors import ImageWriteError, KernelError, OutputExistsError, UsageError
from convcli.process import shell
from convcli.process.kernel_operation import FilterOptions, load_kernels
from convcli.process.output_files import OutputOptions
from convcli.process.tone_options import ToneOptions

FILES = 12
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}  # of processes that are started in other folders


# Another run, which records its second output after it has said that it is at work.
HOLDING = """
import time
from convcli.batch.plan import BatchOptions, plan_batch
from convcli.batch.run import run_batch
from convcli.process.kernel_operation import FilterOptions
asked = BatchOptions(FilterOptions(("sobel_x",)), "out", jobs=1)
results = run_batch(plan_batch(["photos/01.png", "photos/02.png"], asked), asked)
next(results)
print("at work", flush=True)
time.sleep(0.5)
list(results)
"""


def picture(number, size=(20, 30)):
    return np.random.default_rng(number).integers(96, 128, (*size, 3), dtype=np.uint8)


def write(path, number=0, size=(20, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture(number, size))
    return path


@pytest.fixture
def photos(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(FILES):
        write(tmp_path / "photos" / ("deep" if number % 3 == 0 else ".") / f"{number:02}.png", number)
    return tmp_path / "photos"


def options(output="out", *, existing="error", jobs=2, kernels=("sobel_x",), **others):
    of_batch = {key: others.pop(key) for key in ("recursive", "name", "fail_fast") if key in others}
    of_kernels = {key: others.pop(key) for key in ("convolve", "tone") if key in others}
    filter_ = FilterOptions(kernels, **of_kernels, output=OutputOptions(existing=existing, **others))
    return BatchOptions(filter_, output, jobs=jobs, **{"recursive": True, **of_batch})


def do(inputs=("photos",), asked=None, **others):
    asked = asked or options(**others)
    return list(run_batch(plan_batch(list(inputs), asked), asked))


def contents(folder="out"):
    """Every file that people see, with its bytes."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file() and ".convcli" not in path.parts
    }


def temporaries(folder="out"):
    return [path for path in Path(folder).rglob("*") if "tmp" in path.parts[1:-1] or path.name.endswith(".tmp")]


def statuses(results):
    return {result.input: result.status for result in results}


def failures(results):
    return {result.input: result.error for result in results if result.status == "failed"}


def held(monkeypatch, free=0):
    """Have every image but the first `free` wait to be released: (how many have begun, what releases them)."""
    context = get_context("fork")
    begun, released = context.Value("i", 0), context.Event()
    original = shell.read_source

    def read_source(*arguments):
        with begun.get_lock():
            begun.value += 1
            number = begun.value
        if number > free:
            released.wait(LONG)
        return original(*arguments)

    monkeypatch.setattr(shell, "read_source", read_source)
    return begun, released


# What is done


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_outputs_are_those_of_filtering_one_by_one(photos, jobs):
    results = do(jobs=jobs)
    assert set(statuses(results).values()) == {"done"}
    assert len(results) == FILES
    operation = load_kernels(FilterOptions(("sobel_x",), output=OutputOptions(existing="overwrite")))
    for path in photos.rglob("*.png"):
        shell.process_image(str(path), "alone.png", operation)
        assert Path("out", path.relative_to(photos)).read_bytes() == Path("alone.png").read_bytes()
    assert not temporaries()


def test_outputs_are_right_by_opencv(photos):
    do(tone=ToneOptions(signed="clip"))
    kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float)
    for path in photos.rglob("*.png"):
        written = cv2.imread(str(Path("out", path.relative_to(photos))))
        np.testing.assert_array_equal(written, cv2.filter2D(cv2.imread(str(path)), -1, kernel))


def test_results_tell_sizes_and_bytes(photos):
    for result in do():
        assert result.input_size == result.output_size == (20, 30, 3)
        assert result.input_bytes == os.path.getsize(result.input)
        assert result.output_bytes == os.path.getsize(result.output)
        assert result.record()["output_bytes"] == result.output_bytes


def test_name_and_format_are_followed(photos):
    do(["photos"], options(name="{parent}-{stem}_{kernel}{suffix}", format="tiff"))
    assert sorted(contents())[:2] == ["deep/deep-00_sobel_x.tiff", "deep/deep-03_sobel_x.tiff"]


def test_the_caller_is_called_while_nothing_ends(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.png")
    _begun, released = held(monkeypatch)
    ticks = []

    def tick():
        ticks.append(released.is_set())
        if len(ticks) == 4:
            released.set()  # and not before: without these calls the image would never end

    asked = options()
    with must_end():
        results = list(run_batch(plan_batch(["a.png"], asked), asked, on_tick=tick))
    assert statuses(results) == {"a.png": "done"}
    assert ticks[:4] == [False] * 4


def test_a_dry_run_touches_nothing(photos):
    results = do(asked=options(dry_run=True))
    assert set(statuses(results).values()) == {"planned"}
    assert len(results) == FILES
    assert not Path("out").exists()


def test_on_systems_that_cannot_fork_the_same_is_done(photos, monkeypatch):
    monkeypatch.setattr(workers, "get_context", lambda _method: get_context("spawn"))
    assert set(statuses(do()).values()) == {"done"}
    assert len(contents()) == FILES


# What is refused before any work


def test_existing_outputs_are_an_error_before_any_work(photos):
    write(Path("out/05.png"))
    before = contents()
    with pytest.raises(OutputExistsError, match=r"^out/05\.png exists already: say --existing skip"):
        do()
    assert contents() == before


@pytest.mark.parametrize("output", ["photos", "photos/../photos", "link"])
def test_an_input_is_never_replaced(photos, output):
    Path("link").symlink_to("photos")
    before = contents("photos")
    with pytest.raises(UsageError, match=r"is an input: choose another folder with -o, or another --name"):
        do(existing="overwrite", output=output)
    assert contents("photos") == before


def test_another_name_may_be_written_beside_the_inputs_and_is_not_taken_for_one_later(photos):
    asked = options("photos", name="{stem}_{kernel}{suffix}", existing="skip")
    assert len(do(asked=asked)) == FILES
    results = do(asked=asked)
    assert len(results) == FILES
    assert set(statuses(results).values()) == {"skipped"}


def test_an_unknown_kernel_and_an_output_that_is_a_file_are_refused(photos):
    with pytest.raises(KernelError, match="did you mean 'sobel_x'"):
        do(kernels=("sobelx",))
    Path("file").touch()
    with pytest.raises(UsageError, match="-o file: not a folder"):
        options("file")
    with pytest.raises(UsageError, match="jobs must be at least 1"):
        options(jobs=0)


def test_the_name_that_is_advised_for_two_inputs_with_one_output_works(photos):
    shutil.copy("photos/01.png", "photos/01.jpg")
    with pytest.raises(UsageError, match=r"01\.jpg and .*01\.png would both be .*'\{stem\}_\{ext\}\{suffix\}'$"):
        do(format="png")
    do(format="png", name="{stem}_{ext}{suffix}")
    assert {"01_png.png", "01_jpg.png", "deep/03_png.png"} <= set(contents())


def test_an_output_folder_called_like_an_image_is_refused_unless_it_is_there(photos):
    looks = (
        r"-o new\.PNG: batch writes into a folder, and this looks like a file; take convcli filter for one image, or"
    )
    with pytest.raises(UsageError, match=looks):
        options("new.PNG")
    with pytest.raises(UsageError, match="take convcli run for one image"):
        BatchOptions(FilterOptions(("sobel_x",)), "new.tiff", pipeline="edges.yaml")
    options("new.v2")
    options("new.png/")
    Path("old.png").mkdir()
    assert set(statuses(do(output="old.png")).values()) == {"done"}


def test_a_file_whose_format_cannot_be_written_fails_alone(photos):
    (photos / "b.gif").write_bytes(b"GIF89a")
    results = do()
    assert failures(results) == {"photos/b.gif": "photos/b.gif: GIF, with its 256 colours, is only read; write .png"}
    assert len(contents()) == FILES


def test_a_library_that_prints_is_not_heard_and_a_scan_that_it_complains_of_fails(photos, capfd):
    for number in range(3):
        cv2.imwrite(f"photos/x{number}.jpg", picture(number, (100, 200)))
    whole = Path("photos/x1.jpg").read_bytes()
    Path("photos/x1.jpg").write_bytes(whole[: len(whole) // 2] + whole[-2:])  # to its end mark, which libjpeg reads
    Path("photos/x2.jpg").write_bytes(whole[:-2] + b"junk" + whole[-2:])  # of which libjpeg warns
    Path("photos/broken.png").write_bytes(Path("photos/01.png").read_bytes()[:200])
    results = do(jobs=1)
    assert not [result.notes for result in results if result.notes]
    assert failures(results).keys() == {"photos/broken.png", "photos/x1.jpg"}
    assert capfd.readouterr().err == ""


def test_a_second_run_in_the_same_folder_is_refused(photos, monkeypatch):
    monkeypatch.setattr("convcli.batch.journal._PATIENCE", 0.1)
    other = Journal("out")
    in_hand = Path(other.temporaries, "half")
    in_hand.touch()
    try:
        with pytest.raises(UsageError, match="out: another batch is at work in this folder"):
            do()
        assert in_hand.exists()  # it belongs to the run that goes on
    finally:
        other.close()
    assert len(do()) == FILES


def test_a_run_waits_for_one_that_is_just_ending_before_it_is_planned(photos):
    asked = options(existing="skip")
    with subprocess.Popen([sys.executable, "-c", HOLDING], stdout=subprocess.PIPE, env=ENVIRONMENT) as other:
        other.stdout.readline()
        results = do(asked=asked)
        assert other.wait(10) == 0
    skipped = {path for path, status in statuses(results).items() if status == "skipped"}
    assert skipped == {"photos/01.png", "photos/02.png"}
    assert not failures(results)
    assert set(statuses(do(asked=asked)).values()) == {"skipped"}


def test_a_plan_from_before_another_run_is_refused(photos):
    asked = options(existing="skip")
    plan = plan_batch(["photos"], asked)
    do(asked=asked)
    known = read_journal("out")
    with pytest.raises(UsageError, match="out: another batch has been at work in this folder just now"):
        list(run_batch(plan, asked))
    assert read_journal("out") == known
    assert set(statuses(do(asked=asked)).values()) == {"skipped"}


# Resuming


def test_what_is_done_is_not_done_again(photos):
    first = do(existing="skip")
    times = {path: path.stat().st_mtime_ns for path in Path("out").rglob("*.png")}
    again = do(existing="skip")
    assert set(statuses(again).values()) == {"skipped"}
    assert all(note.endswith("is done") for result in again for note in result.notes)
    assert {path: path.stat().st_mtime_ns for path in Path("out").rglob("*.png")} == times
    assert len(first) == len(again) == FILES


def test_changed_inputs_are_done_again(photos):
    do(existing="skip")
    write(photos / "01.png", 99)
    results = do(existing="skip")
    assert [result.input for result in results if result.status == "done"] == ["photos/01.png"]


@pytest.mark.parametrize(
    "change",
    [
        {"kernels": ("sobel_y",)},
        {"tone": ToneOptions(signed="clip")},
        {"compression": "small"},
        {"depth": "u16"},
    ],
)
def test_other_options_have_everything_done_again(photos, change):
    do(existing="skip")
    assert set(statuses(do(existing="skip", **change)).values()) == {"done"}


def test_another_kernel_behind_the_same_name_has_everything_done_again(photos):
    kernel = Path("mine.yaml")
    kernel.write_text("name: mine\nsummary: One.\nweights: [[1]]\nreference: none\n")
    do(existing="skip", kernels=("mine.yaml",))
    kernel.write_text("name: mine\nsummary: One.\nweights: [[2]]\nreference: none\n")
    assert set(statuses(do(existing="skip", kernels=("mine.yaml",))).values()) == {"done"}


def test_another_version_has_everything_done_again(photos, monkeypatch):
    do(existing="skip")
    monkeypatch.setattr("convcli.batch.work.__version__", "99")
    assert set(statuses(do(existing="skip")).values()) == {"done"}


def test_another_number_of_jobs_changes_nothing(photos):
    do(existing="skip", jobs=2)
    assert set(statuses(do(existing="skip", jobs=1)).values()) == {"skipped"}


def test_an_output_that_is_not_as_recorded_is_made_again(photos):
    do(existing="skip")
    whole = contents()
    Path("out/01.png").write_bytes(whole["01.png"][:50])
    Path("out/02.png").unlink()
    results = do(existing="skip")
    assert {result.input for result in results if result.status == "done"} == {"photos/01.png", "photos/02.png"}
    assert contents() == whole


def test_an_existing_file_that_the_journal_does_not_know_is_left_and_told(photos):
    Path("out").mkdir()
    Path("out/01.png").write_bytes(b"mine")
    asked = options(existing="skip")
    plan = plan_batch(["photos"], asked)
    assert "out/01.png: not from an earlier run, and not touched" in plan.notes
    (skipped,) = [result for result in run_batch(plan, asked) if result.status == "skipped"]
    assert skipped.notes == ("out/01.png exists, but not from an earlier run: not touched",)
    assert Path("out/01.png").read_bytes() == b"mine"


def test_what_appears_at_an_output_meanwhile_is_not_replaced(photos):
    asked = options()
    plan = plan_batch(["photos"], asked)
    write(Path("out/01.png"), 5)
    mine = Path("out/01.png").read_bytes()
    results = list(run_batch(plan, asked))
    assert list(failures(results)) == ["photos/01.png"]
    assert Path("out/01.png").read_bytes() == mine


@pytest.mark.parametrize("damage", [b"", b"garbage\n\0\xff{}\n[]\n", b'{"output": "01.png", "state"'])
def test_a_damaged_journal_is_read_as_far_as_it_goes(photos, damage):
    do(existing="skip")
    journal = Path("out/.convcli/journal.jsonl")
    lines = journal.read_bytes().splitlines(keepends=True)
    kept = lines[: FILES + 6]  # begun lines come first
    journal.write_bytes(b"".join(kept) + damage)
    asked = options(existing="skip")
    plan = plan_batch(["photos"], asked)
    assert bool([note for note in plan.notes if "passed over" in note]) == bool(damage)
    results = list(run_batch(plan, asked))
    assert sorted(statuses(results).values()) == ["done"] * (FILES - 6) + ["skipped"] * 6
    records, notes = read_journal("out")
    assert len(records) == FILES
    assert notes == []


def test_a_journal_of_garbage_alone_leaves_every_output_untouched(photos):
    do(existing="skip")
    Path("out/.convcli/journal.jsonl").write_bytes(os.urandom(5000))
    assert all("not from an earlier run" in result.notes[0] for result in do(existing="skip"))


def test_the_journal_does_not_grow_with_the_runs(photos):
    for _ in range(6):
        do(existing="overwrite")
    assert len(Path("out/.convcli/journal.jsonl").read_text().splitlines()) <= 4 * FILES


def test_temporaries_of_a_dead_run_are_removed(photos):
    folder = Path("out/.convcli/tmp")
    folder.mkdir(parents=True)
    (folder / ".half.png.1a2b3c4d.tmp").write_bytes(b"half")
    do()
    assert not temporaries()


def test_names_that_are_no_text_survive(photos):
    name = os.fsdecode(b"photos/\xff\xfe \n.png")
    shutil.copy("photos/01.png", name)
    do(existing="skip")
    assert statuses(do(existing="skip"))[name] == "skipped"


# Faults


def test_bad_files_fail_alone_and_say_why(photos):
    (photos / "empty.png").touch()
    (photos / "text.png").write_text("hello")
    (photos / "cut.png").write_bytes((photos / "01.png").read_bytes()[:200])
    results = do()
    errors = failures(results)
    assert set(errors) == {"photos/empty.png", "photos/text.png", "photos/cut.png"}
    assert "empty file" in errors["photos/empty.png"]
    assert "truncated PNG" in errors["photos/cut.png"]
    assert len(contents()) == FILES


def test_fail_fast_gives_up(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(200):
        write(tmp_path / "photos" / f"{number:03}.png", number)
    (tmp_path / "photos/000.png").write_bytes(b"")
    results = do(fail_fast=True)
    assert list(failures(results)) == ["photos/000.png"]
    assert len(contents()) < 199
    assert len(do(existing="skip")) == 200
    assert len(contents()) == 199


@pytest.mark.slow
def test_ten_thousand_empty_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    for number in range(10_000):
        (tmp_path / "photos" / f"{number}.png").touch()
    results = do()
    assert len(failures(results)) == 10_000
    assert contents() == {}
    assert read_journal("out") == ({}, [])


def faulty(monkeypatch, fault, when="read"):
    """Have something happen around the reading of each image, in the processes that do the work."""
    read = shell.read_source

    def read_source(source, *arguments):
        if when == "before":
            fault(source)
        image = read(source, *arguments)
        if when == "read":
            fault(source)
        return image

    monkeypatch.setattr(shell, "read_source", read_source)


def test_an_input_that_changes_while_it_is_read_fails(photos, monkeypatch):
    def fault(source):
        if source.endswith("05.png"):
            with open(source, "ab") as file:
                file.write(b"more")

    faulty(monkeypatch, fault)
    results = do()
    assert failures(results) == {
        "photos/05.png": "photos/05.png: changed while it was read; run again when it is finished"
    }
    assert not Path("out/05.png").exists()


def test_inputs_that_are_deleted_or_cut_off_meanwhile_fail(photos):
    asked = options()
    plan = plan_batch(["photos"], asked)
    (photos / "05.png").unlink()
    os.truncate(photos / "07.png", 100)
    errors = failures(run_batch(plan, asked))
    assert set(errors) == {"photos/05.png", "photos/07.png"}
    assert errors["photos/05.png"].startswith("photos/05.png: no such file")
    assert "truncated PNG" in errors["photos/07.png"]


def test_an_output_folder_that_is_removed_meanwhile_fails_the_rest(photos, monkeypatch):
    def fault(source):
        if source.endswith("01.png"):
            shutil.rmtree("out", ignore_errors=True)

    faulty(monkeypatch, fault)
    results = do(jobs=1)
    assert len(results) == FILES
    errors = failures(results)
    assert "photos/01.png" in errors
    assert all(error.count("\n") == 0 and "out" in error for error in errors.values())


def test_nothing_is_filtered_for_a_folder_that_is_gone(photos, monkeypatch):
    """Also what was recorded as begun while it was still there."""

    def fault(source):
        Path(f"tried-{Path(source).stem}").touch()
        shutil.rmtree("out", ignore_errors=True)

    faulty(monkeypatch, fault)
    results = do(jobs=1)
    assert len(failures(results)) == FILES
    assert len(list(Path().glob("tried-*"))) == 1
    assert results[-1].error.startswith(f"{results[-1].output}: not tried: there is no folder out")


def test_without_its_output_folder_no_more_images_are_read(photos, monkeypatch):
    faulty(monkeypatch, lambda source: Path(f"tried-{Path(source).stem}").touch())
    monkeypatch.setattr("convcli.batch.run._BEGUN_FILES", 0)
    asked = options(jobs=1)
    plan = plan_batch(["photos"], asked)
    results = []
    for result in run_batch(plan, asked):
        results.append(result)
        if len(results) == 1:
            Path("out").rename("elsewhere")
    assert [result.status for result in results] == ["done"] + ["failed"] * (len(plan) - 1)
    assert len(list(Path().glob("tried-*"))) <= 2  # the one that was in hand already
    last = results[-1]
    assert last.error.startswith(f"{last.output}: not tried: out/.convcli/journal.jsonl: is gone")


def test_a_folder_that_cannot_be_made_fails_its_files(photos):
    Path("out").mkdir()
    Path("out/deep").write_text("in the way")
    results = do()
    assert set(failures(results)) == {path for path in statuses(results) if "deep" in path}
    assert len(failures(results)) == 4


@pytest.mark.parametrize("dry_run", [False, True])
def test_an_output_folder_that_cannot_be_made_is_one_error(photos, dry_run):
    Path("file").touch()
    asked = options("file/out", dry_run=dry_run)
    plan = plan_batch(["photos"], asked)
    with pytest.raises(ImageWriteError, match=r"file/out: cannot be made: Not a directory"):
        list(run_batch(plan, asked))


def limited_run(code, *, file_bytes):
    """Run code in a process whose files may not grow beyond `file_bytes`, as on a disk that is full."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, env=bare_environment(), preexec_fn=limit, check=False
    )


PRINTING = """
from convcli.batch.plan import *
from convcli.batch.run import *
from convcli.process.kernel_operation import FilterOptions
from convcli.process.output_files import OutputOptions
asked = BatchOptions(FilterOptions(("identity",), output=OutputOptions(existing="skip")), "out", jobs=2)
for result in run_batch(plan_batch(["photos"], asked), asked):
    print(result.status, result.input, result.error)
"""


def test_a_file_that_the_disk_has_no_room_for_fails_alone_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(4):
        write(tmp_path / "photos" / f"{number}.png", number, (200, 200) if number == 2 else (10, 10))
    outcome = limited_run(PRINTING, file_bytes=20_000)
    assert outcome.stderr == ""
    lines = sorted(outcome.stdout.splitlines())
    assert [line.split()[0] for line in lines] == ["done", "done", "done", "failed"]
    assert "photos/2.png out/2.png: cannot be written: File too large" in lines[-1]
    assert sorted(contents()) == ["0.png", "1.png", "3.png"]
    assert not temporaries()


def test_a_journal_that_the_disk_has_no_room_for_fails_what_it_cannot_record(photos, monkeypatch):
    written = []
    write_ = os.write

    def full(file, data):
        if written and b"begun" in bytes(data):
            raise OSError(28, "No space left on device")
        written.append(data)
        return write_(file, data)

    monkeypatch.setattr(batch_run, "_BEGUN_FILES", 3)
    monkeypatch.setattr(os, "write", full)
    results = do()
    errors = failures(results)
    assert errors
    assert all(error.endswith("journal.jsonl: cannot be written: No space left on device") for error in errors.values())
    assert len(results) == FILES
    assert len(contents()) == FILES - len(errors) > 0


def test_what_is_unexpected_is_a_failure_of_its_file_alone(photos, monkeypatch):
    def fault(source):
        if source.endswith("05.png"):
            raise ZeroDivisionError("a bug")

    faulty(monkeypatch, fault)
    assert failures(do()) == {"photos/05.png": "photos/05.png: unexpected ZeroDivisionError: a bug; please report it"}


# Killed processes


def test_a_worker_that_is_killed_once_costs_nothing(photos, monkeypatch):
    def fault(source):
        if source.endswith("05.png") and not Path("killed").exists():
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)

    faulty(monkeypatch, fault)
    results = do()
    assert Path("killed").exists()
    assert len(results) == FILES
    assert set(statuses(results).values()) == {"done"}
    assert not temporaries()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_files_that_kill_their_workers_fail_and_the_others_are_done(photos, monkeypatch, number):
    bad = ("02.png", "05.png", "07.png")

    def fault(source):
        if source.endswith(bad):
            faulthandler.disable()  # which pytest has on
            os.kill(os.getpid(), number)

    faulty(monkeypatch, fault)
    errors = failures(do())
    assert {Path(path).name for path in errors} == set(bad)
    assert all(f"signal {int(number)} ({number.name})" in error for error in errors.values())
    assert len(contents()) == FILES - len(bad)


@pytest.mark.slow
def test_processes_that_all_die_at_once_end_the_run_with_one_error(photos, monkeypatch):
    monkeypatch.setattr(workers, "serve", lambda *_: os._exit(3))
    results = do()
    assert len(failures(results)) == FILES
    assert all("exit status 3" in error for error in failures(results).values())


def test_a_terminated_worker_hands_its_files_on(photos, monkeypatch):
    def fault(source):
        if source.endswith("05.png") and not Path("told").exists():
            Path("told").touch()
            os.kill(os.getpid(), signal.SIGTERM)

    faulty(monkeypatch, fault)
    assert set(statuses(do()).values()) == {"done"}


# Interrupts


def children():
    return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]


def test_closing_stops_the_work_and_what_is_done_is_kept(photos):
    asked = options(existing="skip")
    before = children()
    results = run_batch(plan_batch(["photos"], asked), asked)
    assert next(results).status == "done"
    results.close()
    assert children() == before
    assert not temporaries()
    assert len(contents()) < FILES
    records, _ = read_journal("out")
    assert {name: record.state for name, record in records.items()} == dict.fromkeys(contents(), "done")
    assert {status for path, status in statuses(do(existing="skip")).items()} == {"done", "skipped"}
    assert len(contents()) == FILES


def test_what_is_finished_while_a_run_is_interrupted_is_told(photos, monkeypatch):
    begun, released = held(monkeypatch, free=2)
    monkeypatch.setattr(batch_run, "_GRACE", 60)
    asked = options(existing="skip")
    told, late = [], []

    def tick():
        if told and begun.value > 2:  # the next ones are in hand
            released.set()
            raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt), must_end():
        for result in run_batch(plan_batch(["photos"], asked), asked, on_tick=tick, on_late=late.append):
            told.append(result)
    assert late
    outputs = [result.output for result in (*told, *late)]
    assert sorted(outputs) == sorted(f"out/{name}" for name in contents())
    assert {result.status for result in late} == {"done"}
    records, _ = read_journal("out")
    assert {f"out/{name}" for name in records} == set(outputs)


def test_what_ended_together_with_the_last_result_that_was_taken_is_told(photos):
    asked = options(existing="skip", jobs=1)
    late = []
    results = run_batch(plan_batch(["photos"], asked), asked, on_late=late.append)
    told = []
    for result in results:
        told.append(result)
        if len(told) == 2:  # the first chunk is of one file, the second of several
            break
    results.close()
    assert sorted(result.output for result in (*told, *late)) == sorted(f"out/{name}" for name in contents())


def test_an_interrupt_in_the_caller_waits_for_no_long_work(photos, monkeypatch):
    begun, _released = held(monkeypatch)
    asked = options(existing="skip")

    def tick():
        if begun.value == 2:
            raise KeyboardInterrupt

    before = children()
    with must_end(), pytest.raises(KeyboardInterrupt):
        list(run_batch(plan_batch(["photos"], asked), asked, on_tick=tick))
    assert children() == before
    assert not temporaries()
    Journal("out").close()  # which nobody holds any more


def test_a_second_interrupt_stops_at_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "photos" / "a.png")
    asked = options(existing="skip")
    monkeypatch.setattr(batch_run, "_GRACE", LONG)
    begun = get_context("fork").Event()

    def read_source(*_arguments):
        told, tell = os.pipe()
        os.set_blocking(tell, False)
        signal.set_wakeup_fd(tell)
        begun.set()
        os.read(told, 1)  # until the first interrupt has this process asked to stop
        os.kill(os.getppid(), signal.SIGUSR1)  # the second one
        time.sleep(LONG)

    def tick():
        if begun.is_set():
            raise KeyboardInterrupt

    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    monkeypatch.setattr(shell, "read_source", read_source)
    before, old = children(), signal.signal(signal.SIGUSR1, interrupt)
    try:
        with must_end(), pytest.raises(KeyboardInterrupt):
            list(run_batch(plan_batch(["photos"], asked), asked, on_tick=tick))
    finally:
        signal.signal(signal.SIGUSR1, old)
    assert children() == before
    assert not temporaries()


def test_a_run_that_is_killed_is_taken_up_where_it_was(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(150):
        write(tmp_path / "photos" / f"{number:03}.png", number, (100, 100))
    do(output="undisturbed", kernels=("identity",))
    whole = contents("undisturbed")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    delays = iter(np.random.default_rng(4).uniform(0, 0.1, 50))
    kills = 0
    while len(contents()) < len(whole) and kills < 5 if Path("out").exists() else True:
        process = subprocess.Popen([sys.executable, "-c", PRINTING], stdout=subprocess.PIPE, env=environment)
        process.stdout.readline()
        time.sleep(next(delays))
        process.kill()
        process.communicate()
        kills += 1
        visible = contents()
        assert visible.items() <= whole.items()
    assert kills
    results = do(existing="skip", kernels=("identity",), recursive=False)
    assert len(results) == len(whole)
    assert contents() == whole
    assert not temporaries()


def test_the_plan_says_how_many_results_there_will_be(photos):
    (photos / "b.gif").write_bytes(b"GIF89a")
    write(Path("out/01.png"))
    plan = plan_batch(["photos"], options(existing="skip"))
    assert (len(plan), len(plan.items), len(plan.skipped)) == (FILES + 1, FILES - 1, 2)


def test_the_journal_is_lines_of_json(photos):
    do()
    lines = [json.loads(line) for line in Path("out/.convcli/journal.jsonl").read_text().splitlines()]
    assert {line["state"] for line in lines} == {"begun", "done"}


def test_processes_start_after_opencv_has_used_its_threads(photos):
    """OpenCV's pool of threads is copied by a fork as if it were alive: held to one, the copy waited for ever."""
    script = """
import time, cv2, numpy as np
from convcli.batch.plan import BatchOptions, plan_batch
from convcli.batch.run import run_batch
from convcli.process.tone_options import ToneOptions
from convcli.process.kernel_operation import FilterOptions
cv2.setNumThreads(2)
for _ in range(5):
    cv2.cvtColor(cv2.GaussianBlur(np.zeros((3000, 4000, 3), np.uint8), (9, 9), 2), cv2.COLOR_BGR2RGB)
time.sleep(0.5)  # until they have nothing to do
asked = FilterOptions(("sobel_x",), tone=ToneOptions(signed="clip"))  # which OpenCV does by itself
options = BatchOptions(asked, "out", jobs=2, recursive=True)
results = list(run_batch(plan_batch(["photos"], options), options))
print(len(results), sum(result.error is None for result in results), cv2.getNumThreads())
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=ENVIRONMENT)
    assert done.stdout.split() == [str(FILES), str(FILES), "2"], done.stderr
