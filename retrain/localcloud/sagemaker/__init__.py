"""A SageMaker that really works: training in processes, models behind real HTTP servers, records that last.

`install` sews it onto the local cloud; `shutdown` ends everything that it runs.
"""

from __future__ import annotations

import threading

from retrain.localcloud import cloudwatch, seams
from retrain.localcloud.authorisation.decisions import Authority
from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.sagemaker.cloudformation import TYPE, ModelPackageGroupResource
from retrain.localcloud.sagemaker.integrations import Tasks
from retrain.localcloud.sagemaker.platform import Platform, Settings
from retrain.localcloud.sagemaker.service import TARGET_PREFIX, SageMaker
from retrain.localcloud.sagemaker.validation import service_model

__all__ = ["SageMaker", "Settings", "Tasks", "install", "shutdown", "tasks_of"]

_installed: SageMaker | None = None


def install(
    context: LocalCloudContext, settings: Settings | None = None, authority: Authority | None = None
) -> SageMaker:
    """Serve SageMaker in the local cloud; called once, before the server listens.

    Parameters
    ----------
    context
        The local cloud.
    settings
        Times, for tests.
    authority
        Holds execution roles to their policies.
    """
    global _installed
    platform = Platform.of(context, seams.put_aws_event, settings, cloudwatch.install(), authority)
    sagemaker = SageMaker(platform)
    groups = ModelPackageGroupResource(sagemaker)
    # Reading botocore's model takes a moment, which the first request is spared.
    threading.Thread(target=service_model, name="sagemaker-model", daemon=True).start()
    seams.register_service("sagemaker", sagemaker.handle, target_prefixes=(f"{TARGET_PREFIX}.",))
    seams.register_cloudformation_type(TYPE, groups.create, groups.delete, groups.update)
    sagemaker.endpoints.resume()
    _installed = sagemaker
    return sagemaker


def tasks_of(sagemaker: SageMaker) -> Tasks:
    """Return SageMaker as the tasks of state machines reach it."""
    return Tasks(sagemaker)


def shutdown() -> None:
    """End the jobs and endpoints that run; to be called when the server has stopped serving."""
    global _installed
    if _installed is not None:
        _installed.shutdown()
        _installed = None
        cloudwatch.shutdown()
