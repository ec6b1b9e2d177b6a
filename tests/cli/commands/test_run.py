"""`convcli run`, as it is called from a shell."""

import json

import cv2
import numpy as np
import pytest
import tifffile
from commandline import done, refused, run
from numpy.testing import assert_array_equal
from scipy import ndimage

from convcli.pipeline.document.step_help import step_record
from convcli.pipeline.steps.registry import STEPS

PHOTO = np.random.default_rng(2).integers(96, 128, (40, 50, 3), np.uint8)
EDGES = """
name: edges
steps:
  - gray
  - filter: sobel_x
    name: across
  - filter: sobel_y
    from: gray_1
    name: down
  - magnitude:
    from: [across, down]
"""
MAPS = "steps: [{conv: {out: 5, kernel: 3, padding: 1, weights: {init: he}}}, relu]"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("photo.png", PHOTO)
    (tmp_path / "edges.yaml").write_text(EDGES)
    (tmp_path / "maps.yaml").write_text(MAPS)
    return tmp_path


def write(name, rgb):
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}[rgb.shape[2]]
    assert cv2.imwrite(name, cv2.cvtColor(rgb, code))


def read(name):
    pixels = cv2.imread(str(name), cv2.IMREAD_UNCHANGED)
    if pixels.ndim == 2:
        return pixels
    return cv2.cvtColor(pixels, {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}[pixels.shape[2]])


def edges_of(rgb):
    gray = rgb @ np.array([0.299, 0.587, 0.114])
    x, y = (ndimage.sobel(gray, axis=axis, mode="mirror") for axis in (1, 0))
    return np.hypot(x, y)


def document(text, name="net.yaml"):
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def test_an_image_goes_through_a_pipeline(folder):
    outcome = done("run", "edges.yaml", "photo.png", "-o", "out.png")
    expected = np.clip(np.rint(edges_of(PHOTO)), 0, 255)
    assert np.abs(read("out.png") - expected).max() <= 1
    (line,) = outcome.lines
    assert line.startswith("wrote out.png: 50 x 40 gray u8, 4 steps of edges, mapping clip, ")


def test_outputs_are_named_after_the_pipeline(folder):
    write("b.png", PHOTO)
    done("run", "edges.yaml", "photo.png", "b.png", "-q")
    assert (folder / "photo_edges.png").is_file()
    assert (folder / "b_edges.png").is_file()
    (folder / "out").mkdir()
    done("run", "edges.yaml", "photo.png", "b.png", "-o", "out", "-q")
    assert {path.name for path in (folder / "out").iterdir()} == {"photo_edges.png", "b_edges.png"}


def test_images_go_through_standard_streams(folder):
    data = (folder / "photo.png").read_bytes()
    outcome = done("run", "edges.yaml", "-", "-q", stdin=data)
    (folder / "piped.png").write_bytes(outcome.output)
    done("run", "edges.yaml", "photo.png", "-o", "out.png", "-q")
    assert_array_equal(read("piped.png"), read("out.png"))
    tiff = done("run", "maps.yaml", "-", "--format", "tiff", "-q", stdin=data).output
    (folder / "piped.tiff").write_bytes(tiff)
    assert tifffile.imread("piped.tiff").shape == (5, 40, 50)


@pytest.mark.parametrize(
    ("signed", "expected"),
    [
        ("auto", np.abs),  # as the kernel's weights, which sum to zero
        ("clip", lambda x: x),
        ("abs", np.abs),
        ("offset", lambda x: x + 128),
        ("stretch", lambda x: (x - x.min()) / (x.max() - x.min()) * 255),
    ],
)
def test_a_response_becomes_a_picture_as_asked(folder, signed, expected):
    document("steps: [{filter: sobel_x}]")
    done("run", "net.yaml", "photo.png", "-o", "out.png", "--signed", signed, "-q")
    response = np.stack([ndimage.sobel(PHOTO[..., c].astype(float), axis=1, mode="mirror") for c in range(3)], axis=2)
    assert np.abs(read("out.png") - np.clip(np.rint(expected(response)), 0, 255)).max() <= 1


