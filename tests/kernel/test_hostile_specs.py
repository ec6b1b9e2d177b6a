"""Any text as a kernel, any file as one, any pipeline: an answer, or an error of ours."""

import contextlib
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.errors import ConvcliError
from convcli.kernel.model import CompositeKernel, Kernel
from convcli.kernel.spec import load_kernel, load_kernel_file, parse_weights, split_spec

WORDS = st.sampled_from(
    ["gaussian", "gabor", "sobel_x", "box", "disk", "size", "sigma", "theta", "=", ":", ",", ";", " ", "/", "-", "1",
     "3", "5", "0", "0.5", "1/3", "1e9", "1e-400", "-1", "nan", "inf", "x", "3x3", "~", ".yaml", "\n", "\0", "é", "{"]
)  # fmt: skip
SPECS = st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=10).map("".join))
YAML_WORDS = st.sampled_from(
    ["name: a\n", "weights: ", "[[1, 2], [3, 4]]", "[1, 2]\n", "\n", "  - [1, 0, 1]\n", "anchor: [0, 9]\n", "family: ",
     "gaussian\n", "parameters: ", "{sigma: 2}\n", "kernels:\n", "combine: max\n", "&a ", "*a", "!!x",
     "[", "]", "{", "}", "1e999", "steps:\n", "  - conv: {out: 1, kernel: 3}\n", "  - relu\n", "\t", "é"]
)  # fmt: skip
DOCUMENTS = st.one_of(
    st.binary(max_size=200), st.lists(YAML_WORDS, max_size=12).map(lambda words: "".join(words).encode())
)


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@settings(max_examples=150)
@given(SPECS)
def test_any_spec_is_a_kernel_of_finite_weights_or_an_error_of_ours(spec):
    try:
        kernel = load_kernel(spec)
    except ConvcliError:
        return
    for part in kernel.kernels if isinstance(kernel, CompositeKernel) else (kernel,):
        assert isinstance(part, Kernel)
        assert np.isfinite(part.weights).all()


@settings(max_examples=150)
@given(
    st.lists(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=4), min_size=1, max_size=4)
)
def test_weights_written_as_text_are_read_back_to_the_last_bit(rows):
    rows = [(row * 2)[: len(rows[0])] for row in rows]
    text = "; ".join(" ".join(map(repr, row)) for row in rows)
    np.testing.assert_array_equal(parse_weights(text), rows)


@settings(max_examples=100)
@given(
    st.from_regex(r"[a-z_]{1,8}", fullmatch=True),
    st.dictionaries(st.from_regex(r"[a-z]{1,5}", fullmatch=True), st.integers(), max_size=3),
)
def test_a_spec_is_split_as_it_was_put_together(base, parameters):
    spec = base + ":" * bool(parameters) + ",".join(f"{name}={value}" for name, value in parameters.items())
    assert split_spec(spec) == (base, {name: str(value) for name, value in parameters.items()})


@settings(max_examples=150)
@given(DOCUMENTS)
def test_any_bytes_are_a_kernel_file_or_an_error_of_ours(folder, data):
    path = folder / "k.yaml"
    path.write_bytes(data)
    with contextlib.suppress(ConvcliError):
        load_kernel_file(str(path))
