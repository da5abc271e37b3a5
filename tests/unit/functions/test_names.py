"""Every name is one that AWS takes."""

import re

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import names

SHAPES = botocore.session.Session().get_service_model("sagemaker")
STATES = botocore.session.Session().get_service_model("stepfunctions")
NAMES = st.from_regex(names.NAME_PATTERN, fullmatch=True)
STACKS = NAMES.filter(lambda name: len(name) <= names.STACK_NAME_LIMIT)
DATASETS = NAMES.filter(lambda name: len(name) <= names.DATASET_NAME_LIMIT)
RUN_IDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80)


def accepts(shape_name: str, value: str) -> bool:
    shape = SHAPES.shape_for(shape_name)
    longest = shape.metadata.get("max", 63)
    return len(value) <= longest and re.fullmatch(shape.metadata["pattern"], value) is not None


@given(STACKS, DATASETS, RUN_IDS, st.integers(0, 99), st.integers(0, 99))
def test_names_are_valid_for_their_services(stack, dataset, run_id, redrives, retries):
    made = names.run_names(stack, dataset, run_id)
    assert accepts("TrainingJobName", f"{made.training_job}-r{redrives}t{retries}")
    assert accepts("ModelName", made.model)
    assert accepts("EndpointConfigName", made.endpoint_config)
    assert accepts("EndpointName", made.endpoint)
    assert accepts("ClientToken", made.client_token)
    # The policies in template.yaml are bound to this prefix.
    assert all(name.startswith(f"{stack}-") for name in (made.training_job, made.model, made.endpoint))


@given(DATASETS, st.text("0123456789abcdef", min_size=64, max_size=64), st.integers(1, 100))
def test_execution_names_are_valid(dataset, key, attempt):
    name = names.execution_name(dataset, key, attempt)
    assert 1 <= len(name) <= STATES.shape_for("Name").metadata["max"]
    assert re.fullmatch(r"[a-zA-Z0-9-]+", name)


@given(st.lists(RUN_IDS, min_size=2, max_size=2, unique=True))
def test_different_runs_have_different_names(run_ids):
    first, second = (names.run_names("retrain", "mnist", run_id) for run_id in run_ids)
    assert first.model != second.model
    assert first.training_job != second.training_job
    assert first.endpoint == second.endpoint == "retrain-mnist"


def test_names_are_readable_when_there_is_room():
    made = names.run_names("retrain", "mnist", "mnist-0123456789ab-1")
    assert made.model == made.endpoint_config == made.training_job == "retrain-mnist-0123456789ab-1"


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "A", "a_b", "a.b", "a b", "ä", "<script>", "a" * 33, "../x"]
)
def test_what_is_no_dataset_name(name):
    assert not names.is_name(name, names.DATASET_NAME_LIMIT)
