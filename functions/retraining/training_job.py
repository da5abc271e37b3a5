"""The parameters of CreateTrainingJob, all but the job's name, which the state machine completes."""

from typing import Any

from retraining.datasets import HOLDOUT_PREFIX
from retraining.errors import RequestError
from retraining.plans import TrainingPlan
from retraining.requests import HYPERPARAMETER_LIMIT, RetrainRequest
from retraining.settings import Settings

METRIC_DEFINITIONS = (
    {"Name": "train_loss", "Regex": "train_loss=([0-9.]+)"},
    {"Name": "holdout_accuracy", "Regex": "holdout_accuracy=([0-9.]+)"},
)
"""What SageMaker reads from the log; shown to people, never believed by the gate."""

SPOT_PATIENCE_SECONDS = 86_400
"""How long a job may wait for spot capacity, on top of its running time."""

START_PATIENCE_SECONDS = 3_600
"""How long SageMaker may take to find instances, pull the image and fetch data, before the state gives up."""

CHECKPOINT_PATH = "/opt/ml/checkpoints"


def build(
    request: RetrainRequest,
    plan: TrainingPlan,
    settings: Settings,
    run_id: str,
    champion_model_data_url: str | None,
    tags: list[dict[str, str]],
) -> dict[str, Any]:
    """Build the parameters of a training job.

    Parameters
    ----------
    request, plan, settings
        What was asked for, what that comes to, and where it happens.
    run_id : str
        Decides where in the artifacts bucket the outputs go.
    champion_model_data_url : str or None
        The champion's ``model.tar.gz``, which becomes the channel ``champion`` so that the program can
        predict the holdout with both models.
    tags : list of dict
        Tags of SageMaker's kind.

    Returns
    -------
    dict
        Parameters named as SageMaker names them, and ``timeout_seconds``, when the state gives the job up.

    Raises
    ------
    RequestError
        With script mode's own hyperparameters there are more than SageMaker takes.
    """
    hyperparameters = dict(plan.hyperparameters)
    if plan.source_s3_uri:
        hyperparameters["sagemaker_program"] = plan.entry_point
        hyperparameters["sagemaker_submit_directory"] = plan.source_s3_uri
    if len(hyperparameters) > HYPERPARAMETER_LIMIT:
        raise RequestError(
            [f"There are {len(hyperparameters)} hyperparameters; SageMaker takes {HYPERPARAMETER_LIMIT}."]
        )
    channels = [
        _channel("training", f"s3://{settings.data_bucket}/{request.prefix}"),
        _channel("holdout", f"s3://{settings.data_bucket}/{HOLDOUT_PREFIX}{request.dataset}/"),
    ]
    if champion_model_data_url:
        channels.append(_channel("champion", champion_model_data_url))
    stopping = {"MaxRuntimeInSeconds": plan.max_runtime_seconds}
    if plan.use_spot:
        stopping["MaxWaitTimeInSeconds"] = plan.max_runtime_seconds + SPOT_PATIENCE_SECONDS
    run_location = f"s3://{settings.artifacts_bucket}/runs/{run_id}"
    return {
        "AlgorithmSpecification": {
            "TrainingImage": plan.image_uri,
            "TrainingInputMode": "File",
            "MetricDefinitions": list(METRIC_DEFINITIONS),
        },
        "HyperParameters": hyperparameters,
        "InputDataConfig": channels,
        "OutputDataConfig": {"S3OutputPath": f"{run_location}/training"},
        "ResourceConfig": {
            "InstanceType": plan.instance_type,
            "InstanceCount": plan.instance_count,
            "VolumeSizeInGB": plan.volume_gigabytes,
        },
        "StoppingCondition": stopping,
        "EnableManagedSpotTraining": plan.use_spot,
        "CheckpointConfig": {"S3Uri": f"{run_location}/checkpoints", "LocalPath": CHECKPOINT_PATH},
        "Environment": {"RETRAIN_RUN_ID": run_id, "RETRAIN_DATASET": request.dataset},
        "Tags": tags,
        "timeout_seconds": max(stopping.values()) + START_PATIENCE_SECONDS,
    }


def _channel(name: str, s3_uri: str) -> dict[str, Any]:
    return {
        "ChannelName": name,
        "DataSource": {
            "S3DataSource": {
                "S3DataType": "S3Prefix",
                "S3Uri": s3_uri,
                # The two-host programs shard by themselves, and every host needs the whole holdout.
                "S3DataDistributionType": "FullyReplicated",
            }
        },
    }
