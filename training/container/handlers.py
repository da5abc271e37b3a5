"""The user's inference code: found, loaded, and completed with the toolkit's default handlers.

A script may define `model_fn(model_dir)` alone, or also `input_fn(data, content_type)`, `predict_fn(data,
model)` and `output_fn(prediction, accept)`, or `transform_fn(model, data, content_type, accept)` in place of
these three. Each may take one more argument, the context.

A script may also define `predict_batch_fn(inputs, model)`. It takes a list of what `input_fn` returned, and
returns a list with one prediction for each: requests that have come while others were predicted are then
predicted together. Without it each request is predicted by itself.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, TypeAlias

from container import codecs
from container.errors import InputError, ModelLoadError
from container.layout import IMAGE_DIR, Layout
from container.source import fetch_source, find_program, install_requirements

IMAGE_PROGRAM = "inference.py"

Request: TypeAlias = tuple[bytes, str, str]  # body, content type, accept
Answer: TypeAlias = tuple[bytes, str]  # body, content type


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
        self._input_fn = self._taking(getattr(module, "input_fn", default_input_fn), 2)
        self._predict_fn = self._taking(getattr(module, "predict_fn", default_predict_fn), 2)
        self._output_fn = self._taking(getattr(module, "output_fn", default_output_fn), 2)
        transform_fn = getattr(module, "transform_fn", None)
        self._transform_fn = None if transform_fn is None else self._taking(transform_fn, 4)
        batch_fn = getattr(module, "predict_batch_fn", None) if transform_fn is None else None
        self._predict_batch_fn = None if batch_fn is None else self._taking(batch_fn, 2)
        self._model = self._taking(model_fn, 1)(str(model_dir))

    @property
    def predicts_batches(self) -> bool:
        """Whether the code can predict several requests together."""
        return self._predict_batch_fn is not None

    def answer(self, body: bytes, content_type: str, accept: str) -> Answer:
        """Return the answer's body and content type.

        Raises
        ------
        InputError
            If the request's body is not what the model takes.
        Exception
            Whatever else the user's code raises.
        """
        if self._transform_fn is not None:
            return self._finished(self._transform_fn(self._model, body, content_type, accept), accept)
        return self._written(self._predict_fn(self._read(body, content_type), self._model), accept)

    def answer_all(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        """Return for each of several requests what `answer` returns or raises; predict them together.

        A request that is wrong fails alone: what cannot be read does not get into the batch, and if the batch
        cannot be predicted, each request is predicted by itself.
        """
        if self._predict_batch_fn is None or len(requests) == 1:
            return [_outcome(self.answer, *request) for request in requests]
        found = [_outcome(self._read, body, content_type) for body, content_type, _ in requests]
        readable = [place for place, data in enumerate(found) if not isinstance(data, Exception)]
        predictions = self._predicted([found[place] for place in readable])
        for place, prediction in zip(readable, predictions, strict=True):
            accept = requests[place][2]
            found[place] = (
                prediction
                if isinstance(prediction, Exception)
                else _outcome(self._written, prediction, accept)
            )
        return found

    def _read(self, body: bytes, content_type: str) -> Any:
        try:
            return self._input_fn(body, content_type)
        except ValueError as error:
            if isinstance(getattr(error, "status_code", None), int):
                raise
            raise InputError(f"The body cannot be read as {content_type}: {error}") from error

    def _predicted(self, inputs: list[Any]) -> list[Any]:
        """Return a prediction, or the exception that came instead, for each input."""
        if self._predict_batch_fn is not None and len(inputs) > 1:
            try:
                predictions = list(self._predict_batch_fn(inputs, self._model))
            except Exception as error:  # noqa: BLE001 - whatever it is, it may be one request's fault alone
                problem = f"failed ({type(error).__name__})"
            else:
                if len(predictions) == len(inputs):
                    return predictions
                problem = f"returned {len(predictions)} predictions"
            message = f"predict_batch_fn {problem} for {len(inputs)} requests; they are predicted one by one"
            print(f"WARNING: {message}", file=sys.stderr, flush=True)
        return [_outcome(self._predict_fn, data, self._model) for data in inputs]

    def _written(self, prediction: Any, accept: str) -> Answer:
        return self._finished(self._output_fn(prediction, accept), accept)

    def _taking(self, function: Callable[..., Any], count: int) -> Callable[..., Any]:
        """Return the user's function as one of so many arguments, the context added if it takes one more."""
        if not _takes(function, count + 1):
            return function
        return lambda *arguments: function(*arguments, self._context)

    @staticmethod
    def _finished(result: Any, accept: str) -> Answer:
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


def _outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    """Return what a function returns, or the exception that it raises."""
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - passed on to whom it concerns, who answers with it
        return error


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
