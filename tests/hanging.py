"""Guard a test against waiting for ever. No test asserts how long something takes: machines are busy at times."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

LONG = 600.0  # seconds that a task waits which is meant to be ended by somebody else


@contextmanager
def must_end(seconds: float = 120.0) -> Iterator[None]:
    """Fail the test if its block has not ended after `seconds`, far more than it ever needs."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        pytest.fail(f"still at work after {seconds:g} s")

    before = signal.signal(signal.SIGALRM, fail)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
