from __future__ import annotations

import io
import random
import tarfile
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.localcloud.sagemaker.downloads import DownloadError, ObjectCache, extract, relative_path
from retrain.localcloud.sagemaker.objects import S3Uri


@pytest.mark.parametrize(
    ("prefix", "key", "expected"),
    [
        ("data/mnist/", "data/mnist/train/a.gz", "train/a.gz"),
        ("data/mnist", "data/mnist/train/a.gz", "train/a.gz"),
        ("data/mnist", "data/mnist2/a.gz", "mnist2/a.gz"),
        ("data/train.csv", "data/train.csv", "train.csv"),
        ("data/tr", "data/train.csv", "train.csv"),
        ("", "a/b", "a/b"),
        ("data/", "data/folder/", None),
    ],
)
def test_keys_become_paths_below_the_channel(prefix, key, expected):
    path = relative_path(prefix, key)
    assert path == (PurePosixPath(expected) if expected else None)


@pytest.mark.parametrize("key", ["data/../../etc/passwd", "data//etc/passwd", "data/.."])
def test_keys_that_lead_outside_are_refused(key):
    with pytest.raises(DownloadError, match="cannot be a file below"):
        relative_path("data/", key)


@given(prefix=st.text("ab/.", max_size=6), rest=st.text("ab/.", max_size=8))
def test_no_key_leads_outside(prefix, rest):
    try:
        path = relative_path(prefix, prefix + rest)
    except DownloadError:
        return
    assert path is None or (not path.is_absolute() and ".." not in path.parts)


def test_an_object_is_fetched_once_and_again_after_somebody_wrote_into_it(tmp_path, store):
    store.put("s3://bucket/a", "one")
    cache = ObjectCache(tmp_path / "cache", store)
    (found,) = store.list_objects(S3Uri("bucket", "a"))
    cache.place("bucket", found, tmp_path / "x" / "a")
    cache.place("bucket", found, tmp_path / "y" / "a")
    assert store.fetched == ["a"]
    assert (tmp_path / "x" / "a").stat().st_ino == (tmp_path / "y" / "a").stat().st_ino
    (tmp_path / "x" / "a").chmod(0o644)
    (tmp_path / "x" / "a").write_text("spoiled")
    cache.place("bucket", found, tmp_path / "z" / "a")
    assert (tmp_path / "z" / "a").read_text() == "one"
    assert store.fetched == ["a", "a"]


def test_a_cache_beyond_its_limit_is_trimmed(tmp_path, store):
    store.put("s3://bucket/a", "x" * 100)
    store.put("s3://bucket/b", "y" * 100)
    cache = ObjectCache(tmp_path / "cache", store, limit_bytes=150)
    for found in store.list_objects(S3Uri("bucket", "")):
        cache.place("bucket", found, tmp_path / "out" / found.key)
    cache.trim()
    assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) == 100
    assert (tmp_path / "out" / "a").read_text() == "x" * 100


def test_trimming_leaves_alone_what_another_job_fetches(tmp_path, store):
    cache = ObjectCache(tmp_path / "cache", store, limit_bytes=0)
    partial = tmp_path / "cache" / "0123.part"
    partial.write_text("half")
    cache.trim()
    assert partial.read_text() == "half"


def packed(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_an_archive_is_unpacked(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(packed(**{"sub/a": b"one"}))
    extract(tmp_path / "a.tar.gz", tmp_path / "out")
    assert (tmp_path / "out" / "sub" / "a").read_bytes() == b"one"


@pytest.mark.parametrize(
    "content",
    [
        packed(**{"../evil": b"x"}),
        packed(**{"/etc/evil": b"x"})[:20],
        b"no archive",
        b"",
        packed(a=random.Random(0).randbytes(10_000))[:5_000],
    ],
    # The bytes hold the time of day, and processes that share the tests must agree on their names.
    ids=["leads outside", "head alone", "no archive", "empty", "cut off"],
)
def test_what_is_no_archive_or_would_reach_outside_is_refused(tmp_path, content):
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DownloadError, match=r"a\.tar\.gz cannot be unpacked"):
        extract(tmp_path / "a.tar.gz", tmp_path / "out")
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize("uri", ["http://bucket/key", "bucket/key", "s3://", "s3:///key"])
def test_other_uris_are_refused(uri):
    with pytest.raises(ValueError, match="no S3 URI"):
        S3Uri.parse(uri)


def test_places_below_a_place():
    assert str(S3Uri.parse("s3://bucket").child("a", "b")) == "s3://bucket/a/b"
    assert str(S3Uri.parse("s3://bucket/x/").child("a")) == "s3://bucket/x/a"
