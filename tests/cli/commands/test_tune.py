"""`convcli tune`, with a measurement that takes no time."""

import io
import json
import sys
from dataclasses import dataclass, field
from types import ModuleType
from typing import NamedTuple
from unittest import mock

import pytest
from commandline import done, refused, run

from convcli.cli.app import run as run_app
from convcli.convolution.planning import profile
from convcli.convolution.planning.cost_model import COEFFICIENTS
from convcli.convolution.planning.profile import current_profile, profile_path, save_profile, stored_wisdom

WISDOM = (b"(fftw_wisdom)", b"(fftwf_wisdom)", b"(fftwl_wisdom)")
FASTER = {term: seconds / 2 for term, seconds in COEFFICIENTS.items()}
FIRST = next(iter(COEFFICIENTS))


class Row(NamedTuple):
    backend: str
    cases: int
    shipped_error: float
    measured_error: float


@dataclass
class Tuned:
    coefficients: dict = field(default_factory=lambda: dict(FASTER))
    wisdom: tuple = WISDOM
    seconds: float = 38.25
    rows: list = field(default_factory=lambda: [Row("direct", 12, 0.352, 0.081), Row("fft", 9, 1.2, 0.05)])


@pytest.fixture(autouse=True)
def caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.fixture
def tune(monkeypatch):
    """Replaces the measurement, and counts how often it was asked for."""

    def measure(budget=45.0, report=lambda done, what: None):
        measure.calls += 1
        assert budget < 60
        report(0.0, "FFTW's plans [and more]")
        report(0.5, "direct")
        report(0.6, "direct")
        if measure.interrupted:
            raise KeyboardInterrupt
        report(1.0, "the fit")
        return Tuned()

    measure.calls, measure.interrupted = 0, False
    module = ModuleType("convcli.convolution.planning.tuning")
    module.tune = measure
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return measure


def test_what_is_measured_is_used_by_later_runs(tune):
    outcome = done("tune")
    assert tune.calls == 1
    assert outcome.output == b""
    assert current_profile().source == "measured"
    assert dict(current_profile().coefficients) == FASTER
    assert stored_wisdom() == WISDOM
    assert outcome.lines == [
        "measuring this machine, which takes less than a minute",
        "backend  cases  off by, shipped  off by, measured",
        "direct      12              35%                8%",
        "fft          9             120%                5%",
        f"wrote {profile_path()}, measured in 38.2 s",
    ]


def test_verbose_tells_what_is_measured_and_what_came_out(tune):
    lines = done("tune", "-v").lines
    assert [line for line in lines if line.endswith(" direct")] == [" 50% direct"]
    assert any(line.split()[0] == FIRST and line.endswith(" 0.50") for line in lines)


def test_quiet_says_nothing(tune):
    outcome = done("tune", "-q")
    assert (outcome.messages, outcome.output) == ("", b"")
    assert current_profile().source == "measured"


def test_the_outcome_as_json(tune):
    assert json.loads(done("tune", "--json").output) == {
        "path": str(profile_path()),
        "seconds": 38.25,
        "backends": [
            {"backend": "direct", "cases": 12, "median_error_shipped": 0.352, "median_error_measured": 0.081},
            {"backend": "fft", "cases": 9, "median_error_shipped": 1.2, "median_error_measured": 0.05},
        ],
        "coefficients": FASTER,
    }


def test_an_interrupt_leaves_things_as_they_were(tune, caches):
    tune.interrupted = True
    outcome = run("tune")
    assert outcome.status == 130
    assert [path for path in caches.rglob("*") if path.is_file()] == []


def test_an_interrupt_leaves_the_earlier_profile(tune):
    done("tune")
    before = profile_path().read_bytes()
    tune.interrupted = True
    assert run("tune", "-q").status == 130
    assert profile_path().read_bytes() == before


def test_a_place_that_cannot_be_written_is_found_before_measuring(tune, caches):
    caches.write_text("a file where the folder should be")
    message = refused("tune", status=1)
    assert "cannot be made" in message
    assert message.endswith("set XDG_CACHE_HOME to another folder")
    assert tune.calls == 0


