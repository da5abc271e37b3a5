"""The states of the States Language and what joins them, in the module that they had in AWS's library."""

from __future__ import annotations

from retrain.workflow.steps.chain import Chain
from retrain.workflow.steps.choice import Choice
from retrain.workflow.steps.graph import FrozenGraph, Graph
from retrain.workflow.steps.handlers import Catch, Retry
from retrain.workflow.steps.nested import Map, Parallel
from retrain.workflow.steps.state import Fail, Pass, State, Succeed, Wait
from retrain.workflow.steps.task import Task

__all__ = [
    "Catch",
    "Chain",
    "Choice",
    "Fail",
    "FrozenGraph",
    "Graph",
    "Map",
    "Parallel",
    "Pass",
    "Retry",
    "State",
    "Succeed",
    "Task",
    "Wait",
]
