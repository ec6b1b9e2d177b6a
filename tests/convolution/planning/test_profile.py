"""The measured profile: kept for one machine and its libraries, and never used where it does not hold."""

import json
import os
import re
import stat
import subprocess
import sys
import threading

import pytest
from repository import bare_environment

from convcli.convolution.backends.registry import Library
from convcli.convolution.planning import machine, profile
from convcli.convolution.planning.cost_model import COEFFICIENTS
from convcli.convolution.planning.profile import current_profile, problems, save_profile, stored_wisdom
from convcli.errors import ProfileError

TERM = next(iter(COEFFICIENTS))
WISDOM = (b"(fftw-3.3.5 fftw_wisdom\n)\n", b"(fftw-3.3.5 fftwf_wisdom\n)\n", b"(fftw-3.3.5 fftwl_wisdom\n)\n")


@pytest.fixture(autouse=True)
def caches(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


def forget():
    """What a new process knows."""
    current_profile.cache_clear()
    profile._problems.clear()


def doubled():
    return {term: 2.0 * seconds for term, seconds in COEFFICIENTS.items()}


def changed(path, **values):
    """Change what a profile's file says."""
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def with_key(path, **values):
    changed(path, key=json.loads(path.read_text())["key"] | values)


def test_without_a_profile_the_shipped_coefficients_serve():
    assert current_profile() == profile.Profile(COEFFICIENTS)
    assert current_profile().source == "shipped"
    assert problems() == ()


def test_a_saved_profile_is_used_from_then_on():
    path = save_profile(doubled())
    for _ in range(2):
        used = current_profile()
        assert dict(used.coefficients) == doubled()
        assert (used.source, used.path, used.problem) == ("measured", path, None)
        assert used.written[10] == "T"
        forget()
    assert problems() == ()


def test_terms_that_were_not_measured_keep_their_shipped_coefficients():
    save_profile({TERM: 7e-9})
    assert dict(current_profile().coefficients) == COEFFICIENTS | {TERM: 7e-9}


@pytest.mark.parametrize("seconds", [-1e-9, float("nan"), float("inf"), 1e4])
def test_no_coefficient_is_saved_that_a_unit_cannot_take(seconds):
    with pytest.raises(ValueError, match="a unit takes 0 to 1000 seconds"):
        save_profile({TERM: seconds})
    assert not profile.profile_path().exists()


def test_no_unknown_term_is_saved():
    with pytest.raises(ValueError, match="a term unknown here, warp drive"):
        save_profile({"warp drive": 1e-9})


def test_the_profile_lies_in_the_users_cache_folder_for_the_user_alone(caches):
    path = save_profile(doubled())
    assert path.parent == caches / "convcli" / "profiles"
    for folder in (caches, caches / "convcli", path.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_without_an_absolute_cache_folder_it_lies_in_the_home(monkeypatch, tmp_path, value):
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert save_profile(doubled()).parent == tmp_path / ".cache" / "convcli" / "profiles"


def test_without_a_home_there_is_no_profile(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    assert current_profile().source == "shipped"
    assert stored_wisdom() is None
    assert problems() == ()
    with pytest.raises(ProfileError, match="no home folder to keep a profile in: set XDG_CACHE_HOME"):
        save_profile(doubled())


def test_switched_off_nothing_is_read_or_written(monkeypatch):
    save_profile(doubled(), WISDOM)
    monkeypatch.setenv("CONVCLI_PROFILE", "off")
    assert current_profile() == profile.Profile(COEFFICIENTS)
    assert stored_wisdom() is None
    with pytest.raises(ProfileError, match="CONVCLI_PROFILE=off: profiles are switched off: unset it"):
        save_profile(doubled())
    with pytest.raises(ProfileError, match="CONVCLI_PROFILE=off"):
        profile.reset()


def test_a_switch_that_is_misspelt_is_named(monkeypatch):
    monkeypatch.setenv("CONVCLI_PROFILE", "of")
    assert current_profile().source == "shipped"
    assert problems() == ("CONVCLI_PROFILE=of means nothing: it may be off",)


CORRUPTIONS = {
    "empty": (lambda path: path.write_text(""), "damaged"),
    "half written": (lambda path: path.write_bytes(path.read_bytes()[:-40]), "damaged"),
    "no JSON": (lambda path: path.write_text("fast: yes\n"), "damaged"),
    "bytes": (lambda path: path.write_bytes(bytes(range(256))), "damaged"),
    "deeply nested": (lambda path: path.write_text('{"key": ' + "[" * 20_000), "damaged"),
    "a list": (lambda path: path.write_text("[]"), "damaged, expected `object`, got `array`"),
    "another key": (lambda path: changed(path, speed=1), "damaged.*unknown field `speed`"),
    "no coefficients": (lambda path: path.write_text('{"key": {}, "written": ""}'), "damaged.*`coefficients`"),
    "coefficients as a list": (lambda path: changed(path, coefficients=[1.0]), "damaged.*`object`, got `array`"),
    "a word": (lambda path: changed(path, coefficients=doubled() | {TERM: "fast"}), "damaged.*got `str`"),
    "true": (lambda path: changed(path, coefficients=doubled() | {TERM: True}), "damaged.*got `bool`"),
    "null": (lambda path: changed(path, coefficients=doubled() | {TERM: None}), "damaged.*got `null`"),
    "NaN": (lambda path: changed(path, coefficients=doubled() | {TERM: float("nan")}), "damaged"),
    "infinite": (lambda path: changed(path, coefficients=doubled() | {TERM: float("inf")}), "damaged"),
    "out of range": (lambda path: path.write_text(path.read_text().replace("e-", "e999", 1)), "damaged"),
    "negative": (lambda path: changed(path, coefficients=doubled() | {TERM: -1e-9}), f"its {TERM} is -1e-09"),
    "an hour": (lambda path: changed(path, coefficients=doubled() | {TERM: 3600}), f"its {TERM} is 3600.0"),
    "unknown term": (lambda path: changed(path, coefficients=doubled() | {"x": 1.0}), "a term unknown here, x"),
    "missing term": (
        lambda path: changed(path, coefficients={t: s for t, s in doubled().items() if t != TERM}),
        f"it lacks {TERM}",
    ),
    "too large": (lambda path: path.write_bytes(path.read_bytes() + b" " * 70_000), "larger than 65536 bytes"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "it is not a file: remove it"),
    "a FIFO": (lambda path: (path.unlink(), os.mkfifo(path)), "it is not a file: remove it"),
    "a link to nowhere": (lambda path: (path.unlink(), path.symlink_to("gone")), "no such file"),
    "a link to itself": (lambda path: (path.unlink(), path.symlink_to(path)), "symbolic links"),
}


@pytest.mark.parametrize("corruption", CORRUPTIONS)
def test_a_damaged_profile_is_ignored_with_one_line(corruption):
    path = save_profile(doubled())
    damage, reason = CORRUPTIONS[corruption]
    damage(path)
    forget()
    used = current_profile()
    assert (dict(used.coefficients), used.source, used.path) == (COEFFICIENTS, "shipped", path)
    (line,) = problems()
    assert used.problem == line
    assert line.startswith(f"{path} is not used: ")
    assert line.endswith("; `convcli tune` writes a new one")
    assert len(line.splitlines()) == 1
    assert re.search(reason, line), line


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("processor", "Zilog Z80"),
        ("arch", "z80"),
        ("threads", 1024),
        ("model", 0),
        ("numpy", "1.0"),
        ("opencv", "0.9"),
        ("pyfftw", "0.1"),
    ],
)
def test_a_profile_of_another_machine_or_library_is_ignored_with_one_line(name, theirs):
    path = save_profile(doubled(), WISDOM)
    with_key(path, **{name: theirs})
    with_key(path.with_suffix(".wisdom"), **{name: theirs})
    forget()
    assert current_profile().source == "shipped"
    assert stored_wisdom() is None
    assert len(problems()) == 2
    assert all(f"it is for {name} {theirs}, and this is " in line for line in problems())


def test_a_key_that_lacks_something_does_not_hold():
    path = save_profile(doubled())
    changed(path, key={})
    forget()
    assert "it is for arch none, and this is " in current_profile().problem


@pytest.mark.parametrize("library", ["numpy", "opencv", "pyfftw"])
def test_after_a_change_of_libraries_one_line_says_to_measure_again(monkeypatch, library):
    path = save_profile(doubled())
    now = machine.library_versions()
    monkeypatch.setattr(profile, "library_versions", lambda: now | {library: "99.1"})
    forget()
    assert current_profile().source == "shipped"
    assert problems() == (
        f"{path} is not used: it is for {library} {now[library]}, and this is 99.1; `convcli tune` writes a new one",
    )
    other = save_profile(doubled())
    assert other != path
    forget()
    assert current_profile().path == other


def test_machines_that_share_a_home_keep_their_profiles_side_by_side(monkeypatch):
    here = machine.machine_key()
    ours = save_profile(doubled())
    monkeypatch.setattr(profile, "machine_key", lambda: here | {"processor": "Zilog Z80"})
    forget()
    assert current_profile() == profile.Profile(COEFFICIENTS)
    assert problems() == (), "that of another machine is nothing to speak of"
    theirs = save_profile({TERM: 0.5})
    assert theirs.name.startswith("zilog-z80-")
    assert current_profile().coefficients[TERM] == 0.5
    assert profile.reset() == [theirs]
    monkeypatch.setattr(profile, "machine_key", lambda: here)
    forget()
    assert current_profile().path == ours


@pytest.mark.parametrize("refuse", ["open", "listdir"])
def test_what_may_not_be_read_stops_nothing(monkeypatch, refuse):
    path = save_profile(doubled())
    forget()

    def no(*_arguments, **_named):
        raise PermissionError(13, "Permission denied")

    if refuse == "open":
        monkeypatch.setattr("convcli.convolution.planning.profile_file.open", no, raising=False)
    else:
        monkeypatch.setattr(profile.os, "listdir", no)
    assert current_profile().source == "shipped"
    expected = f"{path} is not used: permission denied; `convcli tune` writes a new one"
    assert problems() == ((expected,) if refuse == "open" else ())


def test_what_cannot_be_written_leaves_the_profile_that_was_there(monkeypatch):
    path = save_profile(doubled())
    before = path.read_bytes()

    def full(*_paths):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("convcli.image.writing.os.replace", full)
    with pytest.raises(ProfileError, match="cannot be written: No space left on device"):
        save_profile({TERM: 0.25})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path], "and no temporary file"


