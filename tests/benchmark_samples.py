"""Comparisons that were made up, for the tests of what is said and written of them."""

import numpy as np

from convcli.benchmark.candidates import LeftOut
from convcli.benchmark.measure import Timing
from convcli.benchmark.report import Comparison, Measurement, Picture, Report, ranked, sweep_of
from convcli.benchmark.statistics import summarize

SHADES = np.arange(24, dtype=np.uint8).reshape(4, 6, 1) * 10


def row(backend, runs, *, error=0.25, kernel="box", size=3, **others):
    timing = Timing(backend, 0.125, 0.5, tuple(runs), tuple(range(len(runs))))
    picture = Picture(SHADES, np.linspace(-1.0, 1.0, 24).reshape(4, 6))
    facts = {"plan_seconds": 0.125, "chosen": backend, "form": "dense", "predicted_seconds": 0.001, "picture": picture}
    return Measurement(
        kernel,
        (size, size),
        backend,
        timing,
        summarize(runs),
        megapixels_per_second=24.0,
        gigamacs_per_second=0.216,
        max_abs_error=error,
        allowed_error=1.0,
        **facts | others,
    )


def comparison(rows, **others):
    facts = {"kernel": rows[0].kernel, "kernel_size": rows[0].kernel_size, "rows": ranked(rows)}
    facts |= {"output_size": (4, 6, 1), "reference": "computed <by hand>", "bound": 1.0, "picture": SHADES}
    return Comparison(left_out=(LeftOut("winograd", "computes 3x3 | only & none <else>"),), **facts | others)


def report(comparisons, **others):
    facts = {
        "machine": {"processor": "Abacus & Sons", "threads": 2, "memory_bytes": None},
        "versions": {"convcli": "0.1.0", "numpy": "2"},
        "image": {"source": "a<b>|c.png", "size": [4, 6, 1], "depth": "u8"},
        "options": {"padding": "wrap", "flip": False, "anchor": None, "stride": [1, 2], "depth": "f32"},
        "method": ("Each ran.",),
        "warnings": ("times scatter & drift",),
        "written": "2026-01-02T03:04:05+00:00",
    }
    return Report(comparisons=tuple(comparisons), **facts | others)


def plain_report():
    rows = [
        row("auto", [0.0012, 0.0012, 0.0011], chosen="fft"),
        row("fft", [0.001, 0.001, 0.0013], peak_extra_bytes=12_345_678),
        row("cv2.filter2D", [0.5], plain=True, chosen=None, form=None, predicted_seconds=None, error=0.0),
    ]
    return report([comparison(rows)])


def wrong_report():
    return report([comparison([row("fft", [0.001, 0.002]), row("opencv", [0.003, 0.004], error=2.0)])])


def sweep_report():
    comparisons = [
        comparison(
            [
                row("opencv", [0.001 * size] * 3, size=size),
                row("fft", [0.01] * 3, size=size),
                row("direct", [0.5] * 3, size=size),
            ],
            size=size,
        )
        for size in (3, 7, 15)
    ]
    return report(comparisons, sweeps=(sweep_of("box", comparisons),))
