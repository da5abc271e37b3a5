"""Predictions joined with the truth, and every fault that they may have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import labels as spellings
from retraining import predictions
from retraining.errors import HoldoutInvalidError
from retraining.truth import read_truth
from tests.unit.functions.fakes import labels_csv, predictions_csv

LABELS = [str(row % 10) for row in range(20)]
TRUTH = read_truth(labels_csv(LABELS), "labels.csv")


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
    truth = read_truth(labels_csv(labels), "labels.csv")
    joined, findings = predictions.join("\n".join([header, *rows]).encode(), truth, "predictions.csv")
    assert not findings
    assert joined is not None
    assert list(zip(joined.truth.labels, joined.predicted, strict=True)) == [
        (str(label), str(guess)) for label, guess in pairs
    ]
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
    rows = "".join(f"0.9,{label},{row},{label},x\r\n" for row, label in enumerate(LABELS))
    data = f"\ufeffscore, label ,id,prediction,slice_site\r\n{rows}".encode()
    joined, findings = predictions.join(data, TRUTH, "predictions.csv")
    assert not findings
    assert joined is not None
    assert joined.predicted == LABELS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("7", "7"), (" 7 ", "7"), ("7.0", "7"), ("07", "7"), ("0", "0"), ("-0.0", "0"), ("1e3", "1000"),
        ("0.50", "0.5"), ("cat", "cat"), ("", None), ("nan", None), ("²", "²"),
    ],
)  # fmt: skip
def test_equal_labels_have_one_spelling(text, expected):
    assert spellings.canonical(text) == expected


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
        read_truth(data, "holdout/mnist/labels.csv")


def test_truth_in_numbers_has_numbers_only():
    truth = read_truth(b"id,label\na,1.50\nb,-2\n", "labels.csv", numeric=True)
    assert truth.values == [1.5, -2.0]
    with pytest.raises(HoldoutInvalidError, match=r"line 2: the label 'cat' is no number, which the metric"):
        read_truth(b"id,label\na,cat\n", "labels.csv", numeric=True)


def test_slices_come_from_the_truth():
    truth = read_truth(b"id,label,slice_site,slice_age\n0,1,Berlin,07\n1,1,,8\n", "labels.csv")
    assert truth.slices == {"site": ["Berlin", ""], "age": ["7", "8"]}
    data = b"id,label,prediction,slice_site\n0,1,1,Paris\n1,1,1,Paris\n"
    joined, _ = predictions.join(data, truth, "predictions.csv")
    assert joined is not None
    assert joined.truth.slices["site"] == ["Berlin", ""]


QUANTITIES = read_truth(b"id,label\n0,0.1\n1,2\n", "labels.csv", numeric=True)


def test_quantities_are_joined_as_numbers():
    data = b"id,label,prediction\n1,2.0,1e0\n0,0.10000000149,0.2\n"
    joined, findings = predictions.join(data, QUANTITIES, "predictions.csv")
    assert not findings
    assert joined is not None
    assert joined.values == [0.2, 1.0]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (b"0,0.1,nan\n1,2,1\n", "has 1 row without a usable prediction; the first: 0 (nan)."),
        (b"0,0.1,cat\n1,2,1\n", "has 1 row without a usable prediction; the first: 0 (cat)."),
        (
            b"0,0.2,1\n1,2,1\n",
            "claims 1 label in contradiction to the holdout; the first: 0 (claimed 0.2, true 0.1).",
        ),
        (b"0,,1\n1,2,1\n", "0 (claimed nothing, true 0.1)"),
    ],
)
def test_quantities_that_are_none(rows, said):
    joined, (finding,) = predictions.join(b"id,label,prediction\n" + rows, QUANTITIES, "predictions.csv")
    assert joined is None
    assert said in finding.sentence


COINS = read_truth(b"id,label\n0,heads\n1,tails\n", "labels.csv")


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"id,label,prediction,probability_heads,probability_tails\n0,heads,heads,.7,.3\n1,tails,heads,.6,.4\n",
         [0.7, 0.4]),
        (b"id,label,prediction,score\n0,heads,heads,.75\n1,tails,heads,.75\n", [0.75, 0.25]),
        (b"id,label,prediction,probability_heads\n0,heads,heads,.7\n1,tails,heads,.6\n", None),
        (b"id,label,prediction\n0,heads,heads\n1,tails,heads\n", None),
        (b"id,label,prediction,score\n0,heads,heads,7\n1,tails,heads,.6\n", None),
    ],
)  # fmt: skip
def test_the_probability_of_the_true_class(data, expected):
    joined, findings = predictions.join(data, COINS, "predictions.csv")
    assert not findings
    assert joined is not None
    assert joined.probabilities == expected
    joined, findings = predictions.join(data, COINS, "predictions.csv", needs_probabilities=True)
    assert (joined is None) == (expected is None) == bool(findings)


def test_probabilities_that_do_not_add_up():
    data = (
        b"id,label,prediction,probability_heads,probability_tails\n0,heads,heads,.7,.4\n1,tails,tails,.5,.5\n"
    )
    _, (finding,) = predictions.join(data, COINS, "predictions.csv", needs_probabilities=True)
    assert finding.sentence == (
        "predictions.csv has 1 row whose probabilities are none or do not add up to 1; the first: 0."
    )


def test_probabilities_that_are_not_there():
    data = b"id,label,prediction\n0,heads,heads\n1,tails,tails\n"
    _, (finding,) = predictions.join(data, COINS, "predictions.csv", needs_probabilities=True)
    assert finding.sentence == (
        "predictions.csv lacks probabilities, which the metric needs: it has no column probability_heads, "
        "probability_tails."
    )


def test_a_column_that_is_there_twice():
    data = b"id,label,prediction,score,score\n0,heads,heads,.7,.4\n"
    _, (finding,) = predictions.join(data, COINS, "predictions.csv")
    assert "has the column score twice" in finding.sentence
