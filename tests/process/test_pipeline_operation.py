"""A pipeline as an operation: what it says before it is run, and a single filter step as a chain of kernels."""

import pickle
import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from commandline import done
from numpy.testing import assert_allclose, assert_array_equal

from convcli.errors import FilterError, OutputError, UsageError
from convcli.image.formats.registry import written_formats
from convcli.image.model import Image
from convcli.pipeline.execution.program import Computing, Program
from convcli.process.output_files import OutputOptions
from convcli.process.pipeline_on_image import run_image
from convcli.process.pipeline_operation import load_pipeline
from convcli.process.pipeline_options import RunOptions

PIXELS = np.random.default_rng(5).integers(0, 256, (31, 33, 4), dtype=np.uint8)
DTYPES = {"u8": np.uint8, "u16": np.uint16, "i16": np.int16, "f32": np.float32, "f64": np.float64}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text, **options):
    Path("net.yaml").write_text(text)
    return load_pipeline("net.yaml", RunOptions(**options))


def lay(operation, image, output="b.npy"):
    return operation.on_image(image, "a.png", output, written_formats()[output.rpartition(".")[2]])


def image_of(depth, channels=3):
    dtype = np.dtype(DTYPES[depth])
    white = np.iinfo(dtype).max if dtype.kind != "f" else 1
    return Image((PIXELS[..., :channels] / 255 * white).astype(dtype), alpha=channels in (2, 4))


FILTER = "filter: {{kernel: '{}', padding: {}, padding_value: {}, extent: {}, stride: {}}}"


@pytest.mark.parametrize("range_", ["file", "byte", "unit"])
@pytest.mark.parametrize("depth", ["u8", "u16", "i16", "f32"])
@pytest.mark.parametrize(
    ("signed", "output_depth"),
    [("auto", "same"), ("clip", "u16"), ("offset", "u8"), ("stretch", "u16"), ("auto", "f32")],
)
def test_one_filter_step_gives_what_it_gives_among_other_steps(range_, depth, signed, output_depth):
    """A step that changes nothing before it makes the pipeline take the way through float maps."""
    value = {"file": 40.0, "byte": 100.0, "unit": 0.25}[range_]
    step = FILTER.format("0.1 0.2 0.1; 0.1 0.25 -0.6; 0 0.1 0.1", "constant", value, "same", 1)
    head = f"input: {{range: {range_}}}\nsteps:\n"
    asked = {"signed": signed, "output": OutputOptions(depth=output_depth)}
    image = image_of(depth)
    alone = lay(load(f"{head}  - {step}\n", **asked), image)
    among = lay(load(f"{head}  - filter: identity\n  - {step}\n", **asked), image)
    assert alone._chain is not None
    assert among._chain is None
    assert vars(alone.plan) == vars(among.plan)
    found, expected = alone.run(), among.run()
    assert found.dtype == expected.dtype
    span = np.ptp(expected.astype(np.float64))
    integers = found.dtype.kind != "f"
    assert_allclose(found.astype(float), expected.astype(float), rtol=0, atol=integers + 4e-6 * span)


@pytest.mark.parametrize("extent", ["same", "valid", "full"])
@pytest.mark.parametrize("stride", [1, 2])
def test_one_filter_step_keeps_opacity_as_among_other_steps(extent, stride):
    step = FILTER.format("sobel_x", "reflect", 0, extent, stride)
    alone = lay(load(f"steps:\n  - {step}\n"), image_of("u8", 4), "b.png")
    among = lay(load(f"steps:\n  - filter: identity\n  - {step}\n"), image_of("u8", 4), "b.png")
    assert vars(alone.plan) == vars(among.plan)
    assert alone.plan.alpha == (extent == "same" and stride == 1)
    assert_array_equal(alone.run(), among.run())


