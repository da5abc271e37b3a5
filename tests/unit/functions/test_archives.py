"""Archives of training jobs, which may hold anything."""

import io
import tarfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import archives
from retraining.errors import ArchiveUnreadableError
from tests.unit.functions.fakes import output_archive

WANTED = ("predictions.csv", "champion_predictions.csv")


def read(data: bytes) -> dict[str, bytes]:
    return archives.read_members(io.BytesIO(data), WANTED)


def archive_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for member, content in members:
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_only_what_is_wanted_is_read():
    assert read(output_archive(other=b"x", predictions=b"y")) == {"predictions.csv": b"y"}


def test_names_may_begin_with_a_dot():
    assert read(archive_of((tarfile.TarInfo("./predictions.csv"), b"y"))) == {"predictions.csv": b"y"}


def test_a_file_that_must_not_spoil_the_archive_is_cut():
    large, small = tarfile.TarInfo("verify.jsonl"), tarfile.TarInfo("predictions.csv")
    data = archive_of((large, b"x" * 9_000), (small, b"y"))
    found = archives.read_members(io.BytesIO(data), (*WANTED, "verify.jsonl"), {"verify.jsonl": 5})
    assert found == {"verify.jsonl": b"xxxxx", "predictions.csv": b"y"}


def test_links_folders_and_other_places_are_passed_over():
    link = tarfile.TarInfo("predictions.csv")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    folder = tarfile.TarInfo("champion_predictions.csv")
    folder.type = tarfile.DIRTYPE
    elsewhere = tarfile.TarInfo("../predictions.csv")
    assert read(archive_of((link, b""), (folder, b""), (elsewhere, b"evil"))) == {}


def test_a_member_beyond_the_limit_is_refused_unread(monkeypatch):
    monkeypatch.setattr(archives, "MEMBER_LIMIT", 10)
    with pytest.raises(ArchiveUnreadableError, match=r"predictions.csv has 11 bytes, more than 10"):
        read(output_archive(predictions=b"x" * 11))


def test_too_many_members_are_refused(monkeypatch):
    monkeypatch.setattr(archives, "MEMBERS_LIMIT", 2)
    with pytest.raises(ArchiveUnreadableError, match="more than 2 entries"):
        read(output_archive(a=b"", b=b"", c=b""))


@pytest.mark.parametrize("data", [b"", b"no archive", output_archive(predictions=b"x" * 100_000)[:-50]])
def test_damaged_archives(data):
    with pytest.raises(ArchiveUnreadableError, match=r"cannot be read as \.tar\.gz"):
        read(data)


@given(st.integers(0, 250), st.integers(0, 255))
def test_no_damage_crashes_the_reading(position, byte):
    data = bytearray(output_archive(predictions=b"id,label,prediction\n" * 20))
    data[position % len(data)] = byte
    try:
        found = read(bytes(data))
    except ArchiveUnreadableError:
        found = {}
    assert set(found) <= set(WANTED)
