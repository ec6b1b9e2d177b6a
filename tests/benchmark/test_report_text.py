"""Sentences and figures on comparisons that were made up."""

from dataclasses import replace

from benchmark_samples import comparison, row

from convcli.benchmark import report_text
from convcli.benchmark.report import ranked


def test_rows_are_in_the_order_of_their_times_and_one_alone_is_the_fastest():
    rows = ranked([row("a", [0.003] * 3), row("b", [0.001] * 3), row("c", [0.002] * 3), row("d", [0.001] * 3)])
    found = replace(comparison(rows), rows=rows)
    assert [each.backend for each in found.by_speed] == ["b", "d", "c", "a"]
    assert [each.backend for each in rows if each.fastest] == ["b"]
    sentences = [sentence for sentence in report_text.verdicts(found) if "is fastest" in sentence]
    assert len(sentences) == 1
    assert sentences[0].startswith("b is fastest")


def test_nobody_is_fastest_with_a_wrong_result_and_the_order_stays_that_of_the_times():
    rows = ranked([row("a", [0.003] * 3), replace(row("b", [0.001] * 3), max_abs_error=9.0, allowed_error=1.0)])
    found = replace(comparison(rows), rows=rows)
    assert [each.backend for each in found.by_speed] == ["b", "a"]
    assert found.fastest.backend == "a"


def test_auto_that_took_the_fastest_is_not_said_to_have_taken_another():
    rows = [row("auto", [0.002] * 3, chosen="fft"), row("fft", [0.001] * 3)]
    assert list(report_text.verdicts(comparison(rows)))[1] == "auto took fft as well, at 2.00 times the time of fft"
