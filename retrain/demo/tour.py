"""The tour: what `retrain demo` does, act by act, telling as it goes."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.text import Text

from retrain.aws import Stack
from retrain.cli import predict, watch
from retrain.cli.output import Output
from retrain.cli.render import percent
from retrain.datasets import files, mnist
from retrain.datasets.spoil import spoil_folder
from retrain.demo import accounts, stage
from retrain.demo.choice import most_typical
from retrain.demo.subscriber import Notification, Subscriber, subscribe
from retrain.demo.timing import Stopwatch
from retrain.errors import DemoError
from retrain.operations import follow, ledger, upload
from retrain.operations import predict as asking
from retrain.operations.follow import RunEnded
from retrain.operations.predict import Answer, Picture
from retrain.operations.times import now
from retrain.project import project_root, state_dir

DATASET = "mnist"
ACCURACY_BAR = 0.977  # what the published AWS example reaches in six epochs
SMALL_ACCURACY_BAR = 0.95  # with 4,000 training images; the gate's own threshold, too
SMALL_PARAMETERS = {
    "TrainingHyperparameters": '{"epochs": "30"}'
}  # as many steps as two epochs of 60,000 images
COUNTED_DIGITS = 1000
START_SECONDS = 60.0
RUN_SECONDS = 900.0


def run(output: Output) -> None:
    """Give the whole tour.

    Parameters
    ----------
    output : Output
        Where it is told.

    Raises
    ------
    DemoError
        Something did not turn out as it must: the model too bad, an answer wrong, spoiled data not refused,
        the champion replaced.
    """
    root = project_root()
    folder = state_dir(root) / "demo"
    with stage.stopped_by_signals(), tempfile.TemporaryDirectory(prefix="retrain-demo-") as scratch:
        tour = _Tour(output, root, folder, Path(scratch), Stopwatch(stage.process_start()))
        try:
            tour.give()
        except BaseException:
            output.say(
                f"The demo ended early. Nothing of it runs any more; its log is {folder / 'server.log'}."
            )
            raise


@dataclass
class _Tour:
    output: Output
    root: Path
    folder: Path
    scratch: Path
    clock: Stopwatch = field(default_factory=Stopwatch)
    notifications: list[Notification] = field(default_factory=list)
    acts: int = 0

    def give(self) -> None:
        self.tell(
            "From an upload to a live endpoint. All of it happens on this machine, without an AWS account."
        )
        with ExitStack() as closing:
            remarks: list[str] = []
            fetching = _in_background(lambda: self.fetch(remarks))
            self.begin("A local cloud, and template.yaml deployed into it")
            with self.clock.measure(accounts.CLOUD):
                stack = closing.enter_context(stage.local_cloud(self.folder, self.root, self.tell))
            self.tell("(MNIST is fetched meanwhile.)")
            data = self.show_data(fetching, remarks)
            self.adapt(stack, data)
            subscriber = self.prepare(stack, data)
            end = self.first_run(stack, data, subscriber)
            questions, answers = self.ask(stack, data)
            champion = _serving(stack)
            self.spoiled_run(stack, data, subscriber)
            self.same_champion(stack, end.run_id, champion, questions, answers)
            self.show_notifications()
            self.begin("Stop everything")
            with self.clock.measure(accounts.STOPPING):
                closing.close()
            self.tell("The local cloud is stopped, and the endpoint with it.")
        self.output.indent = ""
        self.output.print()
        for line in accounts.close(self.clock, (self.clock.started_at, now())).lines():
            self.tell(line)

    def begin(self, title: str) -> None:
        self.acts += 1
        self.output.indent = ""
        self.output.print()
        self.output.print(Text(f"{self.acts}. {title}", style="bold"))
        self.output.indent = "   "

    def tell(self, text: str) -> None:
        self.output.print(Text(text))

    def fetch(self, remarks: list[str]) -> mnist.Mnist:
        with self.clock.measure(accounts.DATA):
            return mnist.fetch(say=remarks.append)

    def show_data(self, fetching: Future[mnist.Mnist], remarks: list[str]) -> mnist.Mnist:
        self.begin("The data")
        data = fetching.result()
        for remark in remarks:
            self.tell(remark)
        self.tell(
            f"{data.train_count:,} images to train on and {data.test_count:,} to judge by, from "
            f"{data.source}."
        )
        return data

    def adapt(self, stack: Stack, data: mnist.Mnist) -> None:
        """Let a small dataset be passed over more often, and say that less is asked of the model."""
        if data.is_complete:
            return
        self.tell(
            "Neither torchvision's mirrors nor npm gave all 70,000 images, so these 5,000 real ones must do."
        )
        self.tell(
            f"A model learns less from them: this demo asks for {percent(SMALL_ACCURACY_BAR, 1)}, not "
            f"{percent(ACCURACY_BAR, 1)}."
        )
        with self.clock.measure(accounts.CLOUD):
            stage.redeploy(stack, self.root, self.folder, SMALL_PARAMETERS)

    def prepare(self, stack: Stack, data: mnist.Mnist) -> Subscriber:
        self.begin("The holdout that every model is judged by, and a subscriber to the notifications")
        with self.clock.measure(accounts.UPLOADS):
            _, holdout = mnist.folders(data, files.cache_folder())
            plan = upload.plan(stack, holdout, DATASET, holdout=True)
            upload.send(stack, plan)
        self.tell(f"{data.test_count:,} test images, their labels and labels.csv are in {plan.uri}")
        subscriber = subscribe(stack, "retrain-demo-subscriber")
        self.tell("An SQS queue subscribes to the stack's SNS topic.")
        return subscriber

    def first_run(self, stack: Stack, data: mnist.Mnist, subscriber: Subscriber) -> RunEnded:
        training, _ = mnist.folders(data, files.cache_folder())
        self.begin(f"Upload {data.train_count:,} images: a run begins by itself")
        end = self.upload_and_watch(stack, training, subscriber)
        if end.outcome != "DEPLOYED":
            raise DemoError(
                f"The model trained on good data ended as {end.outcome}, not DEPLOYED: {end.reason}"
            )
        bar = ACCURACY_BAR if data.is_complete else SMALL_ACCURACY_BAR
        accuracy = float(end.record["decision"]["metrics"]["challenger"]["accuracy"])
        reached = f"The accuracy on the {data.test_count:,} test images is {percent(accuracy, 2)}"
        if accuracy < bar:
            raise DemoError(f"{reached}, below {percent(bar, 1)}.")
        self.tell(f"{reached}; this demo asks for {percent(bar, 1)}.")
        accounts.add_endpoint(self.clock, stack, stack.endpoint_name(DATASET))
        return end

    def upload_and_watch(self, stack: Stack, folder: Path, subscriber: Subscriber) -> RunEnded:
        known, triggers = follow.known_runs(stack), follow.known_triggers(stack)
        with self.clock.measure(accounts.UPLOADS):
            plan = upload.plan(stack, folder, DATASET)
            upload.send(stack, plan)
            marker = upload.close_batch(stack, plan)
        self.tell(
            f"{plan.total_bytes:,} bytes are in {plan.uri}, and {marker.rsplit('/', 1)[-1]} closes the batch."
        )
        run_id = follow.wait_for_new_run(
            stack, known, dataset=DATASET, timeout=START_SECONDS, known_triggers=triggers
        )
        end = watch.show(self.output, stack, run_id, timeout=RUN_SECONDS)
        self.notifications.append(subscriber.receive())
        accounts.add_run(self.clock, stack, run_id)
        return end

    def ask(self, stack: Stack, data: mnist.Mnist) -> tuple[list[tuple[Picture, int | None]], list[Answer]]:
        endpoint = stack.endpoint_name(DATASET)
        self.begin(f"Ask the endpoint {endpoint} through sagemaker-runtime")
        self.tell("Of each class, the test image that is nearest to the mean of its class:")
        images, labels = data.images(mnist.TEST_IMAGES), data.images(mnist.TEST_LABELS)
        rows = most_typical(images, labels)
        questions: list[tuple[Picture, int | None]] = [
            (asking.picture(images[row], f"test image {row}"), int(labels[row])) for row in rows
        ]
        with self.clock.measure(accounts.ASKING):
            answers = [asking.ask(stack, endpoint, picture) for picture, _ in questions]
            count = min(COUNTED_DIGITS, len(labels))
            many = asking.ask_all(stack, endpoint, images[:count])
        predict.show_answers(self.output, questions, answers)
        right = sum(
            answer.label == truth for answer, truth in zip(many, labels[:count].tolist(), strict=True)
        )
        self.tell(f"Of the first {count:,} test images, sent in one request, it gets {right:,} right.")
        wrong = [
            str(truth) for (_, truth), answer in zip(questions, answers, strict=True) if answer.label != truth
        ]
        if wrong:
            raise DemoError(f"The endpoint's answer for the shown {' and '.join(wrong)} is wrong.")
        return questions, answers

    def spoiled_run(self, stack: Stack, data: mnist.Mnist, subscriber: Subscriber) -> None:
        self.begin(
            "Upload the same images with a third of the labels wrong: the gate refuses what comes of it"
        )
        training, _ = mnist.folders(data, files.cache_folder())
        with self.clock.measure(accounts.DATA):
            spoiled = spoil_folder(training, self.scratch / "spoiled")
        self.tell(f"{spoiled.wrong:,} of {spoiled.total:,} labels are replaced by wrong ones.")
        end = self.upload_and_watch(stack, spoiled.folder, subscriber)
        if end.outcome != "REJECTED":
            raise DemoError(
                f"The model trained on wrong labels ended as {end.outcome}, not REJECTED: {end.reason}"
            )

    def same_champion(
        self,
        stack: Stack,
        run_id: str,
        before: dict[str, Any],
        questions: list[tuple[Picture, int | None]],
        answers: list[Answer],
    ) -> None:
        endpoint = stack.endpoint_name(DATASET)
        self.begin("The endpoint still serves the champion")
        after = _serving(stack)
        with self.clock.measure(accounts.ASKING):
            again = [asking.ask(stack, endpoint, picture) for picture, _ in questions]
        champion = ledger.champion(stack, endpoint) or {}
        if before != after or champion.get("run_id") != run_id:
            raise DemoError(
                f"The endpoint serves {after}, the ledger's champion is {champion.get('run_id')}; it was "
                f"{before}."
            )
        if again != answers:
            raise DemoError("The endpoint answers otherwise than before the spoiled data came.")
        self.tell(
            f"It is {after['EndpointStatus']} with the same endpoint config, {after['EndpointConfigName']}."
        )
        self.tell(
            f"The champion is the run {run_id}, and all {len(again)} answers are the same, to the last digit."
        )

    def show_notifications(self) -> None:
        self.begin("The notifications, as the subscriber received them")
        for number, notification in enumerate(self.notifications):
            if number:
                self.output.print()
            attributes = ", ".join(
                f"{name}={value}" for name, value in sorted(notification.attributes.items())
            )
            self.tell(f"Subject: {notification.subject}")
            self.tell(f"Attributes: {attributes}")
            for line in notification.message.splitlines():
                self.tell(f"| {line}".rstrip())


def _in_background(work: Callable[[], mnist.Mnist]) -> Future[mnist.Mnist]:
    """Start to work on a thread that a demo which ends early does not wait for."""
    future: Future[mnist.Mnist] = Future()

    def run_and_tell() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 (it is raised where the result is asked for)
            future.set_exception(error)

    threading.Thread(target=run_and_tell, daemon=True).start()
    return future


def _serving(stack: Stack) -> dict[str, Any]:
    """Return what the endpoint serves, as SageMaker describes it."""
    name = stack.endpoint_name(DATASET)
    with stack.explained_errors(f"describing the endpoint {name}"):
        endpoint = stack.client("sagemaker").describe_endpoint(EndpointName=name)
    return {key: endpoint[key] for key in ("EndpointStatus", "EndpointConfigName")}
