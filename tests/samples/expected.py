"""What comes of each event in ``events/``, whichever way its function is invoked.

The handlers are called with them in the tests (`tests.unit.functions.test_samples`), and the functions are
invoked with them in their containers (`tests.sam_local`); both are held against this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

RUN = "mnist-0123456789ab-1"


@dataclass(frozen=True)
class Expected:
    """What comes of an event.

    Attributes
    ----------
    answer
        Some of what the function returns; a text must occur in what stands there.
    error
        The type of what it raises, and a part of the message; None if it returns.
    runs
        Executions that it starts.
    decided
        What the ledger has about triggers afterwards: result, and a part of the reason.
    told
        What subscribers are told: a part of each subject.
    logged
        A part of the log.
    """

    answer: Mapping[str, Any] = field(default_factory=dict)
    error: tuple[str, str] | None = None
    runs: int = 0
    decided: tuple[tuple[str, str], ...] = ()
    told: tuple[str, ...] = ()
    logged: str = ""


DONE: dict[str, Any] = {"batchItemFailures": []}
_MESSAGE = "059f36b4-87a3-44ab-83d2-66197576000{}"


def _started(reason: str = "New content.") -> Expected:
    return Expected(DONE, runs=1, decided=(("started", reason),))


ARRIVING = "Files are arriving"


def _arriving() -> Expected:
    return Expected(DONE, decided=(("waiting", ARRIVING),))


def _refused(reason: str, dataset: str = "mnist") -> Expected:
    return Expected(DONE, decided=(("refused", reason),), told=(f"Retrain {dataset}: nothing was started",))


def _ignored(reason: str) -> Expected:
    return Expected(DONE, logged=reason)


def _failed(error: str, said: str) -> Expected:
    return Expected(error=(error, said))


def _recorded(outcome: str, reason: str) -> Expected:
    return Expected({"outcome": outcome, "reason": reason})


def _told(outcome: str, subject: str) -> Expected:
    return Expected({"outcome": outcome, "subject": subject}, told=(subject,))


def _rang(subject: str) -> Expected:
    return Expected({"told": True, "subject": subject}, told=(subject,))


def _silent() -> Expected:
    return Expected({"told": False}, logged="Ignored an alarm")


def _interrupted(dataset: str = "mnist") -> Expected:
    return Expected({"recorded": True}, told=(f"Retrain {dataset}: the run failed",))


def _carried_on() -> Expected:
    return Expected({"answer": "CarryOn", "run_id": "mnist-"}, runs=1, decided=(("started", "New content."),))


def _job_failed(said: str) -> Expected:
    return Expected({"answer": "Failed", "said": said})


NOT_AN_IMAGE_OF_OURS = "the stack's parameter AllowedImageRepositories allows"
EMPTY = (("empty", "upload the dataset first"),)


def _unverified(why: str) -> Expected:
    return Expected({"agrees": True, "verified": False, "sentence": why}, logged="Verified an endpoint")


def _carded() -> Expected:
    return Expected({"s3_uri": f"/runs/{RUN}/report.html"}, logged="Wrote a run card")


EXPECTED: dict[str, Expected] = {
    # Files of a dataset came, changed or went; a marker closes the batch.
    "upload_dataset_file": _arriving(),
    "upload_dataset_file_deleted": _arriving(),
    "upload_dataset_several_files": _arriving(),
    "upload_dataset_odd_key": _arriving(),
    "upload_dataset_marker": _started(),
    "upload_dataset_without_holdout": _refused("holdout/fresh/labels.csv", "fresh"),
    "upload_dataset_name_refused": _refused("lower-case letters", "<script>alert(1)<%2Fscript>"),
    "upload_manifest_complete": _started(),
    "upload_manifest_files_missing": Expected(DONE, decided=(("waiting", "1 is missing: rows-2.csv"),)),
    "upload_manifest_unreadable": _refused("manifest.json is not JSON", "fresh"),
    "upload_object_folder_marker": _ignored("a folder marker"),
    "upload_object_nested_manifest": _arriving(),
    "upload_object_other_bucket": _ignored("about the bucket"),
    "upload_object_outside_datasets": _ignored("no dataset's folder"),
    "upload_batch_with_poison_message": Expected(
        {"batchItemFailures": [{"itemIdentifier": _MESSAGE.format(0)}]}, decided=(("waiting", ARRIVING),)
    ),
    # What the function has sent itself through the delay queue.
    "delay_check_nothing_open": Expected(DONE),
    "delay_request_its_turn": _started(),
    "delay_message_unknown": Expected({"batchItemFailures": [{"itemIdentifier": _MESSAGE.format(0)}]}),
    # Somebody asks.
    "request_retraining_name_only": _started(),
    "request_retraining_everything_given": _started(),
    "request_retraining_image_by_tag": _started(),
    "request_retraining_forced": _started("because it was forced"),
    "request_rollback_by_event": _refused("which no event may"),
    "request_retraining_forged_trigger": _started(),
    "request_retraining_image_missing": _refused("There is no image"),
    "request_retraining_foreign_image": _refused(NOT_AN_IMAGE_OF_OURS),
    "request_retraining_foreign_bucket": _refused("must be a folder under s3://"),
    "request_retraining_unknown_field": _refused("trainig is unknown here"),
    "request_retraining_wrong_type": _refused("instance_count is 'two'; it must be a whole number"),
    "request_retraining_long_hyperparameter": _refused("prompt has 3000 characters; at most 2500"),
    "request_retraining_holdout_missing": _refused("holdout/fresh/labels.csv", "fresh"),
    "request_retraining_dataset_missing": Expected(
        DONE, decided=EMPTY, told=("Retrain nothing-there: there is nothing to train on",)
    ),
    # An image was pushed.
    "push_image_tagged": _started(),
    "push_image_untagged": _ignored("one platform's part of another image"),
    "push_image_signature": _ignored("a signature or an attestation"),
    "push_image_deleted": _ignored("no push that succeeded"),
    "push_image_foreign_repository": _refused(NOT_AN_IMAGE_OF_OURS),
    "push_image_deleted_since": _refused("There is no image"),
    # A schedule fired.
    "fire_schedule_due": _started(),
    "fire_schedule_forced": _started("because it was forced"),
    "fire_schedule_own_request": _started(),
    "fire_schedule_without_input": _started(),
    "fire_schedule_unknown_field": _refused("dataset_name is unknown here"),
    # An alarm changed its state.
    "raise_alarm_on_endpoint": _started(),
    "raise_alarm_drift": _started(),
    "raise_alarm_composite": _started(),
    "raise_alarm_back_to_ok": _ignored("went to OK"),
    # A model package was approved, or not. Whether a state still waits for that is the cloud's to say.
    "approve_package_approved": Expected({"granted": True}),
    "approve_package_rejected": Expected({"granted": False}),
    "approve_package_unknown": Expected({"result": "unknown"}, logged="No run waits for this package"),
    # CodePipeline's Lambda action.
    "codepipeline_job_image_detail": _carried_on(),
    "codepipeline_job_image_definitions": _carried_on(),
    "codepipeline_job_image_in_parameters": _carried_on(),
    "codepipeline_job_image_of_the_stack": _carried_on(),
    "codepipeline_job_image_foreign": Expected(
        {"answer": "Failed", "said": NOT_AN_IMAGE_OF_OURS},
        decided=(("refused", NOT_AN_IMAGE_OF_OURS),),
        told=("Retrain mnist: nothing was started",),
    ),
    "codepipeline_job_image_not_named": _job_failed("has an imageDetail.json"),
    "codepipeline_job_artifact_missing": _job_failed("There is no input artifact"),
    "codepipeline_job_artifact_bomb": _job_failed("has more than 262,144 bytes"),
    "codepipeline_job_artifact_no_archive": _job_failed("cannot be read as a zip archive"),
    "codepipeline_job_parameters_missing": _job_failed("no UserParameters"),
    "codepipeline_job_parameters_no_json": _job_failed("are no JSON"),
    "codepipeline_job_parameters_unknown_field": Expected(
        {"answer": "Failed", "said": "trainig is unknown"},
        decided=(("refused", "trainig is unknown"),),
        told=("Retrain mnist: nothing was started",),
    ),
    "codepipeline_job_dataset_missing": Expected(
        {"answer": "Failed", "said": "datasets/nobody/"},
        decided=EMPTY,
        told=("Retrain nobody: there is nothing to train on",),
    ),
    "codepipeline_job_token_foreign": _job_failed("continuation token"),
    "codepipeline_job_token_run_unknown": _job_failed("ended without a record"),
    "codepipeline_job_token_run_under_way": _job_failed("ended without a record"),
    "codepipeline_job_credentials_missing": _job_failed("lacks data"),
    # The state machine's own functions.
    "prepare_run_name_only": Expected({"run": {"id": RUN, "file_count": 2}}),
    "prepare_run_everything_given": Expected({"run": {"id": RUN, "file_count": 2}}),
    "prepare_run_unknown_field": _failed("RequestError", "trainig is unknown here"),
    "prepare_run_foreign_image": _failed("RequestError", NOT_AN_IMAGE_OF_OURS),
    "prepare_run_foreign_bucket": _failed("RequestError", "must be a folder under s3://"),
    "prepare_run_holdout_missing": _failed("HoldoutMissingError", "holdout/fresh/labels.csv"),
    "prepare_run_dataset_missing": _failed("DatasetEmptyError", "upload the dataset first"),
    "evaluate_challenger_completed": Expected({"verdict": "promote"}),
    "evaluate_challenger_job_stopped": _failed("TrainingStoppedError", "longer than its limit"),
    "ask_approval_pending": Expected(
        {"result": "waits"}, told=("Retrain mnist: a challenger waits for approval, accuracy 98.00 %",)
    ),
    "ask_approval_granted_meanwhile": Expected({"granted": True}),
    "ask_approval_overdue": Expected({"granted": False}),
    "ask_approval_package_missing": _failed("UnknownEventError", "asks for no approval"),
    "prepare_rollback_nothing_deployed": _failed("RollbackError", "There is no endpoint retrain-mnist"),
    "prepare_rollback_to_no_run_id": _failed("RequestError", "The field rollback.to is '<script>'"),
    "clean_run_deployed": Expected({"removed": {"runs": 0}, "kept": [], "warnings": []}, logged="Cleaned up"),
    "clean_dataset_dry_run": Expected({"dry_run": True}, logged="Cleaned up"),
    "clean_question_odd": _failed("UnknownEventError", "The part ask of the event must be"),
    "claim_endpoint_free": Expected({"granted": True}),
    "claim_endpoint_newer_version": Expected(
        {"granted": False, "reason": "of a newer version of the dataset"}
    ),
    "verify_endpoint_rows_missing": _unverified("there is no s3://"),
    "verify_endpoint_rows_not_wanted": _unverified("VerifyRows is 0"),
    "record_run_skipped": _recorded("SKIPPED", "mnist-fedcba987654-1, which has run already"),
    "record_run_superseded": _recorded("SKIPPED", "of a newer version of the dataset"),
    "record_run_deployed": _recorded("DEPLOYED", "reaches the required"),
    "record_run_rejected": _recorded("REJECTED", "is below the required"),
    "record_run_request_refused": _recorded("FAILED", "trainig is unknown here"),
    "record_run_training_failed": _recorded("FAILED", "train-images-idx3-ubyte is cut short"),
    "record_run_rolled_back": _recorded("ROLLED_BACK", "serves retrain-mnist-champion again"),
    "record_run_endpoint_failed": _recorded("FAILED", "did not pass the ping health check"),
    "write_report_run_rejected": _carded(),
    "write_report_run_refused": _carded(),
    "write_report_asked_for": Expected(error=("RunUnknownError", "knows no run mnist-000000000000-1")),
    "write_report_question_odd": Expected(error=("UnknownEventError", "with the id of a run")),
    "notify_run_deployed": _told("DEPLOYED", "Retrain mnist: a new model serves, accuracy 98.00 %"),
    "notify_run_skipped": _told("SKIPPED", "Retrain mnist: the run was skipped"),
    "notify_run_rejected": _told("REJECTED", "Retrain mnist: the challenger was rejected, accuracy 68.00 %"),
    "notify_run_unrecorded": _told("FAILED", "Retrain mnist: the run failed"),
    "notify_untold_run": Expected(DONE, told=("Retrain mnist: the challenger was rejected",)),
    "notify_untold_run_unrecorded": Expected(DONE, told=("Retrain unknown: the run failed",)),
    "notify_untold_message_unknown": Expected(
        {"batchItemFailures": [{"itemIdentifier": _MESSAGE.format(0)}]}
    ),
    "notify_alarm_dead_letters": _rang("Retrain retrain: something could not be handled"),
    "notify_alarm_untold_outcomes": _rang("Retrain retrain: outcomes wait to be told"),
    "notify_alarm_on_endpoint": _rang("Retrain retrain-mnist: requests fail"),
    "notify_alarm_back_to_ok": _silent(),
    "notify_alarm_failed_runs": _silent(),
    "notify_alarm_foreign_endpoint": _silent(),
    "interrupt_execution_timed_out": _interrupted(),
    "interrupt_execution_aborted": _interrupted(),
    "interrupt_execution_failed_uncaught": _interrupted(),
    "interrupt_execution_input_left_out": _interrupted("unknown"),
    "interrupt_execution_input_no_object": _interrupted("unknown"),
}
