"""What jobs and models need, by the names that the SageMaker SDK had for them; without that SDK.

`from sagemaker.pytorch import PyTorch` becomes `from retrain.workflow.estimators import PyTorch`.
"""

from retrain.workflow.estimators.estimator import Estimator, EstimatorBase
from retrain.workflow.estimators.framework import (
    Framework,
    FrameworkModel,
    PyTorch,
    SKLearn,
    TensorFlow,
    XGBoost,
)
from retrain.workflow.estimators.inputs import DataCaptureConfig, TrainingInput, s3_input
from retrain.workflow.estimators.model import Model, PipelineModel
from retrain.workflow.estimators.processing import (
    ProcessingInput,
    ProcessingOutput,
    Processor,
    ScriptProcessor,
    SKLearnProcessor,
)
from retrain.workflow.estimators.session import Session
from retrain.workflow.estimators.source import Source
from retrain.workflow.estimators.transformer import Transformer
from retrain.workflow.estimators.tuner import (
    CategoricalParameter,
    ContinuousParameter,
    HyperparameterTuner,
    IntegerParameter,
)

__all__ = [
    "CategoricalParameter",
    "ContinuousParameter",
    "DataCaptureConfig",
    "Estimator",
    "EstimatorBase",
    "Framework",
    "FrameworkModel",
    "HyperparameterTuner",
    "IntegerParameter",
    "Model",
    "PipelineModel",
    "ProcessingInput",
    "ProcessingOutput",
    "Processor",
    "PyTorch",
    "SKLearn",
    "SKLearnProcessor",
    "ScriptProcessor",
    "Session",
    "Source",
    "TensorFlow",
    "TrainingInput",
    "Transformer",
    "XGBoost",
    "s3_input",
]
