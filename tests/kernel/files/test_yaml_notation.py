"""Kernel files in YAML: read strictly, and written so that they read back to the same bits."""

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from kernel_cases import any_weights

from convcli.errors import KernelError
from convcli.kernel.catalogue import catalogue_names
from convcli.kernel.files.yaml_notation import read, write
from convcli.kernel.model import CompositeKernel, Kernel
from convcli.kernel.spec import load_kernel, load_kernel_file


@given(any_weights, st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])))
def test_any_kernel_survives_a_file_to_the_last_bit(tmp_path_factory, weights, summary):
    path = tmp_path_factory.getbasetemp() / "kernel.yaml"
    path.write_bytes(write(Kernel("any", weights, anchor=(0, 0), mapping="clip", summary=summary)))
    kernel = load_kernel_file(path)
    assert kernel.weights.tobytes() == weights.tobytes()  # -0.0 and subnormal numbers included
    assert (kernel.name, kernel.anchor, kernel.mapping, kernel.summary) == ("any", (0, 0), "clip", summary)


@pytest.mark.parametrize("name", catalogue_names())
def test_every_shipped_kernel_survives_a_file_to_the_last_bit(name, tmp_path):
    kernel = load_kernel(name)
    text = write(kernel, origin=name)
    (tmp_path / f"{name}.yaml").write_bytes(text)
    again = load_kernel_file(tmp_path / f"{name}.yaml")
    assert (again.name, again.summary, again.reference) == (kernel.name, kernel.summary, kernel.reference)
    if isinstance(kernel, CompositeKernel):
        assert again.combine == kernel.combine
        assert [part.weights.tobytes() for part in again.kernels] == [part.weights.tobytes() for part in kernel.kernels]
    else:
        assert again.weights.tobytes() == kernel.weights.tobytes()
        # Any other YAML reader gets the same numbers.
        np.testing.assert_array_equal(np.array(yaml.safe_load(text)["weights"], dtype=float), kernel.weights)


def test_a_kernel_too_large_for_a_file_is_refused():
    with pytest.raises(KernelError, match="gaussian: 801x801 weights make a file of more than 4194304 bytes"):
        write(load_kernel("gaussian:sigma=100"))


def test_the_origin_stays_one_comment_line():
    text = write(load_kernel("1 2"), origin="1\n2").decode()
    assert text.startswith("# From: 1 2\nname: custom\n")


def test_what_a_file_says_is_read_key_by_key():
    described = read(b"weights: [[1, 1/2]]\nanchor: [0, 1]\nnormalize: sum\n", "k.yaml")
    assert described.weights == [[1, "1/2"]]
    assert (described.anchor, described.normalize, described.combine) == ((0, 1), "sum", None)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("weights: [[1, 2\n", "k.yaml: line 2", None),
        ("weights: [[true]]\n", "k.yaml: weights[0][0]", "must be a number or text, not true"),
        ("[1]\n", "k.yaml", "must be a mapping, not [1]"),
        ("kernels: [{weight: 1}]\n", "k.yaml: kernels[0]", None),
    ],
)
def test_an_error_has_the_place_in_the_file(text, where, what, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "k.yaml").write_text(text)
    with pytest.raises(KernelError) as caught:
        load_kernel("./k.yaml")
    assert caught.value.where == where
    assert what is None or caught.value.what == what


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
