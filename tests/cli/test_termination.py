"""Termination from outside is an interrupt within the block, and what somebody else handles stays theirs."""

import signal
import threading

import pytest

from convcli.cli.app import interrupted_by_termination


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_interrupts_and_its_handling_is_restored(number):
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interrupted_by_termination():
        signal.raise_signal(number)
    assert signal.getsignal(number) == before == signal.SIG_DFL


def test_what_is_handled_or_switched_off_already_stays_so():
    heard = []
    try:
        signal.signal(signal.SIGTERM, lambda *_: heard.append("term"))
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with interrupted_by_termination():
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGHUP)
        assert heard == ["term"]
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_another_thread_changes_nothing():
    seen = []

    def work():
        with interrupted_by_termination():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.SIG_DFL]
