"""Where the resources are that a policy speaks of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_PLACE: Final = re.compile(r"\{(\w+)\}")
_WHOLE: Final = re.compile(r"arn:.*|\$\{[A-Za-z0-9_.:]*Arn\}", re.DOTALL)
"""An ARN, or a token that stands for one."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Partition, region, account, and the state machine's own name.

    The defaults are CloudFormation's pseudo parameters, for `Fn::Sub`; the name stands for every machine's.
    """

    partition: str = "${AWS::Partition}"
    region: str = "${AWS::Region}"
    account: str = "${AWS::AccountId}"
    name: str = "*"

    def arn(self, resource: str, request: Mapping[str, str]) -> str:
        """Return the ARN of a resource.

        Parameters
        ----------
        resource
            What follows the partition, such as `sqs:{region}:{account}:{QueueName}`; `*` is itself.
        request
            What is known of the request, by member; what is not known is `*`. A member that holds an ARN is
            the resource, and keeps what is written behind it.
        """
        if resource == "*":
            return resource
        for place in _PLACE.finditer(resource):
            value = request.get(place[1], "")
            if place[1] not in ("region", "account") and _WHOLE.fullmatch(value):
                return value + self._fill(resource[place.end() :], request)
        return f"arn:{self.partition}:{self._fill(resource, request)}"

    def condition(self, condition: Mapping[str, Any], request: Mapping[str, str]) -> dict[str, Any]:
        """Return a condition with its places filled in, without the parts of which nothing is known."""
        made: dict[str, Any] = {}
        for operator, tests in condition.items():
            for key, value in tests.items():
                if all(place in request for place in _PLACE.findall(value)):
                    made.setdefault(operator, {})[key] = self._fill(value, request)
        return made

    def _fill(self, text: str, request: Mapping[str, str]) -> str:
        known = {"region": self.region, "account": self.account, "machine": self.name, **request}
        return _PLACE.sub(lambda match: known.get(match[1]) or "*", text)
