"""The notations of kernels: each reads back what it writes, is found by suffix or content, and refuses by name."""

import ast
import io
import json
import re
from importlib import import_module

import numpy as np
import pytest
from hypothesis import given
from kernel_cases import any_weights

import convcli.image  # noqa: F401  # which adds pictures to the table
from convcli.errors import KernelError, OutputError
from convcli.kernel.catalogue import catalogue_folder, find, user_files
from convcli.kernel.files.notations import DEFAULT, NOTATIONS, notation_of, suffixes, written_notation
from convcli.kernel.files.recognition import recognise
from convcli.kernel.model import Kernel, kernel_notes
from convcli.kernel.spec import load_kernel, load_kernel_file

WEIGHTS = np.array([[1.0, 0.1, -2.0], [0.0, 1 / 3, 1e-7]])
EXACT = sorted(each.name for each in NOTATIONS.values() if each.reads and each.writes and each.name != "png")
NAMED = suffixes(named=True)


def written(name, kernel, origin=""):
    return import_module(NOTATIONS[name].module).write(kernel, origin)


@pytest.mark.parametrize("name", EXACT)
@given(weights=any_weights)
def test_a_notation_reads_back_what_it_writes_to_the_last_bit(name, weights, tmp_path_factory):
    path = tmp_path_factory.getbasetemp() / f"mine{NOTATIONS[name].suffixes[0]}"
    path.write_bytes(written(name, Kernel("mine", weights)))
    found = load_kernel_file(path)
    assert found.weights.tobytes() == weights.tobytes()
    assert found.origin == Kernel("mine", weights).origin


@pytest.mark.parametrize("name", EXACT)
@pytest.mark.parametrize("columns", [1, 9, 25, 49])
@pytest.mark.parametrize("turned", [False, True])
def test_rows_and_columns_keep_their_shape(name, columns, turned, tmp_path):
    weights = np.arange(columns, dtype=float)[np.newaxis] - 3
    weights = weights.T if turned else weights
    path = tmp_path / f"k{NOTATIONS[name].suffixes[0]}"
    path.write_bytes(written(name, Kernel("k", weights)))
    np.testing.assert_array_equal(load_kernel_file(path).weights, weights)


@pytest.mark.parametrize("name", sorted(each.name for each in NOTATIONS.values() if each.anchored and each.reads))
def test_what_holds_an_anchor_reads_it_back(name, tmp_path):
    path = tmp_path / f"k{NOTATIONS[name].suffixes[0]}"
    for size in ((3, 3), (2, 4), (1, 2), (4, 1)):
        for anchor in np.ndindex(size):
            path.write_bytes(written(name, Kernel("k", np.ones(size), anchor=anchor)))
            assert load_kernel_file(path).origin == anchor


@pytest.mark.parametrize("name", EXACT)
def test_content_alone_says_the_notation(name):
    for weights in (WEIGHTS, np.ones((3, 3)) / 9, np.ones((1, 25))):
        data = written(name, Kernel("mine", weights), "a SPEC")
        found = recognise(data)
        described = import_module(found.module).read(data, "k")
        np.testing.assert_array_equal(np.array(described.weights, float), weights)
    # A table reads alike, whether its numbers are split by commas or not.
    assert found.name == {"csv": "text", "libvips": "libvips"}.get(name, name)


def test_a_blur_survives_as_a_picture(tmp_path):
    kernel = load_kernel("gaussian:sigma=2")
    (tmp_path / "k.png").write_bytes(written("png", kernel))
    found = load_kernel_file(tmp_path / "k.png").weights
    assert found.sum() == pytest.approx(1.0, abs=1e-12)
    # Half a step of 16 bits for each weight, and as much again for their sum.
    np.testing.assert_allclose(found, kernel.weights, rtol=0, atol=2 * kernel.weights.max() / 65535)


def test_a_kernel_with_negative_weights_is_a_picture_about_mid_grey(tmp_path):
    (tmp_path / "k.png").write_bytes(written("png", Kernel("k", [[-1, 0, 0.5]])))
    raw = load_kernel(f"{tmp_path}/k.png:normalize=none").weights
    assert raw.tolist() == [[1, 32768, 32768 + 16384]]
    with pytest.raises(KernelError, match="k: has no weight but zero, of which no picture can be made"):
        written("png", Kernel("k", [[0.0, 0.0]]))


