"""The user's code: fetched, unpacked, its requirements installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zlib
from pathlib import Path

from container.errors import InstallRequirementsError, SourceError
from container.layout import Layout

if sys.version_info >= (3, 11, 4):
    import tarfile
else:  # the standard library's knows no filter="data" yet
    from backports import tarfile  # type: ignore[no-redef]


def fetch_source(location: str, layout: Layout, region: str | None = None) -> Path:
    """Bring submitted code into this container.

    Parameters
    ----------
    location : str
        An S3 URI of a `sourcedir.tar.gz`, the path of one, or a folder. Paths below `/opt/ml` follow the
        layout.
    layout : Layout
        Says where the code goes; what lay there from an earlier attempt is replaced.
    region : str, optional
        The bucket's region.

    Returns
    -------
    Path
        The folder with the code.

    Raises
    ------
    SourceError
        If there is nothing there, or it is no archive.
    """
    if location.startswith("s3://"):
        with tempfile.TemporaryDirectory() as scratch:
            archive = Path(scratch) / "sourcedir.tar.gz"
            _download(location, archive, region)
            return _unpack(archive, location, layout.code)
    path = layout.moved(location)
    if path.is_dir():
        return path
    if path.is_file():
        return _unpack(path, location, layout.code)
    raise SourceError(f"There is no source code at {location}. Submit an S3 URI of a tar.gz, or a path.")


def _download(uri: str, target: Path, region: str | None) -> None:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    # Not as a URL is taken apart: keys may have `?` and `#` in them.
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    try:
        client = boto3.client("s3", region_name=region)
        client.download_file(bucket, key, str(target))
    except (BotoCoreError, ClientError, OSError) as error:
        raise SourceError(f"The source code {uri} cannot be fetched: {error}") from error


def _unpack(archive: Path, location: str, target: Path) -> Path:
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    try:
        with tarfile.open(archive) as packed:
            packed.extractall(target, filter="data")
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise SourceError(f"The source code {location} cannot be unpacked as a tar.gz: {error}") from error
    return target


def find_program(folder: Path, name: str) -> Path:
    """Return the entry point's file in the folder of the code.

    Raises
    ------
    SourceError
        If it is not there, or lies outside.
    """
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise SourceError(f"The entry point {name!r} lies outside the source code. Name a file inside of it.")
    if not path.is_file():
        found = sorted(str(item.relative_to(folder)) for item in folder.rglob("*") if item.is_file())
        listed = ", ".join(found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
        raise SourceError(f"The entry point {name!r} is not in the source code; found {listed or 'no file'}.")
    return path


def install_requirements(folder: Path, layout: Layout) -> Path | None:
    """Install the code's requirements.txt beside the image's packages.

    They go to a virtual environment that sees the image's packages: what the image has is not installed
    again, and what differs from it hides it for this job alone, without changing the environment that the
    container runs in.

    Returns
    -------
    Path or None
        The folder to put first on Python's path; None if there is no requirements.txt.

    Raises
    ------
    InstallRequirementsError
        If pip fails.
    """
    requirements = folder / "requirements.txt"
    if not requirements.is_file():
        return None
    venv.EnvBuilder(with_pip=False, symlinks=os.name != "nt").create(layout.packages)
    added = Path(
        sysconfig.get_path(
            "purelib", "venv", {"base": str(layout.packages), "platbase": str(layout.packages)}
        )
    )
    image_packages = dict.fromkeys((sysconfig.get_path("purelib"), sysconfig.get_path("platlib")))
    (added / "image.pth").write_text("\n".join(image_packages) + "\n")
    python = layout.packages / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    print(f"installing {requirements}", flush=True)
    done = subprocess.run(
        [*command, "-r", str(requirements)], cwd=folder, stderr=subprocess.PIPE, text=True, check=False
    )
    sys.stderr.write(done.stderr)
    if done.returncode:
        reason = "\n".join(done.stderr.strip().splitlines()[-5:])
        raise InstallRequirementsError(
            f"requirements.txt cannot be installed (pip ended with {done.returncode}): {reason}"
        )
    return added
