"""The page about the five algorithms: marks by stated rules, tables and a figure, all from measured.json.

README.md holds the words, written by hand; between its marks `<!-- begin NAME -->` and `<!-- end NAME -->` lies what
this module writes.
"""

import json
import math
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cases import ALGORITHMS, CASES
from figure import draw

HERE = Path(__file__).parent
MEASURED, PAGE, FIGURE = HERE / "measured.json", HERE / "README.md", HERE / "times.svg"

# What the lecture notes say: time, memory, strided, bad cases, fit for quantised data.
NOTES = {
    "direct": ("--", "++", "++", "non-strided", "yes"),
    "im2col": ("+", "--", "++", "large inputs", "yes"),
    "kn2row": ("+", "+", "--", "few channels", "yes"),
    "winograd": ("++", "-", "-", "unpredictable", "no"),
    "fft": ("++", "-", "+", "small kernels", "no"),
}
TITLES = {"direct": "direct", "im2col": "im2col", "kn2row": "kn2row", "winograd": "Winograd", "fft": "FFT"}

# The marks, from the best: each up to a number; what lies beyond the last is --.
MARKS = ("++", "+", "-")
TIME, MEMORY, STRIDED = (1.5, 3.0, 8.0), (0.25, 1.0, 4.0), (0.35, 0.5, 0.8)

# A case, and the same with a stride of 2, which keeps a quarter of the outputs.
PAIRS = (("one 3", "one 3 strided"), ("one 15", "one 15 strided"), ("bank first", "bank first strided"))
PAIRS += (("bank 3", "bank 3 strided"),)


class Results:
    """What was measured, by case and algorithm."""

    def __init__(self, measured: dict[str, Any]) -> None:
        self.machine, self.versions = measured["machine"], measured["versions"]
        self.integers = measured["integers"]
        self._rows = {(row["case"], row["algorithm"]): row for row in measured["cases"]}

    def seconds(self, case: str, algorithm: str) -> float | None:
        """The median time, None where the algorithm cannot do the case."""
        runs = self._rows[case, algorithm].get("seconds")
        return None if runs is None else statistics.median(runs)

    def slowness(self, case: str, algorithm: str) -> float | None:
        """How many times as long as the fastest of the five."""
        own = self.seconds(case, algorithm)
        times = [seconds for each in ALGORITHMS if (seconds := self.seconds(case, each)) is not None]
        return None if own is None else own / min(times)

    def extra(self, case: str, algorithm: str) -> float | None:
        """The bytes held at most, beyond picture, weights and result."""
        row = self._rows[case, algorithm]
        peak = row.get("peak_extra_bytes")
        return None if peak is None else max(0, peak - row["result_bytes"])

    def time(self, algorithm: str) -> float:
        """The geometric mean of how many times as long as the fastest it takes, over the cases that it can do."""
        return statistics.geometric_mean(x for case in CASES if (x := self.slowness(case, algorithm)) is not None)

    def worst(self, algorithm: str) -> tuple[str, float]:
        """The case where it falls furthest behind the fastest, and how far."""
        found = {case: x for case in CASES if (x := self.slowness(case, algorithm)) is not None}
        case = max(found, key=found.__getitem__)
        return case, found[case]

    def memory(self, algorithm: str) -> float:
        """What it holds at most as a part of picture, weights and result: geometric mean over the cases it can do."""
        extras = ((case, self.extra(case, algorithm)) for case in CASES)
        return statistics.geometric_mean(max(x / given(case), 0.01) for case, x in extras if x is not None)

    def strided(self, algorithm: str) -> float | None:
        """The time at stride 2 as a part of that at stride 1, geometric mean; None where it knows no strides."""
        ratios = []
        for plain, strided in PAIRS:
            first, second = self.seconds(plain, algorithm), self.seconds(strided, algorithm)
            if first is None or second is None:
                continue
            ratios.append(second / first)
        return statistics.geometric_mean(ratios) if ratios else None

    def exact(self, algorithm: str) -> bool:
        """Whether all integer results were exact."""
        return all(row["inexact"] == 0 for row in self.integers if row["algorithm"] == algorithm)


