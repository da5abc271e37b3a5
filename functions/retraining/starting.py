"""Start: the one way in which anything that arrives becomes a run, or a reason why it does not.

Whoever asks gives its trigger an id, and however often it asks under that id, one run comes of it at most:
what is about to be done is written down before it is done, and what is written down is never decided again.
The run's name is made of its content, so that Step Functions itself refuses a second one.
"""

from datetime import datetime, timedelta
from typing import Any

from retraining import delayed, guards, messages, names, plans, preparation, repeats, requests, triggers
from retraining.errors import (
    AwsError,
    ContendedError,
    DatasetEmptyError,
    ListingUnorderedError,
    RetrainError,
    SettingsError,
)
from retraining.executions import from_datetime
from retraining.ports import Ports
from retraining.preparation import Subject
from retraining.repeats import Repeat
from retraining.settings import Settings
from retraining.wishes import (
    DUPLICATE,
    EMPTY,
    QUIET_PERIOD,
    REFUSED,
    RESULTS,
    SKIPPED,
    STARTED,
    WAITING,
    Answer,
    Asked,
)

__all__ = [
    "DUPLICATE",
    "EMPTY",
    "QUIET_PERIOD",
    "REFUSED",
    "RESULTS",
    "SKIPPED",
    "STARTED",
    "WAITING",
    "Answer",
    "Asked",
    "ask",
    "refuse",
]


_TELLING = timedelta(seconds=10)
"""How long telling people may take before somebody else does it."""


def ask(asked: Asked, settings: Settings, ports: Ports) -> Answer:
    """Start a run, or say why none is started; write down which.

    Parameters
    ----------
    asked : Asked
        The wish.
    settings : Settings
        The stack's.
    ports : Ports
        The world.

    Returns
    -------
    Answer
        The same as before if the wish was delivered before.

    Raises
    ------
    AwsError, ContendedError, SettingsError
        Nothing could be decided; ask again later. Nothing is lost or done twice.
    """
    trigger = triggers.record(asked, ports.clock())
    known = ports.ledger.get_trigger(trigger["trigger_id"])
    if known is not None:
        if known["result"] != WAITING:
            return _start(known, ports)
        trigger |= {name: known[name] for name in ("started_at", "looks") if name in known}
    try:
        request = requests.parse(asked_request(asked), plans.request_policy(settings))
        trigger["dataset"] = request.dataset
        subject = preparation.examine(
            request, settings, ports.storage, ports.registry, ports.ledger, ports.clock
        )
    except (AwsError, ListingUnorderedError, SettingsError):
        raise  # it says nothing about the wish
    except DatasetEmptyError as error:
        return _report_empty(trigger, error, ports)
    except RetrainError as error:
        return _refuse(trigger, str(error), ports)
    trigger |= {"dataset_version": subject.dataset.digest, "file_count": subject.dataset.file_count}
    found = repeats.find(subject.key, ports.ledger, ports.machine)
    if not request.force:
        repeated = _repeated(found, asked)
        if repeated is not None:
            return _conclude(trigger, repeated, ports)
    return _start_next(trigger, subject, found, asked, settings, ports)


def refuse(asked: Asked, reason: str, ports: Ports) -> Answer:
    """Refuse a wish that cannot become a request, and tell people; what was answered before stands."""
    trigger = triggers.record(asked, ports.clock())
    known = ports.ledger.get_trigger(trigger["trigger_id"])
    if known is not None and known["result"] != WAITING:
        return _start(known, ports)
    return _refuse(trigger, reason, ports)


def asked_request(asked: Asked) -> dict[str, Any]:
    """Return the request with the trigger that it really came from."""
    return {**asked.payload, "trigger": {"kind": asked.kind, "id": asked.id, "time": asked.time}}


def _repeated(found: Repeat, asked: Asked) -> Answer | None:
    """Tell a wish for what is running, has run, or has failed since the wish came up."""
    if found.fate == repeats.RUNNING:
        return Answer(DUPLICATE, found.run_id, f"The same content is run {found.run_id}, which is under way.")
    if found.fate == repeats.ENDED:
        return Answer(
            SKIPPED,
            found.run_id,
            f"The same data, holdout, image and program have run already: {found.run_id}.",
        )
    if found.fate == repeats.FAILED and not repeats.is_newer(asked.time, found.ended_at):
        return Answer(SKIPPED, found.run_id, f"Run {found.run_id} failed on the same content after this.")
    return None


def _start_next(
    trigger: dict[str, Any], subject: Subject, found: Repeat, asked: Asked, settings: Settings, ports: Ports
) -> Answer:
    """Start the key's next attempt, if the guards let it pass."""
    request = subject.request
    if request.force:
        run_id = names.forced_execution_name(request.dataset, subject.key, trigger["trigger_id"])
    else:
        run_id = names.execution_name(request.dataset, subject.key, found.next_attempt)
    obstacle = guards.enter(request.dataset, run_id, settings.guards, ports)
    if obstacle is not None and obstacle.passes:
        return _wait(trigger, obstacle.reason, asked, ports)
    if obstacle is not None:
        return _refuse(trigger, obstacle.reason, ports)
    if not ports.ledger.claim_key(subject.key, run_id, found.next_attempt, found.run_id or None):
        raise ContendedError(
            f"Something else is about to start a run of the same content of {request.dataset}: asking again "
            "settles it."
        )
    trigger |= {
        "result": triggers.STARTING,
        "run_id": run_id,
        "retrain_key": subject.key,
        "forced": request.force,
        "request": _pinned(asked_request(asked), subject),
    }
    return _start(ports.ledger.intend(trigger), ports)