def test_the_document_says_how_a_response_becomes_a_picture_and_the_command_line_knows_better(folder):
    document("steps: [{filter: sobel_x}]\noutput: {mapping: offset}")
    assert json.loads(done("run", "net.yaml", "photo.png", "-o", "a.png", "--json", "-q").output)["mapping"] == "offset"
    asked = done("run", "net.yaml", "photo.png", "-o", "b.png", "--json", "-q", "--signed", "clip")
    assert json.loads(asked.output)["mapping"] == "clip"


@pytest.mark.parametrize(("range_", "white"), [("file", 255), ("byte", 255), ("unit", 1)])
def test_depths_are_converted_by_full_range_and_floats_are_the_result_itself(folder, range_, white):
    document(f"input: {{range: {range_}}}\nsteps: [{{clip: {{}}}}]")
    done("run", "net.yaml", "photo.png", "-o", "same.png", "-q")
    assert_array_equal(read("same.png"), PHOTO)
    done("run", "net.yaml", "photo.png", "-o", "deep.png", "--depth", "u16", "-q")
    assert_array_equal(read("deep.png"), PHOTO.astype(np.uint16) * 257)
    done("run", "net.yaml", "photo.png", "-o", "raw.npy", "--depth", "f32", "-q")
    np.testing.assert_allclose(np.load("raw.npy"), PHOTO.astype(np.float32) * white / 255, rtol=1e-6)


def test_opacity_is_laid_over_a_result_as_large_as_the_image(folder):
    alpha = np.random.default_rng(3).integers(0, 256, (40, 50, 1), np.uint8)
    write("clear.png", np.dstack([PHOTO, alpha]))
    document("steps: [{filter: identity}]")
    done("run", "net.yaml", "clear.png", "-o", "kept.png", "-q")
    assert_array_equal(read("kept.png"), np.dstack([PHOTO, alpha]))
    done("run", "net.yaml", "clear.png", "-o", "dropped.png", "--alpha", "drop", "-q")
    assert_array_equal(read("dropped.png"), PHOTO)
    assert "PNG" not in refused("run", "net.yaml", "clear.png", "-o", "no.jpg")
    document("steps: [{max_pool: 2}]")
    outcome = done("run", "net.yaml", "clear.png", "-o", "small.png")
    assert "its opacity is dropped: the result is of another size" in outcome.messages
    assert read("small.png").shape == (20, 25, 3)


def test_a_pipeline_that_reads_opacity_has_used_it(folder):
    holed = np.dstack([PHOTO, np.full((40, 50), 255, np.uint8)])
    holed[10:13, 10:20] = 0
    write("holed.png", holed)
    np.save("box.npy", np.full((3, 1, 3, 3), 1 / 9))
    document(
        """
steps:
  - mask:
    from: [input, alpha]
    name: known
  - partial_conv: {kernel: 3, padding: 1, groups: channels, bias: false, weights: box.npy}
  - fill:
    from: [known, partial_conv_1]
    name: once
  - partial_conv: {kernel: 3, padding: 1, groups: channels, bias: false, weights: box.npy}
  - fill:
    from: [once, partial_conv_2]
"""
    )
    done("run", "net.yaml", "holed.png", "-o", "out.png", "-q")
    repaired = read("out.png")
    assert repaired.shape == (40, 50, 3)
    assert_array_equal(repaired[:10], PHOTO[:10])
    assert (repaired[10:13, 10:20].std(axis=(0, 1)) > 0).all()
    assert np.abs(repaired[10:13, 10:20].mean() - 127) < 30


def test_many_channels_become_a_sheet_pages_or_an_array(folder):
    done("run", "maps.yaml", "photo.png", "-o", "maps.npy", "-q")
    maps = np.load("maps.npy")
    assert maps.dtype == np.float32
    assert maps.shape == (40, 50, 5)
    done("run", "maps.yaml", "photo.png", "-o", "maps.tif", "-q")
    assert_array_equal(tifffile.imread("maps.tif"), np.moveaxis(maps, 2, 0))
    done("run", "maps.yaml", "photo.png", "-o", "bytes.tif", "--depth", "u8", "--signed", "stretch", "-q")
    assert tifffile.imread("bytes.tif").dtype == np.uint8
    outcome = done("run", "maps.yaml", "photo.png", "-o", "maps.npy", "-f")
    assert outcome.lines[0].startswith("wrote maps.npy: 50 x 40 x 5 f32, 2 steps of maps, ")
    outcome = done("run", "maps.yaml", "photo.png", "-o", "sheet.png", "--contact-sheet")
    apart = read("sheet.png")
    height, width = apart.shape
    assert outcome.lines[0].startswith(f"wrote sheet.png: {width} x {height} gray u8, 2 steps of maps, ")
    done("run", "maps.yaml", "photo.png", "-o", "sheet.png", "--contact-sheet", "--common-scale", "-f", "-q")
    assert not np.array_equal(apart, read("sheet.png"))
    assert refused("run", "maps.yaml", "photo.png", "-o", "no.png") == (
        "no.png: the result has 5 channels (40x50x5), which are no picture: say --contact-sheet, or write .npy or .tiff"
    )


