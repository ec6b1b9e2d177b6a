"""The user's folders for configuration and caches, by the XDG rules: relative ones are as if they were not set.

Source: XDG Base Directory Specification, version 0.8.
"""

import os
from pathlib import Path

_OURS = "convcli"

_LARGEST = 1 << 20  # bytes of a file that is looked through


def configuration_folder() -> Path:
    """Return the user's configuration folder for convcli, which need not exist.

    It lies in `$XDG_CONFIG_HOME`, by default `~/.config`.

    Examples
    --------
    >>> configuration_folder().name
    'convcli'
    """
    configuration = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (configuration if configuration.is_absolute() else expand_user("~/.config")) / _OURS


def cache_folder() -> Path | None:
    """Return the user's cache folder for convcli, which need not exist; None where the user has no home.

    It lies in `$XDG_CACHE_HOME`, by default `$HOME/.cache`.
    """
    caches = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(caches):
        home = os.environ.get("HOME", "")
        if not os.path.isabs(home):
            return None
        caches = os.path.join(home, ".cache")
    return Path(caches) / _OURS


def expand_user(path: str) -> Path:
    """Return a path with its leading `~` replaced; one that names nobody stays as it is.

    Examples
    --------
    >>> expand_user("~/a") == Path.home() / "a"
    True
    """
    return Path(os.path.expanduser(path))


def settings_files() -> list[str]:
    """Return the files that may set defaults and are there, from the current folder upwards, then the user's own.

    Those are `convcli.toml` and `pyproject.toml` of each folder, and `config.toml` in the configuration folder. With
    `$CONVCLI_CONFIG` it is that file alone, and none at all where that is `none`. A `pyproject.toml`, which most
    folders of Python have, counts only where it holds `tool.convcli`; nothing else is opened.
    """
    named = os.environ.get("CONVCLI_CONFIG", "")
    if named:
        return [] if named == "none" else [named]
    try:
        folder = os.getcwd()
    except OSError:  # it has been removed
        folder = ""
    found: list[str] = []
    while folder:
        if os.path.isfile(path := os.path.join(folder, "convcli.toml")):
            found.append(path)
        if os.path.isfile(path := os.path.join(folder, "pyproject.toml")) and _holds_our_table(path):
            found.append(path)
        above = os.path.dirname(folder)
        folder = "" if above == folder else above
    own = str(configuration_folder() / "config.toml")
    return [*found, own] if os.path.isfile(own) else found


def _holds_our_table(path: str) -> bool:
    """Whether a pyproject.toml may hold [tool.convcli]; one that cannot be read counts as one without."""
    try:
        with open(path, "rb") as file:
            return b"tool.convcli" in file.read(_LARGEST)
    except OSError:
        return False
