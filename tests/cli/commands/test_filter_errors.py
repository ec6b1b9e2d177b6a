"""Bad input of `convcli filter`: one clear line, and the exit status that the documentation states."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
from commandline import done, refused, run
from repository import ROOT

from convcli.process.kernel_chain import Chain
from convcli.reporting.formats import REPORT_SUFFIXES

SUFFIXES = ", ".join(REPORT_SUFFIXES)

PIXELS = np.random.default_rng(3).integers(96, 128, (24, 32, 4), dtype=np.uint8)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A working folder with a few images, good and bad."""
    monkeypatch.chdir(tmp_path)
    for name, pixels in {
        "photo.png": PIXELS[..., :3],
        "sprite.png": PIXELS,
        "photo.jpg": PIXELS[..., :3],
        "photo.tiff": PIXELS[..., :3],
    }.items():
        assert cv2.imwrite(name, pixels)
    for name in ("photo.png", "photo.jpg", "photo.tiff"):
        data = Path(name).read_bytes()
        Path(f"cut_{name}").write_bytes(data[: len(data) // 2])
    np.save("signed.npy", PIXELS[..., 0].astype(np.int16))
    np.save("empty.npy", np.zeros((0, 5), np.float32))
    Path("empty.png").touch()
    Path("text.png").write_text("hello")
    Path("folder").mkdir()
    Path("folder.md").mkdir()
    Path("there.png").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("missing.png", "missing.png: no such file"),
        ("folder", "folder: a folder, not an image: convcli batch folder -k sobel_x -o out"),
        ("empty.png", "empty.png: empty file"),
        ("text.png", "text.png: not an image: it is text, starting 'hello'"),
        ("cut_photo.png", "cut_photo.png: truncated PNG"),
        ("cut_photo.jpg", "cut_photo.jpg: truncated "),
        ("cut_photo.tiff", "cut_photo.tiff: truncated or damaged TIFF"),
        ("empty.npy", "empty.npy: an empty array"),
    ],
)
def test_an_input_that_cannot_be_read_is_named_with_status_1(source, message):
    assert refused("filter", source, "-k", "sobel_x", status=1).startswith(message)