def given(key: str) -> int:
    """Bytes of a case's picture, weights and result, in float32."""
    case = CASES[key]
    height, width, channels = case.size
    kept = math.ceil(height / case.stride) * math.ceil(width / case.stride)
    outputs, pairs = case.outputs or channels, channels * case.outputs if case.outputs else 1
    return 4 * (height * width * channels + kept * outputs + pairs * case.kernel**2)


def mark(value: float | None, limits: Sequence[float]) -> str:
    """Return the mark of a value.

    >>> mark(0.3, (0.25, 1.0, 4.0)), mark(9.0, (0.25, 1.0, 4.0)), mark(None, (1, 2, 3))
    ('+', '--', '--')
    """
    if value is None:
        return "--"
    return next((word for word, limit in zip(MARKS, limits, strict=True) if value <= limit), "--")


def verdicts(results: Results) -> Iterator[str]:
    """The notes' table, beside what was measured."""
    yield from table_head("", "time", "memory", "strided", "bad cases", "quantised data")
    for algorithm in ALGORITHMS:
        notes = NOTES[algorithm]
        time, memory, strided = results.time(algorithm), results.memory(algorithm), results.strided(algorithm)
        worst, behind = results.worst(algorithm)
        known = "not at all" if strided is None else f"{strided:.2f}"
        exact = "exact" if results.exact(algorithm) else "not exact"
        cells = [
            f"{code(notes[0])} → **{code(mark(time, TIME))}** {number(time)} x",
            f"{code(notes[1])} → **{code(mark(memory, MEMORY))}** {number(memory)} x",
            f"{code(notes[2])} → **{code(mark(strided, STRIDED))}** {known}",
            f"{notes[3]} → **{CASES[worst].title.partition(', on')[0]}** {number(behind)} x",
            f"{notes[4]} → **{exact}** on integers",
        ]
        yield "| " + " | ".join([TITLES[algorithm], *cells]) + " |"


def rules(_results: Results) -> Iterator[str]:
    """How marks come about, in the numbers that were used."""

    def limits(values: Sequence[float]) -> str:
        return (
            ", ".join(f"{code(word)} to {value:g}" for word, value in zip(MARKS, values, strict=True)) + ", then `--`"
        )

    yield f"- *time*: how many times as long as the fastest of the five, geometric mean over the cases: {limits(TIME)}."
    yield "- *memory*: the most that is held beyond picture, weights and result, as a multiple of them, geometric mean:"
    yield f"  {limits(MEMORY)}."
    yield "- *strided*: the time at stride 2 as a part of the time at stride 1, where a quarter of the outputs is left,"
    yield f"  geometric mean: {limits(STRIDED)}; `--` too for what knows no strides."
    yield "- *bad cases*: the case in which it falls furthest behind the fastest, and how far."
    yield "- *quantised data*: whether u8 samples under small integer weights give exactly what integers would."


def times(results: Results) -> Iterator[str]:
    """Milliseconds of every case and algorithm."""
    yield from table_head("ms", *TITLES.values())
    for key, case in CASES.items():
        cells = []
        for algorithm in ALGORITHMS:
            seconds, slowness = results.seconds(key, algorithm), results.slowness(key, algorithm)
            shown = "cannot" if seconds is None else number(1e3 * seconds)
            cells.append(f"**{shown}**" if slowness == 1.0 else shown)
        yield "| " + " | ".join([case.title, *cells]) + " |"


def memory(results: Results) -> Iterator[str]:
    """Megabytes of every case and algorithm, beside those of what is given, and of windows unrolled as a whole."""
    yield from table_head("MB", "picture, weights, result", *TITLES.values(), "all windows unrolled")
    for key, case in CASES.items():
        extras = [results.extra(key, algorithm) for algorithm in ALGORITHMS]
        cells = ["cannot" if extra is None else number(extra / 1e6) for extra in extras]
        cells = [number(given(key) / 1e6), *cells, number(unrolled(key) / 1e6)]
        yield "| " + " | ".join([case.title, *cells]) + " |"


