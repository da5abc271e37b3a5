"""Amazon ECR: which image a tag names."""

from typing import Any

from botocore.exceptions import ClientError

from retraining.aws.clients import client, code, translated

_MISSING = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})
_REFUSED = frozenset({"AccessDeniedException"})
_MEDIA_TYPES = [
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
]


class EcrRegistry:
    """Images in ECR, of any account and region; implements `retraining.ports.Registry`."""

    def digest(self, account: str, region: str, repository: str, *, tag: str, digest: str) -> str | None:
        """Return the digest of the image with a tag, or with a digest if given; None if there is none."""
        image = {"imageDigest": digest} if digest else {"imageTag": tag}
        request = {"registryId": account, "repositoryName": repository, "imageIds": [image]}
        ecr = client("ecr", region)
        with translated(f"Looking up the image {repository} {digest or tag} of account {account} in ECR"):
            try:
                found = ecr.describe_images(**request)["imageDetails"]
            except ClientError as error:
                if code(error) in _MISSING:
                    return None
                if code(error) not in _REFUSED:
                    raise
                return _pulled_digest(ecr, request)
        return str(found[0]["imageDigest"]) if found else None


def _pulled_digest(ecr: Any, request: dict[str, Any]) -> str | None:
    """Ask as one who pulls does: other accounts, AWS's own among them, may allow that and nothing else."""
    try:
        found = ecr.batch_get_image(**request, acceptedMediaTypes=_MEDIA_TYPES)["images"]
    except ClientError as error:
        if code(error) in _MISSING:
            return None
        raise
    return str(found[0]["imageId"]["imageDigest"]) if found else None
