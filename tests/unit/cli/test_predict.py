"""`retrain predict`: files of every kind, pictures and answers, and what is no image."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from retrain.cli import digits
from retrain.operations import predict
from tests.unit.cli.fakes import refusal

SEVEN = np.zeros((28, 28), np.uint8)
SEVEN[4:8, 6:22] = 255
SEVEN[8:24, 18:22] = 255


@pytest.fixture
def png(tmp_path):
    path = tmp_path / "seven.png"
    Image.fromarray(SEVEN).save(path)
    return path


def test_a_picture_and_its_answer(retrain, stack, png):
    ended = retrain("predict", png)
    assert ended.code == 0
    lines = ended.out.splitlines()
    assert lines[:2] == ["  " + "█" * 16, "  " + "█" * 16]
    assert lines[2:10] == [" " * 14 + "████"] * 8
    assert lines[10:12] == ["answer 7  90.0 %", "seven.png"]
    assert stack.runtime.requests == [("retrain-mnist", "image/png", png.read_bytes())]


def test_as_json_from_another_dataset(retrain, stack, png):
    (answer,) = retrain("predict", png, "--dataset", "digits", "--json").json
    assert (answer["label"], answer["truth"], answer["probabilities"][7]) == (7, None, 0.9)
    assert stack.runtime.requests[0][0] == "retrain-digits"


@pytest.mark.parametrize(
    "array",
    [
        np.stack([SEVEN, SEVEN]),
        np.stack([SEVEN, SEVEN]).reshape(2, 784),
        np.stack([SEVEN, SEVEN]).astype(np.int64),
        np.stack([SEVEN, SEVEN]) / 255,
    ],
)
def test_npy_with_several_images(retrain, stack, tmp_path, array):
    np.save(tmp_path / "two.npy", array)
    ended = retrain("predict", tmp_path / "two.npy")
    assert "two.npy[1]" in ended.out
    assert [body for _, _, body in stack.runtime.requests] == [SEVEN.tobytes()] * 2
    assert stack.runtime.requests[0][1] == "application/octet-stream"


def test_raw_bytes(retrain, stack, tmp_path):
    (tmp_path / "digits.raw").write_bytes(SEVEN.tobytes() * 3)
    assert len(retrain("predict", tmp_path / "digits.raw", "--json").json) == 3


def test_nothing_named(retrain, stack):
    ended = retrain("predict")
    assert (ended.code, ended.err) == (
        2,
        "retrain: There is nothing to predict: name a file, or ask for test images with --sample 5.\n",
    )


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.png", b"nonsense", "is not a PNG image, or a damaged one."),
        ("a.npy", b"nonsense", "is not a .npy file of numbers"),
        (
            "a.raw",
            b"123",
            "is no image: a .png, a .npy, or raw bytes, 784 for each 28x28 image; it has 3 bytes.",
        ),
        ("a.raw", b"", "it has 0 bytes."),
    ],
)
def test_what_is_no_image(retrain, stack, tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    ended = retrain("predict", tmp_path / name)
    assert ended.code == 2
    assert sentence in ended.err
    assert stack.runtime.requests == []


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros((3, 3), np.uint8), "holds an array of shape (3, 3), not images of 28x28."),
        (np.zeros((0, 28, 28), np.uint8), "shape (0, 28, 28)"),
        (np.full((28, 28), 300), "values that are no pixels"),
        (np.full((28, 28), -0.5), "values that are no pixels"),
        (np.full((28, 28), np.nan), "values that are no pixels"),
        (np.zeros((28, 28), complex), "values that are no pixels"),
        (np.zeros((28, 28), "U1"), "values that are no pixels"),
    ],
)
def test_arrays_that_are_no_images(tmp_path, array, sentence):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(predict.UnreadableImageError) as error:
        predict.read_pictures(tmp_path / "a.npy")
    assert sentence in str(error.value)


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(predict.UnreadableImageError, match=r"not a \.npy file of numbers"):
        predict.read_pictures(tmp_path / "a.npy")


def test_a_picture_of_another_size(tmp_path):
    Image.new("L", (64, 32)).save(tmp_path / "a.png")
    with pytest.raises(predict.UnreadableImageError, match=r"is 64x32 pixels: the model takes 28x28"):
        predict.read_pictures(tmp_path / "a.png")


def test_a_missing_file(retrain, stack, tmp_path):
    assert retrain("predict", tmp_path / "a.png").err == (
        f"retrain: {tmp_path / 'a.png'} cannot be read: No such file or directory.\n"
    )


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (
            refusal("ValidationError"),
            "There is no endpoint 'retrain-mnist' in service: a deployed run of the dataset makes one",
        ),
        (
            refusal("ModelError", "InvokeEndpoint", "Received client error (400)"),
            "'retrain-mnist' gave no answer: InvokeEndpoint",
        ),
        (b"<html>", "answered something else than labels with probabilities: b'<html>'."),
        ({"predictions": []}, "gave 0 answers for one image."),
        ({"label": 12, "probabilities": [1.0]}, "answered something else"),
    ],
)
def test_endpoints_that_do_not_answer(retrain, stack, png, answer, sentence):
    stack.runtime.answer = lambda *_: answer
    ended = retrain("predict", png)
    assert ended.code == 1
    assert sentence in ended.err


def test_many_images_in_one_request(stack):
    def answer(body, content_type):
        assert content_type == "application/x-npy"
        count = len(np.load(io.BytesIO(body)))
        return {"predictions": [{"label": row % 2, "probabilities": [0.5, 0.5]} for row in range(count)]}

    stack.runtime.answer = answer
    answers = predict.ask_all(stack, "retrain-mnist", np.stack([SEVEN] * 3))
    assert [found.label for found in answers] == [0, 1, 0]
    stack.runtime.answer = lambda *_: {"label": 1, "probabilities": [0, 1]}
    with pytest.raises(predict.PredictionError, match="gave 1 answers for 3 images"):
        predict.ask_all(stack, "retrain-mnist", np.stack([SEVEN] * 3))


def test_drawing():
    assert digits.plain_lines(SEVEN, unicode=False)[0] == "  " + "#" * 16 + "  "
    top = np.zeros((28, 28), np.uint8)
    top[4] = 255
    assert digits.plain_lines(top)[0] == "▀" * 20
    assert digits.plain_lines(np.roll(top, 1, axis=0))[0] == "▄" * 20
    shaded = digits.shaded_lines(SEVEN)
    assert [line.plain for line in shaded] == ["▀" * 20] * 10
    assert str(shaded[0].spans[4].style) == "#ffffff on #ffffff"


def test_blocks_fill_the_width():
    blocks = [[f"{number}" * 30, "caption"] for number in range(5)]
    lines = [line.plain for line in digits.side_by_side(blocks, 64)]
    assert lines[0] == "  ".join(f"{number}" * 20 for number in range(3))
    assert lines[1] == "caption" + " " * 15 + "caption" + " " * 15 + "caption"
    assert lines[3] == "  ".join(f"{number}" * 20 for number in (3, 4))
    assert len(digits.side_by_side(blocks, 10)) == 15


def test_requests_of_ones_own_are_sent_as_they_are(retrain, stack, tmp_path):
    (tmp_path / "rows.json").write_text("[[1, 2]]")
    (tmp_path / "rows.bin").write_bytes(b"\x00\x01")
    stack.runtime.answer = lambda *_: '["ünlabelled"]'.encode()
    ended = retrain("predict", "--dataset", "wines", tmp_path / "rows.json")
    assert (ended.code, ended.out) == (0, '["ünlabelled"]\n')
    stack.runtime.answer = lambda *_: b"1.5\n2.5\n"
    ended = retrain("predict", "--dataset", "wines", tmp_path / "rows.bin", "--content-type", "a/b", "--json")
    assert ended.json == [{"name": str(tmp_path / "rows.bin"), "answer": "1.5\n2.5"}]
    assert stack.runtime.requests == [
        ("retrain-wines", "application/json", b"[[1, 2]]"),
        ("retrain-wines", "a/b", b"\x00\x01"),
    ]


def test_images_and_requests_take_two_calls(retrain, stack, png, tmp_path):
    (tmp_path / "rows.csv").write_text("1,2\n")
    ended = retrain("predict", png, tmp_path / "rows.csv")
    assert (ended.code, stack.runtime.requests) == (2, [])
    assert "two calls" in ended.err
    ended = retrain("predict", tmp_path / "missing.json")
    assert (ended.code, "cannot be read: No such file" in ended.err) == (2, True)