def test_arrays_of_programs_hold_the_weights():
    scope = {}
    exec(written("python", Kernel("my-own", WEIGHTS), "x"), scope)
    np.testing.assert_array_equal(scope["my_own_kernel"], WEIGHTS)
    source = written("c", Kernel("my-own", WEIGHTS), "a */ b").decode()
    assert source.startswith("/* my-own, from a * / b; the weight over the output pixel is [1][1] */\n")
    body = source[source.index("= {") + 2 : source.index(";\n", source.index("= {"))]
    assert ast.literal_eval(body.replace("{", "[").replace("}", "]")) == WEIGHTS.tolist()
    assert "double my_own_kernel[2][3]" in source


TABLES = {
    "0 -1 0\n-1 5 -1\n0 -1 0\n": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "0,-1,0\r\n-1,5,-1\r\n": [[0, -1, 0], [-1, 5, -1]],
    "1\t2\n3\t4": [[1, 2], [3, 4]],
    "1;2\n3;4\n": [[1, 2], [3, 4]],
    "1 2; 3 4": [[1, 2], [3, 4]],
    "1 2;\n3 4;\n": [[1, 2], [3, 4]],
    "# a comment\n\n1/16, 2/16 # and another\n-1e-3, .5": [[1 / 16, 2 / 16], [-1e-3, 0.5]],
    "1, 2,\n3, 4,\n": [[1, 2], [3, 4]],
    "3x3: 0 1 2 3 4 5 6 7 8": [[0, 1, 2], [3, 4, 5], [6, 7, 8]],
    "1x9: 0 1 2 3 4 5 6 7 8": [[0, 1, 2, 3, 4, 5, 6, 7, 8]],
}


@pytest.mark.parametrize("text", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_are_read_as_people_write_them(text, encoding, tmp_path):
    (tmp_path / "k.txt").write_bytes(text.encode(encoding))
    assert load_kernel_file(tmp_path / "k.txt").weights.tolist() == TABLES[text]
    assert load_kernel(f"{tmp_path}/k.txt:rotate=180").weights.tolist() == np.rot90(TABLES[text], 2).tolist()


# What ImageMagick's manual calls width x height, origin and holes; and what the size means without a comma.
STRINGS = {
    "3x3: 0,-1,0 -1,5,-1 0,-1,0": ([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], (1, 1)),
    "3: 1,2,3,4,5,6,7,8,9": ([[1, 2, 3], [4, 5, 6], [7, 8, 9]], (1, 1)),
    "3x2: 1,2,3 4,5,6": ([[1, 2, 3], [4, 5, 6]], (0, 1)),
    "2x2: 1,2 3,4": ([[1, 2], [3, 4]], (0, 0)),
    "2x2: 1 2 3 4": ([[1, 2], [3, 4]], (1, 1)),
    "3x1+2+0: 1,1,1": ([[1, 1, 1]], (0, 2)),
    "1x3: 1,2,3": ([[1], [2], [3]], (1, 0)),
    "1x3: 1 2 3": ([[1, 2, 3]], (0, 1)),
    "3x3: nan,-,1 , -1 NaN 2/4 0 0 0": ([[0, 0, 1], [-1, 0, 0.5], [0, 0, 0]], (1, 1)),
    "2x3: 1 2 3; 4 5 6": ([[1, 2, 3], [4, 5, 6]], (1, 1)),
}


@pytest.mark.parametrize("text", STRINGS)
def test_strings_of_imagemagick_are_read_with_their_origin_and_holes(text, tmp_path):
    (tmp_path / "k.im").write_text(text)
    for kernel in (load_kernel(text), load_kernel_file(tmp_path / "k.im")):
        assert (kernel.weights.tolist(), kernel.origin) == STRINGS[text]


def test_the_sense_of_imagemagicks_strings_is_stated():
    """As `-convolve` does, which does not turn the kernel; `-morphology Convolve` does."""
    text = "3x3: 1,0,0 0,0,0 0,0,0"
    kernel = load_kernel(text)
    assert kernel_notes(kernel, text) == (
        f"{text}: laid on as written, as ImageMagick's -convolve does; -morphology Convolve turns it first: "
        "add :rotate=180",
    )
    assert load_kernel(f"{text}:rotate=180").weights.tolist() == [[0, 0, 0], [0, 0, 0], [0, 0, 1]]
    assert load_kernel("3x3: 0,1,0 1,1,1 0,1,0").notes == ()
    assert load_kernel("2x2: 1 0 0 0").notes == ()
    (note,) = load_kernel("3x1: 1,2,1").notes
    assert note == "3x1 is read as ImageMagick does, width first: 1 rows, 3 columns"


def svg_response(samples, order, matrix, target, divisor):
    """The sum of the Filter Effects Module for feConvolveMatrix, written as it stands there; edges left out."""
    (order_x, order_y), (target_x, target_y) = order, target
    height, width = samples.shape
    result = {}
    for y in range(target_y, height - (order_y - 1 - target_y)):
        for x in range(target_x, width - (order_x - 1 - target_x)):
            result[y, x] = (
                sum(
                    samples[y - target_y + i, x - target_x + j] * matrix[order_y - i - 1][order_x - j - 1]
                    for i in range(order_y)
                    for j in range(order_x)
                )
                / divisor
            )
    return result


@pytest.mark.parametrize("target", [None, (0, 1), (3, 0)])
def test_an_svg_matrix_gives_the_response_of_its_specification(target, tmp_path):
    from convcli import convolve

    matrix = [[1, 2, 3, 4], [5, -6, 7, 8]]
    place = "" if target is None else f' targetX="{target[0]}" targetY="{target[1]}"'
    numbers = " ".join(str(v) for row in matrix for v in row)
    (tmp_path / "k.svg").write_text(
        f'<svg><filter><feConvolveMatrix in="SourceGraphic"\n order="4 2" kernelMatrix="{numbers}" divisor="8"{place}/>'
        "</filter></svg>"
    )
    samples = np.random.default_rng(0).uniform(0, 255, (7, 9))
    response = convolve(samples, load_kernel_file(tmp_path / "k.svg"))
    for (y, x), value in svg_response(samples, (4, 2), matrix, target or (2, 1), 8).items():
        assert response[y, x] == pytest.approx(value, abs=1e-9)


def test_an_svg_matrix_is_divided_by_its_sum_unless_that_is_zero():
    read = import_module(NOTATIONS["svg"].module).from_attributes
    assert read('kernelMatrix="1 1 1 1 4 1 1 1 1"', "k").weights.sum() == pytest.approx(1.0, abs=1e-15)
    assert read("order='3,1' kernelMatrix='1,0,-1'", "k").weights.tolist() == [[-1, 0, 1]]


def test_a_matrix_of_libvips_is_divided_by_its_scale(tmp_path):
    (tmp_path / "k.mat").write_text("3 1 4 0\n1 2 1\n")
    (tmp_path / "plain").write_text("3 1\n1 2 1\n")
    assert load_kernel(f"{tmp_path}/k.mat").weights.tolist() == [[0.25, 0.5, 0.25]]
    assert load_kernel(f"{tmp_path}/plain").weights.tolist() == [[1, 2, 1]]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [([[1, 2], [3, 4]], [[1, 2], [3, 4]]), ([["1/2", 1]], [[0.5, 1]]), ([[0] * 9], [[0] * 9])],
)
def test_lists_are_read_from_json_yaml_and_the_command_line(rows, expected, tmp_path):
    for name in ("k.json", "k.yaml"):
        (tmp_path / name).write_text(json.dumps(rows))
        assert load_kernel_file(tmp_path / name).weights.tolist() == expected
    assert load_kernel(json.dumps(rows)).weights.tolist() == expected
    (tmp_path / "o.json").write_text('{"weights": [[1, 3]], "normalize": "sum", "anchor": [0, 0]}')
    assert load_kernel_file(tmp_path / "o.json").weights.tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "|u1", "|b1", "<f2"])
