"""Timing several calls against each other: round after round, each in turn.

Times taken one call after the other compare hours of a shared machine; those of one round lie close together, so
that their ratios stay put while the machine speeds up or slows down.

What ran before leaves caches, threads and freed memory in a state of its own, which can double a time of a millisecond.
So a short run follows one of the same call that is not timed; and orders follow each other as in Williams,
Experimental designs balanced for the estimation of residual effects of treatments (1949), where each call comes
after each other equally often.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from convcli.errors import ConvcliError

ROUNDS = 10  # where nothing is said and time allows
MOST_ROUNDS = 31  # where they are over in a blink
LEAST_RUNS = 3
BUDGET = 20.0  # seconds that the rounds of one race may take, but for the least of runs
_BLINK = 1.0  # seconds below which more rounds cost nobody anything
_SHORT = 0.05  # seconds, of which what ran before may be a few in a hundred
_PATIENCE = 5.0  # a first run this long, in seconds, is not made again only for the sake of warming up


@dataclass(frozen=True)
class TimedCall:
    """Something to be timed: `run` does the work and returns its result; `prepare` does once what comes before it."""

    name: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None


@dataclass(frozen=True)
class Timing:
    """One call's times in seconds: of preparing, of the first run, and of each run that counts.

    `rounds` are the numbers of the rounds that the runs belong to. `cut` says that it took part in fewer rounds than
    others because it is slow.
    """

    name: str
    plan_seconds: float
    warm_up_seconds: float
    runs: tuple[float, ...]
    rounds: tuple[int, ...]
    cut: bool = False


@dataclass
class Race:
    """What came of it: the times of those who finished, in the order given, and why others did not."""

    timings: list[Timing] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)


def race(
    calls: Sequence[TimedCall],
    runs: int | None = None,
    *,
    budget: float = BUDGET,
    inspect: Callable[[str, object], None] | None = None,
    progress: Callable[[str], None] | None = None,
    clock: Callable[[], float] = perf_counter,
) -> Race:
    """Time calls in turn, round after round.

    Each is prepared and run once first, both timed apart. Then come the rounds: about 10, up to 31 where they are over
    in a second, and as few as 3 for slow calls where all would take more than the budget. Of a call whose first run
    took more than 5 seconds and more than its share, that run is the only one that counts.

    Parameters
    ----------
    calls : sequence of TimedCall
        What is timed.
    runs : int or None
        The number of rounds, with all calls in each; None for what time allows.
    budget : float
        Seconds that the rounds may take, but for the least of runs.
    inspect : callable, optional
        Called with the name and the first result of each call; no other result is kept.
    progress : callable, optional
        Called with a few words on what happens next.
    clock : callable
        Returns seconds.

    Returns
    -------
    Race
        The times. A call that raises ConvcliError or MemoryError before the rounds is out, with the reason.

    Examples
    --------
    >>> ticks = iter(range(100))
    >>> race([TimedCall("a", dict), TimedCall("b", list)], 2, clock=lambda: float(next(ticks))).timings[0]
    Timing(name='a', plan_seconds=1.0, warm_up_seconds=1.0, runs=(1.0, 1.0), rounds=(0, 1), cut=False)
    """
    tell = progress or (lambda _: None)
    result = Race()
    ready: list[_Runner] = []
    with _no_garbage_collection():
        for call in calls:
            tell(f"{call.name}: first run")
            try:
                runner = _Runner(call, clock)
                value = runner.warm_up()
            except (ConvcliError, MemoryError) as error:
                result.failures[call.name] = str(error) or "there is not enough memory for it"
                continue
            if inspect is not None:
                inspect(call.name, value)
            del value
            ready.append(runner)
        rounds = runs or _rounds([runner.warm_up_seconds for runner in ready], budget)
        turns = [rounds] * len(ready) if runs else _turns([each.warm_up_seconds for each in ready], rounds, budget)
        for runner, count in zip(ready, turns, strict=True):
            runner.turns = count
        for number in range(rounds):
            tell(f"round {number + 1} of {rounds}")
            for place in turn_order(len(ready), number):
                ready[place].take_part(number, rounds)
    result.timings = [runner.timing(rounds) for runner in ready]
    return result


class _Runner:
    """A call in the course of a race."""

    def __init__(self, call: TimedCall, clock: Callable[[], float]) -> None:
        self._name, self._run, self._clock = call.name, call.run, clock
        self._runs: list[float] = []
        self._rounds: list[int] = []
        self.turns = 0
        start = clock()
        call.prepare()
        self._plan_seconds = clock() - start
        self.warm_up_seconds = 0.0

    def warm_up(self) -> object:
        start = self._clock()
        value = self._run()
        self.warm_up_seconds = self._clock() - start
        return value

    def take_part(self, number: int, rounds: int) -> None:
        """Run, if this is one of its rounds: those are spread evenly over all."""
        if (number + 1) * self.turns // rounds == number * self.turns // rounds:
            return
        if min([self.warm_up_seconds, *self._runs]) < _SHORT:
            self._run()
        start = self._clock()
        value = self._run()
        self._runs.append(self._clock() - start)
        self._rounds.append(number)
        del value  # after the clock was read: giving memory back is not part of the work

    def timing(self, rounds: int) -> Timing:
        runs, numbers = tuple(self._runs) or (self.warm_up_seconds,), tuple(self._rounds)
        return Timing(self._name, self._plan_seconds, self.warm_up_seconds, runs, numbers, cut=len(numbers) < rounds)


def _rounds(first_runs: Sequence[float], budget: float) -> int:
    """Return the number of rounds for the quickest call."""
    if not first_runs:
        return 0
    share = budget / len(first_runs)
    together = sum(min(seconds, share / ROUNDS) for seconds in first_runs)
    return max(ROUNDS, min(MOST_ROUNDS, int(_BLINK / max(together, 1e-9))))


def _turns(first_runs: Sequence[float], rounds: int, budget: float) -> list[int]:
    """In how many of the rounds each takes part; in none whose first run is to count.

    All get the least, and what is then left of the budget goes to the quick ones first: who is fastest is the question.
    """
    patience = max(_PATIENCE, budget / max(1, len(first_runs)))
    turns = [0 if seconds > patience else min(LEAST_RUNS, rounds) for seconds in first_runs]
    rest = budget - sum(seconds * count for seconds, count in zip(first_runs, turns, strict=True))
    for place in sorted(range(len(turns)), key=lambda place: first_runs[place]):
        if turns[place]:
            more = int(max(rest, 0.0) / max(first_runs[place], 1e-9))
            more = min(rounds - turns[place], more)
            turns[place] += more
            rest -= more * first_runs[place]
    return turns


def turn_order(count: int, number: int) -> list[int]:
    """Order calls 0 to `count` - 1 for round `number`: 0, 1, last, 2, last but one, ..., all moved on each round.

    After `count` rounds, twice as many for an odd count, each has come after each other equally often.

    >>> [turn_order(4, number) for number in range(4)]
    [[0, 1, 3, 2], [1, 2, 0, 3], [2, 3, 1, 0], [3, 0, 2, 1]]
    """
    zigzag = [(place + 1) // 2 if place % 2 else -(place // 2) for place in range(count)]
    order = [(step + number) % count for step in zigzag]
    return order[::-1] if count % 2 and number // count % 2 else order


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Switch garbage collection off, so that it falls into nobody's run."""
    enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
