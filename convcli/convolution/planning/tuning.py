"""Measure on this machine what the units of work cost, and have FFTW measure its plans.

Cases of many kinds and sizes are run in every form that each backend has for them. The coefficients are then those
that predict the measured times with the least squared relative error, drawn a little to the shipped ones, so that a
term that hardly matters in any case stays where it was.
"""

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convcli.convolution.backends.base import get_backend
from convcli.convolution.backends.registry import automatic_backends
from convcli.convolution.bank import Bank
from convcli.convolution.options import ConvolveOptions
from convcli.convolution.plan import ConvolutionPlan, plan_bank, plan_convolution
from convcli.convolution.planning.cost_model import COEFFICIENTS, SHIPPED_CORES, ComputingForm, CostedForm
from convcli.errors import UsageError
from convcli.image.tone import Finish
from convcli.kernel.model import Kernel

# How much a coefficient is drawn to its shipped value, against one measured case.
_DRAWN = 0.1
# The least part of its shipped value that a coefficient may come down to: nothing is free.
_LEAST = 0.02
# Runs of a case at a time: at least so many, then more up to the second number until the third, in seconds, is spent.
_RUNS, _MOST_RUNS, _SECONDS = 2, 10, 0.02
_ROUNDS = 4
# What is predicted to take longer is left out, and so is what is predicted to take so many times as long as the best
# form of the same case: how much slower it is matters to nobody.
_LONGEST, _FAR_OFF = 0.25, 5.0
_SWEEPS = 2000


class PredictionQuality(NamedTuple):
    """Errors of a backend's predictions: medians of |predicted / measured - 1| over its cases."""

    backend: str
    cases: int
    shipped_error: float
    measured_error: float


@dataclass(frozen=True)
class Tuned:
    """What was measured: seconds a unit of each term, FFTW's wisdom (double, single, long double), the time spent."""

    coefficients: dict[str, float]
    wisdom: tuple[bytes, ...]
    seconds: float
    rows: list[PredictionQuality]


@dataclass(frozen=True, eq=False)
class _TuningCase:
    """One image and one kernel or bank."""

    name: str
    size: tuple[int, int, int]
    dtype: str
    kernel: Kernel | Bank
    stride: int = 1
    dilation: int = 1
    finish: bool = False


@dataclass(frozen=True, eq=False)
class _TimedForm:
    """One form of doing a case, and the seconds that it took."""

    backend: str
    costed: CostedForm
    seconds: float


def tune(budget: float = 45.0, report: Callable[[float, str], None] = lambda done, what: None) -> Tuned:
    """Measure for about `budget` seconds; `report` is told the part that is done, and what is being measured.

    What is not reached within the budget keeps its shipped coefficient.
    """
    start = time.perf_counter()
    report(0.0, "fft: planning transforms")
    wisdom = _wisdom(start + 0.2 * budget, lambda part: report(0.2 * part, "fft: planning transforms"))
    jobs, fastest = list(_jobs()), dict[int, float]()
    # Round after round, since a machine is slow for seconds on end when something else runs.
    for number in range(_ROUNDS * len(jobs)):
        index = number % len(jobs)
        case, backend, costed = jobs[index]
        spent = time.perf_counter() - start
        if spent > budget:
            break
        report(max(0.2 + 0.8 * number / (_ROUNDS * len(jobs)), spent / budget), f"{backend}: {case.name}")
        fastest[index] = min(_measure(case, backend, costed), fastest.get(index, math.inf))
    samples = [_TimedForm(jobs[index][1], jobs[index][2], seconds) for index, seconds in fastest.items()] + _loads()
    coefficients = fit([(sample.costed, sample.seconds) for sample in samples], COEFFICIENTS)
    rows = [
        PredictionQuality(name, len(own), _median_error(own, COEFFICIENTS), _median_error(own, coefficients))
        for name in automatic_backends()
        if (own := [sample for sample in samples if sample.backend == name])
    ]
    report(1.0, "done")
    return Tuned(coefficients, wisdom, time.perf_counter() - start, rows)


