"""`convcli explain`, through the whole command line."""

import json
import re
import sys

import numpy as np
import pytest
from commandline import done, in_terminal, refused, run
from repository import EXAMPLES, ROOT

from convcli import load_kernel, read_image, write_image

PHOTO = EXAMPLES / "images" / "photo.png"
LENET = ROOT / "pipelines" / "lenet5.yaml"
TWO = "name: two\nsteps: [{conv: {out: 1, kernel: 3, bias: false}}, {conv: {out: 1, kernel: 3, bias: false}}]\n"
ONE = "name: one\nsteps: [{conv: {out: 1, kernel: 5, bias: false}}]\n"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder to work in, with two pipelines that see the same."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.yaml").write_text(TWO)
    (tmp_path / "one.yaml").write_text(ONE)
    return tmp_path


def printed(*arguments):
    return done("explain", *arguments).output.decode().splitlines()


def told(*arguments):
    return json.loads(done("explain", *arguments, "--json").output)


def test_a_pipeline_is_laid_open_step_by_step():
    lines = printed(LENET)
    assert lines[0] == "lenet5, for images of 32x32x1"
    assert lines[3].split() == ["Step", "Output", "Window", "Str", "Dil", "Pad", "Size", "worked", "out"]
    cells = {line.split()[0]: re.split(r" {2,}", line.strip()) for line in lines if line}
    rows = [re.split(r" {2,}", line.strip()) for line in lines if line.startswith(("c3 ", "s4 ", "total "))]
    assert rows == [
        ["c3", "10x10x16", "5x5", "1", "1", "0", "14 - 5 + 1 = 10"],
        ["s4", "5x5x16", "2x2", "2", "1", "0", "floor((10 - 2) / 2) + 1 = 5"],
        ["c3", "2,416", "240 k", "6.40 kB", "14", "2", "13/2"],
        ["s4", "-", "1,600", "1.60 kB", "16", "4", "15/2"],
        ["total", "61,706", "423 k", "60.0 kB", "all", "32", "31/2"],
    ]
    assert cells["flatten_1"][-1] == "31/2"
    text = " ".join(lines)
    assert "Weights take 247 kB in float32. Activations take 60.0 kB together" in text
    # 1,024 x 4,704 and 1,176 x 1,600, for 156 and 2,416; the layers behind them are dense as it is.
    assert (
        "As dense layers, from every sample to every output, the convolutions c1 and c3 would need 6.70 M weights to "
        "do the same: 2,600 times as many." in text
    )
    assert "s2 and c3 are linear: away from the edges, one kernel of 10x10 at stride 2" in text


def test_a_dense_layer_is_not_compared_with_itself(tmp_path):
    (tmp_path / "dense.yaml").write_text("steps: [flatten, {linear: {out: 3, bias: false}}]")
    text = done("explain", str(tmp_path / "dense.yaml"), "--input-size", "4x5x2").output.decode()
    assert "480 B in float32" in text
    assert "dense layers" not in text


def test_dense_layers_are_set_beside_convolutions_alone(tmp_path):
    text = " ".join(printed(ROOT / "pipelines" / "canny.yaml", "--input-size", "427x640x3"))
    assert "the convolutions across and down would need 149 G weights to do the same: 8,300,000,000 times" in text
    text = " ".join(printed(ROOT / "pipelines" / "vgg16.yaml"))
    assert "every output, the 13 convolutions would need 16.7 T weights" in text
    text = " ".join(printed("-k", "gaussian:sigma=1", "--input-size", "10x10"))
    assert "the convolution gaussian would need 10.0 k weights to do the same: 123 times as many" in text


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "resnet18"])
@pytest.mark.parametrize("columns", [80, 120])
def test_in_a_terminal_nothing_is_cut_off(name, columns, tmp_path):
    environment = {"COLUMNS": str(columns), "TERM": "xterm-256color", "PYTHONUTF8": "1", "HOME": str(tmp_path)}
    # In ResNet-18 convolutions of 1x1 at stride 2 leave samples out, which is said on standard error.
    program = "import os, sys; sys.stderr = open(os.devnull, 'w'); from convcli.cli.app import run; run(sys.argv[1:])"
    pipeline = ROOT / "pipelines" / f"{name}.yaml"
    out = in_terminal([sys.executable, "-c", program, "explain", str(pipeline)], environment)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", out)
    assert max(map(len, plain.splitlines())) <= columns
    assert "…" not in plain
    words = " ".join(plain.split())
    record = told(pipeline)
    for step in record["steps"]:
        assert step["name"] in words
        assert not step["parameters"] or f"{step['parameters']:,}" in words
        size = "x".join(map(str, step["output"]))
        assert size in words
    assert f"{record['totals']['parameters']:,}" in words


