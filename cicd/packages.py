"""Finish what `sam build` made: each function gets what it imports and no more, and that gets its bytecode.

    python cicd/packages.py [.aws-sam/build]

All functions are built from one folder, so that each would carry the code of all others. And Lambda's file
system is read-only: a package without bytecode is compiled anew at every cold start. The bytecode is bound
to no date and no content (``unchecked-hash``), since packing changes the dates. What of the layer no function
imports stays as it is. Sizes are printed; a package that is too large is an error.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence, Set
from modulefinder import ModuleFinder
from pathlib import Path
from typing import Any

from retrain.localcloud.template import load_template

CODE_KILOBYTES = 150
"""What a function's own code may take, zipped and without its bytecode."""

LAYER_KILOBYTES = 2000
"""What the layer may take, bytecode included."""


def reached(folder: Path, handler: str, layers: Sequence[Path] = ()) -> set[Path]:
    """What a handler imports of its folder and its layers, wherever the import stands."""
    script = folder / Path(*handler.split(".")[:-1]).with_suffix(".py")
    finder = ModuleFinder(path=[str(part) for part in (folder, *layers)])
    finder.run_script(str(script))
    files = {Path(module.__file__) for module in finder.modules.values() if module.__file__}
    # The script is run as a program, so that the packages around it are nobody's import.
    packages = {above / "__init__.py" for above in script.parents if above.is_relative_to(folder)}
    return {file for file in files | packages | {script} if file.exists()}


def prune(folder: Path, kept: Set[Path]) -> None:
    """Remove all modules but those that are kept, and the files beside them if none is left there."""
    packages = {file.parent for file in kept}
    for file in [found for found in folder.rglob("*") if found.is_file()]:
        if file not in kept and (file.suffix in {".py", ".pyc"} or file.parent not in packages):
            file.unlink()
    for left in sorted((found for found in folder.rglob("*") if found.is_dir()), reverse=True):
        if not any(left.iterdir()):
            left.rmdir()


def compile_files(files: Iterable[Path], runtime: str) -> None:
    """Compile modules with the runtime's own version of Python, which bytecode depends on."""
    python = shutil.which(runtime)
    if python is None:
        raise SystemExit(
            f"There is no {runtime} here, and bytecode for Lambda takes that very version: install it."
        )
    command = [python, "-m", "compileall", "-q", "-f", "--invalidation-mode", "unchecked-hash", "-i", "-"]
    subprocess.run(command, input="\n".join(map(str, sorted(files))), text=True, check=True)


def kilobytes(folder: Path, without: Iterable[str] = ()) -> float:
    """What a folder takes, zipped."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file.suffix not in without:
                archive.write(file, file.relative_to(folder))
    return len(buffer.getvalue()) / 1000


def finish(build: Path) -> list[str]:
    """Finish all packages of a build, print what they take, and give what is wrong with them."""
    template = load_template(build / "template.yaml")
    shared = template.get("Globals", {}).get("Function", {})
    of_type: dict[str, dict[str, dict[str, Any]]] = {}
    for name, resource in template["Resources"].items():
        of_type.setdefault(resource["Type"], {})[name] = resource.get("Properties", {})
    layers = {
        name: build / layer["ContentUri"]
        for name, layer in of_type.get("AWS::Serverless::LayerVersion", {}).items()
    }
    limits, used = dict.fromkeys(layers.values(), LAYER_KILOBYTES), dict[str, set[Path]]()
    for function in ({**shared, **own} for own in of_type.get("AWS::Serverless::Function", {}).values()):
        folder = build / function["CodeUri"]
        imported = reached(folder, function["Handler"], [layer / "python" for layer in layers.values()])
        prune(folder, imported)
        used.setdefault(function["Runtime"], set()).update(imported)
        limits[folder] = CODE_KILOBYTES
    for runtime, files in used.items():
        compile_files(files, runtime)
    problems = []
    for folder, limit in limits.items():
        code, whole = kilobytes(folder, {".pyc"}), kilobytes(folder)
        sys.stdout.write(f"{folder.name:28} {code:6.0f} KB, with bytecode {whole:6.0f} KB\n")
        size = whole if folder in layers.values() else code
        if size > limit:
            problems.append(f"{folder.name} takes {size:.0f} KB, and may take {limit}.")
    return problems


def main() -> None:
    """Finish the packages of the folder that is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("build", type=Path, nargs="?", default=Path(".aws-sam/build"))
    sys.exit("\n".join(finish(parser.parse_args().build.resolve())) or None)


if __name__ == "__main__":
    main()
