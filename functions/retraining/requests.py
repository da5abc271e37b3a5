"""The retrain request: the input of an execution, whichever way it came in.

Only ``dataset.name`` is required. Everything that a request says is checked here, and every fault is reported
at once, by field, with what would be right; nothing is started before.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from retraining import images, s3_uris
from retraining import policy as policies
from retraining.datasets import DATASETS_PREFIX
from retraining.errors import RequestError
from retraining.fields import Fields, shown
from retraining.names import DATASET_NAME_LIMIT, is_name

TRIGGER_KINDS = ("s3", "event", "schedule", "alarm", "codepipeline", "manual")
SOURCES_PREFIX = "sources/"
"""Where source archives lie, in the artifacts bucket: who may upload data may not run code."""

ROLLBACK = "rollback"
HYPERPARAMETER_LIMIT = 100
HYPERPARAMETER_KEY_LENGTH = 256
HYPERPARAMETER_VALUE_LENGTH = 2_500
HYPERPARAMETERS_TOTAL_LENGTH = 40_000
"""Characters in all, so that a request fits many times into Step Functions' 256 KiB of state."""

RESERVED_HYPERPARAMETER = "sagemaker_"
MAXIMUM_INSTANCES = 100
_RUN_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")
_INSTANCE_TYPE = re.compile(r"ml\.[a-z0-9-]+\.[a-z0-9]+")
_ENTRY_POINT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,254}\.py")


@dataclass(frozen=True, slots=True)
class RequestPolicy:
    """What this stack lets a request ask for."""

    data_bucket: str
    artifacts_bucket: str
    default_image_uri: str
    allowed_repositories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Trigger:
    """What asked for the run; ``time`` is ISO 8601, and empty when the asker did not say."""

    kind: str = "manual"
    id: str = ""
    time: str = ""


@dataclass(frozen=True, slots=True)
class TrainingRequest:
    """Overrides of the stack's training defaults; None or empty where there is none."""

    image_uri: str | None = None
    source_s3_uri: str | None = None
    entry_point: str | None = None
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    instance_type: str | None = None
    instance_count: int | None = None
    use_spot: bool = False


@dataclass(frozen=True, slots=True)
class Rollback:
    """The wish to go back to an earlier model.

    Attributes
    ----------
    to : str or None
        The run whose model is to serve again; None for the one before.
    from_endpoint_config_name : str or None
        What served when the wish came up, if it is to hold for nothing else: of two people who go back at the
        same time, one does.
    """

    to: str | None
    from_endpoint_config_name: str | None = None


@dataclass(frozen=True, slots=True)
class RetrainRequest:
    """A request that has been checked.

    Attributes
    ----------
    dataset : str
        The dataset's name.
    prefix : str
        Its key prefix in the data bucket, ending in a slash.
    gate : mapping
        Overrides of the gate's policy, each within its bounds.
    rollback : Rollback or None
        None for a request that trains.
    """

    dataset: str
    prefix: str
    trigger: Trigger
    training: TrainingRequest
    gate: Mapping[str, Any]
    force: bool
    rollback: Rollback | None = None


def asks_for_rollback(payload: object) -> bool:
    """Whether a request, checked by nobody yet, wants an earlier model instead of a new one."""
    return isinstance(payload, Mapping) and payload.get(ROLLBACK) is not None


def parse(payload: object, policy: RequestPolicy, *, may_roll_back: bool = False) -> RetrainRequest:
    """Check a retrain request.

    Parameters
    ----------
    payload : object
        Any JSON value.
    policy : RequestPolicy
        What this stack allows.
    may_roll_back : bool
        Whether the request may be one for an earlier model. Only a person's may, or a program's in its place,
        who starts the state machine; no event is one.

    Raises
    ------
    RequestError
        With one sentence for every field that is wrong.
    """
    problems: list[str] = []
    root = Fields("", payload, problems)
    dataset = root.section("dataset", required=True)
    name, prefix = _dataset(dataset, policy)
    request = RetrainRequest(
        dataset=name,
        prefix=prefix,
        trigger=_trigger(root.section("trigger")),
        training=_training(root.section("training"), policy),
        gate=policies.parse(root.section("gate")),
        force=root.flag("force"),
        rollback=_rollback(root, payload, may_roll_back=may_roll_back),
    )
    for fields in (root, *root.sections):
        fields.refuse_unknown()
    if problems:
        raise RequestError(problems)
    return request