@pytest.mark.parametrize(
    ("text", "options", "depth"),
    [
        ("steps:\n  - filter: box\n", {"contact_sheet": True}, "u8"),
        ("steps:\n  - filter: box\n", {"save_steps": "kept"}, "u8"),
        ("steps:\n  - filter: box\n", {}, "f64"),
        ("steps:\n  - filter: box\n    from: alpha\n", {}, "u8"),
        ("steps:\n  - filter: box\n  - relu\n", {}, "u8"),
        ("steps:\n  - abs\n", {}, "u8"),
    ],
)
def test_what_is_more_than_a_chain_of_kernels_goes_through_maps(text, options, depth):
    assert lay(load(text, **options), image_of(depth))._chain is None


def test_one_filter_step_holds_no_float_image():
    image = Image(np.random.default_rng(0).integers(0, 256, (1000, 1000, 3), dtype=np.uint8))
    peaks = []
    for steps in ("  - filter: sobel_x\n", "  - filter: identity\n  - filter: sobel_x\n"):
        laid = lay(load(f"steps:\n{steps}", computing=Computing(threads=1)), image, "b.png")
        tracemalloc.start()
        laid.run()
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    alone, among = peaks
    assert alone < 4 * image.pixels.nbytes < among  # float32 takes four times as much


def test_each_step_tells_how_it_was_computed_and_what_it_took():
    operation = load("steps:\n  - filter: box\n")
    laid = lay(operation, image_of("u8"))
    assert [step.seconds for step in laid.steps()] == [None]
    laid.run()
    (step,) = laid.steps()
    assert (step.kernel, step.step, step.size) == ("filter_1", "filter", (31, 33, 3))
    assert step.backend
    assert step.seconds > 0


def test_the_image_is_let_go_once_it_is_read():
    laid = lay(load("steps:\n  - filter: box\n  - relu\n"), image_of("u8"))
    laid.run()
    with pytest.raises(IndexError):
        laid.run()


def test_maps_are_mapped_as_they_are():
    """The result of the document, mapped by plain NumPy."""
    operation = load("steps:\n  - filter: sobel_x\n  - filter: box\n", signed="offset")
    maps = run_image(image_of("u8"), operation.pipeline)
    expected = np.clip(np.rint(maps + 128), 0, 255).astype(np.uint8)
    assert_array_equal(lay(operation, image_of("u8"), "b.png").run(), expected)
    stretched = load("steps:\n  - filter: sobel_x\n  - filter: box\n", signed="stretch")
    wide = maps.astype(np.float64)
    expected = (wide - wide.min()) / np.ptp(wide) * 255
    assert_allclose(lay(stretched, image_of("u8"), "b.png").run(), expected, rtol=0, atol=0.5 + 1e-9)


@pytest.mark.parametrize(
    ("steps", "halo"),
    [
        (["filter: box:size=5"], (2, 2)),
        (["filter: box:size=5", "filter: sobel_x"], (3, 3)),
        (["max_pool: 2", "filter: box:size=3"], (3, 3)),
        (["relu"], (0, 0)),
        (["conv: {out: 2, kernel: [3, 5], dilation: 2, weights: {init: he}}", "relu"], (4, 8)),
        (["filter: {kernel: box, padding: wrap}"], None),
        (["global_average_pool"], None),
    ],
)
def test_the_halo_is_what_all_steps_reach(steps, halo):
    text = "steps:\n" + "".join(f"  - {step}\n" for step in steps)
    assert lay(load(text), image_of("u8")).halo == halo


def test_a_result_that_is_stretched_or_drawn_needs_the_whole_image():
    text = "steps:\n  - filter: box\n"
    assert lay(load(text, signed="stretch"), image_of("u8")).halo is None
    assert lay(load(text, contact_sheet=True), image_of("u8")).halo is None