def _start(trigger: dict[str, Any], ports: Ports) -> Answer:
    """Start the execution that a trigger's record names, or find that it has been."""
    if triggers.is_final(trigger):
        return _answer(trigger, ports)
    run_id = str(trigger["run_id"])
    if not ports.machine.start(run_id, trigger["request"]):
        known = ports.machine.describe(run_id)
        if known is None:
            raise ContendedError(f"Run {run_id} exists, but cannot be seen yet: asking again settles it.")
        if known.trigger_id != trigger["trigger"]["id"]:
            reason = f"The same content is run {run_id}, which something else has asked for as well."
            return _decide(trigger, Answer(DUPLICATE, run_id, reason), ports)
    reason = (
        "The same content runs once more, because it was forced." if trigger["forced"] else "New content."
    )
    return _decide(trigger, Answer(STARTED, run_id, reason), ports)


def _pinned(request: dict[str, Any], subject: Subject) -> dict[str, Any]:
    """Return the request with the image by its digest: a tag that moves meanwhile changes nothing."""
    training = {name: value for name, value in (request.get("training") or {}).items() if name != "image_tag"}
    return {**request, "training": {**training, "image_uri": subject.plan.image_uri}}


def _wait(trigger: dict[str, Any], reason: str, asked: Asked, ports: Ports) -> Answer:
    """Keep a wish until there is room for it.

    People are told once, and not if it was a matter of seconds: the run before may just be telling its end.
    """
    looks = int(trigger.get("looks", 0))
    trigger |= {"result": WAITING, "reason": reason, "looks": looks + 1}
    # First of all, and only if another delivery has not started it meanwhile: what is started stays so.
    standing = ports.ledger.intend(trigger)
    if standing != trigger:
        return _start(standing, ports)
    if not asked.asks_again:
        ports.delays.send(delayed.wish(asked), delayed.patience(looks))
    if looks == 1:
        message = messages.of_trigger(trigger)
        ports.topic.publish(message.subject, message.body, message.attributes)
        ports.ledger.intend({**trigger, "told": True})
    return Answer(WAITING, "", reason)


def _refuse(trigger: dict[str, Any], reason: str, ports: Ports) -> Answer:
    """Refuse, and tell people."""
    return _conclude(trigger, Answer(REFUSED, "", reason), ports, tells=True)


def _report_empty(trigger: dict[str, Any], error: DatasetEmptyError, ports: Ports) -> Answer:
    """Say that there is nothing to train on; whoever has deleted the last file knows that."""
    answer = Answer(EMPTY, "", str(error))
    if error.file_count or trigger.get("closed_by") != QUIET_PERIOD:
        return _conclude(trigger, answer, ports, tells=True)
    return _conclude(trigger, answer, ports)


def _decide(trigger: dict[str, Any], answer: Answer, ports: Ports) -> Answer:
    """Write down what came of a trigger that was to be started."""
    ports.ledger.put_trigger(_decided(trigger, answer, ports))
    return answer


def _conclude(trigger: dict[str, Any], answer: Answer, ports: Ports, *, tells: bool = False) -> Answer:
    """Write down that nothing is started for a trigger, unless another delivery of it was faster.

    People who are to be told are told once, also if two deliveries come to the same conclusion at a time.
    """
    decided = _decided(trigger, answer, ports) | ({"told": False} if tells else {})
    standing = ports.ledger.intend(decided)
    if standing != decided:
        return _start(standing, ports)
    if tells:
        _tell(decided, ports)
    return answer


def _decided(trigger: dict[str, Any], answer: Answer, ports: Ports) -> dict[str, Any]:
    kept = {name: value for name, value in trigger.items() if name != "request"}
    return {
        **kept,
        "result": answer.result,
        "run_id": answer.run_id or None,
        "reason": answer.reason,
        "decided_at": from_datetime(ports.clock()),
    }


def _tell(trigger: dict[str, Any], ports: Ports) -> None:
    """Tell people, and write down that they were told."""
    message = messages.of_trigger(trigger)
    ports.topic.publish(message.subject, message.body, message.attributes)
    ports.ledger.put_trigger({**trigger, "told": True})


def _answer(known: dict[str, Any], ports: Ports) -> Answer:
    """Return what was decided, after telling people if whoever decided it was cut off before."""
    if known.get("told") is False:
        if datetime.fromisoformat(known["decided_at"]) + _TELLING > ports.clock():
            raise ContendedError("People are being told of the same trigger at this moment.")
        _tell(known, ports)
    return Answer(str(known["result"]), str(known.get("run_id") or ""), str(known.get("reason") or ""))
