"""Ask for known vulnerabilities of everything that is pinned; say so loudly if nobody can be asked.

    .venv-audit/bin/python tests/audit/advisories.py

pip-audit takes packages that its service does not know for harmless, and so finds nothing where it reaches
none. Therefore it is first asked about a release that is known to be vulnerable. Without an answer to that,
the audit has not taken place: this is printed, and is no failure, because a machine without network would
never pass.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parents[2]
FILES = ("constraints.txt", "layers/dependencies/requirements.txt", "training/requirements.txt")
CANARY = "jinja2==2.4.1"
"""A release with advisories since 2014."""

ACCEPTED: dict[str, str] = {}
"""Advisories that do not concern this project, by their ids, each with the reason."""

Asked = tuple[list[dict[str, Any]], str]
"""What pip-audit tells of each package, and what it printed."""


def ask(pins: Iterable[str]) -> Asked:
    """Return what pip-audit tells of pinned packages; nothing if it could not ask."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, told = Path(folder, "pins.txt"), Path(folder, "told.json")
        wanted.write_text("".join(f"{pin}\n" for pin in pins), encoding="utf-8")
        options = ["--disable-pip", "--no-deps", "--progress-spinner=off", "--timeout=5"]
        command = [sys.executable, "-m", "pip_audit", *options, "--format=json", f"--output={told}"]
        ended = subprocess.run(
            [*command, f"--requirement={wanted}"], capture_output=True, text=True, check=False
        )
        text = told.read_text(encoding="utf-8") if told.exists() else ""
    return (json.loads(text)["dependencies"] if text else []), ended.stderr


def pinned(root: Path) -> list[str]:
    """Return every pin of the project, once."""
    lines = {
        line.partition(";")[0].strip() for name in FILES for line in (root / name).read_text().splitlines()
    }
    return sorted(line for line in lines if "==" in line and not line.startswith("#"))


def _releases(advisory: dict[str, Any]) -> str:
    return ", ".join(advisory.get("fix_versions", ())) or "no release"


def main(root: Path = PROJECT, ask: Any = ask) -> int:
    """Print what is known; return how to exit."""
    known, said = ask([CANARY])
    if not any(package.get("vulns") for package in known):
        reason = said.strip().splitlines()[-1:] or ["no answer"]
        skipped = [package["skip_reason"] for package in known if "skip_reason" in package]
        print(
            "advisories: NOT AUDITED. No service of advisories can be reached from here, so that nothing is"
        )
        print(
            f"    known of the pinned packages. Run 'make audit' where one can be. ({(skipped or reason)[0]})"
        )
        return 0
    pins = pinned(root)
    packages, said = ask(pins)
    if not packages:
        print(f"advisories: pip-audit failed:\n{said}")
        return 1
    found = [
        f"{package['name']} {package['version']}: {each['id']}, mended in {_releases(each)}"
        for package in packages
        for each in package.get("vulns", [])
        if not {each["id"], *each.get("aliases", [])} & ACCEPTED.keys()
    ]
    unknown = [package["name"] for package in packages if "skip_reason" in package]
    print(
        "\n".join(
            found or [f"advisories: none for {len(packages) - len(unknown)} of {len(pins)} pinned packages"]
        )
    )
    if unknown:
        print(f"advisories: NOT AUDITED, because the service does not know them: {', '.join(unknown)}")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
