"""The calls of boto3 are read off code in the manner of the functions'; what hides them is refused."""

from __future__ import annotations

import textwrap

import pytest

from retrain.workflow.iam.names import actions_of
from tests.audit import program, reach, sdk_calls
from tests.audit.program import ProgramError

CLIENTS = """
    from typing import Any
    import boto3
    def client(service: str) -> Any:
        return boto3.client(service)
"""


def write(folder, **modules: str):
    for name, text in {"clients": CLIENTS, **modules}.items():
        path = folder / "adapters" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text))
    (folder / "adapters" / "__init__.py").touch()
    return folder


def actions(folder, start: str) -> set[str]:
    calls = sdk_calls.calls(folder)
    found = reach.reached(program.load(folder), start)
    return {
        action
        for owner in found
        for call in calls.get(owner, ())
        for action in actions_of(call.service, call.operation)
    }


STORE = """
    from typing import Any, Protocol
    from adapters.clients import client
    class Store(Protocol):
        def read(self, key: str) -> Any: ...
        def drop(self, key: str) -> None: ...
    class Bucket:
        def read(self, key: str) -> Any:
            return client("s3").get_object(Bucket="b", Key=key)
        def drop(self, key: str) -> None:
            client("s3").delete_object(Bucket="b", Key=key)
    class Table:
        def read(self, key: str) -> Any:
            return client("dynamodb").get_item(TableName="t", Key={"pk": {"S": key}})
        def drop(self, key: str) -> None:
            client("dynamodb").delete_item(TableName="t", Key={"pk": {"S": key}})
"""


BODIES = [
    ("read(Bucket())", {"s3:GetObject"}),
    ("read(Table())", {"dynamodb:GetItem"}),
    ("Bucket().drop('k')", {"s3:DeleteObject"}),
    ("partial(read, Table())()", {"dynamodb:GetItem"}),
    ("WAYS['read'](Table())", {"dynamodb:GetItem"}),
    ("[store.drop('k') for store in (Bucket(), Table())]", {"s3:DeleteObject", "dynamodb:DeleteItem"}),
    ("{'read': 1}.get('read')", set()),
    ("Bucket()", set()),
]


@pytest.fixture(scope="module")
def handlers(tmp_path_factory):
    text = """
from functools import partial
from typing import Any
from adapters.store import Bucket, Store, Table

def read(store: Store) -> Any:
    return store.read("k")

WAYS = {"read": read}
"""
    for number, (body, _) in enumerate(BODIES):
        text += f"\ndef handler_{number}() -> None:\n    {body}\n"
    return write(tmp_path_factory.mktemp("functions"), store=STORE, app=text)


@pytest.mark.parametrize("number", range(len(BODIES)), ids=[body for body, _ in BODIES])
def test_a_handler_needs_what_it_may_come_to_and_nothing_else(handlers, number):
    assert actions(handlers, f"adapters.app.handler_{number}") == BODIES[number][1]


def test_operations_that_are_given_by_name_count_where_the_name_is(tmp_path):
    folder = write(
        tmp_path,
        endpoints="""
    from typing import Any
    from adapters.clients import client
    def endpoint() -> Any:
        return _describe("endpoint", EndpointName="e")
    def model() -> Any:
        return _describe(what="model", ModelName="m")
    def listing() -> Any:
        return client("sagemaker").get_paginator("list_models").paginate()
    def link() -> Any:
        return client("s3").generate_presigned_url("get_object")
    def _describe(what: str, **parameters: str) -> Any:
        return getattr(client("sagemaker"), f"describe_{what}")(**parameters)
""",
    )
    found = sdk_calls.calls(folder)
    names = {owner.rpartition(".")[2]: {call.operation for call in calls} for owner, calls in found.items()}
    assert names == {
        "endpoint": {"DescribeEndpoint"},
        "model": {"DescribeModel"},
        "listing": {"ListModels"},
        "link": {"GetObject"},
        "_describe": set(),
    }


def test_what_is_done_with_the_credentials_of_another_needs_nothing_of_the_role(tmp_path):
    folder = write(
        tmp_path,
        jobs="""
    import boto3
    def fetch(key: str) -> object:
        return boto3.Session(aws_access_key_id=key).client("s3").get_object(Bucket="b", Key="k")
""",
    )
    assert sdk_calls.calls(folder) == {"adapters.jobs.fetch": set()}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("client(service).get_object()", "name the client's service here"),
        ("getattr(client('s3'), service)()", "which operation is meant"),
        ("getattr(client('s3'), service.lower())()", "which operation is meant"),
        ("client('s3').get_paginator('list_models')", "none of .* has an operation list_models"),
        ("client('s3').upload_file('a', 'b', 'c')", "nothing is known of what upload_file calls"),
        ("client('s3').get_object(); boto3.Session().client('s3')", "use two modules"),
    ],
)
def test_what_hides_the_operation_is_refused(tmp_path, line, said):
    text = f"""
    import boto3
    from adapters.clients import client
    NAMES = ["get_object"]
    def public() -> None:
        for service in NAMES:
            {line}
    """
    with pytest.raises(ProgramError, match=said):
        sdk_calls.calls(write(tmp_path, hidden=text))


def test_code_that_mypy_does_not_understand_is_refused(tmp_path):
    with pytest.raises(ProgramError, match='Name "nothing" is not defined'):
        program.load(write(tmp_path, broken="def handler() -> None:\n    nothing()\n"))
