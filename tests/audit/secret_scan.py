"""Scan every tracked file for secrets: nothing that looks like one, except for what is allowed by name.

    .venv-audit/bin/python tests/audit/secret_scan.py

Offline: no find is verified by asking its service. What is allowed stands in allowed_secrets.json with a
reason, by file and hash, so that no line number has to be kept; what is not found any more has to go from
there. First of all a planted key has to be found.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

PROJECT = Path(__file__).resolve().parents[2]
ALLOWED = Path(__file__).with_name("allowed_secrets.json")
PLUGINS = (
    *("AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "GitHubTokenDetector"),
    *("JwtTokenDetector", "KeywordDetector", "NpmDetector", "SendGridDetector"),
    *("PrivateKeyDetector", "SlackDetector", "StripeDetector", "TwilioKeyDetector"),
)
# Random-looking texts as such are no find: a tree of digests, ETags and receipt handles is full of them.
SETTINGS = {
    "plugins_used": [{"name": name} for name in PLUGINS],
    "filters_used": [
        {"path": "detect_secrets.filters.allowlist.is_line_allowlisted"},
        # The keys of AWS's own documentation, digests, and short words such as `test`.
        {
            "path": "detect_secrets.filters.regex.should_exclude_secret",
            "pattern": ["^[A-Za-z0-9/+=]*EXAMPLE[A-Z]*$", "^[0-9a-f]{12,64}$", "^[a-z]{1,8}$"],
        },
        {"path": "detect_secrets.filters.heuristic.is_templated_secret"},
        {"path": "detect_secrets.filters.heuristic.is_not_alphanumeric_string"},
        {"path": "detect_secrets.filters.heuristic.is_indirect_reference"},
    ],
}


def finds(root: Path, names: list[str]) -> dict[tuple[str, str], str]:
    """Return what looks like a secret, by file and hash, with its kind and line."""
    found = {}
    with transient_settings(SETTINGS):
        for name in names:
            for secret in scan_file(str(root / name)):
                found[name, secret.secret_hash] = f"{secret.type}, line {secret.line_number}"
    return found


def _finds_a_planted_key() -> bool:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "planted.json").write_text(
            json.dumps({"accessKeyId": f"AKIA{'Q7' * 8}"}), encoding="utf-8"
        )
        return bool(finds(Path(folder), ["planted.json"]))


def main(root: Path) -> int:
    """Print what is found and not allowed, and the reverse; return how to exit."""
    if not _finds_a_planted_key():
        print("secrets: the scan does not find a key that was planted for it, and so would find none.")
        return 1
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = [name for name in listed.split("\0") if name and (root / name).is_file()]
    allowed = {
        (name, digest): reason
        for name, digests in json.loads(ALLOWED.read_text(encoding="utf-8")).items()
        for digest, reason in digests.items()
    }
    found = finds(root, names)
    for name, digest in sorted(found.keys() - allowed.keys()):
        print(f"{name}: {found[name, digest]}: looks like a secret. If it is one, revoke it and take it out;")
        print(f"    if not, allow {digest} in {ALLOWED.relative_to(PROJECT)} with a reason.")
    for name, digest in sorted(allowed.keys() - found.keys()):
        print(f"{name}: {digest} is allowed in {ALLOWED.relative_to(PROJECT)}, and not there any more.")
    if found.keys() == allowed.keys():
        print(f"secrets: none in {len(names)} files ({len(allowed)} look-alikes allowed by name)")
    return int(found.keys() != allowed.keys())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else PROJECT))
