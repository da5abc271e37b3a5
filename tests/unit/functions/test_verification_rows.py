"""Which rows an endpoint is verified with: requests of the program, answers that the gate has judged."""

import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retraining import verification_rows
from retraining.predictions import Joined
from retraining.verification_rows import MOST_BYTES, MOST_ROWS, Row
from tests.unit.functions.fakes import joined, joined_values

IGNORED = "of verify.jsonl, these rows were ignored:"
CLASSES = joined(["1", "2", "3"], ["1", "2", "2"])


def request(identifier: Any = "0", **changes: Any) -> dict[str, Any]:
    return {
        "id": identifier,
        "content_type": "text/csv",
        "body": base64.b64encode(b"4,2").decode(),
        **changes,
    }


def file_of(*requests: Any) -> bytes:
    return "".join(f"{json.dumps(line)}\n" for line in requests).encode()


def kept(data: bytes | None, predictions: Joined = CLASSES) -> tuple[list[Row], str]:
    return verification_rows.read(verification_rows.extract(data, predictions))


def test_what_is_expected_is_what_the_gate_has_judged():
    claims = [request("2", expected="3", label="3", prediction="3"), request(0)]
    assert kept(file_of(*claims)) == (
        [Row("2", "text/csv", b"4,2", "2"), Row("0", "text/csv", b"4,2", "1")],
        "",
    )


def test_quantities_are_expected_as_numbers():
    rows, note = kept(file_of(request("1")), joined_values([1.0, 2.0], [1.5, 2.25]))
    assert (rows, note) == ([Row("1", "text/csv", b"4,2", 2.25)], "")


@pytest.mark.parametrize("path", ["[0]", "predictions[0].label", "a.b[12][3].c_d"])
def test_a_row_may_say_where_its_answer_is(path):
    assert kept(file_of(request(answer_path=path))) == ([Row("0", "text/csv", b"4,2", "1", path)], "")


@pytest.mark.parametrize(
    "path", ["'1'", "[0] || '1'", "to_string(`1`)", "@", "a b", "[-1]", "x" * 201, 7, ["a"]]
)
def test_a_place_may_not_hold_the_answer_itself(path):
    rows, note = kept(file_of(request(answer_path=path)))
    assert (rows, note) == ([], f"{IGNORED} 1 with an answer_path unlike predictions[0].label (0)")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (None, "the training program left no verify.jsonl"),
        (b"", "verify.jsonl is empty"),
        (b"\n \r\n", "verify.jsonl is empty"),
        (b" " * (MOST_BYTES + 1), "verify.jsonl has more than 1,048,576 bytes"),
    ],
)
def test_no_rows_say_why(data, why):
    assert kept(data) == ([], why)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{", "1 not JSON (line 1)"),
        (b"\xff\xfe", "1 not JSON (line 1)"),
        (b"[" * 100_000, "1 not JSON (line 1)"),
        (b"7", "1 not a JSON object (line 1)"),
        (file_of(request(None)), "1 without an id (line 1)"),
        (file_of(request(" ")), "1 without an id (line 1)"),
        (file_of(request(True)), "1 without an id (line 1)"),
        (file_of(request("9")), "1 unknown to the holdout (9)"),
        (file_of(request("<script>\n\ud800")), "1 unknown to the holdout (<script>??)"),
        (file_of(request(content_type=None)), "1 without a content_type (0)"),
        (file_of(request(content_type="")), "1 without a content_type (0)"),
        (file_of(request(content_type="a/b\r\nX-Evil: 1")), "1 without a content_type (0)"),
        (file_of(request(content_type="x" * 1025)), "1 without a content_type (0)"),
        (file_of(request(body=None)), "1 without a body in base64 (0)"),
        (file_of(request(body="4,2")), "1 without a body in base64 (0)"),
        (file_of(request(body="é")), "1 without a body in base64 (0)"),
    ],
)
def test_a_line_that_is_no_request_is_ignored_alone(line, why):
    rows, note = kept(line.rstrip(b"\n") + b"\n" + file_of(request("1")))
    assert [row.identifier for row in rows] == ["1"]
    assert note == f"{IGNORED} {why}"


def test_ignored_rows_are_counted_and_the_first_named():
    _, note = kept(file_of(*(request(f"x{number}") for number in range(5)), 7, request()))
    assert note == (f"{IGNORED} 5 unknown to the holdout (x0, x1, x2 and more), 1 not a JSON object (line 6)")


def test_only_the_first_rows_are_kept():
    rows, note = kept(file_of(*([request()] * (MOST_ROWS + 7))))
    assert (len(rows), note) == (
        MOST_ROWS,
        f"{IGNORED} 7 beyond the first 200",
    )


@given(st.binary() | st.lists(st.from_type(bytes)).map(b"\n".join))
def test_nothing_that_a_program_writes_breaks_the_gate(data):
    rows, note = kept(data)
    assert rows == []
    assert note


@given(st.lists(st.tuples(st.sampled_from(["0", "1", "2"]), st.binary(max_size=50)), max_size=20))
def test_every_request_arrives_as_it_was_written(requests):
    data = file_of(*(request(row, body=base64.b64encode(body).decode()) for row, body in requests))
    rows, _ = kept(data)
    assert [(row.identifier, row.body) for row in rows] == requests
    assert all(row.expected == CLASSES.predicted[int(row.identifier)] for row in rows)


@given(st.integers(0, 300), st.integers(1, 200))
def test_chosen_rows_are_different_ones_spread_over_all(there, wanted):
    chosen = verification_rows.spread(range(there), wanted)
    assert len(chosen) == min(there, wanted)
    assert chosen == sorted(set(chosen))
    gaps = {second - first for first, second in itertools.pairwise(chosen)}
    assert not gaps or max(gaps) - min(gaps) <= 1


@pytest.mark.parametrize(
    "document", [b"{", b"7", b"[]", b'{"id": "0"}', b'{"id": "0", "body": "!"}', b"\xff"]
)
def test_what_somebody_else_wrote_is_not_taken_for_rows(document):
    with pytest.raises(ValueError, match=r".+"):
        verification_rows.read(document)
