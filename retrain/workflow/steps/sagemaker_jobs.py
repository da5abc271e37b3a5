"""Steps for SageMaker's jobs: training, tuning, processing, batch transform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from retrain.workflow.errors import EstimatorError
from retrain.workflow.estimators.estimator import EstimatorBase, as_estimator
from retrain.workflow.estimators.inputs import Data, Uri, given
from retrain.workflow.estimators.inputs import tags as tag_list
from retrain.workflow.estimators.model import Model
from retrain.workflow.estimators.processing import Processor, as_processor
from retrain.workflow.estimators.transformer import Transformer
from retrain.workflow.estimators.tuner import HyperparameterTuner
from retrain.workflow.steps.sagemaker_base import SageMakerStep

if TYPE_CHECKING:
    from retrain.workflow.estimators.processing import ProcessingInput, ProcessingOutput
    from retrain.workflow.estimators.session import Session
    from retrain.workflow.estimators.source import Source


class TrainingStep(SageMakerStep, action="createTrainingJob"):
    """Trains a model.

    Parameters
    ----------
    state_id : str
        The state's name.
    estimator : EstimatorBase
        What trains: `PyTorch`, `Estimator` and so on.
    job_name : str or placeholder
        The training job's name. Every execution needs another.
    data : str, placeholder, TrainingInput or dict, optional
        The training data: one channel (`training`), or a dictionary of channels.
    hyperparameters : dict, optional
        Further hyperparameters; they have priority over the estimator's.
    mini_batch_size : int, optional
        For AWS's built-in algorithms.
    experiment_config : dict, optional
        As in CreateTrainingJob.
    wait_for_completion : bool
        Whether the execution goes on only when the job has ended.
    tags : dict or list, optional
        Tags of the job; the estimator's if not given.
    output_data_config_path : str or placeholder, optional
        Where the model goes; has priority over the estimator's `output_path`.
    **fields
        The other fields of a Task state.
    """

    def __init__(
        self,
        state_id: str,
        estimator: EstimatorBase,
        job_name: Any,
        data: Data = None,
        hyperparameters: Mapping[str, Any] | None = None,
        mini_batch_size: int | None = None,
        experiment_config: Any = None,
        wait_for_completion: bool = True,  # noqa: FBT001, FBT002 (as its users call it)
        tags: Any = None,
        output_data_config_path: Uri | None = None,
        **fields: Any,
    ) -> None:
        self.estimator = as_estimator(estimator, "TrainingStep")
        self.job_name = job_name
        request = self.estimator.training_request(data, output_path=output_data_config_path)
        further = dict(hyperparameters or {})
        if mini_batch_size is not None:
            further["mini_batch_size"] = mini_batch_size
        if further:
            request["HyperParameters"] = {
                **request.get("HyperParameters", {}),
                **self.estimator.encoded(further),
            }
        request |= given(
            {
                "TrainingJobName": job_name,
                "ExperimentConfig": experiment_config,
                "Tags": tag_list(tags or self.estimator.tags),
            }
        )
        super().__init__(state_id, request, wait_for_completion=wait_for_completion, **fields)

    @property
    def uploads(self) -> list[tuple[Source, Session]]:
        """The training program's source."""
        return [(source, self.estimator.sagemaker_session) for source in self.estimator.sources]

    def get_expected_model(self, model_name: Any = None) -> Model:
        """Return the model that the training will have made, for a ModelStep right after this step.

        Parameters
        ----------
        model_name : str or placeholder, optional
            Its name; the training job's if not given.
        """
        model = self.estimator.create_model()
        model.name = self.job_name if model_name is None else model_name
        model.model_data = self.output()["ModelArtifacts"]["S3ModelArtifacts"]
        return model


