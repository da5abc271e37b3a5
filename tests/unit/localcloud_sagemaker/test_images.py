from __future__ import annotations

import sys

import pytest

from retrain.localcloud.sagemaker.images import ImageError, entrypoint, repository, resolve


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/team/model:1.2@sha256:00ff", "team/model"),
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com/model@sha256:00ff", "model"),
        ("retrain-training:local", "retrain-training"),
        ("localhost:5000/retrain-training", "retrain-training"),
        ("localhost/retrain-training:1", "retrain-training"),
        ("team/model", "team/model"),
    ],
)
def test_the_repository_is_the_uri_without_host_tag_and_digest(uri, expected):
    assert repository(uri) == expected


def test_the_first_pattern_that_matches_gives_the_image(tmp_path):
    (tmp_path / "Dockerfile").write_text('FROM x\nENTRYPOINT [ "python", \\\n  "-m", "container"]\n')
    image = resolve(
        "host.example.com/aws/pytorch-training:2.10", {"*none*": tmp_path / "no", "*pytorch*": tmp_path}
    )
    assert image.folder == tmp_path
    assert image.entrypoint == (sys.executable, "-m", "container")


def test_an_unknown_image_is_refused_naming_what_is_known(tmp_path):
    with pytest.raises(ImageError, match=r"'other' matches none of the patterns .*\(\*a\*, \*b\*\)"):
        resolve("other:1", {"*a*": tmp_path, "*b*": tmp_path})


@pytest.mark.parametrize(
    "text", [None, "FROM x\n", "ENTRYPOINT python -m container\n", 'ENTRYPOINT ["a", 1]\n']
)
def test_an_image_without_an_entrypoint_in_exec_form_cannot_be_run(tmp_path, text):
    if text is not None:
        (tmp_path / "Dockerfile").write_text(text)
    with pytest.raises(ImageError):
        entrypoint(tmp_path)


def test_the_last_entrypoint_counts(tmp_path):
    (tmp_path / "Dockerfile").write_text('ENTRYPOINT ["a"]\nentrypoint ["/b", "c"]\n')
    assert entrypoint(tmp_path) == ("/b", "c")
