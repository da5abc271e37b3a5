"""torchvision: importable beside a CPU-only torch, and the augmentation that it gives us.

The torchvision wheel on the Python package index is built against CUDA. Beside a CPU-only torch its compiled
operators do not load, and `import torchvision` stops at `torchvision::nms`, then at `torchvision::qnms`,
because it registers shapes for operators that nobody defined. Defining the two schemas first is enough for
`datasets` and `transforms.v2`, which are written in Python. Where the compiled operators load, nothing is
defined.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_definitions: list[Any] = []  # a torch.library.Library takes its definitions back when it is collected


def define_missing_operators() -> bool:
    """Define the operators that `import torchvision` needs, if the compiled ones do not load.

    Returns
    -------
    bool
        True if schemas had to be defined; False if torchvision is missing, imported already, or whole.
    """
    if _definitions or "torchvision" in sys.modules:
        return False
    spec = importlib.machinery.PathFinder.find_spec("torchvision")
    if spec is None or not spec.submodule_search_locations or importlib.util.find_spec("torch") is None:
        return False
    import torch

    for folder in spec.submodule_search_locations:
        for library in sorted(Path(folder).glob("_C*.so")):
            try:
                torch.ops.load_library(str(library))  # type: ignore[no-untyped-call]
            except (OSError, ImportError):
                continue  # built for another torch: the case that this module is for
            return False
    missing = [schema for schema in _SCHEMAS if not hasattr(torch.ops.torchvision, schema.split("(")[0])]
    if missing:
        definitions = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
        for schema in missing:
            definitions.define(schema)  # type: ignore[no-untyped-call]
        _definitions.append(definitions)
    return bool(missing)


class _BeforeTorchvision(importlib.abc.MetaPathFinder):
    """Finds nothing itself: it defines the operators when somebody first asks for torchvision."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:  # noqa: ARG002
        if fullname == "torchvision":
            sys.meta_path.remove(self)
            define_missing_operators()


def prepare_import() -> None:
    """Make a later `import torchvision`, by anybody in this process, work; costs nothing until then."""
    if "torchvision" not in sys.modules and not any(isinstance(f, _BeforeTorchvision) for f in sys.meta_path):
        sys.meta_path.insert(0, _BeforeTorchvision())


def augmentation(*, degrees: float = 8.0, shift: float = 0.07, scale: float = 0.07) -> Callable[[Any], Any]:
    """Return a transform of a batch of images: one small random rotation, shift and zoom.

    Parameters
    ----------
    degrees : float
        The largest rotation, in degrees.
    shift : float
        The largest shift, as a share of the image's side.
    scale : float
        The largest change of size, as a share of it.

    Returns
    -------
    Callable[[Tensor], Tensor]
        Takes and returns images of shape (N, 28, 28). All images of one call get the same transform, so that
        a batch costs one operation; the batches of an epoch differ.
    """
    prepare_import()
    from torchvision.transforms import v2

    transform: Callable[[Any], Any] = v2.RandomAffine(
        degrees=degrees,
        translate=(shift, shift),
        scale=(1.0 - scale, 1.0 + scale),
        interpolation=v2.InterpolationMode.BILINEAR,
    )
    return transform
