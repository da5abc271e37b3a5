"""Pipelines from data to an endpoint."""

from retrain.workflow.template.pipeline.common import StepId, WorkflowTemplate
from retrain.workflow.template.pipeline.inference import InferencePipeline
from retrain.workflow.template.pipeline.train import TrainingPipeline

__all__ = ["InferencePipeline", "StepId", "TrainingPipeline", "WorkflowTemplate"]
