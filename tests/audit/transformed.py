"""The templates as CloudFormation gets them: template.yaml after SAM's transformation.

    python tests/audit/transformed.py FOLDER

writes them to a folder, for tools that know CloudFormation but not what SAM makes of a function.
"""

from __future__ import annotations

import copy
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

PROJECT = Path(__file__).resolve().parents[2]
MAIN, PIPELINE = "template.yaml", "cicd/template.yaml"
_LOCAL = ("CodeUri", "ContentUri", "DefinitionUri")


@cache
def _transformed(name: str) -> dict[str, Any]:
    template: dict[str, Any] = yaml_parse((PROJECT / name).read_text(encoding="utf-8"))
    if "Transform" not in template:
        return template
    shared = template.get("Globals", {}).values()
    for properties in (*shared, *(each["Properties"] for each in template["Resources"].values())):
        # As after packaging; what is in the archives does not matter here.
        properties.update({each: "s3://packaged/archive" for each in _LOCAL if each in properties})
    # SAM asks IAM for managed policies by their names; the templates name none.
    translator = Translator(None, Parser(), boto_session=boto3.Session(region_name="us-east-1"))
    made: dict[str, Any] = translator.translate(
        template, {}, passthrough_metadata=True, get_managed_policy_map=dict
    )
    return made


def transformed(name: str = MAIN) -> dict[str, Any]:
    """Return a template after SAM's transformation, for the caller to change as it likes."""
    return copy.deepcopy(_transformed(name))


def main(folder: Path) -> None:
    """Write both templates to a folder."""
    for name in (MAIN, PIPELINE):
        path = (folder / name).with_suffix(".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(transformed(name), indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
