"""Weights written out, random, and of a document."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from convcli.pipeline.errors import StepError
from convcli.pipeline.weights.store import WeightInit, WeightStore, parse_nested_lists

NUMBERS = np.arange(24, dtype=np.float32).reshape(2, 3, 4) / 7


def test_written_out_weights_may_be_fractions():
    assert_allclose(parse_nested_lists([[["1/9", 2]], [[-1, 1e-3]]], "w"), [[[1 / 9, 2]], [[-1, 1e-3]]], rtol=1e-7)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1, 2], 3], r"w\[1\]: must be a list, as the first is, not 3"),
        ([1, [2]], r"w\[1\]: must be a number, as the first is, not \[2\]"),
        ([1, True], r"w\[1\]: must be a number"),
        ([1, None], r"w\[1\]: must be a number"),
        ([1, "x"], r"w\[1\]: must be a number or a fraction like 1/16, not 'x'"),
        ([1, float("nan")], r"w\[1\]: must be a finite number"),
        ([[]], "w: holds an empty list"),
        ([1e300], "too large for single precision"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(rows, message):
    with pytest.raises(StepError, match=message):
        parse_nested_lists(rows, "w")


def test_he_weights_are_normal_with_variance_two_over_fan_in():
    drawn = WeightStore().get(WeightInit("he", 3), (64, 32, 3, 3), "conv_1")
    assert drawn.dtype == np.float32
    # Of 18,432 numbers the mean lies within 5 deviations / sqrt(n), the variance within 5 sqrt(2 / n) of its own.
    variance = 2 / (32 * 9)
    assert abs(drawn.mean()) < 5 * np.sqrt(variance / drawn.size)
    assert_allclose(drawn.var(), variance, rtol=5 * np.sqrt(2 / drawn.size))
    assert np.abs(drawn).max() > 3 * np.sqrt(variance)


def test_xavier_weights_are_uniform_within_their_bound():
    drawn = WeightStore().get(WeightInit("xavier"), (100, 50), "linear_1")
    bound = np.sqrt(6 / 150)
    assert np.abs(drawn).max() <= bound
    assert_allclose(drawn.var(), bound**2 / 3, rtol=0.05)
    assert np.abs(drawn).max() > 0.99 * bound


def test_drawn_weights_follow_from_seed_and_step():
    def draw(seed, place):
        return WeightStore().get(WeightInit("he", seed), (4, 3, 3, 3), place)

    assert_array_equal(draw(0, "a"), draw(0, "a"))
    assert not np.array_equal(draw(0, "a"), draw(1, "a"))
    assert not np.array_equal(draw(0, "a"), draw(0, "b"))


def test_weights_beyond_the_memory_are_refused_before_they_are_drawn():
    with pytest.raises(StepError, match=r"^weights of 1048576x1048576 take 4,398\.0 GB, and [0-9.]+ GB are free$"):
        WeightStore().get(WeightInit("xavier"), (1 << 20, 1 << 20), "a")


def test_a_documents_file_serves_its_steps_by_their_ids(tmp_path):
    np.savez(tmp_path / "net.npz", **{"c.weight": NUMBERS, "c.bias": np.ones(2)})
    store = WeightStore(tmp_path, "net.npz")
    assert_array_equal(store.get(None, (2, 3, 4), "c"), NUMBERS)
    assert_array_equal(store.biases(True, None, 2, "c"), [1, 1])
    with pytest.raises(StepError, match=r"weights of the document: net.npz:d.weight: there is none; did you mean 'c."):
        store.get(None, (2, 3, 4), "d")


def test_biases_follow_their_weights(tmp_path):
    np.savez(tmp_path / "net.npz", **{"c.weight": NUMBERS, "c.bias": np.ones(2), "bank": NUMBERS})
    store = WeightStore(tmp_path)
    assert store.biases(False, "net.npz:c.weight", 2, "x") is None
    assert_array_equal(store.biases(True, "net.npz:c.weight", 2, "x"), [1, 1])
    assert_array_equal(store.biases([3, "1/2"], "net.npz:c.weight", 2, "x"), [3, 0.5])
    assert_array_equal(store.biases("net.npz:c.bias", None, 2, "x"), [1, 1])
    assert_array_equal(store.biases(True, [[1]], 2, "x"), [0, 0])
    assert_array_equal(store.biases(True, WeightInit("he"), 2, "x"), [0, 0])
    with pytest.raises(
        StepError, match=r"bias: does not follow from weights: net.npz:bank: give a file, a list, or fal"
    ):
        store.biases(True, "net.npz:bank", 2, "x")
    with pytest.raises(StepError, match="bias: are of 3, and must be of 2"):
        store.biases([1, 2, 3], None, 2, "x")


def test_weights_are_asked_for_where_there_are_none():
    with pytest.raises(StepError, match=r"has no weights: give weights: \[\.\.\.\], a file, or \{init: he, seed: 0\}"):
        WeightStore().get(None, (1,), "a")
