import csv
import io
import json
import os
import subprocess
import sys

import cv2
import numpy as np
import pytest
import scipy.ndimage
from commandline import done, refused, run
from PIL import Image as PillowImage
from repository import ROOT

RANDOM = np.random.default_rng(7)
SOBEL_X = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], np.float64)


def smooth(size=(45, 52), channels=3, dtype=np.uint8):
    noise = RANDOM.integers(0, 256, (*size, channels)).astype(np.float32)
    blurred = cv2.GaussianBlur(noise, (0, 0), 1.5).reshape(*size, channels)
    span = np.ptp(blurred)
    return ((blurred - blurred.min()) / span * np.iinfo(dtype).max).astype(dtype)


def save(path, pixels):
    """Write RGB(A) or gray pixels by OpenCV, whose order of channels is the other way round."""
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[pixels.shape[2]]
    assert cv2.imwrite(str(path), pixels[..., order])
    return path


def load(path):
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert pixels is not None, path
    if pixels.ndim == 2:
        return pixels[..., np.newaxis]
    return pixels[..., [2, 1, 0, 3][: pixels.shape[2]]] if pixels.shape[2] == 4 else pixels[..., ::-1]


@pytest.fixture
def photo(tmp_path):
    return save(tmp_path / "photo.png", smooth())


def exact(pixels, kernel, mode="mirror", **options):
    planes = [
        scipy.ndimage.correlate(p.astype(np.float64), kernel, mode=mode, **options) for p in np.moveaxis(pixels, 2, 0)
    ]
    return np.stack(planes, axis=2)


def saturated(values, dtype=np.uint8):
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values), limits.min, limits.max).astype(dtype)


def test_the_picture_lies_beside_the_input_under_the_kernels_name(photo):
    outcome = done("filter", photo, "-k", "sobel_x")
    np.testing.assert_array_equal(
        load(photo.with_name("photo_sobel_x.png")), saturated(np.abs(exact(load(photo), SOBEL_X)))
    )
    line, *_ = outcome.lines
    assert "photo_sobel_x.png: 52 x 45 RGB u8, sobel_x by " in line
    assert line.endswith(" ms")
    assert "mapping abs" in line


def test_gray_sobel_clipped_agrees_with_opencv(photo, tmp_path):
    done("filter", photo, "-k", "sobel_x", "--signed", "clip", "--gray", "-o", tmp_path / "edges.png")
    gray = cv2.cvtColor(cv2.imread(str(photo)), cv2.COLOR_BGR2GRAY)
    written = load(tmp_path / "edges.png")[..., 0]
    np.testing.assert_array_equal(written, cv2.filter2D(gray, -1, SOBEL_X))
    np.testing.assert_array_equal(written, cv2.Sobel(gray, cv2.CV_8U, 1, 0))


@pytest.mark.parametrize(
    ("padding", "mode"),
    [
        ("reflect101", "mirror"),
        ("mirror", "mirror"),
        ("reflect", "reflect"),
        ("replicate", "nearest"),
        ("edge", "nearest"),
        ("wrap", "grid-wrap"),
        ("zeros", "constant"),
    ],
)
@pytest.mark.parametrize("option", ["--padding", "--border"])
def test_gaussian_agrees_with_scipy_under_each_padding(photo, tmp_path, padding, mode, option):
    done("filter", photo, "-k", "gaussian:sigma=2", option, padding, "-o", tmp_path / "soft.png")
    expected = np.stack(
        [scipy.ndimage.gaussian_filter(p.astype(np.float64), 2, mode=mode) for p in np.moveaxis(load(photo), 2, 0)],
        axis=2,
    )
    # 0.5 for the rounding to samples, and single precision's part of it.
    np.testing.assert_allclose(load(tmp_path / "soft.png"), expected, rtol=0, atol=0.501)


@pytest.mark.parametrize("backend", ["direct", "fft", "opencv"])
def test_every_backend_can_be_asked_for_and_is_named(photo, tmp_path, backend):
    outcome = done("filter", photo, "-k", "binomial", "--backend", backend, "-o", tmp_path / "o.png")
    assert f"by {backend}" in outcome.messages


