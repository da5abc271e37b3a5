"""State machines, versions, aliases and tags through the API."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrain.states.service import ServiceError
from tests.unit.states.service.cloud import FAIL, PASS, ROLE, WAIT, Cloud, drive

LOG_GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:g:*"
LOGGING = {"level": "ALL", "destinations": [{"cloudWatchLogsLogGroup": {"logGroupArn": LOG_GROUP}}]}
ARN = "arn:aws:states:us-east-1:123456789012:stateMachine:m"
VALID = {"name": "m", "definition": json.dumps(PASS), "roleArn": ROLE}


def refusal(operation: str, **request: Any) -> tuple[str, str]:
    """What a service with a machine `m` answers to a bad request."""

    async def scenario(cloud: Cloud) -> tuple[str, str]:
        await cloud.machine()
        with pytest.raises(ServiceError) as raised:
            await cloud.call(operation, **request)
        return raised.value.code, raised.value.message

    return drive(scenario)


class TestCreating:
    @pytest.mark.parametrize(
        ("changes", "code", "words"),
        [
            ({"name": "a b"}, "InvalidName", "Invalid Name: 'a b'"),
            ({"name": "x" * 81}, "InvalidName", ""),
            ({"name": None}, "ValidationException", "Value null at 'name'"),
            ({"roleArn": "role"}, "InvalidArn", "Invalid Role Arn: 'role'"),
            ({"definition": "{"}, "InvalidDefinition", "INVALID_JSON_DESCRIPTION"),
            ({"definition": "StartAt: A"}, "InvalidDefinition", "INVALID_JSON_DESCRIPTION"),
            ({"definition": '{"StartAt": "B", "States": {}}'}, "InvalidDefinition", "/States"),
            ({"type": "SLOW"}, "ValidationException", "enum value set: [STANDARD, EXPRESS]"),
            ({"publish": "yes"}, "SerializationException", "'publish' must be a BOOLEAN"),
            ({"nme": "m"}, "SerializationException", "'nme' is not supported"),
            ({"loggingConfiguration": {"level": "ALL"}}, "InvalidLoggingConfiguration", "exactly one"),
            (
                {"loggingConfiguration": {"level": "ALL", "destinations": [{}]}},
                "InvalidLoggingConfiguration",
                "log group's ARN",
            ),
            (
                {"encryptionConfiguration": {"type": "CUSTOMER_MANAGED_KMS_KEY"}},
                "InvalidEncryptionConfiguration",
                "kmsKeyId",
            ),
            ({"versionDescription": "d"}, "ValidationException", "publish is true"),
            ({"tags": [{"key": str(n), "value": ""} for n in range(51)]}, "TooManyTags", "50"),
        ],
    )
    def test_bad_requests(self, changes: dict[str, Any], code: str, words: str) -> None:
        found, message = refusal("CreateStateMachine", **{**VALID, "name": "other", **changes})
        assert found == code
        assert words in message

    @pytest.mark.parametrize(
        "changes",
        [
            {"definition": json.dumps(WAIT)},
            {"type": "EXPRESS"},
            {"loggingConfiguration": LOGGING},
            {"tracingConfiguration": {"enabled": True}},
            {"publish": True},
        ],
    )
    def test_the_same_name_for_another_machine_is_refused(self, changes: dict[str, Any]) -> None:
        code, message = refusal("CreateStateMachine", **{**VALID, **changes})
        assert (code, message) == ("StateMachineAlreadyExists", f"State Machine Already Exists: '{ARN}'")

    def test_the_same_request_gives_the_same_machine(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            first = await cloud.call("CreateStateMachine", **VALID)
            # The role and the tags are not looked at.
            again = {**VALID, "roleArn": f"{ROLE}2", "tags": [{"key": "a", "value": "b"}]}
            assert await cloud.call("CreateStateMachine", **again) == first
            described = await cloud.call("DescribeStateMachine", stateMachineArn=ARN)
            assert described["roleArn"] == ROLE

        drive(scenario)

    def test_the_description_has_what_was_given(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(loggingConfiguration=LOGGING, type="EXPRESS")
            described = await cloud.call("DescribeStateMachine", stateMachineArn=ARN)
            assert described.pop("revisionId")
            assert described == {
                "stateMachineArn": ARN,
                "name": "m",
                "status": "ACTIVE",
                "type": "EXPRESS",
                "creationDate": 0.0,
                "definition": json.dumps(PASS),
                "roleArn": ROLE,
                "loggingConfiguration": {**LOGGING, "includeExecutionData": False},
                "tracingConfiguration": {"enabled": False},
                "encryptionConfiguration": {"type": "AWS_OWNED_KEY"},
            }
            short = await cloud.call(
                "DescribeStateMachine", stateMachineArn=ARN, includedData="METADATA_ONLY"
            )
            assert short["definition"] == ""

        drive(scenario)


class TestChanging:
    def test_nothing_to_change_is_refused(self) -> None:
        assert refusal("UpdateStateMachine", stateMachineArn=ARN)[0] == "MissingRequiredParameter"

    def test_a_bad_definition_changes_nothing(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine()
            before = await cloud.call("DescribeStateMachine", stateMachineArn=ARN)
            with pytest.raises(ServiceError, match="INVALID_JSON_DESCRIPTION"):
                await cloud.call(
                    "UpdateStateMachine", stateMachineArn=ARN, definition="{", roleArn=f"{ROLE}2"
                )
            assert await cloud.call("DescribeStateMachine", stateMachineArn=ARN) == before

        drive(scenario)

    def test_what_runs_keeps_its_definition(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = await cloud.start(await cloud.machine(WAIT))
            await cloud.call("UpdateStateMachine", stateMachineArn=ARN, definition=json.dumps(FAIL))
            assert (await cloud.end(arn))["status"] == "SUCCEEDED"
            assert (await cloud.end(await cloud.start(ARN)))["status"] == "FAILED"
            found = await cloud.call("DescribeStateMachineForExecution", executionArn=arn)
            assert json.loads(found["definition"]) == WAIT

        drive(scenario)

    def test_deletion_ends_its_executions_and_is_repeatable(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            arn = await cloud.start(await cloud.machine(WAIT), name="one")
            entry = cloud.service.entries.find(arn)
            assert entry is not None
            for _ in range(2):
                assert await cloud.call("DeleteStateMachine", stateMachineArn=ARN) == {}
            await entry.ended.wait()
            assert entry.execution is not None
            assert entry.execution.status == "ABORTED"
            for operation, request, code in (
                ("DescribeStateMachine", {"stateMachineArn": ARN}, "StateMachineDoesNotExist"),
                ("DescribeExecution", {"executionArn": arn}, "ExecutionDoesNotExist"),
                ("StartExecution", {"stateMachineArn": ARN}, "StateMachineDoesNotExist"),
            ):
                with pytest.raises(ServiceError) as raised:
                    await cloud.call(operation, **request)
                assert raised.value.code == code
            await cloud.machine(WAIT)
            assert await cloud.start(ARN, name="one") == arn

        drive(scenario)


class TestVersionsAndAliases:
    def test_a_version_is_made_once_per_revision_and_never_changes(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine()
            first = await cloud.call("PublishStateMachineVersion", stateMachineArn=ARN, description="one")
            assert first["stateMachineVersionArn"] == f"{ARN}:1"
            assert await cloud.call("PublishStateMachineVersion", stateMachineArn=ARN) == first
            updated = await cloud.call(
                "UpdateStateMachine",
                stateMachineArn=ARN,
                definition=json.dumps(FAIL),
                publish=True,
                versionDescription="two",
            )
            assert updated["stateMachineVersionArn"] == f"{ARN}:2"
            described = await cloud.call("DescribeStateMachine", stateMachineArn=f"{ARN}:1")
            assert (json.loads(described["definition"]), described["description"]) == (PASS, "one")
            assert (await cloud.end(await cloud.start(f"{ARN}:1")))["stateMachineVersionArn"] == f"{ARN}:1"
            await cloud.call("DeleteStateMachineVersion", stateMachineVersionArn=f"{ARN}:2")
            await cloud.call("UpdateStateMachine", stateMachineArn=ARN, definition=json.dumps(WAIT))
            third = await cloud.call("PublishStateMachineVersion", stateMachineArn=ARN)
            assert third["stateMachineVersionArn"] == f"{ARN}:3"  # numbers are not used again
            listed = await cloud.call("ListStateMachineVersions", stateMachineArn=ARN)
            assert [each["stateMachineVersionArn"][-1] for each in listed["stateMachineVersions"]] == [
                "3",
                "1",
            ]

        drive(scenario)

    def test_a_stale_revision_is_not_published(self) -> None:
        code, message = refusal("PublishStateMachineVersion", stateMachineArn=ARN, revisionId="old")
        assert code == "ConflictException"
        assert "The current State Machine revision is" in message

    def test_an_alias_spreads_executions_by_weight(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(publish=True)
            await cloud.call(
                "UpdateStateMachine", stateMachineArn=ARN, definition=json.dumps(FAIL), publish=True
            )
            routing = [
                {"stateMachineVersionArn": f"{ARN}:1", "weight": 80},
                {"stateMachineVersionArn": f"{ARN}:2", "weight": 20},
            ]
            request = {"name": "live", "routingConfiguration": routing}
            created = await cloud.call("CreateStateMachineAlias", **request)
            assert await cloud.call("CreateStateMachineAlias", **request) == created
            alias = created["stateMachineAliasArn"]
            started = [await cloud.end(await cloud.start(alias)) for _ in range(200)]
            assert {each["stateMachineAliasArn"] for each in started} == {alias}
            counts = Counter(each["stateMachineVersionArn"] for each in started)
            assert 130 < counts[f"{ARN}:1"] < 190
            listed = await cloud.call("ListExecutions", stateMachineArn=alias, maxResults=1000)
            assert len(listed["executions"]) == 200
            with pytest.raises(ServiceError, match=r"must not be referenced.*\[live\]"):
                await cloud.call("DeleteStateMachineVersion", stateMachineVersionArn=f"{ARN}:2")
            only = [{"stateMachineVersionArn": f"{ARN}:2", "weight": 100}]
            await cloud.call("UpdateStateMachineAlias", stateMachineAliasArn=alias, routingConfiguration=only)
            assert (await cloud.end(await cloud.start(alias)))["status"] == "FAILED"
            await cloud.call("DeleteStateMachineAlias", stateMachineAliasArn=alias)
            with pytest.raises(ServiceError, match="State Machine Does Not Exist"):
                await cloud.start(alias)

        drive(scenario)

    @pytest.mark.parametrize(
        ("routing", "code", "words"),
        [
            ([(f"{ARN}:1", 99)], "ValidationException", "must equal 100"),
            ([(f"{ARN}:1", 50), (f"{ARN}:1", 50)], "ValidationException", "distinct"),
            ([(f"{ARN}:7", 100)], "ResourceNotFound", f"{ARN}:7"),
            ([(ARN, 100)], "ValidationException", "must lead to versions"),
            ([(f"{ARN}:1", 101)], "ValidationException", "less than or equal to 100"),
            ([], "ValidationException", "length greater than or equal to 1"),
        ],
    )
    def test_bad_routes(self, routing: list[tuple[str, int]], code: str, words: str) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(publish=True)
            given = [{"stateMachineVersionArn": arn, "weight": weight} for arn, weight in routing]
            with pytest.raises(ServiceError) as raised:
                await cloud.call("CreateStateMachineAlias", name="a", routingConfiguration=given)
            assert raised.value.code == code
            assert words in raised.value.message

        drive(scenario)


class TestTags:
    def test_they_can_be_added_and_taken_away(self) -> None:
        async def scenario(cloud: Cloud) -> None:
            await cloud.machine(tags=[{"key": "a", "value": "1"}])
            await cloud.call(
                "TagResource", resourceArn=ARN, tags=[{"key": "a", "value": "2"}, {"key": "b", "value": "3"}]
            )
            await cloud.call("UntagResource", resourceArn=ARN, tagKeys=["b", "c"])
            listed = await cloud.call("ListTagsForResource", resourceArn=ARN)
            assert listed == {"tags": [{"key": "a", "value": "2"}]}

        drive(scenario)

    @pytest.mark.parametrize(
        ("arn", "code"),
        [
            (f"{ARN}-none", "ResourceNotFound"),
            ("arn:aws:sqs:us-east-1:123456789012:q", "InvalidArn"),
            (ARN.replace("stateMachine", "execution"), "InvalidArn"),
        ],
    )
    def test_of_what_is_not_there(self, arn: str, code: str) -> None:
        assert refusal("ListTagsForResource", resourceArn=arn)[0] == code


def test_validation_says_what_creation_would_and_warns_if_asked() -> None:
    async def scenario(cloud: Cloud) -> None:
        good = await cloud.call("ValidateStateMachineDefinition", definition=json.dumps(PASS))
        assert good == {"result": "OK", "diagnostics": [], "truncated": False}
        bad = {"StartAt": "A", "States": {name: {"Type": "Pass", "Next": "None"} for name in "ABC"}}
        answer = await cloud.call("ValidateStateMachineDefinition", definition=json.dumps(bad), maxResults=2)
        assert (answer["result"], len(answer["diagnostics"]), answer["truncated"]) == ("FAIL", 2, True)
        assert answer["diagnostics"][0]["code"] == "MISSING_TRANSITION_TARGET"

    drive(scenario)


def test_lists_come_in_pages_that_nothing_new_disturbs() -> None:
    async def scenario(cloud: Cloud) -> None:
        for number in range(5):
            await cloud.machine(name=f"m{number}")
        page = await cloud.call("ListStateMachines", maxResults=2)
        seen = page["stateMachines"]
        await cloud.machine(name="zz-new")
        while "nextToken" in page:
            page = await cloud.call("ListStateMachines", maxResults=2, nextToken=page["nextToken"])
            seen += page["stateMachines"]
        assert sorted(each["name"] for each in seen) == [f"m{number}" for number in range(5)]
        for token in ("nonsense", "WyJvdGhlciIsIDFd"):
            with pytest.raises(ServiceError) as raised:
                await cloud.call("ListStateMachines", nextToken=token)
            assert raised.value.code == "InvalidToken"

    drive(scenario)


@given(
    st.dictionaries(
        st.sampled_from(
            ["name", "definition", "roleArn", "type", "publish", "tags", "loggingConfiguration", "x"]
        ),
        st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2),
    )
)
def test_no_request_breaks_the_service(request_fields: dict[str, Any]) -> None:
    from retrain.states.service.requests import check

    try:
        check("CreateStateMachine", request_fields)
    except ServiceError as error:
        assert error.code in {"ValidationException", "SerializationException"}  # noqa: PT017
    else:
        assert isinstance(request_fields["name"], str)