@pytest.mark.parametrize(
    "steps",
    [
        ["max_pool: 2", "filter: box:size=3", "upsample: 2"],
        ["filter: {kernel: sobel_x, stride: 2}", "abs"],
        ["conv: {out: 3, kernel: 3, padding: 1, dilation: 2, weights: {init: he}}", "max_pool: {size: 3, stride: 1}"],
        ["filter: {kernel: 'box:size=5', extent: valid}"],
    ],
)
def test_nothing_beyond_the_halo_changes_a_result(steps):
    operation = load("steps:\n" + "".join(f"  - {step}\n" for step in steps), output=OutputOptions(depth="f32"))
    image = image_of("u8")
    laid = lay(operation, image)
    halo = laid.halo
    whole = laid.run()
    row, column = whole.shape[0] // 2, whole.shape[1] // 2
    scale = [round(size / result) for size, result in zip(image.size, whole.shape, strict=True)]
    place = row * scale[0], column * scale[1]
    changed = np.zeros_like(image.pixels)
    rows = slice(max(0, place[0] - halo.rows), place[0] + halo.rows + 1)
    columns = slice(max(0, place[1] - halo.columns), place[1] + halo.columns + 1)
    changed[rows, columns] = image.pixels[rows, columns]
    again = lay(operation, replace(image, pixels=changed)).run()
    assert_allclose(again[row, column], whole[row, column], rtol=1e-5)


def test_pipelines_go_to_other_processes_and_may_replace_what_is_there():
    operation = load("steps:\n  - filter: box\n").in_worker(3)
    again = pickle.loads(pickle.dumps(operation))
    assert again == operation
    assert (again.threads, again.output.existing, again.cache_key()) == (3, "overwrite", operation.cache_key())


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("steps:\n  - filter: sobel_y\n", {}),
        ("input: {range: unit}\nsteps:\n  - filter: box\n", {}),
        ("steps:\n  - filter: box\noutput: {mapping: abs}\n", {}),
        ("steps:\n  - filter: box\n", {"signed": "abs"}),
        ("steps:\n  - filter: box\n", {"alpha": "drop"}),
        ("steps:\n  - filter: box\n", {"contact_sheet": True}),
        ("steps:\n  - filter: box\n", {"computing": Computing("fft")}),
        ("steps:\n  - filter: box\n", {"output": OutputOptions(quality=7)}),
    ],
)
def test_the_cache_key_tells_apart_what_changes_outputs(text, options):
    plain = load("steps:\n  - filter: box\n")
    assert load(text, **options).cache_key() != plain.cache_key()
    assert load("steps:\n  - filter: box\n", computing=Computing(threads=3)).cache_key() == plain.cache_key()


def test_memory_grows_with_the_maps():
    few, many = load("steps:\n  - relu\n"), None
    small = few.memory(10**9)
    many = load("steps:\n  - conv: {out: 64, kernel: 3, weights: {init: he}}\n")
    assert 8 * 10**9 < small < many.memory(10**9)


def test_what_is_no_picture_is_refused_with_advice():
    operation = load("steps:\n  - conv: {out: 5, kernel: 3, weights: {init: he}}\n")
    with pytest.raises(OutputError) as caught:
        lay(operation, image_of("u8"), "b.png")
    assert caught.value.where == "b.png"
    assert caught.value.advice == "say --contact-sheet, or write .npy or .tiff"
    assert lay(operation, image_of("u8"), "b.tiff").plan.pages
    assert not lay(operation, image_of("u8"), "b.npy").plan.pages


def test_doubles_are_said_to_be_computed_in_single_precision():
    laid = lay(load("steps:\n  - relu\n"), image_of("f64"))
    assert laid.plan.depth == "f32"
    assert laid.plan.notes == ("double samples are computed and written in single precision",)


def test_an_image_that_a_document_does_not_want_is_the_images_fault():
    with pytest.raises(FilterError) as caught:
        lay(load("input: {size: [40, 50]}\nsteps:\n  - relu\n"), image_of("u8"))
    assert caught.value.exit_status == 1


