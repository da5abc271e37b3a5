"""Predictions joined with the truth, and every fault that they may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import predictions
from retraining.errors import HoldoutInvalidError
from tests.unit.functions.fakes import labels_csv, predictions_csv

TRUTH = {str(row): str(row % 10) for row in range(20)}
LABELS = list(TRUTH.values())


def kinds(data: bytes) -> list[str]:
    joined, findings = predictions.join(data, TRUTH, "predictions.csv")
    assert joined is None
    return [finding.kind for finding in findings]


def sentence(data: bytes) -> str:
    _, findings = predictions.join(data, TRUTH, "predictions.csv")
    return " ".join(finding.sentence for finding in findings)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=200), st.randoms())
def test_join_counts_as_a_comparison_row_by_row_does(pairs, random):
    labels, predicted = ([str(value) for value in column] for column in zip(*pairs, strict=True))
    header, *rows = predictions_csv(labels, predicted).decode().split()
    random.shuffle(rows)
    truth = predictions.read_truth(labels_csv(labels), "labels.csv")
    joined, findings = predictions.join("\n".join([header, *rows]).encode(), truth, "predictions.csv")
    assert not findings
    assert joined is not None
    assert joined.correct == sum(label == guess for label, guess in pairs)
    assert joined.rows == len(pairs)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_join(data):
    joined, findings = predictions.join(data, TRUTH, "predictions.csv")
    assert (joined is None) == bool(findings)


@given(st.text("id,label prediction0123\n\r\"'nai.-eE", max_size=200))
def test_no_text_crashes_the_join(text):
    joined, findings = predictions.join(f"id,label,prediction\n{text}".encode(), TRUTH, "predictions.csv")
    assert (joined is None) == bool(findings)


def test_missing_ids():
    data = predictions_csv(LABELS[:12], LABELS[:12])
    assert kinds(data) == ["missing"]
    assert (
        sentence(data)
        == "predictions.csv lacks 8 of the holdout's ids; the first: 12, 13, 14, 15, 16 and more."
    )


def test_unknown_ids():
    data = predictions_csv([*LABELS, "1"], [*LABELS, "1"])
    assert kinds(data) == ["unknown"]
    assert "has 1 id unknown to the holdout; the first: 20." in sentence(data)


def test_repeated_ids():
    data = predictions_csv(LABELS, LABELS) + b"3,3,3\n3,3,4\n"
    assert kinds(data) == ["repeated"]
    assert "has 2 ids too often; the first: 3, 3." in sentence(data)


def test_labels_that_contradict_the_truth():
    data = predictions_csv(["9", *LABELS[1:]], LABELS)
    assert kinds(data) == ["contradicted"]
    assert "0 (claimed 9, true 0)" in sentence(data)


@pytest.mark.parametrize("value", ["nan", "NaN", "inf", "-Infinity", "", "  ", "1e400"])
def test_predictions_that_are_none(value):
    assert kinds(predictions_csv(LABELS, [value, *LABELS[1:]])) == ["unusable"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"\xff\xfe\x00", "is not a text file"),
        (b"a,b\n1,2\n", "lacks the column id, label, prediction"),
        (b"id,label\n1,2\n", "lacks the column prediction"),
        (b"id,label,prediction\n1,2\n", "has 2 fields in line 2 where the header has 3"),
        (b'id,label,prediction\n"' + b"x" * 200_000, "cannot be read as CSV"),
    ],
)
def test_files_of_the_wrong_shape(data, said):
    assert kinds(data) == ["shape"]
    assert said in sentence(data)


def test_further_columns_and_any_order_are_welcome():
    rows = "".join(f"0.9,{label},{row},{label},x\r\n" for row, label in TRUTH.items())
    data = f"\ufeffscore, label ,id,prediction,slice_site\r\n{rows}".encode()
    joined, findings = predictions.join(data, TRUTH, "predictions.csv")
    assert not findings
    assert joined is not None
    assert joined.correct == 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", "7"), (" 7 ", "7"), ("7.0", "7"), ("07", "7"), ("0", "0"), ("-0.0", "0"), ("1e3", "1000"),
        ("0.50", "0.5"), ("cat", "cat"), ("", None), ("nan", None), ("²", "²"),
    ],
)  # fmt: skip
def test_equal_labels_have_one_spelling(text, expected):
    assert predictions.canonical(text) == expected


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty; upload a CSV file"),
        (b"id,label\n", "holds no rows"),
        (b"id\n1\n", "lacks the column label"),
        (b"id,label\n1,2\n1,2\n", "line 3: the id '1' is there a second time"),
        (b"id,label\n1,\n", "line 2: an id and a label are needed"),
        (b"id,label\n,1\n", "line 2: an id and a label are needed"),
        (b"id,label\n1,2\n3\n", "has 1 fields in line 3"),
    ],
)
def test_truth_that_cannot_be_read(data, said):
    with pytest.raises(HoldoutInvalidError, match=said):
        predictions.read_truth(data, "holdout/mnist/labels.csv")
