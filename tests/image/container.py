"""The image, as SageMaker runs it and as a careful person does: ``make image-check``.

Not collected with the other tests, since it needs Docker and takes minutes to build.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.image.conftest import build
from tests.image.docker import WITHOUT_PRIVILEGES, Answer, Container, container, docker, network, until
from tests.unit.training.digits import draw_digits
from tests.unit.training.job import TRAINING, Job

pytestmark = pytest.mark.timeout(900)

PUBLISHED = ("--publish", "127.0.0.1::8080")
SLOW = """
import time
def model_fn(folder): return None
def input_fn(body, content_type): return body
def predict_fn(data, model):
    print("predicting", flush=True)
    time.sleep(3)
    return {"predictions": ["done"]}
def output_fn(prediction, accept):
    import json
    return json.dumps(prediction), "application/json"
"""


def npy(images: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, images)
    return buffer.getvalue()


class TestTrain:
    def test_one_host_leaves_a_model_and_predictions(self, job: Job) -> None:
        assert job.failure is None
        assert (job.model / "model.pt").is_file()
        assert (job.model / "code" / "inference.py").is_file()
        assert job.predictions.read_text().splitlines()[0].startswith("id,label,prediction")

    def test_two_hosts_of_a_network_train_one_model(self, image: str, base: Path) -> None:
        hosts = ("algo-1", "algo-2")
        jobs = [Job.make(base / host, {"epochs": "1"}, hosts=hosts, host=host) for host in hosts]
        with network() as between:

            def started(job: Job, host: str) -> AbstractContextManager[Container]:
                options = ("--network", between, "--hostname", host, "--network-alias", host)
                return container(image, "train", "--volume", f"{job.base}:/opt/ml", *options)

            with started(jobs[0], hosts[0]) as first, started(jobs[1], hosts[1]) as second:
                statuses = first.wait(), second.wait()
                logs = first.log(), second.log()
        assert statuses == (0, 0), "\n".join(logs)
        assert "2 host(s)" in logs[0]
        assert (jobs[0].model / "model.pt").is_file()
        assert not (jobs[1].model / "model.pt").exists()

    def test_a_failure_is_told_by_status_and_file(self, image: str, base: Path) -> None:
        job = Job.make(base / "ml", images=0)
        with container(image, "train", "--volume", f"{job.base}:/opt/ml") as running:
            assert running.wait() == 1
        assert job.failure is not None
        assert "holds no MNIST data" in job.failure


@pytest.fixture(scope="module")
def server(image: str, job: Job) -> Iterator[Container]:
    """A container that serves the model, with no privileges at all."""
    model = ("--volume", f"{job.model}:/opt/ml/model:ro")
    with container(image, "serve", *PUBLISHED, *model, *WITHOUT_PRIVILEGES) as running:
        running.until_it_serves()
        yield running


class TestServe:
    def test_it_runs_without_root_and_can_write_nothing(self, server: Container) -> None:
        assert docker("exec", server.name, "id", "--user").stdout.strip() == "10001"
        refused = docker("exec", server.name, "touch", "/opt/program/x", check=False)
        assert refused.returncode != 0

    def test_it_answers(self, server: Container) -> None:
        images, labels = draw_digits(200, 7)
        answer = server.ask("/invocations", npy(images), Content_Type="application/x-npy")
        assert answer.status == 200
        found = [entry["label"] for entry in answer.body["predictions"]]
        assert np.mean(np.array(found) == labels) > 0.8

    @pytest.mark.parametrize(
        ("body", "content_type", "status"),
        [
            (b"<xml/>", "application/xml", 415),
            (b"not json", "application/json", 400),
            (b"[[1, 2], [3]]", "application/json", 400),
            (b"\x93NUMPY", "application/x-npy", 400),
            (npy(np.zeros((2, 3))), "application/x-npy", 400),
            (b"\0" * (26 * 1024 * 1024), "application/octet-stream", 413),
        ],
    )
    def test_bad_input_is_refused_in_words(
        self, server: Container, body: bytes, content_type: str, status: int
    ) -> None:
        answer = server.ask("/invocations", body, Content_Type=content_type)
        assert answer.status == status
        assert answer.body["error"]
        assert server.ask("/ping").status == 200

    def test_docker_finds_it_healthy(self, server: Container) -> None:
        until(lambda: server.inspect()["State"]["Health"]["Status"] == "healthy", 60, "a healthy container")

    def test_sigterm_lets_it_finish_what_it_answers_and_exit_with_0(self, image: str, base: Path) -> None:
        code = base / "model" / "code"
        code.mkdir(parents=True)
        (code / "inference.py").write_text(SLOW)
        answers: list[Answer] = []
        with container(image, "serve", *PUBLISHED, "--volume", f"{base}/model:/opt/ml/model:ro") as running:
            running.until_it_serves()
            asking = threading.Thread(
                target=lambda: answers.append(
                    running.ask("/invocations", b"[]", Content_Type="application/json")
                )
            )
            asking.start()
            until(lambda: "predicting" in running.log(), 30, "the request")
            docker("kill", "--signal", "TERM", running.name)
            status = running.wait(30)
            asking.join(30)
        assert status == 0
        assert answers == [Answer(200, {"predictions": ["done"]})]

    def test_a_model_that_does_not_load_ends_it_with_the_reason(self, image: str) -> None:
        with container(image, "serve", *PUBLISHED) as running:
            assert running.wait(60) == 1
            assert "model.pt" in running.log()


class TestImage:
    def test_it_holds_the_versions_that_the_tests_ran_with_and_no_others(self, image: str) -> None:
        program = (
            "import json, sysconfig; from importlib.metadata import distributions; "
            "found = distributions(path=[sysconfig.get_path('purelib')]); "
            "print(json.dumps({each.name: each.version for each in found}))"
        )
        listed = docker("run", "--rm", "--entrypoint", "python", image, "-c", program).stdout
        found = {_normal(name): version.split("+")[0] for name, version in json.loads(listed).items()}
        lines = (TRAINING / "constraints.txt").read_text().splitlines()
        pins = dict(line.split("==") for line in lines if not line.startswith("#"))
        pinned = {_normal(name): version for name, version in pins.items()}
        # pip and wheel belong to the base image; the backport to Pythons that lack what it brings.
        assert {name: pinned.get(name) for name in found.keys() - {"pip", "wheel"}} == {
            name: version for name, version in found.items() if name not in {"pip", "wheel"}
        }
        assert pinned.keys() - found.keys() <= {"backports-tarfile"}

    def test_what_lies_about_in_the_folder_stays_out(self, image: str, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(TRAINING, tmp_path / "training"))
        for name in (
            ".env",
            "credentials.json",
            "id_rsa",
            "container/token.txt",
            ".aws/credentials",
            "a.ipynb",
        ):
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text("secret")
        (folder / "container" / "__pycache__").mkdir(exist_ok=True)
        (folder / "container" / "__pycache__" / "x.pyc").write_bytes(b"secret")
        tag = build(folder, "retrain-training:littered")
        try:
            listing = docker(
                *("run", "--rm", "--workdir", "/opt/program", "--entrypoint", "find", tag),
                *(".", "-type", "f"),
            ).stdout.split()
        finally:
            docker("rmi", tag)
        wanted = {f"./{path.relative_to(TRAINING)}" for path in TRAINING.rglob("*.py")}
        assert set(listing) == wanted | {"./requirements.txt", "./constraints.txt"}

    def test_no_secret_is_in_its_configuration_or_history(self, image: str) -> None:
        configuration = json.loads(docker("image", "inspect", image).stdout)[0]["Config"]
        history = docker("history", "--no-trunc", "--format", "{{.CreatedBy}}", image).stdout
        for text in [*configuration["Env"], history]:
            assert not re.search(r"AWS_\w*KEY|SECRET|TOKEN|PASSWORD", text, re.IGNORECASE)
        assert configuration["Entrypoint"] == ["python", "-m", "container"]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
