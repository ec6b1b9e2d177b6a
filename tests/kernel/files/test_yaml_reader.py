"""Kernel files: what they may say, and the one line that answers what they may not."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import KernelError
from convcli.kernel.spec import load_kernel, load_kernel_file
from convcli.system.yaml_text import MAX_BYTES, YamlTextError, parse_yaml

ONE = "weights: [[1, 2, 1]]\n"

BAD = {
    "empty": ("", "is empty$"),
    "only a comment": ("# nothing\n", "is empty$"),
    "two documents": (f"{ONE}---\n{ONE}", "more than one document"),
    "a list": ("- 1\n", r"must be a mapping, not \[1\]"),
    "not YAML": ("weights: [[1, 2\n", "line 2: not valid YAML"),
    "a control character": ("name: \x07\n", "not valid YAML"),
    "nothing in it": ("name: x\n", "needs one of weights, family or kernels"),
    "both weights and family": (f"{ONE}family: box\n", "needs one of weights, family or kernels"),
    "ragged rows": ("weights: [[1, 2], [3]]\n", r"weights\[1\]: is of length 1 where the first row is of 2"),
    "no rows": ("weights: []\n", "weights: is empty"),
    "an empty row": ("weights: [[]]\n", "weights: is empty"),
    "a flat list": ("weights: [1, 2]\n", r"weights\[0\]: must be a list, not 1$"),
    "a single number": ("weights: 1\n", "weights: must be a list, not 1$"),
    "text for a weight": (
        "weights: [[1, x]]\n",
        r"weights\[0\]\[1\]: must be a number or a fraction like 1/16, not 'x'",
    ),
    "true for a weight": ("weights: [[true]]\n", r"weights\[0\]\[0\]: must be a number or text, not true$"),
    "nothing for a weight": ("weights: [[1, ]]\nanchor: [0, 5]\n", "anchor: .* lies outside the 1x1 kernel"),
    "null for a weight": ("weights: [[~]]\n", r"weights\[0\]\[0\]: must be a number or text, not nothing$"),
    "NaN": ("weights: [[1], [.nan]]\n", r"weights\[1\]\[0\]: must be a finite number, not nan"),
    "infinity": ("weights: [[-.inf]]\n", r"weights\[0\]\[0\]: must be a finite number, not -inf"),
    "a number beyond floats": (f"weights: [[{'9' * 400}]]\n", r"weights\[0\]\[0\]: must be a finite number"),
    "NaN as text": ("weights: [['nan']]\n", r"weights\[0\]\[0\]: must be a finite number"),
    "a division by zero": ("weights: [[1/0]]\n", r"weights\[0\]\[0\]: divides by zero"),
    "an unknown key": (
        f"{ONE}normalise: sum\n",
        r"unknown key 'normalise'; did you mean 'normalize'\? The keys are name",
    ),
    "an unknown key of a part": ("kernels: [{foo: 1}]\ncombine: sum\n", r"kernels\[0\]: unknown key 'foo'"),
    "a repeated key": (f"{ONE}{ONE}", "line 2: the key 'weights' is given twice"),
    "a list as key": ("? [1]\n: 2\n", "line 1: a key must be plain text"),
    "a Python object": (
        "weights: !!python/object/apply:os.system ['true']\n",
        "line 1: tags such as .* are not allowed",
    ),
    "a harmless tag": ("name: !!str x\n", "tags such as tag:yaml.org,2002:str are not allowed"),
    "an anchor": ("weights: &w [[1]]\n", "line 1: anchors and aliases"),
    "an alias": ("name: &n a\nsummary: *n\n", "line 1: anchors and aliases"),
    "a wrong normalize": (
        f"{ONE}normalize: sums\n",
        "normalize: unknown word 'sums': expected none, sum, .*; did you mean 'sum'",
    ),
    "a zero sum normalised": (
        "weights: [[1, -1]]\nnormalize: sum\n",
        "normalize: sum divides by the weights' sum, .* zero",
    ),
    "a sum that only rounds to zero": ("weights: [[0.1, 0.2, -0.3]]\nnormalize: sum\n", "normalize: sum divides"),
    "zeros normalised": ("weights: [[0, 0]]\nnormalize: abssum\n", "normalize: abssum divides"),
    "an anchor outside": (f"{ONE}anchor: [0, 3]\n", r"anchor: \[0, 3\] lies outside the 1x3 kernel"),
    "an anchor of one number": (f"{ONE}anchor: [0]\n", r"anchor: must be a list of 2, not \[0\]$"),
    "a negative anchor": (f"{ONE}anchor: [-1, 0]\n", "anchor: .* lies outside"),
    "a wrong mapping": (
        f"{ONE}mapping: absolute\n",
        "mapping: unknown word 'absolute': expected clip, abs, offset, stretch",
    ),
    "a turn by 30 degrees": (f"{ONE}rotate: 30\n", "rotate: must be a multiple of 90"),
    "an eighth turn of 1x3": (f"{ONE}rotate: 45\n", "rotate: must be a multiple of 90 for a kernel of 1x3"),
    "a turn by text": (f"{ONE}rotate: left\n", "rotate: must be a whole number, not 'left'$"),
    "a name with a slash": (f"{ONE}name: ../x\n", "name: must be letters, digits, _ and -, a letter first, not '../x'"),
    "a number for a name": (f"{ONE}name: 3\n", "name: must be text, not 3$"),
    "an unknown family": ("family: gausian\n", "family: there is no 'gausian'; did you mean 'gaussian'"),
    "parameters of fixed weights": (f"{ONE}parameters: {{a: 1}}\n", "parameters: need a family"),
    "an unknown parameter": ("family: box\nparameters: {side: 3}\n", "parameters.side is not one of its parameters"),
    "a negative sigma": (
        "family: gaussian\nparameters: {sigma: -1}\n",
        "parameters.sigma must be greater than 0, not -1",
    ),
    "an infinite sigma": ("family: gaussian\nparameters: {sigma: .inf}\n", "parameters.sigma must be a finite number"),
    "a list for sigma": ("family: gaussian\nparameters: {sigma: [1]}\n", "parameters.sigma must be a number"),
    "an even size": ("family: gaussian\nparameters: {size: 4}\n", "parameters.size must be odd"),
    "a size of three": (
        "family: box\nparameters: {size: [1, 2, 3]}\n",
        "parameters.size must be a whole number N or HxW",
    ),
    "no parts": ("kernels: []\ncombine: sum\n", "kernels: is empty"),
    "no combine": ("kernels: [box]\n", "combine: must say how .* magnitude, max, maxabs, sum$"),
    "combine alone": (f"{ONE}combine: sum\n", "combine: needs kernels"),
    "a composite with weights": (f"{ONE}kernels: [box]\ncombine: sum\n", "weights: belongs to one kernel"),
    "a composite that turns": ("kernels: [box]\ncombine: sum\nrotate: 90\n", "rotate: belongs to one kernel"),
    "a composite in a composite": ("kernels: [sobel]\ncombine: sum\n", r"kernels\[0\]: .*sobel.*cannot be a part"),
    "an unknown part": (
        "kernels: [box, boxx]\ncombine: sum\n",
        r"kernels\[1\]: unknown kernel 'boxx'; did you mean 'box'",
    ),
    "a bad inline part": (
        "kernels: [{weights: [[1], []]}]\ncombine: sum\n",
        r"kernels\[0\]: weights\[1\]: is of length 0",
    ),
    "itself as a part": ("kernels: [bad.yaml]\ncombine: sum\n", r"kernels\[0\]: .*cannot be a part"),
    "deep nesting": ("weights: " + "[" * 300_000, "line 1: is nested more than 8 deep"),
    "deep nesting of blocks": ("- " * 10_000 + "1\n", "is nested more than 8 deep"),
    "a long row cut off": ("weights: [[" + "1, " * 1000, "not valid YAML"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_answered_in_one_line_with_its_name_and_the_reason(case, tmp_path):
    text, reason = BAD[case]
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(KernelError, match=reason) as caught:
        load_kernel(str(path))
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert caught.value.exit_status == 2


def test_an_alias_bomb_is_refused_before_it_grows(tmp_path):
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    (tmp_path / "bomb.yaml").write_text("\n".join(lines))
    with pytest.raises(KernelError, match=r"bomb.yaml: line 1: anchors and aliases \(& and \*\) are not allowed"):
        load_kernel_file(tmp_path / "bomb.yaml")


def test_a_file_of_ten_megabytes_is_refused_by_its_size(tmp_path):
    (tmp_path / "large.yaml").write_bytes(b"# " + b"x" * 10_000_000)
    with pytest.raises(KernelError) as caught:
        load_kernel_file(tmp_path / "large.yaml")
    large = tmp_path / "large.yaml"
    assert str(caught.value) == f"{large}: has 10000002 bytes; a kernel file has at most {MAX_BYTES}"


def test_a_file_that_is_not_there_a_folder_and_bytes_that_are_not_text_are_named(tmp_path):
    with pytest.raises(KernelError, match=r"none\.yaml: no such kernel file"):
        load_kernel(str(tmp_path / "none.yaml"))
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(KernelError, match=r"folder\.yaml: is a folder"):
        load_kernel(str(tmp_path / "folder.yaml"))
    (tmp_path / "bytes.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(KernelError, match=r"bytes.yaml: is not UTF-8 text \(byte 6\)"):
        load_kernel(str(tmp_path / "bytes.yaml"))


def load_text(tmp_path, text):
    (tmp_path / "good.yaml").write_text(text)
    return load_kernel_file(tmp_path / "good.yaml")


def test_weights_may_be_numbers_and_fractions(tmp_path):
    kernel = load_text(tmp_path, "weights: [[1/16, -2/3, 1e-3], ['0.5', .25, +4]]\n")
    np.testing.assert_array_equal(kernel.weights, [[1 / 16, -2 / 3, 1e-3], [0.5, 0.25, 4.0]])
    assert kernel.name == "good"


def test_numbers_are_read_as_yaml_1_2_reads_them(tmp_path):
    assert load_text(tmp_path, "weights: [[010, 1e3]]\n").weights.tolist() == [[10.0, 1000.0]]
    assert parse_yaml("[1:30, no, 1_000, 0x10, 2020-01-01]", "x") == ["1:30", "no", "1_000", "0x10", "2020-01-01"]


@pytest.mark.parametrize(
    ("file", "name"), [("my kernel.yaml", "my_kernel"), ("3.yaml", "kernel_3"), ("größe.yaml", "größe")]
)
def test_a_kernel_without_a_name_is_called_after_its_file(file, name, tmp_path):
    (tmp_path / file).write_text(ONE)
    assert load_kernel(str(tmp_path / file)).name == name


def test_every_key_arrives(tmp_path):
    kernel = load_text(
        tmp_path,
        "name: mine\nsummary: 'What it does: this.'\nreference: me\nweights: [[1, 0, 0, 3]]\n"
        "normalize: sum\nanchor: [0, 0]\nmapping: offset\nrotate: 90\n",
    )
    assert (kernel.name, kernel.summary, kernel.reference, kernel.mapping) == (
        "mine",
        "What it does: this.",
        "me",
        "offset",
    )
    np.testing.assert_array_equal(kernel.weights, [[0.75], [0], [0], [0.25]])
    assert kernel.anchor == (3, 0)  # the anchor turns with its kernel


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("none", [[-1, 2, 2]]),
        ("sum", [[-1 / 3, 2 / 3, 2 / 3]]),
        ("abssum", [[-0.2, 0.4, 0.4]]),
        ("posneg", [[-1.0, 0.5, 0.5]]),
    ],
)
def test_normalize_scales_as_it_says(how, expected, tmp_path):
    kernel = load_text(tmp_path, f"weights: [[-1, 2, 2]]\nnormalize: {how}\n")
    np.testing.assert_allclose(kernel.weights, expected, rtol=1e-15)


def test_posneg_leaves_a_side_that_is_not_there(tmp_path):
    assert load_text(tmp_path, "weights: [[1, 0, 3]]\nnormalize: posneg\n").weights.tolist() == [[0.25, 0.0, 0.75]]


def test_rotate_turns_counter_clockwise_as_displayed(tmp_path):
    rows = "weights: [[1, 2, 3], [4, 5, 6], [7, 8, 9]]\n"
    assert load_text(tmp_path, f"{rows}rotate: 90\n").weights.tolist() == [[3, 6, 9], [2, 5, 8], [1, 4, 7]]
    assert load_text(tmp_path, f"{rows}rotate: 45\n").weights.tolist() == [[2, 3, 6], [1, 5, 9], [4, 7, 8]]
    assert load_text(tmp_path, f"{rows}rotate: -45\n").weights.tolist() == [[4, 1, 2], [7, 5, 3], [8, 9, 6]]
    for turn in range(0, 360, 45):
        twice = load_text(tmp_path, f"{rows}rotate: {turn + 360}\n").weights
        np.testing.assert_array_equal(twice, load_text(tmp_path, f"{rows}rotate: {turn}\n").weights)


def test_a_file_may_name_a_family(tmp_path):
    kernel = load_text(
        tmp_path, "family: gabor\nparameters: {sigma: 2, theta: 1/2, size: [5, 7], dc: zero}\nnormalize: abssum\n"
    )
    assert kernel.size == (5, 7)
    np.testing.assert_allclose(np.abs(kernel.weights).sum(), 1.0)
    assert kernel.parameters == {
        "sigma": 2.0, "wavelength": 10.0, "theta": 0.5, "gamma": 1.0, "psi": 0.0, "dc": "zero", "size": [5, 7],
    }  # fmt: skip


def test_the_python_reader_of_yaml_gives_the_same_where_libyaml_is_missing(monkeypatch):
    import yaml

    text = "{name: a, weights: [[1, 2e-1], ['3', 1/4]], ok: true, none: ~}"
    expected = parse_yaml(text, "x")
    monkeypatch.delattr(yaml, "CSafeLoader")
    assert parse_yaml(text, "x") == expected
    with pytest.raises(YamlTextError, match="anchors and aliases"):
        parse_yaml("[&a 1, *a]", "x")
    with pytest.raises(YamlTextError, match="nested more than 8 deep"):
        parse_yaml("[" * 100_000, "x")


WORDS = ("weights", "kernels", "family", "parameters", "box", "1", "-0.5", "1/16", "&a", "*a", "!x", "# ")
MARKS = (": ", "\n", "\n  - ", "[", "]", "{", "}", ", ", "'", "|\n", "---\n")
yaml_pieces = st.sampled_from(WORDS + MARKS)


@given(st.one_of(st.text(), st.lists(yaml_pieces, max_size=30).map("".join)))
def test_any_text_in_a_file_is_a_kernel_or_an_error_that_names_it(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        complaint = "" if load_kernel_file(path).name else "a kernel without a name"
    except KernelError as error:
        complaint = str(error)
    assert not complaint or str(path) in complaint
