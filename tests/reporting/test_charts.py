"""Charts as SVG."""

from itertools import pairwise

import pytest

from convcli.reporting.charts import bar_chart, spread_out
from convcli.reporting.document import Bar, BarChart


def test_labels_that_would_overlap_are_moved_apart():
    places = spread_out([10.0, 11.0, 12.0, 99.0, 100.0], 10.0, 0.0, 100.0)
    assert all(after - before >= 10.0 for before, after in pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= 100


@pytest.mark.parametrize("width", [360, 760])
def test_a_whisker_that_leaves_the_plot_ends_in_an_arrow_and_that_is_said(width):
    bars = (Bar("a", 1.0, 0.9, 40.0, None, ""), Bar("b", 2.0, 1.9, 2.1, None, ""))
    told = bar_chart(BarChart(bars, "ms", "times"), width)
    assert "whiskers that end in an arrow leave the plot, up to 40" in told
    assert "leave the plot" not in bar_chart(BarChart(bars[1:], "ms", "times"), width)
