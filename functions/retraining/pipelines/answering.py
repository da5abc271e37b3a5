"""Send CodePipeline its answer."""

from typing import Any

from retraining.pipelines.replies import CarryOn, Reply, Succeeded
from retraining.ports import PipelineJobs


def send(job_id: str, reply: Reply, pipeline: PipelineJobs) -> dict[str, Any]:
    """Answer a job.

    Returns
    -------
    dict
        What may be logged of it. ``taken`` is false if the job was answered before: calls are repeated.
    """
    if isinstance(reply, CarryOn):
        run_id, said = reply.token.run, reply.summary
        taken = pipeline.carry_on(job_id, str(reply.token), said, run_id)
    elif isinstance(reply, Succeeded):
        run_id, said = reply.run_id, reply.summary
        taken = pipeline.succeed(job_id, said, run_id, reply.variables)
    else:
        run_id, said = reply.run_id, f"{reply.kind}: {reply.message}"
        taken = pipeline.fail(job_id, reply.kind, reply.message, run_id)
    return {"job_id": job_id, "answer": type(reply).__name__, "run_id": run_id, "said": said, "taken": taken}
