"""What is typed, listed and found in files may be anything: one line, soon, and nothing of it is obeyed."""

import os
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest
from commandline import done, refused, run
from hanging import must_end
from repository import ROOT

from convcli import write_image
from convcli.cli import app
from convcli.kernel.spec import load_kernel_file

EVIL = '"[/red] \\e[31m red"'


def save(path, samples):
    write_image(path, samples)
    return path


@pytest.fixture
def photo(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return save(tmp_path / "p.png", np.array([[1, 200], [30, 90]], np.uint8))


@pytest.mark.parametrize("padding", ["reflect101", "reflect", "replicate", "constant", "wrap"])
@pytest.mark.parametrize("size", ["1x32767", "32767x1"])
def test_a_kernel_far_larger_than_the_image_is_folded_by_index(photo, padding, size):
    # OpenCV took minutes over these, and heard no signal meanwhile.
    with must_end(60):
        done("filter", photo, "-k", f"box:size={size}", "--padding", padding, "-o", "o.npy", "--depth", "f32")


def test_a_mean_over_many_periods_is_the_mean_of_one(photo):
    # Mirrored without repeating, two pixels take turns: the mean of 300,001 is nearly that of the two.
    save(photo, np.array([[10, 30], [10, 30]], np.uint8))
    done("filter", photo, "-k", "box:size=1x32767", "-o", "o.npy", "--depth", "f32")
    np.testing.assert_allclose(np.load("o.npy").reshape(2, 2), 20.0, rtol=1e-4, atol=0)


def test_an_endless_list_is_refused(photo):
    with must_end(60):
        message = refused("batch", "--files-from", "/dev/zero", "-k", "sobel_x", "-o", "out")
    assert message == "--files-from /dev/zero: the list is longer than 256 MiB: split it"


def test_a_name_of_thousands_of_folders_is_refused(photo):
    template = "a/" * 3000 + "{stem}.png"
    message = refused("batch", photo, "-k", "sobel_x", "-o", "out", "--name", template)
    assert message == "--name has 3000 folders inside one another: it may have 199"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_is_no_kernel_nor_weights(photo):
    os.mkfifo("k.yaml")
    os.mkfifo("w.npy")
    with open("net.yaml", "w") as file:
        file.write("steps:\n  - conv: {out: 1, kernel: 3, weights: w.npy}\n")
    with must_end(60):
        assert refused("filter", photo, "-k", "k.yaml").startswith("k.yaml: is a pipe, which may never end")
        assert "w.npy: is a pipe: save the weights as a file" in run("run", "net.yaml", photo, "-o", "o.npy").messages


@pytest.mark.parametrize("command", [("show", "evil.yaml"), ("check", "evil.yaml"), ("list",)])
def test_a_summary_is_printed_as_text_and_no_terminal_obeys_it(photo, monkeypatch, command):
    os.mkdir("mine")
    for place in ("evil.yaml", "mine/evil.yaml"):
        with open(place, "w") as file:
            file.write(f"name: evil\nsummary: {EVIL}\nweights: [[1]]\n")
    monkeypatch.setenv("CONVCLI_KERNELS", str(photo.parent / "mine"))
    output = done("kernels", *command).output
    assert b"\x1b" not in output
    assert b"[/red] \\x1b[31m red" in output or command[0] == "check"


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
@pytest.mark.parametrize("name", [b"k\xff.yaml", b"k\x1b[2J.yaml", b"k: x.yaml", b"- k.yaml", b"#k.yaml", b"null.yaml"])
def test_kernels_are_written_so_that_they_load_whatever_the_files_are_called(photo, name):
    path = os.fsdecode(name)
    with open(path, "w") as file:
        file.write("name: mean\nweights: [[0.5, 0.5]]\n")
    done("kernels", "check", f"./{path}")
    for words in (("export", f"./{path}"), ("compose", f"./{path}", "sobel_x")):
        done("kernels", *words, "-o", f"./out {path}", "-f")
        assert load_kernel_file(f"out {path}").weights.sum() == pytest.approx(1.0 if words[0] == "export" else 0.0)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportError("libx.so: failed to map segment", name="cv2.x"), "a library cv2 cannot be loaded: libx.so: "),
        (RecursionError("maximum recursion depth exceeded"), "something is nested too deeply: "),
    ],
)
def test_what_small_memory_and_deep_nesting_raise_is_one_line(monkeypatch, error, message):
    def fail(**_):
        raise error

    monkeypatch.setattr(app, "app", fail)
    assert refused("filter", status=1).startswith(message)


def test_an_allocation_that_opencv_fails_is_one_line(monkeypatch):
    def fail(**_):
        raise cv2.error("OpenCV(5) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate 9 bytes, bad_alloc")

    monkeypatch.setattr(app, "app", fail)
    assert refused("filter", status=1) == "there is not enough memory: filter smaller images, or fewer at a time"


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are Linux's")
@pytest.mark.parametrize("kilobytes", [200_000, 300_000])
def test_too_little_memory_for_the_libraries_is_one_line(photo, kilobytes):
    command = f'ulimit -v {kilobytes}; exec "$0" -m convcli filter p.png -k sobel_x -f -o o.png'
    result = subprocess.run(
        ["bash", "-c", command, sys.executable],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in result.stderr
    assert result.returncode == 0 or "convcli: error: " in result.stderr


def test_forty_doublings_of_channels_are_explained_without_weights_of_terabytes(photo):
    joins = [(f"s{number - 1}" if number else "input", f"s{number}") for number in range(40)]
    steps = (f"  - concat:\n    from: [{source}, {source}]\n    name: {name}\n" for source, name in joins)
    with open("net.yaml", "w") as file:
        file.write("steps:\n" + "".join(steps))
    assert f"{2**40}".encode() in done("explain", "net.yaml", "--input-size", "8x8x1", "--json").output


# Each spends far more than the time that is left to it in one call of a library, which hears no signal.
DEAF = """
import os, sys, time
from convcli.cli import app
from convcli.system.output_file import whole_file

def run():
    with app.interrupted_by_termination(), whole_file("o.bin") as sink:
        sink(b"half")
        print("ready", flush=True)
        import cv2, numpy as np
        big = np.zeros((8000, 8000, 3), np.float32)
        kernel = np.ones(2001, np.float32)
        for _ in range(100):
            cv2.sepFilter2D(big, -1, kernel, kernel)

app.run = run
app.main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_run_that_is_within_a_library_and_leaves_nothing(tmp_path, number):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", DEAF]
    with subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=-1, stderr=-1, text=True) as process:
        process.stdout.readline()
        try:
            process.wait(1.5)  # by which it is within OpenCV
        except subprocess.TimeoutExpired:
            process.send_signal(number)
        with must_end(60):
            _, messages = process.communicate()
    assert (process.returncode, messages) == (130, "convcli: error: interrupted\n")
    assert list(tmp_path.iterdir()) == []