def test_a_folder_that_cannot_be_made_is_named(caches):
    caches.write_text("a file where the folder should be")
    for attempt in (profile.check_writable, lambda: save_profile(doubled())):
        with pytest.raises(ProfileError, match=r"caches.* cannot be made: .*: set XDG_CACHE_HOME to another folder"):
            attempt()


def test_a_folder_that_is_not_ours_to_write_is_found_before_measuring(monkeypatch):
    monkeypatch.setattr(profile.os, "access", lambda *_: False)
    with pytest.raises(ProfileError, match="no permission to write there: set XDG_CACHE_HOME to another folder"):
        profile.check_writable()


def test_a_folder_in_the_place_of_the_profile_is_found_before_measuring():
    path = profile.check_writable()
    path.mkdir()
    with pytest.raises(ProfileError, match="is a folder where the profile belongs: remove it"):
        profile.check_writable()


def test_readers_see_a_whole_profile_while_writers_replace_it():
    save_profile({TERM: 0.0}, WISDOM)
    writers = [threading.Thread(target=save_profile, args=({TERM: n / 8}, WISDOM)) for n in range(1, 9)]
    for writer in writers:
        writer.start()
    seen = []
    while any(writer.is_alive() for writer in writers) or not seen:
        current_profile.cache_clear()
        seen.append(current_profile().coefficients[TERM])
        assert stored_wisdom() == WISDOM
    for writer in writers:
        writer.join()
    assert set(seen) <= {n / 8 for n in range(9)}
    assert problems() == ()
    assert len(list(profile.profile_path().parent.iterdir())) == 2


