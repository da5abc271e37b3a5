"""Which rights a request to S3 needs: the method, the path and the query say it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from retrain.localcloud import seams
from retrain.localcloud.authorisation.decisions import Check
from retrain.localcloud.errors import UnmappedCallError

ACTIONS = "ministack.core.iam_actions"

_READS = ("s3:GetObject", "s3:GetObjectVersion")
_LISTS = ("s3:ListBucket", "s3:ListBucketVersions")

seams.expect(ACTIONS, "_s3_action", "method path query_params")
seams.expect(
    ACTIONS, "extract_resource_arn", "service method path headers body query_params region account_id"
)
seams.expect(ACTIONS, "s3_additional_checks", "method path headers body query_params")


def checks(
    method: str, path: str, headers: Mapping[str, str], query: Mapping[str, list[str]], body: bytes
) -> Iterator[Check]:
    """Yield what has to be allowed for a request with the bucket in its path.

    Raises
    ------
    UnmappedCallError
        It is no request that is known.
    """
    table = seams.module(ACTIONS)
    name = table._s3_action(method, path, query)
    if name is None:
        raise UnmappedCallError(f"It is not known which rights {method} {path} of S3 needs.")
    deletes = method == "POST" and "delete" in query
    resource = table.extract_resource_arn("s3", method, path, headers, body, query, "", "")
    if deletes:
        yield from _deletions(path.strip("/").partition("/")[0], body)
    else:
        action = f"s3:{name}"
        yield Check(action, resource, _context(action, query))
    if name == "PutObject" and headers.get("x-amz-tagging"):
        yield Check("s3:PutObjectTagging", resource)
    if not deletes:
        for action, arn in table.s3_additional_checks(method, path, headers, body, query):
            yield Check(action, arn)


def _deletions(bucket: str, body: bytes) -> Iterator[Check]:
    """Yield one check for each object of a DeleteObjects: of a version where one is named."""
    for arn, version in seams.module(ACTIONS)._s3_batch_delete_targets(bucket, body):
        yield Check("s3:DeleteObjectVersion" if version else "s3:DeleteObject", arn)


def _context(action: str, query: Mapping[str, list[str]]) -> dict[str, str]:
    if action not in _LISTS:
        return {}
    return {
        f"s3:{member}": query[member][0]
        for member in ("prefix", "delimiter", "max-keys")
        if query.get(member)
    }


def to_be_told_missing(found: Check) -> Check | None:
    """Return what has to be allowed for S3 to say that an object is missing; else it says "access denied".

    Asking for an object carries no prefix, so that a condition on one is not met.
    """
    if found.action not in _READS:
        return None
    return Check("s3:ListBucket", found.resource.partition("/")[0])


seams.expect(ACTIONS, "_s3_batch_delete_targets", "bucket body")
