"""Small files of the kinds that users hold: the right samples, what must be kept, or one clear refusal.

`make_inputs.py` beside this writes them from a seed, with what is right for each, by tifffile, imagecodecs and Pillow.
"""

import json
import re
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from commandline import done, run
from numpy.testing import assert_allclose, assert_array_equal
from PIL import Image

FOLDER = Path(tempfile.mkdtemp(prefix="convcli-field-"))
subprocess.run(
    [sys.executable, Path(__file__).with_name("make_inputs.py"), FOLDER], check=True, stdout=subprocess.DEVNULL
)
EXPECTED = json.loads((FOLDER / "expected.json").read_text())
IMAGES = {name: facts for name, facts in EXPECTED.items() if "weights" not in facts and name != "flat9.txt"}
READ = sorted(name for name, facts in IMAGES.items() if "shape" in facts)
REFUSED = sorted(name for name, facts in IMAGES.items() if "refused" in facts)
KEPT = sorted(name for name, facts in IMAGES.items() if "keep" in facts)


@pytest.fixture(scope="session", autouse=True)
def _folder_is_removed():
    import shutil

    yield
    shutil.rmtree(FOLDER, ignore_errors=True)


def only_ours(outcome):
    """Every line on standard error is convcli's own."""
    assert all(line.startswith(("convcli: ", "wrote ")) for line in outcome.lines), outcome.messages


@pytest.mark.parametrize("name", READ)
def test_the_samples_are_those_that_the_field_finds(name, tmp_path, capfd):
    facts = IMAGES[name]
    options = ["--page", "1"] if facts.get("pages", 1) > 1 and page_option() else []
    outcome = run("filter", FOLDER / name, "-k", "identity", "-o", tmp_path / "out.npy", *options)
    only_ours(outcome)
    assert capfd.readouterr() == ("", "")  # no library speaks beside us
    if facts.get("or_refused") and outcome.status == 1:
        return
    assert outcome.status == 0, outcome.messages
    ours, right = np.load(tmp_path / "out.npy"), np.load(FOLDER / "right" / f"{name}.npy")
    ours = ours[:, :, None] if ours.ndim == 2 else ours
    if right.shape[2] == 3 and ours.shape[2] == 4:
        assert ours[..., 3].min() == 255  # an opaque alpha band beside the colours is right too
        ours = ours[..., :3]
    assert ours.shape == right.shape
    assert ours.dtype == (np.float32 if right.dtype == np.float16 else right.dtype)
    tolerance = facts.get("tolerance", 0)
    assert_allclose(ours.astype(np.float64), right.astype(np.float64), rtol=0, atol=tolerance)
    for word in facts.get("note", ())[:1]:
        if "keep" not in facts and "drop" not in facts:
            assert word in outcome.messages


def page_option():
    """Whether `--page` is there."""
    return "--page" in run("filter", "--help").output.decode()


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_whole_is_refused_in_one_line(name, tmp_path, capfd):
    outcome = run("filter", FOLDER / name, "-k", "identity", "-o", tmp_path / "out.npy")
    assert outcome.status == 1
    (line,) = outcome.lines
    assert line.startswith(f"convcli: error: {FOLDER / name}: ")
    assert any(word in line for word in IMAGES[name]["words"]), line
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())


def tag(page, number):
    found = page.tags.get(number)
    return None if found is None else found.value


def chunks(data):
    place, found = 8, {}
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        assert zlib.crc32(kind + body) == int.from_bytes(data[place + 8 + length : place + 12 + length], "big")
        found.setdefault(kind.decode(), body)
        place += 12 + length
    return found


def holds(path, key, value):
    """Whether a file holds a fact of `keep`."""
    if path.suffix == ".png":
        return chunks(path.read_bytes()).get(key, b"").hex() == value
    if path.suffix == ".bmp":  # whose profile no reader at hand looks for
        data = path.read_bytes()
        start, length = struct.unpack_from("<II", data, 14 + 112)
        return data[70:74] == b"DEBM" and length == value and data[14 + start :][36:40] == b"acsp"
    if path.suffix == ".jp2":
        with Image.open(path) as picture:
            if key == "dpi":
                return picture.info.get("dpi", (0, 0)) == pytest.approx((value, value), rel=1e-4)
            data = path.read_bytes()
            start = data.index(b"colr") - 4
            return data[start + 8] == 2 and int.from_bytes(data[start : start + 4], "big") == 11 + value
    with tifffile.TiffFile(path) as file:
        page = file.pages[0]
        numbers = {
            "ModelPixelScale": 33550, "ModelTiepoint": 33922, "ModelTransformation": 34264, "GeoKeyDirectory": 34735,
            "GDAL_METADATA": 42112, "GDAL_NODATA": 42113, "RPC": 50844,
        }  # fmt: skip
        if key in numbers:
            found = tag(page, numbers[key])
            if isinstance(value, str):
                return str(found).strip("\0 ") == value.strip()
            return found is not None and np.allclose(found, value)
        if key == "ExtraSamples":
            found = tag(page, 338)
            return list(np.atleast_1d([int(v) for v in np.atleast_1d(found)])) == value
        if key == "XResolution":
            high, low = tag(page, 282)
            return high / low == pytest.approx(value)
        words = [value] if isinstance(value, str) else value
        return all(re.search(word, page.description) for word in words)


@pytest.mark.parametrize("name", KEPT)
def test_an_identity_run_into_the_same_format_keeps_what_is_true(name, tmp_path):
    facts = IMAGES[name]
    out = tmp_path / f"out{Path(name).suffix}"
    options = ["--page", "1"] if facts.get("pages", 1) > 1 and page_option() else []
    outcome = done("filter", FOLDER / name, "-k", "identity", "-o", out, *options)
    only_ours(outcome)
    for key, value in facts["keep"].items():
        if not holds(out, key, value):
            assert any(word in outcome.messages for word in facts.get("note", ())), (key, outcome.messages)


def test_a_gain_map_takes_its_claim_with_it(tmp_path):
    outcome = done("filter", FOLDER / "gain_map.jpg", "-k", "identity", "-o", tmp_path / "out.jpg")
    assert any(word in outcome.messages for word in ("gain map", "second picture"))
    data = (tmp_path / "out.jpg").read_bytes()
    assert b"hdrgm:Version" not in data
    assert b'dc:format="kept"' in data


def test_nodata_stays_nodata(tmp_path):
    done("filter", FOLDER / "dem_i16.tif", "-k", "gaussian:sigma=1.5", "-o", tmp_path / "out.tif")
    before, after = (tifffile.imread(path) for path in (FOLDER / "dem_i16.tif", tmp_path / "out.tif"))
    assert_array_equal(after == -9999, before == -9999)
    assert after[before != -9999].min() >= before[before != -9999].min()
