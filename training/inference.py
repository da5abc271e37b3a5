"""Serves the MNIST network, by the four functions that SageMaker's PyTorch images call.

Takes one image or several, each 28x28 pixels, 0 is background and 255 is ink:

- `application/x-npy`: an array as numpy.save writes it, shape (28, 28), (N, 28, 28) or (N, 784);
- `application/json`: the same as nested lists, bare or as `{"instances": [...]}`;
- `image/png`: one picture, white on black;
- `application/octet-stream`: the bytes of one or several images, row by row.

Whole numbers are pixels from 0 to 255; fractions are pixels from 0 to 1. Answers
`{"predictions": [{"label": 7, "probabilities": [...]}]}`.

`model.onnx` is served by ONNX Runtime, without torch. Where it or ONNX Runtime is missing, as in models from
before there was one, torch serves `model.pt`. Requests that come at the same time may be predicted together:
`predict_batch_fn`.

Errors::

    RequestError                        carries `status_code`, which the server answers with
    ├── UnsupportedContentTypeError     415
    ├── UnacceptableError               406
    └── InvalidInputError               400
    OnnxModelError                      `model.onnx` is spoiled
"""

from __future__ import annotations

import io
import itertools
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

IMAGE_SIZE = 28
JSON = "application/json"
NPY = "application/x-npy"
PNG = "image/png"
RAW = "application/octet-stream"
PIXELS = IMAGE_SIZE * IMAGE_SIZE
BATCH_SIZE = 1000  # images predicted at once, which bounds the memory that they take

Images: TypeAlias = NDArray[np.uint8]  # shape (N, 28, 28)
Probabilities: TypeAlias = NDArray[np.float32]  # shape (N, 10)


class Model(NamedTuple):
    """A loaded network.

    Attributes
    ----------
    predict : Callable[[Images], Probabilities]
        Gives the class probabilities.
    together : bool
        Whether several requests may be predicted at once. ONNX Runtime gives an image the same probabilities
        to the last bit whatever is predicted with it; torch chooses its kernels by the number of images.
    """

    predict: Callable[[Images], Probabilities]
    together: bool


class RequestError(ValueError):
    """A request that cannot be answered."""

    status_code = 400


class UnsupportedContentTypeError(RequestError):
    """The request's content type is none that this model reads."""

    status_code = 415


class UnacceptableError(RequestError):
    """The answer was asked for in a content type that this model does not write."""

    status_code = 406


class InvalidInputError(RequestError):
    """The request's body is not what its content type says, or holds no 28x28 images."""


class OnnxModelError(Exception):
    """The file `model.onnx` cannot be read."""


def model_fn(model_dir: str) -> Model:
    """Load the network from an extracted `model.tar.gz`.

    Raises
    ------
    OnnxModelError
        If `model.onnx` is spoiled.
    network.ModelFileError
        If there is none, and `model.pt` is missing, spoiled or another network.
    """
    path = Path(model_dir) / "model.onnx"
    if path.is_file():
        try:
            import onnxruntime
        except ImportError as error:
            print(
                f"WARNING: torch serves, since ONNX Runtime is missing: {error}", file=sys.stderr, flush=True
            )
        else:
            return _onnx_model(onnxruntime, path)
    return _torch_model(Path(model_dir) / "model.pt")


def _onnx_model(onnxruntime: Any, path: Path) -> Model:
    options = onnxruntime.SessionOptions()
    # The network is too small to be shared among threads: requests that come together use the cores.
    options.intra_op_num_threads = 1
    try:
        # From bytes: a model in a file could name other files to be read.
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has an exception of its own for each kind of spoiled file
        raise OnnxModelError(f"{path} cannot be read as an ONNX model: {error}") from error

    def probabilities(images: Images) -> Probabilities:
        answer: Probabilities = session.run(["probabilities"], {"images": images})[0]
        return answer

    return Model(probabilities, together=True)


def _torch_model(path: Path) -> Model:
    import torch

    from network import load_network, predict_probabilities

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = load_network(path).to(device)

    def probabilities(images: Images) -> Probabilities:
        answer: Probabilities = predict_probabilities(network, torch.from_numpy(images)).numpy()
        return answer

    return Model(probabilities, together=False)


def input_fn(request_body: bytes | bytearray | str, content_type: str) -> Images:
    """Read the images from a request.

    Returns
    -------
    NDArray[np.uint8]
        Writable, shape (N, 28, 28), N at least 1.

    Raises
    ------
    UnsupportedContentTypeError
        If the content type is not one of the four.
    InvalidInputError
        If the body does not hold 28x28 images.
    """
    body = request_body.encode() if isinstance(request_body, str) else bytes(request_body)
    kind = content_type.split(";")[0].strip().lower()
    readers = {NPY: _read_npy, JSON: _read_json, PNG: _read_png, RAW: _read_raw}
    if kind not in readers:
        raise UnsupportedContentTypeError(
            f"The content type {content_type!r} is not supported; send one of {', '.join(readers)}."
        )
    if not body:
        raise InvalidInputError("The request's body is empty; send at least one 28x28 image.")
    return _images(readers[kind](body))


