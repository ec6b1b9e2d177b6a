"""SPECs: how kernels are written on a command line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.errors import KernelError
from convcli.kernel.files.table import parse_rows
from convcli.kernel.spec import load_kernel, split_spec


@pytest.mark.parametrize(
    ("spec", "base", "parameters"),
    [
        ("sobel_x", "sobel_x", {}),
        (" gaussian : sigma = 2 , size=5x7 ", "gaussian", {"sigma": "2", "size": "5x7"}),
        ("a:b/k.yaml:sigma=2", "a:b/k.yaml", {"sigma": "2"}),
        ("C:\\k.yaml", "C:\\k.yaml", {}),
        ("odd:name=x.yaml:sigma=2", "odd:name=x.yaml", {"sigma": "2"}),
        ("0 1; 1 0:rotate=90", "0 1; 1 0", {"rotate": "90"}),
    ],
)
def test_parameters_follow_the_last_colon_before_a_word_and_an_equals_sign(spec, base, parameters):
    assert split_spec(spec) == (base, parameters)


BAD = {
    "": "the kernel is empty: give a name",
    "  ": "the kernel is empty",
    ":sigma=1": "the kernel is empty",
    "sobelx": r"^unknown kernel 'sobelx'; did you mean 'sobel_x'\? `convcli kernels list` shows them all$",
    "zzzz": "^unknown kernel 'zzzz'; `convcli kernels list` shows them all$",
    "gaussian:2": "unknown kernel 'gaussian:2': write gaussian:sigma=2",
    "gaussian:sigma=": "parameters are written param=value,param=value, not 'sigma='",
    "gaussian:sigma=2,5": "parameters are written param=value,param=value, not '5'",
    "gaussian:sigma=1,sigma=2": "the parameter 'sigma' is given twice",
    "gaussian:sgima=1": r"gaussian: sgima is not one of its parameters \(sigma, .*, truncate\); did you mean 'sigma'\?",
    "gaussian:sigma=0": "^gaussian: sigma must be greater than 0, not 0$",
    "gaussian:sigma=-1": "^gaussian: sigma must be greater than 0, not -1$",
    "gaussian:sigma=nan": "sigma must be a finite number, not nan",
    "gaussian:sigma=two": "sigma must be a number or a fraction like 1/16, not 'two'",
    "gaussian:size=4": "^gaussian: size must be odd, so that the kernel has a centre, not 4$",
    "gaussian:size=5x4": "size must be odd",
    "gaussian:truncate=0": "truncate must be greater than 0",
    "dog:size=6": "size must be odd",
    "dog:ratio=1": "ratio must be greater than 1, not 1",
    "dog:sigma2=1": "^dog: sigma2 must be greater than sigma, 1, not 1$",
    "dog:ratio=2,sigma2=3": "^dog: ratio and sigma2 are two ways to say one thing: give one of them$",
    "gaussian:sigma=2,fwhm=5": "^gaussian: sigma and fwhm are two ways to say one thing: give one of them$",
    "gaussian:order=5": "^gaussian: order must be a whole number from 0 to 4, not 5$",
    "gabor:wavelength=4,frequency=1/4": "^gabor: wavelength and frequency are two ways to say one thing",
    "gabor:sigma=4,bandwidth=1": "^gabor: sigma and bandwidth are two ways to say one thing",
    "sobel_x:size=5x3": "^sobel_x: size must be a square of 3 to 31, not 5x3$",
    "laplacian:size=33": "^laplacian: size must be a square of 3 to 31, not 33x33$",
    "log:size=6": "size must be odd",
    "log:dc=none": "dc must be zero or raw, not none",
    "gabor:size=8": "size must be odd",
    "gabor:theta=inf": "theta must be a finite number",
    "unsharp:size=2": "size must be odd",
    "disk:size=2": "size must be odd",
    "disk:radius=-1": "radius must be at least 0",
    "motion:size=2": "size must be odd",
    "motion:length=0": "length must be at least 1",
    "box:size=0": "size must be at least 1",
    "box:size=3.5": "size must be a whole number N or HxW, not 3.5",
    "box:size=-3": "size must be a whole number",
    "box:size=auto": "size must be a whole number",
    "box:size=99999": "makes a kernel of 99999x99999: at most",
    "gaussian:sigma=1e9": "gaussian: makes a kernel of .*: at most 32768 rows and columns are allowed",
    "disk:radius=1e300": "at most 16777216 weights",
    "motion:length=1e300": "at most 16777216 weights",
    "log:sigma=1e-200": "gives weights that are not finite numbers",
    "binomial:size=2000": "size must be at most 1024",
    "sharpen:sigma=2": "sharpen: has fixed weights and no parameter 'sigma': only normalize and rotate may be given",
    "sobel:rotate=90": "^sobel: is a composite and takes only size, scale, not 'rotate'$",
    "sobel:axis=x": "^sobel: is a composite and takes only size, scale, not 'axis'$",
    "kirsch:size=5": "^kirsch: is a composite and takes no parameters, not 'size'$",
    "disk:radius=1e300,size=3": "^disk: gives weights that are not finite numbers: its parameters are too extreme$",
    "log:sigma=1e200,size=5": "^log: gives weights that are not finite numbers: its parameters are too extreme$",
    "ring:inner=5": "^ring: no pixel lies between inner, 5, and radius, 5: make inner smaller$",
    "savgol:degree=7": "^savgol: degree must be at least order, 0, and less than size, 7, not 7$",
    "lanczos:cutoff=0.5": "^lanczos: cutoff must be less than 0.5, not 0.5$",
    "butterworth:cutoff2=0.2": "^butterworth: cutoff2 is the upper edge of a band: write kind=band$",
    "butterworth:kind=band,cutoff2=0.05": "^butterworth: cutoff2 must be greater than cutoff, 0.1, not 0.05$",
    "sobel_x:rotate=30": r"must be a multiple of 90 \(of 45 for 3x3\), not 30",
    "sobel_x:normalize=sum": "sobel_x: normalize: sum divides by the weights' sum, which is zero",
    "sobel_x:normalize=all": "sobel_x: normalize: must be one of",
    "sobel_x:rotate=1/2": "sobel_x: rotate: must be a multiple of 90",
    "1 2:rotate=45": "weights: rotate: must be a multiple of 90 for a kernel of 1x2",
    "1 2:size=4": "weights: has fixed weights and no parameter 'size': only normalize and rotate may be given",
    "1 2; 3": "weights, row 2: is of length 1 where the first is of 2",
    "1 2;; 3 4": "weights, row 2: is empty",
    ";": "weights, row 1: is empty",
    "1 x": "weights, row 1: must be a number or a fraction like 1/16, not 'x'",
    "x; 1": "weights, row 1: must be a number",
    "nan": "weights, row 1: must be a finite number, not nan",
    "1 -inf": "weights, row 1: must be a finite number, not -inf",
    "1e999": "weights, row 1: must be a finite number, not 1e999",
    "1e308 1e308": "weights: the weights are so large that their sum is infinite",
    "1/0": "weights, row 1: divides by zero: 1/0",
    "0,,0": "weights, row 1: must be a number or a fraction like 1/16, not ''",
    "1 2 3 4 5 6 7 8 9": "weights: is a single row of 9 numbers: write 3x3: before it for 3 rows, or 1x9: for one$",
    ",".join("1" * 25): "weights: is a single row of 25 numbers: write 5x5: before it for 5 rows, or 1x25: for one$",
    "3x3: 1 2 3": "weights: 3x3 takes 9 numbers, not 3",
    "[[1, 2], [3]]": r"custom: weights\[1\]: is of length 1 where the first row is of 2",
    "no.csv": "^no.csv: no such kernel file$",
    "no.kernel": "^no.kernel: no such kernel file$",
    "nowhere/k.yaml": "nowhere/k.yaml: no such kernel file",
    "no.YML": "no.YML: no such kernel file",
    "./nowhere": "nowhere: no such kernel file",
    "~nobody-of-that-name/k.yaml": "^~nobody-of-that-name/k.yaml: no such kernel file",
    "a" * 300: "^unknown kernel 'aaa",
    "a" * 300 + ".yaml": ": cannot be read: ",
    "a\0b": "^unknown kernel 'a",
    "a\0b.yaml": "cannot be read: no name of a file holds a NUL",
    "k.yaml:sigma=0": "k.yaml: no such kernel file",
}


@pytest.mark.parametrize("spec", BAD)
def test_a_bad_spec_is_answered_in_one_line(spec):
    with pytest.raises(KernelError, match=BAD[spec]) as caught:
        load_kernel(spec)
    assert "\n" not in str(caught.value)


def test_weights_as_text_are_called_custom():
    kernel = load_kernel("0 -1 0; -1 5 -1; 0 -1 0")
    assert kernel.name == "custom"
    np.testing.assert_array_equal(kernel.weights, [[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
    assert not kernel.weights.flags.writeable


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1", [[1]]),
        ("1 2 1", [[1, 2, 1]]),
        ("1;2;1;", [[1], [2], [1]]),
        ("1/16 2/16 1/16", [[1 / 16, 2 / 16, 1 / 16]]),
        ("1 0\n0 1\n", [[1, 0], [0, 1]]),
        ("-.5 +1e-3 2.", [[-0.5, 0.001, 2.0]]),
        ("1/-3 0.1/0.2", [[-1 / 3, 0.5]]),
        ("0,1/2,0; 1, 2, 3", [[0, 0.5, 0], [1, 2, 3]]),
        ("3x3: 1 2 3 4 5 6 7 8 9", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]),
        ("1x9: 1 2 3 4 5 6 7 8 9", [[1, 2, 3, 4, 5, 6, 7, 8, 9]]),
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
    ],
)
def test_weights_are_read_from_text(text, rows):
    assert load_kernel(text).weights.tolist() == rows


numbers = st.floats(allow_nan=False, allow_infinity=False)
matrices = st.integers(1, 5).flatmap(lambda n: st.lists(st.lists(numbers, min_size=n, max_size=n), min_size=1))


@given(matrices)
def test_weights_written_by_repr_are_read_back_exactly(rows):
    assert parse_rows(";".join(" ".join(map(repr, row)) for row in rows)).tolist() == rows


def test_a_path_may_carry_parameters_and_needs_no_suffix_with_a_slash(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "soft.yaml").write_text("family: gaussian\nparameters: {sigma: 2, size: 5}\nrotate: 90\n")
    (tmp_path / "plain").write_text("weights: [[1, 2]]\n")
    assert load_kernel("soft.yaml:size=7x3,rotate=90").size == (7, 3)
    assert load_kernel("soft.yaml:size=7x3").size == (3, 7)
    assert load_kernel("./plain").weights.tolist() == [[1, 2]]
    with pytest.raises(KernelError, match=r"to use the file of that name, write ./plain; `convcli"):
        load_kernel("plain")
    with pytest.raises(KernelError, match="soft: sigma must be greater than 0"):
        load_kernel("soft.yaml:sigma=0")


def test_a_file_called_as_a_number_or_a_name_is_never_taken_for_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sobel_x").write_text("weights: [[1]]\n")
    (tmp_path / "3").write_text("weights: [[1, 1]]\n")
    assert load_kernel("sobel_x").size == (3, 3)
    assert load_kernel("3").weights.tolist() == [[3]]
    assert load_kernel("./3").size == (1, 2)


def test_shaping_parameters_apply_to_any_single_kernel():
    np.testing.assert_array_equal(load_kernel("sobel_x:rotate=90").weights, -load_kernel("sobel_y").weights)
    gabor = load_kernel("gabor:sigma=2").weights
    found = load_kernel("gabor:normalize=abssum,sigma=2").weights
    np.testing.assert_allclose(found, gabor / np.abs(gabor).sum(), rtol=1e-15)
    assert load_kernel("1 2:rotate=90").weights.tolist() == [[2], [1]]
    assert load_kernel("kirsch_x:rotate=45").parameters == {"rotate": 45}


def test_parameters_are_kept_with_the_kernel():
    kernel = load_kernel("gaussian:sigma=2,size=5x7")
    assert kernel.family == "gaussian"
    assert kernel.parameters == {
        "sigma": 2.0, "fwhm": "auto", "sigma_x": "auto", "sigma_y": "auto", "theta": 0.0, "order": 0, "order_x": 0,
        "order_y": 0, "size": [5, 7], "truncate": 4.0,
    }  # fmt: skip


pieces = st.sampled_from(
    ["gaussian", "sobel_x", "box", ":", "=", ",", ";", " ", "/", "sigma", "size", "rotate", ".yaml"]
)


@given(st.one_of(st.text(), st.lists(st.one_of(pieces, st.text(max_size=3), st.integers().map(str))).map("".join)))
def test_any_text_is_a_kernel_or_one_line_of_error(text):
    try:
        complaint = "" if load_kernel(text).name else "a kernel without a name"
    except KernelError as error:
        complaint = str(error)
    assert complaint.count("\n") <= text.count("\n")
