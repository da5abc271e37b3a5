"""The job's configuration, and the SM_* variables of the SageMaker training toolkit made of it.

The names and forms are those of the toolkit (github.com/aws/sagemaker-training-toolkit,
ENVIRONMENT_VARIABLES.md), so that a script written for SageMaker's own images finds what it expects.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from container.errors import ConfigurationError
from container.layout import Layout

FRAMEWORK_PREFIX = "sagemaker_"
TUNING_METRIC = "_tuning_objective_metric"
LOG_LEVEL_INFO = 20


@dataclass(frozen=True)
class JobConfig:
    """What the platform says about a training job.

    Attributes
    ----------
    hyperparameters : dict[str, Any]
        Those for the program, their values decoded.
    framework : dict[str, Any]
        Those for the container (`sagemaker_program` and its kind), their values decoded.
    channels : dict[str, Any]
        The input channels, as in inputdataconfig.json.
    resources : dict[str, Any]
        Hosts and network interface, as in resourceconfig.json.
    """

    hyperparameters: dict[str, Any] = field(default_factory=dict)
    framework: dict[str, Any] = field(default_factory=dict)
    channels: dict[str, Any] = field(default_factory=dict)
    resources: dict[str, Any] = field(default_factory=dict)

    @property
    def hosts(self) -> list[str]:
        """All hosts of the job, in the order of their ranks."""
        return [str(host) for host in self.resources.get("hosts", ["algo-1"])]

    @property
    def current_host(self) -> str:
        """The host that this container runs on."""
        return str(self.resources.get("current_host", self.hosts[0]))

    @property
    def interface(self) -> str:
        """The network interface by which the hosts reach each other."""
        return str(self.resources.get("network_interface_name", "eth0"))


def read_config(layout: Layout) -> JobConfig:
    """Read the job's JSON files; one that is missing counts as empty.

    Raises
    ------
    ConfigurationError
        If a file is no JSON object, or names no host.
    """
    raw = _read_object(layout.config / "hyperparameters.json")
    decoded = {name: _decoded(value) for name, value in raw.items()}
    framework = {name: value for name, value in decoded.items() if name.startswith(FRAMEWORK_PREFIX)}
    config = JobConfig(
        hyperparameters={
            name: value for name, value in decoded.items() if name not in framework and name != TUNING_METRIC
        },
        framework=framework,
        channels=_read_object(layout.config / "inputdataconfig.json"),
        resources=_read_object(layout.config / "resourceconfig.json"),
    )
    if not config.hosts or config.current_host not in config.hosts:
        raise ConfigurationError(
            f"resourceconfig.json: the current host {config.current_host!r} is not among the "
            f"hosts {config.hosts}."
        )
    return config


def _read_object(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        value = json.loads(path.read_text())
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{path} is no JSON: {error}.") from error
    if not isinstance(value, dict):
        raise ConfigurationError(f"{path} holds {type(value).__name__}, expected a JSON object.")
    return value


def _decoded(value: Any) -> Any:
    """Decode a hyperparameter: SDKs send JSON in a string (with quotes of its own), people plain text."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def command_line(hyperparameters: Mapping[str, Any]) -> list[str]:
    """Return the hyperparameters as arguments, as the toolkit does: `--batch-size 64 -k 3`."""
    arguments: list[str] = []
    for name, value in sorted(hyperparameters.items()):
        if isinstance(value, Mapping):
            value = ",".join(f"{key}={item}" for key, item in sorted(value.items()))
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", str(value)]
    return arguments


def program_environment(layout: Layout, config: JobConfig, program: Path, submitted: str) -> dict[str, str]:
    """Return the SM_* variables for the training program, and where it finds the other hosts.

    Parameters
    ----------
    layout : Layout
        The folders.
    config : JobConfig
        The job.
    program : Path
        The program's file.
    submitted : str
        Where its code came from: an S3 URI or a folder.
    """
    channels = {name: str(layout.channel(name)) for name in sorted(config.channels)}
    module = program.stem
    training_env: dict[str, Any] = {
        "additional_framework_parameters": config.framework,
        "channel_input_dirs": channels,
        "current_host": config.current_host,
        "current_instance_group": config.resources.get("current_group_name", "homogeneousCluster"),
        "current_instance_type": config.resources.get("current_instance_type", ""),
        "framework_module": "container.train:main",
        "hosts": config.hosts,
        "hyperparameters": config.hyperparameters,
        "input_config_dir": str(layout.config),
        "input_data_config": config.channels,
        "input_dir": str(layout.input),
        "is_master": config.current_host == config.hosts[0],
        "job_name": os.environ.get("TRAINING_JOB_NAME", ""),
        "log_level": _decoded_level(config.framework.get("sagemaker_container_log_level", LOG_LEVEL_INFO)),
        "master_hostname": config.hosts[0],
        "model_dir": str(layout.model),
        "module_dir": submitted,
        "module_name": module,
        "network_interface_name": config.interface,
        "num_cpus": _cpu_count(),
        "num_gpus": _gpu_count(),
        "output_data_dir": str(layout.output / "data"),
        "output_dir": str(layout.output),
        "output_intermediate_dir": str(layout.output / "intermediate"),
        "resource_config": config.resources,
        "user_entry_point": program.name,
    }
    renamed = {
        "additional_framework_parameters": "framework_params",
        "hyperparameters": "hps",
        "channel_input_dirs": None,  # told one by one, below
        "is_master": None,
        "job_name": None,
        "master_hostname": None,
    }
    variables = {"SM_TRAINING_ENV": _encoded(training_env), "SM_CHANNELS": _encoded(sorted(channels))}
    for name, value in training_env.items():
        short = renamed.get(name, name)
        if short is not None:
            variables[f"SM_{short.upper()}"] = _encoded(value)
    variables |= {f"SM_CHANNEL_{name.upper()}": path for name, path in channels.items()}
    variables |= {f"SM_HP_{name.upper()}": _encoded(value) for name, value in config.hyperparameters.items()}
    variables["SM_USER_ARGS"] = _encoded(command_line(config.hyperparameters))
    return variables | _meeting_point(config)


def _meeting_point(config: JobConfig) -> dict[str, str]:
    """Return where torch.distributed meets, leaving alone what the platform has set."""
    wanted = {"MASTER_ADDR": config.hosts[0], "MASTER_PORT": "7777"}
    if config.interface in {name for _, name in socket.if_nameindex()}:
        wanted |= {"NCCL_SOCKET_IFNAME": config.interface, "GLOO_SOCKET_IFNAME": config.interface}
    return {name: os.environ.get(name) or value for name, value in wanted.items()}


def _encoded(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _decoded_level(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return LOG_LEVEL_INFO


def _cpu_count() -> int:
    # The cores that this process may use, which can be fewer than the machine has.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _gpu_count() -> int:
    # Asked of the driver, since importing torch to ask it takes longer than all else here.
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return 0
    listed = subprocess.run([tool, "--list-gpus"], capture_output=True, text=True, check=False)
    return (
        sum(line.startswith("GPU ") for line in listed.stdout.splitlines()) if listed.returncode == 0 else 0
    )
