"""Where kernel names are found: the shipped catalogue first, then the user's own folders.

Loads no numpy, so that the shell completes names quickly.
"""

import os
from functools import cache
from pathlib import Path

from convcli.kernel.files.notations import suffixes
from convcli.system.user_folders import configuration_folder, expand_user


@cache
def catalogue_folder() -> Path:
    """Return the folder of the shipped kernels: in the package once installed, else at the top of a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "_catalogue"
    return installed if installed.is_dir() else package.parent / "kernels"


def user_folders() -> list[Path]:
    """Return the folders searched for a user's own kernels, first to last.

    Those of `$CONVCLI_KERNELS`, separated as in `$PATH`, then `kernels` in the configuration folder of convcli
    (`$XDG_CONFIG_HOME/convcli`, else `~/.config/convcli`). They need not exist.
    """
    return [*_named_folders(), configuration_folder() / "kernels"]


def _named_folders() -> list[Path]:
    return [expand_user(part) for part in os.environ.get("CONVCLI_KERNELS", "").split(os.pathsep) if part]


def catalogue_names() -> list[str]:
    """Return the names of the shipped kernels, sorted."""
    return sorted(path.stem for path in catalogue_folder().glob("*.yaml"))


def user_files() -> dict[str, Path]:
    """Return the user's own kernel files by name; the first folder that has a name wins."""
    files: dict[str, Path] = {}
    order = {suffix: number for number, suffix in enumerate(suffixes(named=True))}
    for folder in user_folders():
        found = [path for path in folder.glob("*.*") if path.suffix in order and is_file(path)]
        for path in sorted(found, key=lambda path: (path.stem, order[path.suffix])):
            files.setdefault(path.stem, path)
    return files


def find(name: str, *beside: Path) -> Path | None:
    """Return the file of a kernel name, or None where there is none.

    Parameters
    ----------
    name : str
        A name without parameters.
    *beside : Path
        Folders searched after the catalogue and before the user's own.
    """
    shipped = catalogue_folder() / f"{name}.yaml"
    if is_file(shipped):
        return shipped
    return next(iter(_files_named(name, [*beside, *user_folders()])), None)


def hidden_by_catalogue(name: str) -> list[Path]:
    """Return the user's kernel files that a shipped kernel of the same name hides.

    `name` may be a whole SPEC; one that names no shipped kernel hides nothing. Costs a look at each user folder.
    """
    name = name.partition(":")[0].strip()
    if not name.replace("_", "").isalnum() or not is_file(catalogue_folder() / f"{name}.yaml"):
        return []
    return _files_named(name, user_folders())


def hiding_notes(name: str) -> list[str]:
    """Return a line for each of the user's files that a name or SPEC does not reach, and each folder that is missing.

    A file is not reached where a shipped kernel has its name; a folder of `$CONVCLI_KERNELS` may be misspelt.
    """
    name = name.partition(":")[0].strip()
    return [
        *(f"$CONVCLI_KERNELS: there is no folder {folder}" for folder in _named_folders() if not folder.is_dir()),
        *_hidden_lines(name),
    ]


def _hidden_lines(name: str) -> list[str]:
    return [
        f"{name} is the shipped kernel, which hides {path}: give the path to use that one"
        for path in hidden_by_catalogue(name)
    ]


def is_file(path: str | Path) -> bool:
    """Whether there is such a file; one that may not be looked at, or cannot be, counts as none.

    A home folder of somebody else's must not stop a run that needs nothing from it.
    """
    return os.path.isfile(path)


def _files_named(name: str, folders: list[Path]) -> list[Path]:
    endings = suffixes(named=True)
    return [path for folder in folders for suffix in endings if is_file(path := folder / f"{name}{suffix}")]