def predict_fn(images: Images, model: Model) -> Probabilities:
    """Return the class probabilities of the images."""
    if len(images) <= BATCH_SIZE:
        return model.predict(images)
    starts = range(0, len(images), BATCH_SIZE)
    return np.concatenate([model.predict(images[start : start + BATCH_SIZE]) for start in starts])


def predict_batch_fn(inputs: Sequence[Images], model: Model) -> list[Probabilities]:
    """Return the class probabilities of several requests' images, predicted together if that changes none."""
    if not model.together:
        return [predict_fn(images, model) for images in inputs]
    together = predict_fn(np.concatenate(inputs), model)
    ends = list(itertools.accumulate(len(images) for images in inputs))
    return [together[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def output_fn(probabilities: Probabilities, accept: str) -> str:
    """Write the answer as JSON.

    Raises
    ------
    UnacceptableError
        If `accept` allows no JSON.
    """
    kinds = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    if not kinds & {"", "*/*", "application/*", JSON}:
        raise UnacceptableError(f"The answer cannot be {accept!r}; accept {JSON}.")
    labels = probabilities.argmax(axis=1).tolist()
    rows = [[round(value, 6) for value in row] for row in probabilities.tolist()]
    predictions = [{"label": label, "probabilities": row} for label, row in zip(labels, rows, strict=True)]
    return json.dumps({"predictions": predictions})


def _images(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Bring an array of any accepted shape and type to uint8, shape (N, 28, 28)."""
    shape = array.shape
    if shape[-2:] != (IMAGE_SIZE, IMAGE_SIZE) and shape[-1:] != (PIXELS,):
        raise InvalidInputError(
            f"The input has the shape {shape}; send one image of shape (28, 28), or several of shape "
            "(N, 28, 28) or (N, 784)."
        )
    array = array.reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
    if len(array) == 0:
        raise InvalidInputError("The input holds no images; send at least one of shape (28, 28).")
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.integer):
        if array.min() < 0 or array.max() > 255:
            raise InvalidInputError("Whole numbers are pixels from 0 to 255; the input has others.")
        return array.astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        if not (array.min() >= 0 and array.max() <= 1):  # false for NaN as well
            raise InvalidInputError("Fractions are pixels from 0 to 1; send whole numbers for 0 to 255.")
        return np.rint(array.astype(np.float32) * 255).astype(np.uint8)
    raise InvalidInputError(f"The input has the type {array.dtype}; send numbers.")


def _read_npy(body: bytes) -> NDArray[Any]:
    stream = io.BytesIO(body)
    try:
        # The header is read first, so that what it claims is compared with what is there before memory is
        # taken.
        version = np.lib.format.read_magic(stream)
        read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else _read_header_2
        shape, _, dtype = read_header(stream)
        if dtype.hasobject:
            raise InvalidInputError("The npy array holds Python objects; send numbers.")
        expected = math.prod(shape) * dtype.itemsize
        found = len(body) - stream.tell()
        if expected != found:
            raise InvalidInputError(
                f"The npy array is cut short or too long: expected {expected} bytes, found {found}."
            )
        stream.seek(0)
        array: NDArray[Any] = np.load(stream, allow_pickle=False)
    except InvalidInputError:
        raise
    except (ValueError, TypeError, EOFError, SyntaxError) as error:
        raise InvalidInputError(f"The body is no npy file: {error}") from error
    return array


def _read_header_2(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    header: tuple[tuple[int, ...], bool, np.dtype[Any]] = np.lib.format.read_array_header_2_0(stream)
    return header


def _read_json(body: bytes) -> NDArray[Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"The body is no JSON: {error}") from error
    if isinstance(value, dict):
        if "instances" not in value:
            raise InvalidInputError('The JSON object has no "instances"; send {"instances": [image, ...]}.')
        value = value["instances"]
    if not isinstance(value, list):
        raise InvalidInputError(f"The JSON holds no list of images but {type(value).__name__}.")
    try:
        return np.array(value)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            "The JSON lists are ragged: all rows and images need the same length."
        ) from error


def _read_png(body: bytes) -> NDArray[Any]:
    from PIL import Image, UnidentifiedImageError  # when it is needed: a server without it starts sooner

    try:
        with Image.open(io.BytesIO(body), formats=["PNG"]) as picture:
            if picture.size != (
                IMAGE_SIZE,
                IMAGE_SIZE,
            ):  # known from the header, before any pixel is unpacked
                width, height = picture.size
                raise InvalidInputError(
                    f"The picture is {width}x{height} pixels; send {IMAGE_SIZE}x{IMAGE_SIZE}."
                )
            return np.array(picture.convert("L"))
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise InvalidInputError(f"The body is no PNG picture that can be read: {error}") from error


def _read_raw(body: bytes) -> NDArray[Any]:
    if len(body) % PIXELS:
        raise InvalidInputError(
            f"The body has {len(body)} bytes; send {PIXELS} bytes (28x28) per image, and nothing else."
        )
    return np.frombuffer(bytearray(body), dtype=np.uint8).reshape(-1, IMAGE_SIZE, IMAGE_SIZE)