def test_wisdom_is_stored_beside_the_profile():
    assert stored_wisdom() is None
    path = save_profile(doubled(), WISDOM)
    assert stored_wisdom() == WISDOM
    assert sorted(path.parent.iterdir()) == [path, path.with_suffix(".wisdom")]
    save_profile(doubled(), (b"a", b"b", b"c"))
    assert stored_wisdom() == (b"a", b"b", b"c")
    assert problems() == ()


def test_fftw_takes_its_wisdom_back():
    import pyfftw

    wisdom = pyfftw.export_wisdom()
    save_profile(doubled(), wisdom)
    assert stored_wisdom() == wisdom
    assert pyfftw.import_wisdom(stored_wisdom()) == (True, True, True)


@pytest.mark.parametrize(
    "content", ["", "{}", '{"key": {}, "written": "", "double": 1, "single": "", "long_double": ""}']
)
def test_damaged_wisdom_is_ignored_with_one_line(content):
    path = save_profile(doubled(), WISDOM).with_suffix(".wisdom")
    path.write_text(content)
    assert stored_wisdom() is None
    assert stored_wisdom() is None
    (line,) = problems()
    assert line.startswith(f"{path} is not used: it is damaged, ")
    assert current_profile().source == "measured"


def test_wisdom_of_other_letters_is_ignored_with_one_line():
    path = save_profile(doubled(), WISDOM).with_suffix(".wisdom")
    changed(path, double="weiß")
    assert stored_wisdom() is None
    (line,) = problems()
    assert "ordinal not in range" in line


def test_wisdom_that_fftw_refuses_is_one_line():
    path = save_profile(doubled(), WISDOM).with_suffix(".wisdom")
    profile.wisdom_refused()
    assert problems() == (f"{path} is not used: FFTW does not take it; `convcli tune` writes a new one",)


