"""What a function can import beside its own code and layers: the boto3 of the runtime, and nothing more.

AWS's Python runtimes bring boto3 and what it needs. A function must not find the rest of the developer's
virtual environment, or a package forgotten in the layer would be missed only in AWS.
"""

from __future__ import annotations

import re
import shutil
from importlib import metadata
from pathlib import Path

from retrain.localcloud.errors import StartError


def closure(distribution: str = "boto3") -> list[metadata.Distribution]:
    """A distribution and all that it requires, extras left out."""
    found: dict[str, metadata.Distribution] = {}
    wanted = [distribution]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        found[name] = metadata.distribution(name)
        wanted.extend(
            re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower()
            for requirement in found[name].requires or []
            if "extra ==" not in requirement
        )
    return list(found.values())


def runtime_folder(folder: Path) -> Path:
    """Make a folder of links to the packages of boto3 and what it requires, and nothing else.

    Raises
    ------
    StartError
        The packages' files are not known.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for distribution in closure():
        if distribution.files is None:
            raise StartError(f"The files of {distribution.name} are not known; install it again with pip.")
        tops = {file.parts[0] for file in distribution.files} - {"..", "__pycache__"}
        for top in sorted(tops):
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(distribution.locate_file(top))).resolve())
    return folder
