"""Where the repository and its examples lie, for tests in any folder."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
PHOTO = EXAMPLES / "images" / "photo.png"
