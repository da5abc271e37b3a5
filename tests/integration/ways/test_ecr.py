"""An image is pushed: it is trained with by its digest, if its repository is listed and allowed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.integration.ways.conftest import REGISTRY, Way

DATASET = "pushed"
REPOSITORY, FOREIGN, UNHEARD = "way/retrain-training", "way/not-allowed", "way/retrain-training-unheard"


@pytest.fixture(scope="module")
def way(open_way: Callable[..., Way]) -> Way:
    opened = open_way(
        "way-ecr",
        RetrainDatasets=DATASET,
        ImagePushRepositories=f"{REPOSITORY},{FOREIGN}",
        AllowedImageRepositories=f"{REGISTRY}/way/retrain-*",
    )
    for repository in (REPOSITORY, FOREIGN, UNHEARD):
        opened.people.aws("ecr").create_repository(repositoryName=repository)
    opened.fill(DATASET)
    return opened


def push(way: Way, build: int, tag: str | None, repository: str = REPOSITORY) -> str:
    """Push an image; gives its digest. In the local cloud a folder stands for every build of it."""
    request = {"imageTag": tag} if tag else {}
    manifest = json.dumps({"schemaVersion": 2, "build": build})
    answer = way.people.aws("ecr").put_image(repositoryName=repository, imageManifest=manifest, **request)
    return str(answer["image"]["imageId"]["imageDigest"])


def test_each_new_image_is_trained_with_and_the_same_one_under_another_tag_is_not(way: Way) -> None:
    digest = push(way, 1, "stable")
    first = way.told(DATASET)
    assert first.attributes["outcome"] == "DEPLOYED"
    assert first.run["image_uri"] == f"{REGISTRY}/{REPOSITORY}@{digest}"
    assert first.run["trigger"]["kind"] == "event"
    job = way.people.aws("sagemaker").describe_training_job(TrainingJobName=first.run["training_job_name"])
    assert job["AlgorithmSpecification"]["TrainingImage"] == first.run["image_uri"]
    assert way.decision()["image"] == f"{REPOSITORY}:stable"

    push(way, 1, "1.0")
    assert way.decision(2)["result"] == "skipped"

    moved = push(way, 2, "stable")
    second = way.told(DATASET)
    assert second.run["image_uri"] == f"{REGISTRY}/{REPOSITORY}@{moved}" != first.run["image_uri"]
    assert second.run["retrain_key"] != first.run["retrain_key"]
    assert second.run["dataset_version"] == first.run["dataset_version"]


def test_a_repository_that_is_not_allowed_is_refused_and_one_that_is_not_listed_not_heard(way: Way) -> None:
    before = way.runs()
    push(way, 3, "1.0", UNHEARD)
    push(way, 3, "1.0", FOREIGN)
    decision = way.decision(image=f"{FOREIGN}:1.0")
    assert decision["result"] == "refused"
    assert "the stack's parameter AllowedImageRepositories allows" in decision["reason"]
    assert way.decisions(image=f"{UNHEARD}:1.0") == []
    assert way.runs() == before


def test_what_is_no_image_of_its_own_starts_nothing(way: Way) -> None:
    before = way.decisions()
    digest = push(way, 4, None)
    push(way, 5, digest.replace(":", "-") + ".sig")
    push(way, 6, "last", FOREIGN)  # what came before it has been read when it is decided about
    way.decision(image=f"{FOREIGN}:last")
    assert len(way.decisions()) == len(before) + 1
    assert way.dead_letters() == []
