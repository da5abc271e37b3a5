"""The user's inference code in process: default handlers, optional arguments, where it is found."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import numpy as np
import pytest
import torch
from moto import mock_aws

from container import codecs, failure
from container.errors import (
    ContainerError,
    InputError,
    ModelLoadError,
    SourceError,
    UnacceptableError,
    UnsupportedContentTypeError,
)
from container.handlers import Model, load_model, locate_inference_code
from container.layout import IMAGE_DIR, Layout
from container.source import fetch_source

ROWS = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def script(**functions: Callable[..., Any]) -> ModuleType:
    module = ModuleType("script")
    module.__file__ = "script.py"
    for name, function in functions.items():
        setattr(module, name, function)
    return module


def sum_model(model_dir: str) -> torch.nn.Module:
    model = torch.nn.Linear(3, 1, bias=False)
    torch.nn.init.ones_(model.weight)
    return model.train()


def npy(value: Any) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(value))
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def _restore_imports(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    modules = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield
    for name in {"user_script", "inference_code"} & (set(sys.modules) - modules):
        del sys.modules[name]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (json.dumps(ROWS).encode(), "application/json"),
        (b"1,2,3\n4,5,6\n", "text/csv; charset=utf-8"),
        (npy(np.array(ROWS)), "application/x-npy"),
        (npy(np.array(ROWS, dtype=np.float32)), "application/x-npy"),
    ],
)
def test_a_script_with_model_fn_alone_answers(body: bytes, content_type: str) -> None:
    model = Model(script(model_fn=sum_model), Path("/model"))

    answer, answer_type = model.answer(body, content_type, "*/*")

    assert json.loads(answer) == [[6.0], [15.0]]
    assert answer_type == "application/json"


def test_default_answers_in_the_accepted_type() -> None:
    model = Model(script(model_fn=sum_model), Path("/model"))
    body = json.dumps(ROWS).encode()

    as_npy, npy_type = model.answer(body, "application/json", "application/x-npy")
    as_csv, csv_type = model.answer(body, "application/json", "text/csv")

    assert np.load(io.BytesIO(as_npy)).tolist() == [[6.0], [15.0]]
    assert as_csv == b"6.0\n15.0"
    assert (npy_type, csv_type) == ("application/x-npy", "text/csv")


def test_functions_may_take_the_context() -> None:
    seen = []

    def model_fn(model_dir: str, context: Any) -> str:
        seen.append(context.system_properties["model_dir"])
        return "model"

    def input_fn(data: bytes, content_type: str, context: Any) -> str:
        return data.decode()

    def predict_fn(data: str, model: str) -> str:
        return f"{model} says {data}"

    def output_fn(prediction: str, accept: str, context: Any) -> tuple[str, str]:
        return prediction, "text/plain"

    functions = {"model_fn": model_fn, "input_fn": input_fn, "predict_fn": predict_fn, "output_fn": output_fn}
    model = Model(script(**functions), Path("/model"))

    assert model.answer(b"seven", "text/plain", "*/*") == (b"model says seven", "text/plain")
    assert seen == ["/model"]


def test_transform_fn_takes_the_place_of_the_three() -> None:
    def transform_fn(model: str, data: bytes, content_type: str, accept: str) -> str:
        return f"{model} {data.decode()} {content_type}"

    model = Model(script(model_fn=lambda model_dir: "m", transform_fn=transform_fn), Path("/model"))

    assert model.answer(b"x", "text/plain", "text/plain") == (b"m x text/plain", "text/plain")


def test_models_that_are_no_torch_modules() -> None:
    class Estimator:
        def predict(self, data: torch.Tensor) -> Any:
            return {"sum": data.numpy().sum(), "rows": [len(data)]}

    body = json.dumps(ROWS).encode()
    estimator = Model(script(model_fn=lambda model_dir: Estimator()), Path("/model"))
    function = Model(script(model_fn=lambda model_dir: lambda data: data.mean()), Path("/model"))

    assert json.loads(estimator.answer(body, "application/json", "*/*")[0]) == {"sum": 21.0, "rows": [2]}
    assert json.loads(function.answer(body, "application/json", "*/*")[0]) == 3.5


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "message"),
    [
        (b"{", "application/json", InputError, "cannot be read as application/json"),
        (b'{"a": 1}', "application/json", InputError, "cannot be read as application/json"),
        (b"a,b", "text/csv", InputError, "rows of numbers"),
        (b"", "text/csv", InputError, "text/csv"),
        (b"no npy", "application/x-npy", InputError, "cannot be read as application/x-npy"),
        (npy(np.array([{}], dtype=object)), "application/x-npy", InputError, "allow_pickle"),
        (b"x", "image/png", UnsupportedContentTypeError, "application/json, application/x-npy, text/csv"),
    ],
)
@pytest.mark.filterwarnings("ignore:genfromtxt")
def test_bad_input_of_the_default_handlers(
    body: bytes, content_type: str, kind: type[Exception], message: str
) -> None:
    model = Model(script(model_fn=sum_model), Path("/model"))

    with pytest.raises(kind, match=message):
        model.answer(body, content_type, "*/*")


def test_an_unknown_accept_is_refused() -> None:
    with pytest.raises(UnacceptableError, match="'image/png'"):
        codecs.encode([1], "image/png")


def test_an_answer_that_is_no_json() -> None:
    with pytest.raises(TypeError, match="an answer with a object"):
        codecs.encode([object()], "application/json")


def test_a_value_error_of_the_users_input_fn_is_the_callers_fault() -> None:
    def input_fn(data: bytes, content_type: str) -> Any:
        return json.loads(data)

    model = Model(script(model_fn=sum_model, input_fn=input_fn), Path("/model"))

    with pytest.raises(InputError, match="cannot be read as text/plain") as caught:
        model.answer(b"{", "text/plain", "*/*")
    assert caught.value.status_code == 400


def test_without_model_fn() -> None:
    with pytest.raises(ModelLoadError, match=r"script\.py defines no model_fn"):
        Model(script(), Path("/model"))


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    for name in ("SAGEMAKER_PROGRAM", "SAGEMAKER_SUBMIT_DIRECTORY", "SAGEMAKER_REGION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "model" / "code").mkdir(parents=True)
    return Layout(tmp_path)


def test_the_inference_code_is_searched_in_order(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    code = layout.model / "code"
    assert locate_inference_code(layout) == IMAGE_DIR / "inference.py"

    (code / "inference.py").touch()
    assert locate_inference_code(layout) == code / "inference.py"

    (code / "mnist.py").touch()
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "mnist.py")
    assert locate_inference_code(layout) == code / "mnist.py"

    elsewhere = layout.base / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mnist.py").touch()
    monkeypatch.setenv("SAGEMAKER_SUBMIT_DIRECTORY", str(elsewhere))
    assert locate_inference_code(layout) == elsewhere / "mnist.py"

    monkeypatch.setenv("SAGEMAKER_SUBMIT_DIRECTORY", "file:///opt/ml/model/code")
    assert locate_inference_code(layout) == code / "mnist.py"

    monkeypatch.setenv("SAGEMAKER_PROGRAM", "lost.py")
    with pytest.raises(SourceError, match=r"'lost\.py' is not in the source code"):
        locate_inference_code(layout)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("def model_fn(model_dir):\n    raise OSError('no weights here')", "OSError: no weights here"),
        ("raise RuntimeError('at import')", "RuntimeError: at import"),
        ("def model_fn(:", "SyntaxError"),
        ("x = 1", "defines no model_fn"),
    ],
)
def test_code_that_cannot_load_its_model(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, content: str, message: str
) -> None:
    (layout.model / "code" / "user_script.py").write_text(content)
    monkeypatch.setenv("SAGEMAKER_PROGRAM", "user_script.py")

    with pytest.raises(ModelLoadError, match=message):
        load_model(layout)


@mock_aws
def test_source_code_comes_from_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import tarfile

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    (tmp_path / "mnist.py").write_text("print(1)")
    with tarfile.open(tmp_path / "sourcedir.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "mnist.py", arcname="mnist.py")
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket="code")
    s3.upload_file(str(tmp_path / "sourcedir.tar.gz"), "code", "a/sourcedir.tar.gz")
    layout = Layout(tmp_path / "ml")

    folder = fetch_source("s3://code/a/sourcedir.tar.gz", layout, "us-east-1")

    assert folder == layout.code
    assert (folder / "mnist.py").read_text() == "print(1)"
    with pytest.raises(SourceError, match=r"s3://code/lost\.tar\.gz cannot be fetched.*Not Found"):
        fetch_source("s3://code/lost.tar.gz", layout, "us-east-1")


def test_an_archive_that_reaches_outside_is_refused(tmp_path: Path) -> None:
    import tarfile

    (tmp_path / "evil.py").touch()
    with tarfile.open(tmp_path / "sourcedir.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "evil.py", arcname="../../evil.py")

    with pytest.raises(SourceError, match="cannot be unpacked"):
        fetch_source(str(tmp_path / "sourcedir.tar.gz"), Layout(tmp_path / "ml"))


def test_last_words_of_a_chained_traceback() -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "a.py", line 1',
        "KeyError: 'a'",
        "",
        "During handling of the above exception, another exception occurred:",
        "",
        "Traceback (most recent call last):",
        '  File "a.py", line 3',
        "ValueError: broken",
    ]

    assert failure.last_words(lines) == "ValueError: broken"
    assert failure.last_words(["one", "", "two\n"]) == "one\ntwo"
    assert failure.last_words([]) == ""


def test_a_failure_is_described_by_its_name() -> None:
    assert failure.describe(SourceError("lost")) == "SourceError: lost"
    assert issubclass(SourceError, ContainerError)
