"""The user's folders for configuration and caches, by the XDG rules: relative ones are as if they were not set.

Source: XDG Base Directory Specification, version 0.8.
"""

import os
from pathlib import Path

_OURS = "convcli"


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
