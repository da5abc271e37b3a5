"""The reference model's four handlers, in process: what they read, what they refuse, and what they answer."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import inference
from inference import InvalidInputError, UnacceptableError, UnsupportedContentTypeError, input_fn, output_fn
from network import ModelFileError, ThreeConvolutions, save_network
from tests.unit.training.digits import draw_digits

IMAGES = draw_digits(3)[0]


def npy(array: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def png(array: NDArray[np.uint8], mode: str = "L") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "content_type", "count"),
    [
        (npy(IMAGES), "application/x-npy", 3),
        (npy(IMAGES[0]), "application/x-npy", 1),
        (npy(IMAGES.reshape(3, 784)), "application/x-npy", 3),
        (npy(IMAGES[0].reshape(784)), "application/x-npy", 1),
        (npy(IMAGES[:, None]), "application/x-npy", 3),
        (npy(IMAGES.astype(np.int64)), "application/x-npy", 3),
        (npy(IMAGES / 255), "application/x-npy", 3),
        (npy(np.asfortranarray(IMAGES)), "application/x-npy", 3),
        (json.dumps(IMAGES.tolist()).encode(), "application/json", 3),
        (json.dumps({"instances": IMAGES.tolist()}).encode(), "application/json; charset=utf-8", 3),
        (json.dumps((IMAGES[0] / 255).tolist()).encode(), "Application/JSON", 1),
        (png(IMAGES[0]), "image/png", 1),
        (png(IMAGES[0], "RGB"), "image/png", 1),
        (IMAGES.tobytes(), "application/octet-stream", 3),
        (IMAGES[0].tobytes(), "application/octet-stream", 1),
    ],
)
def test_the_same_images_come_out_of_every_format(body: bytes, content_type: str, count: int) -> None:
    result = input_fn(body, content_type)

    assert result.dtype == torch.uint8
    assert np.array_equal(result.numpy(), IMAGES[:count])


def test_text_is_read_as_well_as_bytes() -> None:
    assert input_fn(json.dumps(IMAGES[0].tolist()), "application/json").shape == (1, 28, 28)


def test_black_and_white_is_ink_and_background() -> None:
    result = input_fn(npy(IMAGES > 128), "application/x-npy")

    assert set(result.unique().tolist()) == {0, 255}


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (b"", "application/json", "body is empty"),
        (b"{", "application/json", "no JSON"),
        (b"7", "application/json", "no list of images but int"),
        (b'{"images": []}', "application/json", 'no "instances"'),
        (b"[[1, 2], [3]]", "application/json", "ragged"),
        (b"[]", "application/json", r"shape \(0,\)"),
        (b'[["a"]]', "application/json", r"shape \(1, 1\)"),
        (json.dumps([["a"] * 28] * 28).encode(), "application/json", "send numbers"),
        (json.dumps([[0.5, 200] * 14] * 28).encode(), "application/json", "pixels from 0 to 1"),
        (json.dumps([[300] * 28] * 28).encode(), "application/json", "pixels from 0 to 255"),
        (json.dumps([[-1] * 28] * 28).encode(), "application/json", "pixels from 0 to 255"),
        (b"[" * 100_000, "application/json", "no JSON"),
        (b"no npy", "application/x-npy", "no npy file"),
        (npy(IMAGES)[:-5], "application/x-npy", "expected 2352 bytes, found 2347"),
        (npy(IMAGES) + b"more", "application/x-npy", "cut short or too long"),
        (npy(np.zeros((0, 28, 28), np.uint8)), "application/x-npy", "no images"),
        (npy(np.zeros((28, 32), np.uint8)), "application/x-npy", r"shape \(28, 32\)"),
        (npy(np.full((28, 28), np.nan)), "application/x-npy", "pixels from 0 to 1"),
        (npy(np.zeros((28, 28), complex)), "application/x-npy", "send numbers"),
        (npy(np.array([{}], dtype=object)), "application/x-npy", "Python objects"),
        (b"no png", "image/png", "no PNG"),
        (png(IMAGES[0])[:60], "image/png", "no PNG"),
        (png(np.zeros((32, 28), np.uint8)), "image/png", "28x32 pixels"),
        (b"x" * 783, "application/octet-stream", "783 bytes; send 784"),
    ],
)
def test_bad_input_is_refused_in_words(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(InvalidInputError, match=message) as caught:
        input_fn(body, content_type)

    assert caught.value.status_code == 400


def test_an_npy_header_that_claims_too_much_takes_no_memory() -> None:
    claim = npy(np.zeros((1, 28, 28), np.uint8)).replace(b"(1, 28, 28), }    ", b"(99999999,28,28),}")

    with pytest.raises(InvalidInputError, match="expected 78399999216 bytes"):
        input_fn(claim, "application/x-npy")


@pytest.mark.parametrize("content_type", ["text/csv", "image/jpeg", ""])
def test_other_content_types_are_refused(content_type: str) -> None:
    with pytest.raises(UnsupportedContentTypeError, match="application/x-npy, application/json") as caught:
        input_fn(b"x", content_type)

    assert caught.value.status_code == 415


@pytest.mark.parametrize("accept", ["application/json", "*/*", "", "text/html, application/json;q=0.9"])
def test_the_answer_names_label_and_probabilities(accept: str) -> None:
    probabilities = torch.eye(10)[[7, 2]]

    answer = json.loads(output_fn(probabilities, accept))

    assert [prediction["label"] for prediction in answer["predictions"]] == [7, 2]
    assert answer["predictions"][0]["probabilities"] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]


def test_an_answer_in_another_type_is_refused() -> None:
    with pytest.raises(UnacceptableError) as caught:
        output_fn(torch.eye(10), "text/csv")

    assert caught.value.status_code == 406


def test_model_and_prediction(tmp_path: Path) -> None:
    network = ThreeConvolutions()
    save_network(network, tmp_path / "model.pt", {})

    model = inference.model_fn(str(tmp_path))
    probabilities = inference.predict_fn(torch.from_numpy(IMAGES), model)

    assert probabilities.shape == (3, 10)
    assert torch.allclose(probabilities.sum(1), torch.ones(3), atol=1e-5)


def test_a_folder_without_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"model\.pt cannot be read"):
        inference.model_fn(str(tmp_path))
