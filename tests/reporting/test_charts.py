"""Charts as SVG."""

from itertools import pairwise

from convcli.reporting.charts import spread_out


def test_labels_that_would_overlap_are_moved_apart():
    places = spread_out([10.0, 11.0, 12.0, 99.0, 100.0], 10.0, 0.0, 100.0)
    assert all(after - before >= 10.0 for before, after in pairwise(places))
    assert places[0] >= 0
    assert places[-1] <= 100
