"""Pieces written to streams: whole, or with an error."""

import io
import os
import resource
import subprocess
import sys

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from repository import bare_environment

from convcli.system.output_file import stream_sink


class Grudging(io.RawIOBase):
    """A stream without a buffer that takes a few bytes at a time, as the system may."""

    def __init__(self, most):
        self.taken = b""
        self._most = most

    def writable(self):
        return True

    def write(self, piece):
        part = bytes(piece[: self._most])
        self.taken += part
        return len(part)


@pytest.mark.parametrize("piece", [b"", b"x", bytes(range(256)) * 41, memoryview(np.arange(1000.0))])
def test_what_a_stream_takes_in_parts_is_written_whole(piece):
    stream = Grudging(7)
    stream_sink(stream)(piece)
    assert stream.taken == bytes(piece)


def test_a_stream_that_takes_nothing_is_an_error():
    with pytest.raises(OSError, match=os.strerror(11)):
        stream_sink(Grudging(0))(b"x")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("room", [20_000, 10**6])
def test_standard_output_without_room_is_an_error_and_never_a_part(tmp_path, unbuffered, room):
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3), np.uint8)
    assert cv2.imwrite(str(tmp_path / "a.png"), pixels)
    command = [sys.executable, "-m", "convcli", "filter", "a.png", "-k", "identity", "-o", "-", "--format", "npy"]

    def limit():
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    with open(tmp_path / "out.npy", "wb") as file:
        result = subprocess.run(
            command,
            stdout=file,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**bare_environment(), "PYTHONUNBUFFERED": unbuffered},
            preexec_fn=limit,
        )
    if room < pixels.nbytes:
        assert result.returncode == 1
        assert result.stderr.startswith("convcli: error: standard output: ")
        assert result.stderr.count("\n") == 1
    else:
        assert result.returncode == 0, result.stderr
        assert_array_equal(np.load(tmp_path / "out.npy")[..., :3], pixels[..., ::-1])
