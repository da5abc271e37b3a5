"""Requests that come at the same time: predicted together, answered each by itself."""

from __future__ import annotations

import asyncio
import json
import re
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from container import batching
from container.batching import Batcher
from container.handlers import Answer, Model, Request
from container.web import build_app

DEADLINE = 30


class Prediction:
    """Stands in for a model: repeats the body; waits, if it is to, until it is let go."""

    def __init__(self, *, waits: bool = False) -> None:
        self.batches: list[list[bytes]] = []
        self.threads: list[int] = []
        self.begun = threading.Event()
        self.go = threading.Event()
        if not waits:
            self.go.set()

    def __call__(self, requests: Sequence[Request]) -> list[Answer | Exception]:
        self.batches.append([body for body, _, _ in requests])
        self.threads.append(threading.get_ident())
        self.begun.set()
        assert self.go.wait(DEADLINE)
        return [
            ValueError(body.decode()) if body == b"bad" else (body, "text/plain") for body, _, _ in requests
        ]


def request(body: bytes) -> Request:
    return body, "text/plain", "*/*"


async def first_then(batcher: Batcher, prediction: Prediction, bodies: Sequence[bytes]) -> list[Any]:
    """Send one request, the others while that is being predicted, and then let the model go on."""
    first = asyncio.create_task(batcher.answer(request(b"first")))
    assert await asyncio.to_thread(prediction.begun.wait, DEADLINE)
    others = [asyncio.create_task(batcher.answer(request(body))) for body in bodies]
    await asyncio.sleep(0)  # they have begun, and wait
    prediction.go.set()
    return await asyncio.wait_for(asyncio.gather(first, *others, return_exceptions=True), DEADLINE)


def test_what_comes_during_a_prediction_is_predicted_together_afterwards() -> None:
    prediction = Prediction(waits=True)
    bodies = [b"%d" % number for number in range(10)]

    answers = asyncio.run(first_then(Batcher(prediction, 1), prediction, bodies))

    assert prediction.batches == [[b"first"], bodies]
    assert [body for body, _ in answers] == [b"first", *bodies]


def test_a_wrong_request_fails_alone() -> None:
    prediction = Prediction(waits=True)

    answers = asyncio.run(first_then(Batcher(prediction, 1), prediction, [b"1", b"bad", b"3"]))

    assert prediction.batches == [[b"first"], [b"1", b"bad", b"3"]]
    assert isinstance(answers[2], ValueError)
    assert [answer[0] for answer in (*answers[:2], answers[3])] == [b"first", b"1", b"3"]


def test_what_comes_at_the_same_moment_is_one_batch() -> None:
    prediction = Prediction()

    async def together() -> None:
        batcher = Batcher(prediction, 1)
        await asyncio.gather(*(batcher.answer(request(b"x")) for _ in range(5)))

    asyncio.run(together())

    assert prediction.batches == [[b"x"] * 5]


def test_batches_have_a_largest_number_of_requests_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "MOST_BYTES", 10)
    prediction = Prediction(waits=True)
    bodies = [b"four", b"four", b"four", b"much too long alone", b"1", b"2", b"3", b"4"]

    asyncio.run(first_then(Batcher(prediction, 1, most=3), prediction, bodies))

    assert prediction.batches[1:] == [
        [b"four", b"four"],
        [b"four"],
        [b"much too long alone"],
        [b"1", b"2", b"3"],
        [b"4"],
    ]


def test_as_many_batches_at_once_as_there_are_workers() -> None:
    barrier = threading.Barrier(3)

    def answer_all(requests: Sequence[Request]) -> list[Answer | Exception]:
        barrier.wait(DEADLINE)  # passed only by three at a time
        return [(body, "text/plain") for body, _, _ in requests]

    async def ask() -> list[Answer]:
        batcher = Batcher(answer_all, workers=3, most=1)
        return await asyncio.gather(*(batcher.answer(request(b"%d" % number)) for number in range(9)))

    assert [body for body, _ in asyncio.run(ask())] == [b"%d" % number for number in range(9)]


@pytest.mark.parametrize(
    ("seconds", "size", "most", "on_the_loop"),
    [
        (1e9, 1000, 64, True),
        (0.0, 1000, 64, False),  # it is slow
        (1e9, batching.QUICK_BYTES + 1, 64, False),  # the body is large
        (1e9, 1000, 1, False),  # the program does not predict batches
    ],
)
def test_only_what_has_shown_to_be_quick_is_predicted_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch, seconds: float, size: int, most: int, on_the_loop: bool
) -> None:
    monkeypatch.setattr(batching, "QUICK_SECONDS", seconds)
    prediction = Prediction()

    async def ask_twice() -> None:
        batcher = Batcher(prediction, 1, most)
        for _ in range(2):
            await batcher.answer(request(b"x" * size))

    asyncio.run(ask_twice())

    first, second = prediction.threads
    assert first != threading.get_ident(), "nobody knows yet how long it takes"
    assert (second == threading.get_ident()) is on_the_loop


