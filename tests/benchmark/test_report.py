"""The model of a comparison: who is fastest, and the records of it."""

import pytest
from benchmark_samples import row

from convcli.benchmark.report import ranked


def test_nobody_is_fastest_with_a_wrong_result():
    right, wrong = ranked([row("fft", [0.003] * 3), row("opencv", [0.001] * 3, error=2.0)])
    assert [right.fastest, wrong.fastest] == [True, False]
    assert [right.relative.median, wrong.relative.median] == pytest.approx([1, 1 / 3])