def test_standard_input_may_be_empty_or_no_picture():
    assert refused("filter", "-", "-k", "sobel_x", status=1) == "standard input is empty: send it an image"
    assert refused("filter", "-", "-k", "sobel_x", stdin=b"hello", status=1).startswith("standard input: not an image")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "no/o.png"], "no/o.png: the folder "),
        (["-o", ""], "-o is empty: name a file, a folder, or - for standard output"),
        (["-o", "o.hdr", "--depth", "f32"], "o.hdr: Radiance HDR rounds f32 and holds no negative values: write .tiff"),
        (["-o", "there.png"], "there.png: exists already: say -f to replace it, or choose another name with -o"),
        (["-o", "photo.png"], "photo.png: the output is the input 'photo.png'"),
        (["-o", "./photo.png", "-f"], "./photo.png: the output is the input 'photo.png'"),
        (["-o", "o.xyz"], "o.xyz: unknown suffix '.xyz'; end it in one of .png .jpg "),
        (["-o", "o"], "o: no suffix says which format to write"),
        (["-o", "o.png", "--format", "jpeg"], "o.png: its suffix and --format jpeg differ: drop one of them"),
        (["--format", "xyz"], "unknown format 'xyz': expected avif, "),
        (["-o", "o.png", "--depth", "f32"], "o.png: PNG cannot hold f32 (it holds u8, u16): write .tiff, .pfm or .npy"),
        (["-o", "o.jpg", "--depth", "u16"], "o.jpg: JPEG cannot hold u16 (it holds u8): write .png, .tiff or .npy"),
        (["--json", "-o", "-"], "--json and -o - would both write to standard output: name a file with -o"),
        (["--stride", "0"], "--stride 0: must be at least 1"),
        (["--stride", "2,0"], "--stride 2,0: must be at least 1"),
        (["--stride", "2.5"], "--stride takes a whole number, or two as rows,columns, such as 2 or 2,3; not '2.5'"),
        (["--stride", ""], "--stride takes a whole number, or two as rows,columns, such as 2 or 2,3; not ''"),
        (
            ["--dilation", "1,2,3"],
            "--dilation takes a whole number, or two as rows,columns, such as 2 or 2,3; not '1,2,3'",
        ),
        (["--anchor", "1"], "--anchor takes a row and a column, such as 1,2; not '1'"),
        (["--anchor", "-1,0"], "--anchor -1,0: must be at least 0"),
        (["--anchor", "3,0"], "anchor 3,0 lies outside kernel 'sobel_x' of 3x3"),
        (["--padding", "wrapp"], "unknown padding 'wrapp': expected reflect101, reflect, "),
        (["--padding-value", "3"], "--padding-value needs --padding constant, not reflect101"),
        (["--padding", "zeros", "--padding-value", "a"], "--padding-value takes numbers, one or one per channel, "),
        (["--padding", "zeros", "--padding-value", "nan"], "padding value must be finite, not nan"),
        (["--extent", "sam"], "unknown extent 'sam': expected same, valid, full; did you mean 'same'?"),
        (
            ["--signed", "bas"],
            "unknown signed mapping 'bas': expected auto, clip, abs, offset, stretch; did you mean 'abs'?",
        ),
        (["--depth", "u32"], "unknown depth 'u32': expected same, u8, u16, f32"),
        (["--alpha", "kept"], "unknown alpha treatment 'kept': expected auto, keep, filter, premultiply, drop"),
        (
            ["--alpha", "premultiply"],
            "--alpha premultiply needs weights of a positive sum, unlike sobel_x: use --alpha keep",
        ),
        (["--backend", "cuda"], "--backend cuda: write --backend torch --device cuda"),
        (["--precision", "half"], "unknown precision 'half': expected single, double"),
        (["--scale", "inf"], "scale must be finite, not inf"),
        (["--bias", "x"], "invalid value for '--bias': 'x' is not a number"),
        (["--quality", "high"], "invalid value for '--quality': 'high' is not a whole number"),
        (["--quality", "0"], "quality must lie within 1..100, not 0"),
        (["--compression", "bal"], "unknown compression 'bal': expected fast, balanced, small"),
        (["--existing", "skp"], "unknown treatment of existing outputs 'skp': expected error, skip, overwrite"),
        (["-f", "--existing", "skip"], "-f means --existing overwrite, not --existing skip: choose one"),
        (["--threads", "0"], "threads must be at least 1, not 0"),
        (["-q", "-v"], "--quiet and --verbose exclude each other: choose one"),
        (["--report", "x.txt"], f"--report x.txt: a report is written as {SUFFIXES}; end its name in one"),
        (["--report", "folder.md"], "--report folder.md: a folder, not a file; name a file in it"),
        (["--report", "no/x.md"], "--report no/x.md: no such folder; to make it: mkdir -p no"),
        (["--report", "o.md", "-o", "o.md", "--format", "png"], "o.md: its suffix and --format png differ"),
        (["--sigend", "abs"], "no such option: --sigend; did you mean '--signed'? (see convcli filter --help)"),
        (["--kernel"], "option '--kernel' requires an argument"),
    ],
)
def test_wrong_usage_is_one_line_with_status_2_and_touches_nothing(folder, arguments, message):
    before = sorted(folder.iterdir())
    assert refused("filter", "photo.png", "-k", "sobel_x", *arguments).startswith(message)
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("sobelx", "unknown kernel 'sobelx'; did you mean 'sobel_x'?"),
        ("gaussian:sigm=2", "gaussian: sigm is not one of its parameters"),
        ("gaussian:sigma=0", "gaussian: sigma must be greater than 0, not 0"),
        ("gaussian:sigma=-1", "gaussian: sigma must be greater than 0, not -1"),
        ("gaussian:sigma=wide", "gaussian: sigma"),
        ("gaussian:size=4", "gaussian: size must be odd"),
        ("", "the kernel is empty"),
        (";", ""),
        ("1 2; 3", "weights, row 2: "),
        ("1 nan", ""),
        ("nowhere.yaml", ""),
    ],
)
def test_a_bad_kernel_is_one_line_with_status_2(spec, message):
    assert refused("filter", "photo.png", "-k", spec).startswith(message)


