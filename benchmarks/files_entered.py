"""Count how many files of convcli one image through `convcli filter` enters, and how many calls come back up a floor.

    python benchmarks/files_entered.py [-- -k gaussian:sigma=2]

How it counts: a child process filters a 64 x 64 PNG with a profile function in all of its threads, which Python calls
for each call of a function. A file is entered when a function that is written in it is called; the bodies of modules
and classes, which run on import, do not count, and neither do functions that the interpreter or a library writes.
A call comes back up when the nearest frame of convcli below it lies in another file and on a lower floor (floors.py,
which the test of layers reads too). The targets are at most 40 files and 4 calls.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from floors import FLOORS  # noqa: E402  # found by the line above

FILES, CALLS_UP = 40, 4

# The command ends in os._exit, before which what was counted is written.
CHILD = """
import json, os, sys, threading
from collections import Counter
package, counted = sys.argv[1], sys.argv[2]
calls = Counter()
FUNCTION = 0x1  # inspect.CO_OPTIMIZED
def file_of(frame):
    code = frame.f_code
    return code.co_filename if code.co_flags & FUNCTION and code.co_filename.startswith(package) else None
def profile(frame, event, argument):
    if event != "call":
        return
    entered = file_of(frame)
    if entered is None:
        return
    caller = frame.f_back
    while caller is not None and not caller.f_code.co_filename.startswith(package):
        caller = caller.f_back
    calls[caller.f_code.co_filename if caller is not None else "", entered] += 1
end = os._exit
def leave(status):
    sys.setprofile(None)
    with open(counted, "w") as file:
        json.dump([[*pair, count] for pair, count in calls.items()], file)
    end(status)
os._exit = leave
sys.argv = ["convcli", *sys.argv[3:]]
threading.setprofile(profile)
sys.setprofile(profile)
from convcli.__main__ import main
main()
"""


def main() -> None:
    """Filter one image under the profile function, and print what it entered."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("options", nargs="*", default=["-k", "sobel_x"], help="of convcli filter")
    calls = count_calls(parser.parse_args().options)

    entered: Counter[str] = Counter()
    up: Counter[tuple[str, str]] = Counter()
    for (caller, file), count in calls.items():
        entered[file] += count
        if caller and caller != file and floor(caller) < floor(file):
            up[caller, file] += count
    for file, count in sorted(entered.items(), key=lambda item: (floor(item[0]), item[0])):
        print(f"floor {floor(file):2}  {count:5} calls  {file}")
    for (caller, file), count in up.items():
        print(f"back up: {caller} -> {file}, {count} calls")
    print(f"{len(entered)} files entered (target: at most {FILES})")
    print(f"{sum(up.values())} calls back up, by {len(up)} pairs of files (target: at most {CALLS_UP})")


def count_calls(options: list[str]) -> Counter[tuple[str, str]]:
    """Return how often each file calls a function of each: paths inside the repository, the caller's first."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with tempfile.TemporaryDirectory() as name:
        image, output, counted = (str(Path(name) / file) for file in ("image.png", "output.png", "calls.json"))
        write_image = "import sys, numpy, convcli; convcli.write_image(sys.argv[1], numpy.ones((64, 64, 3), 'u1'))"
        subprocess.run([sys.executable, "-c", write_image, image], check=True, env=environment)
        command = [sys.executable, "-c", CHILD, f"{ROOT / 'convcli'}{os.sep}", counted]
        command += ["filter", image, "-o", output, *options]
        subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
        rows = json.loads(Path(counted).read_text(encoding="utf-8"))
    return Counter({(inside(caller), inside(file)): count for caller, file, count in rows})


def inside(file: str) -> str:
    """Return the path of a file inside the repository; empty for none."""
    return str(Path(file).relative_to(ROOT)) if file else ""


def floor(file: str) -> int:
    """Return the floor that a file of convcli stands on, counted from the ground; the package itself is on the top."""
    module = ".".join(Path(file).with_suffix("").parts).removesuffix(".__init__")
    for height, names in enumerate(FLOORS):
        if any(module == name or module.startswith(f"{name}.") for name in names):
            return height
    return len(FLOORS)


if __name__ == "__main__":
    main()
