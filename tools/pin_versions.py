"""Write constraints.txt: the newest version of everything that the tests and the checks install.

    python tools/pin_versions.py

Installs convcli with the extras `test` and `lint` into a temporary environment, and lists what is there.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEAD = "# What CI and the commands of the README install: pip install -c constraints.txt. Renewed by: make constraints"


def main() -> None:
    """Renew constraints.txt."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [f"{folder}/bin/python", "-m", "pip"]
        subprocess.run([*pip, "install", "-q", f"{ROOT}[test,lint]"], check=True)
        listed = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
    # Names and versions alone: convcli itself is listed with the path it came from.
    pins = sorted((line for line in listed.splitlines() if "==" in line), key=str.casefold)
    (ROOT / "constraints.txt").write_text("\n".join([HEAD, *pins, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
