"""Activities, task tokens, and the runs of distributed Map states."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable
from typing import Any

from retrain.states.execution import MapRun, TaskTokenError, TaskTokens, json_text
from retrain.states.service import arns
from retrain.states.service.arns import Place
from retrain.states.service.entries import Entries
from retrain.states.service.errors import ServiceError, validation_error
from retrain.states.service.pages import page
from retrain.states.service.records import OWNED_KEY, Activity
from retrain.states.service.requests import checked_name
from retrain.states.service.store import Store
from retrain.states.service.tags import Tags
from retrain.states.tasks.activities import Activities as Queues

Request = dict[str, Any]


class Activities:
    """The operations on activities.

    Parameters
    ----------
    store
        Where they are kept.
    place
        For their ARNs.
    tags
        Where their tags are.
    now
        The time, in seconds since the epoch.
    """

    def __init__(self, store: Store, place: Place, tags: Tags, now: Callable[[], float]) -> None:
        self._place = place
        self._tags = tags
        self._now = now
        self._table = store.table("activity")
        self.queues = Queues(self.exists)

    def exists(self, arn: str) -> bool:
        """Whether there is an activity of an ARN."""
        return self._table.get(arn) is not None

    def create(self, request: Request) -> Request:
        """Answer CreateActivity; again with the same name, the same activity."""
        arn = self._place.activity(checked_name(request["name"]))
        encryption = request.get("encryptionConfiguration") or dict(OWNED_KEY)
        found = self._table.get(arn)
        if found is not None:
            activity = Activity.restore(found)
            if activity.encryption != encryption:
                raise ServiceError("ActivityAlreadyExists", f"Activity Already Exists: '{arn}'")
        else:
            self._tags.check(request.get("tags") or [], arn)
            activity = Activity(arn, request["name"], self._now(), encryption)
            self._table.put(arn, activity.document())
            self._tags.put(arn, request.get("tags") or [])
        return {"activityArn": arn, "creationDate": activity.created}

    def delete(self, request: Request) -> Request:
        """Answer DeleteActivity."""
        arn = arns.check_activity(request["activityArn"])
        self._table.delete(arn)
        self._tags.drop(arn)
        return {}

    def describe(self, request: Request) -> Request:
        """Answer DescribeActivity."""
        activity = self._get(request["activityArn"])
        return {
            "activityArn": activity.arn,
            "name": activity.name,
            "creationDate": activity.created,
            "encryptionConfiguration": activity.encryption,
        }

    def list_all(self, request: Request) -> Request:
        """Answer ListActivities, the newest first."""
        found = [Activity.restore(each) for _, each in self._table.items()]
        found.sort(key=lambda each: (each.created, each.arn), reverse=True)
        part, more = page(found, request, "activities", lambda each: (each.created, each.arn))
        listed = [{"activityArn": each.arn, "name": each.name, "creationDate": each.created} for each in part]
        return {"activities": listed, **more}

    async def take(self, request: Request) -> Request:
        """Answer GetActivityTask: the next task, or nothing after a minute."""
        activity = self._get(request["activityArn"])
        given = await self.queues.take(activity.arn, request.get("workerName"))
        return {} if given is None else {"taskToken": given[0], "input": json_text(given[1])}

    def _get(self, arn: str) -> Activity:
        found = self._table.get(arns.check_activity(arn))
        if found is None:
            raise ServiceError("ActivityDoesNotExist", f"Activity Does Not Exist: '{arn}'")
        return Activity.restore(found)


class Callbacks:
    """SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat."""

    def __init__(self, tokens: TaskTokens) -> None:
        self._tokens = tokens

    def succeed(self, request: Request) -> Request:
        """Answer SendTaskSuccess."""
        token = _checked_token(request["taskToken"])
        try:
            output = json.loads(request["output"])
        except ValueError as error:
            raise ServiceError("InvalidOutput", f"Invalid Output: '{error}'") from error
        return self._answered(lambda: self._tokens.succeed(token, output))

    def fail(self, request: Request) -> Request:
        """Answer SendTaskFailure."""
        token = _checked_token(request["taskToken"])
        error, cause = request.get("error") or "", request.get("cause") or ""
        return self._answered(lambda: self._tokens.fail(token, error, cause))

    def beat(self, request: Request) -> Request:
        """Answer SendTaskHeartbeat."""
        token = _checked_token(request["taskToken"])
        return self._answered(lambda: self._tokens.heartbeat(token))

    def _answered(self, act: Callable[[], None]) -> Request:
        try:
            act()
        except TaskTokenError as error:
            raise ServiceError(error.code, str(error)) from error
        return {}


def _checked_token(token: str) -> str:
    try:
        if len(base64.b64decode(token, validate=True)) > 16:
            return token
    except (binascii.Error, ValueError):
        pass
    raise ServiceError("InvalidToken", "Invalid Token: 'Invalid token'")


class MapRuns:
    """The operations on runs of distributed Map states."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def list_all(self, request: Request) -> Request:
        """Answer ListMapRuns, the newest first."""
        arn = arns.check_execution(request["executionArn"])
        execution, _ = self._entries.execution(arn)
        found = sorted(execution.map_runs.values(), key=lambda run: (run.started, run.arn), reverse=True)
        part, more = page(found, request, f"map runs {arn}", lambda run: (run.started, run.arn))
        listed = [
            {
                "executionArn": run.execution_arn,
                "mapRunArn": run.arn,
                "stateMachineArn": run.state_machine_arn,
                "startDate": run.started,
                **_if_given(stopDate=run.stopped),
            }
            for run in part
        ]
        return {"mapRuns": listed, **more}

    def describe(self, request: Request) -> Request:
        """Answer DescribeMapRun."""
        run = self._get(request)
        return {
            "mapRunArn": run.arn,
            "executionArn": run.execution_arn,
            "status": run.status,
            "startDate": run.started,
            "maxConcurrency": run.max_concurrency,
            "toleratedFailurePercentage": run.tolerated_failure_percentage,
            "toleratedFailureCount": run.tolerated_failure_count,
            "itemCounts": dict(run.item_counts),
            "executionCounts": dict(run.execution_counts),
            "redriveCount": run.redrive_count,
            **_if_given(stopDate=run.stopped, redriveDate=run.redriven),
        }

    def update(self, request: Request) -> Request:
        """Answer UpdateMapRun; it holds for the iterations that have not begun."""
        run = self._get(request)
        if run.status != "RUNNING":
            raise validation_error(f"Map Run is {run.status} and cannot be changed: '{run.arn}'")
        if request.get("maxConcurrency") is not None:
            run.max_concurrency = request["maxConcurrency"]
        if request.get("toleratedFailureCount") is not None:
            run.tolerated_failure_count = request["toleratedFailureCount"]
        if request.get("toleratedFailurePercentage") is not None:
            run.tolerated_failure_percentage = request["toleratedFailurePercentage"]
        return {}

    def _get(self, request: Request) -> MapRun:
        return self._entries.map_run(arns.check_map_run(request["mapRunArn"]))[0]


def _if_given(**values: Any) -> Request:
    return {name: value for name, value in values.items() if value is not None}