def test_every_step_is_kept(folder):
    done("run", "edges.yaml", "photo.png", "-o", "out.npy", "--depth", "f32", "--save-steps", "kept/here", "-q")
    names = sorted(path.name for path in (folder / "kept" / "here").iterdir())
    steps = ["1_gray_1", "2_across", "3_down", "4_magnitude_1"]
    assert names == [f"photo_{step}.{suffix}" for step in steps for suffix in ("npy", "png")]
    assert_array_equal(np.load("kept/here/photo_4_magnitude_1.npy"), np.load("out.npy"))
    assert np.load("kept/here/photo_2_across.npy").min() < 0
    assert refused("run", "edges.yaml", "photo.png", "-o", "b.png", "--save-steps", "kept/here") == (
        "kept/here/photo_1_gray_1.npy: exists already: say -f to replace it, or choose another folder with --save-steps"
    )
    assert not (folder / "b.png").exists()
    done("run", "edges.yaml", "photo.png", "-o", "b.png", "--save-steps", "kept/here", "-f", "-q")


def test_saved_steps_include_those_that_the_result_does_not_need(folder):
    document("steps: [relu, {abs: , from: input}]")
    outcome = done("run", "net.yaml", "photo.png", "-o", "a.png")
    assert "note: net.yaml: steps[0].relu: nothing reads its result (relu_1)" in outcome.messages
    outcome = done("run", "net.yaml", "photo.png", "-o", "b.png", "--save-steps", "kept")
    assert "nothing reads" not in outcome.messages
    assert (folder / "kept" / "photo_1_relu_1.npy").is_file()


def test_a_dry_run_says_what_would_be_done_and_touches_nothing(folder):
    before = sorted(path.name for path in folder.iterdir())
    outcome = done("run", "edges.yaml", "photo.png", "-o", "out.png", "--dry-run", "--save-steps", "kept")
    assert outcome.lines == ["would write out.png: 50 x 40 gray u8, 4 steps of edges, mapping clip"]
    assert sorted(path.name for path in folder.iterdir()) == before
    message = refused("run", "maps.yaml", "photo.png", "-o", "out.png", "--dry-run")
    assert "5 channels" in message


def test_a_document_is_checked_without_an_image(folder):
    outcome = done("run", "maps.yaml", "--input-size", "224x200x3")
    assert outcome.lines == ["maps.yaml: 224x200x3 becomes 224x200x5 in 2 steps"]
    document("steps: [{conv: {out: 1, kernel: 5}}]\nweights: {init: he}\ninput: {channels: 1}")
    assert done("run", "net.yaml", "--input-size", "8x8").lines == ["net.yaml: 8x8x1 becomes 4x4x1 in 1 step"]
    message = refused("run", "net.yaml", "--input-size", "4x8x1")
    assert message == "net.yaml: steps[0].conv: a kernel that spans 5 does not fit into 4"
    assert "input.channels: wants 1" in refused("run", "net.yaml", "--input-size", "8x8x3")
    assert "say the channels too" in refused("run", "edges.yaml", "--input-size", "8x8")
    assert "there is no image" in refused("run", "net.yaml")
    assert "there is no pipeline: name one, such as canny" in refused("run")


def test_a_document_that_says_its_size_is_checked_before_any_image_is_read(folder):
    document("input: {size: [9, 9], channels: 3}\nsteps: [gray, {conv: {weights: [[[[1]], [[1]]]]}}]")
    message = refused("run", "net.yaml", "missing.png", "-o", "a.png")
    assert message == "net.yaml: steps[1].conv: weights of 1x2x1x1 read 2 channels, and the input has 1"


