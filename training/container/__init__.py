"""What makes this folder a SageMaker image: `train` runs a training program, `serve` answers for a model.

It follows the contracts of SageMaker's own containers (the files under /opt/ml, the SM_* variables of the
training toolkit, script mode, the failure file, `/ping` and `/invocations`) and needs nothing else of AWS.
"""
