"""Uploading a dataset or a holdout."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from retrain.aws import UPLOAD_THREADS, Stack
from retrain.errors import DatasetNameError, NothingToUploadError, UsageError

MARKER = "_SUCCESS"
_NAME = re.compile(r"[a-z0-9](?:-*[a-z0-9])*")
_NAME_LENGTH = 32  # as the stack's functions allow it


@dataclass(frozen=True)
class Plan:
    """What would be uploaded where.

    Attributes
    ----------
    bucket, prefix : str
        The prefix ends in a slash.
    files : tuple of (Path, str, int)
        The file, its key, its size in bytes; sorted by key.
    skipped : tuple of Path
        Hidden files, and the marker, which is written last.
    """

    bucket: str
    prefix: str
    files: tuple[tuple[Path, str, int], ...]
    skipped: tuple[Path, ...]

    @property
    def total_bytes(self) -> int:
        """The size of all files together."""
        return sum(size for _, _, size in self.files)

    @property
    def uri(self) -> str:
        """The S3 URI of the folder."""
        return f"s3://{self.bucket}/{self.prefix}"


def check_dataset_name(name: str) -> None:
    """Refuse a name that the stack would not take: the dataset's endpoint is named after it.

    Raises
    ------
    DatasetNameError
        It has other characters than lower-case letters, digits and inner hyphens, or is too long.
    """
    if not _NAME.fullmatch(name):
        raise DatasetNameError(
            f"'{name}' cannot name a dataset: take lower-case letters, digits and hyphens within, as in "
            "'mnist' or 'digits-2026'."
        )
    if len(name) > _NAME_LENGTH:
        raise DatasetNameError(
            f"The dataset name '{name}' has {len(name)} characters; at most {_NAME_LENGTH} are allowed."
        )


def plan(stack: Stack, path: Path, dataset: str, *, holdout: bool = False) -> Plan:
    """Work out what to upload, before anything is sent.

    Parameters
    ----------
    stack : Stack
        Whose data bucket.
    path : Path
        A folder, with all its folders, or a file.
    dataset : str
        The dataset's name.
    holdout : bool
        Into the evaluation set, not the training data.

    Returns
    -------
    Plan
        At least one file.

    Raises
    ------
    DatasetNameError
        See `check_dataset_name`.
    NothingToUploadError
        The path does not exist, or the folder holds no files.
    """
    check_dataset_name(dataset)
    if not path.exists():
        raise NothingToUploadError(f"There is no file or folder {path}.")
    prefix = f"{'holdout' if holdout else 'datasets'}/{dataset}/"
    files, skipped = [], []
    for file in [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file()):
        relative = file.relative_to(path) if path.is_dir() else Path(path.name)
        if relative.name == MARKER or (
            path.is_dir() and any(part.startswith(".") for part in relative.parts)
        ):
            skipped.append(file)
        else:
            files.append((file, prefix + relative.as_posix(), file.stat().st_size))
    if not files:
        raise NothingToUploadError(
            f"{path} holds no files to upload{' (hidden files do not count)' if skipped else ''}."
        )
    return Plan(stack.output("DataBucketName"), prefix, tuple(files), tuple(skipped))


def send(stack: Stack, plan: Plan, *, on_bytes: Callable[[int], object] = lambda _: None) -> None:
    """Upload the planned files, several at a time.

    Parameters
    ----------
    stack : Stack
        Whose data bucket.
    plan : Plan
        From `plan`.
    on_bytes : callable
        Told how many bytes more have been sent; called from several threads.

    Raises
    ------
    CloudError
        A file could not be sent; the others may have been. No marker was written.
    UsageError
        Neither could one that cannot be read.
    """
    from boto3.s3.transfer import TransferConfig, create_transfer_manager

    config = TransferConfig(
        max_concurrency=UPLOAD_THREADS, multipart_threshold=64 << 20, multipart_chunksize=16 << 20
    )
    try:
        with (
            stack.explained_errors(f"uploading to {plan.uri}"),
            create_transfer_manager(stack.client("s3"), config) as manager,
        ):
            subscribers = [_progress_subscriber(on_bytes)]
            sent = [
                manager.upload(str(file), plan.bucket, key, subscribers=subscribers)
                for file, key, _ in plan.files
            ]
            for transfer in sent:
                transfer.result()
    except OSError as error:  # it may not be read, or is gone since it was listed
        raise UsageError(
            f"{error.filename or 'A file'} cannot be read: {error.strerror or error}. "
            "The batch was not closed."
        ) from error


def close_batch(stack: Stack, plan: Plan) -> str:
    """Write the marker that says that the batch is complete, and return its S3 URI."""
    with stack.explained_errors(f"closing the batch in {plan.uri}"):
        stack.client("s3").put_object(Bucket=plan.bucket, Key=plan.prefix + MARKER, Body=b"")
    return plan.uri + MARKER


def has_labels(stack: Stack, plan: Plan) -> bool:
    """Say whether the holdout has, or will have, the `labels.csv` that the gate needs."""
    key = f"{plan.prefix}labels.csv"
    if any(planned == key for _, planned, _ in plan.files):
        return True
    with stack.explained_errors(f"looking for {plan.uri}labels.csv"):
        page = stack.client("s3").list_objects_v2(Bucket=plan.bucket, Prefix=key, MaxKeys=1)
    return any(item["Key"] == key for item in page.get("Contents", []))


def _progress_subscriber(on_bytes: Callable[[int], object]) -> object:
    from boto3.s3.transfer import ProgressCallbackInvoker

    return ProgressCallbackInvoker(on_bytes)
