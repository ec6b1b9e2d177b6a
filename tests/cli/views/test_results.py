"""What `filter` says of images: how each kernel was computed, and where the time went."""

import pytest

from convcli.cli.views.results import choices, outcome, summary, timing_table
from convcli.process.result import ImageResult, StepResult

SECONDS = dict.fromkeys(("read", "prepare", "filter", "write", "total"), 0.001)


def result(*steps):
    return ImageResult("a.png", "b.png", "done", (1, 1, 1), (1, 1, 1), steps=steps, seconds=SECONDS)


def test_images_that_were_treated_alike_share_a_line():
    def step(seconds, after=("direct", 0.009)):
        return result(StepResult("box", "opencv", "9 weights", seconds, after))

    assert choices([step(0.002), step(0.0051), step(0.003, ("direct", 2.5))]) == [
        "box: opencv, 9 weights; predicted 2 ms to 5.1 ms, next direct 9 ms to 2.5 s"
    ]
    assert choices([step(0.002), step(0.002, ("fft", 0.004))]) == [
        "box: opencv, 9 weights; predicted 2 ms, next direct 9 ms",
        "box: opencv, 9 weights; predicted 2 ms, next fft 4 ms",
    ]
    assert choices([step(0.002, None)]) == ["box: opencv, 9 weights; predicted 2 ms"]
    assert timing_table([step(0.002, None)])[-1] == "box: opencv, 9 weights; predicted 2 ms"


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0 ms"),
        (4.2e-7, "4.2e-4 ms"),
        (0.00999, "9.99 ms"),
        (0.0999, "99.9 ms"),
        (0.12345, "123 ms"),
        (0.9996, "1 s"),
        (1.0, "1 s"),
        (12.345, "12.3 s"),
    ],
)
def test_times_are_told_in_three_digits(seconds, told):
    assert choices([result(StepResult("box", "fft", "why", seconds))]) == [f"box: fft, why; predicted {told}"]


def test_a_line_says_what_was_written_and_how_long_it_took():
    done = ImageResult(
        "a.png", "b.png", "done", (4, 6, 3), (4, 6, 3), "u8", "abs", steps=(StepResult("box", "fft"),), seconds=SECONDS
    )
    assert summary(done) == "wrote b.png: 6 x 4 RGB u8, box by fft, mapping abs, 1 ms"
    assert outcome(done, "", "") == "wrote b.png: 6 x 4 RGB u8, 1 ms"
    planned = ImageResult("a.png", "-", "planned", (4, 6, 3), (4, 6, 3), "f32", steps=(StepResult("box", "fft"),))
    assert summary(planned) == "would write standard output: 6 x 4 RGB f32, box by fft, raw response"


def test_speed_that_is_not_known_is_a_bar():
    head, row, _ = timing_table(
        [ImageResult("a.png", "b.png", "done", steps=(StepResult("box", "fft", "why"),), seconds=SECONDS)]
    )
    assert row.split() == ["a.png", *["1.00"] * 5, "-", "fft"]
    assert head.split()[-2:] == ["MP/s", "backend"]
