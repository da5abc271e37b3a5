"""`retrain upload`: what is sent where, the marker last, and what is refused."""

from __future__ import annotations

import pytest

from retrain.errors import AccessDeniedError
from tests.unit.cli.fakes import history, run_record


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "digits"
    (made / "more").mkdir(parents=True)
    (made / "a.csv").write_text("a")
    (made / "more" / "b c.csv").write_text("bb")
    return made


def contents(bucket):
    listed = bucket.list_objects_v2(Bucket="data-bucket").get("Contents", [])
    return {item["Key"]: item["Size"] for item in listed}


def test_a_folder_and_its_marker(retrain, bucket, folder):
    ended = retrain("upload", folder, "--dataset", "digits")
    assert ended.code == 0
    assert ended.out == "2 files, 3 bytes, in s3://data-bucket/datasets/digits/\n"
    assert ended.err == (
        "The batch is closed: 'retrain watch' shows the run, 'retrain triggers' why there is none.\n"
    )
    assert contents(bucket) == {
        "datasets/digits/a.csv": 1,
        "datasets/digits/more/b c.csv": 2,
        "datasets/digits/_SUCCESS": 0,
    }


def test_the_marker_comes_after_every_file(retrain, bucket, folder, stack, monkeypatch):
    order = []
    send, close = bucket.put_object, bucket.upload_part
    monkeypatch.setattr(
        bucket, "put_object", lambda **request: order.append(request["Key"]) or send(**request)
    )
    assert close
    retrain("upload", folder, "--dataset", "digits")
    assert order[-1] == "datasets/digits/_SUCCESS"
    assert len(order) == 3


def test_a_single_file(retrain, bucket, folder):
    ended = retrain("upload", folder / "a.csv", "--dataset", "digits", "--no-marker")
    assert ended.out == "1 file, 1 byte, in s3://data-bucket/datasets/digits/\n"
    assert "once no file has come for the stack's quiet period" in ended.err
    assert contents(bucket) == {"datasets/digits/a.csv": 1}


def test_a_holdout_gets_no_marker_and_is_asked_for_its_labels(retrain, bucket, folder):
    ended = retrain("upload", folder, "--dataset", "digits", "--holdout")
    assert "The next run is judged on it; no run begins now." in ended.err
    assert "It has no labels.csv (id,label) yet" in ended.err
    assert set(contents(bucket)) == {"holdout/digits/a.csv", "holdout/digits/more/b c.csv"}
    (folder / "labels.csv").write_text("id,label\n")
    assert "labels.csv" not in retrain("upload", folder, "--dataset", "digits", "--holdout").err
    assert "labels.csv" not in retrain("upload", folder / "a.csv", "--dataset", "digits", "--holdout").err


def test_hidden_files_and_an_old_marker_stay_behind(retrain, bucket, folder):
    (folder / ".DS_Store").write_text("x")
    (folder / "_SUCCESS").write_text("not the last to come")
    ended = retrain("upload", folder, "--dataset", "digits", "--json")
    assert ended.json == {
        "uri": "s3://data-bucket/datasets/digits/",
        "files": 2,
        "bytes": 3,
        "marker": "s3://data-bucket/datasets/digits/_SUCCESS",
        "skipped": [str(folder / ".DS_Store"), str(folder / "_SUCCESS")],
    }
    assert contents(bucket)["datasets/digits/_SUCCESS"] == 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Digits", "'Digits' cannot name a dataset: take lower-case letters, digits and hyphens within"),
        ("a_b", "'a_b' cannot name a dataset"),
        ("-a", "'-a' cannot name a dataset"),
        ("a/b", "'a/b' cannot name a dataset"),
        ("", "'' cannot name a dataset"),
        ("a" * 33, "has 33 characters; at most 32 are allowed."),
    ],
)
def test_names_that_no_endpoint_can_bear(retrain, bucket, folder, name, sentence):
    ended = retrain("upload", folder, f"--dataset={name}")
    assert ended.code == 2
    assert sentence in ended.err
    assert contents(bucket) == {}


def test_nothing_to_upload(retrain, bucket, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    ended = retrain("upload", empty, "--dataset", "digits")
    assert (ended.code, ended.err) == (2, f"retrain: {empty} holds no files to upload.\n")
    (empty / ".hidden").write_text("x")
    assert "(hidden files do not count)" in retrain("upload", empty, "--dataset", "digits").err
    ended = retrain("upload", empty / "missing", "--dataset", "digits")
    assert (ended.code, ended.err) == (2, f"retrain: There is no file or folder {empty / 'missing'}.\n")
    assert contents(bucket) == {}


def test_a_failed_upload_writes_no_marker(retrain, bucket, folder, monkeypatch):
    from tests.unit.cli.fakes import refusal

    def refuse(**_: object) -> None:
        raise refusal("AccessDenied", "PutObject", "Access Denied")

    monkeypatch.setattr(bucket, "put_object", refuse)
    ended = retrain("upload", folder, "--dataset", "digits")
    assert ended.code == AccessDeniedError.exit_code
    assert "AWS refused PutObject while uploading to s3://data-bucket/datasets/digits/" in ended.err
    assert contents(bucket) == {}


def test_a_file_that_cannot_be_read_is_named_and_no_marker_is_written(retrain, bucket, folder, monkeypatch):
    from retrain.operations import upload

    plan = upload.plan

    def plan_then_lose(*arguments: object, **options: object) -> upload.Plan:
        planned = plan(*arguments, **options)
        planned.files[0][0].unlink()
        return planned

    monkeypatch.setattr(upload, "plan", plan_then_lose)
    ended = retrain("upload", folder, "--dataset", "digits")
    assert ended.code == 2
    assert "cannot be read: No such file or directory. The batch was not closed." in ended.err
    assert not [key for key in contents(bucket) if key.endswith("_SUCCESS")]


def test_upload_and_watch(retrain, bucket, folder, stack, monkeypatch):
    from retrain.operations import upload

    stack.states.begin("digits-0123456789ab-1", history())
    close = upload.close_batch

    def begin(*arguments):
        stack.ledger.records.append(run_record("digits-ba9876543210-1"))
        stack.states.begin("digits-2-ba9876543210-1", history())  # another dataset's, whose name begins alike
        stack.states.begin("digits-ba9876543210-1", history(("Prepare", "Task", {})))
        return close(*arguments)

    monkeypatch.setattr(upload, "close_batch", begin)
    ended = retrain("upload", folder, "--dataset", "digits", "--watch")
    assert ended.code == 0
    assert "run digits-ba9876543210-1" in ended.out
    assert "DEPLOYED after 4.0 s" in ended.out
    assert retrain("upload", folder, "--dataset", "digits", "--watch", "--holdout").code == 2