def test_16_bit_samples_stay_16_bit(tmp_path):
    source = save(tmp_path / "deep.png", smooth(channels=1, dtype=np.uint16))
    done("filter", source, "-k", "sobel_x", "--signed", "offset", "-o", tmp_path / "o.png")
    written = load(tmp_path / "o.png")
    assert written.dtype == np.uint16
    np.testing.assert_array_equal(written, saturated(exact(load(source), SOBEL_X) + 32768, np.uint16))


def test_scale_and_bias_come_before_the_mapping(photo, tmp_path):
    done("filter", photo, "-k", "sobel_x", "--scale", "0.25", "--bias", "100", "-o", tmp_path / "o.png")
    np.testing.assert_array_equal(load(tmp_path / "o.png"), saturated(exact(load(photo), SOBEL_X) * 0.25 + 100))


def test_stretch_uses_the_whole_range_over_all_channels(photo, tmp_path):
    done("filter", photo, "-k", "sobel_x", "--signed", "stretch", "-o", tmp_path / "o.png")
    response = exact(load(photo), SOBEL_X)
    expected = (response - response.min()) / np.ptp(response) * 255
    np.testing.assert_allclose(load(tmp_path / "o.png"), expected, rtol=0, atol=0.501)


@pytest.mark.parametrize("suffix", [".npy", ".pfm", ".tiff"])
def test_f32_is_the_response_itself(photo, tmp_path, suffix):
    output = tmp_path / f"response{suffix}"
    outcome = done("filter", photo, "-k", "sobel_x", "--depth", "f32", "--bias", "0.5", "--signed", "abs", "-o", output)
    values = np.load(output) if suffix == ".npy" else load(output)
    assert values.dtype == np.float32
    np.testing.assert_allclose(values, exact(load(photo), SOBEL_X) + 0.5, rtol=0, atol=1e-3)
    assert "raw response" in outcome.lines[0]
    assert "--signed abs does nothing to f32" in outcome.lines[1]


def test_8_bit_is_written_as_16_bit_by_full_range(photo, tmp_path):
    done("filter", photo, "-k", "identity", "--depth", "u16", "-o", tmp_path / "o.png")
    np.testing.assert_array_equal(load(tmp_path / "o.png"), load(photo).astype(np.uint16) * 257)


def test_float_one_is_white(tmp_path):
    np.save(tmp_path / "f.npy", np.array([[0.0, 0.5, 1.0, 2.0]], np.float32))
    outcome = done("filter", tmp_path / "f.npy", "-k", "identity", "--depth", "u8", "-o", tmp_path / "o.png")
    assert load(tmp_path / "o.png").ravel().tolist() == [0, 128, 255, 255]
    assert len(outcome.lines) == 1


def test_a_float_picture_into_png_is_converted_to_16_bit_and_says_so(tmp_path):
    np.save(tmp_path / "f.npy", np.array([[0.0, 0.25, 1.0, 2.0]], np.float32))
    outcome = done("filter", tmp_path / "f.npy", "-k", "identity", "-o", tmp_path / "o.png")
    assert load(tmp_path / "o.png").ravel().tolist() == [0, 16384, 65535, 65535]
    assert "float samples are written as 16-bit, because PNG does not hold float ones" in outcome.messages


@pytest.mark.parametrize("dtype", [np.int16, np.float64])
def test_samples_that_few_formats_hold_stay_as_they_are_in_npy(tmp_path, dtype):
    values = np.arange(-20, 20).reshape(4, 10).astype(dtype)
    np.save(tmp_path / "v.npy", values)
    done("filter", tmp_path / "v.npy", "-k", "sobel_x", "--signed", "clip")
    written = np.load(tmp_path / "v_sobel_x.npy")
    assert written.dtype == dtype
    np.testing.assert_array_equal(written.reshape(4, 10, 1), exact(values[..., np.newaxis], SOBEL_X))


