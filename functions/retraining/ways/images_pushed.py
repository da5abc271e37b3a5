"""An image was pushed to Amazon ECR: a new training program for the datasets of RetrainDatasets."""

import re
from collections.abc import Mapping
from typing import Any

from retraining.settings import Settings
from retraining.ways import reading
from retraining.ways.reading import Ignored
from retraining.wishes import Asked

EVENT = ("aws.ecr", "ECR Image Action")

_ATTACHED = re.compile(r"sha256-[0-9a-f]{64}(?:\.[a-z]+)?")
"""Tags under which signatures and attestations of another image lie beside it."""


def read(event: Mapping[str, Any], settings: Settings) -> Ignored | list[Asked]:
    """Read a push; what was pushed is trained with by its digest, wherever its tag has moved since."""
    detail = reading.section(event, "detail")
    if detail.get("action-type") != "PUSH" or detail.get("result") != "SUCCESS":
        return Ignored("it tells of no push that succeeded")
    repository, digest = reading.text(detail, "repository-name"), reading.text(detail, "image-digest")
    tag = str(detail.get("image-tag") or "")
    if not tag:
        return Ignored("the manifest has no tag: it is one platform's part of another image")
    if _ATTACHED.fullmatch(tag):
        return Ignored(f"under the tag {tag} lies a signature or an attestation, no image")
    names = reading.configured(settings)
    if not names:
        return Ignored(f"an image push names no dataset, and {reading.NO_DATASETS}")
    account, region = reading.text(event, "account"), reading.text(event, "region")
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    registry = f"{account}.dkr.ecr.{region}.{suffix}"
    request = {"training": {"image_uri": f"{registry}/{repository}@{digest}"}}
    about = {"image": f"{repository}:{tag}"}
    return reading.for_each(names, event, "event", request, about=about)
