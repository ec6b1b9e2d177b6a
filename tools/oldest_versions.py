"""Print the oldest version of every dependency that pyproject.toml admits, as constraints for pip.

    python tools/oldest_versions.py test > oldest.txt
    pip install -c oldest.txt '.[test]'

The arguments are extras whose dependencies count as well. Only `>=` is read: each dependency must state one.
"""

import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def oldest(extras: Sequence[str], project: Path = PROJECT) -> Iterator[str]:
    """Pin every dependency of the project, and of some of its extras, to its lower bound.

    Raises
    ------
    ValueError
        If a dependency states no lower bound.
    """
    table = tomllib.loads(project.read_text(encoding="utf-8"))["project"]
    for requirement in (
        *table["dependencies"],
        *(line for name in extras for line in table["optional-dependencies"][name]),
    ):
        match = re.match(r"([\w.-]+)>=([\w.]+)", requirement)
        if match is None:
            raise ValueError(f"{project}: {requirement!r} states no lower bound; write it as name>=version")
        yield f"{match[1]}=={match[2]}"


if __name__ == "__main__":
    print(*sorted(set(oldest(sys.argv[1:]))), sep="\n")