def test_a_16_bit_picture_into_jpeg_is_converted_and_says_so(tmp_path):
    source = save(tmp_path / "deep.png", smooth(channels=1, dtype=np.uint16))
    outcome = done("filter", source, "-k", "identity", "-o", tmp_path / "o.jpg", "--quality", "100")
    assert "16-bit samples are written as 8-bit, because JPEG does not hold 16-bit ones" in outcome.messages
    assert np.abs(load(tmp_path / "o.jpg").astype(int) - load(source) / 257).mean() < 2


@pytest.mark.parametrize(
    ("options", "take"),
    [
        (["--stride", "2"], np.s_[::2, ::2]),
        (["--stride", "2,3"], np.s_[::2, ::3]),
        (["--extent", "valid"], np.s_[1:-1, 1:-1]),
    ],
)
def test_stride_and_extent_take_a_part_of_the_whole(photo, tmp_path, options, take):
    done("filter", photo, "-k", "sobel_x", *options, "-o", tmp_path / "o.png")
    np.testing.assert_array_equal(load(tmp_path / "o.png"), saturated(np.abs(exact(load(photo), SOBEL_X)))[take])


def test_flip_dilation_and_anchor_reach_the_kernel(photo, tmp_path):
    weights = "1 2 3; 0 0 0; -1 0 1"
    options = ["--flip", "--dilation", "2", "--anchor", "0,1", "--padding", "wrap", "--depth", "f32"]
    done("filter", photo, "-k", weights, *options, "-o", tmp_path / "o.npy")
    kernel = np.zeros((5, 5))
    kernel[::2, ::2] = np.array([[1, 2, 3], [0, 0, 0], [-1, 0, 1]])[::-1, ::-1]
    # The anchor turns with the kernel: from (0, 1) to (2, 1), and is spread with it to (4, 2); scipy's is (2, 2).
    expected = exact(load(photo), kernel, mode="wrap", origin=(2, 0))
    np.testing.assert_allclose(np.load(tmp_path / "o.npy"), expected, rtol=0, atol=1e-3)


def test_padding_value_is_one_number_or_one_per_channel(photo, tmp_path):
    def written(*options):
        done("filter", photo, "-k", "box:size=3", "--padding", "constant", *options, "-f", "-o", tmp_path / "o.png")
        return load(tmp_path / "o.png")

    pixels = load(photo)
    box = np.full((3, 3), 1 / 9)
    np.testing.assert_allclose(written("--padding-value", "90"), exact(pixels, box, "constant", cval=90), atol=0.501)
    planes = [exact(pixels[..., c : c + 1], box, "constant", cval=v) for c, v in enumerate((255, 0, 30))]
    np.testing.assert_allclose(written("--padding-value", "255,0,30"), np.concatenate(planes, 2), atol=0.501)


def test_padding_value_is_a_pixel_of_the_file_also_in_gray_and_linear_light(tmp_path):
    source = save(tmp_path / "flat.png", np.full((9, 9, 3), 200, np.uint8))
    options = ["--padding", "constant", "--padding-value", "200,200,200", "--gray", "--linear"]
    done("filter", source, "-k", "gaussian:sigma=2", *options, "-o", tmp_path / "o.png")
    assert (load(tmp_path / "o.png") == 200).all()


def test_several_kernels_are_applied_in_turn_without_rounding_between(photo):
    done("filter", photo, "-k", "gaussian:sigma=1.5", "-k", "sobel_x", "--scale", "20")
    soft = np.stack(
        [
            scipy.ndimage.gaussian_filter(p.astype(np.float64), 1.5, mode="mirror")
            for p in np.moveaxis(load(photo), 2, 0)
        ],
        axis=2,
    )
    expected = np.clip(np.abs(exact(soft, SOBEL_X)) * 20, 0, 255)
    # A rounding in between would be off by up to 20 * 4.
    np.testing.assert_allclose(load(photo.with_name("photo_gaussian_sobel_x.png")), expected, rtol=0, atol=0.52)