def test_json_has_the_keys_that_are_promised(place):
    record = told("two.yaml", "--input-size", "32x48x1")
    assert record["steps"][1] | {} == record["steps"][1]
    promised = {
        "name": "conv_2",
        "output": [28, 44, 1],
        "parameters": 9,
        "macs": 9 * 28 * 44,
        "receptive_field": [5, 5],
        "jump": [1, 1],
        "activation_bytes": 4 * 28 * 44,
    }
    assert {key: record["steps"][1][key] for key in promised} == promised
    totals = {"parameters": 18, "macs": 9 * (30 * 46 + 28 * 44), "receptive_field": [5, 5], "jump": [1, 1]}
    assert {key: record["totals"][key] for key in totals} == totals
    assert record["steps"][1]["formula"] == "rows 30 - 3 + 1 = 28; columns 46 - 3 + 1 = 44"
    assert record["steps"][1]["offset"] == [2, 2]


def test_two_pipelines_are_set_side_by_side(place):
    lines = printed("two.yaml", "--against", "one.yaml", "--input-size", "32x32x1")
    rows = {re.split(r" {2,}", line)[0]: re.split(r" {2,}", line)[1:] for line in lines if "  " in line}
    assert rows["parameters"] == ["18", "25", "72%"]
    assert rows["receptive field, rows"] == ["5", "5", "the same"]
    assert lines[-1] == "two has 18 parameters to the 25 of one: 72%, 1.39 times fewer."
    record = told("two.yaml", "--against", "one.yaml", "--input-size", "32x32x1")
    assert record["ratios"]["parameters"] == 0.72
    assert record["against"]["totals"]["parameters"] == 25
    text = done("explain", "two.yaml", "--against", "one.yaml", "--input-size", "32x32x1", "--md").output.decode()
    assert "| parameters | 18 | 25 | 72% |" in text


def test_kernels_side_by_side_are_told_apart_by_their_specs(place):
    lines = printed("-k", "gaussian:sigma=1", "--against", "gaussian:sigma=2", "--input-size", "50x50")
    assert lines[0].split() == ["gaussian:sigma=1", "gaussian:sigma=2", "ratio"]
    assert lines[-1] == ("gaussian:sigma=1 has 81 parameters to the 289 of gaussian:sigma=2: 28%, 3.57 times fewer.")
    asked = ["-k", "gaussian:sigma=1", "-k", "1 2 1", "--against", "two.yaml", "--input-size", "50x50"]
    assert printed(*asked)[0].split() == ["gaussian:sigma=1", "then", "1", "2", "1", "two", "ratio"]
    (place / "other.yaml").write_text(TWO)
    lines = printed("two.yaml", "--against", "other.yaml", "--input-size", "50x50x1")
    assert lines[0].split() == ["two.yaml", "other.yaml", "ratio"]


def test_small_ratios_are_the_same_in_the_table_and_in_words(place):
    lines = printed("-k", "1 0 -1", "--against", "box:size=24", "--input-size", "50x50")
    assert next(line for line in lines if line.startswith("parameters")).split() == ["parameters", "3", "576", "0.52%"]
    assert lines[-1] == "1 0 -1 has 3 parameters to the 576 of box:size=24: 0.52%, 192 times fewer."


def test_a_document_without_weights_is_explained(place):
    (place / "bare.yaml").write_text("steps: [{conv: {out: 4, kernel: 3}}, batch_norm, {linear: 2}]")
    assert told("bare.yaml", "--input-size", "9x9x1")["totals"]["parameters"] == 40 + 8 + 10


def test_kernels_are_explained_as_the_chain_that_they_are(place):
    lines = printed("-k", "1 2 1", "-k", "1 0 -1", "--input-size", "10x20", "--extent", "valid")
    assert lines[0] == "custom_custom_2, for images of 10x20x1"
    text = "\n".join(lines)
    assert re.search(r"custom_2 +10x16x1 +1x3 +1 +1 +0 +rows 10 - 1 \+ 1 = 10; columns 18 - 3 \+ 1 = 16", text)
    assert "custom and custom_2 are linear: away from the edges, one kernel of 1x5." in text
    assert re.search(r"^ +1 +2 +0 +-2 +-1 ", text, re.MULTILINE)


