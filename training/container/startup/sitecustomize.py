"""Run by Python itself at the start of every process below the container; mends two things for any script.

The container puts this folder on PYTHONPATH, so that an ordinary training script, and the workers that it
starts, may import torchvision beside a CPU-only torch without a line of their own (training/vision.py says
why it would fail).
"""

import atexit
import importlib.machinery
import importlib.util
import json
import os
import sys
import time
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_VISION = _HERE.parent.parent / "vision.py"


def _prepare_torchvision() -> None:
    # Loaded by its place, under a name of its own: a user's module called `vision` is then not in the way.
    spec = importlib.util.spec_from_file_location("_retrain_vision", _VISION)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.prepare_import()


def _leave_torch_time_to_finish() -> None:
    # torch 2.13 with gloo: a thread that still lets go of the last collective's tensors while Python shuts
    # down aborts the process ("terminate called without an active exception", about one exit in twenty). A
    # moment in which it gets Python's lock is what it needs.
    if "torch" in sys.modules:
        time.sleep(0.1)


def _run_next_sitecustomize() -> None:
    # Python runs one sitecustomize alone; the one that this folder hides is still wanted.
    elsewhere = [entry for entry in sys.path if entry and Path(entry).resolve() != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", elsewhere)
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


_prepare_torchvision()
if len(json.loads(os.environ.get("SM_HOSTS", "[]"))) > 1:
    atexit.register(_leave_torch_time_to_finish)
_run_next_sitecustomize()
