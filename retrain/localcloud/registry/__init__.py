"""Amazon ECR of the local cloud: local images stand in repositories, with digests, and pushes are events.

A folder with a Dockerfile stands for an image here (see `retrain.localcloud.sagemaker.images`). Whoever asks
ECR for it gets a digest of what the folder holds at that moment, so that a change of the program is another
image, as it is in AWS once it has been built and pushed.
"""

from __future__ import annotations

from retrain.localcloud.context import LocalCloudContext
from retrain.localcloud.registry import pushes, service
from retrain.localcloud.registry.folders import FolderImages


def install(context: LocalCloudContext) -> None:
    """Put local images into ECR and let pushes be heard. Called once, before serving."""
    service.install(FolderImages(context.images))
    pushes.install()
