"""Whatever is wrong with data, program or model: people are told what, and the champion serves on."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.outcomes.conftest import Files, People, dataset_files, holdout_files
from tests.unit.training.digits import draw_digits, idx_bytes

DATASET = "digits"
ENDPOINT = "people-digits"


@pytest.fixture(scope="module")
def champion(people: People) -> str:
    """A model in service; gives its endpoint config."""
    people.put_holdout(DATASET, holdout_files())
    told = people.upload(DATASET, dataset_files())
    assert told.attributes == {"outcome": "DEPLOYED", "dataset": DATASET}, told.body
    serving = people.serving(ENDPOINT)
    assert serving == told.run["endpoint_config_name"]
    images, labels = draw_digits(50, seed=3)
    assert sum(people.ask(ENDPOINT, images) == labels) >= 45
    return serving


def images_only(count: int) -> bytes:
    return idx_bytes(draw_digits(count, 5)[0])


DATA: dict[str, tuple[Files, str]] = {
    "no dataset at all": (
        {"holiday.txt": b"Dear all, the weather is fine."},
        "holiday.txt",
    ),
    "an empty file": (
        {**dataset_files(200), "train-labels-idx1-ubyte": b""},
        "train-labels-idx1-ubyte is empty",
    ),
    "a truncated IDX file": (
        {**dataset_files(200), "train-images-idx3-ubyte": images_only(200)[:-1000]},
        "train-images-idx3-ubyte is cut short",
    ),
    "a truncated gzip file": (
        {
            "train-images-idx3-ubyte.gz": gzip.compress(images_only(200))[:-2000],
            "train-labels-idx1-ubyte": dataset_files(200)["train-labels-idx1-ubyte"],
        },
        "train-images-idx3-ubyte.gz",
    ),
    "images and labels of different counts": (
        {**dataset_files(200), "train-images-idx3-ubyte": images_only(150)},
        "150 images",
    ),
}

PROGRAMS: dict[str, tuple[str, str]] = {
    "a program that raises": (
        "raise ValueError('the learning rate must be positive')",
        "the learning rate must be positive",
    ),
    "a program that exits": (
        "import sys; print('no licence for this', file=sys.stderr); sys.exit(3)",
        "no licence for this",
    ),
    "a program that is killed": (
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "",
    ),
    "a program that fills the disk": (
        """
        import os
        with open(os.path.join(os.environ["SM_MODEL_DIR"], "big"), "wb") as file:
            while True:
                file.write(b"1" * 2**24)
        """,
        "VolumeSizeInGB",
    ),
    "a program that leaves no predictions": (
        """
        import os, pathlib
        pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("a model")
        """,
        "predictions.csv is missing",
    ),
}


class TestBadInput:
    def assert_untouched(self, people: People, champion: str) -> None:
        assert people.serving(ENDPOINT) == champion
        running = people.aws("sagemaker").list_training_jobs(StatusEquals="InProgress")
        assert running["TrainingJobSummaries"] == []
        machine = people.outputs["StateMachineArn"]
        states = people.aws("stepfunctions")

        def ended() -> bool:  # people are told a moment before the execution ends
            executions = states.list_executions(stateMachineArn=machine)["executions"]
            return {execution["status"] for execution in executions} <= {"SUCCEEDED", "FAILED"}

        people.wait_until(ended, what="the end of all executions")

    @pytest.mark.parametrize("case", DATA)
    def test_data_that_the_program_cannot_read(self, people: People, champion: str, case: str) -> None:
        files, reason = DATA[case]
        told = people.upload(DATASET, files)
        assert told.attributes["outcome"] == "FAILED"
        assert reason in told.body
        assert told.run["outcome"] == "FAILED"
        assert reason in told.run["reason"]
        assert f"The endpoint {ENDPOINT} still serves the model of the run" in told.body
        self.assert_untouched(people, champion)

    @pytest.mark.parametrize("case", PROGRAMS)
    def test_a_program_that_misbehaves(self, people: People, champion: str, case: str) -> None:
        code, reason = PROGRAMS[case]
        source = people.program(case.replace(" ", "-"), code)
        people.start({"dataset": {"name": DATASET}, "training": {"source_s3_uri": source}})
        told = people.told(DATASET)
        assert told.attributes["outcome"] == ("REJECTED" if "no predictions" in case else "FAILED")
        assert reason in told.body, told.body
        self.assert_untouched(people, champion)

    def test_a_program_that_hangs(self, open_stack: Callable[..., People]) -> None:
        impatient = open_stack("impatient", TrainingMaxRuntimeSeconds="4", QuietPeriodSeconds="900")
        impatient.put_holdout(DATASET, holdout_files(20))
        for name, content in dataset_files(20).items():
            bucket = impatient.outputs["DataBucketName"]
            impatient.aws("s3").put_object(Bucket=bucket, Key=f"datasets/{DATASET}/{name}", Body=content)
        source = impatient.program("hanging", "import time; time.sleep(3600)")
        impatient.start({"dataset": {"name": DATASET}, "training": {"source_s3_uri": source}})
        told = impatient.told(DATASET)
        assert told.attributes["outcome"] == "FAILED"
        assert "ran longer than its limit of 4 seconds" in told.body
        assert "No endpoint serves this dataset's model yet." in told.body

    def test_a_model_that_does_not_load_when_served(self, people: People, champion: str) -> None:
        source = people.program("unloadable", UNLOADABLE)
        people.start({"dataset": {"name": DATASET}, "training": {"source_s3_uri": source}})
        told = people.told(DATASET)
        assert told.attributes["outcome"] == "ROLLED_BACK", told.body
        assert "the weights are for another network" in told.body
        self.assert_untouched(people, champion)

    def test_a_first_model_that_does_not_load_leaves_the_way_free_for_the_next(self, people: People) -> None:
        dataset, endpoint = "fresh", "people-fresh"
        people.put_holdout(dataset, holdout_files())
        told = people.upload(dataset, {"holiday.txt": b"Dear all, the weather is fine."})
        assert told.attributes["outcome"] == "FAILED", told.body
        source = people.program("unloadable", UNLOADABLE)
        people.start({"dataset": {"name": dataset}, "training": {"source_s3_uri": source}})
        told = people.told(dataset)
        assert told.attributes["outcome"] == "FAILED", told.body
        assert "the weights are for another network" in told.body
        assert people.serving(endpoint) is None
        told = people.upload(dataset, dataset_files())
        assert told.attributes["outcome"] == "DEPLOYED", told.body
        assert people.serving(endpoint) == told.run["endpoint_config_name"]


UNLOADABLE = """
    import csv, os, pathlib

    def model_fn(folder):
        raise RuntimeError("the weights are for another network")

    if __name__ == "__main__":
        holdout = pathlib.Path(os.environ["SM_CHANNEL_HOLDOUT"])
        rows = list(csv.DictReader(open(holdout / "labels.csv")))
        for name in ("predictions.csv", "champion_predictions.csv"):
            with open(os.path.join(os.environ["SM_OUTPUT_DATA_DIR"], name), "w", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(["id", "label", "prediction"])
                writer.writerows([row["id"], row["label"], row["label"]] for row in rows)
        pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text("a model")
"""


class TestRefusedBeforeAnythingIsSpent:
    @pytest.mark.parametrize(
        ("request_body", "field"),
        [
            ({}, "dataset"),
            ({"dataset": {"name": DATASET}, "trainning": {}}, "trainning"),
            ({"dataset": {"name": "no such"}}, "dataset.name"),
            ({"dataset": {"name": DATASET, "s3_uri": "s3://elsewhere/datasets/digits/"}}, "dataset.s3_uri"),
            ({"dataset": {"name": DATASET}, "training": {"image_uri": "evil/image:1"}}, "training.image_uri"),
            ({"dataset": {"name": DATASET}, "training": {"hyperparameters": {"epochs": [3]}}}, "epochs"),
            ({"dataset": {"name": DATASET}, "gate": {"value_threshold": 7}}, "gate.value_threshold"),
            ({"dataset": {"name": "unheard-of"}}, "unheard-of"),
        ],
    )
    def test_a_bad_request_starts_no_training(
        self, people: People, request_body: dict[str, Any], field: str
    ) -> None:
        before = people.aws("sagemaker").list_training_jobs()["TrainingJobSummaries"]
        arn = people.start(request_body)
        states = people.aws("stepfunctions")

        def ended() -> dict[str, Any] | None:
            description: dict[str, Any] = states.describe_execution(executionArn=arn)
            return description if description["status"] != "RUNNING" else None

        description = people.wait_until(ended, seconds=20, what="the execution's end")
        assert description["status"] == "FAILED"
        record = people.run_record(description["name"])
        assert record["outcome"] == "FAILED"
        assert field in record["reason"]
        assert people.aws("sagemaker").list_training_jobs()["TrainingJobSummaries"] == before
