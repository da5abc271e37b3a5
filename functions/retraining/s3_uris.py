"""``s3://bucket/key`` taken apart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class S3Uri:
    """A bucket and a key or prefix in it."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


def parse(text: str) -> S3Uri | None:
    """Return the parts of an S3 URI, or None if the text is not one."""
    if not text.startswith("s3://"):
        return None
    bucket, _, key = text.removeprefix("s3://").partition("/")
    return S3Uri(bucket, key) if bucket else None
