"""The URIs of AWS's own images, for training and serving in script mode.

Accounts, repositories and tags are those of the SageMaker SDK's `image_uri_config` and of AWS's list of deep
learning containers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from retrain.workflow.errors import EstimatorError

_CONTAINERS: Final = "763104351884"
_CONTAINERS_ELSEWHERE: Final = {
    "af-south-1": "626614931356",
    "ap-east-1": "871362719292",
    "ap-northeast-3": "364406365360",
    "cn-north-1": "727897471807",
    "cn-northwest-1": "727897471807",
    "eu-south-1": "692866216735",
    "me-south-1": "217643126080",
    "us-gov-west-1": "442386744353",
    "us-iso-east-1": "886529160074",
}
"""Accounts of the deep learning containers, where it is not the usual one."""
_FRAMEWORKS: Final = {
    "af-south-1": "510948584623",
    "ap-east-1": "651117190479",
    "ap-northeast-1": "354813040037",
    "ap-northeast-2": "366743142698",
    "ap-northeast-3": "867004704886",
    "ap-south-1": "720646828776",
    "ap-south-2": "628508329040",
    "ap-southeast-1": "121021644041",
    "ap-southeast-2": "783357654285",
    "ap-southeast-3": "951798379941",
    "ap-southeast-4": "106583098589",
    "ca-central-1": "341280168497",
    "cn-north-1": "450853457545",
    "cn-northwest-1": "451049120500",
    "eu-central-1": "492215442770",
    "eu-central-2": "680994064768",
    "eu-north-1": "662702820516",
    "eu-south-1": "978288397137",
    "eu-south-2": "104374241257",
    "eu-west-1": "141502667606",
    "eu-west-2": "764974769150",
    "eu-west-3": "659782779980",
    "me-central-1": "272398656194",
    "me-south-1": "801668240914",
    "sa-east-1": "737474898029",
    "us-east-1": "683313688378",
    "us-east-2": "257758044811",
    "us-gov-east-1": "237065988967",
    "us-gov-west-1": "414596584902",
    "us-iso-east-1": "833128469047",
    "us-isob-east-1": "281123927165",
    "us-west-1": "746614075791",
    "us-west-2": "246618743249",
}
"""Accounts of the images of scikit-learn and XGBoost."""

Version = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Framework:
    """Where a framework's images are.

    Attributes
    ----------
    training, inference
        The repositories.
    regional
        Account by region; empty for the deep learning containers.
    pythons
        The Python of the images, by the first version of the framework that has it.
    newest
        The last version whose images are named in this way.
    newest_inference
        The last version that there are images for serving of.
    gpu
        Whether there are images for GPUs.
    """

    training: str
    inference: str
    regional: Mapping[str, str]
    pythons: tuple[tuple[Version, str], ...]
    newest: Version | None = None
    newest_inference: tuple[Version, str] | None = None
    gpu: bool = True


FRAMEWORKS: Final[Mapping[str, Framework]] = {
    "PyTorch": Framework(
        "pytorch-training",
        "pytorch-inference",
        {},
        (
            ((1, 2), "py3"),
            ((1, 9), "py38"),
            ((1, 13), "py39"),
            ((2, 0), "py310"),
            ((2, 3), "py311"),
            ((2, 6), "py312"),
            ((2, 10), "py313"),
        ),
        newest=(2, 10),
        newest_inference=((2, 6), "2.6.0-{processor}-py312"),
    ),
    "TensorFlow": Framework(
        "tensorflow-training",
        "tensorflow-inference",
        {},
        (((2, 1), "py3"), ((2, 2), "py37"), ((2, 6), "py38"), ((2, 8), "py39"), ((2, 12), "py310")),
    ),
    "SKLearn": Framework(
        "sagemaker-scikit-learn", "sagemaker-scikit-learn", _FRAMEWORKS, (((0,), "py3"),), gpu=False
    ),
    "XGBoost": Framework("sagemaker-xgboost", "sagemaker-xgboost", _FRAMEWORKS, (((0,), "py3"),), gpu=False),
}
"""The frameworks whose images are known here; give `image_uri` for any other."""


def framework_image(
    name: str,
    *,
    version: str,
    py_version: str | None,
    region: str,
    instance_type: str | None,
    inference: bool = False,
) -> str:
    """Return the URI of a framework's image.

    Parameters
    ----------
    name
        A key of `FRAMEWORKS`.
    version
        The framework's version, such as `2.6.0`.
    py_version
        Such as `py312`; None for that of the version's images.
    region
        Where the image is pulled.
    instance_type
        What it runs on: decides between the images for CPU and GPU.
    inference
        Whether it is to serve.

    Raises
    ------
    EstimatorError
        There is no such image, or it is named in a way that is not known here.
    """
    framework = FRAMEWORKS[name]
    number = _number(name, version)
    processor = "gpu" if framework.gpu and is_gpu(instance_type) else "cpu"
    if framework.newest is not None and number[: len(framework.newest)] > framework.newest:
        raise EstimatorError(
            f"{name} {version}: AWS names the images after {'.'.join(map(str, framework.newest))} in another "
            "way. Give image_uri, from AWS's list of deep learning containers."
        )
    if inference and framework.newest_inference is not None and number[:2] > framework.newest_inference[0]:
        tag = framework.newest_inference[1].format(processor=processor)
    elif framework.regional:
        tag = f"{version}-{processor}-{py_version or _python(framework, number, name, version)}"
    elif name == "TensorFlow" and inference:
        tag = f"{version}-{processor}"
    else:
        tag = f"{version}-{processor}-{py_version or _python(framework, number, name, version)}"
    repository = framework.inference if inference else framework.training
    return f"{_account(framework, region, name)}.dkr.ecr.{region}.{_suffix(region)}/{repository}:{tag}"


def is_gpu(instance_type: str | None) -> bool:
    """Whether an instance type has GPUs: `ml.p3.2xlarge`, `ml.g5.xlarge`."""
    return bool(re.match(r"ml\.(p|g)\d", instance_type or "")) and not re.match(
        r"ml\.g5g\.", instance_type or ""
    )


def _number(name: str, version: str) -> Version:
    if not re.fullmatch(r"\d+(\.\d+)+(-\d+)?", version):
        raise EstimatorError(f"{name}: the framework_version is such as '2.6.0'; not {version!r}.")
    return tuple(int(part) for part in version.split("-")[0].split("."))


def _python(framework: Framework, number: Version, name: str, version: str) -> str:
    fitting = [python for since, python in framework.pythons if number >= since]
    if not fitting:
        raise EstimatorError(f"{name} {version}: give image_uri, or py_version: images so old are not known.")
    return fitting[-1]


def _account(framework: Framework, region: str, name: str) -> str:
    if not framework.regional:
        return _CONTAINERS_ELSEWHERE.get(region, _CONTAINERS)
    if region not in framework.regional:
        raise EstimatorError(
            f"{name}: it is not known whose account has its images in {region}: give image_uri."
        )
    return framework.regional[region]


def _suffix(region: str) -> str:
    if region.startswith("cn-"):
        return "amazonaws.com.cn"
    return {"us-iso-": "c2s.ic.gov", "us-isob": "sc2s.sgov.gov"}.get(region[:7], "amazonaws.com")
