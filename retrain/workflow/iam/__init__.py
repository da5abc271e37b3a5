"""What a state machine's role must be allowed to do, as its definition tells.

`needs(machine)` gives every action with its resources, the states that need it, and why; `policy(machine)`
a policy document for the role. From the pages 'IAM policies for integrated services' of AWS's documentation,
and its Service Authorization Reference for calls of the AWS SDK.

Examples
--------
>>> from retrain.states.model import parse
>>> from retrain.workflow.iam import policy
>>> task = {
...     "Type": "Task",
...     "Resource": "arn:aws:states:::sqs:sendMessage",
...     "Parameters": {
...         "QueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/mail",
...         "MessageBody.$": "$",
...     },
...     "End": True,
... }
>>> statement = policy(parse({"StartAt": "Send", "States": {"Send": task}}))["Statement"][0]
>>> statement["Action"], statement["Resource"]
('sqs:SendMessage', 'arn:${AWS::Partition}:sqs:eu-west-1:123456789012:mail')
"""

from retrain.workflow.iam.needs import Needs, needs
from retrain.workflow.iam.policies import policy
from retrain.workflow.iam.scope import Scope
from retrain.workflow.iam.statement import Need
from retrain.workflow.iam.tokens import fill, restore

__all__ = ["Need", "Needs", "Scope", "fill", "needs", "policy", "restore"]