def fit(samples: list[tuple[CostedForm, float]], shipped: dict[str, float]) -> dict[str, float]:
    """Find the coefficients that predict the measured seconds best; terms in no sample keep their shipped ones.

    Least squares of predicted / measured - 1, by cyclic coordinate descent within bounds.

    >>> from convcli.convolution.planning.cost_model import ComputingForm
    >>> twice = [(CostedForm(ComputingForm("dense"), {"a.sample": n}, tiles=1), 2e-9 * n) for n in (1e6, 2e6)] * 20
    >>> round(fit(twice, {"a.sample": 1e-9, "b.call": 5e-6})["a.sample"] * 1e9, 2)
    2.0
    """
    names = sorted({term for costed, _ in samples for term in costed.terms})
    if not names:
        return dict(shipped)
    unit = np.array([shipped[name] for name in names])
    parts = np.array(
        [
            [
                costed.seconds({**dict.fromkeys(costed.terms, 0.0), name: value}, SHIPPED_CORES) / seconds
                for name, value in zip(names, unit, strict=True)
            ]
            for costed, seconds in samples
        ]
    )
    normal = parts.T @ parts + _DRAWN**2 * np.eye(len(names))
    right = parts.sum(axis=0) + _DRAWN**2
    factor = np.ones(len(names))
    for _ in range(_SWEEPS):
        before = factor.copy()
        for index in range(len(names)):
            step = (right[index] - normal[index] @ factor) / normal[index, index]
            factor[index] = max(_LEAST, factor[index] + step)
        if np.abs(factor - before).max() < 1e-6:
            break
    return {**shipped, **dict(zip(names, (unit * factor).tolist(), strict=True))}


def _median_error(samples: list[_TimedForm], coefficients: dict[str, float]) -> float:
    return statistics.median(abs(s.costed.seconds(coefficients, SHIPPED_CORES) / s.seconds - 1) for s in samples)


def _kernel(name: str, size: tuple[int, int]) -> Kernel:
    """Make a kernel of a kind that forms are made for: full rank, sums of one or two products, a box."""
    height, width = size
    y, x = np.ogrid[:height, :width]
    y, x = y - (height - 1) / 2, x - (width - 1) / 2
    bell = np.exp(-18 * (y / max(height, 2)) ** 2 - 18 * (x / max(width, 2)) ** 2)
    weights = {
        "random": np.random.default_rng(height).uniform(-0.5, 1.0, size),
        "gaussian": bell,
        "gabor": bell * np.cos(12 * (x / max(width, 2) + y / max(height, 2))),
        "box": np.ones(size),
    }[name]
    weights = weights / np.abs(weights).sum()
    return Kernel(name, np.full(size, 1 / (height * width)) if name == "box" else weights)