def test_linear_light_is_undone_and_redone(photo, tmp_path):
    done("filter", photo, "-k", "box:size=3", "--linear", "-o", tmp_path / "o.png")
    values = load(photo) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    mean = exact(linear, np.full((3, 3), 1 / 9))
    expected = np.where(mean <= 0.0031308, mean * 12.92, 1.055 * mean ** (1 / 2.4) - 0.055) * 255
    np.testing.assert_allclose(load(tmp_path / "o.png"), expected, rtol=0, atol=0.51)


def test_linear_light_is_left_in_a_float_output(photo, tmp_path):
    outcome = done("filter", photo, "-k", "identity", "--linear", "--depth", "f32", "-o", tmp_path / "o.npy")
    values = load(photo) / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4) * 255
    np.testing.assert_allclose(np.load(tmp_path / "o.npy"), linear, rtol=1e-5, atol=1e-4)
    assert "the sRGB curve is not put back" in outcome.messages


def sprite():
    """A red disk with a soft edge on a background that is transparent, and black where nobody sees it."""
    rows, columns = np.mgrid[:40, :40]
    opacity = np.clip(14 - np.hypot(rows - 20, columns - 20), 0, 3) / 3
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[..., 0] = np.where(opacity > 0, 230, 0)
    pixels[..., 3] = np.rint(opacity * 255)
    return pixels


def test_a_sprite_blurs_without_a_dark_fringe(tmp_path):
    source = save(tmp_path / "sprite.png", sprite())
    done("filter", source, "-k", "gaussian:sigma=2")
    written = load(tmp_path / "sprite_gaussian.png")
    visible = written[..., 3] > 0
    assert (visible & (load(source)[..., 3] == 0)).any()
    assert (written[..., 0][visible] >= 229).all()
    alpha = scipy.ndimage.gaussian_filter(load(source)[..., 3].astype(np.float64), 2, mode="mirror")
    np.testing.assert_allclose(written[..., 3], alpha, rtol=0, atol=0.501)


def test_premultiplied_colour_follows_its_formula(tmp_path):
    pixels = smooth(channels=4)
    source = save(tmp_path / "glass.png", pixels)
    done("filter", source, "-k", "1 2 1; 2 4 2; 1 2 1", "--scale", "0.1", "--bias", "3", "-o", tmp_path / "o.png")
    kernel = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float64)
    opacity = pixels[..., 3:] / 255.0
    weight = exact(opacity, kernel)
    colour = 16 * exact(pixels[..., :3] * opacity, kernel) / weight * 0.1 + 3
    np.testing.assert_allclose(load(tmp_path / "o.png")[..., :3], np.clip(colour, 0, 255), rtol=0, atol=0.51)
    np.testing.assert_allclose(load(tmp_path / "o.png")[..., 3:], weight / 16 * 255, rtol=0, atol=0.51)


@pytest.mark.parametrize(
    "options", [[], ["--padding", "constant"], ["--extent", "full"], ["--linear"], ["--stride", "2"]]
)
def test_an_opaque_image_is_filtered_as_one_without_alpha(tmp_path, options):
    pixels = smooth(channels=3)
    plain = save(tmp_path / "plain.png", pixels)
    opaque = save(tmp_path / "opaque.png", np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)]))
    done("filter", plain, opaque, "-k", "gaussian", *options)
    written = load(tmp_path / "opaque_gaussian.png")
    np.testing.assert_array_equal(written[..., :3], load(tmp_path / "plain_gaussian.png"))
    assert (written[..., 3] == 255).all()


