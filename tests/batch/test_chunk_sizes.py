"""How many files are handed out at a time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from convcli.batch.chunk_sizes import Chunks
from convcli.batch.work import BatchTask


def tasks(sizes):
    return [BatchTask(f"{number}.png", "", size, False) for number, size in enumerate(sizes)]


@given(
    sizes=st.lists(st.integers(0, 10**8), max_size=300),
    jobs=st.integers(1, 8),
    speed=st.floats(1e-12, 1e-3),
)
def test_chunks_give_everything_once_and_in_order(sizes, jobs, speed):
    items = tasks(sizes)
    chunks = Chunks(items, jobs)
    given_out = []
    while chunks.more:
        chunk = chunks.next()
        assert 1 <= len(chunk) <= 128
        chunks.measured(chunk, speed * sum(item.bytes for item in chunk))
        given_out += chunk
    assert given_out == items
    assert chunks.next() == []


def test_chunks_become_small_again_towards_the_end():
    items = tasks([1000] * 1000)
    chunks = Chunks(items, jobs=2)
    lengths = []
    while chunks.more:
        chunk = chunks.next()
        lengths.append(len(chunk))
        chunks.measured(chunk, 1e-3 * len(chunk))
    assert lengths[0] == 1  # nothing is known yet
    assert max(lengths) == pytest.approx(50, abs=2)  # of a millisecond each
    assert lengths[-1] == 1


def test_long_names_make_short_chunks():
    items = [BatchTask("d/" * 1500 + f"{number}.png", "o/" * 1500, 100, False) for number in range(200)]
    chunks = Chunks(items, jobs=1)
    lengths = []
    while chunks.more:
        chunk = chunks.next()
        lengths.append(len(chunk))
        chunks.measured(chunk, 1e-6 * len(chunk))
    assert max(lengths) == 3  # of 6 kB each
    assert sum(lengths) == 200


def test_large_files_are_given_one_by_one():
    chunks = Chunks(tasks([10**7] * 20), jobs=2)
    chunks.measured(chunks.next(), 0.3)
    assert len(chunks.next()) == 1
    assert chunks.queue == 2 or not chunks.more
