"""Container image references: taken apart, put together, and allowed or not."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

_REFERENCE = re.compile(
    r"(?P<repository>[a-zA-Z0-9][a-zA-Z0-9.-]*(?::[0-9]+(?=/))?(?:/[a-z0-9][a-z0-9._/-]*)?)"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
MAXIMUM_LENGTH = 255
"""SageMaker's limit on an image reference."""


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


def parse(reference: str) -> Image | None:
    """Return the parts of an image reference, or None if it is not one."""
    match = _REFERENCE.fullmatch(reference) if len(reference) <= MAXIMUM_LENGTH else None
    if match is None:
        return None
    return Image(match["repository"], match["tag"] or "", match["digest"] or "")


def is_allowed(image: Image, repositories: Iterable[str]) -> bool:
    """Whether an image comes from one of the repositories, in which ``*`` stands for any characters."""
    return any(fnmatchcase(image.repository, repository) for repository in repositories)