def test_what_standard_input_is_read_from_is_an_input_too():
    data = Path("photo.png").read_bytes()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "convcli", "filter", "-", "-k", "box", "-f", "-o", "photo.png"]
    with Path("photo.png").open("rb") as stdin:
        result = subprocess.run(command, stdin=stdin, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 2
    assert result.stderr.startswith("convcli: error: photo.png: the output is the input '/dev/stdin'")
    assert Path("photo.png").read_bytes() == data


@pytest.mark.parametrize("link", [os.link, os.symlink])
def test_a_report_never_replaces_an_input(link):
    data = Path("photo.png").read_bytes()
    link("photo.png", "times.json")
    message = refused("filter", "photo.png", "-k", "sobel_x", "--report", "times.json")
    assert message == "--report times.json: that is one of the images: choose another name"
    assert Path("photo.png").read_bytes() == data


def test_what_only_the_image_shows_is_named_with_the_file():
    assert refused("filter", "sprite.png", "-k", "sobel_x", "-o", "o.jpg") == (
        "o.jpg: JPEG cannot hold transparency: say --alpha drop, or write .png, .tiff or .npy"
    )
    message = refused("filter", "photo.png", "-k", "box:size=25", "--extent", "valid", status=1)
    assert message.startswith("photo.png: a kernel that spans 25")
    values = ["--padding", "constant", "--padding-value", "1,2"]
    assert refused("filter", "photo.png", "-k", "sobel_x", *values, status=1) == (
        "photo.png: --padding-value gives 2 values for 3 channels: give one, or 3"
    )
    assert refused("filter", "signed.npy", "-k", "sobel_x", "-o", "o.png") == (
        "signed.npy: PNG cannot hold i16: choose --depth u8, u16 or f32, or write .npy"
    )


def test_a_dry_run_meets_the_same_errors():
    assert refused("filter", "cut_photo.png", "-k", "sobel_x", "--dry-run", status=1).startswith(
        "cut_photo.png: truncated"
    )
    assert refused("filter", "photo.png", "-k", "sobel_x", "-o", "there.png", "--dry-run").startswith(
        "there.png: exists"
    )
    assert refused("filter", "sprite.png", "-k", "sobel_x", "-o", "o.jpg", "--dry-run").startswith("o.jpg: JPEG cannot")


def test_a_link_to_the_input_is_the_input():
    Path("link.png").symlink_to("photo.png")
    assert refused("filter", "photo.png", "-k", "sobel_x", "-o", "link.png", "-f").startswith(
        "link.png: the output is the input"
    )


def test_two_inputs_with_one_output_are_found_before_any_work():
    Path("folder/photo.png").write_bytes(Path("photo.png").read_bytes())
    Path("out").mkdir()
    message = refused("filter", "photo.png", "folder/photo.png", "-k", "sobel_x", "-o", "out")
    assert message == "photo.png and folder/photo.png would both be written to out/photo_sobel_x.png: filter them apart"
    assert not list(Path("out").iterdir())


def test_several_inputs_need_a_folder():
    assert refused("filter", "photo.png", "photo.jpg", "-k", "sobel_x", "-o", "out.png").endswith(
        "to make one: mkdir out, then -o out"
    )


def test_parameters_apart_from_their_kernel_are_no_file():
    assert refused("filter", "photo.png", "-k", "gaussian", "sigma=2", "-o", "out.png") == (
        "sigma=2: no such file; a kernel's parameters follow its name, as in -k gaussian:sigma=2"
    )


@pytest.mark.parametrize("weights", ["((0,-1,0),(-1,5,-1),(0,-1,0))", "{{0,-1,0},{-1,5,-1},{0,-1,0}}"])
def test_weights_in_the_notation_of_others_are_told_ours(weights):
    assert refused("filter", "photo.png", "-k", weights).endswith(
        "weights are written row by row: '0 -1 0; -1 5 -1; 0 -1 0'"
    )


def test_a_kernel_and_an_image_cannot_both_be_standard_input():
    assert refused("filter", "-", "-k", "-:rotate=90", "-o", "out.png") == "standard input, -, can be read only once"


def test_an_image_from_standard_input_goes_to_a_file():
    assert refused("filter", "-", "-k", "sobel_x", "-o", "folder") == (
        "folder: an image from standard input needs a file as its output, not a folder"
    )


def test_an_existing_output_of_any_input_stops_all_before_any_work():
    Path("photo_sobel_x.tiff").touch()
    refused("filter", "photo.png", "photo.tiff", "-k", "sobel_x")
    assert not Path("photo_sobel_x.png").exists()


def test_an_image_too_large_for_memory_is_named():
    with mock.patch.object(Chain, "run", side_effect=MemoryError):
        assert refused("filter", "photo.png", "-k", "sobel_x", status=1).startswith(
            "photo.png: there is not enough memory for this image"
        )


def test_an_interrupted_run_leaves_with_130():
    with mock.patch.object(Chain, "run", side_effect=KeyboardInterrupt):
        assert run("filter", "photo.png", "-k", "sobel_x").status == 130
    assert not Path("photo_sobel_x.png").exists()


def process(*arguments, stdout):
    """Run convcli as a process of its own, with this standard output."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "convcli", *arguments]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False, env=environment)


def test_a_terminal_is_no_place_for_an_image():
    terminal, program = os.openpty()
    result = process("filter", "photo.png", "-k", "sobel_x", "-o", "-", stdout=program)
    os.close(program)
    os.close(terminal)
    assert result.returncode == 2
    assert result.stderr == (
        "convcli: error: standard output is a terminal: name a file with -o, or send it on with | or >\n"
    )


@pytest.mark.parametrize("output", [["-o", "-"], ["--json"]])
def test_a_full_disk_behind_standard_output_is_an_error(output):
    with Path("/dev/full").open("wb") as full:
        result = process("filter", "photo.png", "-k", "sobel_x", "-q", *output, stdout=full)
    assert result.returncode == 1
    assert result.stderr.startswith("convcli: error: ")
    assert "No space left on device" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_name_with_a_line_break_stays_on_one_line():
    assert refused("filter", "two\nlines.png", "-k", "sobel_x", status=1).startswith("two lines.png: no such file")


def test_options_of_other_formats_are_named_and_do_no_harm():
    assert "--quality does nothing to PNG" in done("filter", "photo.png", "-k", "sobel_x", "--quality", "9").messages
    outcome = done("filter", "photo.png", "-k", "sobel_x", "--compression", "small", "-o", "o.jpg")
    assert "--compression does nothing to JPEG" in outcome.messages


@pytest.mark.parametrize(
    ("closed", "arguments", "status"),
    [
        (">&-", ["photo.png", "-o", "o.png"], 0),
        (">&-", ["photo.png", "-o", "-"], 2),
        ("2>&-", ["missing.png", "-o", "-"], 1),
        ("<&-", ["-", "-o", "o.png"], 1),
    ],
)
def test_closed_standard_streams_are_no_traceback(closed, arguments, status):
    command = f'exec "{sys.executable}" -m convcli filter -k sobel_x {" ".join(arguments)} {closed}'
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == status
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == (closed != "2>&-")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_interrupted_leaves_with_130_and_nothing_behind(folder, number):
    os.mkfifo("pipe.png")
    before = sorted(folder.iterdir())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # Whoever runs the tests in the background has their children ignore the signal; this child is to take it.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        "from convcli.cli.app import main; main()"
    )
    command = [sys.executable, "-c", code, "filter", "pipe.png", "-k", "sobel_x"]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as running,
        Path("pipe.png").open("wb"),  # waits until the other end is being read
    ):
        running.send_signal(number)
        _, messages = running.communicate()
    assert running.returncode == 130
    assert messages == ""
    assert sorted(folder.iterdir()) == before


def test_links_that_lead_in_a_circle_are_refused():
    Path("loop.png").symlink_to("loop.png")
    assert refused("filter", "photo.png", "-k", "box", "-o", "loop.png").startswith("'loop.png': cannot be written: ")
    assert refused("filter", "loop.png", "-k", "box", status=1).startswith("'loop.png': cannot be read: ")


@pytest.mark.parametrize("suffix", [".md", ".csv", ".json"])
def test_a_report_takes_names_of_any_bytes(suffix):
    name = os.fsdecode(b"\xff\xfe.png")
    os.link("photo.png", name)
    done("filter", name, "-k", "box", "-q", "-o", "out.png", "--report", f"r{suffix}")
    shown = b"\\udcff\\udcfe.png" if suffix == ".json" else b"\xff\xfe.png"
    assert shown in Path(f"r{suffix}").read_bytes()


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["run", "dry run"])
@pytest.mark.parametrize(
    ("shape", "output", "message"),
    [
        ((4, 20_000), "a.webp", "a.webp: WebP holds at most 16383 pixels a side, not 20000 x 4: write .png or .tiff"),
        ((70_000, 2), "a.jpg", "a.jpg: JPEG holds at most 65500 pixels a side, not 2 x 70000: write .png or .tiff"),
    ],
    ids=["webp", "jpeg"],
)
def test_sizes_that_a_format_cannot_hold_are_refused_by_name(shape, output, message, dry):
    np.save("odd.npy", np.ones(shape, np.uint8))
    assert refused("filter", "odd.npy", "-k", "identity", "-o", output, *dry) == message
    assert not Path(output).exists()


def test_a_kernel_file_is_an_input_too(folder):
    text = "name: own\nweights: [[1, 2, 1]]\n"
    Path("own.yaml").write_text(text)
    message = refused("filter", "photo.png", "-k", "own.yaml:rotate=90", "-o", "own.yaml", "--format", "png", "-f")
    assert message.startswith("own.yaml: its suffix and --format png differ")
    os.link("own.yaml", "own.png")
    message = refused("filter", "photo.png", "-k", "own.yaml", "-o", "own.png", "-f")
    assert message == "own.png: the output is the input 'own.yaml': choose another name with -o"
    assert Path("own.yaml").read_text() == text


def test_what_a_terminal_would_obey_is_not_sent_to_it():
    outcome = run("filter", "\x1b[31mred\x07.png", "-k", "box")
    assert outcome.messages == "convcli: error: \\x1b[31mred\\x07.png: no such file; check the path\n"