def _bank(inputs: int, outputs: int, size: int, groups: int = 1) -> Bank:
    weights = np.random.default_rng(inputs).standard_normal((outputs, inputs // groups, size, size))
    return Bank(weights / (size * size * inputs), groups)


def _cases() -> Iterator[_TuningCase]:
    """List the cases, the more telling ones first."""
    for size in (3, 7, 13, 21, 5, 9, 11, 15, 31, 51, 101):
        for kind in ("random", "gaussian", "gabor", "box"):
            kernel = _kernel(kind, (size, size))
            if size <= 31 or kind != "gabor":
                yield _TuningCase(f"{kind} {size} x {size} on f32", (1536, 1536, 1), "float32", kernel)
            if size in (3, 5, 9, 13, 21, 51):
                yield _TuningCase(f"{kind} {size} x {size} on u8", (1000, 1333, 3), "uint8", kernel, finish=True)
            if size in (3, 7, 15) and kind in ("random", "gaussian"):
                yield _TuningCase(f"{kind} {size} x {size} on few f32", (64, 64, 1), "float32", kernel)
                yield _TuningCase(f"{kind} {size} x {size} on few u8", (200, 300, 3), "uint8", kernel, finish=True)
                yield _TuningCase(f"{kind} {size} x {size}, stride 2", (1024, 1024, 1), "float32", kernel, stride=2)
                yield _TuningCase(f"{kind} {size} x {size}, stride 4", (1024, 1024, 1), "float32", kernel, stride=4)
            if size in (3, 5) and kind == "random":
                yield _TuningCase(f"{kind} {size} x {size}, dilation 4", (1024, 1024, 1), "float32", kernel, dilation=4)
            if size in (3, 7, 15) and kind != "box":
                yield _TuningCase(f"{kind} {size} x {size} on f64", (768, 768, 1), "float64", kernel)
        if size in (3, 5, 7, 11):
            for inputs, outputs, side in ((3, 32, 128), (16, 16, 128), (64, 64, 48)):
                bank = _bank(inputs, outputs, size)
                name = f"bank {inputs} to {outputs}, {size} x {size}"
                yield _TuningCase(name, (side, side, inputs), "float32", bank)
                yield _TuningCase(f"{name}, stride 2", (side, side, inputs), "float32", bank, stride=2)
        if size == 3:
            yield _TuningCase("bank 64 to 64, 1 x 1", (128, 128, 64), "float32", _bank(64, 64, 1))
            yield _TuningCase("bank 16 to 16 in 4 groups", (128, 128, 16), "float32", _bank(16, 16, 3, groups=4))


def _jobs() -> Iterator[tuple[_TuningCase, str, CostedForm]]:
    """List each case in each form of each backend."""
    for case in _cases():
        found = [
            (costed.seconds(COEFFICIENTS, SHIPPED_CORES), backend, costed)
            for backend in automatic_backends()
            for costed in _costed_forms(case, backend)
        ]
        longest = min(_LONGEST, _FAR_OFF * min(seconds for seconds, _, _ in found))
        yield from ((case, backend, costed) for seconds, backend, costed in found if seconds <= longest)


def _costed_forms(case: _TuningCase, backend: str) -> list[CostedForm]:
    try:
        return _plan(case, backend).costed_forms()
    except UsageError:  # not one for this backend
        return []


def _plan(case: _TuningCase, backend: str) -> ConvolutionPlan:
    options = ConvolveOptions(
        stride=(case.stride, case.stride), dilation=(case.dilation, case.dilation), backend=backend
    )
    if isinstance(case.kernel, Bank):
        return plan_bank(case.size, case.dtype, case.kernel, options, (case.kernel.size[0] // 2,) * 2)
    finish = Finish(np.dtype(case.dtype)) if case.finish else None
    return plan_convolution(case.size, case.dtype, case.kernel, options, finish)


def _measure(case: _TuningCase, backend: str, costed: CostedForm) -> float:
    """Run a case in one form; the quickest of few runs, which other work on the machine disturbs least."""
    pixels = _pixels(case)
    plan = _plan(case, backend).in_form(costed.form)
    plan.run(pixels)
    runs: list[float] = []
    while len(runs) < _RUNS or (len(runs) < _MOST_RUNS and sum(runs) < _SECONDS):
        start = time.perf_counter()
        plan.run(pixels)
        runs.append(time.perf_counter() - start)
    return min(runs)


def _pixels(case: _TuningCase) -> NDArray[Any]:
    generator = np.random.default_rng(0)
    if case.dtype == "uint8":
        return generator.integers(0, 256, case.size, np.uint8)
    return generator.random(case.size).astype(case.dtype)


def _wisdom(until: float, report: Callable[[float], None]) -> tuple[bytes, ...]:
    """Have FFTW measure the transforms that usual images and kernels are cut into."""
    import pyfftw

    fft = get_backend("fft")
    asked = {}
    for side, kernels in ((2048, (13, 21, 31, 51, 101)), (512, (15, 31)), (4000, (15, 31, 63)), (64, (15,))):
        for size in kernels:
            case = _TuningCase("", (side, side, 1), "float32", _kernel("random", (size, size)))
            asked[fft, side, size, "float32"] = case
    for number, case in enumerate(asked.values()):
        if time.perf_counter() > until:
            break
        _plan(case, "fft").measure()
        report((number + 1) / len(asked))
    return tuple(pyfftw.export_wisdom())


def _loads() -> list[_TimedForm]:
    """Time what a process takes to load the libraries that are not always there."""

    def seconds(code: str) -> float:
        times = []
        for _ in range(3):
            start = time.perf_counter()
            subprocess.run([sys.executable, "-P", "-c", code], check=True, capture_output=True)
            times.append(time.perf_counter() - start)
        return min(times)

    bare = seconds("import cv2")
    loading = max(seconds("import cv2, pyfftw") - bare, 1e-3)
    return [_TimedForm("loading", CostedForm(ComputingForm("dense"), {"fft.load": 1.0}, 1), loading)]
