"""What a process does before it loads anything large."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import done

from convcli.image import read_ahead

COMMANDS = pytest.mark.parametrize(
    "command", [["filter", "a.png", "-k", "box"], ["run", "net.yaml", "a.png"]], ids=["filter", "run"]
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("net.yaml").write_text("steps:\n  - filter: box\n")
    noise = np.random.default_rng(0).integers(0, 256, (1200, 800, 3), np.uint8)
    assert cv2.imwrite("a.png", noise)  # small ones are not worth a thread
    monkeypatch.setattr(read_ahead, "available_threads", lambda: 2)


@COMMANDS
def test_a_large_png_is_begun_before_libraries_are_loaded(command, monkeypatch):
    taken = []
    take = read_ahead.take
    monkeypatch.setattr(read_ahead, "take", lambda path: taken.append(take(path)) or taken[-1])
    done(*command, "-o", "o.png", "-q")
    assert len(taken) == 1
    assert taken[0] is not None


@COMMANDS
def test_one_thread_is_not_joined_by_another(command, monkeypatch):
    begun = []
    monkeypatch.setattr(read_ahead, "begin", begun.append)
    done(*command, "-o", "o.png", "-q", "--threads", "1")
    assert begun == []
    done(*command, "-o", "o.png", "-q", "-f")
    assert begun == ["a.png"]


@COMMANDS
def test_freed_memory_is_kept(command, monkeypatch):
    kept = []
    monkeypatch.setattr(read_ahead, "keep_freed_memory", lambda: kept.append(True))
    done(*command, "-o", "o.png", "-q")
    assert kept == [True]
