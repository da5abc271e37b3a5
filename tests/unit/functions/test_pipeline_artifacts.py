"""Input artifacts of a pipeline: zip archives from anywhere, and the files in them that name an image."""

import contextlib
import io
import json
import stat
import struct
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining.errors import ArtifactError
from retraining.pipelines import artifacts, image_files
from retraining.pipelines.image_files import DEFINITIONS, DETAIL, NAMES

REPOSITORY = "123456789012.dkr.ecr.us-east-1.amazonaws.com/retrain-training"
DIGEST = f"sha256:{'0af' * 21}0"


def zipped(files: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def read(content: bytes) -> tuple[str, bytes] | None:
    return artifacts.read_first(content, NAMES, "Build")


def test_the_file_is_found_among_others():
    content = zipped({"README.md": b"x", DETAIL: b"{}", "src/app.py": b"pass"})
    assert read(content) == (DETAIL, b"{}")
    assert read(zipped({DEFINITIONS: b"[]"}, zipfile.ZIP_STORED)) == (DEFINITIONS, b"[]")


def test_the_file_that_may_have_the_digest_comes_first():
    assert read(zipped({DEFINITIONS: b"[]", DETAIL: b"{}"})) == (DETAIL, b"{}")


@pytest.mark.parametrize("name", ["handover/imageDetail.json", "../imageDetail.json", "imagedetail.json"])
def test_files_of_other_names_are_not_it(name):
    assert read(zipped({name: b"{}"})) is None


def test_a_bomb_is_not_unpacked():
    content = zipped({DETAIL: b" " * (artifacts.FILE_LIMIT * 100)})
    assert len(content) < artifacts.FILE_LIMIT
    with pytest.raises(ArtifactError, match=r"imageDetail\.json in the input artifact Build has more than"):
        read(content)


def test_an_archive_that_lies_about_a_size_is_no_way_around():
    content = bytearray(zipped({DETAIL: b" " * (artifacts.FILE_LIMIT * 100)}))
    for signature, offset in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", content, content.index(signature) + offset, 10)
    with pytest.raises(ArtifactError):
        read(bytes(content))


def test_too_many_entries():
    content = zipped({f"{number}": b"" for number in range(artifacts.ENTRIES_LIMIT + 1)})
    with pytest.raises(ArtifactError, match="more than 20,000 entries"):
        read(content)


def test_other_methods_of_compression_are_refused_before_they_are_tried():
    for method in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        with pytest.raises(ArtifactError, match="only deflate is read"):
            read(zipped({DETAIL: b"{}"}, method))


def test_an_encrypted_file():
    content = bytearray(zipped({DETAIL: b"{}"}))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(ArtifactError, match="is encrypted"):
        read(bytes(content))


def test_a_link_is_not_followed():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo(DETAIL)
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/proc/self/environ")
    with pytest.raises(ArtifactError, match="no regular file"):
        read(buffer.getvalue())


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_files_of_one_name():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(DETAIL, "{}")
        archive.writestr(DETAIL, "[]")
    with pytest.raises(ArtifactError, match=r"has 2 files imageDetail\.json"):
        read(buffer.getvalue())


@pytest.mark.parametrize("content", [b"", b"PK", b"{}", zipped({DETAIL: b"{}"})[:-30]])
def test_what_is_no_archive(content):
    with pytest.raises(ArtifactError, match="cannot be read as a zip archive"):
        read(content)


@given(st.data())
def test_damaged_archives_are_read_or_refused_and_nothing_else(data):
    content = bytearray(zipped({"a": b"b" * 50, DETAIL: json.dumps({"ImageURI": REPOSITORY})}))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = read(bytes(content))
    except ArtifactError:
        return
    assert found is None or len(found[1]) <= artifacts.FILE_LIMIT


def detail(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_the_image_of_an_ecr_source():
    """As CodePipeline's documentation shows the file."""
    content = detail(
        ImageSizeInBytes="44728918",
        ImageDigest=DIGEST,
        Version="1.0",
        ImagePushedAt="Mon Jan 21 20:04:00 UTC 2019",
        RegistryId="123456789012",
        RepositoryName="retrain-training",
        ImageURI=f"{REPOSITORY}@{DIGEST}",
        ImageTags=["latest"],
    )
    assert image_files.image(DETAIL, content, "") == f"{REPOSITORY}@{DIGEST}"


def test_a_tag_is_pinned_by_the_digest_beside_it():
    content = detail(ImageURI=f"{REPOSITORY}:1.0", ImageDigest=DIGEST)
    assert image_files.image(DETAIL, content, "") == f"{REPOSITORY}:1.0@{DIGEST}"
    assert image_files.image(DETAIL, detail(ImageURI=f"{REPOSITORY}:1.0"), "") == f"{REPOSITORY}:1.0"


def test_a_byte_order_mark_is_no_matter():
    content = b"\xef\xbb\xbf" + detail(ImageURI=f"{REPOSITORY}:1.0")
    assert image_files.image(DETAIL, content, "") == f"{REPOSITORY}:1.0"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[]",
        b"null",
        b"{}",
        b'{"ImageURI": 7}',
        b'{"ImageURI": "a b"}',
        b"[" * 100_000,
    ],
)
def test_details_that_name_no_image(content):
    with pytest.raises(ArtifactError, match=r"imageDetail\.json"):
        image_files.image(DETAIL, content, "")


@pytest.mark.parametrize("digest", [7, "sha256:short", [DIGEST]])
def test_a_digest_that_is_none(digest):
    with pytest.raises(ArtifactError, match="ImageDigest"):
        image_files.image(DETAIL, detail(ImageURI=f"{REPOSITORY}:1.0", ImageDigest=digest), "")


def definitions(*entries: dict[str, object]) -> bytes:
    return json.dumps(entries).encode()


TRAINING = {"name": "training", "imageUri": f"{REPOSITORY}:1.0"}
SIDECAR = {"name": "sidecar", "imageUri": "example/sidecar:2"}


def test_image_definitions():
    assert image_files.image(DEFINITIONS, definitions(TRAINING), "") == f"{REPOSITORY}:1.0"
    both = definitions(SIDECAR, TRAINING)
    assert image_files.image(DEFINITIONS, both, "training") == f"{REPOSITORY}:1.0"
    with pytest.raises(ArtifactError, match=r"has 2 entries \(sidecar, training\): say which one"):
        image_files.image(DEFINITIONS, both, "")
    with pytest.raises(ArtifactError, match="has 0 entries named 'web' and must have one; it has sidecar"):
        image_files.image(DEFINITIONS, both, "web")


@pytest.mark.parametrize("content", [b"{}", b"[]", b"[7]", b'[{"name": "training"}]', b'[{"imageUri": {}}]'])
def test_definitions_that_name_no_image(content):
    with pytest.raises(ArtifactError, match=r"imagedefinitions\.json"):
        image_files.image(DEFINITIONS, content, "")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["name", "imageUri", "ImageURI", "ImageDigest"]) | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(NAMES), json_values, st.text(max_size=10))
def test_any_json_names_an_image_or_is_refused(name, value, container):
    with contextlib.suppress(ArtifactError):
        assert image_files.image(name, json.dumps(value).encode(), container)