def test_maps_that_do_not_fit_memory_are_refused_before_they_are_computed(monkeypatch):
    monkeypatch.setattr("convcli.pipeline.execution.program.available_bytes", lambda: 1000)
    monkeypatch.setattr(Program, "run", lambda *_: pytest.fail("computed"))
    with pytest.raises(FilterError, match="its maps take"):
        lay(load("steps:\n  - filter: box\n  - relu\n"), image_of("u8"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"signed": "abz"}, "unknown signed mapping 'abz'"),
        ({"alpha": "filter"}, "unknown alpha treatment 'filter': expected keep, drop"),
        ({"common_scale": True}, "--common-scale is the scale of a sheet"),
        ({"contact_sheet": True, "output": OutputOptions(depth="u16")}, "--contact-sheet draws 8-bit tiles"),
        ({"contact_sheet": True, "signed": "abs"}, "--contact-sheet stretches its tiles"),
    ],
)
def test_options_are_checked_when_they_are_made(options, message):
    with pytest.raises(UsageError, match=message):
        RunOptions(**options)


def test_saved_steps_are_written_on_the_threads_that_were_asked_for(monkeypatch):
    from convcli.process import saved_steps

    asked = []
    monkeypatch.setattr(saved_steps, "write_image", lambda path, image, **how: asked.append((path, how)))
    laid = lay(load("steps:\n  - relu\n", save_steps="kept", computing=Computing(threads=1)), image_of("u8"))
    laid.run()
    assert asked == [("kept/a_1_relu_1.npy", {}), ("kept/a_1_relu_1.png", {"threads": 1})]


@pytest.mark.parametrize(
    ("existing", "advice"),
    [
        ("error", "say -f to replace it, or choose another folder with --save-steps"),
        ("overwrite", None),
        ("skip", None),
    ],
)
def test_files_of_steps_that_exist_are_treated_as_outputs_are(existing, advice):
    Path("kept").mkdir()
    Path("kept/a_1_relu_1.npy").write_bytes(b"mine")
    operation = load("steps:\n  - relu\n", save_steps="kept", output=OutputOptions(existing=existing))
    if advice is not None:
        with pytest.raises(UsageError) as caught:
            lay(operation, image_of("u8"))
        assert (caught.value.where, caught.value.advice) == ("kept/a_1_relu_1.npy", advice)
        return
    lay(operation, image_of("u8")).run()
    assert (Path("kept/a_1_relu_1.npy").read_bytes() == b"mine") == (existing == "skip")
    assert Path("kept/a_1_relu_1.png").is_file()


def test_a_saved_step_never_replaces_the_image():
    Path("kept").mkdir()
    Path("kept/a_1_relu_1.png").symlink_to("../a.png")
    Path("a.png").write_bytes(b"mine")
    operation = load("steps:\n  - relu\n", save_steps="kept", output=OutputOptions(existing="overwrite"))
    with pytest.raises(UsageError, match="the output is the input") as caught:
        lay(operation, image_of("u8"))
    assert caught.value.advice == "choose another folder with --save-steps"


@pytest.mark.parametrize("channels", [1, 2, 3, 100])
def test_an_array_takes_the_response_whatever_its_number_of_channels(channels):
    maps = np.random.default_rng(0).normal(size=(6, 7, channels)).astype(np.float32)
    np.save("in.npy", maps)
    Path("net.yaml").write_text("steps:\n  - abs\n")
    done("run", "net.yaml", "in.npy", "-o", "out.npy")
    out = np.atleast_3d(np.load("out.npy"))
    assert out.dtype == np.float32
    assert_array_equal(out, np.abs(maps))


def test_an_array_takes_the_response_to_integers_too():
    pixels = np.arange(27, dtype=np.uint8).reshape(3, 3, 3)
    np.save("in.npy", pixels)
    Path("net.yaml").write_text("input: {range: byte}\nsteps:\n  - filter: 0 -20 0\n")
    done("run", "net.yaml", "in.npy", "-o", "out.npy")
    assert np.array_equal(np.load("out.npy"), -20.0 * pixels)
    done("run", "net.yaml", "in.npy", "--depth", "u8", "-o", "out.npy", "-f")
    assert np.load("out.npy").dtype == np.uint8
