"""Reading a SAM template and the parameters that samconfig.toml gives it."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from retrain.localcloud.errors import DeployError


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms (``!Ref``), which come out as the long ones."""


def _short_form(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        if name == "Fn::GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {name: value}


_Loader.add_multi_constructor("!", _short_form)
# "2012-10-17" stays a string; a date is nothing that JSON, which the template becomes, could hold.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_template(path: Path) -> dict[str, Any]:
    """Read a template, YAML or JSON.

    Raises
    ------
    DeployError
        It is not there, or is no template.
    """
    try:
        template = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506  (a SafeLoader with CloudFormation's tags)
    except FileNotFoundError:
        raise DeployError(f"There is no template {path}. Run this in the project's folder.") from None
    except yaml.YAMLError as error:
        raise DeployError(f"{path} is no valid YAML: {error}") from error
    if not isinstance(template, dict) or not isinstance(template.get("Resources"), dict):
        raise DeployError(f"{path} is no template: it has no Resources.")
    return template


def configured_parameters(folder: Path, environment: str = "local") -> dict[str, str]:
    """The ``parameter_overrides`` of an environment in ``samconfig.toml``; none where there is no such file.

    Raises
    ------
    DeployError
        The file is not readable as samconfig.toml.
    """
    path = folder / "samconfig.toml"
    try:
        content = tomllib.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except tomllib.TOMLDecodeError as error:
        raise DeployError(f"{path} is no valid TOML: {error}") from error
    section = content.get(environment, {})
    found: dict[str, str] = {}
    for command in ("global", "deploy"):
        found |= _overrides(
            section.get(command, {}).get("parameters", {}).get("parameter_overrides", []), path
        )
    return found


def _overrides(value: Any, path: Path) -> dict[str, str]:
    """Parse what SAM allows: ``"A=1 B='x y'"``, or a list of such texts, or a table."""
    if isinstance(value, Mapping):
        return {name: str(item) for name, item in value.items()}
    # In a list, too, SAM ends a value at its first space unless it is in quotes.
    texts = [value] if isinstance(value, str) else [str(text) for text in value]
    try:
        pairs = [pair for text in texts for pair in shlex.split(text)]
    except ValueError as error:
        raise DeployError(f"{path}: parameter_overrides cannot be read: {error}.") from error
    found = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if name == "ParameterKey":
            name, _, text = text.partition(",ParameterValue=")
        if not separator or not name:
            raise DeployError(
                f"{path}: parameter_overrides has {pair!r}, which is not of the form Name=Value."
            )
        found[name] = text
    return found


def parameter_defaults(template: Mapping[str, Any]) -> dict[str, str]:
    """The parameters' default values, as far as they have some."""
    declared = template.get("Parameters", {})
    return {name: str(item["Default"]) for name, item in declared.items() if "Default" in item}