def test_json_reports_and_timing_tell_of_every_step(folder):
    outcome = done(
        "run", "edges.yaml", "photo.png", "-o", "a.png", "--json", "--report", "r.json", "--timing", "-v", "-f"
    )
    record = json.loads(outcome.output)
    assert record["status"] == "done"
    assert record["input_size"] == [40, 50, 3]
    assert record["output_size"] == [40, 50, 1]
    assert [step["kernel"] for step in record["steps"]] == ["gray_1", "across", "down", "magnitude_1"]
    assert [step["step"] for step in record["steps"]] == ["gray", "filter", "filter", "magnitude"]
    assert all(step["seconds"] >= 0 for step in record["steps"])
    assert record["steps"][1]["backend"] == "opencv"
    assert record["steps"][1]["output_size"] == [40, 50, 1]
    (reported,) = json.loads((folder / "r.json").read_text())["results"]
    assert reported["steps"] == record["steps"]
    assert any(line.split()[:6] == ["step", "what", "output", "ms", "%", "by"] for line in outcome.lines)
    for suffix in ("csv", "md"):
        done("run", "edges.yaml", "photo.png", "-o", "a.png", "--report", f"r.{suffix}", "-f", "-q")
        assert "magnitude_1" in (folder / f"r.{suffix}").read_text()


def test_one_image_that_fails_does_not_stop_the_others(folder):
    document("input: {size: [40, 50]}\nsteps: [relu]")
    write("small.png", PHOTO[:10])
    outcome = run("run", "net.yaml", "small.png", "photo.png", "none.png", "-q")
    assert outcome.status == 1
    assert [line.partition(": error: ")[2] for line in outcome.lines] == [
        "small.png: net.yaml: input.size: wants 40x50 (rows x columns), and the image is of 10x50: "
        "crop or scale the image to that size first, or change input.size in the document",
        outcome.lines[1].partition(": error: ")[2],
    ]
    assert outcome.lines[1].startswith("convcli: error: none.png: ")
    assert (folder / "photo_net.png").is_file()


def test_outputs_that_exist_are_found_before_anything_is_done(folder):
    (folder / "photo_edges.png").write_bytes(b"mine")
    write("b.png", PHOTO)
    assert "photo_edges.png: exists already" in refused("run", "edges.yaml", "b.png", "photo.png")
    assert not (folder / "b_edges.png").exists()
    outcome = done("run", "edges.yaml", "b.png", "photo.png", "--existing", "skip")
    assert "skipped photo.png: photo_edges.png exists" in outcome.messages
    assert (folder / "photo_edges.png").read_bytes() == b"mine"
    assert "the output is the input" in refused("run", "edges.yaml", "photo.png", "-o", "photo.png", "-f")
    assert (
        "the output is the input"
        in refused("run", "edges.yaml", "photo.png", "-o", "edges.yaml", "--format", "png", "-f")
        or (folder / "edges.yaml").read_text() == EDGES
    )


def test_backends_agree(folder):
    results = []
    for backend in ("direct", "im2col", "fft"):
        done("run", "maps.yaml", "photo.png", "-o", f"{backend}.npy", "--backend", backend, "-q")
        results.append(np.load(f"{backend}.npy"))
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], atol=1e-4 * np.abs(results[0]).max())
    outcome = refused("run", "maps.yaml", "photo.png", "-o", "no.npy", "--backend", "fst")
    assert "unknown backend 'fst'" in outcome


def test_the_number_of_threads_changes_nothing(folder):
    for threads in (1, 2):
        done("run", "maps.yaml", "photo.png", "-o", f"{threads}.npy", "--threads", threads, "-q")
    assert_array_equal(np.load("1.npy"), np.load("2.npy"))


def test_steps_are_listed_and_described():
    listed = done("run", "--steps").output.decode().splitlines()
    assert len(listed) == len(STEPS)
    assert any(line.split(maxsplit=1) == ["abs", "Take absolute values."] for line in listed)
    for name, kind in STEPS.items():
        text = done("run", "--step", name).output.decode()
        for option in kind.__struct_fields__:
            assert f"\n  {option}: " in text
    described = done("run", "--step", "max_pool").output.decode()
    assert "  size: a whole number from 1 or two as [rows, columns]; needed, may stand alone." in described
    assert "  ceil: true or false; default false." in described
    assert "  stride: a whole number from 1 or two as [rows, columns]; default the size of the window." in described
    convolution = done("run", "--step", "conv").output.decode()
    assert "; default that of the weights where they are written out; else needed." in convolution
    assert "; default the document's own, weights: beside its steps; needed where it has none." in convolution
    assert refused("run", "--step", "max_pol") == "unknown step 'max_pol'; did you mean 'max_pool'?"