def _rollback(root: Fields, payload: object, *, may_roll_back: bool) -> Rollback | None:
    if not isinstance(payload, Mapping) or ROLLBACK not in payload:
        return None  # so that complaints about other fields do not offer this one
    fields = root.section(ROLLBACK)
    if not fields.present:
        return None
    target = fields.text("to")
    if target is not None and not _RUN_ID.fullmatch(target):
        fields.complain("to", f"is {shown(target)}; it must be the id of a run")
    if not may_roll_back:
        root.complain(
            ROLLBACK, "asks to go back to an earlier model, which no event may: 'retrain rollback' does it"
        )
    for section in root.sections:
        if section.path in {"training", "gate"} and section.present:
            root.complain(
                section.path, f"means nothing beside {ROLLBACK}, which trains nothing; leave it out"
            )
    if root.flag("force"):
        root.complain("force", f"means nothing beside {ROLLBACK}; leave it out")
    return Rollback(target, fields.text("from_endpoint_config_name"))


def _dataset(fields: Fields, policy: RequestPolicy) -> tuple[str, str]:
    name = fields.text("name", required=fields.present)
    if name and not is_name(name, DATASET_NAME_LIMIT):
        fields.complain("name", f"is {shown(name)}; {dataset_name_rule()}")
        name = ""
    default = f"{DATASETS_PREFIX}{name}/"
    text = fields.text("s3_uri")
    if not text:
        return name or "", default
    uri = s3_uris.parse(text)
    base = f"s3://{policy.data_bucket}/{DATASETS_PREFIX}"
    if uri is None or not str(uri).startswith(base) or not uri.key.removeprefix(DATASETS_PREFIX).strip("/"):
        fields.complain("s3_uri", f"is {shown(text)}; it must be a folder under {base}")
        return name or "", default
    return name or "", uri.key if uri.key.endswith("/") else f"{uri.key}/"


def dataset_name_rule() -> str:
    """Return the rule for dataset names, as the end of a sentence."""
    return (
        f"a dataset's name has at most {DATASET_NAME_LIMIT} lower-case letters, digits and hyphens, "
        "and begins and ends with a letter or digit"
    )


def _trigger(fields: Fields) -> Trigger:
    kind = fields.text("kind") or "manual"
    if kind not in TRIGGER_KINDS:
        fields.complain("kind", f"is {shown(kind)}; it must be one of {', '.join(TRIGGER_KINDS)}")
    return Trigger(kind, fields.text("id") or "", fields.text("time") or "")


def _training(fields: Fields, policy: RequestPolicy) -> TrainingRequest:
    instance_type = fields.text("instance_type")
    if instance_type and not _INSTANCE_TYPE.fullmatch(instance_type):
        fields.complain(
            "instance_type", f"is {shown(instance_type)}; an example of a right one is ml.c5.xlarge"
        )
    entry_point = fields.text("entry_point")
    if entry_point and (not _ENTRY_POINT.fullmatch(entry_point) or ".." in entry_point):
        fields.complain(
            "entry_point", f"is {shown(entry_point)}; it must be a Python file inside the source archive"
        )
    source = fields.text("source_s3_uri")
    if source and not is_source(source, policy.artifacts_bucket):
        fields.complain(
            "source_s3_uri",
            f"is {shown(source)}; it must be a .tar.gz under s3://{policy.artifacts_bucket}/{SOURCES_PREFIX}",
        )
    return TrainingRequest(
        image_uri=_image(fields, policy),
        source_s3_uri=source or None,
        entry_point=entry_point or None,
        hyperparameters=_hyperparameters(fields),
        instance_type=instance_type or None,
        instance_count=fields.whole("instance_count", 1, MAXIMUM_INSTANCES),
        use_spot=fields.flag("use_spot"),
    )


