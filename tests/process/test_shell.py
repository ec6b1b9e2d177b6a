"""The way from file to file, which is the same for kernels and for pipelines."""

import io
import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from PIL import Image as PillowImage

from convcli.convolution.options import ConvolveOptions
from convcli.errors import FilterError, ImageReadError, OutputError, OutputExistsError, UsageError
from convcli.pipeline.execution.program import Computing, Program
from convcli.process import shell
from convcli.process.kernel_chain import Chain
from convcli.process.kernel_operation import FilterOptions, load_kernels
from convcli.process.output_files import OutputOptions
from convcli.process.pipeline_operation import load_pipeline
from convcli.process.pipeline_options import RunOptions
from convcli.process.shell import process_image, process_images
from convcli.process.tone_options import ToneOptions

# Of so little contrast that no response saturates.
PIXELS = np.random.default_rng(5).integers(100, 132, (21, 23, 3), dtype=np.uint8)
ONE_STEP = "name: sobel_x\nsteps:\n  - filter: sobel_x\n"
STEPS = "name: sobel_x\nsteps:\n  - clip: {}\n  - filter: sobel_x\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cv2.imwrite("a.png", PIXELS)
    return tmp_path


def kernels(*, threads=None, signed="auto", **output):
    options = ConvolveOptions(threads=threads), ToneOptions(signed=signed), OutputOptions(**output)
    return load_kernels(FilterOptions(("sobel_x",), *options))


def pipeline_of(text):
    def make(*, threads=None, signed="auto", **output):
        Path("net.yaml").write_text(text)
        computing = Computing(threads=threads)
        return load_pipeline("net.yaml", RunOptions(signed=signed, computing=computing, output=OutputOptions(**output)))

    return make


# An operation of each kind, and a pipeline that is more than a chain of kernels.
every_operation = pytest.mark.parametrize(
    "make", [kernels, pipeline_of(ONE_STEP), pipeline_of(STEPS)], ids=["kernels", "one_step", "steps"]
)


@every_operation
def test_a_run_writes_its_output_and_tells_what_it_did(make):
    result = process_image("a.png", "b.png", make())
    assert (result.status, result.mapping, result.depth, result.alpha) == ("done", "abs", "u8", None)
    assert result.input_size == result.output_size == (21, 23, 3)
    assert (result.input_bytes, result.output_bytes) == (os.path.getsize("a.png"), os.path.getsize("b.png"))
    assert result.steps[-1].backend
    assert result.megapixels_per_second == pytest.approx(21 * 23 / result.seconds["filter"] / 1e6)
    assert result.seconds["total"] >= sum(result.seconds[stage] for stage in ("read", "filter", "write"))
    sobel = cv2.Sobel(PIXELS, cv2.CV_64F, 1, 0)
    assert_array_equal(cv2.imread("b.png"), np.minimum(np.abs(sobel), 255))


@every_operation
def test_a_dry_run_plans_the_same_and_writes_nothing(make):
    planned = process_image("a.png", "b.png", make(dry_run=True))
    assert not Path("b.png").exists()
    done = process_image("a.png", "b.png", make())
    assert planned.status == "planned"
    for name in ("input_size", "output_size", "depth", "mapping", "notes"):
        assert getattr(planned, name) == getattr(done, name)


@every_operation
@pytest.mark.parametrize("threads", [1, 2, None])
def test_reading_and_writing_use_the_threads_that_were_asked_for(make, threads, monkeypatch):
    from convcli.image import reading, writing

    asked = []
    read, encode = reading.read_image, writing.encode_to
    monkeypatch.setattr(reading, "read_image", lambda *a, **k: asked.append(k["threads"]) or read(*a, **k))
    monkeypatch.setattr(writing, "encode_to", lambda *a, **k: asked.append(k["threads"]) or encode(*a, **k))
    process_image("a.png", "b.png", make(threads=threads))
    assert asked == [threads, threads]


