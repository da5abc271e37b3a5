"""Retrain requests: what is accepted, and what each refusal says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import requests
from retraining.errors import RequestError
from retraining.requests import RequestPolicy, RetrainRequest, Trigger

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/retrain-training"
POLICY = RequestPolicy(
    "data", "artifacts", f"{REPOSITORY}:1.0", ("123456789012.dkr.ecr.*.amazonaws.com/team/*",)
)
DIGEST = "sha256:" + "0" * 64


def parse(payload: object) -> RetrainRequest:
    return requests.parse(payload, POLICY)


def with_training(**fields: object) -> RetrainRequest:
    return parse({"dataset": {"name": "mnist"}, "training": fields})


def refusal(payload: object) -> str:
    with pytest.raises(RequestError) as caught:
        parse(payload)
    return str(caught.value)


def test_the_name_of_a_dataset_is_enough():
    request = parse({"dataset": {"name": "mnist"}})
    assert (request.dataset, request.prefix) == ("mnist", "datasets/mnist/")
    assert request.trigger == Trigger("manual", "", "")
    assert not request.force
    assert request.gate == {}


def test_everything_that_a_request_can_say():
    request = parse(
        {
            "dataset": {"name": "mnist", "s3_uri": "s3://data/datasets/mnist/2026"},
            "trigger": {"kind": "codepipeline", "id": "1", "time": "2026-01-31T12:00:00Z"},
            "training": {
                "image_uri": f"{REPOSITORY}@{DIGEST}",
                "image_tag": "abc",
                "source_s3_uri": "s3://artifacts/sources/sourcedir.tar.gz",
                "entry_point": "mnist.py",
                "hyperparameters": {"epochs": 3, "rate": 0.1, "augment": True, "name": "x"},
                "instance_type": "ml.c5.xlarge",
                "instance_count": 2,
                "use_spot": True,
            },
            "gate": {"value_threshold": 0.9, "change_threshold": -0.01},
            "force": True,
        }
    )
    assert request.prefix == "datasets/mnist/2026/"
    assert request.training.image_uri == f"{REPOSITORY}@{DIGEST}"
    assert request.training.hyperparameters == {"epochs": "3", "rate": "0.1", "augment": "true", "name": "x"}
    assert request.gate == {"value_threshold": 0.9, "change_threshold": -0.01}
    assert request.force


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"image_tag": "2.0"}, f"{REPOSITORY}:2.0"),
        ({"image_uri": REPOSITORY, "image_tag": "2.0"}, f"{REPOSITORY}:2.0"),
        ({"image_uri": f"{REPOSITORY}:2.0", "image_tag": "2.0"}, f"{REPOSITORY}:2.0"),
        (
            {"image_uri": "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/a/b:1"},
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/a/b:1",
        ),
    ],
)
def test_images_that_may_be_used(fields, expected):
    assert with_training(**fields).training.image_uri == expected


@pytest.mark.parametrize(
    ("payload", "field", "remedy"),
    [
        ([], "The request", "must be a JSON object"),
        (None, "The request", "must be a JSON object"),
        ("mnist", "The request", "must be a JSON object"),
        ({}, "dataset", '{"dataset": {"name": "..."}}'),
        ({"dataset": "mnist"}, "dataset", "must be a JSON object"),
        ({"dataset": {}}, "dataset.name", "is missing"),
        ({"dataset": {"name": 7}}, "dataset.name", "must be a text"),
        ({"dataset": {"name": "My Data"}}, "dataset.name", "lower-case letters"),
        ({"dataset": {"name": "<script>alert(1)</script>"}}, "dataset.name", "lower-case letters"),
        ({"dataset": {"name": "x" * 33}}, "dataset.name", "at most 32"),
        (
            {"dataset": {"name": "mnist", "s3_uri": "s3://other/datasets/mnist/"}},
            "dataset.s3_uri",
            "s3://data/datasets/",
        ),
        (
            {"dataset": {"name": "mnist", "s3_uri": "s3://data/holdout/mnist/"}},
            "dataset.s3_uri",
            "s3://data/datasets/",
        ),
        (
            {"dataset": {"name": "mnist", "s3_uri": "s3://data/datasets/"}},
            "dataset.s3_uri",
            "s3://data/datasets/",
        ),
        ({"dataset": {"name": "mnist", "s3_uri": "https://data"}}, "dataset.s3_uri", "s3://data/datasets/"),
        ({"dataset": {"name": "mnist"}, "colour": 1}, "colour", "is unknown here; known are dataset, force"),
        ({"dataset": {"name": "mnist", "nmae": 1}}, "dataset.nmae", "known are name, s3_uri"),
        ({"dataset": {"name": "mnist"}, "trigger": {"kind": "magic"}}, "trigger.kind", "one of s3, event"),
        ({"dataset": {"name": "mnist"}, "force": "yes"}, "force", "true or false"),
        (
            {"dataset": {"name": "mnist"}, "gate": {"slice_floor": "none"}},
            "gate.slice_floor",
            "a number from 0 to 1,000,000,000 or off or auto",
        ),
        (
            {"dataset": {"name": "mnist"}, "gate": {"value_threshold": True}},
            "gate.value_threshold",
            "from 0 to 1",
        ),
        (
            {"dataset": {"name": "mnist"}, "gate": {"value_threshold": float("nan")}},
            "gate.value_threshold",
            "from 0 to 1",
        ),
    ],
)
def test_refusals_name_the_field_and_the_remedy(payload, field, remedy):
    message = refusal(payload)
    assert field in message
    assert remedy in message


@pytest.mark.parametrize(
    ("training", "field", "remedy"),
    [
        ({"image_uri": "docker.io/evil/image:1"}, "training.image_uri", "AllowedImageRepositories"),
        ({"image_uri": "not an image"}, "training.image_uri", "repository:tag"),
        ({"image_uri": f"{REPOSITORY}-evil:1"}, "training.image_uri", "AllowedImageRepositories"),
        ({"image_uri": f"{REPOSITORY}:1", "image_tag": "2"}, "training.image_tag", "give one"),
        ({"image_tag": "not a tag"}, "training.image_tag", "no image tag"),
        (
            {"source_s3_uri": "s3://data/datasets/mnist/x.tar.gz"},
            "training.source_s3_uri",
            "s3://artifacts/sources/",
        ),
        ({"source_s3_uri": "s3://artifacts/sources/x.zip"}, "training.source_s3_uri", ".tar.gz"),
        ({"entry_point": "../../etc/passwd.py"}, "training.entry_point", "inside the source archive"),
        ({"entry_point": "train.py; rm -rf /"}, "training.entry_point", "inside the source archive"),
        ({"instance_type": "c5.xlarge"}, "training.instance_type", "ml.c5.xlarge"),
        ({"instance_count": 0}, "training.instance_count", "from 1 to 100"),
        ({"instance_count": True}, "training.instance_count", "from 1 to 100"),
        ({"instance_count": 1.5}, "training.instance_count", "from 1 to 100"),
        ({"use_spot": 1}, "training.use_spot", "true or false"),
        ({"hyperparameters": ["epochs"]}, "training.hyperparameters", "must be a JSON object"),
        (
            {"hyperparameters": {"epochs": None}},
            "hyperparameters.epochs",
            "a text, a number or a truth value",
        ),
        ({"hyperparameters": {"x": "y" * 3_000}}, "hyperparameters.x", "at most 2500"),
        ({"hyperparameters": {"x" * 300: "y"}}, "hyperparameters.xxx", "1 to 256"),
        (
            {"hyperparameters": {"sagemaker_program": "x.py"}},
            "hyperparameters.sagemaker_program",
            "is reserved",
        ),
        ({"hyperparameters": {str(n): "" for n in range(101)}}, "training.hyperparameters", "at most 100"),
        (
            {"hyperparameters": {str(n): "x" * 2_500 for n in range(50)}},
            "training.hyperparameters",
            "at most 40000",
        ),
    ],
)
def test_refusals_about_training(training, field, remedy):
    message = refusal({"dataset": {"name": "mnist"}, "training": training})
    assert field in message
    assert remedy in message


def test_all_faults_are_reported_at_once():
    with pytest.raises(RequestError) as caught:
        parse({"dataset": {"name": "M"}, "force": 1, "extra": 2, "training": {"instance_count": "two"}})
    assert len(caught.value.problems) == 4


def test_a_huge_value_is_shown_shortened():
    assert len(refusal({"dataset": {"name": "x" * 1_000}})) < 400


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda children: (
        st.lists(children, max_size=4) | st.dictionaries(st.text(max_size=12), children, max_size=4)
    ),
    max_leaves=20,
)
TRAINING_FIELDS = ("image_uri", "image_tag", "source_s3_uri", "entry_point", "hyperparameters", "use_spot")
KNOWN = st.fixed_dictionaries(
    {},
    optional={
        "dataset": JSON | st.fixed_dictionaries({"name": JSON}, optional={"s3_uri": JSON}),
        "trigger": JSON | st.fixed_dictionaries({}, optional={"kind": JSON, "id": JSON, "time": JSON}),
        "training": JSON
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(TRAINING_FIELDS, JSON),
        ),
        "gate": JSON,
        "force": JSON,
    },
)


@given(JSON | KNOWN)
def test_no_json_crashes_the_check(payload):
    try:
        request = parse(payload)
    except RequestError as error:
        problems = error.problems
    else:
        problems = []
        assert isinstance(request, RetrainRequest)
    assert all(problem.endswith(".") for problem in problems)
