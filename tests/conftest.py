"""What holds for every test."""

import sys
from itertools import count

import pytest
from hypothesis import HealthCheck, settings

# No test has a bound in seconds: a busy machine draws examples slowly, and runs them slowly.
settings.register_profile("convcli", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("convcli")

_numbers = count()
collect_ignore = ["field/make_inputs.py"]  # a script, which is run for its files


@pytest.fixture(autouse=True)
def _no_profile_but_the_tests_own(monkeypatch, tmp_path_factory):
    """Decisions must not depend on what was measured on this machine, and nothing is to be written to its home."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / f"caches-{next(_numbers)}"))
    monkeypatch.delenv("CONVCLI_PROFILE", raising=False)
    _forget_profile()
    yield
    _forget_profile()


def _forget_profile():
    """Let the next question be the process's first, where any test has asked before."""
    profile = sys.modules.get("convcli.convolution.planning.profile")
    if profile is not None:
        profile.current_profile.cache_clear()
        profile._problems.clear()


@pytest.fixture(autouse=True, scope="session")
def _processes_end_in_peace_where_coverage_is_measured():
    """Let the processes of a pool write down what they have covered before they are killed."""
    coverage = sys.modules.get("coverage")
    if coverage is None or coverage.Coverage.current() is None:
        yield
        return
    from convcli.batch.local_processes import ProcessPool

    kill = ProcessPool.kill

    def kill_later(pool):
        for worker in pool._workers:
            worker.process.join(1)
        kill(pool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProcessPool, "kill", kill_later)
        yield
