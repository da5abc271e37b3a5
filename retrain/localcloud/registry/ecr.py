"""MiniStack's ECR, and how it answers."""

from __future__ import annotations

from typing import Any

from retrain.localcloud import seams

ECR = "ministack.services.ecr"

for _name, _parameters in {
    "_repositories": None,
    "_images": None,
    "_create_repository": "data",
    "_find_image": "repo_name image_id",
    "_put_image": "data",
    "_v2_put_manifest": "name ref headers body",
    "_describe_images": "data",
    "_batch_get_image": "data",
    "_list_images": "data",
    "_describe_repositories": "data",
    "json_response": "data status content_type",
    "error_response_json": "code message status extra message_key content_type",
}.items():
    seams.expect(ECR, _name, _parameters)


def module() -> Any:
    """MiniStack's module."""
    return seams.module(ECR)


def answer(body: dict[str, Any]) -> seams.Response:
    """A successful answer."""
    response: seams.Response = module().json_response(body)
    return response


def error(code: str, message: str) -> seams.Response:
    """An error in ECR's manner."""
    response: seams.Response = module().error_response_json(code, message, 400)
    return response