def test_sobel_keeps_alpha_as_it_was(tmp_path):
    source = save(tmp_path / "sprite.png", sprite())
    done("filter", source, "-k", "sobel_x")
    written = load(tmp_path / "sprite_sobel_x.png")
    np.testing.assert_array_equal(written[..., 3], sprite()[..., 3])
    np.testing.assert_array_equal(written[..., :3], saturated(np.abs(exact(sprite()[..., :3], SOBEL_X))))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--stride", "2,3"], lambda a: a[::2, ::3]),
        (["--extent", "valid"], lambda a: a[1:-1, 1:-1]),
        (["--extent", "full"], lambda a: np.pad(a, 1, mode="reflect")),
        (
            ["--extent", "full", "--padding", "constant", "--padding-value", "1,2,3,77"],
            lambda a: np.pad(a, 1, constant_values=77),
        ),
        (["--extent", "valid", "--dilation", "2", "--flip"], lambda a: a[2:-2, 2:-2]),
        (["--depth", "u16"], lambda a: a.astype(np.uint16) * 257),
    ],
)
@pytest.mark.parametrize("kernel", ["sobel_x", "sobel"])
def test_kept_alpha_goes_through_the_geometry(tmp_path, options, expected, kernel):
    pixels = smooth(channels=4)
    source = save(tmp_path / "glass.png", pixels)
    done("filter", source, "-k", kernel, *options, "-o", tmp_path / "o.png")
    np.testing.assert_array_equal(load(tmp_path / "o.png")[..., 3], expected(pixels[..., 3]))


def test_alpha_is_filtered_or_dropped_when_asked(tmp_path):
    pixels = smooth(channels=4)
    source = save(tmp_path / "glass.png", pixels)
    done("filter", source, "-k", "sharpen", "--alpha", "filter", "-o", tmp_path / "filtered.png")
    kernel = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    np.testing.assert_array_equal(load(tmp_path / "filtered.png"), saturated(exact(pixels, kernel)))
    done("filter", source, "-k", "sharpen", "--alpha", "drop", "-o", tmp_path / "dropped.jpg")
    assert load(tmp_path / "dropped.jpg").shape[2] == 3


def test_gray_alpha_stays_gray_alpha(tmp_path):
    gray = smooth(channels=1)
    PillowImage.merge("LA", [PillowImage.fromarray(gray[..., 0]), PillowImage.new("L", (52, 45), 128)]).save(
        tmp_path / "la.png"
    )
    done("filter", tmp_path / "la.png", "-k", "sobel_x")
    written = np.asarray(PillowImage.open(tmp_path / "la_sobel_x.png"))
    assert written.shape[2] == 2
    np.testing.assert_array_equal(written[..., 0], saturated(np.abs(exact(gray, SOBEL_X)))[..., 0])
    assert (written[..., 1] == 128).all()


def test_kernel_files_say_their_mapping(photo, tmp_path):
    kernel = tmp_path / "rise.yaml"
    kernel.write_text(
        "name: rise\nsummary: A step to the right.\nweights: [[-1, 1]]\nmapping: offset\nreference: none\n"
    )
    outcome = done("filter", photo, "-k", kernel)
    assert "mapping offset" in outcome.messages
    assert photo.with_name("photo_rise.png").exists()


@pytest.mark.parametrize(
    ("arguments", "mapping"),
    [
        (["-k", "gaussian"], "clip"),
        (["-k", "sobel_x"], "abs"),
        (["-k", "sobel_x", "--bias", "128"], "clip"),
        (["-k", "sobel_x", "-k", "gaussian"], "abs"),
        (["-k", "-1 1"], "abs"),
        (["-k", "sharpen"], "clip"),
        (["-k", "sobel_x", "--signed", "stretch"], "stretch"),
    ],
)
def test_the_mapping_follows_the_weights(photo, arguments, mapping):
    record = json.loads(done("filter", photo, *arguments, "--json", "-q").output)
    assert record["mapping"] == mapping


def test_text_weights_are_called_custom(photo):
    done("filter", photo, "-k", "1/2 1/2")
    assert photo.with_name("photo_custom.png").exists()