@every_operation
def test_signed_samples_are_not_written_where_they_lose_their_sign(make):
    np.save("a.npy", PIXELS.astype(np.int16) - 128)
    with pytest.raises(OutputError) as caught:
        process_image("a.npy", "b.png", make())
    assert str(caught.value) == "a.npy: PNG cannot hold i16: choose --depth u8, u16 or f32, or write .npy"
    assert caught.value.exit_status == 2
    kept = "i16" if make is kernels else "f32"  # an array takes the response of a pipeline as it is
    assert process_image("a.npy", "b.npy", make()).depth == kept
    assert process_image("a.npy", "b.png", make(depth="u8")).depth == "u8"


@every_operation
def test_a_file_that_changes_while_it_is_read_fails(make, monkeypatch):
    read = shell.read_source

    def read_and_change(source, threads=None, options=None):
        image = read(source, threads, options)
        Path(source).write_bytes(Path(source).read_bytes() + b"more")
        return image

    monkeypatch.setattr(shell, "read_source", read_and_change)
    with pytest.raises(ImageReadError, match=r"^a\.png: changed while it was read; run again when it is finished"):
        process_image("a.png", "b.png", make())
    assert not Path("b.png").exists()


@every_operation
@pytest.mark.parametrize(
    ("output", "options", "note"),
    [
        ("b.png", {"quality": 50}, "--quality does nothing to PNG: it is for JPEG, WebP, AVIF, JPEG 2000 and JPEG XL"),
        ("b.ppm", {"compression": "small"}, "--compression does nothing to PPM: it is for PNG and TIFF"),
        (
            "b.npy",
            {"depth": "f32", "signed": "abs"},
            "--signed abs does nothing to f32, which holds the response itself",
        ),
        ("b.jpg", {"quality": 50}, None),
        ("b.png", {"compression": "small"}, None),
        ("b.npy", {"depth": "u8", "signed": "abs"}, None),
    ],
)
def test_options_without_effect_are_named(make, output, options, note):
    assert process_image("a.png", output, make(**options)).notes == (() if note is None else (note,))


@every_operation
def test_samples_that_the_format_does_not_hold_are_converted_and_that_is_said(make):
    assert cv2.imwrite("deep.png", PIXELS.astype(np.uint16) * 257)
    result = process_image("deep.png", "b.jpg", make())
    assert result.notes == ("16-bit samples are written as 8-bit, because JPEG does not hold 16-bit ones",)


@every_operation
def test_a_users_kernel_that_the_catalogue_hides_is_named(make, monkeypatch):
    Path("own").mkdir()
    Path("own/sobel_x.yaml").write_text("name: sobel_x\nsummary: Mine.\nweights: [[1]]\nreference: none\n")
    monkeypatch.setenv("CONVCLI_KERNELS", "own")
    (note,) = make().notes
    assert note.startswith("sobel_x is the shipped kernel, which hides own/sobel_x.yaml")


@every_operation
def test_errors_name_the_file(make, monkeypatch):
    with pytest.raises(ImageReadError, match=r"^none\.png: no such file"):
        process_image("none.png", "b.png", make())
    with pytest.raises(OutputError, match=r"^b\.png: PNG cannot hold f32"):
        process_image("a.png", "b.png", make(depth="f32"))

    def fail(*_):
        raise MemoryError

    monkeypatch.setattr(Chain, "run", fail)
    monkeypatch.setattr(Program, "run", fail)
    with pytest.raises(FilterError, match=r"^a\.png: there is not enough memory for this image"):
        process_image("a.png", "b.png", make())
    assert not Path("b.png").exists()


@pytest.mark.parametrize("text", [ONE_STEP, STEPS])
def test_what_only_the_image_shows_is_told_with_both_files(text):
    make = pipeline_of(text.replace("filter: sobel_x", "filter: {kernel: 'box:size=101', extent: valid}"))
    with pytest.raises(FilterError, match=r"^a\.png: net\.yaml: steps\[[01]\]\.filter: a kernel that spans 101"):
        process_image("a.png", "b.png", make())


