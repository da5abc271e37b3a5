"""Container image references: taken apart, put together, allowed or not, and pinned to a digest."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from retraining.errors import RequestError
from retraining.ports import Registry

_REFERENCE = re.compile(
    r"(?P<repository>[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+(?=/))?(?:/[a-z0-9][a-z0-9._/-]*)?)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_ECR = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>.+)"
)
MAXIMUM_LENGTH = 255
"""SageMaker's limit on an image reference."""

DEFAULT_TAG = "latest"
"""What a reference without tag and digest means."""


@dataclass(frozen=True, slots=True)
class Image:
    """A reference to a container image; ``tag`` and ``digest`` are empty when not given."""

    repository: str
    tag: str
    digest: str

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


@dataclass(frozen=True, slots=True)
class EcrRepository:
    """Where in Amazon ECR a repository lies."""

    account: str
    region: str
    name: str


def parse(reference: str) -> Image | None:
    """Return the parts of an image reference, or None if it is not one."""
    match = _REFERENCE.fullmatch(reference) if len(reference) <= MAXIMUM_LENGTH else None
    if match is None:
        return None
    return Image(match["repository"], match["tag"] or "", match["digest"] or "")


def is_allowed(image: Image, repositories: Iterable[str]) -> bool:
    """Whether an image comes from one of the repositories, in which ``*`` stands for any characters."""
    return any(fnmatchcase(image.repository, repository) for repository in repositories)


def ecr_repository(repository: str) -> EcrRepository | None:
    """Return where in Amazon ECR a reference's repository lies, or None if it lies elsewhere.

    Parameters
    ----------
    repository : str
        `Image.repository`: registry and name, without tag and digest.
    """
    match = _ECR.fullmatch(repository)
    return EcrRepository(match["account"], match["region"], match["name"]) if match else None


def pin(reference: str, registry: Registry) -> Image:
    """Resolve an image reference to the digest that it means now.

    A tag may be moved while a run is under way; a digest is content. An image that is given by digest is
    looked up as well, so that one that is not there is told before anything is started.

    Parameters
    ----------
    reference : str
        ``repository[:tag][@sha256:digest]`` in Amazon ECR; the digest counts if there are both.
    registry : Registry
        Amazon ECR.

    Returns
    -------
    Image
        The same repository, with a digest and without a tag: SageMaker takes one of the two.

    Raises
    ------
    RequestError
        It is no reference to an image in Amazon ECR, or there is no such image.
    AwsError
        ECR could not be asked.
    """
    image = parse(reference)
    if image is None:
        raise _unusable(f"The image {reference!r} is not repository:tag or repository@sha256:digest")
    place = ecr_repository(image.repository)
    if place is None:
        raise _unusable(
            f"The image {reference} is not in Amazon ECR, where SageMaker takes images from "
            "(ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY:TAG)"
        )
    tag = "" if image.digest else image.tag or DEFAULT_TAG
    digest = registry.digest(place.account, place.region, place.name, tag=tag, digest=image.digest)
    if digest is None:
        raise _unusable(f"There is no image {reference} in Amazon ECR")
    return Image(image.repository, "", digest)


def _unusable(what: str) -> RequestError:
    remedy = "push the image, or name another in training.image_uri or the stack's parameter TrainingImageUri"
    return RequestError([f"{what}: {remedy}."])
