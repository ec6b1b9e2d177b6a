"""The parts under convolve(): padding indices against numpy.pad, sizes against counting, threads, combining."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle import NUMPY_PADDING
from scipy import ndimage

from convcli import convolve
from convcli.convolution.geometry import axis_geometry
from convcli.convolution.options import PADDING_MODES, available_threads
from convcli.convolution.padding import PaddedSource, source_indices
from convcli.errors import FilterError, UsageError
from convcli.system.threads import SharedLimit, run_tasks


@given(
    mode=st.sampled_from(PADDING_MODES), length=st.integers(1, 9), before=st.integers(0, 40), after=st.integers(0, 40)
)
def test_indices_repeat_samples_as_numpy_pad_does(mode, length, before, after):
    samples = np.arange(length)
    extra = {"constant_values": -1} if mode == "constant" else {}
    expected = np.pad(samples, (before, after), mode=NUMPY_PADDING[mode], **extra)
    np.testing.assert_array_equal(source_indices(length, before, after, mode), expected)


@given(
    mode=st.sampled_from(PADDING_MODES),
    size=st.tuples(st.integers(1, 7), st.integers(1, 7)),
    before=st.tuples(st.integers(0, 12), st.integers(0, 12)),
    after=st.tuples(st.integers(0, 12), st.integers(0, 12)),
    data=st.data(),
)
def test_a_tile_is_that_part_of_the_padded_image(mode, size, before, after, data):
    pixels = np.random.default_rng(0).integers(0, 255, (*size, 2), dtype=np.uint8)
    extra = {"constant_values": 9} if mode == "constant" else {}
    whole = np.pad(pixels, (*zip(before, after, strict=True), (0, 0)), mode=NUMPY_PADDING[mode], **extra)
    top, left = (data.draw(st.integers(0, whole.shape[axis] - 1)) for axis in (0, 1))
    height = data.draw(st.integers(1, whole.shape[0] - top))
    width = data.draw(st.integers(1, whole.shape[1] - left))
    tile = np.full((height, width, 2), np.nan, np.float32)
    PaddedSource(pixels, before, after, mode, 9.0).read(top, left, tile)
    np.testing.assert_array_equal(tile, whole[top : top + height, left : left + width])


@given(
    length=st.integers(1, 30),
    taps=st.integers(1, 6),
    stride=st.integers(1, 5),
    dilation=st.integers(1, 4),
    extent=st.sampled_from(["same", "valid", "full"]),
    data=st.data(),
)
def test_output_sizes_count_the_places_where_the_kernel_lies(length, taps, stride, dilation, extent, data):
    anchor = data.draw(st.integers(0, taps - 1))
    span = dilation * (taps - 1) + 1
    # Every place of the kernel's first sample, counted from the image's first.
    places = {
        "same": range(-anchor * dilation, length - anchor * dilation),
        "valid": range(length - span + 1),
        "full": range(1 - span, length),
    }[extent]
    if not places:
        with pytest.raises(FilterError, match="does not fit into"):
            axis_geometry(length, taps, anchor=anchor, extent=extent, stride=stride, dilation=dilation)
        return
    axis = axis_geometry(length, taps, anchor=anchor, extent=extent, stride=stride, dilation=dilation)
    assert axis.output == len(places[::stride])
    assert -axis.before == places[0]
    assert axis.before + length + axis.after >= (axis.output - 1) * stride + span


def test_an_anchor_outside_the_kernel_is_refused():
    with pytest.raises(UsageError, match="anchor 3 lies outside a kernel of 3"):
        axis_geometry(10, 3, anchor=3)


@pytest.mark.parametrize("threads", [1, 2, 7])
def test_every_task_is_done_once(threads):
    done = []
    run_tasks(50, lambda: done.append, threads)
    assert sorted(done) == list(range(50))


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failing_task_stops_the_others_and_is_raised(threads):
    done = []

    def do(number):
        if number == 5:
            raise MemoryError("tile 5")
        done.append(number)

    with pytest.raises(MemoryError, match="tile 5"):
        run_tasks(10_000, lambda: do, threads)
    assert len(done) < 10_000


def test_an_interrupt_while_helpers_start_stops_them(monkeypatch):
    started, done = [], []

    class Interrupted(threading.Thread):
        def start(self):
            if started:
                raise KeyboardInterrupt
            super().start()
            started.append(self)

    def do(number):
        time.sleep(0.001)
        done.append(number)

    monkeypatch.setattr(threading, "Thread", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_tasks(10_000, lambda: do, threads=3)
    started[0].join()
    assert len(done) < 10_000


def test_a_shared_limit_is_restored_by_the_last_of_overlapping_callers():
    current = [8]

    def limit(count):
        before = current[0]
        current[0] = count
        return lambda: current.__setitem__(0, before)

    held = SharedLimit(limit)
    first, second = held(1), held(1)
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert current == [1]
    second.__exit__(None, None, None)
    assert current == [8]


def test_threads_are_those_this_process_may_use():
    assert 1 <= available_threads() <= 4096


@pytest.mark.parametrize("shape", [(1, 500), (500, 1), (1, 1), (2, 3)], ids=str)
def test_fft_takes_images_of_few_rows_or_columns(shape):
    image = np.random.default_rng(2).uniform(-1, 1, shape)
    for size in ((1, 1), (1, 41), (41, 1), (3, 3)):
        weights = np.random.default_rng(3).standard_normal(size)
        expected = ndimage.correlate(image, weights, mode="mirror")
        allowed = 1e-13 * np.abs(weights).sum()
        np.testing.assert_allclose(convolve(image, weights, backend="fft"), expected, rtol=0, atol=allowed)