def test_what_an_option_without_a_default_value_does_is_said_of_every_step():
    for name, kind in STEPS.items():
        without = [option["name"] for option in step_record(name)["options"] if option["default"] is None]
        needed = [option["name"] for option in step_record(name)["options"] if option["needed"]]
        assert sorted(kind.implicit_defaults) == sorted(set(without) - set(needed))


@pytest.mark.parametrize("json_first", [True, False])
def test_steps_are_listed_and_described_as_json(json_first):
    def told(*arguments):
        output = done("run", *(["--json", *arguments] if json_first else [*arguments, "--json"])).output
        return [json.loads(line) for line in output.decode().splitlines()]

    listed = told("--steps")
    assert [each["step"] for each in listed] == sorted(STEPS)
    assert {"step": "abs", "summary": "Take absolute values."} in listed
    (pool,) = told("--step", "max_pool")
    assert (pool["step"], pool["inputs"]) == ("max_pool", "1")
    assert pool["options"][1] == {
        "name": "stride",
        "takes": "a whole number from 1 or two as [rows, columns]",
        "needed": False,
        "default": None,
        "unless_told": "the size of the window",
        "alone": False,
        "description": "Distance between neighbouring windows, in samples.",
    }


def test_the_schema_is_printed(folder):
    outcome = done("run", "--schema")
    assert json.loads(outcome.output)["title"] == "A pipeline of convcli"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.yaml", "photo.png"], "none.yaml: no such pipeline file"),
        (["photo.png", "photo.png"], "photo.png is an image, not a pipeline: convcli run PIPELINE photo.png"),
        (["edges.yaml", "photo.png", "--common-scale"], "--common-scale is the scale of a sheet"),
        (["maps.yaml", "photo.png", "--contact-sheet", "--depth", "f32"], "--contact-sheet draws 8-bit tiles"),
        (["maps.yaml", "photo.png", "--contact-sheet", "--signed", "abs"], "--contact-sheet stretches its tiles"),
        (["edges.yaml", "photo.png", "--signed", "abz"], "unknown signed mapping 'abz'"),
        (["edges.yaml", "photo.png", "--depth", "u9"], "unknown depth 'u9'"),
        (["edges.yaml", "photo.png", "--alpha", "filter"], "unknown alpha treatment 'filter': expected keep, drop"),
        (["edges.yaml", "photo.png", "-o", "a.xyz"], "a.xyz: unknown suffix '.xyz'"),
        (["edges.yaml", "photo.png", "-o", "no/a.png"], "no"),
        (["edges.yaml", "photo.png", "--input-size", "3by4"], "--input-size takes rows x columns x channels"),
        (["edges.yaml", "photo.png", "--threads", "0"], "threads must be at least 1"),
        (["edges.yaml", "photo.png", "-o", "a.png", "--depth", "f32"], "a.png: PNG cannot hold f32"),
        (["edges.yaml", "-", "-"], "standard input, -, can be read only once"),
        (["edges.yaml", "photo.png", "--quality", "0"], "quality must lie within 1..100"),
    ],
)
def test_wrong_usage_is_told_in_one_line(folder, arguments, message):
    assert message in refused("run", *arguments)


