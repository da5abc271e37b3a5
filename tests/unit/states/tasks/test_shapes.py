"""Requests and answers between JSON and botocore."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.tasks.naming import operation_of
from retrain.states.tasks.shapes import (
    UnusableParametersError,
    epoch_milliseconds,
    iso_instant,
    optimised_spelling,
    sdk_spelling,
    to_request,
    to_result,
)


def operation(service: str, action: str) -> Any:
    found = operation_of(service, action)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("service", "action", "parameters", "problems"),
    [
        (
            "sagemaker",
            "createModel",
            {"ModelName": "m", "Foo": 1},
            ['The field "Foo" is not supported by Step Functions'],
        ),
        ("dynamodb", "getItem", {"TableName": "t"}, ["The field 'Key' is required but was missing"]),
        (
            "dynamodb",
            "getItem",
            {"TableName": 3, "Key": {"k": {"S": "v", "Q": "x"}}},
            [
                "The value for the field 'TableName' must be a STRING",
                'The field "Key.k.Q" is not supported by Step Functions',
            ],
        ),
        (
            "stepfunctions",
            "startExecution",
            {"stateMachineArn": "a"},
            [
                'The field "stateMachineArn" is not supported by Step Functions',
                "The field 'StateMachineArn' is required but was missing",
            ],
        ),
        (
            "sqs",
            "receiveMessage",
            {"QueueUrl": "q", "MaxNumberOfMessages": True},
            ["The value for the field 'MaxNumberOfMessages' must be a INTEGER"],
        ),
        ("sqs", "listQueues", [1], ["The parameters must be a JSON object"]),
    ],
)
def test_everything_that_does_not_fit_is_said(
    service: str, action: str, parameters: Any, problems: list[str]
) -> None:
    with pytest.raises(UnusableParametersError) as raised:
        to_request(parameters, operation(service, action), sdk_spelling)
    assert raised.value.problems == problems


def test_members_are_renamed_and_values_fitted() -> None:
    request = to_request(
        {"Key": {"K": {"Nul": True}, "b": {"Ss": ["x"]}}, "TableName": "t", "ConsistentRead": None},
        operation("dynamodb", "getItem"),
        sdk_spelling,
    )
    assert request == {"Key": {"K": {"NULL": True}, "b": {"SS": ["x"]}}, "TableName": "t"}
    request = to_request(
        {"QueueUrl": "q", "MaxNumberOfMessages": 3.0}, operation("sqs", "receiveMessage"), sdk_spelling
    )
    assert request == {"QueueUrl": "q", "MaxNumberOfMessages": 3}
    assert isinstance(request["MaxNumberOfMessages"], int)


@pytest.mark.parametrize(("body", "sent"), [("text", b"text"), ({"a": [1]}, b'{"a":[1]}'), (3, b"3")])
def test_bytes_are_text_or_json(body: Any, sent: bytes) -> None:
    put = operation("s3", "putObject")
    assert to_request({"Bucket": "b", "Key": "k", "Body": body}, put, sdk_spelling)["Body"] == sent


def test_nothing_is_an_empty_request() -> None:
    assert to_request(None, operation("sqs", "listQueues"), sdk_spelling) == {}


MOMENT = datetime.datetime(2026, 1, 31, 12, 0, 0, 250_000, datetime.UTC)


@pytest.mark.parametrize("given", [MOMENT, MOMENT.timestamp(), MOMENT.isoformat()])
@pytest.mark.parametrize(
    ("times", "written"), [(iso_instant, "2026-01-31T12:00:00.250Z"), (epoch_milliseconds, 1769860800250)]
)
def test_times_are_written_as_the_kind_of_integration_does(given: Any, times: Any, written: Any) -> None:
    shape = operation("stepfunctions", "describeExecution").output_shape
    result = to_result({"startDate": given, "ResponseMetadata": {}}, shape, sdk_spelling, times)
    assert result == {"StartDate": written}


def test_whole_seconds_have_no_fraction() -> None:
    assert iso_instant(MOMENT.replace(microsecond=0)) == "2026-01-31T12:00:00Z"


def test_answers_are_in_the_state_machines_spelling_and_order() -> None:
    answer = {"Item": {"k": {"S": "v"}, "a": {"NULL": True}}, "ConsumedCapacity": None}
    shape = operation("dynamodb", "getItem").output_shape
    assert to_result(answer, shape, sdk_spelling, iso_instant) == {
        "Item": {"k": {"S": "v"}, "a": {"Nul": True}}
    }
    assert to_result(answer, shape, optimised_spelling, iso_instant)["Item"]["a"] == {"NULL": True}  # type: ignore[index,call-overload]
    assert to_result({}, None, sdk_spelling, iso_instant) == {}


def test_bodies_are_text() -> None:
    shape = operation("s3", "getObject").output_shape
    body = io.BytesIO("grün".encode())
    assert to_result({"Body": body}, shape, sdk_spelling, iso_instant) == {"Body": "grün"}
    with pytest.raises(ValueError, match="2 bytes that are no UTF-8 text"):
        to_result({"Body": b"\xff\xfe"}, shape, sdk_spelling, iso_instant)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@given(JSON)
def test_any_json_is_taken_or_refused_in_words(parameters: Any) -> None:
    # Nothing that is made at random has the names that a training job needs.
    with pytest.raises(UnusableParametersError, match=r"must be a JSON object|required but was missing"):
        to_request(parameters, operation("sagemaker", "createTrainingJob"), sdk_spelling)
