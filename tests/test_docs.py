"""The pages under docs/ say what the code and the libraries do, and what the pages show works."""

import re
import subprocess
import sys
from math import ceil, floor

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose
from oracle import bound
from repository import ROOT
from scipy import ndimage

from convcli import convolve
from convcli.convolution.options import PADDING_ALIASES, PADDING_MODES, ConvolveOptions
from convcli.kernel.files.notations import NOTATIONS
from convcli.kernel.formulas import FAMILIES

CONVENTIONS = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
NUMERICS = (ROOT / "docs" / "numerics.md").read_text(encoding="utf-8")
KERNELS = (ROOT / "docs" / "kernels.md").read_text(encoding="utf-8")
SAMPLES = np.array([[1.0, 2.0, 3.0, 4.0]])  # a b c d
VALUE = 9.0  # v


def table(page, heading):
    """The rows of the table whose first column is called so, each a tuple of its cells without backticks."""
    lines = page.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"| {heading} |"))
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        cells = re.split(r"(?<!\\)\|", line)[1:-1]
        rows.append(tuple(cell.strip().replace("`", "").replace("\\|", "|") for cell in cells))
    assert rows
    return rows


PADDINGS = [(row[0].removesuffix(" (default)"), *row[1:]) for row in table(CONVENTIONS, "name")]


def drawn(drawing):
    """The three samples before and the three after the image, as the letters of a drawing stand for them."""
    before, inside, after = (part.split() for part in drawing.split("|"))
    assert inside == ["a", "b", "c", "d"]
    numbers = dict(zip("abcd", SAMPLES[0], strict=True), v=VALUE)
    return [numbers[letter] for letter in before], [numbers[letter] for letter in after]


def test_every_padding_mode_has_a_row_and_the_default_is_the_first():
    assert [row[0] for row in PADDINGS] == list(PADDING_MODES)
    assert "| `reflect101` (default) |" in CONVENTIONS
    assert ConvolveOptions().padding == "reflect101"


@pytest.mark.parametrize("row", PADDINGS, ids=lambda row: row[0])
def test_other_names_of_a_padding_mode_are_those_that_are_accepted(row):
    name, _, others, *_ = row
    assert set(others.split(", ")) == {word for word, meant in PADDING_ALIASES.items() if meant == name}
    for word in others.split(", "):
        assert ConvolveOptions(padding=word).padding == name


@pytest.mark.parametrize("row", [row for row in PADDINGS if row[3] != "-"], ids=lambda row: row[0])
def test_a_padding_mode_is_as_drawn_here_and_in_the_libraries_named(row):
    name, drawing, _, opencv, scipy, numpy = row
    before, after = drawn(drawing)

    # A kernel of one weight, three elements from the anchor, moves the image by three samples.
    value = {"padding_value": VALUE} if name == "constant" else {}
    shifts = {(0, 3): before, (6, 3): after}
    for (place, anchor), expected in shifts.items():
        kernel = np.zeros((1, 7))
        kernel[0, place] = 1
        moved = convolve(SAMPLES, kernel, padding=name, anchor=(0, anchor), **value)[0]
        there = ndimage.correlate(SAMPLES, kernel, mode=scipy, cval=VALUE)[0]
        found = (moved[:3], there[:3]) if place == 0 else (moved[1:], there[1:])
        for samples in found:
            assert_allclose(samples, expected, rtol=0, atol=1e-12)

    fill = {"constant_values": VALUE} if numpy == "constant" else {}
    padded = np.pad(SAMPLES, ((0, 0), (3, 3)), mode=numpy, **fill)[0]
    theirs = cv2.copyMakeBorder(SAMPLES, 0, 0, 3, 3, getattr(cv2, opencv), value=VALUE)[0]
    for samples in (padded, theirs):
        assert_allclose(samples, [*before, *SAMPLES[0], *after], rtol=0, atol=0)


@pytest.mark.parametrize("row", table(CONVENTIONS, "extent"), ids=lambda row: row[0])
def test_the_sizes_are_those_of_the_formulas(row):
    extent, formula, _ = row
    for n, k, d, s in [(10, 3, 1, 1), (10, 3, 2, 3), (11, 4, 1, 2), (9, 2, 4, 2), (7, 7, 1, 3), (5, 5, 1, 5)]:
        numbers = {"n": n, "s": s, "K": d * (k - 1) + 1, "ceil": ceil, "floor": floor}
        expected = eval(formula, {"__builtins__": {}}, numbers)
        response = convolve(np.zeros((1, n)), np.ones((1, k)), extent=extent, stride=(1, s), dilation=(1, d))
        assert response.shape == (1, expected), (extent, n, k, d, s)


def test_the_anchor_is_where_the_page_has_it():
    assert "`(h // 2, w // 2)`" in CONVENTIONS
    kernel = np.arange(1.0, 9.0).reshape(2, 4)
    impulse = np.zeros((5, 9))
    impulse[2, 4] = 1
    assert convolve(impulse, kernel)[2, 4] == kernel[1, 2]
    assert_allclose(convolve(impulse, kernel), ndimage.correlate(impulse, kernel), rtol=0, atol=1e-12)
    assert_allclose(convolve(impulse, kernel, flip=True), ndimage.convolve(impulse, kernel), rtol=0, atol=1e-12)


def test_the_bounds_are_those_that_the_suite_holds_every_backend_to():
    weights, largest = np.array([[1.0, -2.0]]), 5.0
    bounds = dict(table(NUMERICS, "precision"))
    assert set(bounds) == {"single", "double"}
    for precision, formula in bounds.items():
        stated = eval(formula, {"__builtins__": {}}, {"W": 3.0, "M": largest})
        assert_allclose(stated, bound(weights, largest, precision == "double"), rtol=1e-12)


def test_white_is_what_the_page_says():
    from convcli.image.tone import full_range

    dtypes = {"u8": np.uint8, "u16": np.uint16, "i16": np.int16, "f32": np.float32, "f64": np.float64}
    stated = {name: float(white) for names, white in table(NUMERICS, "type") for name in names.split(", ")}
    assert stated == {name: full_range(np.dtype(dtype)) for name, dtype in dtypes.items()}


def test_every_formula_is_there_with_its_parameters():
    shown = {name: row[1] for row in table(KERNELS, "formula") for name in row[0].split(", ")}
    assert shown == {name: ", ".join(p.name for p in family.parameters) for name, family in FAMILIES.items()}


def test_every_notation_is_there_with_what_is_read_and_written():
    shown = {name: row for row in table(KERNELS, "notation") for name in row[0].split(", ")}
    assert {name: row[2] == "yes" for name, row in shown.items()} == {n: each.writes for n, each in NOTATIONS.items()}
    for name, each in NOTATIONS.items():
        assert each.reads == (shown[name][1] != "no")
        assert not each.reads or each.suffixes[0] in shown[name][1]


def test_contributing_names_files_that_are_there():
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:convcli|tests|tools|docs|kernels|schemas|examples|benchmarks)/[\w./-]*)`", page))
    named.discard("kernels/NAME.yaml")  # to be written
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_links_lead_somewhere_and_docstrings_are_in_plain_words():
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "prose.py")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_reference_is_made_from_the_docstrings(monkeypatch):
    import convcli

    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import reference

    page = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert page == reference.reference(convcli), "write it anew: python tools/reference.py"
    assert set(re.findall(r"^## (\w+)$", page, re.M)) == {name for name in convcli.__all__ if name[0] != "_"}
