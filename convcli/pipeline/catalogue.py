"""Where the names of pipelines are found: the shipped catalogue first, then the user's own folders."""

import os
from functools import cache
from pathlib import Path

from convcli.kernel.catalogue import is_file
from convcli.system.user_folders import configuration_folder, expand_user

PIPELINE_SUFFIXES = (".yaml", ".yml")


@cache
def pipelines_folder() -> Path:
    """Return the folder of the shipped pipelines: in the package once installed, else at the top of a checkout."""
    package = Path(__file__).parent.parent
    installed = package / "_pipelines"
    return installed if installed.is_dir() else package.parent / "pipelines"


def user_pipeline_folders() -> list[Path]:
    """Return the folders searched for a user's own pipelines, first to last.

    Those of `$CONVCLI_PIPELINES`, separated as in `$PATH`, then `pipelines` in the configuration folder of convcli
    (`$XDG_CONFIG_HOME/convcli`, else `~/.config/convcli`). They need not exist.
    """
    named = [expand_user(part) for part in os.environ.get("CONVCLI_PIPELINES", "").split(os.pathsep) if part]
    return [*named, configuration_folder() / "pipelines"]


def pipeline_names() -> list[str]:
    """Return the names of the shipped pipelines, sorted.

    >>> "canny" in pipeline_names()
    True
    """
    return sorted(path.stem for path in pipelines_folder().glob("*.yaml"))


def user_pipelines() -> dict[str, Path]:
    """Return the user's own pipelines by name; the first folder that has a name wins."""
    files: dict[str, Path] = {}
    for folder in user_pipeline_folders():
        for path in sorted(folder.glob("*.*")):
            if path.suffix in PIPELINE_SUFFIXES and is_file(path):
                files.setdefault(path.stem, path)
    return files


def find_pipeline(name: str) -> Path | None:
    """Return the file of a pipeline's name, or None where there is none; `-` stands for `_`, and case does not count.

    >>> find_pipeline("Guided-Filter").name
    'guided_filter.yaml'
    """
    if os.sep in name or "/" in name or "\0" in name:
        return None
    for each in dict.fromkeys((name, name.lower().replace("-", "_"))):
        shipped = pipelines_folder() / f"{each}.yaml"
        if is_file(shipped):
            return shipped
        for folder in user_pipeline_folders():
            for suffix in PIPELINE_SUFFIXES:
                if is_file(path := folder / f"{each}{suffix}"):
                    return path
    return None


def hidden_pipelines(name: str) -> list[str]:
    """Return a line for each of the user's files that a name does not reach, because a shipped pipeline has it."""
    if not is_file(pipelines_folder() / f"{name}.yaml"):
        return []
    return [
        f"{name} is the shipped pipeline, which hides {path}: give the path to use that one"
        for folder in user_pipeline_folders()
        for suffix in PIPELINE_SUFFIXES
        if is_file(path := folder / f"{name}{suffix}")
    ]
