"""Tags of everything that has an ARN."""

from __future__ import annotations

import re
from typing import Any

from retrain.localcloud.sagemaker.errors import InvalidRequestError
from retrain.localcloud.sagemaker.store import Collection, Store

MAX_TAGS = 50
_ARN = re.compile(r"^arn:aws[a-z-]*:sagemaker:[a-z0-9-]+:\d{12}:(?P<kind>[a-z-]+)/(?P<name>.+)$")


class Tags:
    """AddTags, ListTags and DeleteTags.

    Parameters
    ----------
    store
        The records that are tagged.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def _find(self, arn: str) -> tuple[Collection, str]:
        match = _ARN.match(arn)
        collection = self._store.by_kind().get(match["kind"]) if match else None
        if match is None or collection is None or match["name"] not in collection:
            raise InvalidRequestError(f"Could not find the resource {arn}.")
        return collection, match["name"]

    def add(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer AddTags: with all tags that the resource has now."""
        collection, name = self._find(parameters["ResourceArn"])
        with collection.edit(name) as record:
            tags = {tag["Key"]: tag["Value"] for tag in record.get("Tags") or []}
            tags |= {tag["Key"]: tag["Value"] for tag in parameters["Tags"]}
            if len(tags) > MAX_TAGS:
                raise InvalidRequestError(f"A resource can have at most {MAX_TAGS} tags.")
            record["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {"Tags": record["Tags"]}

    def list_all(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer ListTags; all of them, as there are few."""
        collection, name = self._find(parameters["ResourceArn"])
        record = collection.get(name) or {}
        return {"Tags": record.get("Tags") or []}

    def delete(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Answer DeleteTags."""
        collection, name = self._find(parameters["ResourceArn"])
        with collection.edit(name) as record:
            unwanted = set(parameters["TagKeys"])
            record["Tags"] = [tag for tag in record.get("Tags") or [] if tag["Key"] not in unwanted]
        return {}