def test_nothing_is_measured_that_would_not_be_used(tune, monkeypatch):
    monkeypatch.setenv("CONVCLI_PROFILE", "off")
    assert refused("tune", status=1) == "CONVCLI_PROFILE=off: profiles are switched off: unset it to measure one"
    assert tune.calls == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-q", "-v"], "--quiet and --verbose exclude each other: choose one"),
        (["--show", "--reset"], "--show and --reset exclude each other: choose one"),
    ],
)
def test_options_that_exclude_each_other(tune, options, message):
    assert refused("tune", *options) == message
    assert tune.calls == 0


class Terminal(io.TextIOWrapper):
    def isatty(self):
        return True


def on_a_terminal(*arguments):
    """Run the command with a terminal for its messages: what it wrote there."""
    screen = Terminal(io.BytesIO(), encoding="utf-8")
    with mock.patch.multiple(sys, stderr=screen):
        assert run_app(list(arguments)) == 0
    screen.flush()
    return screen.buffer.getvalue().decode()


def test_progress_shows_on_a_terminal_alone(tune, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    shown = on_a_terminal("tune", "-v")
    assert "\x1b[" in shown
    assert "━" in shown
    assert "FFTW's plans [and more]" in shown, "what stands in brackets is no markup"
    assert "\x1b[" not in done("tune").messages


def test_a_quiet_run_shows_no_progress_on_a_terminal(tune):
    assert on_a_terminal("tune", "-q") == ""


def test_show_tells_of_the_shipped_profile():
    first, second, third, head, *terms = done("tune", "--show").output.decode().splitlines()
    assert first == "profile: the shipped one; `convcli tune` measures this machine"
    assert second.startswith("machine: arch ")
    assert third == "FFTW's wisdom: none"
    assert head.split() == ["a", "unit", "of", "takes", "ns", "shipped", "ns", "ratio"]
    assert [line.split()[0] for line in terms] == list(COEFFICIENTS)


def test_show_tells_of_the_measured_profile_beside_the_shipped_one():
    path = save_profile(FASTER, WISDOM)
    lines = done("tune", "--show").output.decode().splitlines()
    assert lines[0] == f"profile: {path}, measured {current_profile().written}"
    assert lines[2] == f"FFTW's wisdom: {path.with_suffix('.wisdom').stat().st_size} bytes"
    assert lines[4].split()[0] == FIRST
    assert {line.split()[-1] for line in lines[4:]} <= {"0.50", "-"}


def test_show_tells_why_a_profile_is_not_used():
    path = save_profile(FASTER)
    path.write_text("{")
    current_profile.cache_clear()
    line = done("tune", "--show").output.decode().splitlines()[0]
    assert line.startswith(f"profile: the shipped one; {path} is not used: it is damaged")


def test_show_tells_that_profiles_are_switched_off(monkeypatch):
    monkeypatch.setenv("CONVCLI_PROFILE", "off")
    assert done("tune", "--show").output.decode().splitlines()[0] == (
        "profile: the shipped one; there is no home folder to keep another in, or CONVCLI_PROFILE is off"
    )


def test_show_as_json():
    path = save_profile(FASTER, WISDOM)
    shown = json.loads(done("tune", "--show", "--json").output)
    assert shown == {
        "source": "measured",
        "path": str(path),
        "written": current_profile().written,
        "problem": None,
        "key": profile.profile_key(),
        "wisdom_bytes": path.with_suffix(".wisdom").stat().st_size,
        "coefficients": FASTER,
        "shipped_coefficients": COEFFICIENTS,
    }


def test_reset_brings_the_shipped_profile_back():
    path = save_profile(FASTER, WISDOM)
    outcome = done("tune", "--reset")
    assert sorted(outcome.lines) == sorted([f"deleted {path}", f"deleted {path.with_suffix('.wisdom')}"])
    assert current_profile().source == "shipped"
    assert done("tune", "--reset").lines == ["convcli: note: there is no profile of this machine to delete"]


def test_reset_as_json():
    path = save_profile(FASTER)
    assert json.loads(done("tune", "--reset", "--json", "-q").output) == {"deleted": [str(path)]}


def test_the_help_names_the_switch():
    assert b"CONVCLI_PROFILE=off" in done("tune", "--help").output
