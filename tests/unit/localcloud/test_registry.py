"""Folders as images: their digests, and under which names ECR has them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from retrain.localcloud.registry.folders import FolderImages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "program"
    (made / "package").mkdir(parents=True)
    (made / "Dockerfile").write_text('ENTRYPOINT ["python", "-m", "package"]')
    (made / "package" / "train.py").write_text("print(1)")
    return made


def digest(folder: Path) -> str:
    return FolderImages({"x": folder}).image(folder).digest


class TestDigests:
    def test_the_same_content_is_the_same_image_wherever_and_whenever(
        self, folder: Path, tmp_path: Path
    ) -> None:
        before = digest(folder)
        os.utime(folder / "Dockerfile", (0, 0))
        other = tmp_path / "elsewhere"
        folder.rename(other)
        assert digest(other) == before
        assert before.startswith("sha256:")
        assert len(before) == 71

    @pytest.mark.parametrize("change", ["content", "name", "new", "gone", "moved"])
    def test_any_change_is_another_image(self, folder: Path, change: str) -> None:
        images = FolderImages({"x": folder})
        before, train = images.image(folder).digest, folder / "package" / "train.py"
        if change == "content":
            train.write_text("print(2)")
        elif change == "name":
            train.rename(folder / "package" / "fit.py")
        elif change == "new":
            (folder / "empty").write_bytes(b"")
        elif change == "gone":
            train.unlink()
        else:
            train.rename(folder / "train.py")
        assert images.image(folder).digest != before

    def test_what_python_leaves_behind_is_no_change(self, folder: Path) -> None:
        before = digest(folder)
        (folder / "package" / "__pycache__").mkdir()
        (folder / "package" / "__pycache__" / "train.cpython-311.pyc").write_bytes(b"1")
        assert digest(folder) == before

    def test_names_and_contents_cannot_be_taken_for_each_other(self, tmp_path: Path) -> None:
        first, second = tmp_path / "1", tmp_path / "2"
        for made, files in ((first, {"ab": "c", "d": ""}), (second, {"a": "bc", "d": ""})):
            made.mkdir()
            for name, text in files.items():
                (made / name).write_text(text)
        assert digest(first) != digest(second)

    def test_the_manifest_is_what_the_digest_is_of(self, folder: Path) -> None:
        image = FolderImages({"x": folder}).image(folder)
        assert json.loads(image.manifest)["layers"][0]["digest"].startswith("sha256:")


def test_names_of_repositories(folder: Path) -> None:
    images = FolderImages({"*retrain-training*": folder, "team/model": folder, "*[ab]*": folder, "*": folder})
    assert images.repositories == {"retrain-training": folder, "team/model": folder}


def test_the_first_pattern_that_fits_stands_for_a_repository(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    images = FolderImages({"*pytorch*": folder, "huggingface-*": other})
    assert images.standing_for("pytorch-training") == images.image(folder)
    assert images.standing_for("huggingface-pytorch-training") == images.image(folder)
    assert images.standing_for("mxnet") is None
