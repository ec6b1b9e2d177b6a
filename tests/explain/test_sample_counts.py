"""Samples that are held at once, and those that no window reads."""

from explain_cases import conv, explained
from hypothesis import given, settings
from hypothesis import strategies as st

from convcli.explain.sample_counts import unread_along_axis


@given(
    length=st.integers(1, 40),
    window=st.integers(1, 5),
    stride=st.integers(1, 6),
    dilation=st.integers(1, 3),
    before=st.integers(0, 2),
    after=st.integers(0, 2),
)
@settings(max_examples=200)
def test_samples_that_no_window_reads_are_counted(length, window, stride, dilation, before, after):
    span = dilation * (window - 1) + 1
    if length + before + after < span:
        return
    output = (length + before + after - span) // stride + 1
    read = {o * stride - before + t * dilation for o in range(output) for t in range(window)} & set(range(length))
    found = unread_along_axis(length, output, window, stride, dilation, before)
    assert found.after + found.between == length - len(read)
    if stride <= span and dilation == 1:
        assert found.between == 0
        assert found.after == length - 1 - max(read, default=-1)


def test_lost_samples_are_warned_of():
    found = explained([{"max_pool": {"size": 3, "stride": 2}}, conv(1, 2, stride=2)], (32, 31, 1))
    assert found.warnings == (
        "max_pool_1: no window reads the last 1 row of 32: a stride of 2 does not come out even at 32x31x1; pad by "
        "more, or take an image of another size",
        "conv_1: no window reads the last 1 row of 15 and the last 1 column of 15: a stride of 2 does not come out "
        "even at 15x15x1; pad by more, or take an image of another size",
    )
    assert explained([{"max_pool": 2}], (32, 32, 1)).warnings == ()
    assert explained([{"crop": {"top": 3}}], (32, 32, 1)).warnings == ()


def test_memory_is_that_of_what_is_still_read():
    steps = [
        {**conv(8, 1), "name": "first"},
        "relu",
        "relu",
        {"add": {}, "from": ["relu_2", "first"]},
        {"conv": {"out": 1, "kernel": 1}},
    ]
    found = explained(steps, (10, 10, 1))
    # first is held until it is added: first, relu_1 and relu_2, or first, relu_2 and the sum.
    assert found.totals.peak_activation_bytes == 4 * 100 * (8 + 8 + 8)
    assert found.totals.activation_bytes == 4 * 100 * (8 + 8 + 8 + 8 + 1)