def test_an_images_size_serves_as_well(place):
    assert told(PHOTO, "-k", "box")["input"] == [427, 640, 3]
    assert told(PHOTO, "-k", "box", "--gray")["input"] == [427, 640, 1]


def test_lost_samples_are_warned_of(place):
    outcome = done("explain", "-k", "box:size=3", "--extent", "valid", "--stride", "2", "--input-size", "10x11")
    assert outcome.lines == [
        "convcli: warning: box: no window reads the last 1 row of 10: a stride of 2 does not come out even at 10x11x1; "
        "pad by more, or take an image of another size"
    ]


def test_one_outputs_arithmetic_is_shown_with_its_padding_marked(place):
    write_image("small.png", np.arange(12, dtype=np.uint8).reshape(3, 4))
    lines = printed("small.png", "-k", "sobel_x", "--at", "0,3", "--padding", "replicate")
    assert lines == [
        "sobel_x, row 0, column 3 of the result: the kernel lies on rows -1 to 1, columns 2 to 4",
        "",
        "  samples          weights     products",
        "  (2)  (3)  (3)    -1  0  1    -2  0  3",
        "   2    3   (3)    -2  0  2    -4  0  6",
        "   6    7   (7)    -1  0  1    -6  0  7",
        "  2*(-1) + 3*1 + 2*(-2) + 3*2 + 6*(-1) + 7*1 = 4",
        "",
        "( ) lies outside the image, and is taken from within by replicate",
    ]


def test_one_outputs_arithmetic_is_the_filters(place):
    pixels = read_image(PHOTO).pixels
    done("filter", PHOTO, "-k", "sobel", "-o", "sobel.npy", "--depth", "f32")
    record = told(PHOTO, "-k", "sobel", "--at", "7,639")
    assert [each["combine"] for each in record["channels"]] == ["magnitude"] * 3
    values = [each["value"] for each in record["channels"]]
    np.testing.assert_allclose(values, read_image("sobel.npy").pixels[7, 639], rtol=1e-5)
    part = record["channels"][1]["parts"][0]
    assert part["kernel"] == "sobel_x"
    assert part["outside"] == [[False, False, True]] * 3
    assert [row[:2] for row in part["patch"]] == pixels[6:9, 638:640, 1].tolist()
    assert (part["rows"], part["columns"], part["source_columns"]) == ([6, 7, 8], [638, 639, 640], [638, 639, 638])
    text = done("explain", PHOTO, "-k", "sobel", "--at", "7,639").output.decode()
    assert re.search(r"^green$", text, re.MULTILINE)
    assert "magnitude, the root of the sum of their squares:" in text


def test_of_large_kernels_the_middle_is_shown(place):
    lines = printed(PHOTO, "--gray", "-k", "gaussian:sigma=6", "--at", "100,100")
    assert max(map(len, lines)) <= 100
    assert re.search(r"^  the middle \d+x\d+ of 49x49$", "\n".join(lines), re.MULTILINE)
    assert "2401 products sum to" in "\n".join(lines)


def test_a_small_filter_is_shown_as_a_matrix_with_its_transpose(place):
    lines = printed("-k", "1 2 3", "--matrix", "--input-size", "1x4", "--padding", "zeros")
    assert lines == [
        "custom as a matrix",
        "",
        "4x4: 1x4 outputs of 1x4 samples, both row by row; 10 of 16 entries are not zero",
        "",
        "  2 3 . .",
        "  1 2 3 .",
        "  . 1 2 3",
        "  . . 1 2",
        "",
        "its transpose, 4x4, which takes each output back to its samples",
        "",
        "  2 1 . .",
        "  3 2 1 .",
        "  . 3 2 1",
        "  . . 3 2",
    ]
    constant = printed(
        "-k", "1 2 3", "--matrix", "--input-size", "1x4", "--padding", "constant", "--padding-value", "9"
    )
    assert "and to each output the padding value adds: 9 0 0 27" in constant


