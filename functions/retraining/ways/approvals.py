"""A model package was approved in the registry.

A run deploys what its gate promotes, without waiting for anybody: there is nothing that an approval could
release yet. It is heard if the stack's parameter HearModelApprovals says so, and the log says what became of
it.
"""

from collections.abc import Mapping
from typing import Any

from retraining.settings import Settings
from retraining.ways import reading
from retraining.ways.reading import Ignored

EVENT = ("aws.sagemaker", "SageMaker Model Package State Change")


def read(event: Mapping[str, Any], settings: Settings) -> Ignored:
    """Read a change of a model package's approval status."""
    del settings
    detail = reading.section(event, "detail")
    package, status = reading.text(detail, "ModelPackageArn"), reading.text(detail, "ModelApprovalStatus")
    if status != "Approved":
        return Ignored(f"the model package {package} is {status}")
    return Ignored(
        f"the model package {package} was approved, and no run waits for an approval: deployment is not "
        "bound to one yet"
    )