class TransformStep(SageMakerStep, action="createTransformJob"):
    """Has a model answer for a whole set of data.

    Parameters
    ----------
    state_id : str
        The state's name.
    transformer : Transformer
        What it runs on, and where the answers go.
    job_name, model_name : str or placeholder
        The names of the job and of the model.
    data : str or placeholder
        The S3 URI of the data.
    data_type, content_type, compression_type, split_type, input_filter, output_filter, join_source : str
        As in CreateTransformJob.
    experiment_config, tags, wait_for_completion, **fields
        See `TrainingStep`.
    """

    def __init__(
        self,
        state_id: str,
        transformer: Transformer,
        job_name: Any,
        model_name: Any,
        data: Uri,
        data_type: str = "S3Prefix",
        content_type: str | None = None,
        compression_type: str | None = None,
        split_type: str | None = None,
        experiment_config: Any = None,
        wait_for_completion: bool = True,  # noqa: FBT001, FBT002
        tags: Any = None,
        input_filter: str | None = None,
        output_filter: str | None = None,
        join_source: str | None = None,
        **fields: Any,
    ) -> None:
        if not isinstance(transformer, Transformer):
            raise EstimatorError(
                f"TransformStep takes a Transformer of retrain.workflow.estimators; not {transformer!r}."
            )
        filters = {"InputFilter": input_filter, "OutputFilter": output_filter, "JoinSource": join_source}
        request = transformer.request(
            data,
            data_type=data_type,
            content_type=content_type,
            compression_type=compression_type,
            split_type=split_type,
        )
        request |= given(
            {
                "TransformJobName": job_name,
                "ModelName": model_name if model_name is not None else transformer.model_name,
                "DataProcessing": given(filters) or None,
                "ExperimentConfig": experiment_config,
                "Tags": tag_list(tags or transformer.settings.get("tags")),
            }
        )
        super().__init__(state_id, request, wait_for_completion=wait_for_completion, **fields)


class TuningStep(SageMakerStep, action="createHyperParameterTuningJob"):
    """Looks for the best hyperparameters.

    Parameters
    ----------
    state_id : str
        The state's name.
    tuner : HyperparameterTuner
        What is tuned, and how.
    job_name : str or placeholder
        The tuning job's name.
    data : str, placeholder, TrainingInput or dict
        The training data; see `TrainingStep`.
    wait_for_completion, tags, **fields
        See `TrainingStep`.
    """

    def __init__(
        self,
        state_id: str,
        tuner: HyperparameterTuner,
        job_name: Any,
        data: Data,
        wait_for_completion: bool = True,  # noqa: FBT001, FBT002
        tags: Any = None,
        **fields: Any,
    ) -> None:
        if not isinstance(tuner, HyperparameterTuner):
            raise EstimatorError(
                f"TuningStep takes a HyperparameterTuner of retrain.workflow.estimators; not {tuner!r}."
            )
        self.tuner = tuner
        request = tuner.request(data) | given(
            {"HyperParameterTuningJobName": job_name, "Tags": tag_list(tags or tuner.tags)}
        )
        super().__init__(state_id, request, wait_for_completion=wait_for_completion, **fields)

    @property
    def uploads(self) -> list[tuple[Source, Session]]:
        """The training program's source."""
        estimator = self.tuner.estimator
        return [(source, estimator.sagemaker_session) for source in estimator.sources]


class ProcessingStep(SageMakerStep, action="createProcessingJob"):
    """Runs a processing job.

    Parameters
    ----------
    state_id : str
        The state's name.
    processor : Processor
        What it runs, and on what.
    job_name : str or placeholder
        The job's name.
    inputs, outputs : list, optional
        `ProcessingInput` and `ProcessingOutput`.
    container_arguments, container_entrypoint : list or placeholder, optional
        What the container runs.
    kms_key_id : str or placeholder, optional
        The key for the outputs.
    experiment_config, wait_for_completion, tags : optional
        See `TrainingStep`.
    **fields
        The other fields of a Task state; `parameters` has priority over what the other arguments say, member
        by member.
    """

    def __init__(
        self,
        state_id: str,
        processor: Processor,
        job_name: Any,
        inputs: Sequence[ProcessingInput] | None = None,
        outputs: Sequence[ProcessingOutput] | None = None,
        experiment_config: Any = None,
        container_arguments: Any = None,
        container_entrypoint: Any = None,
        kms_key_id: Any = None,
        wait_for_completion: bool = True,  # noqa: FBT001, FBT002
        tags: Any = None,
        **fields: Any,
    ) -> None:
        request = as_processor(processor, "ProcessingStep").request(
            inputs=inputs,
            outputs=outputs,
            container_arguments=container_arguments,
            container_entrypoint=container_entrypoint,
            kms_key_id=kms_key_id,
        )
        request |= given(
            {
                "ProcessingJobName": job_name,
                "ExperimentConfig": experiment_config,
                "Tags": tag_list(tags or processor.settings.get("tags")),
            }
        )
        super().__init__(state_id, request, wait_for_completion=wait_for_completion, **fields)
