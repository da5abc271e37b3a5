"""Carries out Task states with AWS's services, or with what stands for them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from retrain.states.errors import RUNTIME, TASK_FAILED, StatesError
from retrain.states.execution.protocols import SHUTDOWN, TaskCall
from retrain.states.model import Json
from retrain.states.tasks import failures, functions
from retrain.states.tasks.activities import Activities
from retrain.states.tasks.calls import Answer, Caller
from retrain.states.tasks.jobs import JOBS, Job
from retrain.states.tasks.naming import operation_of
from retrain.states.tasks.optimised import INTEGRATIONS
from retrain.states.tasks.resources import parse
from retrain.states.tasks.shapes import epoch_milliseconds, to_result
from retrain.states.tasks.targets import Target, converted, json_text, metadata_of, request_of, target_of

Watch = Callable[[str, Any], Awaitable[None]]
"""``async (operation, job)``: returns when a job may have ended; the operation describes it."""

_REFUSED = (ClientError, BotoCoreError, OSError)
_FIRST_LOOK = 0.25
_LONGEST_PAUSE = 5.0
_SUBMISSION_SECONDS = 3.0
_MANAGED_TAG = {"Key": "MANAGED_BY_AWS", "Value": "STARTED_BY_STEP_FUNCTIONS"}


class ServiceTasks:
    """Runs tasks by calling services; a `TaskRunner`.

    Parameters
    ----------
    caller
        Calls them.
    activities
        Where tasks of activities wait; None where there are no activities.
    watches
        By boto3's name of a service: waits for its jobs without asking again and again.
    assume_roles
        Call services with the credentials of the state machine's role; otherwise with the caller's own, but
        where a state has Credentials.
    """

    def __init__(
        self,
        caller: Caller,
        *,
        activities: Activities | None = None,
        watches: Mapping[str, Watch] | None = None,
        assume_roles: bool = False,
    ) -> None:
        self._caller = caller
        self._activities = activities
        self._watches = dict(watches or {})
        self._assume_roles = assume_roles
        self._targets: dict[str, Target] = {}
        self._background: set[asyncio.Task[Any]] = set()

    async def run(self, call: TaskCall) -> Json:
        """Run one attempt of a task; see `TaskRunner.run`."""
        resource = parse(call.resource)
        if resource.kind == "function":
            return await self._function(call)
        if resource.kind == "activity":
            if self._activities is None:
                raise failures.not_implemented(call.resource, "There are no activities.")
            return await self._activities.perform(call)
        target = self._targets.get(call.resource)
        if target is None:
            # Reading a model takes up to a second.
            target = await self._caller.blocking(target_of, resource)
            self._targets[call.resource] = target
        if resource.pattern == "waitForTaskToken":
            return await self._with_token(call, target)
        if resource.pattern:
            return await self._job(call, target)
        return await self._request_response(call, target)

    def _role(self, call: TaskCall) -> str | None:
        own = call.execution.role_arn if self._assume_roles else None
        return call.credentials or own

    # -- functions -----------------------------------------------------------------------------

    async def _function(self, call: TaskCall) -> Json:
        integration = INTEGRATIONS["lambda"]
        call.history.started()
        try:
            answer = await self._caller.call(
                "lambda", "Invoke", functions.request_of(call.resource, call.arguments), role=self._role(call)
            )
        except _REFUSED as error:
            raise failures.of_optimised(error, integration, call.resource) from error
        return functions.payload_of(answer)

    # -- request and response ------------------------------------------------------------------

    async def _request_response(self, call: TaskCall, target: Target) -> Json:
        request = request_of(call, target)
        call.history.started()
        answer = await self._send(call, target, request)
        return await self._result(target, answer)

    async def _send(self, call: TaskCall, target: Target, request: dict[str, Any]) -> Answer:
        try:
            return await self._caller.call(
                target.service, target.operation.name, request, role=self._role(call)
            )
        except _REFUSED as error:
            raise target.failure(error) from error

    async def _result(self, target: Target, answer: Answer) -> Json:
        if target.integration is None:
            return converted(answer, target)
        if target.service == "lambda":
            payload = functions.payload_of(answer)
            kept = {name: answer[name] for name in ("ExecutedVersion", "LogResult") if answer.get(name)}
            return {**kept, "Payload": payload, **metadata_of(answer), "StatusCode": answer["StatusCode"]}
        if target.service == "events" and answer.get("FailedEntryCount"):
            raise StatesError("EventBridge.FailedEntry", json_text(converted(answer, target)))
        return {**converted(answer, target), **metadata_of(answer)}

    # -- task tokens ---------------------------------------------------------------------------

    async def _with_token(self, call: TaskCall, target: Target) -> Json:
        token = call.token
        if token is None:
            raise StatesError(RUNTIME, f"The task {call.state_name} has no token.")
        if isinstance(call.saved, dict) and call.saved.get("submitted"):
            return await token.wait()
        submitting = asyncio.ensure_future(self._submit_with_token(call, target))
        answering = asyncio.ensure_future(token.wait())
        try:
            # Whoever has the token may use it before the call has come back.
            await asyncio.wait({submitting, answering}, return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                submitting.result()  # its failure is the task's
            return await answering
        finally:
            for waiting in (submitting, answering):
                waiting.cancel()
            await asyncio.gather(submitting, answering, return_exceptions=True)

    async def _submit_with_token(self, call: TaskCall, target: Target) -> None:
        request = request_of(call, target)
        call.history.started()
        answer = await self._send(call, target, request)
        call.history.submitted(await self._result(target, answer))
        call.save({"submitted": True})

    # -- jobs ----------------------------------------------------------------------------------

    async def _job(self, call: TaskCall, target: Target) -> Json:
        job = JOBS[target.resource.service, target.resource.action]
        if isinstance(call.saved, dict) and "job" in call.saved:
            identity = call.saved["job"]
        else:
            identity = await self._submit(call, target, job)
        try:
            return await self._ended(call, target, job, identity)
        except asyncio.CancelledError as error:
            if SHUTDOWN not in error.args:
                self._later(self._stop(call, target, job, identity))
            raise

    async def _submit(self, call: TaskCall, target: Target, job: Job) -> Any:
        request = request_of(call, target)
        if target.service == "sagemaker":
            request["Tags"] = [*request.get("Tags", ()), _MANAGED_TAG]
        call.history.started()
        submission = asyncio.ensure_future(self._send(call, target, request))
        try:
            answer = await asyncio.shield(submission)
        except asyncio.CancelledError as error:
            # The call is under way and cannot be taken back: the job must be stopped, or remembered.
            if SHUTDOWN in error.args:
                await asyncio.wait({submission}, timeout=_SUBMISSION_SECONDS)
                if submission.done() and submission.exception() is None:
                    call.save({"job": job.identify(request, submission.result())})
            else:
                self._later(self._stop_when_submitted(call, target, job, request, submission))
            raise
        except StatesError as failure:
            call.history.submit_failed(failure.error, failure.cause)
            raise
        if target.service == "ecs" and answer.get("failures"):
            raise StatesError("ECS.AmazonECSException", json_text(converted(answer, target)))
        identity = job.identify(request, answer)
        call.save({"job": identity})
        call.history.submitted({**converted(answer, target), **metadata_of(answer)})
        return identity

    async def _ended(self, call: TaskCall, target: Target, job: Job, identity: Any) -> Json:
        """Wait for a job's end and return what it is then."""
        describe = operation_of(target.service, job.describe)
        assert describe is not None  # noqa: S101  (a test goes through all of them)
        watch = self._watches.get(target.service)
        pause = _FIRST_LOOK
        while True:
            if watch is not None:
                await watch(job.describe, identity)
            found = job.found(await self._describe(call, target, job, identity))
            if job.status(found) in job.ended:
                break
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        shape: Any = describe.output_shape
        for step in job.at:
            shape = shape.member if step == "[]" else shape.members[step]
        result: Any = to_result(found, shape, target.spelling, epoch_milliseconds)
        if target.service == "sagemaker":
            result["Tags"] = await self._tags(call, target, found)
        if target.resource.pattern == "sync:2":
            result |= {name: json.loads(result[name]) for name in ("Input", "Output") if name in result}
        if not job.is_success(found):
            raise StatesError(TASK_FAILED, json_text(result))
        return {job.wrap: result} if job.wrap else result

    async def _describe(self, call: TaskCall, target: Target, job: Job, identity: Any) -> Answer:
        try:
            return await self._caller.call(
                target.service, job.describe, job.describe_request(identity), role=self._role(call)
            )
        except _REFUSED as error:
            raise target.failure(error) from error

    async def _tags(self, call: TaskCall, target: Target, found: Mapping[str, Any]) -> dict[str, Json]:
        arn = next(value for name, value in found.items() if name.endswith("JobArn"))
        answer = await self._caller.call(
            target.service, "ListTags", {"ResourceArn": arn}, role=self._role(call)
        )
        return {tag["Key"]: tag["Value"] for tag in answer.get("Tags", ())}

    async def _stop(self, call: TaskCall, target: Target, job: Job, identity: Any) -> None:
        try:
            await self._caller.call(
                target.service, job.stop, job.stop_request(identity), role=self._role(call)
            )
        except _REFUSED:
            return  # it had ended by itself

    async def _stop_when_submitted(
        self,
        call: TaskCall,
        target: Target,
        job: Job,
        request: dict[str, Any],
        submission: asyncio.Future[Answer],
    ) -> None:
        try:
            answer = await submission
        except StatesError:
            return  # refused: there is no job
        await self._stop(call, target, job, job.identify(request, answer))

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that the cancelled task cannot wait for."""
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    async def settled(self) -> None:
        """Wait until all jobs that were to be stopped have been told."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)
