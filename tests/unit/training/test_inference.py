"""The reference model's four handlers, in process: what they read, what they refuse, and what they answer."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

import inference
from inference import InvalidInputError, UnacceptableError, UnsupportedContentTypeError, input_fn, output_fn
from network import ModelFileError, Network, ThreeConvolutions, predict_probabilities, save_network
from onnx_export import export_network
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

    assert result.dtype == np.uint8
    assert np.array_equal(result, IMAGES[:count])


def test_text_is_read_as_well_as_bytes() -> None:
    assert input_fn(json.dumps(IMAGES[0].tolist()), "application/json").shape == (1, 28, 28)


def test_black_and_white_is_ink_and_background() -> None:
    result = input_fn(npy(IMAGES > 128), "application/x-npy")

    assert set(np.unique(result).tolist()) == {0, 255}


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
    probabilities = np.eye(10, dtype=np.float32)[[7, 2]]

    answer = json.loads(output_fn(probabilities, accept))

    assert [prediction["label"] for prediction in answer["predictions"]] == [7, 2]
    assert answer["predictions"][0]["probabilities"] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]


def test_an_answer_in_another_type_is_refused() -> None:
    with pytest.raises(UnacceptableError) as caught:
        output_fn(np.eye(10, dtype=np.float32), "text/csv")

    assert caught.value.status_code == 406


def save(network: Network, folder: Path, *, onnx: bool) -> Path:
    save_network(network, folder / "model.pt", {})
    if onnx:
        export_network(network, folder / "model.onnx", torch.from_numpy(IMAGES))
    return folder


@pytest.mark.parametrize("onnx", [True, False])
def test_the_model_answers_as_the_network_does(tmp_path: Path, onnx: bool) -> None:
    network = ThreeConvolutions()

    model = inference.model_fn(str(save(network, tmp_path, onnx=onnx)))
    probabilities = inference.predict_fn(IMAGES, model)

    expected = predict_probabilities(network, torch.from_numpy(IMAGES)).numpy()
    assert probabilities.shape == (3, 10)
    assert np.allclose(probabilities, expected, atol=1e-5)


@pytest.mark.parametrize("onnx", [True, False])
def test_requests_of_any_sizes_are_predicted_together_as_they_are_alone(tmp_path: Path, onnx: bool) -> None:
    model = inference.model_fn(str(save(ThreeConvolutions(), tmp_path, onnx=onnx)))
    many = draw_digits(2500, seed=2)[0]
    inputs = [IMAGES[:1], many, IMAGES[1:], IMAGES[:1]]

    together = inference.predict_batch_fn(inputs, model)

    assert [len(part) for part in together] == [1, 2500, 2, 1]
    for part, images in zip(together, inputs, strict=True):
        assert np.allclose(part, inference.predict_fn(images, model), atol=1e-7)


def test_a_spoiled_onnx_model_is_not_served(tmp_path: Path) -> None:
    save(ThreeConvolutions(), tmp_path, onnx=True)
    content = (tmp_path / "model.onnx").read_bytes()
    (tmp_path / "model.onnx").write_bytes(content[: len(content) // 2])

    with pytest.raises(inference.OnnxModelError, match=r"model\.onnx cannot be read as an ONNX model"):
        inference.model_fn(str(tmp_path))


def test_without_onnx_runtime_torch_serves_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    network = ThreeConvolutions()
    save(network, tmp_path, onnx=True)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    model = inference.model_fn(str(tmp_path))

    assert "WARNING: torch serves, since ONNX Runtime is missing" in capsys.readouterr().err
    expected = predict_probabilities(network, torch.from_numpy(IMAGES)).numpy()
    assert np.array_equal(inference.predict_fn(IMAGES, model), expected)


def test_a_folder_without_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"model\.pt cannot be read"):
        inference.model_fn(str(tmp_path))
