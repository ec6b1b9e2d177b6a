"""Where the repository and its examples lie, for tests in any folder, and how another Python finds it."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PHOTO = EXAMPLES / "images" / "photo.png"


def bare_environment(**variables: str) -> dict[str, str]:
    """Return the environment for a new Python that imports this checkout, and nothing that measures coverage.

    For tests of what a process loads or writes; other processes may be measured.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}
