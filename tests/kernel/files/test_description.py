"""What kernel files may say, and the one line that answers what they may not."""

from pathlib import Path

import numpy as np
import pytest

from convcli.errors import KernelError
from convcli.kernel.files.description import KernelFile, SingleKernel, build
from convcli.kernel.spec import load_kernel, load_kernel_file

ONE = "weights: [[1, 2, 1]]\n"

BAD = {
    "a list": ("- 1\n", r"must be a mapping, not \[1\]"),
    "nothing in it": ("name: x\n", "needs one of weights, family or kernels"),
    "both weights and family": (
        f"{ONE}family: box\n",
        "weights: are not those that box gives with these parameters: leave out",
    ),
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
    "a turn by text": (f"{ONE}rotate: left\n", "rotate: must be a number, not 'left'$"),
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
    "no combine": ("kernels: [box]\n", "combine: must say how .* sum, hard_threshold, soft_threshold$"),
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


def load_text(tmp_path, text):
    (tmp_path / "good.yaml").write_text(text)
    return load_kernel_file(tmp_path / "good.yaml")


def test_weights_may_be_numbers_and_fractions(tmp_path):
    kernel = load_text(tmp_path, "weights: [[1/16, -2/3, 1e-3], ['0.5', .25, +4]]\n")
    np.testing.assert_array_equal(kernel.weights, [[1 / 16, -2 / 3, 1e-3], [0.5, 0.25, 4.0]])
    assert kernel.name == "good"


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
        "sigma": 2.0, "wavelength": 10.0, "frequency": "auto", "bandwidth": "auto", "theta": 0.5, "gamma": 1.0,
        "psi": 0.0, "dc": "zero", "size": [5, 7],
    }  # fmt: skip


def test_an_error_has_the_file_and_key_apart_from_the_reason(tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("weights: [[1, x]]\n")
    with pytest.raises(KernelError) as caught:
        load_kernel_file(path)
    assert caught.value.where == f"{path}: weights[0][1]"
    assert caught.value.what == "must be a number or a fraction like 1/16, not 'x'"


def test_a_description_needs_no_file():
    described = KernelFile(kernels=["1 2", SingleKernel(family="box")], combine="sum")
    kernel = build(described, Path("mine.yaml"), {}, lambda spec, _: load_kernel(spec))
    assert kernel.name == "mine"
    assert [part.name for part in kernel.kernels] == ["custom", "mine_2"]


def test_a_composite_of_too_many_parts_is_refused():
    described = KernelFile(kernels=["1"] * 65, combine="sum")
    with pytest.raises(KernelError, match=r"mine\.yaml: kernels: are 65; at most 64 may be combined"):
        build(described, Path("mine.yaml"), {}, lambda spec, _: load_kernel(spec))
