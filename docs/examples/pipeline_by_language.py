"""The four-task pipeline in the States Language; run it from the project's folder."""

import time

from retrain.workflow import Workflow
from retrain.workflow.estimators import Session, Source

BUCKET = "authored-digits"
ROLE = "arn:aws:iam::000000000000:role/pipeline"

source = Source("mnist.py", "tests/integration/published_pipeline", bucket=BUCKET)
workflow = Workflow.from_asl(
    "docs/examples/pipeline.asl.yaml",
    name="mnist-by-language",
    role=ROLE,
    substitutions={"Bucket": BUCKET, "Role": ROLE},
)
workflow.create()
execution = workflow.execute(
    name=f"by-language-{time.time():.0f}", inputs={"source": source.upload(Session())}
)
print(execution.get_output(wait=True))
print(execution.render_progress())