def test_requests_that_come_one_by_one_are_not_collected_until_more_come_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(batching, "QUICK_SECONDS", 1e9)
    prediction = Prediction()

    async def ask() -> list[Any]:
        batcher = Batcher(prediction, 1)
        for _ in range(40):
            await batcher.answer(request(b"alone"))
        with pytest.raises(ValueError, match="bad"):
            await batcher.answer(request(b"bad"))
        rounds = [
            await asyncio.gather(*(batcher.answer(request(b"%d" % number)) for number in range(20)))
            for _ in range(3)
        ]
        return [[body for body, _ in answers] for answers in rounds]

    assert asyncio.run(ask()) == [[b"%d" % number for number in range(20)]] * 3
    sizes = [len(batch) for batch in prediction.batches]
    assert sizes[:41] == [1] * 41
    assert sizes[-2:] == [20, 20]


def test_a_caller_that_gives_up_harms_nobody() -> None:
    prediction = Prediction(waits=True)

    async def ask() -> Answer:
        batcher = Batcher(prediction, 1)
        impatient = asyncio.create_task(batcher.answer(request(b"impatient")))
        patient = asyncio.create_task(batcher.answer(request(b"patient")))
        assert await asyncio.to_thread(prediction.begun.wait, DEADLINE)
        impatient.cancel()
        prediction.go.set()
        return await asyncio.wait_for(patient, DEADLINE)

    assert asyncio.run(ask())[0] == b"patient"


def script(**functions: Callable[..., Any]) -> Model:
    module = ModuleType("script")
    functions = {
        "model_fn": lambda model_dir: "m",
        "input_fn": _input_fn,
        "predict_fn": _predict_fn,
    } | functions
    for name, function in functions.items():
        setattr(module, name, function)
    return Model(module, Path("/model"))


def _input_fn(body: bytes, content_type: str) -> int:
    return int(body)


def _predict_fn(data: int, model: str) -> float:
    return 12 / data


def _batch_fn(inputs: list[int], model: str) -> list[float]:
    return [12 / data for data in inputs]


@given(st.lists(st.sampled_from([b"1", b"3", b"0", b"", b"x"]), max_size=12), st.booleans())
def test_a_batch_is_answered_as_its_requests_are_alone(bodies: list[bytes], batched: bool) -> None:
    model = script(predict_batch_fn=_batch_fn) if batched else script()

    answers = model.answer_all([request(body) for body in bodies])

    for body, answer in zip(bodies, answers, strict=True):
        if isinstance(answer, Exception):
            with pytest.raises(type(answer), match=f"^{re.escape(str(answer))}$"):
                model.answer(*request(body))
        else:
            assert answer == model.answer(*request(body))


def test_a_batch_that_fails_is_said_and_its_requests_are_predicted_by_themselves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = script(predict_batch_fn=_batch_fn)

    answers = model.answer_all([request(b"4"), request(b"0"), request(b"6")])

    assert answers[0] == (b"3.0", "application/json")
    assert isinstance(answers[1], ZeroDivisionError)
    assert answers[2] == (b"2.0", "application/json")
    assert "predict_batch_fn failed (ZeroDivisionError) for 3 requests" in capsys.readouterr().err


def test_predictions_that_do_not_fit_the_requests_are_not_handed_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = script(predict_batch_fn=lambda inputs, model: [7.0])

    answers = model.answer_all([request(b"4"), request(b"6")])

    assert [answer[0] for answer in answers if isinstance(answer, tuple)] == [b"3.0", b"2.0"]
    assert "predict_batch_fn returned 1 predictions for 2 requests" in capsys.readouterr().err


def test_predict_batch_fn_may_take_the_context() -> None:
    def batch_fn(inputs: list[int], model: str, context: Any) -> list[list[Any]]:
        return [[context.system_properties["model_dir"], data] for data in inputs]

    answers = script(predict_batch_fn=batch_fn).answer_all([request(b"1"), request(b"2")])

    assert [answer[0] for answer in answers if isinstance(answer, tuple)] == [
        b'["/model", 1]',
        b'["/model", 2]',
    ]


def test_transform_fn_is_called_for_each_request() -> None:
    model = script(
        transform_fn=lambda model, body, content_type, accept: body.decode() * 2, predict_batch_fn=_batch_fn
    )

    answers = model.answer_all([request(b"a"), request(b"b")])

    assert not model.predicts_batches
    assert [answer[0] for answer in answers if isinstance(answer, tuple)] == [b"aa", b"bb"]


@pytest.mark.parametrize("batched", [True, False])
def test_right_and_wrong_requests_at_the_same_time_over_http(batched: bool) -> None:
    model = script(predict_batch_fn=_batch_fn) if batched else script()

    async def ask() -> list[httpx.Response]:
        transport = httpx.ASGITransport(build_app(model, workers=1, largest=10))
        async with httpx.AsyncClient(transport=transport, base_url="http://model") as client:
            bodies = [b"1", b"x", b"2", b"0", b"3", b"9" * 11, b"4"]
            return await asyncio.gather(*(client.post("/invocations", content=body) for body in bodies))

    answers = asyncio.run(ask())

    assert [answer.status_code for answer in answers] == [200, 400, 200, 500, 200, 413, 200]
    assert [json.loads(answer.content) for answer in answers[::2]] == [12.0, 6.0, 4.0, 3.0]
    assert "cannot be read as application/json" in answers[1].json()["error"]
    assert answers[3].json()["error"] == "The model failed: ZeroDivisionError: division by zero"
