"""A training program's source code: packed the same way every time, uploaded once."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from retrain.workflow.errors import EstimatorError

if TYPE_CHECKING:
    from retrain.workflow.estimators.session import Session

_LEFT_OUT: Final = frozenset({"__pycache__", ".git", ".ipynb_checkpoints", ".pytest_cache", ".venv"})


@dataclass(frozen=True)
class Source:
    """Source code that script mode runs.

    Attributes
    ----------
    entry_point
        The program, from `source_dir` if there is one.
    source_dir
        The folder that is packed; None to pack the program alone.
    dependencies
        Further files and folders that are packed beside it.
    bucket, prefix
        Where it goes; the digest of the content becomes part of the key, so that the URI says what is there.
    """

    entry_point: str
    source_dir: str | None = None
    dependencies: tuple[str, ...] = ()
    bucket: str = ""
    prefix: str = ""

    @property
    def program(self) -> str:
        """What SageMaker runs: the program's path in the archive."""
        return self.entry_point if self.source_dir else Path(self.entry_point).name

    @property
    def uri(self) -> str:
        """Where the archive is, or will be."""
        return f"s3://{self.bucket}/{self.key}"

    @property
    def key(self) -> str:
        """The archive's key."""
        name = Path(self.program).stem.replace("_", "-").lower()
        parts = (self.prefix, f"{name}-{self.digest[:12]}", "source", "sourcedir.tar.gz")
        return "/".join(part.strip("/") for part in parts if part.strip("/"))

    @cached_property
    def content(self) -> bytes:
        """The archive; two of the same files are the same bytes.

        Raises
        ------
        EstimatorError
            The program, or a folder, does not exist.
        """
        buffer = io.BytesIO()
        with (
            gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed,
            tarfile.open(fileobj=packed, mode="w") as tar,
        ):
            for name, path in sorted(self._files()):
                data = path.read_bytes()
                info = tarfile.TarInfo(name)
                info.size = len(data)
                info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
                tar.addfile(info, io.BytesIO(data))
        return buffer.getvalue()

    @cached_property
    def digest(self) -> str:
        """The SHA-256 of the archive."""
        return hashlib.sha256(self.content).hexdigest()

    def upload(self, session: Session) -> str:
        """Put the archive where its URI says, unless it is there already.

        Returns
        -------
        str
            The URI.
        """
        from botocore.exceptions import ClientError

        s3 = session.client("s3")
        try:
            s3.head_object(Bucket=self.bucket, Key=self.key)
        except ClientError as error:
            if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") not in {403, 404}:
                raise
            self._put(s3)
        return self.uri

    def _put(self, s3: Any) -> None:
        from botocore.exceptions import ClientError

        try:
            s3.put_object(Bucket=self.bucket, Key=self.key, Body=self.content)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise
            raise EstimatorError(
                f"There is no bucket '{self.bucket}' for the source code: create it, or name another with "
                "code_location='s3://bucket/prefix'."
            ) from error

    def _files(self) -> Iterator[tuple[str, Path]]:
        if self.source_dir is None:
            path = Path(self.entry_point)
            if not path.is_file():
                raise EstimatorError(f"The entry_point {self.entry_point} is no file.")
            yield path.name, path
        else:
            folder = Path(self.source_dir)
            if not folder.is_dir():
                raise EstimatorError(f"The source_dir {self.source_dir} is no folder.")
            if not (folder / self.entry_point).is_file():
                raise EstimatorError(
                    f"The entry_point {self.entry_point} is no file in the source_dir {self.source_dir}."
                )
            yield from _inside(folder, "")
        for dependency in self.dependencies:
            path = Path(dependency)
            if path.is_dir():
                yield from _inside(path, f"{path.resolve().name}/")
            elif path.is_file():
                yield path.name, path
            else:
                raise EstimatorError(f"The dependency {dependency} does not exist.")


def _inside(folder: Path, prefix: str) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("*"):
        parts = path.relative_to(folder).parts
        if path.is_file() and not _LEFT_OUT.intersection(parts) and path.suffix != ".pyc":
            yield prefix + "/".join(parts), path


def bucket_and_prefix(uri: str, what: str) -> tuple[str, str]:
    """Take an S3 URI apart.

    Raises
    ------
    EstimatorError
        It is none.
    """
    scheme, _, rest = uri.partition("://")
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise EstimatorError(f"{what} is an S3 URI such as 's3://bucket/prefix'; not {uri!r}.")
    return bucket, prefix.strip("/")


def as_tuple(value: Sequence[str] | None) -> tuple[str, ...]:
    """Return a list of dependencies as a tuple."""
    return tuple(value or ())
