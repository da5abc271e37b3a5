"""Whole workflows that only need to be filled in."""

from retrain.workflow.template.pipeline import InferencePipeline, TrainingPipeline

__all__ = ["InferencePipeline", "TrainingPipeline"]
