"""Task states: work done by a function, an activity, or any service."""

from __future__ import annotations

from typing import Any, ClassVar

from retrain.states import model
from retrain.states.model.values import JSONATA, JSONPATH, QueryLanguage
from retrain.workflow.errors import AuthoringError, MissingRequiredParameterError, PatternError
from retrain.workflow.services import ServiceAction, check, find, parse
from retrain.workflow.services.actions import REQUEST_RESPONSE
from retrain.workflow.steps.integration_resources import IntegrationPattern, partition, pattern_of
from retrain.workflow.steps.state import State

_EITHER = (
    ("timeout_seconds", "timeout_seconds_path"),
    ("heartbeat_seconds", "heartbeat_seconds_path"),
    ("parameters", "arguments"),
)


class Task(State):
    """Has work done.

    Parameters
    ----------
    state_id : str
        The state's name.
    resource : str
        What does it: the ARN of a function or an activity, or such as `arn:aws:states:::lambda:invoke`. The
        steps for services make it themselves.
    parameters : dict, optional
        What it is given; placeholders may stand anywhere inside. In JSONata these are the `arguments`.
    timeout_seconds, heartbeat_seconds, result_path, result_selector, ... : optional
        The other fields of a Task state; see `retrain.states.model.Task`.

    Raises
    ------
    ParameterError
        The parameters do not fit the request of the service that the resource names.
    """

    model = model.Task

    def __init__(self, state_id: str, **fields: Any) -> None:
        super().__init__(state_id, **fields)
        for pair in _EITHER:
            if all(self.fields.get(name) is not None for name in pair):
                raise AuthoringError(f"{self._title()} takes only one of {pair[0]} and {pair[1]}.")
        if self.given() is not None:
            self._check_parameters(self.fields.get("query_language"))

    def given(self) -> Any:
        """Return the parameters, or in JSONata the arguments."""
        parameters = self.fields.get("parameters")
        return self.fields.get("arguments") if parameters is None else parameters

    def update_parameters(self, params: Any) -> None:
        """Give the task other parameters."""
        super().update_parameters(params)
        self._check_parameters(self.fields.get("query_language"))

    def service_action(self) -> ServiceAction | None:
        """Return the action of a service that the task calls; None for functions and activities."""
        resource = self.fields.get("resource")
        found = parse(resource) if isinstance(resource, str) and "${" not in resource else None
        return None if found is None else found[0]

    def check(self, language: QueryLanguage = JSONPATH) -> None:
        """Raise if there is no resource, or something that the service requires is missing."""
        if not self.fields.get("resource"):
            raise MissingRequiredParameterError(
                f"{self._title()} needs a resource: what does the work, such as "
                "'arn:aws:states:::lambda:invoke'."
            )
        self._check_parameters(self.language(language))

    def _check_parameters(self, language: QueryLanguage | None) -> None:
        action = self.service_action()
        if action is None:
            return
        own = language or (JSONATA if self.fields.get("arguments") is not None else JSONPATH)
        given = self.given()
        check({} if given is None else given, action, own, self._title())


class ServiceStep(Task):
    """A Task state that calls a service; its subclasses name service and action.

    Parameters
    ----------
    state_id : str
        The state's name.
    wait_for_completion : bool, optional
        Whether to wait for the end of the job that the action starts; true unless said otherwise, where the
        action offers it.
    wait_for_callback : bool, optional
        Whether to wait until the task's token is sent back.
    integration_pattern : IntegrationPattern, optional
        The same in another way.
    parameters : dict, optional
        The service's request.
    **fields
        The other fields of a Task state.

    Raises
    ------
    PatternError
        The action does not offer the pattern.
    """

    service: ClassVar[str] = ""
    action: ClassVar[str] = ""
    sdk: ClassVar[bool] = False

    def __init_subclass__(cls, *, service: str = "", action: str = "") -> None:
        super().__init_subclass__()
        cls.service = service or cls.service
        cls.action = action or cls.action

    def __init__(
        self,
        state_id: str,
        *,
        wait_for_completion: bool | None = None,
        wait_for_callback: bool | None = None,
        integration_pattern: IntegrationPattern | str | None = None,
        **fields: Any,
    ) -> None:
        self._begin(state_id, find(self.service, self.action), fields)
        pattern = self._pattern(wait_for_completion, wait_for_callback, integration_pattern)
        super().__init__(state_id, resource=self._found.resource(pattern, partition=partition()), **fields)

    def _begin(self, state_id: str, found: ServiceAction, fields: dict[str, Any]) -> None:
        self.state_id = state_id  # for the messages of what is checked before there is a state
        self._found = found
        if "resource" in fields:
            raise AuthoringError(f"{type(self).__name__} makes its resource itself: leave it out.")

    def _pattern(
        self,
        wait_for_completion: bool | None,  # noqa: FBT001
        wait_for_callback: bool | None,  # noqa: FBT001
        explicit: IntegrationPattern | str | None,
    ) -> str:
        found = self._found
        if explicit is not None:
            if wait_for_completion is not None or wait_for_callback is not None:
                raise PatternError(
                    f"{self._title()}: give either integration_pattern, or wait_for_completion or "
                    "wait_for_callback."
                )
            pattern = pattern_of(explicit)
            return found.waits if pattern == "sync" and found.waits else pattern
        if wait_for_completion and wait_for_callback:
            raise PatternError(f"{self._title()} can wait for the job's end or for a callback, not for both.")
        if wait_for_callback:
            return "waitForTaskToken"
        if wait_for_completion:
            return found.waits or "sync"
        return REQUEST_RESPONSE if wait_for_completion is False else found.waits

    def service_action(self) -> ServiceAction:
        """Return the action of a service that the task calls."""
        return self._found


class AwsSdkStep(ServiceStep):
    """Calls any action of any AWS service, through the AWS SDK.

    Parameters
    ----------
    state_id : str
        The state's name.
    service : str
        As Step Functions names it, such as `s3`, `sagemaker`, `cloudwatchlogs`.
    action : str
        In camel case, such as `listObjectsV2`.
    wait_for_callback : bool, optional
        Whether to wait until the task's token is sent back.
    parameters : dict, optional
        The action's request.

    Examples
    --------
    >>> step = AwsSdkStep("List", service="s3", action="listBuckets", parameters={})
    >>> step.to_dict()["Resource"]
    'arn:aws:states:::aws-sdk:s3:listBuckets'
    """

    sdk = True

    def __init__(
        self,
        state_id: str,
        service: str,
        action: str,
        *,
        wait_for_callback: bool | None = None,
        integration_pattern: IntegrationPattern | str | None = None,
        **fields: Any,
    ) -> None:
        self._begin(state_id, find(service, action, sdk=True), fields)
        pattern = self._pattern(None, wait_for_callback, integration_pattern)
        fields.setdefault("arguments" if fields.get("query_language") == JSONATA else "parameters", {})
        Task.__init__(self, state_id, resource=self._found.resource(pattern, partition=partition()), **fields)
