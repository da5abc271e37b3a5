"""torchvision beside a CPU-only torch: importable, and only mended where it has to be."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import torch

from tests.unit.training.job import TRAINING, clean_environment


def run(code: str, **variables: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_torchvision_is_importable_and_mended_only_if_it_must_be() -> None:
    code = (
        "import sys, vision\n"
        "vision.prepare_import()\n"
        "vision.prepare_import()\n"
        "assert 'torch' not in sys.modules\n"
        "import torchvision\n"
        "from torchvision.transforms import v2\n"
        "whole = torchvision.extension._has_ops()\n"
        "assert whole != bool(vision._definitions)\n"
        "assert not vision.define_missing_operators()\n"
        "print('works')"
    )

    assert run(code) == "works"


def test_augmentation_keeps_shape_and_ink() -> None:
    code = (
        "import torch, vision\n"
        "images = torch.zeros(8, 28, 28, dtype=torch.uint8)\n"
        "images[:, 10:18, 10:18] = 255\n"
        "torch.manual_seed(3)\n"
        "changed = vision.augmentation()(images)\n"
        "assert changed.dtype == torch.uint8 and changed.shape == images.shape\n"
        "assert not torch.equal(changed, images)\n"
        "assert 0.5 < changed.float().sum() / images.float().sum() < 1.5\n"
        "print('works')"
    )

    assert run(code) == "works"


def test_every_python_below_the_container_is_mended(tmp_path: Path) -> None:
    (tmp_path / "vision.py").write_text("raise RuntimeError('this is the user\\'s own')")
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text("import builtins\nbuiltins.HIDDEN = True\n")
    path = f"{TRAINING / 'container' / 'startup'}:{tmp_path}:{hidden}"

    assert run("import torchvision\nprint(HIDDEN)", PYTHONPATH=path, SM_HOSTS='["a","b"]') == "True"


def test_this_process_has_torch_alone() -> None:
    assert torch.get_num_threads() == 1


def test_an_ordinary_import_of_torchvision_works_in_the_projects_environment() -> None:
    program = "import torchvision; from torchvision.transforms import v2; print(torchvision.datasets.MNIST)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd="/", check=False
    )
    assert "MNIST" in done.stdout, done.stderr
