"""Kernels as files: written and read back to the same bits."""

import numpy as np
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from convcli.errors import KernelError
from convcli.kernel.catalogue import catalogue_names
from convcli.kernel.describe import common_denominator, describe
from convcli.kernel.files.yaml_notation import write
from convcli.kernel.model import CompositeKernel, Kernel, named_after
from convcli.kernel.preview import diverging_colours, marks, scaled_for_picture, weight_table
from convcli.kernel.spec import load_kernel, load_kernel_file

finite = st.floats(allow_nan=False, allow_infinity=False)
any_weights = arrays(
    float, st.tuples(st.integers(1, 4), st.integers(1, 4)), elements=finite.filter(lambda value: abs(value) < 1e307)
)


@given(any_weights, st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_any_kernel_survives_a_file_to_the_last_bit(tmp_path_factory, weights, summary):
    path = tmp_path_factory.getbasetemp() / "kernel.yaml"
    path.write_bytes(write(Kernel("any", weights, anchor=(0, 0), mapping="clip", summary=summary)).encode())
    kernel = load_kernel_file(path)
    assert kernel.weights.tobytes() == weights.tobytes()  # -0.0 and subnormal numbers included
    assert (kernel.name, kernel.anchor, kernel.mapping, kernel.summary) == ("any", (0, 0), "clip", summary)


@pytest.mark.parametrize("name", catalogue_names())
def test_every_shipped_kernel_survives_a_file_to_the_last_bit(name, tmp_path):
    kernel = load_kernel(name)
    text = write(kernel, origin=name)
    (tmp_path / f"{name}.yaml").write_bytes(text.encode())
    again = load_kernel_file(tmp_path / f"{name}.yaml")
    assert (again.name, again.summary, again.reference) == (kernel.name, kernel.summary, kernel.reference)
    if isinstance(kernel, CompositeKernel):
        assert again.combine == kernel.combine
        assert [part.weights.tobytes() for part in again.kernels] == [part.weights.tobytes() for part in kernel.kernels]
    else:
        assert again.weights.tobytes() == kernel.weights.tobytes()
        # Any other YAML reader gets the same numbers.
        np.testing.assert_array_equal(np.array(yaml.safe_load(text)["weights"], dtype=float), kernel.weights)


def test_a_kernel_is_called_as_the_file_it_goes_to_where_that_makes_a_name():
    kernel = load_kernel("gaussian")
    assert named_after(kernel, "folder/soft.yaml").name == "soft"
    assert named_after(kernel, "folder/2 soft.yaml").name == "gaussian"


def test_a_kernel_too_large_for_a_file_is_refused():
    with pytest.raises(KernelError, match="gaussian: 801x801 weights make a file of more than 4194304 bytes"):
        write(load_kernel("gaussian:sigma=100"))


def test_the_origin_stays_one_comment_line():
    text = write(load_kernel("1 2"), origin="1\n2")
    assert text.startswith("# From: 1 2\nname: custom\n")


def test_a_description_holds_what_json_can():
    import json

    about = json.loads(json.dumps(describe(load_kernel("gaussian:size=3x5"))))
    assert (about["size"], about["rank"], about["separable"], about["anchor"]) == ([3, 5], 1, True, [1, 2])
    assert about["parameters"]["size"] == [3, 5]
    assert about["sum"] == 1.0
    assert [part["name"] for part in describe(load_kernel("sobel"))["kernels"]] == ["sobel_x", "sobel_y"]


@pytest.mark.parametrize(
    ("spec", "denominator"),
    [
        ("sobel_x", 1),
        ("box", 9),
        ("binomial:size=5", 256),
        ("box:size=7", 49),
        ("gaussian", None),
        ("0 0", 1),
        ("1e-10 2e-10", None),
    ],
)
def test_a_common_denominator_is_found_where_there_is_a_small_one(spec, denominator):
    assert common_denominator(load_kernel(spec).weights) == denominator


def test_a_large_kernel_shows_its_middle():
    shown = weight_table(load_kernel("gaussian:sigma=5").weights, width=78)
    assert (len(shown.rows), len(shown.rows[0])) == (9, 7)
    assert (shown.top, shown.left) == (16, 17)
    assert {len(cell) for row in shown.rows for cell in row} == {len(shown.rows[0][0])}
    assert float(shown.rows[4][3]) == pytest.approx(load_kernel("gaussian:sigma=5").weights.max(), abs=1e-4)


@given(any_weights, st.integers(1, 120))
@example(np.array([[0.0, 0.0], [-1e5, -3.7e-245]]), 22)
def test_any_kernel_lines_up_within_the_width(weights, width):
    shown = weight_table(weights, width)
    lengths = {len(cell) for row in shown.rows for cell in row}
    assert len(lengths) == 1
    assert len(shown.rows[0]) == 1 or len(shown.rows[0]) * (lengths.pop() + 2) <= width


def test_a_picture_keeps_thin_lines_when_it_shrinks():
    weights = np.zeros((101, 101))
    weights[50] = -1.0
    small = scaled_for_picture(weights, target=1, most=20)
    assert small.shape == (17, 17)
    assert (small.min(axis=0) == -1.0).all()
    assert marks(np.zeros((1, 2))) == ["...."]
    np.testing.assert_array_equal(diverging_colours(np.zeros((1, 1))), [[[247, 247, 247]]])
