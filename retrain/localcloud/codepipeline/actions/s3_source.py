"""The source action of S3: an object becomes an artifact."""

from __future__ import annotations

from retrain.localcloud.codepipeline import definitions
from retrain.localcloud.codepipeline.actions.results import Result, Work
from retrain.localcloud.codepipeline.platform import Platform, refused


def run(work: Work, platform: Platform) -> Result:
    """Copy the object into the pipeline's bucket."""
    bucket, key = work.configuration["S3Bucket"], work.configuration["S3ObjectKey"]
    with refused(f"Reading the source s3://{bucket}/{key}"):
        answer = platform.client("s3").get_object(Bucket=bucket, Key=key)
        content = answer["Body"].read()
    version, etag = answer.get("VersionId", ""), answer["ETag"].strip('"')
    (name,) = definitions.outputs(work.action)
    artifact = platform.new_artifact(work.pipeline, name, content, version or etag)
    variables = {"BucketName": bucket, "ObjectKey": key, "ETag": etag}
    if version:
        variables["VersionId"] = version
    return Result(f"Amazon S3 version id: {version or etag}", version or etag, variables, [artifact])
