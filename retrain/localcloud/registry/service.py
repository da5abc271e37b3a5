"""What ECR answers about images: local folders are there, and an image that is not there is an error.

MiniStack answers an empty list for an image that does not exist, where AWS raises ImageNotFoundException;
and it has no registries of other accounts, from which AWS hands out its ready-made images.
"""

from __future__ import annotations

import json
from typing import Any

from retrain.localcloud import seams
from retrain.localcloud.registry import ecr
from retrain.localcloud.registry.folders import MEDIA_TYPE, TAG, FolderImage, FolderImages

Answer = dict[str, Any]


class Registry:
    """ECR's answers about images.

    Parameters
    ----------
    images
        What folders stand for.
    put_image
        MiniStack's own PutImage, which tells nobody: a folder is no push.
    """

    def __init__(self, images: FolderImages, put_image: Any) -> None:
        self._images = images
        self._put_image = put_image

    def refreshed(self, original: Any, data: Answer) -> seams.Response:
        """Answer a list after the folders have been looked at."""
        self._refresh()
        response: seams.Response = original(data)
        return response

    def describe_images(self, original: Any, data: Answer) -> seams.Response:
        """DescribeImages."""
        repository, wanted = str(data.get("repositoryName", "")), data.get("imageIds") or []
        if _is_foreign(data):
            found = self._foreign(data, repository, wanted)
            return found if isinstance(found, tuple) else ecr.answer({"imageDetails": found})
        self._refresh()
        if repository in ecr.module()._repositories:
            for image in wanted:
                if not ecr.module()._find_image(repository, image):
                    return _no_image(image, repository, seams.account_id())
        response: seams.Response = original(data)
        return response

    def batch_get_image(self, original: Any, data: Answer) -> seams.Response:
        """BatchGetImage."""
        if not _is_foreign(data):
            return self.refreshed(original, data)
        repository = str(data.get("repositoryName", ""))
        standing = self._images.standing_for(repository)
        if standing is None:
            return _no_repository(repository, str(data["registryId"]))
        images = [
            {
                "registryId": data["registryId"],
                "repositoryName": repository,
                "imageId": {**image, "imageDigest": standing.digest},
                "imageManifest": standing.manifest,
                "imageManifestMediaType": MEDIA_TYPE,
            }
            for image in data.get("imageIds") or []
        ]
        return ecr.answer({"images": images, "failures": []})

    def _foreign(self, data: Answer, repository: str, wanted: list[Answer]) -> list[Answer] | seams.Response:
        """An image of another account's: any tag of it is what the folder is now."""
        account = str(data["registryId"])
        standing = self._images.standing_for(repository)
        if standing is None:
            return _no_repository(repository, account)
        for image in wanted:
            if image.get("imageDigest", standing.digest) != standing.digest:
                return _no_image(image, repository, account)
        return [_detail(standing, repository, account, image) for image in wanted or [{"imageTag": TAG}]]

    def _refresh(self) -> None:
        """Let the own repositories have the folders as they are now."""
        for name, folder in self._images.repositories.items():
            if name not in ecr.module()._repositories:
                ecr.module()._create_repository({"repositoryName": name})
            image = self._images.image(folder)
            known = ecr.module()._find_image(name, {"imageTag": TAG})
            if not known or known["imageDigest"] != image.digest:
                request = {"repositoryName": name, "imageManifest": image.manifest, "imageTag": TAG}
                self._put_image({**request, "imageManifestMediaType": MEDIA_TYPE})


def _is_foreign(data: Answer) -> bool:
    return str(data.get("registryId") or seams.account_id()) != seams.account_id()


def _detail(image: FolderImage, repository: str, account: str, wanted: Answer) -> Answer:
    return {
        "registryId": account,
        "repositoryName": repository,
        "imageDigest": image.digest,
        "imageTags": [wanted["imageTag"]] if "imageTag" in wanted else [],
        "imageSizeInBytes": json.loads(image.manifest)["layers"][0]["size"],
        "imageManifestMediaType": MEDIA_TYPE,
    }


def _no_repository(repository: str, account: str) -> seams.Response:
    return ecr.error(
        "RepositoryNotFoundException",
        f"The repository with name '{repository}' does not exist in the registry with id '{account}'",
    )


def _no_image(image: Answer, repository: str, account: str) -> seams.Response:
    tag, digest = image.get("imageTag", "null"), image.get("imageDigest", "null")
    return ecr.error(
        "ImageNotFoundException",
        f"The image with imageId {{imageDigest:'{digest}', imageTag:'{tag}'}} does not exist within the "
        f"repository with name '{repository}' in the registry with id '{account}'",
    )


def install(images: FolderImages) -> None:
    """Let ECR know the local images.

    Called before pushes are told of: that a folder has changed is no push.
    """
    registry = Registry(images, ecr.module()._put_image)
    seams.wrap(ecr.ECR, "_describe_images", registry.describe_images)
    seams.wrap(ecr.ECR, "_batch_get_image", registry.batch_get_image)
    seams.wrap(ecr.ECR, "_list_images", registry.refreshed)
    seams.wrap(ecr.ECR, "_describe_repositories", registry.refreshed)