@every_operation
def test_an_output_that_has_appeared_meanwhile_is_left(make):
    Path("b.png").write_bytes(b"mine")
    with pytest.raises(OutputExistsError):
        process_image("a.png", "b.png", make())
    process_image("a.png", "b.png", make(existing="skip"))
    assert Path("b.png").read_bytes() == b"mine"
    process_image("a.png", "b.png", make(existing="overwrite"))
    assert cv2.imread("b.png").shape == PIXELS.shape


@every_operation
def test_images_go_through_standard_streams(make, monkeypatch):
    process_image("a.png", "b.png", make())
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(Path("a.png").read_bytes())))
    monkeypatch.setattr("sys.stdout", out)
    result = process_image("-", "-", make())
    assert out.buffer.getvalue() == Path("b.png").read_bytes()
    assert (result.input_bytes, result.output_bytes) == (None, None)


@every_operation
def test_a_format_that_is_only_read_must_be_replaced_by_name(make):
    PillowImage.fromarray(PIXELS[..., 0]).save("a.gif")
    with pytest.raises(OutputError, match=r"^a\.gif: cannot write the format it came in, gif: name one with --format"):
        process_image("a.gif", "-", make())


@every_operation
def test_metadata_and_permissions_outlive_a_run(make):
    PillowImage.fromarray(PIXELS).save("a.png", dpi=(300, 300))
    Path("b.png").touch()
    Path("b.png").chmod(0o600)
    process_image("a.png", "b.png", make(existing="overwrite"))
    with PillowImage.open("b.png") as written:
        assert written.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert Path("b.png").stat().st_mode & 0o777 == 0o600


@every_operation
def test_an_image_that_fails_does_not_stop_the_others(make):
    assert cv2.imwrite("c.png", PIXELS)
    inputs, outputs = ["none.png", "a.png", "c.png"], ["x.png", "y.png", "z.png"]
    results = list(process_images(inputs, outputs, {"z.png"}, make()))
    assert [result.status for result in results] == ["failed", "done", "skipped"]
    assert [result.exit_status for result in results] == [1, 0, 0]
    assert [result.input for result in results] == inputs
    assert not Path("z.png").exists()


@every_operation
@pytest.mark.parametrize("quality", [0, 101])
def test_a_quality_out_of_range_is_refused(make, quality):
    with pytest.raises(UsageError, match=rf"quality must lie within 1\.\.100, not {quality}"):
        make(quality=quality)


@every_operation
def test_the_file_that_an_operation_was_loaded_from_is_named(make, folder):
    operation = make()
    if operation.files:
        assert operation.files == ("net.yaml",)
    own = folder / "own.yaml"
    own.write_text("name: own\nsummary: Mine.\nweights: [[1]]\nreference: none\n")
    if isinstance(operation, type(kernels())):
        assert load_kernels(replace(operation.options, kernels=("own.yaml", "box"))).files == ("own.yaml",)
    else:
        Path("net.yaml").write_text("name: own\nsteps:\n  - filter: own.yaml\n")
        assert load_pipeline("net.yaml", RunOptions()).files == ("net.yaml", "own.yaml")


@every_operation
@pytest.mark.parametrize("extra", [{}, {"signed": "stretch"}])
def test_no_row_beyond_the_halo_changes_a_result(make, extra):
    operation = make(**extra)
    image = shell.read_source("a.png")
    format_ = shell.output_format("a.png", "b.png", "png", operation.output)
    laid = operation.on_image(image, "a.png", "b.png", format_)
    halo = laid.halo
    if extra:
        assert halo is None
        return
    whole = laid.run()
    changed = image.pixels.copy()
    changed[10 + halo.rows + 1 :] = 0
    changed[: 10 - halo.rows] = 255
    changed[:, 10 + halo.columns + 1 :] = 0
    again = operation.on_image(replace(image, pixels=changed), "a.png", "b.png", format_)
    assert_array_equal(again.run()[10, 10], whole[10, 10])
    assert (halo.rows, halo.columns) == (1, 1)
