"""Measure the five algorithms of the lecture notes, and write what came out beside what the notes say of them.

    python examples/algorithms/measure.py                takes about five minutes
    python examples/algorithms/measure.py --page         writes the page anew from the numbers that are there

Needs convcli installed beside this Python. Writes measured.json, README.md (between its marks) and times.svg in the
folder that this file lies in. Let the machine do nothing else meanwhile.
"""

import json
import sys
from functools import partial
from typing import Any

import numpy as np
from cases import ALGORITHMS, BOUND, CASES, Case
from claims import doubtful
from page import MEASURED, PAGE, read_results, write_page

from convcli.benchmark.environment import describe_machine, describe_versions
from convcli.benchmark.measure import TimedCall, race
from convcli.benchmark.memory import peak_extra_bytes
from convcli.convolution.bank import Bank
from convcli.errors import UsageError

SECONDS_A_CASE = 10.0

# Where sums of products of integers stay far below 2^24, so that float32 could hold every one of them exactly.
INTEGER_CASES = {
    "one 3": Case((256, 256, 1), 3),
    "one 31": Case((256, 256, 1), 31),
    "bank 3": Case((64, 64, 64), 3, outputs=64),
}
LARGEST_WEIGHT = 16


def measure_case(key: str, case: Case) -> list[dict[str, Any]]:
    """Time all algorithms in turn, round after round, and ask a child process for the memory of each."""
    image, bank = case.image, case.bank
    exact = case.plan("im2col", np.float64).run(image.astype(np.float64))
    allowed = BOUND * float(np.abs(bank.weights).sum(axis=(1, 2, 3)).max() * np.abs(image).max())
    rows: dict[str, dict[str, Any]] = {}
    contestants = []
    for algorithm in ALGORITHMS:
        rows[algorithm] = {"case": key, "algorithm": algorithm}
        try:
            plan = case.plan(algorithm)
        except UsageError as error:
            rows[algorithm]["refused"] = str(error)
            continue
        contestants.append(TimedCall(algorithm, partial(plan.run, image), plan.measure))

    def check(algorithm: str, result: Any) -> None:
        error = float(np.abs(result - exact).max())
        if not error <= allowed:
            raise SystemExit(f"{case.title}: {algorithm} is off by {error:g}, where {allowed:g} is allowed")
        rows[algorithm] |= {"max_abs_error": error, "allowed_error": allowed, "result_bytes": result.nbytes}

    outcome = race(contestants, budget=SECONDS_A_CASE, inspect=check)
    if outcome.failures:
        raise SystemExit(f"{case.title}: {outcome.failures}")
    for timing in outcome.timings:
        rows[timing.name] |= {"plan_seconds": timing.plan_seconds, "seconds": list(timing.runs)}
        arrays, arguments = {"image": image, "weights": bank.weights}, {"case": key, "algorithm": timing.name}
        rows[timing.name]["peak_extra_bytes"] = peak_extra_bytes("cases:ready", arrays, arguments)
    return list(rows.values())


def measure_integers(key: str, case: Case) -> list[dict[str, Any]]:
    """Count how often an algorithm misses the exact result of integer samples and weights."""
    random = np.random.default_rng(2)
    image = random.integers(0, 256, case.size, np.uint8)
    shape = case.bank.weights.shape if case.outputs else (case.kernel, case.kernel)
    weights = random.integers(-LARGEST_WEIGHT, LARGEST_WEIGHT, shape, endpoint=True)
    bank = Bank(weights.astype(np.float64)) if case.outputs else Bank.depthwise(weights.astype(np.float64), 1)
    exact = correlate_integers(image, weights.reshape(-1, case.size[2], case.kernel, case.kernel))
    rows = []
    for algorithm in ALGORITHMS:
        try:
            plan = case.plan(algorithm, np.uint8, bank)
        except UsageError:
            continue
        result = plan.run(image)
        rows.append(
            {
                "case": key,
                "algorithm": algorithm,
                "max_abs_error": float(np.abs(result - exact).max()),
                "inexact": float(np.mean(result != exact)),
                "wrong_when_rounded": float(np.mean(np.rint(result) != exact)),
            }
        )
    return rows


def correlate_integers(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Correlate in int64, tap by tap, with zeros around the image: (height, width, outputs)."""
    pad = weights.shape[2] // 2
    height, width, _ = image.shape
    padded = np.pad(image.astype(np.int64), ((pad, pad), (pad, pad), (0, 0)))
    total = np.zeros((height, width, len(weights)), np.int64)
    for u, v in np.ndindex(weights.shape[2:]):
        total += padded[u : u + height, v : v + width] @ weights[:, :, u, v].T
    return total


def main() -> None:
    """Measure everything, unless only the page is asked for."""
    if "--page" not in sys.argv[1:]:
        measured: dict[str, Any] = {"machine": describe_machine(None), "versions": describe_versions()}
        measured["cases"], measured["integers"] = [], []
        for number, (key, case) in enumerate(CASES.items(), start=1):
            print(f"{number} of {len(CASES)}: {case.title}", file=sys.stderr)
            measured["cases"] += measure_case(key, case)
        for key, case in INTEGER_CASES.items():
            measured["integers"] += measure_integers(key, case)
        MEASURED.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    for path in write_page():
        print(f"wrote {path}")
    for doubt in doubtful(PAGE.read_text(encoding="utf-8"), read_results()):
        print(f"check the words: {doubt}")


if __name__ == "__main__":
    main()