def unrolled(key: str) -> int:
    """Bytes of all windows of a case, one after the other, as im2col is mostly described."""
    case = CASES[key]
    height, width, channels = case.size
    return 4 * math.ceil(height / case.stride) * math.ceil(width / case.stride) * channels * case.kernel**2


def strides(results: Results) -> Iterator[str]:
    """The time at stride 2 as a part of the time at stride 1."""
    yield from table_head("stride 2 / stride 1", *TITLES.values())
    for plain, strided in PAIRS:
        cells = []
        for algorithm in ALGORITHMS:
            first, second = results.seconds(plain, algorithm), results.seconds(strided, algorithm)
            cells.append("cannot" if first is None or second is None else f"{second / first:.2f}")
        yield "| " + " | ".join([CASES[plain].title, *cells]) + " |"


def integers(results: Results) -> Iterator[str]:
    """How far integer results are from exact ones."""
    names = {"one 3": "one kernel, 3 x 3", "one 31": "one kernel, 31 x 31", "bank 3": "64 to 64, 3 x 3"}
    yield from table_head("largest error; outputs that are not exact; wrong when rounded", *TITLES.values())
    for key, title in names.items():
        found = {row["algorithm"]: row for row in results.integers if row["case"] == key}
        cells = []
        for algorithm in ALGORITHMS:
            row = found.get(algorithm)
            if row is None:
                cells.append("cannot")
            elif row["inexact"] == 0:
                cells.append("0")
            else:
                cells.append(f"{row['max_abs_error']:.1g}; {row['inexact']:.0%}; {row['wrong_when_rounded']:.2g}")
        yield "| " + " | ".join([title, *cells]) + " |"


def machine(results: Results) -> Iterator[str]:
    """Where the numbers are from."""
    versions = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    yield f"Measured on {results.machine['processor']} with {results.machine['threads']} threads; {versions}."


BLOCKS = (verdicts, rules, times, memory, strides, integers, machine)


def render(page: str, results: Results) -> str:
    """Put what was measured between the marks of a page. Raises ValueError where a mark is missing."""
    for block in BLOCKS:
        name = block.__name__
        pattern = re.compile(rf"(<!-- begin {name} -->\n).*?(<!-- end {name} -->)", re.DOTALL)
        text = "\n".join(block(results)) + "\n"
        page, count = pattern.subn(lambda found, text=text: found[1] + text + found[2], page)
        if count != 1:
            raise ValueError(f"{PAGE}: has {count} places for {name}, and must have one")
    return page


def read_results() -> Results:
    """Read the numbers that are there."""
    return Results(json.loads(MEASURED.read_text(encoding="utf-8")))


def write_page() -> list[Path]:
    """Write page and figure from the numbers that are there; returns their paths."""
    results = read_results()
    PAGE.write_text(render(PAGE.read_text(encoding="utf-8"), results), encoding="utf-8")
    FIGURE.write_text(figure(results), encoding="utf-8")
    return [PAGE, FIGURE]


def figure(results: Results) -> str:
    """Draw how many times as long as the fastest each algorithm takes, case by case."""
    rows = [(case.title, {a: results.slowness(key, a) for a in ALGORITHMS}) for key, case in CASES.items()]
    return draw(rows, TITLES)


def table_head(*names: str) -> Iterator[str]:
    """The first two lines of a table: the first column to the left, the others to the right."""
    yield "| " + " | ".join(names) + " |"
    yield "| --- |" + " ---: |" * (len(names) - 1)


def code(word: str) -> str:
    """Set a mark apart from the words around it."""
    return f"`{word}`"


def number(value: float) -> str:
    """Write a number in two or three digits.

    >>> number(0.0123), number(3.456), number(12.3), number(1234.5)
    ('0.01', '3.5', '12', '1234')
    """
    if value < 1:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"
