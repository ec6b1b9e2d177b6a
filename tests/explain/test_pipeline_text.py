"""Explanations as text and Markdown."""

from explain_cases import conv, explained

from convcli.explain.pipeline_text import markdown, sentences


def test_of_long_runs_and_of_many_not_all_is_told():
    long = explained([conv(1, 3)] * 8, (40, 40, 1), weights={"init": "he", "seed": 0})
    assert "conv_1 to conv_8, 8 steps, are linear: away from the edges, one kernel of 17x17." in sentences(long)
    many = explained([conv(1, 3), conv(1, 3), "relu"] * 6, (60, 60, 1))
    told = [sentence for sentence in sentences(many) if "linear" in sentence]
    assert told[0] == "conv_1 and conv_2 are linear: away from the edges, one kernel of 5x5."
    assert told[4:] == ["So are 2 more runs of linear steps; --json lists them."]


def test_markdown_holds_the_tables_and_the_comparison():
    one, other = explained([conv(1, 3)] * 2, (32, 32, 1), name="one"), explained([conv(1, 5)], (32, 32, 1), name="b")
    lines = markdown(one, other).splitlines()
    assert lines[0] == "# one, for images of 32x32x1"
    assert "| conv_2 | 28x28x1 | 3x3 | 1 | 1 | 0 | 30 - 3 + 1 = 28 |" in lines
    assert "| conv_2 | 9 | 7,056 | 3.14 kB | 5 | 1 | 2 |" in lines
    assert "| parameters | 18 | 25 | 72% |" in lines
    formula = explained([conv(1, 3, stride=2, padding=1)], (32, 32, 1))
    assert "floor((32 + 2\\*1 - 3) / 2) + 1 = 16" in markdown(formula)
