"""The measured profile: what each unit of work costs on this very machine, and FFTW's wisdom, kept between runs.

`convcli tune` writes both under the user's cache folder, a pair of files for every machine that shares it, and for
every set of library versions:

    ~/.cache/convcli/profiles/amd-epyc-26-2-1-2t-5f8a1c02-93be77d0.json
    ~/.cache/convcli/profiles/amd-epyc-26-2-1-2t-5f8a1c02-93be77d0.wisdom

A profile that is damaged, or was measured with other libraries, is not used, and one line says so. Without one the
shipped coefficients serve. CONVCLI_PROFILE=off has them serve in any case; then nothing is read or written.
"""

import os
import time
from binascii import crc32
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from convcli.convolution.planning.cost_model import COEFFICIENTS, MODEL_VERSION
from convcli.convolution.planning.machine import library_versions, machine_key
from convcli.errors import ImageWriteError, ProfileError
from convcli.system.user_folders import cache_folder

SWITCH = "CONVCLI_PROFILE"

# What is written here comes near neither: some kilobytes, and in time a hundred for the wisdom.
_LARGEST_PROFILE = 1 << 16
_LARGEST_WISDOM = 1 << 22

WISDOM_SUFFIX = ".wisdom"

# Of a checksum, in the names of files.
_DIGITS = 8

# What could not be used in this process, in the order found.
_problems: dict[str, None] = {}


@dataclass(frozen=True)
class Profile:
    """What a unit of each cost term takes, and how that is known.

    `coefficients` are seconds a unit. `source` is `shipped` or `measured`. `path` is the file that was read, None for
    none; `written` is when that was measured, in UTC. `problem` says in one line why it is not used.
    """

    coefficients: Mapping[str, float]
    source: str = "shipped"
    path: Path | None = None
    written: str | None = None
    problem: str | None = None


@cache
def current_profile() -> Profile:
    """Return the profile of this machine, or the shipped one; looked for once in a process.

    Costs a look at one folder where nothing was ever measured, and about a millisecond else.
    """
    switch = os.environ.get(SWITCH, "")
    if switch not in ("", "off"):
        _problems[f"{SWITCH}={switch} means nothing: it may be off"] = None
    folder = profiles_folder()
    names = [] if folder is None else _names_in(folder)
    if folder is None or not names:
        return Profile(COEFFICIENTS)
    name = f"{_stem()}.json"
    if name not in names:
        with_other_libraries = _ours(names, ".json")
        if not with_other_libraries:
            return Profile(COEFFICIENTS)  # what is there is of other machines
        name = with_other_libraries[0]
    return _load(folder / name)


def save_profile(coefficients: Mapping[str, float], wisdom: tuple[bytes, ...] | None = None) -> Path:
    """Write this machine's profile, and FFTW's wisdom (double, single, long double) where given; returns its path.

    A term that was not measured keeps its shipped coefficient. Files are replaced whole or not at all.

    Raises
    ------
    ProfileError
        where there is no place for it, or it cannot be written.
    ValueError
        for a coefficient that is none.
    """
    from convcli.convolution.planning.profile_file import StoredProfile, check_coefficients, encode

    complete = {**COEFFICIENTS, **coefficients}
    check_coefficients(complete, COEFFICIENTS)
    path = profile_path()
    if wisdom is not None:
        _write_wisdom(path, wisdom)
    _write(path, encode(StoredProfile(key=profile_key(), written=_now(), coefficients=complete)))
    current_profile.cache_clear()
    return path


def stored_wisdom() -> tuple[bytes, bytes, bytes] | None:
    """Return FFTW's wisdom as this machine's profile keeps it (double, single, long double), None where there is none.

    One that is damaged is None too, and `problems` says why.
    """
    folder = profiles_folder()
    if folder is None or not _names_in(folder):
        return None
    path = folder / f"{_stem()}{WISDOM_SUFFIX}"
    if not os.path.lexists(path):
        return None
    from convcli.convolution.planning.profile_file import StoredWisdom, read_stored, wisdom_parts

    try:
        stored = read_stored(path, StoredWisdom, _LARGEST_WISDOM, profile_key())
        return wisdom_parts(stored)
    except ValueError as error:  # also of text that is not ASCII
        _problem(path, f"{error}")
        return None


def wisdom_refused() -> None:
    """Note that FFTW does not take the wisdom that is stored."""
    _problem(profile_path().with_suffix(WISDOM_SUFFIX), "FFTW does not take it")


def problems() -> tuple[str, ...]:
    """Return in one line each what was found in this process and could not be used, and what to do about it."""
    return tuple(_problems)


