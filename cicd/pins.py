"""Write training/constraints.txt: an exact version for everything that the image installs.

    .venv/bin/python cicd/pins.py [--check]

training/requirements.txt names what the programs import; what that needs in turn is read from the packages in
.venv, and their versions from constraints.txt, so that the image holds what the tests ran with.
"""

import argparse
import re
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PINS = ROOT / "constraints.txt"
REQUIREMENTS = ROOT / "training" / "requirements.txt"
TARGET = ROOT / "training" / "constraints.txt"
# What torch brings that is built for CUDA; the image's, for the CPU, does not.
CUDA = ("cuda-", "nvidia-", "triton")
HEADER = """\
# Exact versions of all that the image installs: make pins writes them, from ../constraints.txt.
"""


def main(arguments: list[str] | None = None) -> int:
    """Write the file, or say whether it is current; gives the exit code."""
    parser = argparse.ArgumentParser(description="Write training/constraints.txt.")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if it is not current")
    given = parser.parse_args(arguments)
    text = HEADER + "".join(f"{pin}\n" for pin in pins())
    if not given.check:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        sys.stderr.write("training/constraints.txt is not current: make pins\n")
        return 1
    return 0


def pins() -> list[str]:
    """Give the pins of what training/requirements.txt names and of all that it needs in turn, sorted."""
    lines = [line.strip() for line in PINS.read_text(encoding="utf-8").splitlines()]
    versions = {_normal(line.split("==")[0]): line for line in lines if line and not line.startswith("#")}
    named = [
        Requirement(line)
        for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    waiting = [(requirement.name, requirement.extras) for requirement in named]
    found: set[str] = set()
    seen: set[tuple[str, str]] = set()
    while waiting:
        name, extras = waiting.pop()
        found.add(_normal(name))
        for extra in extras or {""}:
            if (_normal(name), extra) not in seen:
                seen.add((_normal(name), extra))
                waiting += _needs(name, extra)
    missing = sorted(name for name in found - versions.keys() if not name.startswith(CUDA))
    if missing:
        raise SystemExit(f"constraints.txt has no version for {', '.join(missing)}, which the image needs.")
    return sorted((versions[name] for name in found & versions.keys()), key=str.lower)


def _needs(name: str, extra: str) -> list[tuple[str, set[str]]]:
    try:
        texts = requires(name) or []
    except PackageNotFoundError:  # by a marker not for this Python
        return []
    needed = [Requirement(text) for text in texts]
    return [
        (requirement.name, requirement.extras)
        for requirement in needed
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra})
    ]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    sys.exit(main())