def parse_training(payload: object, policy: RequestPolicy, path: str) -> tuple[TrainingRequest, list[str]]:
    """Check the part of a request that says what to train with, from wherever it comes.

    Parameters
    ----------
    payload : object
        Any JSON value; None says nothing.
    policy : RequestPolicy
        What this stack allows.
    path : str
        What the faults call it.

    Returns
    -------
    TrainingRequest, list of str
        What it says, and one sentence for every field that is wrong.
    """
    problems: list[str] = []
    fields = Fields(path, {} if payload is None else payload, problems)
    found = _training(fields, policy)
    fields.refuse_unknown()
    return found, problems


def is_source(uri: str, artifacts_bucket: str) -> bool:
    """Whether a URI names a source archive where source archives may lie."""
    return uri.startswith(f"s3://{artifacts_bucket}/{SOURCES_PREFIX}") and uri.endswith(".tar.gz")


def _image(fields: Fields, policy: RequestPolicy) -> str | None:
    uri, tag = fields.text("image_uri"), fields.text("image_tag")
    if not (uri or tag):
        return None
    image = images.parse(uri or policy.default_image_uri)
    if image is None:
        fields.complain(
            "image_uri", f"is {shown(uri or '')}; it must be repository:tag or repository@sha256:digest"
        )
        return None
    if tag and not image.digest:
        if uri and image.tag and image.tag != tag:
            fields.complain(
                "image_tag", f"is {shown(tag)} but image_uri has the tag {shown(image.tag)}; give one"
            )
        tagged = images.parse(f"{image.repository}:{tag}")
        if tagged is None:
            fields.complain("image_tag", f"is {shown(tag)}, which is no image tag")
            return None
        image = tagged
    default = images.parse(policy.default_image_uri)
    allowed = (*policy.allowed_repositories, *((default.repository,) if default else ()))
    if not images.is_allowed(image, allowed):
        fields.complain(
            "image_uri",
            f"is from the repository {shown(image.repository)}; the stack's parameter "
            f"AllowedImageRepositories allows {', '.join(allowed)}",
        )
    return str(image)


def _hyperparameters(fields: Fields) -> dict[str, str]:
    values = fields.mapping("hyperparameters")
    result: dict[str, str] = {}
    for key, value in values.items():
        name = f"hyperparameters.{key[:40]}"
        if not key or len(key) > HYPERPARAMETER_KEY_LENGTH:
            fields.complain(
                name, f"has a name of {len(key)} characters; 1 to {HYPERPARAMETER_KEY_LENGTH} are possible"
            )
        elif key.startswith(RESERVED_HYPERPARAMETER):
            fields.complain(name, "is reserved; name a source with source_s3_uri and entry_point instead")
        text = hyperparameter_text(value)
        if text is None:
            fields.complain(name, f"is {shown(value)}; it must be a text, a number or a truth value")
        elif len(text) > HYPERPARAMETER_VALUE_LENGTH:
            fields.complain(
                name, f"has {len(text)} characters; at most {HYPERPARAMETER_VALUE_LENGTH} are possible"
            )
        else:
            result[key] = text
    if len(values) > HYPERPARAMETER_LIMIT:
        fields.complain(
            "hyperparameters", f"has {len(values)} entries; at most {HYPERPARAMETER_LIMIT} are possible"
        )
    total = sum(len(key) + len(text) for key, text in result.items())
    if total > HYPERPARAMETERS_TOTAL_LENGTH:
        fields.complain(
            "hyperparameters",
            f"has {total} characters in all; at most {HYPERPARAMETERS_TOTAL_LENGTH} are possible",
        )
    return result


def hyperparameter_text(value: object) -> str | None:
    """Return a hyperparameter as SageMaker's text, or None if it cannot be one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return json.dumps(value)
    return None
