"""docs/reports.md names every key of the machine-readable output, and none besides."""

import json
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from commandline import run
from repository import ROOT

PAGE = (ROOT / "docs" / "reports.md").read_text(encoding="utf-8")
HEADING = re.compile(r"^## `(.*)`$", re.MULTILINE)
ROW = re.compile(r"^\| `([^`]*)` \|", re.MULTILINE)

PIPELINE = "name: p\nsteps:\n  - gray\n  - filter: {kernel: box:size=3}\n  - filter: {kernel: sobel_x}\n"
QUICK = ("--runs", "1", "--baseline", "--no-memory", "--backends", "auto,direct,opencv,winograd")

# What brings about every key of a section; a run may fail for a part of its images.
COMMANDS = {
    "convcli filter --json": [["filter", "photo.png", "missing.png", "-k", "sobel_x", "-o", "out", "-f", "--json"]],
    "convcli run --json": [
        ["run", "p.yaml", "photo.png", "missing.png", "-o", "out", "-f", "--json"],
    ],
    "convcli batch --report FILE.json": [["batch", "photo.png", "bad.png", "-k", "box", "-o", "out", "-f"]],
    "convcli compare --json": [
        ["compare", "--synthetic", "40x40x1", "-k", "box", "--kernel-sizes", "3,5", *QUICK, "--json"]
    ],
    "convcli explain --json": [["explain", "p.yaml", "--input-size", "9x9x3", "--json"]],
    "convcli explain --against OTHER --json": [
        ["explain", "p.yaml", "--against", "p.yaml", "--input-size", "9x9x3", "--json"]
    ],
    "convcli explain IMAGE --kernel SPEC --at Y,X --json": [
        ["explain", "photo.png", "-k", "box", "--at", "3,4", "--json"]
    ],
    "convcli explain --kernel SPEC --matrix --json": [
        ["explain", "-k", "box", "--input-size", "4x4", "--matrix", "--json"]
    ],
    "convcli tune --show --json": [["tune", "--show", "--json"]],
    "convcli tune --reset --json": [["tune", "--reset", "--json"]],
    "convcli kernels list --json": [["kernels", "list", "--json"]],
    "convcli kernels show NAME --json": [["kernels", "show", name, "--json"] for name in ("sobel", "gaussian")],
    "convcli kernels fit --json": [["kernels", "fit", "photo.png", "blurred.png", "--size", "3x3", "--json"]],
    "convcli run --steps --json": [["run", "--steps", "--json"]],
    "convcli run --step NAME --json": [["run", "--step", "filter", "--json"]],
}
# Measures for most of a minute; tests/cli/commands/test_tune.py reads its keys from a measurement that is replaced.
ELSEWHERE = {"convcli tune --json"}
# Keys that only measurements which nobody can foresee bring about.
CHANCE = {"crossovers[]"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pixels = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    assert cv2.imwrite("photo.png", pixels)
    assert cv2.imwrite("blurred.png", cv2.blur(pixels, (3, 3)))
    Path("bad.png").write_bytes(b"")
    Path("p.yaml").write_text(PIPELINE)
    Path("out").mkdir()


def documented(section):
    body = HEADING.split(PAGE)
    return ROW.findall(body[body.index(section) + 1])


def keys(value, path=""):
    """The keys of a value as the page writes them; those of what is empty or null as far as they are known."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from keys(each, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and (not value or isinstance(value[0], dict | str)):
        yield f"{path}[]"
        for each in value:
            if isinstance(each, dict):
                yield from keys(each, f"{path}[]")
    else:
        yield path


def output(command):
    if command[0] == "batch":
        run(*command, "--report", "r.json")
        return [json.loads(Path("r.json").read_text())]
    text = run(*command).output.decode()
    try:
        return [json.loads(text)]
    except json.JSONDecodeError:
        return [json.loads(line) for line in text.splitlines()]


def test_every_section_is_held_against_a_command():
    assert set(HEADING.findall(PAGE)) == set(COMMANDS) | ELSEWHERE


@pytest.mark.parametrize("section", COMMANDS)
def test_the_page_names_the_keys_that_there_are(folder, section):
    rows = documented(section)
    assert len(rows) == len(set(rows))
    found = {key for command in COMMANDS[section] for value in output(command) for key in keys(value)}
    for key in found:
        # A parent that is null or empty has its keys on the page.
        assert any(key == row or covers(row, key) or row.startswith((f"{key}.", key)) for row in rows), key
    for row in rows:
        chance = any(row.startswith(prefix) for prefix in CHANCE)
        assert chance or row in found or any(covers(row, key) for key in found), row


def covers(row, key):
    """Whether a row such as `versions.*` speaks of a key."""
    return row.endswith(".*") and f"{key}.".startswith(row.removesuffix("*"))