GIVE = "[...], a file, or {init: he, seed: 0}, here or for the whole document"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [conv: {out: 4, kernel: 3}]", f"steps[0].conv: has no weights: give weights: {GIVE}"),
        ("steps: [relu, batch_norm]", f"steps[1].batch_norm: has no mean: give mean: {GIVE}"),
        ("steps: [batch_norm: {mean: [0, 0, 0]}]", f"steps[0].batch_norm: has no variance: give variance: {GIVE}"),
        ("steps: [linear: 4]", f"steps[0].linear: has no weights: give weights: {GIVE}"),
        ("steps: [attention]", f"steps[0].attention: has no query: give query: {GIVE}"),
        (
            "steps: [gated_conv: {out: 4, kernel: 1, weights: 'w.npz:first.weight'}]",
            f"steps[0].gated_conv: has no gate_weights: give gate_weights: {GIVE}",
        ),
        (
            "steps: [{conv: {out: 4, kernel: 3}, name: second}]\nweights: w.npz",
            "weights of the document: w.npz:second.weight: ",
        ),
        (
            "steps: [{conv: {out: 4, kernel: 1}, name: first}]\nweights: w.npz",
            "weights of the document: w.npz:first.bias: ",
        ),
        (
            "steps: [conv: {out: 4, kernel: 1, weights: 'w.npz:first.weight'}]",
            "steps[0].conv: bias: w.npz:first.bias: ",
        ),
        (
            "steps: [conv: {out: 4, kernel: 1, weights: w.npy}]",
            "bias: does not follow from weights: w.npy: give a file",
        ),
        ("steps: [conv: {out: 4}]", "steps[0].conv: needs kernel, its size"),
        ("steps: [linear: {bias: false}]", "steps[0].linear: needs out, the number of outputs"),
        ("steps: [conv: {kernel: 3}]", "steps[0].conv: needs out, the number of output channels"),
    ],
)
def test_what_no_image_can_change_is_told_of_the_document_before_any_is_read(folder, text, message):
    np.save("w.npy", np.zeros((4, 3, 1, 1)))
    np.savez("w.npz", **{"first.weight": np.zeros((4, 3, 1, 1))})
    document(text)
    told = refused("run", "net.yaml", "photo.png", "none.png")
    assert told.startswith("net.yaml: ")
    assert message in told
    assert refused("run", "net.yaml", "--input-size", "9x9x3") == told
    (folder / "in").mkdir()
    for name in ("a.png", "b.png"):
        write(f"in/{name}", PHOTO)
    assert refused("batch", "in", "--pipeline", "net.yaml", "-o", "out") == told
    assert not (folder / "out").exists()


def test_weights_of_steps_that_are_not_run_may_be_missing(folder):
    np.savez("w.npz", **{f"first.{name}": np.ones(size) for name, size in {"weight": (1, 3, 1, 1), "bias": 1}.items()})
    document(
        "steps: [{conv: {out: 1, kernel: 1}, name: first}, {conv: {out: 4, kernel: 1}, from: input}]\n"
        "weights: w.npz\noutput: {from: first}"
    )
    done("run", "net.yaml", "photo.png", "-o", "a.npy", "-q")
    message = refused("run", "net.yaml", "photo.png", "-o", "b.npy", "--save-steps", "kept")
    assert message.startswith("net.yaml: steps[1].conv: weights of the document: w.npz:conv_2.weight: ")


def test_files_that_are_missing_or_of_the_wrong_size_or_kind_are_refused(folder):
    np.save("w.npy", np.zeros((4, 2, 3, 3)))
    document("steps: [{conv: {out: 4, kernel: 3, weights: w.npy, bias: false}}]")
    assert refused("run", "net.yaml", "photo.png", "-o", "a.npy", status=1) == (
        "photo.png: net.yaml: steps[0].conv: weights: w.npy: is of 4x2x3x3, and must be of 4x3x3x3"
    )
    np.save("w.npy", np.array([{}]), allow_pickle=True)
    pickled = "net.yaml: steps[0].conv: weights: w.npy: holds pickled Python objects, which can run any code and are"
    assert pickled in refused("run", "net.yaml", "--input-size", "40x50x3")
    assert pickled in refused("run", "net.yaml", "none.png", "-o", "a.npy")
    document("steps: [{conv: {out: 4, kernel: 3, weights: v.npz:w}}]")
    assert "weights: " in refused("run", "net.yaml", "none.png", "-o", "a.npy")
    document("steps: [{match_template: none.png}]")
    expected = "net.yaml: steps[0].match_template: none.png: no such file; check the path"
    assert refused("run", "net.yaml", "photo.png", "-o", "a.npy") == expected
    document("steps: [{mask: lost.png}]")
    assert "net.yaml: steps[0].mask: lost.png: no such file" in refused("run", "net.yaml", "photo.png", "-o", "a.npy")
    document("steps: [relu]\nweights: none.npz")
    expected = "net.yaml: weights: none.npz: is no .npz or .safetensors file with arrays in it"
    assert refused("run", "net.yaml", "photo.png", "-o", "a.npy") == expected
