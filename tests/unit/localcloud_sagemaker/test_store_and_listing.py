from __future__ import annotations

import json

import pytest

from retrain.localcloud.sagemaker.errors import InvalidRequestError
from retrain.localcloud.sagemaker.listing import listed, select
from retrain.localcloud.sagemaker.store import Store


def test_records_outlive_the_server(tmp_path):
    store = Store(tmp_path)
    store.model_packages.put("group/1", {"a": 1})
    with store.model_packages.edit("group/1") as record:
        record["b"] = [2]
    store.models.put("gone", {})
    store.models.delete("gone")
    again = Store(tmp_path)
    assert again.model_packages.get("group/1") == {"a": 1, "b": [2]}
    assert again.models.names() == []


def test_what_is_given_out_is_a_copy(tmp_path):
    store = Store(tmp_path)
    store.models.put("m", {"list": [1]})
    store.models.get("m")["list"].append(2)
    store.models.all()[0]["list"].append(3)
    assert store.models.get("m") == {"list": [1]}


def test_a_change_that_fails_changes_nothing(tmp_path):
    store = Store(tmp_path)
    store.models.put("m", {"a": 1})

    def fail() -> None:
        with store.models.edit("m") as record:
            record["a"] = 2
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert store.models.get("m") == {"a": 1}
    assert Store(tmp_path).models.get("m") == {"a": 1}


def test_a_record_that_cannot_be_read_is_put_aside(tmp_path, caplog):
    Store(tmp_path).models.put("good", {"a": 1})
    folder = tmp_path / "records" / "model"
    (folder / "bad.json").write_text("{")
    (folder / "half.tmp").write_text("{")
    assert Store(tmp_path).models.names() == ["good"]
    assert (folder / "bad.broken").exists()
    assert not (folder / "half.tmp").exists()
    assert "cannot be read" in caplog.text


RECORDS = [
    {
        "Name": f"job-{number}",
        "Status": "Failed" if number % 2 else "Completed",
        "CreationTime": float(number),
    }
    for number in range(5)
]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "43210"),
        ({"SortOrder": "Ascending"}, "01234"),
        ({"SortBy": "Name", "SortOrder": "Ascending", "NameContains": "JOB-1"}, "1"),
        ({"StatusEquals": "Failed"}, "31"),
        ({"CreationTimeAfter": 1.0, "CreationTimeBefore": 4}, "32"),
        ({"CreationTimeAfter": "1970-01-01T00:00:02+00:00"}, "43"),
        ({"SortBy": "Status", "SortOrder": "Ascending"}, "02413"),
    ],
)
def test_records_are_chosen_and_put_in_order(parameters, expected):
    chosen = select(RECORDS, parameters, name="Name", status="Status")
    assert "".join(item["Name"][-1] for item in chosen) == expected


def test_pages_follow_each_other():
    first = listed(RECORDS, {"MaxResults": 3}, "Items", ("Name",))
    second = listed(RECORDS, {"MaxResults": 3, "NextToken": first["NextToken"]}, "Items", ("Name", "Absent"))
    assert [item["Name"] for item in first["Items"] + second["Items"]] == [item["Name"] for item in RECORDS]
    assert "NextToken" not in second
    with pytest.raises(InvalidRequestError, match="NextToken"):
        listed(RECORDS, {"NextToken": "%%%"}, "Items", ())
    json.dumps(first)
