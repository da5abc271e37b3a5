"""Workflows: state machines that are created, changed and run."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retrain.states.errors import Diagnostic
from retrain.states.validation import Kind
from retrain.workflow.errors import (
    InputError,
    MissingRequiredParameterError,
    WorkflowNotFoundError,
)
from retrain.workflow.inputs import ExecutionInput
from retrain.workflow.steps.chain import Chain
from retrain.workflow.steps.graph import FrozenGraph, Graph
from retrain.workflow.steps.state import State
from retrain.workflow.workflow import definitions, reading, templates
from retrain.workflow.workflow.client import default_client, explained
from retrain.workflow.workflow.execution import Execution, ExecutionStatus
from retrain.workflow.workflow.lists import ExecutionsList, WorkflowList
from retrain.workflow.workflow.pictures import Picture, draw

logger = logging.getLogger("retrain.workflow")

_PAGE = 1000


class Workflow:
    """A state machine.

    Parameters
    ----------
    name : str
        Its name.
    definition : State, Chain, Graph, dict or str
        What it does; a dictionary or a JSON text is a definition in the States Language.
    role : str
        The ARN of the role that it has.
    tags : list of dict
        `[{"key": ..., "value": ...}]`.
    execution_input : ExecutionInput, optional
        The placeholders for its input; with a schema, inputs are checked before an execution starts.
    timeout_seconds, comment, version, query_language : optional
        Fields of the definition as a whole.
    state_machine_arn : str, optional
        The ARN of the state machine, if it exists.
    format_json : bool
        Whether definition and inputs are written in several lines.
    client : SFN.Client, optional
        The boto3 client; if none is given, that of the local cloud if one is up, else that of AWS.
    kind : str
        `STANDARD` or `EXPRESS`.
    """

    def __init__(
        self,
        name: str,
        definition: State | Chain | Graph | Mapping[str, Any] | str,
        role: str | None,
        tags: Sequence[Mapping[str, str]] = (),
        execution_input: ExecutionInput | None = None,
        timeout_seconds: int | None = None,
        comment: str | None = None,
        version: str | None = None,
        state_machine_arn: str | None = None,
        format_json: bool = True,  # noqa: FBT001, FBT002 (as its users call it)
        client: Any = None,
        *,
        query_language: str | None = None,
        kind: Kind = "STANDARD",
    ) -> None:
        self.name = name
        self.role = role
        self.tags = [dict(tag) for tag in tags]
        self.workflow_input = execution_input
        self.timeout_seconds = timeout_seconds
        self.comment = comment
        self.version = version
        self.query_language = query_language
        self.state_machine_arn = state_machine_arn
        self.format_json = format_json
        self.kind: Kind = kind
        self._client = client
        self.definition = self._graph(definition)

    @classmethod
    def from_asl(
        cls,
        source: str | Path,
        name: str | None = None,
        role: str | None = None,
        *,
        substitutions: Mapping[str, str] | None = None,
        kind: Kind = "STANDARD",
        **arguments: Any,
    ) -> Workflow:
        """Return the workflow of a definition in the States Language.

        Parameters
        ----------
        source : str or Path
            A file, or the text itself: JSON or YAML, JSONPath or JSONata.
        name : str, optional
            The workflow's name; the file's if not given.
        role : str, optional
            The role; needed to create it.
        substitutions : dict, optional
            What `${Name}` tokens stand for.
        kind : str
            `STANDARD` or `EXPRESS`.
        **arguments
            See `Workflow`.

        Raises
        ------
        InvalidDefinitionError
            AWS would refuse the definition.
        """
        graph, file_name = reading.read(source, substitutions=substitutions, kind=kind)
        return cls(name or file_name or "workflow", graph, role, kind=kind, **arguments)

    @classmethod
    def attach(cls, state_machine_arn: str, client: Any = None) -> Workflow:
        """Return the workflow of a state machine that exists."""
        own = default_client() if client is None else client
        with explained("describing the state machine"):
            found = own.describe_state_machine(stateMachineArn=state_machine_arn)
        return cls(
            found["name"],
            FrozenGraph.from_json(found["definition"]),
            found["roleArn"],
            state_machine_arn=found["stateMachineArn"],
            client=own,
            kind=found.get("type", "STANDARD"),
        )

    @classmethod
    def list_workflows(
        cls,
        max_items: int = 100,
        client: Any = None,
        html: bool = False,  # noqa: ARG003, FBT001, FBT002 (as its users call it)
    ) -> WorkflowList:
        """Return the state machines that there are; a notebook shows them as a table."""
        own = default_client() if client is None else client
        with explained("listing the state machines"):
            pages = own.get_paginator("list_state_machines").paginate(
                PaginationConfig={"MaxItems": max_items, "PageSize": min(_PAGE, max_items)}
            )
            return WorkflowList(machine for page in pages for machine in page["stateMachines"])

    @property
    def client(self) -> Any:
        """The boto3 client of Step Functions; made when it is first used."""
        if self._client is None:
            self._client = default_client()
        return self._client

    @property
    def substitutions(self) -> dict[str, str]:
        """What `${Name}` tokens in a definition that was read stand for."""
        return self.definition.substitutions if isinstance(self.definition, FrozenGraph) else {}

    def to_dict(self) -> dict[str, Any]:
        """Return the definition."""
        return self.definition.to_dict()

    def validate(self) -> tuple[Diagnostic, ...]:
        """Return everything for which AWS would refuse the definition, and what is doubtful in it.

        The engine's diagnostics, and warnings on top: paths that no earlier state can have produced, actions
        that a service does not have.
        """
        from retrain.workflow.checks import check

        return check(definitions.document(self.definition), kind=self.kind)

    def create(self) -> str:
        """Create the state machine, and upload what its steps need.

        Returns
        -------
        str
            Its ARN; that of the existing one, if there is one of that name with the same definition.

        Raises
        ------
        InvalidDefinitionError
            AWS would refuse the definition.
        """
        if self.state_machine_arn is not None:
            logger.warning("The state machine '%s' exists already: use update() to change it.", self.name)
            return self.state_machine_arn
        if self.role is None:
            raise MissingRequiredParameterError(
                f"The workflow '{self.name}' needs a role to be created with."
            )
        text = definitions.checked_text(self.definition, self.kind, pretty=self.format_json)
        self.upload_sources()
        with explained("creating the state machine"):
            try:
                answer = self.client.create_state_machine(
                    name=self.name, definition=text, roleArn=self.role, type=self.kind, tags=self.tags
                )
            except self.client.exceptions.StateMachineAlreadyExists as error:
                logger.warning("A state machine '%s' exists already: use update() to change it.", self.name)
                self.state_machine_arn = definitions.arn_in(error) or self._find_arn()
                if self.state_machine_arn is None:
                    raise
                return self.state_machine_arn
        self.state_machine_arn = str(answer["stateMachineArn"])
        return self.state_machine_arn

    def update(
        self,
        definition: State | Chain | Graph | Mapping[str, Any] | str | None = None,
        role: str | None = None,
    ) -> str:
        """Change the state machine's definition, its role, or both.

        Executions that run go on with the old definition.

        Returns
        -------
        str
            The ARN.

        Raises
        ------
        MissingRequiredParameterError
            Neither is given.
        WorkflowNotFoundError
            There is no state machine yet.
        """
        if definition is None and role is None:
            raise MissingRequiredParameterError("update() needs a new definition, a new role, or both.")
        arn = self._arn("updated")
        before = self.definition
        if definition is not None:
            self.definition = self._graph(definition)
        try:
            text = definitions.checked_text(self.definition, self.kind, pretty=self.format_json)
        except Exception:
            self.definition = before
            raise
        self.role = role or self.role
        self.upload_sources()
        with explained("updating the state machine"):
            self.client.update_state_machine(stateMachineArn=arn, definition=text, roleArn=self.role)
        return arn

    def delete(self) -> None:
        """Delete the state machine, if there is one; what runs is allowed to end."""
        if self.state_machine_arn is not None:
            with explained("deleting the state machine"):
                self.client.delete_state_machine(stateMachineArn=self.state_machine_arn)
            self.state_machine_arn = None

    def upload_sources(self) -> list[str]:
        """Upload the programs that steps train and serve with, unless they are there already.

        `create` and `update` do so by themselves.

        Returns
        -------
        list of str
            Their URIs.
        """
        found = {}
        for state in self.definition.all_states():
            for source, session in getattr(state, "uploads", ()):
                found[source.uri] = (source, session)
        with explained("uploading the source code"):
            return [source.upload(session) for source, session in found.values()]

    def execute(self, name: str | None = None, inputs: Any = None) -> Execution:
        """Start an execution.

        Parameters
        ----------
        name : str, optional
            Its name; AWS makes one if none is given.
        inputs : dict or list, optional
            Its input.

        Raises
        ------
        InputError
            The input does not fit the schema of `execution_input`.
        WorkflowNotFoundError
            There is no state machine yet.
        """
        self._check_input(inputs)
        request: dict[str, Any] = {"stateMachineArn": self._arn("run")}
        if name is not None:
            request["name"] = name
        if inputs is not None:
            request["input"] = json.dumps(inputs, indent=4 if self.format_json else None)
        with explained("starting an execution"):
            answer = self.client.start_execution(**request)
        return Execution(
            workflow=self,
            execution_arn=answer["executionArn"],
            start_date=answer["startDate"],
            status=ExecutionStatus.Running,
            client=self.client,
        )

    def list_executions(
        self,
        max_items: int = 100,
        status_filter: ExecutionStatus | str | None = None,
        html: bool = False,  # noqa: ARG002, FBT001, FBT002 (as its users call it)
    ) -> ExecutionsList:
        """Return the workflow's executions, the latest first; a notebook shows them as a table.

        Parameters
        ----------
        max_items : int
            No more than so many.
        status_filter : ExecutionStatus, optional
            Only those of this status.
        html : bool
            Has no effect.
        """
        if self.state_machine_arn is None:
            return ExecutionsList()
        wanted = {} if status_filter is None else {"statusFilter": ExecutionStatus(status_filter).value}
        with explained("listing the executions"):
            pages = self.client.get_paginator("list_executions").paginate(
                stateMachineArn=self.state_machine_arn,
                PaginationConfig={"MaxItems": max_items, "PageSize": min(_PAGE, max_items)},
                **wanted,
            )
            return ExecutionsList(
                Execution(
                    workflow=self,
                    execution_arn=found["executionArn"],
                    start_date=found["startDate"],
                    status=found["status"],
                    client=self.client,
                    name=found["name"],
                    stop_date=found.get("stopDate"),
                )
                for page in pages
                for found in page["executions"]
            )

    def render_graph(self, portrait: bool = False) -> Picture:  # noqa: ARG002, FBT001, FBT002
        """Return a drawing of the workflow; a notebook shows it, `str` of it is text for a terminal."""
        return draw(self.definition.machine)

    def get_cloudformation_template(self, description: str | None = None) -> str:
        """Return a CloudFormation template with the state machine."""
        return templates.cloudformation(self, description)

    def get_sam_template(self, description: str | None = None) -> str:
        """Return a SAM template with the state machine."""
        return templates.sam(self, description)

    def _graph(self, definition: Any) -> Graph:
        fields = {
            "comment": self.comment,
            "version": self.version,
            "timeout_seconds": self.timeout_seconds,
            "query_language": self.query_language,
        }
        return definitions.as_graph(definition, fields)

    def _check_input(self, inputs: Any) -> None:
        if self.workflow_input is None:
            return
        result = self.workflow_input.validate(inputs)
        if not result.valid:
            raise InputError(
                f"The input does not fit the workflow's schema {self.workflow_input.get_schema_as_json()}: "
                f"{result}."
            )

    def _arn(self, what: str) -> str:
        if self.state_machine_arn is None:
            raise WorkflowNotFoundError(
                f"The workflow '{self.name}' has no state machine that could be {what}: call create() first, "
                "or make the workflow with Workflow.attach(arn)."
            )
        return self.state_machine_arn

    def _find_arn(self) -> str | None:
        machines = self.list_workflows(max_items=10_000, client=self.client)
        return next((each["stateMachineArn"] for each in machines if each["name"] == self.name), None)

    def __repr__(self) -> str:
        """Return what identifies the workflow."""
        return (
            f"Workflow(name={self.name!r}, role={self.role!r}, state_machine_arn={self.state_machine_arn!r})"
        )

    def _repr_html_(self) -> str:
        return self.render_graph().svg()
