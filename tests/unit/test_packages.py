"""What `make sam-build` makes of a build: what a function imports, compiled, and nothing else."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrain.localcloud.template import load_template

ROOT = Path(__file__).resolve().parents[2]
RESOURCES: dict[str, Any] = load_template(ROOT / "template.yaml")["Resources"]
HANDLERS = sorted(
    resource["Properties"]["Handler"]
    for resource in RESOURCES.values()
    if resource["Type"] == "AWS::Serverless::Function"
)


def _packages() -> Any:
    spec = importlib.util.spec_from_file_location("packages", ROOT / "cicd" / "packages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


packages = _packages()


@pytest.fixture(scope="module")
def code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The functions' folder as `sam build` copies it."""
    folder = tmp_path_factory.mktemp("built") / "code"
    return shutil.copytree(ROOT / "functions", folder, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_function_works_with_what_is_left_and_stays_small(code: Path, tmp_path: Path, handler: str) -> None:
    folder = shutil.copytree(code, tmp_path / "code")
    packages.prune(folder, packages.reached(folder, handler))

    kept = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    others = {other.partition(".")[0] for other in HANDLERS} - {handler.partition(".")[0]}
    assert not {name for name in kept if name.partition("/")[0] in others}
    assert packages.kilobytes(folder) <= packages.CODE_KILOBYTES
    # All of them are imported: what an import inside a function names has to be there as well.
    modules = sorted(name.removesuffix(".py").replace("/", ".") for name in kept if name.endswith(".py"))
    program = f"import sys, importlib; sys.path.insert(0, {str(folder)!r})\n" + "".join(
        f"importlib.import_module({name.removesuffix('.__init__')!r})\n" for name in modules
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd="/", check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_files_beside_the_modules_stay(code: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(code, tmp_path / "code")
    packages.prune(folder, packages.reached(folder, "write_report.app.handler"))
    data = {file for file in (ROOT / "functions").rglob("*") if file.suffix in {".json", ".css"}}
    assert data
    for file in data:
        assert (folder / file.relative_to(ROOT / "functions")).exists()


def test_no_import_hides_from_the_finder() -> None:
    for file in (ROOT / "functions").rglob("*.py"):
        text = file.read_text()
        assert "import_module" not in text, file
        assert "__import__" not in text, file


def test_a_build_is_pruned_compiled_and_weighed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for folder in ("Wanted/wanted", "Wanted/unwanted", "Layer/python"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "Wanted/wanted/app.py").write_text(
        "def handler(event, context):\n    import helper\n    import used\n"
    )
    (tmp_path / "Wanted/helper.py").write_text("")
    (tmp_path / "Wanted/unwanted/app.py").write_text("")
    (tmp_path / "Layer/python/used.py").write_text("")
    (tmp_path / "Layer/python/unused.py").write_text("")
    function = {"CodeUri": "Wanted", "Handler": "wanted.app.handler"}
    layer = {"ContentUri": "Layer", "CompatibleRuntimes": [runtime]}
    template = {
        "Globals": {"Function": {"Runtime": runtime}},
        "Resources": {
            "Wanted": {"Type": "AWS::Serverless::Function", "Properties": function},
            "Layer": {"Type": "AWS::Serverless::LayerVersion", "Properties": layer},
            "Queue": {"Type": "AWS::SQS::Queue"},
        },
    }
    (tmp_path / "template.yaml").write_text(json.dumps(template))

    assert packages.finish(tmp_path) == []

    left = {file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.py*")}
    tag = sys.implementation.cache_tag
    assert left == {
        *("Wanted/wanted/app.py", f"Wanted/wanted/__pycache__/app.{tag}.pyc"),
        *("Wanted/helper.py", f"Wanted/__pycache__/helper.{tag}.pyc"),
        *("Layer/python/used.py", f"Layer/python/__pycache__/used.{tag}.pyc"),
        "Layer/python/unused.py",
    }
    bytecode = (tmp_path / f"Wanted/__pycache__/helper.{tag}.pyc").read_bytes()
    assert int.from_bytes(bytecode[4:8], "little") == 0b01  # by hash, and unchecked
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["Layer", "Wanted"]


def test_a_package_that_is_too_large_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Layer").mkdir()
    (tmp_path / "Layer" / "package.py").write_text("")
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    layer = {"ContentUri": "Layer", "CompatibleRuntimes": [runtime]}
    resources = {"Layer": {"Type": "AWS::Serverless::LayerVersion", "Properties": layer}}
    (tmp_path / "template.yaml").write_text(json.dumps({"Resources": resources}))
    monkeypatch.setattr(packages, "LAYER_KILOBYTES", 0)
    assert packages.finish(tmp_path) == ["Layer takes 0 KB, and may take 0."]
