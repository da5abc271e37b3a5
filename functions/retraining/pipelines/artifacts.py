"""Single small files out of an input artifact, which is a zip archive of whatever a build has left there."""

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Sequence

from retraining.errors import ArtifactError

ARCHIVE_LIMIT = 64 * 1024 * 1024
"""Bytes of the archive; it is held in memory."""

ENTRIES_LIMIT = 20_000
FILE_LIMIT = 256 * 1024
"""Bytes of a file that is read; those that name an image have a few hundred."""

_CENTRAL_HEADER = b"PK\x01\x02"
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_DAMAGES = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError),
    *(NotImplementedError, RuntimeError),
)
"""What zipfile raises at archives that are none, or not whole, or of a kind that it does not know."""


def read_first(content: bytes, names: Sequence[str], artifact: str) -> tuple[str, bytes] | None:
    """Read the first of some files that an archive has.

    The archive is not trusted: nothing is unpacked, links are not followed, what is read is bounded before it
    is read, and only those methods of compression are accepted that give out no more than they are asked for.

    Parameters
    ----------
    content : bytes
        The archive.
    names : sequence of str
        Paths in it, the best one first.
    artifact : str
        What people know the archive as.

    Returns
    -------
    (str, bytes) or None
        Path and content; None if the archive has none of them.

    Raises
    ------
    ArtifactError
        The archive is damaged, odd, or beyond the limits.
    """
    if content.count(_CENTRAL_HEADER) > ENTRIES_LIMIT:
        # Counted first: the directory of an archive of empty files takes many times its size in memory.
        raise ArtifactError(f"The input artifact {artifact} has more than {ENTRIES_LIMIT:,} entries.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            for name in names:
                found = [entry for entry in entries if entry.filename == name]
                if len(found) > 1:
                    raise ArtifactError(f"The input artifact {artifact} has {len(found)} files {name}.")
                if found:
                    return name, _read(archive, found[0], artifact)
    except _DAMAGES as error:
        raise ArtifactError(
            f"The input artifact {artifact} cannot be read as a zip archive: {error}"
        ) from error
    return None


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, artifact: str) -> bytes:
    where = f"{entry.filename} in the input artifact {artifact}"
    mode = entry.external_attr >> 16
    if entry.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
        raise ArtifactError(f"{where} is no regular file.")
    if entry.flag_bits & _ENCRYPTED:
        raise ArtifactError(f"{where} is encrypted.")
    if entry.compress_type not in _METHODS:
        raise ArtifactError(f"{where} is compressed by method {entry.compress_type}; only deflate is read.")
    with archive.open(entry) as file:
        # What the archive says of the size may be a lie, so the size is not asked but tried.
        content = file.read(FILE_LIMIT + 1)
    if len(content) > FILE_LIMIT:
        raise ArtifactError(f"{where} has more than {FILE_LIMIT:,} bytes: it is no description of an image.")
    return content
