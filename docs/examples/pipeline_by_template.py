"""The four-task pipeline by the template TrainingPipeline; run it from the project's folder."""

from retrain.workflow.estimators import PyTorch
from retrain.workflow.template import TrainingPipeline

BUCKET = "authored-digits"
ROLE = "arn:aws:iam::000000000000:role/pipeline"

estimator = PyTorch(
    entry_point="mnist.py",
    source_dir="tests/integration/published_pipeline",
    role=ROLE,
    framework_version="2.6.0",
    instance_count=2,
    instance_type="ml.c5.xlarge",
    hyperparameters={"epochs": 2, "backend": "gloo"},
    output_path=f"s3://{BUCKET}/output",
)
pipeline = TrainingPipeline(
    estimator=estimator,
    role=ROLE,
    inputs=f"s3://{BUCKET}/data/mnist",
    s3_bucket=BUCKET,
    pipeline_name="mnist-by-template",
)
pipeline.create()
execution = pipeline.execute(hyperparameters={"epochs": 1})
print(execution.get_output(wait=True))
print(execution.render_progress())