def test_arrays_of_any_real_type_are_read(dtype, tmp_path):
    array = np.asfortranarray(np.array([[1, 0, 1], [0, 1, 1]]).astype(dtype))
    np.save(tmp_path / "k.npy", array)
    np.testing.assert_array_equal(load_kernel_file(tmp_path / "k.npy").weights, array.astype(float))


def npy(array):
    file = io.BytesIO()
    np.save(file, array, allow_pickle=True)
    return file.getvalue()


BAD = {
    "flat.txt": (b"0 -1 0 -1 5 -1 0 -1 0", "is a single row of 9 numbers: write 3x3: before it for 3 rows, or 1x9:"),
    "flat.csv": (b",".join([b"1"] * 25), "is a single row of 25 numbers: write 5x5: before it for 5 rows, or 1x25:"),
    "flat.json": (json.dumps([1] * 49).encode(), "is a single row of 49 numbers: write 7x7: before it"),
    "list.json": (b"[1, 2]", "must be a list of rows"),
    "cut.json": (b"[[1, 2", "not valid JSON"),
    "ragged.csv": (b"1,2\n3\n", "row 2: is of length 1 where the first is of 2"),
    "gap.csv": (b"1,,2\n3,4,5\n", "row 1: must be a number or a fraction like 1/16, not ''"),
    "comma.csv": (b"0,5;1,5\n1,5;2,5\n", "has commas and semicolons"),
    "word.csv": (b"a,b\n1,2\n", "row 1: must be a number or a fraction like 1/16, not 'a'"),
    "nan.csv": (b"1,nan\n", "row 1: must be a finite number, not nan"),
    "empty.csv": (b"# nothing\n", "is empty: a kernel has at least one weight"),
    "short.im": (b"3x3: 1,2,3", "3x3 takes 9 numbers, not 3"),
    "none.im": (b"2x2:", "2x2 takes 4 numbers, not 0"),
    "zero.im": (b"0x3: 1", "0x3 is no size of a kernel"),
    "out.im": (b"3x1+3+0: 1,2,1", r"the origin \+3\+0 lies outside 3x1"),
    "turns.im": (b"3x3>: 1,0,0,0,0,0,0,0,0", "holds several kernels"),
    "two.im": (b"1x1: 1 ; 1x1: 2", "holds several kernels"),
    "k.im": (b"1 2 1", "must begin with its size"),
    "word.im": (b"1x1: a", "must be a number"),
    "offset.mat": (b"1 1 1 128\n1\n", "the offset 128 is added to the response.*: write 0 .* add --bias 128"),
    "scale.mat": (b"1 1 0 0\n1\n", "the scale divides by zero"),
    "count.mat": (b"2 2\n1 2 3\n", "2 columns and 2 rows take 4 numbers, not 3"),
    "head.mat": (b"1\n1\n", "the first line: must be width, height, scale and offset"),
    "word.mat": (b"2 x\n1\n", "the first line: must be a number"),
    "weight.mat": (b"1 1\nx\n", "must be a number"),
    "matlab.mat": (b"MATLAB 5.0 MAT-file", "is a file of MATLAB's"),
    "none.svg": (b"<svg/>", "holds no feConvolveMatrix"),
    "two.svg": (b"<feConvolveMatrix kernelMatrix='1'/>" * 2, "holds 2 feConvolveMatrix elements"),
    "count.svg": (b"<feConvolveMatrix kernelMatrix='1 2'/>", "kernelMatrix: order 3 3 takes 9 numbers, not 2"),
    "order.svg": (b"<feConvolveMatrix order='1.5' kernelMatrix='1'/>", "order: must be columns and rows"),
    "bias.svg": (b"<feConvolveMatrix order='1' bias='.5' kernelMatrix='1'/>", "bias: is added to the response"),
    "out.svg": (b"<feConvolveMatrix order='1' targetX='1' kernelMatrix='1'/>", "1, 0 lies outside the matrix"),
    "word.svg": (b"<feConvolveMatrix order='1' kernelMatrix='x'/>", "kernelMatrix: must be a number"),
    "one.npy": (npy(np.ones(3)), r"must hold a 2-D array .*, not one of shape \(3,\): give it two dimensions"),
    "complex.npy": (npy(np.ones((2, 2), complex)), "must hold real numbers, not complex128"),
    "objects.npy": (npy(np.array([[{}]])), "must hold real numbers, not object"),
    "cut.npy": (npy(np.ones((9, 9)))[:-1], "ends before its last weight"),
    "huge.npy": (npy(np.ones((1, 1))).replace(b"(1, 1)", b"(9999, 9999)"), "is no .npy file|has more than"),
    "open.npy": (npy(np.ones((3, 3))).replace(b"}", b" "), "is no .npy file that can be read: write it by numpy.save"),
    "paren.npy": (npy(np.ones((3, 3))).replace(b"(3, 3)", b"(3, 3 "), "is no .npy file that can be read"),
    "negative.npy": (npy(np.ones((3, 3))).replace(b"(3, 3)", b"(-3,3)"), r"not one of shape \(-3, 3\)"),
    "magic.npy": (b"no array", "is no .npy file that can be read"),
    "infinite.npy": (npy(np.array([[1.0, np.inf]])), r"weights\[0\]\[1\]: must be a finite number, not inf"),
    "bytes.txt": (b"1 2 \xff", r"is not UTF-8 text \(byte 4\)"),
    "k.png": (b"\x89PNG\r\n\x1a\nno more", "k.png: .*PNG"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_answered_in_one_line_that_names_it(name, tmp_path):
    data, message = BAD[name]
    (tmp_path / name).write_bytes(data)
    with pytest.raises(KernelError, match=message) as caught:
        load_kernel(str(tmp_path / name))
    assert str(caught.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", sorted(set(EXACT) - {"yaml"}))
def test_a_composite_is_written_as_yaml_alone(name):
    with pytest.raises(KernelError, match=r"sobel: combines 2 kernels, which .* cannot hold: write YAML, or one of"):
        written(name, load_kernel("sobel"))


def test_pictures_in_colour_and_with_holes_are_no_kernels(tmp_path):
    from convcli import write_image

    write_image(tmp_path / "rgb.png", np.dstack([np.eye(3, dtype=np.uint8) * 9] * 2 + [np.eye(3, dtype=np.uint8)]))
    write_image(tmp_path / "alpha.png", np.dstack([np.eye(3, dtype=np.uint8) * 9] * 2))
    write_image(tmp_path / "gray.png", np.dstack([np.eye(2, dtype=np.uint8) * 9] * 3))
    assert load_kernel(str(tmp_path / "gray.png")).weights.tolist() == [[0.5, 0], [0, 0.5]]
    assert load_kernel(f"{tmp_path}/gray.png:normalize=none").weights.tolist() == [[9, 0], [0, 9]]
    with pytest.raises(KernelError, match=r"rgb\.png: is a picture in colour"):
        load_kernel(str(tmp_path / "rgb.png"))
    with pytest.raises(KernelError, match=r"alpha\.png: has transparent pixels"):
        load_kernel(str(tmp_path / "alpha.png"))


def test_a_point_spread_of_512_by_512_is_read_and_text_as_long_is_not(tmp_path):
    from convcli import write_image

    spread = np.random.default_rng(0).integers(1, 65536, (512, 512), np.uint16)
    write_image(tmp_path / "psf.tif", spread)
    np.save(tmp_path / "psf.npy", spread / spread.sum())
    picture = load_kernel(str(tmp_path / "psf.tif")).weights
    np.testing.assert_allclose(picture, spread / spread.sum(), rtol=1e-12)
    np.testing.assert_array_equal(load_kernel(str(tmp_path / "psf.npy")).weights, spread / spread.sum())
    for name in ("k.csv", "k.txt", "k"):
        (tmp_path / name).write_bytes(b"1 " * (2 << 20) + b"1\n")
        with pytest.raises(KernelError, match=r"has 4194306 bytes; a kernel file.* has at most 4194304"):
            load_kernel(str(tmp_path / name))


@pytest.mark.parametrize("suffix", NAMED)
def test_a_name_finds_a_users_file_in_each_notation(suffix, tmp_path, monkeypatch):
    (tmp_path / f"mine{suffix}").write_bytes(written(notation_of(suffix).name, Kernel("mine", WEIGHTS)))
    monkeypatch.setenv("CONVCLI_KERNELS", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    assert user_files() == {"mine": tmp_path / f"mine{suffix}"}
    np.testing.assert_array_equal(load_kernel("mine").weights, WEIGHTS)


def test_of_two_files_of_a_name_the_list_shows_the_one_that_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("CONVCLI_KERNELS", str(tmp_path))
    for name in ("mine.csv", "mine.yaml", "mine.npy", "README.txt", "mine.png"):
        (tmp_path / name).write_text("1 2")
    assert user_files() == {"mine": find("mine")} == {"mine": tmp_path / "mine.yaml"}


def test_what_nothing_says_is_read_in_the_notation_of_the_catalogue(tmp_path):
    assert {notation_of(path.suffix).name for path in catalogue_folder().iterdir()} == {DEFAULT}
    (tmp_path / "mine.kernel").write_text("weights: [[1, 2]]\n")
    assert load_kernel(f"{tmp_path}/mine.kernel").weights.tolist() == [[1, 2]]


def test_suffixes_are_written_in_lower_case_and_found_in_any(tmp_path):
    every = [suffix for each in NOTATIONS.values() for suffix in each.suffixes]
    assert all(re.fullmatch(r"\.[a-z]+", suffix) for suffix in every)
    assert len(every) == len(set(every))
    (tmp_path / "mine.YAML").write_text("weights: [[1, 2]]\n")
    assert load_kernel(f"{tmp_path}/mine.YAML").weights.tolist() == [[1, 2]]


def test_an_output_name_decides_the_notation():
    found = {path: written_notation(path).name for path in ("k", "k.yml", "a.b/k.CSV", "k.h", "k.png", "k.im")}
    assert found == {
        "k": "yaml", "k.yml": "yaml", "a.b/k.CSV": "csv", "k.h": "c", "k.png": "png", "k.im": "imagemagick",
    }  # fmt: skip
    assert written_notation("k.foo", "json").name == "json"
    with pytest.raises(OutputError, match=r"^k\.tif: kernels are not written as \.tif: expected \.yaml, \.yml, "):
        written_notation("k.tif")
    with pytest.raises(OutputError, match=r"^unknown notation 'jsn': expected .*; did you mean 'json'\?$"):
        written_notation(None, "jsn")
