"""The user's inference code: found, loaded, and completed with the toolkit's default handlers.

A script may define `model_fn(model_dir)` alone, or also `input_fn(data, content_type)`, `predict_fn(data,
model)` and `output_fn(prediction, accept)`, or `transform_fn(model, data, content_type, accept)` in place of
these three. Each may take one more argument, the context.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from container import codecs
from container.errors import InputError, ModelLoadError
from container.layout import IMAGE_DIR, Layout
from container.source import fetch_source, find_program, install_requirements

IMAGE_PROGRAM = "inference.py"


def locate_inference_code(layout: Layout) -> Path:
    """Find the inference script: what SAGEMAKER_PROGRAM names, else the model's own, else the image's.

    Raises
    ------
    SourceError
        If SAGEMAKER_PROGRAM names something that is not there.
    """
    name = os.environ.get("SAGEMAKER_PROGRAM")
    submitted = os.environ.get("SAGEMAKER_SUBMIT_DIRECTORY")
    if name:
        folder = fetch_source(submitted, layout, os.environ.get("SAGEMAKER_REGION")) if submitted else None
        return find_program(folder or layout.model / "code", name)
    own = layout.model / "code" / IMAGE_PROGRAM
    return own if own.is_file() else IMAGE_DIR / IMAGE_PROGRAM


def load_module(path: Path, name: str) -> ModuleType:
    """Run a Python file as the module `name`."""
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ModelLoadError(f"{path} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # so that what it pickles and imports finds it
    spec.loader.exec_module(module)
    return module


class Model:
    """A loaded model that answers requests.

    Parameters
    ----------
    module : ModuleType
        The user's inference code.
    model_dir : Path
        The extracted model artifact.

    Raises
    ------
    ModelLoadError
        If the code has no `model_fn`, or it fails.
    """

    def __init__(self, module: ModuleType, model_dir: Path) -> None:
        self._context = SimpleNamespace(system_properties={"model_dir": str(model_dir), "gpu_id": None})
        model_fn = getattr(module, "model_fn", None)
        if model_fn is None:
            raise ModelLoadError(f"{module.__file__} defines no model_fn(model_dir).")
        self._input_fn = getattr(module, "input_fn", default_input_fn)
        self._predict_fn = getattr(module, "predict_fn", default_predict_fn)
        self._output_fn = getattr(module, "output_fn", default_output_fn)
        self._transform_fn = getattr(module, "transform_fn", None)
        self._model = self._call(model_fn, str(model_dir))

    def answer(self, body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        """Return the answer's body and content type.

        Raises
        ------
        InputError
            If the request's body is not what the model takes.
        Exception
            Whatever else the user's code raises.
        """
        if self._transform_fn is not None:
            return self._finished(
                self._call(self._transform_fn, self._model, body, content_type, accept), accept
            )
        try:
            data = self._call(self._input_fn, body, content_type)
        except ValueError as error:
            if isinstance(getattr(error, "status_code", None), int):
                raise
            raise InputError(f"The body cannot be read as {content_type}: {error}") from error
        return self._finished(
            self._call(self._output_fn, self._call(self._predict_fn, data, self._model), accept), accept
        )

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return (
            function(*arguments, self._context)
            if _takes(function, len(arguments) + 1)
            else function(*arguments)
        )

    @staticmethod
    def _finished(result: Any, accept: str) -> tuple[bytes, str]:
        if isinstance(result, tuple) and len(result) == 2 and isinstance(result[1], str):
            body, content_type = result
            return (body.encode() if isinstance(body, str) else bytes(body)), content_type
        if isinstance(result, str | bytes | bytearray):
            wanted = codecs.media_type(accept.split(",")[0])
            content_type = wanted if wanted and "*" not in wanted else codecs.JSON
            return (result.encode() if isinstance(result, str) else bytes(result)), content_type
        return codecs.encode(result, accept)


def load_model(layout: Layout) -> Model:
    """Find the inference code, install what it requires, and load the model.

    Raises
    ------
    ModelLoadError
        If the user's code fails; its traceback goes to standard error.
    ContainerError
        If the code cannot be found, or its requirements not be installed.
    """
    # By its place, so that a user's own module called `vision` is not hidden by it.
    load_module(IMAGE_DIR / "vision.py", "_retrain_vision").prepare_import()
    script = locate_inference_code(layout)
    packages = install_requirements(script.parent, layout) if script.parent != IMAGE_DIR else None
    if packages is not None:
        sys.path.insert(0, str(packages))
    sys.path.insert(0, str(script.parent))
    try:
        return Model(load_module(script, script.stem), layout.model)
    except ModelLoadError:
        raise
    except Exception as error:
        traceback.print_exc()
        raise ModelLoadError(f"{script.name}: {type(error).__name__}: {error}") from error


def _takes(function: Callable[..., Any], count: int) -> bool:
    """Tell whether a function takes so many arguments by place."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return True
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters) >= count


def default_input_fn(data: bytes, content_type: str) -> Any:
    """Read a tensor from JSON, npy or CSV."""
    import torch

    return torch.from_numpy(codecs.decode(data, content_type))


def default_predict_fn(data: Any, model: Any) -> Any:
    """Call the model on the data, without gradients, where the model's weights lie."""
    import torch

    if not isinstance(model, torch.nn.Module):
        return model(data) if callable(model) else model.predict(data)
    model.eval()
    weights = next(model.parameters(), None)
    if weights is not None and isinstance(data, torch.Tensor):
        data = data.to(weights.device, weights.dtype if data.is_floating_point() else data.dtype)
    with torch.inference_mode():
        return model(data)


def default_output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:
    """Write the prediction as JSON, npy or CSV."""
    return codecs.encode(prediction, accept)