def test_several_inputs_go_into_a_folder(tmp_path):
    sources = [save(tmp_path / f"{name}.png", smooth()) for name in "abc"]
    (tmp_path / "out").mkdir()
    outcome = done("filter", *sources, "-k", "box", "-o", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a_box.png", "b_box.png", "c_box.png"]
    assert len(outcome.lines) == 3


def test_one_bad_input_does_not_stop_the_others(tmp_path):
    good = [save(tmp_path / f"{name}.png", smooth()) for name in "ac"]
    bad = tmp_path / "b.png"
    bad.write_text("no picture")
    outcome = run("filter", good[0], bad, good[1], "-k", "box", "--json")
    assert outcome.status == 1
    assert [line.startswith("convcli: error: ") for line in outcome.lines] == [False, True, False]
    records = [json.loads(line) for line in outcome.output.splitlines()]
    assert [r["status"] for r in records] == ["done", "failed", "done"]
    assert records[1]["error"] in outcome.lines[1]
    assert (tmp_path / "c_box.png").exists()


def test_standard_streams_take_and_give_images(photo):
    data = photo.read_bytes()
    outcome = done("filter", "-", "-k", "sobel_x", stdin=data)
    written = cv2.imdecode(np.frombuffer(outcome.output, np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    np.testing.assert_array_equal(written, saturated(np.abs(exact(load(photo), SOBEL_X))))
    assert outcome.output.startswith(b"\x89PNG")
    assert done("filter", photo, "-k", "sobel_x", "-o", "-").output == outcome.output
    assert done("filter", "-", "-k", "sobel_x", "--format", "jpeg", stdin=data).output.startswith(b"\xff\xd8\xff")


def test_format_chooses_the_suffix_of_a_default_name(photo):
    done("filter", photo, "-k", "sobel_x", "--format", "webp")
    assert photo.with_name("photo_sobel_x.webp").read_bytes()[8:12] == b"WEBP"


def test_format_says_what_a_name_without_suffix_does_not(photo, tmp_path):
    done("filter", photo, "-k", "sobel_x", "--format", "jpeg", "-o", tmp_path / "plain")
    assert (tmp_path / "plain").read_bytes().startswith(b"\xff\xd8\xff")


def test_existing_outputs_are_skipped_or_replaced(photo):
    output = photo.with_name("photo_sobel_x.png")
    output.write_bytes(b"mine")
    outcome = done("filter", photo, "-k", "sobel_x", "--existing", "skip", "--json")
    assert json.loads(outcome.output)["status"] == "skipped"
    assert outcome.lines == [f"skipped {photo}: {output} exists"]
    assert output.read_bytes() == b"mine"
    done("filter", photo, "-k", "sobel_x", "-f")
    assert output.read_bytes().startswith(b"\x89PNG")


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(photo):
    outcome = done("filter", photo, "-k", "sobel_x", "--dry-run", "--json")
    assert outcome.lines[0].startswith(
        f"would write {photo.with_name('photo_sobel_x.png')}: 52 x 45 RGB u8, sobel_x by "
    )
    assert json.loads(outcome.output)["status"] == "planned"
    assert [p.name for p in photo.parent.iterdir()] == ["photo.png"]


def test_json_has_the_documented_keys(photo):
    record = json.loads(done("filter", photo, "-k", "gaussian:sigma=1", "-k", "sobel_x", "--json").output)
    assert record["input"] == str(photo)
    assert record["output"] == str(photo.with_name("photo_gaussian_sobel_x.png"))
    assert record["status"] == "done"
    assert record["input_size"] == record["output_size"] == [45, 52, 3]
    assert record["depth"] == "u8"
    assert [step["kernel"] for step in record["steps"]] == ["gaussian:sigma=1", "sobel_x"]
    assert set(record["seconds"]) == {"read", "prepare", "filter", "write", "total"}
    assert record["seconds"]["total"] >= sum(v for k, v in record["seconds"].items() if k != "total") > 0


def test_timing_is_a_table_with_the_backend_and_why(photo):
    lines = done("filter", photo, "-k", "sobel_x", "--timing", "-q").lines
    head, row, reason = lines
    assert " ".join(head.split()) == "image read ms prepare ms filter ms write ms total ms MP/s backend"
    assert row.split()[0] == "photo.png"
    assert reason.startswith("sobel_x: ")
    assert head.index("backend") == row.index(row.split()[-1])


def test_reports_hold_the_same_as_json(photo, tmp_path):
    (tmp_path / "out").mkdir()
    rows = {}
    for suffix in ("json", "csv", "md"):
        report = tmp_path / f"times.{suffix}"
        done("filter", photo, "-k", "gaussian", "-k", "sobel_x", "--report", report, "-f", "-q")
        rows[suffix] = report.read_text()
    (record,) = json.loads(rows["json"])["results"]
    (line,) = csv.DictReader(io.StringIO(rows["csv"]))
    assert record["steps"][1]["kernel"] == "sobel_x"
    assert line["steps.kernel"] == "gaussian | sobel_x"
    assert line["output_size"] == "45 52 3"
    assert float(line["seconds.total"]) > 0
    assert rows["md"].splitlines()[2].startswith("| input | output | status |")
    assert len({row.replace("\\|", "").count("|") for row in rows["md"].splitlines()[2:]}) == 1


def test_a_report_has_the_same_columns_whatever_became_of_the_images(photo, tmp_path):
    heads = []
    for sources, status in (([photo], 0), ([photo, "missing.png"], 1), (["missing.png"], 1)):
        outcome = run(
            "filter", *sources, "-k", "box", "-o", tmp_path, "-f", "--report", tmp_path / "times.csv", "--timing"
        )
        assert outcome.status == status
        rows = list(csv.DictReader(io.StringIO((tmp_path / "times.csv").read_text())))
        heads.append(list(rows[0]))
    assert heads[0] == heads[1] == heads[2]
    assert {"steps.kernel", "steps.backend", "seconds.total", "error"} <= set(heads[0])
    assert "steps" not in heads[0]
    assert rows[0]["error"].startswith("missing.png: ")
    # Nothing was timed: there is no table, not even its head.
    assert len(outcome.lines) == 1


def test_many_weights_are_cut_short_in_messages_and_whole_in_json(photo):
    weights = ";".join(["0 0 1 0 0"] * 9)
    outcome = done("filter", photo, "-k", weights, "--json", "--timing", "-v")
    assert weights not in outcome.messages
    assert max(len(line) for line in outcome.lines[1:] if "note:" not in line) < 130
    assert json.loads(outcome.output)["steps"][0]["kernel"] == weights


def test_a_hidden_kernel_of_ones_own_is_told_once(photo, tmp_path, monkeypatch):
    own = tmp_path / "own"
    own.mkdir()
    (own / "box.yaml").write_text("weights: [[1]]\n")
    monkeypatch.setenv("CONVCLI_KERNELS", str(own))
    outcome = done("filter", photo, "-k", "box:size=5", "-k", "sobel_x", "-k", "box", "--dry-run")
    hides = f"convcli: note: box is the shipped kernel, which hides {own}/box.yaml: give the path to use that one"
    assert outcome.lines[0] == hides
    assert len(outcome.lines) == 2
    assert "hides" not in done("filter", photo, "-k", own / "box.yaml", "--dry-run").messages
    assert done("filter", photo, "-k", "box", "-q").messages == ""


def test_quiet_says_nothing_and_verbose_says_why(photo):
    assert done("filter", photo, "-k", "box", "-q").messages == ""
    assert len(done("filter", photo, "-k", "box", "-v", "-f").lines) == 3


@pytest.mark.parametrize(
    ("kernel", "treatment"), [("gaussian", "premultiply"), ("sobel_x", "keep"), ("sharpen", "keep"), ("sobel", "keep")]
)
def test_what_is_done_with_alpha_is_told(tmp_path, kernel, treatment):
    source = save(tmp_path / "sprite.png", sprite())
    outcome = done("filter", source, "-k", kernel, "-v", "--json")
    assert json.loads(outcome.output)["alpha"] == treatment
    assert f"  alpha: {treatment}" in outcome.lines


def test_options_without_effect_are_named(photo):
    outcome = done("filter", photo, "-k", "sobel_x", "--extent", "valid", "--padding", "wrap", "--anchor", "0,0", "-f")
    assert outcome.lines[0].startswith("convcli: note: --padding wrap does nothing")
    assert outcome.lines[1].startswith("convcli: note: --anchor does nothing")


def test_notes_keep_out_of_quiet_runs(photo):
    assert done("filter", photo, "-k", "sobel_x", "--extent", "valid", "--padding", "wrap", "-q").messages == ""


def test_the_result_does_not_depend_on_threads(photo, tmp_path):
    for threads in (1, 3):
        done("filter", photo, "-k", "gabor", "--threads", threads, "-o", tmp_path / f"{threads}.png")
    np.testing.assert_array_equal(load(tmp_path / "1.png"), load(tmp_path / "3.png"))


def test_names_with_spaces_and_other_letters_are_fine(tmp_path):
    source = tmp_path / "Fahrt ins Grüne 写真.png"
    cv2.imencode(".png", smooth())[1].tofile(source)
    done("filter", source, "-k", "sobel_x")
    assert (tmp_path / "Fahrt ins Grüne 写真_sobel_x.png").exists()


def test_a_reader_that_goes_away_ends_the_run_quietly(photo):
    command = f"'{sys.executable}' -m convcli filter '{photo}' -k sobel_x -o - | true"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)
    assert "Traceback" not in result.stderr
    assert result.stderr == "" or result.stderr.startswith("wrote standard output")


def test_help_shows_a_worked_example():
    for arguments in (["--help"], ["filter", "--help"]):
        assert b"convcli filter photo.png -k sobel_x" in done(*arguments).output


def test_without_a_command_the_help_is_shown():
    outcome = run()
    assert outcome.status == 2
    assert b"Usage: convcli" in outcome.output


def test_the_program_runs_as_a_process(photo):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "convcli", "filter", str(photo), "-k", "nix"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("convcli: error: unknown kernel 'nix'")
    assert refused("filter", photo, "-k", "nix") == result.stderr.removeprefix("convcli: error: ").rstrip("\n")


def test_a_range_makes_an_output_for_each_kernel_named_by_what_differs(photo, tmp_path):
    bank = tmp_path / "bank"  # made, for it is to hold several
    done("filter", photo, "-k", "gabor:theta=0..90..45,sigma=2", "-o", bank, "--signed", "stretch")
    assert sorted(path.name for path in bank.iterdir()) == [f"photo_gabor_theta{angle}.png" for angle in (0, 45, 90)]
    done("filter", photo, "-k", "gabor:theta=45,sigma=2", "-o", tmp_path / "one.png", "--signed", "stretch")
    np.testing.assert_array_equal(load(bank / "photo_gabor_theta45.png"), load(tmp_path / "one.png"))


def test_the_outputs_of_a_range_need_a_folder(photo, tmp_path):
    outcome = run("filter", photo, "-k", "gaussian:sigma=1..3", "-o", tmp_path / "one.png")
    assert outcome.status == 2
    assert outcome.lines == ["convcli: error: 3 kernels make 3 outputs: name a folder for them, as -o bank/"]


def test_normalize_scales_the_weights_of_any_kernel(photo, tmp_path):
    done("filter", photo, "-k", "1 2 1; 2 4 2; 1 2 1", "--normalize", "sum", "-o", tmp_path / "a.png")
    weights = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
    np.testing.assert_array_equal(load(tmp_path / "a.png"), saturated(exact(load(photo), weights)))
    outcome = run("filter", photo, "-k", "sobel_x", "--normalize", "sum", "-o", tmp_path / "b.png")
    assert outcome.lines == ["convcli: error: sobel_x: normalize: sum divides by the weights' sum, which is zero"]


def test_several_outputs_go_into_a_folder_that_is_made_unless_an_input_is_missing(tmp_path):
    sources = [save(tmp_path / f"{name}.png", smooth()) for name in "ab"]
    done("filter", *sources, "-k", "box", "-o", tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["a_box.png", "b_box.png"]
    assert run("filter", sources[0], tmp_path / "missing.png", "-k", "box", "-o", tmp_path / "other").status == 2
    assert not (tmp_path / "other").exists()
