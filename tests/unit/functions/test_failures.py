"""Reasons dug out of what Step Functions and SageMaker say."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import failures

TRACE = (
    'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "Traceback (most recent call last):\n'
    '  File "/opt/program/train.py", line 12, in <module>\n    main()\n{last}"\n'
    'Command "/usr/bin/python3 train.py --epochs 3"'
)


def training(**fields: object) -> str:
    cause = {"TrainingJobName": "retrain-mnist-1-r0t0", "TrainingJobStatus": "Failed", **fields}
    return failures.explain({"Error": "States.TaskFailed", "Cause": json.dumps(cause)}).reason


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        (
            "mnist_files.DatasetError: train-images-idx3-ubyte is cut short: 47040016 bytes expected",
            "train-images-idx3-ubyte is cut short: 47040016 bytes expected",
        ),
        ("ValueError: images and labels differ", "ValueError: images and labels differ"),
        ("KeyError: 'label'", "KeyError: 'label'"),
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        ("OSError: [Errno 28] No space left on device", "OSError: [Errno 28] No space left on device"),
        ("torch.cuda.OutOfMemoryError: CUDA out of memory.", "CUDA out of memory."),
        ("something odd", "something odd"),
    ],
)
def test_the_last_line_of_a_traceback(last, reason):
    assert training(FailureReason=TRACE.format(last=last)) == f"Training failed: {reason}"


SCRIPT = "AlgorithmError: ExecuteUserScriptError:"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (f'{SCRIPT} ExitCode 1\nErrorMessage "DataError: no rows"', "no rows"),
        (f'{SCRIPT} ExitCode 1\nErrorMessage "DataError: cut off in the mid', "cut off in the mid"),
        (f'{SCRIPT}\nExitCode 1\nErrorMessage "DataError: no rows\n"\nCommand "x", exit code: 1', "no rows"),
        (f'{SCRIPT}\nExitCode 1\nErrorMessage ""', SCRIPT),
        ("InternalServerError: Please try again.", "InternalServerError: Please try again."),
        (
            "ClientError: Data download failed:NoSuchKey (404)",
            "ClientError: Data download failed:NoSuchKey (404)",
        ),
    ],
)
def test_other_reasons_of_sagemaker(reason, expected):
    assert training(FailureReason=reason) == f"Training failed: {expected}"


def test_a_job_past_its_time_limit():
    reason = training(SecondaryStatus="MaxRuntimeExceeded", StoppingCondition={"MaxRuntimeInSeconds": 3600})
    assert reason == "The training job ran longer than its limit of 3,600 seconds and was stopped."


def test_a_job_that_was_stopped():
    assert "ended as Stopped and gave no reason" in training(TrainingJobStatus="Stopped")


def test_the_error_of_a_function():
    cause = json.dumps(
        {"errorMessage": "There is no labels.csv.", "errorType": "HoldoutMissingError", "stackTrace": []}
    )
    failure = failures.explain({"Error": "HoldoutMissingError", "Cause": cause})
    assert (failure.name, failure.reason) == ("HoldoutMissingError", "There is no labels.csv.")


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"Error": "States.Timeout"}, "A step ran longer than it may."),
        ({"Error": "States.Timeout", "Cause": ""}, "A step ran longer than it may."),
        ({"Error": "X"}, "The step failed with X and gave no reason."),
        (None, "The step failed with Unknown and gave no reason."),
        ({"Error": "X", "Cause": "[1]"}, "[1]"),
        (
            {
                "Error": "SageMaker.AmazonSageMakerException",
                "Cause": "Cannot find repository (Service: AmazonSageMaker; Status Code: 400; Error Code: "
                "ValidationException; Request ID: 1-2; Proxy: null)",
            },
            "Cannot find repository",
        ),
        (
            {
                "Error": "SageMaker.SageMakerException",
                "Cause": "Could not find endpoint (Service: SageMaker, Status Code: 400, Request ID: 1) "
                "(SDK Attempt Count: 1)",
            },
            "Could not find endpoint (SDK Attempt Count: 1)",
        ),
    ],
)
def test_other_errors(error, reason):
    assert failures.explain(error).reason == reason


@given(st.dictionaries(st.sampled_from(["Error", "Cause"]), st.none() | st.text() | st.integers()))
def test_nothing_crashes_the_explanation(error):
    failure = failures.explain(error)
    assert failure.reason
    assert len(failure.reason) <= 600


@given(st.text(max_size=400))
def test_no_failure_reason_crashes_the_explanation(reason):
    assert training(FailureReason=reason)
