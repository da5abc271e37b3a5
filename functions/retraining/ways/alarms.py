"""A CloudWatch alarm went to ALARM: the data has drifted, or the model's quality has.

An alarm on a metric of one of this stack's endpoints is about that endpoint's dataset. Any other is about the
datasets of the parameter RetrainDatasets. The alarms that watch Retrain itself start nothing, whatever the
parameter AlarmNames says: a run that fails would otherwise start the next.
"""

from collections.abc import Mapping
from typing import Any

from retraining import alarm_news, names
from retraining.settings import Settings
from retraining.ways import reading
from retraining.ways.reading import Ignored
from retraining.wishes import Asked

EVENT = ("aws.cloudwatch", "CloudWatch Alarm State Change")

ENDPOINT_DIMENSION = "EndpointName"
"""What SageMaker calls the endpoint in the dimensions of its metrics."""


def read(event: Mapping[str, Any], settings: Settings) -> Ignored | list[Asked]:
    """Read an alarm's change of state."""
    detail = reading.section(event, "detail")
    alarm, state = reading.text(detail, "alarmName"), reading.text(reading.section(detail, "state"), "value")
    if state != "ALARM":
        return Ignored(f"the alarm {alarm} went to {state}")
    if alarm_news.is_own(alarm, settings.stack_name):
        return Ignored(
            f"the alarm {alarm} watches Retrain itself: it rings because runs fail, and starts none"
        )
    datasets = _of_endpoints(detail, settings.stack_name) or reading.configured(settings)
    if not datasets:
        return Ignored(f"the alarm {alarm} is on no endpoint of this stack, and {reading.NO_DATASETS}")
    return reading.for_each(datasets, event, "alarm", {}, about={"alarm": alarm})


def _of_endpoints(detail: Mapping[str, Any], stack_name: str) -> tuple[str, ...]:
    """The datasets whose endpoints the alarm's metrics are about."""
    configuration = detail.get("configuration")
    metrics = configuration.get("metrics") if isinstance(configuration, Mapping) else None
    found = []
    for entry in metrics if isinstance(metrics, list) else []:
        value: Any = entry
        for name in ("metricStat", "metric", "dimensions"):
            value = value.get(name) if isinstance(value, Mapping) else None
        endpoint = value.get(ENDPOINT_DIMENSION) if isinstance(value, Mapping) else None
        dataset = str(endpoint or "").removeprefix(f"{stack_name}-")
        # An endpoint is named after its dataset in whole: the longest names of both fit together.
        if endpoint == f"{stack_name}-{dataset}" and names.is_name(dataset, names.DATASET_NAME_LIMIT):
            found.append(dataset)
    return tuple(dict.fromkeys(found))
