"""What a job leaves behind: ``model.tar.gz`` and ``output.tar.gz`` in S3."""

from __future__ import annotations

import tarfile
from collections.abc import Sequence
from pathlib import Path

from retrain.localcloud.sagemaker.errors import JobError
from retrain.localcloud.sagemaker.objects import ObjectError, ObjectStore, S3Uri


def model_uri(output_path: str, job_name: str) -> S3Uri:
    """Return where a job's model goes."""
    return S3Uri.parse(output_path).child(job_name, "output", "model.tar.gz")


def output_uri(output_path: str, job_name: str) -> S3Uri:
    """Return where a job's other output goes."""
    return S3Uri.parse(output_path).child(job_name, "output", "output.tar.gz")


def upload_folders(
    folders: Sequence[Path], archive: Path, target: S3Uri, objects: ObjectStore, *, even_if_empty: bool
) -> bool:
    """Pack the contents of a folder of every host into one archive, and store it.

    Where hosts wrote files of the same name, that of the first host is taken.

    Returns
    -------
    bool
        Whether there was anything to store.

    Raises
    ------
    JobError
        If it cannot be packed or stored.
    """
    files: dict[str, Path] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            files.setdefault(path.relative_to(folder).as_posix(), path)
    if not even_if_empty and not any(path.is_file() for path in files.values()):
        return False
    try:
        with tarfile.open(archive, "w:gz", compresslevel=4) as tar:
            for name in sorted(files):
                tar.add(files[name], arcname=name, recursive=False, filter=_anonymous)
        objects.store(archive, target)
    except (OSError, ObjectError) as error:
        raise JobError(f"ClientError: Artifact upload failed:{target}: {error}") from error
    finally:
        archive.unlink(missing_ok=True)
    return True


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    if member.issym() and (Path(member.linkname).is_absolute() or ".." in Path(member.linkname).parts):
        # It would lead outside of wherever it is unpacked, and whoever unpacks safely would refuse it all.
        return None
    return member
