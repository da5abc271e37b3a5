"""The four-task pipeline by individual steps; run it from the project's folder."""

import time

from retrain.workflow import Workflow
from retrain.workflow.estimators import PyTorch
from retrain.workflow.inputs import ExecutionInput
from retrain.workflow.steps import Chain, EndpointConfigStep, EndpointStep, ModelStep, TrainingStep

BUCKET = "authored-digits"
ROLE = "arn:aws:iam::000000000000:role/pipeline"  # on AWS: one that Step Functions and SageMaker may assume

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
execution_input = ExecutionInput(schema={"JobName": str, "ModelName": str, "EndpointName": str})

training_step = TrainingStep(
    "Train",
    estimator=estimator,
    job_name=execution_input["JobName"],
    data=f"s3://{BUCKET}/data/mnist",
)
model_step = ModelStep(
    "Save model",
    model=training_step.get_expected_model(),
    model_name=execution_input["ModelName"],
    instance_type="ml.m5.large",
)
endpoint_config_step = EndpointConfigStep(
    "Configure endpoint",
    endpoint_config_name=execution_input["ModelName"],
    model_name=execution_input["ModelName"],
    initial_instance_count=1,
    instance_type="ml.m5.large",
)
endpoint_step = EndpointStep(
    "Create endpoint",
    endpoint_name=execution_input["EndpointName"],
    endpoint_config_name=execution_input["ModelName"],
)

workflow = Workflow(
    name="mnist-by-steps",
    definition=Chain([training_step, model_step, endpoint_config_step, endpoint_step]),
    role=ROLE,
    execution_input=execution_input,
)
workflow.create()  # uploads the program, too
name = f"by-steps-{time.time():.0f}"
execution = workflow.execute(inputs={"JobName": name, "ModelName": name, "EndpointName": name})
print(execution.get_output(wait=True))
print(execution.render_progress())