def test_matrices_too_wide_for_numbers_are_drawn_and_listed(place):
    lines = printed("-k", "sobel_x", "--matrix", "--input-size", "8x8")
    assert max(map(len, lines)) <= 100
    assert "  -.+.....-.+....." + 48 * "." in lines
    assert printed("-k", "sobel_x", "--matrix", "--input-size", "12x12").count(
        "  144 columns are too wide for 100 characters: --json lists the entries"
    )
    record = told("-k", "sobel_x", "--matrix", "--input-size", "12x12")
    dense = np.zeros(record["matrix"]["size"])
    for row, column, value in record["matrix"]["entries"]:
        dense[row, column] = value
    turned = np.zeros(record["transpose"]["size"])
    for row, column, value in record["transpose"]["entries"]:
        turned[row, column] = value
    np.testing.assert_array_equal(turned, dense.T)
    image = np.random.default_rng(0).integers(0, 256, (12, 12)).astype(np.uint8)
    write_image("image.png", image)
    done("filter", "image.png", "-k", "sobel_x", "-o", "out.npy", "--depth", "f32")
    np.testing.assert_allclose(dense @ image.ravel(), read_image("out.npy").pixels.ravel())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "there is nothing to explain: name a pipeline, or a kernel with -k"),
        (["two.yaml"], "two.yaml: does not say how large images are: give --input-size HxWxC"),
        (["two.yaml", "--input-size", "8x8"], "two.yaml: does not say how many channels images have"),
        (["two.yaml", "--input-size", "8"], "--input-size takes rows x columns x channels, such as 224x224x3, not '8'"),
        (["two.yaml", "--input-size", "0x8x1"], "--input-size takes rows x columns x channels"),
        (["two.yaml", "--input-size", "4x4x1"], "two.yaml: steps[1].conv: "),
        (["none.yaml", "--input-size", "4x4x1"], "none.yaml: no such pipeline file"),
        (["two.yaml", "-k", "box"], "-k explains a kernel, and two.yaml is a pipeline: give one of them"),
        (["two.yaml", "--stride", "2"], "a pipeline's steps have their own padding, extent, stride and the like"),
        (["two.yaml", "--at", "1,1"], "--at explains a kernel: give it with -k"),
        (["photo.png"], "photo.png: give a kernel to explain on it with -k, or name a pipeline"),
        (["-k", "box"], "give the size of the images, --input-size HxWxC, or an image"),
        (["-k", "box", "--matrix"], "give the size of a small image, such as --input-size 4x5"),
        (["-k", "box", "--at", "1,1"], "--at needs an image to look at: name one"),
        (["-k", "box", "-k", "box", "--matrix"], "--matrix writes one kernel out"),
        (["a.png", "-k", "box", "--at", "1,1", "--matrix"], "--at and --matrix exclude each other: choose one"),
        (["-k", "box", "--matrix", "--against", "box"], "--against compares whole figures, which --matrix does not"),
        (["-k", "box", "--gray", "--input-size", "8x8"], "--gray is for an image: name one"),
        (["-k", "sobel", "--matrix", "--input-size", "4x4"], "sobel: the magnitude of several responses is not linear"),
        (["-k", "box", "--input-size", "4x4", "--json", "--md"], "--json and --md both take standard output"),
        (["-k", "boxx", "--input-size", "4x4"], "unknown kernel 'boxx'; did you mean 'box'?"),
        (
            ["-k", "box", "--input-size", "2x2", "--extent", "valid"],
            "-k box: a kernel that spans 3 pixels does not fit",
        ),
    ],
)
def test_a_mistake_is_one_line_and_status_2(place, arguments, message):
    assert refused("explain", *arguments).startswith(message)


def test_a_bad_image_and_a_place_outside_it_are_status_1(place):
    assert refused("explain", "none.png", "-k", "box", "--at", "1,1", status=1).startswith("none.png: no such file")
    message = refused("explain", PHOTO, "-k", "box", "--at", "427,0", status=1)
    assert message == "--at 427,0: the result has rows 0 to 426, columns 0 to 639"


def test_markdown_is_one_code_block_for_a_matrix(place):
    text = done("explain", "-k", "1 2", "--matrix", "--input-size", "1x3", "--md").output.decode()
    assert text.startswith("# custom as a matrix\n\n    3x3: ")


def test_help_has_worked_examples():
    outcome = run("explain", "--help")
    assert outcome.status == 0
    assert b"convcli explain photo.png -k sobel_x --at 0,17" in outcome.output


def test_the_equivalent_kernel_is_in_json(place):
    record = told("-k", "gaussian:sigma=1", "-k", "laplacian", "--input-size", "40x40x3")
    equivalent = record["steps"][1]["equivalent"]
    assert (equivalent["of"], equivalent["input"], equivalent["size"]) == (["gaussian", "laplacian"], "input", [11, 11])
    done("kernels", "compose", "gaussian:sigma=1", "laplacian", "-o", "both.yaml")
    np.testing.assert_allclose(equivalent["weights"], load_kernel("both.yaml").weights, atol=1e-15)
