"""Zip archives of functions and layers, the same bytes from the same files, built once."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from retrain.localcloud.errors import DeployError

_LEFT_OUT = {"__pycache__", ".git", ".mypy_cache", ".ruff_cache", ".pytest_cache", ".aws-sam", ".DS_Store"}
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first date that a zip archive can hold


def zip_folder(folder: Path) -> bytes:
    """Pack a folder's files reproducibly: sorted, without dates, without caches."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in sorted(folder.rglob("*")):
            relative = path.relative_to(folder)
            if not path.is_file() or path.suffix == ".pyc" or _LEFT_OUT.intersection(relative.parts):
                continue
            entry = zipfile.ZipInfo(relative.as_posix(), _EPOCH)
            entry.external_attr = (0o755 if path.stat().st_mode & 0o100 else 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def package(
    folder: Path, *, requirements_to: str | None, cache: Path, on_progress: Callable[[str], None]
) -> bytes:
    """Pack a function's or layer's folder.

    Parameters
    ----------
    folder
        What ``CodeUri`` or ``ContentUri`` names.
    requirements_to
        Where in the archive the packages of the folder's requirements.txt belong (``""`` for a function,
        ``"python"`` for a layer); None: it is packed as it is.
    cache
        Where archives with installed packages are kept from one deployment to the next.
    on_progress
        Told when packages are installed, which takes seconds.

    Raises
    ------
    DeployError
        The folder is not there, or pip failed.
    """
    if folder.is_file() and folder.suffix == ".zip":
        return folder.read_bytes()
    if not folder.is_dir():
        raise DeployError(f"The template names the folder {folder}, which is not there.")
    requirements = folder / "requirements.txt"
    if requirements_to is None or not requirements.exists() or not requirements.read_text().strip():
        return zip_folder(folder)
    plain = zip_folder(folder)
    version = ".".join(map(str, sys.version_info[:2]))
    digest = hashlib.sha256(f"{version}:{sys.platform}:{requirements_to}".encode() + plain).hexdigest()[:24]
    kept = cache / f"{folder.name}-{digest}.zip"
    if not kept.exists():
        on_progress(f"Installing the packages of {requirements.relative_to(folder.parent.parent)} (once) ...")
        built = _install(folder, requirements, requirements_to)
        cache.mkdir(parents=True, exist_ok=True)
        temporary = kept.with_suffix(".tmp")
        temporary.write_bytes(built)
        temporary.replace(kept)
    return kept.read_bytes()


def _install(folder: Path, requirements: Path, target: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="retrain-build-") as temporary:
        root = Path(temporary)
        if target:  # a layer holds what is installed; a function holds its own files too
            (root / target).mkdir()
        else:
            shutil.copytree(folder, root, dirs_exist_ok=True)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
                *("--no-compile", "--target", str(root / target), "--requirement", str(requirements)),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-5:]
            raise DeployError(f"pip could not install {requirements}:\n  " + "\n  ".join(reason))
        shutil.rmtree(
            root / target / "bin", ignore_errors=True
        )  # scripts that name this computer's interpreter
        for record in root.glob("**/*.dist-info/RECORD"):
            record.unlink()  # holds the scripts' digests
        return zip_folder(root)