def test_reset_deletes_what_is_this_machines_and_nothing_else(monkeypatch):
    path = save_profile(doubled(), WISDOM)
    now = machine.library_versions()
    monkeypatch.setattr(profile, "library_versions", lambda: now | {"numpy": "99.1"})
    later = save_profile(doubled())
    other = path.with_name("notes about my machines.json")
    other.write_text("mine")
    close = path.with_name(f"{path.name}.bak")
    close.write_text("mine")
    assert sorted(profile.reset()) == sorted([path, path.with_suffix(".wisdom"), later])
    assert sorted(path.parent.iterdir()) == sorted([other, close])
    assert profile.reset() == []
    assert current_profile() == profile.Profile(COEFFICIENTS)


def test_what_cannot_be_deleted_is_an_error():
    path = profile.check_writable()
    path.mkdir()
    with pytest.raises(ProfileError, match="cannot be deleted: "):
        profile.reset()


@pytest.mark.parametrize(
    ("told", "name"),
    [
        (
            "vendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 85\n"
            "model name\t: Intel(R)  Xeon(R) CPU\nstepping\t: 7\n",
            "Intel(R) Xeon(R) CPU 6/85/7",
        ),
        ("model name\t: ARMv7 Processor rev 4 (v7l)\n", "ARMv7 Processor rev 4 (v7l)"),
        ("CPU implementer\t: 0x41\nCPU variant\t: 0x3\nCPU part\t: 0xd0c\n", "ARM 0x41/0x3/0xd0c"),
        ("", "unknown"),
    ],
)
def test_the_processors_name_is_read_off_what_linux_tells(told, name):
    assert machine.parse_processor(told) == name


def test_a_processor_that_the_system_does_not_name_is_unknown(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "_CPUINFO", str(tmp_path / "none"))
    monkeypatch.delenv("PROCESSOR_IDENTIFIER", raising=False)
    assert machine.processor_name() == "unknown"


def test_versions_are_those_that_the_libraries_state():
    import cv2
    import numpy as np
    import pyfftw

    versions = machine.library_versions()
    assert versions["numpy"] == np.__version__
    assert versions["opencv"].startswith(cv2.__version__)
    assert versions["pyfftw"] == pyfftw.__version__


def test_a_library_that_lies_nowhere_is_of_unknown_version(monkeypatch, tmp_path):
    (tmp_path / "lonely.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    absent = (Library("a", "lonely", ("lonely",)), Library("b", "no_such", ("no_such",)))
    monkeypatch.setattr(machine, "_libraries", lambda: absent)
    assert machine.library_versions() == {"a": "unknown", "b": "unknown"}


@pytest.mark.parametrize(
    ("names", "version"),
    [
        (["numpy-1.26.4.dist-info", "opencv_python-5.0.0.93.dist-info"], "5.0.0.93"),
        (["OpenCV_Python-4.13.0-py3.11.egg-info", "opencv_stubs-1.0.dist-info"], "4.13.0"),
        (["opencv_python-5.0.dist-info", "opencv_contrib_python-5.1.dist-info"], "5.0+5.1"),
        (["opencv.dist-info", "cv2"], "unknown"),
    ],
)
def test_a_version_is_read_off_what_an_installer_leaves(monkeypatch, tmp_path, names, version):
    monkeypatch.setattr(machine, "_information_in", machine._information_in.__wrapped__)
    for name in names:
        (tmp_path / name).mkdir()
    (tmp_path / "cv2x").mkdir()
    (tmp_path / "cv2x" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    (opencv,) = (library for library in machine._libraries() if library.title == "opencv")
    monkeypatch.setattr(machine, "_libraries", lambda: (opencv._replace(package="cv2x"),))
    assert machine.library_versions() == {"opencv": version}


@pytest.mark.parametrize("tuned", [False, True])
def test_asking_for_the_profile_loads_no_library_that_is_not_needed(tuned):
    if tuned:
        save_profile(doubled(), WISDOM)
    code = (
        "import sys\nimport convcli.convolution.planning.cost_model\nbefore = set(sys.modules)\n"
        "from convcli.convolution.planning.profile import current_profile, stored_wisdom\n"
        "print(current_profile().source, stored_wisdom() is not None)\n"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=bare_environment()
    )
    used, modules = result.stdout.splitlines()
    assert used == ("measured True" if tuned else "shipped False")
    assert not set(modules.split()) & {
        "pyfftw",
        "cv2",
        "json",
        "tempfile",
        "hashlib",
        "platform",
        "subprocess",
        "scipy",
    }


def test_wisdom_of_which_a_number_was_changed_is_not_handed_to_fftw():
    # FFTW ends the process over some of these, rather than refuse.
    save_profile(doubled(), (b"(fftw #x1234)", b"(fftwf #x1234)", b"(fftwl #x1234)"))
    path = profile.profile_path().with_suffix(profile.WISDOM_SUFFIX)
    path.write_text(path.read_text().replace("(fftwf #x1234)", "(fftwf #x1235)"))
    assert stored_wisdom() is None
    (problem,) = problems()
    assert problem == f"{path} is not used: it is damaged, its checksum is another; `convcli tune` writes a new one"
