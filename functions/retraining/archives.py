"""Reading single files out of an archive that a training job wrote, without unpacking it."""

import tarfile
from collections.abc import Collection, Mapping
from typing import IO

from retraining.errors import ArchiveUnreadableError

MEMBER_LIMIT = 256 * 1024 * 1024
"""Bytes; a predictions file that is larger has some ten million rows."""

MEMBERS_LIMIT = 100_000
"""Entries looked at before giving up."""


def read_members(
    stream: IO[bytes], wanted: Collection[str], cut_at: Mapping[str, int] | None = None
) -> dict[str, bytes]:
    """Read files by name from the top of a ``.tar.gz``.

    The archive is untrusted and is read as a stream, in memory: nothing is written to disk, links are not
    followed, and sizes are bounded before a member is read.

    Parameters
    ----------
    stream : file object
        The archive; read forwards only.
    wanted : collection of str
        File names, without folder.
    cut_at : mapping, optional
        For files that must not make the whole archive unusable, however large: how many bytes are read.

    Returns
    -------
    dict
        Content by name; a file that is not there has no entry.

    Raises
    ------
    ArchiveUnreadableError
        The archive is damaged or beyond the limits.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|gz") as archive:
            for number, member in enumerate(archive):
                if number >= MEMBERS_LIMIT:
                    raise ArchiveUnreadableError(f"it has more than {MEMBERS_LIMIT:,} entries")
                name = member.name.removeprefix("./")
                if name not in wanted or not member.isreg():
                    continue
                limit = (cut_at or {}).get(name)
                if limit is None and member.size > MEMBER_LIMIT:
                    raise ArchiveUnreadableError(
                        f"{name} has {member.size:,} bytes, more than {MEMBER_LIMIT:,}"
                    )
                content = archive.extractfile(member)
                if content is not None:
                    found[name] = content.read() if limit is None else content.read(limit)
                if len(found) == len(wanted):
                    break
    except (tarfile.TarError, OSError, EOFError) as error:
        raise ArchiveUnreadableError(f"it cannot be read as .tar.gz ({error})") from error
    return found