def reset() -> list[Path]:
    """Delete what was measured on this machine, with whatever libraries; returns what was deleted.

    Raises ProfileError where a file cannot be deleted, and where there is no place for one.
    """
    folder = profile_path().parent
    deleted = [folder / name for name in _ours(_names_in(folder), ".json", WISDOM_SUFFIX)]
    for path in deleted:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ProfileError(f"{path}: cannot be deleted: {error.strerror or error}") from error
    current_profile.cache_clear()
    return deleted


def profiles_folder() -> Path | None:
    """Return the folder of all profiles by the XDG rules; None where there is no home, or they are switched off."""
    if os.environ.get(SWITCH) == "off":
        return None
    caches = cache_folder()
    return None if caches is None else caches / "profiles"


def profile_path() -> Path:
    """Return where this machine's profile belongs. Raises ProfileError where there is no place for it."""
    folder = profiles_folder()
    if folder is None:
        if os.environ.get(SWITCH) == "off":
            raise ProfileError(f"{SWITCH}=off: profiles are switched off: unset it to measure one")
        raise ProfileError("there is no home folder to keep a profile in: set XDG_CACHE_HOME to a folder")
    return folder / f"{_stem()}.json"


def profile_key() -> dict[str, str | int]:
    """Return what a profile must have been measured on to hold here: machine, cost model, libraries."""
    return {**machine_key(), "model": MODEL_VERSION, **library_versions()}


def check_writable() -> Path:
    """Make the folder of profiles, so that nothing is measured in vain; returns where the profile will lie.

    Raises ProfileError where the folder cannot be made or written to.
    """
    path = profile_path()
    _make_folder(path.parent)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise ProfileError(f"{path.parent}: no permission to write there: set XDG_CACHE_HOME to another folder")
    if path.is_dir():
        raise ProfileError(f"{path}: is a folder where the profile belongs: remove it")
    return path


def _load(path: Path) -> Profile:
    from convcli.convolution.planning.profile_file import StoredProfile, check_coefficients, read_stored

    try:
        stored = read_stored(path, StoredProfile, _LARGEST_PROFILE, profile_key())
        check_coefficients(stored.coefficients, COEFFICIENTS)
    except ValueError as error:
        return Profile(COEFFICIENTS, path=path, problem=_problem(path, f"{error}"))
    return Profile(stored.coefficients, "measured", path, stored.written)


def _problem(path: Path, reason: str) -> str:
    """Note, once, that a file is not used, and why."""
    message = f"{path} is not used: {reason}; `convcli tune` writes a new one"
    _problems[message] = None
    return message


def _write_wisdom(path: Path, wisdom: tuple[bytes, ...]) -> None:
    from convcli.convolution.planning.profile_file import StoredWisdom, checksum_of, encode

    double, single, long_double = (part.decode("ascii") for part in wisdom)
    stored = StoredWisdom(
        key=profile_key(),
        written=_now(),
        double=double,
        single=single,
        long_double=long_double,
        checksum=checksum_of(*wisdom),
    )
    _write(path.with_suffix(WISDOM_SUFFIX), encode(stored))


def _write(path: Path, data: bytes) -> None:
    from convcli.image.writing import write_bytes

    _make_folder(path.parent)
    try:
        write_bytes(path, data)
    except ImageWriteError as error:
        raise ProfileError(str(error)) from error


def _make_folder(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the user alone, as the XDG rules say."""
    missing = [each for each in (folder, *folder.parents) if not each.is_dir()]
    for each in reversed(missing):
        try:
            each.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            reason = error.strerror or error
            raise ProfileError(f"{each}: cannot be made: {reason}: set XDG_CACHE_HOME to another folder") from error


def _ours(names: list[str], *suffixes: str) -> list[str]:
    """Pick the files of this machine, measured with whatever libraries."""
    start = f"{_machine_stem()}-"
    pairs = ((name, *os.path.splitext(name.removeprefix(start))) for name in names if name.startswith(start))
    return [name for name, libraries, suffix in pairs if len(libraries) == _DIGITS and suffix in suffixes]


def _machine_stem() -> str:
    """Return what the names of all files of this machine start with: readable first, then told apart for certain."""
    machine = machine_key()
    letters = (c if c.isascii() and c.isalnum() else " " for c in f"{machine['processor']}".lower())
    readable = "-".join("".join(letters).split())[:40]
    return f"{readable}-{machine['threads']}t-{_digest(machine)}"


def _stem() -> str:
    return f"{_machine_stem()}-{_digest({'model': MODEL_VERSION, **library_versions()})}"


def _digest(facts: Mapping[str, str | int]) -> str:
    return f"{crc32(repr(sorted(facts.items())).encode()):0{_DIGITS}x}"


def _names_in(folder: Path) -> list[str]:
    """List a folder; one that is missing, or that may not be looked into, holds nothing of ours."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
