"""Batch transforms."""

from __future__ import annotations

from typing import Any, Final

from retrain.workflow.estimators.inputs import Uri, given
from retrain.workflow.estimators.renamed import renamed
from retrain.workflow.estimators.session import Session
from retrain.workflow.inputs.dynamic import Dynamic

_ARGUMENTS: Final = frozenset(
    {
        *(
            "strategy",
            "assemble_with",
            "output_path",
            "output_kms_key",
            "accept",
            "max_concurrent_transforms",
        ),
        *("max_payload", "tags", "env", "base_transform_job_name", "sagemaker_session", "volume_kms_key"),
        *("model_client_config",),
    }
)


class Transformer:
    """What a batch transform needs.

    Parameters
    ----------
    model_name : str or placeholder, optional
        The model; `TransformStep` says it too.
    instance_count, instance_type
        What it runs on.
    output_path : str or placeholder, optional
        Where the answers go; the session's default bucket if not given.
    strategy, assemble_with, accept, max_payload, max_concurrent_transforms, env, ... : optional
        As in CreateTransformJob.
    """

    def __init__(
        self,
        model_name: Any,
        instance_count: int | Dynamic,
        instance_type: str | Dynamic,
        **arguments: Any,
    ) -> None:
        self.model_name = model_name
        self.instance_count = instance_count
        self.instance_type = instance_type
        self.settings = renamed("Transformer", arguments, _ARGUMENTS)
        self.sagemaker_session: Session = self.settings.get("sagemaker_session") or Session()

    @property
    def output_path(self) -> Uri:
        """Where the answers go."""
        path = self.settings.get("output_path")
        return path if path is not None else f"s3://{self.sagemaker_session.default_bucket()}/"

    def request(
        self,
        data: Uri,
        *,
        data_type: str = "S3Prefix",
        content_type: str | None = None,
        compression_type: str | None = None,
        split_type: str | None = None,
    ) -> dict[str, Any]:
        """Return the request of CreateTransformJob, without the names of job and model."""
        settings = self.settings
        source = {"S3DataSource": {"S3DataType": data_type, "S3Uri": data}}
        return given(
            {
                "TransformInput": given(
                    {
                        "DataSource": source,
                        "ContentType": content_type,
                        "CompressionType": compression_type,
                        "SplitType": split_type,
                    }
                ),
                "TransformOutput": given(
                    {
                        "S3OutputPath": self.output_path,
                        "Accept": settings.get("accept"),
                        "AssembleWith": settings.get("assemble_with"),
                        "KmsKeyId": settings.get("output_kms_key"),
                    }
                ),
                "TransformResources": given(
                    {
                        "InstanceCount": self.instance_count,
                        "InstanceType": self.instance_type,
                        "VolumeKmsKeyId": settings.get("volume_kms_key"),
                    }
                ),
                "BatchStrategy": settings.get("strategy"),
                "MaxConcurrentTransforms": settings.get("max_concurrent_transforms"),
                "MaxPayloadInMB": settings.get("max_payload"),
                "Environment": settings.get("env"),
                "ModelClientConfig": settings.get("model_client_config"),
            }
        )
