"""Asking a live endpoint: about images of digits, or whatever a model of somebody's own takes."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from retrain.aws import Stack
from retrain.errors import AwsCallError, PredictionError, UnreadableImageError, UnreadableRequestError

SIDE = 28

CONTENT_TYPES = {".json": "application/json", ".jsonl": "application/jsonlines", ".csv": "text/csv"}
"""What files are sent as that are no images."""


@dataclass(frozen=True)
class Picture:
    """An image to ask about.

    Attributes
    ----------
    name : str
        What to call it.
    body, content_type : bytes, str
        What the endpoint is sent.
    pixels : ndarray of uint8, shape (28, 28)
        What a person is shown; ink is 255.
    """

    name: str
    body: bytes
    content_type: str
    pixels: NDArray[np.uint8]


@dataclass(frozen=True)
class Answer:
    """What the endpoint said about one image: the class, and how sure it is (0 to 1)."""

    label: int
    probability: float
    probabilities: tuple[float, ...]


def content_type(path: Path) -> str | None:
    """Return what a file is sent as, as it is; None for one that is read as images."""
    return CONTENT_TYPES.get(path.suffix.lower())


def read(path: Path) -> bytes:
    """Read a file that is sent as it is.

    Raises
    ------
    UnreadableRequestError
        It cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UnreadableRequestError(f"{path} cannot be read: {error.strerror or error}.") from error


def readable(content: bytes) -> Any:
    """Return an answer as JSON if it is that, else as text."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return content.decode(errors="replace").rstrip("\n")


def read_pictures(path: Path) -> list[Picture]:
    """Read a file into images to ask about.

    Parameters
    ----------
    path : Path
        `.png`; `.npy` with one image or many; anything else holds raw bytes, 784 per image.

    Returns
    -------
    list of Picture
        One per image in the file.

    Raises
    ------
    UnreadableImageError
        The file is missing, or is not what its name says.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableImageError(f"{path} cannot be read: {error.strerror or error}.") from error
    if path.suffix.lower() == ".png":
        return [Picture(str(path), content, "image/png", _pixels_of_png(content, path))]
    if path.suffix.lower() == ".npy":
        images = _images_of_npy(content, path)
    elif content and len(content) % SIDE**2 == 0:
        images = np.frombuffer(content, np.uint8).reshape(-1, SIDE, SIDE)
    else:
        raise UnreadableImageError(
            f"{path} is no image: a .png, a .npy, or raw bytes, {SIDE**2} for each {SIDE}x{SIDE} image; it "
            f"has {len(content):,} bytes. --content-type sends any file as it is."
        )
    names = [str(path)] if len(images) == 1 else [f"{path}[{row}]" for row in range(len(images))]
    return [picture(image, name) for image, name in zip(images, names, strict=True)]


def picture(pixels: NDArray[np.uint8], name: str) -> Picture:
    """Make a picture of 28x28 pixels, to be sent as raw bytes."""
    return Picture(name, pixels.tobytes(), "application/octet-stream", pixels)


def ask(stack: Stack, endpoint_name: str, question: Picture) -> Answer:
    """Ask the endpoint about one image.

    Raises
    ------
    PredictionError
        There is no such endpoint, it is not in service, it refused the image, or its answer is not
        understood.
    """
    answers = _answers(invoke(stack, endpoint_name, question.body, question.content_type), endpoint_name)
    if len(answers) != 1:
        raise PredictionError(f"The endpoint '{endpoint_name}' gave {len(answers)} answers for one image.")
    return answers[0]


def ask_all(stack: Stack, endpoint_name: str, images: NDArray[np.uint8]) -> list[Answer]:
    """Ask the endpoint about many images in one request.

    Parameters
    ----------
    stack, endpoint_name
        Whom to ask.
    images : ndarray of uint8, shape (n, 28, 28)
        A request holds at most 6 MB, so about 7,600 images.

    Returns
    -------
    list of Answer
        One per image, in order.
    """
    buffer = io.BytesIO()
    np.save(buffer, images, allow_pickle=False)
    answers = _answers(invoke(stack, endpoint_name, buffer.getvalue(), "application/x-npy"), endpoint_name)
    if len(answers) != len(images):
        raise PredictionError(
            f"The endpoint '{endpoint_name}' gave {len(answers)} answers for {len(images)} images."
        )
    return answers


def invoke(stack: Stack, endpoint_name: str, body: bytes, content_type: str) -> bytes:
    """Send one request to the endpoint and return the body of its answer.

    Raises
    ------
    PredictionError
        There is no such endpoint, it is not in service, or it refused the request.
    """
    try:
        with stack.explained_errors(f"asking the endpoint {endpoint_name}"):
            answer = stack.client("sagemaker-runtime").invoke_endpoint(
                EndpointName=endpoint_name, Body=body, ContentType=content_type, Accept="application/json"
            )
            content: bytes = answer["Body"].read()
            return content
    except AwsCallError as error:
        if error.code == "ValidationError":
            raise PredictionError(
                f"There is no endpoint '{endpoint_name}' in service: a deployed run of the dataset makes one "
                "('retrain runs' shows them; --dataset and --stack-name choose another)."
            ) from error
        raise PredictionError(f"The endpoint '{endpoint_name}' gave no answer: {error}") from error


def _answers(content: bytes, endpoint_name: str) -> list[Answer]:
    try:
        found: Any = json.loads(content)
        if isinstance(found, dict) and "predictions" in found:
            found = found["predictions"]
        return [_answer(item) for item in (found if isinstance(found, list) else [found])]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise PredictionError(
            f"The endpoint '{endpoint_name}' answered something else than labels with probabilities: "
            f"{content[:80]!r}."
        ) from error


def _answer(item: dict[str, Any]) -> Answer:
    probabilities = tuple(float(value) for value in item["probabilities"])
    label = int(item["label"])
    return Answer(label, probabilities[label], probabilities)


def _pixels_of_png(content: bytes, path: Path) -> NDArray[np.uint8]:
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            if image.size != (SIDE, SIDE):
                raise UnreadableImageError(
                    f"{path} is {image.size[0]}x{image.size[1]} pixels: the model takes {SIDE}x{SIDE}, "
                    "white ink on black."
                )
            return np.asarray(image.convert("L"), np.uint8)
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise UnreadableImageError(f"{path} is not a PNG image, or a damaged one.") from error


def _images_of_npy(content: bytes, path: Path) -> NDArray[np.uint8]:
    try:
        array = np.load(io.BytesIO(content), allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise UnreadableImageError(f"{path} is not a .npy file of numbers: {error}.") from error
    if array.size == 0 or array.size % SIDE**2 or array.shape[-1] not in {SIDE, SIDE**2}:
        raise UnreadableImageError(
            f"{path} holds an array of shape {array.shape}, not images of {SIDE}x{SIDE}."
        )
    if np.issubdtype(array.dtype, np.floating) and array.min() >= 0 and array.max() <= 1:
        array = np.rint(array * 255).astype(np.uint8)
    if not np.issubdtype(array.dtype, np.integer) or array.min() < 0 or array.max() > 255:
        raise UnreadableImageError(
            f"{path} holds {array.dtype} values that are no pixels: take whole numbers from 0 (paper) to "
            "255 (ink), or fractions from 0 to 1."
        )
    return np.ascontiguousarray(array, dtype=np.uint8).reshape(-1, SIDE, SIDE)
