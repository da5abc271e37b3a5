"""State machines in the cloud: creating, running and watching them."""

from retrain.workflow.workflow.execution import Execution, ExecutionStatus
from retrain.workflow.workflow.lists import EventsList, ExecutionsList, WorkflowList
from retrain.workflow.workflow.workflow import Workflow

__all__ = ["EventsList", "Execution", "ExecutionStatus", "ExecutionsList", "Workflow", "WorkflowList"]
