"""Sentences and figures on comparisons that were made up."""

from dataclasses import replace

from benchmark_samples import comparison, row

from convcli.benchmark import report_text
from convcli.benchmark.statistics import Interval


def test_who_is_marked_as_fastest_comes_first_and_is_named():
    # Who is fastest goes by the medians of rounds, so that another may take 0.99 of its time side by side.
    rows = [row("a", [0.001] * 3), row("b", [0.0009] * 3)]
    best, other = (replace(each, relative=Interval(m, m, m, 0.9)) for each, m in zip(rows, (1.0, 0.99), strict=True))
    found = replace(comparison(rows), rows=(other, replace(best, fastest=True)))
    assert [each.backend for each in found.by_speed] == ["a", "b"]
    assert next(report_text.verdicts(found)).startswith("a is fastest")


def test_auto_that_took_the_fastest_is_not_said_to_have_taken_another():
    rows = [row("auto", [0.002] * 3, chosen="fft"), row("fft", [0.001] * 3)]
    assert list(report_text.verdicts(comparison(rows)))[1] == "auto took fft as well, at 2.00 times the time of fft"
