"""UserParameters: a retrain request, and what this action wants to know besides."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from retraining.errors import UserParametersError
from retraining.fields import shown

FAIL, SUCCEED = "fail", "succeed"
POLICIES = (FAIL, SUCCEED)

_LEAST = '{"dataset": {"name": "..."}}'
_OWN = ("on_rejected", "container")


@dataclass(frozen=True, slots=True)
class Parameters:
    """What an action's author asks for.

    Attributes
    ----------
    request : dict
        The retrain request, not checked yet.
    on_rejected : str
        Whether the action fails or succeeds when the gate has rejected the challenger.
    container : str
        Which entry of imagedefinitions.json is meant, if it has several.
    """

    request: dict[str, Any]
    on_rejected: str
    container: str

    @property
    def names_image(self) -> bool:
        """Whether the request says itself what image it means."""
        training = self.request.get("training")
        return isinstance(training, Mapping) and bool(training.get("image_uri") or training.get("image_tag"))


def parse(text: str, on_rejected: str) -> Parameters:
    """Read UserParameters.

    Parameters
    ----------
    text : str
        As the action's author wrote them.
    on_rejected : str
        The stack's policy, which they may override.

    Raises
    ------
    UserParametersError
        They are no JSON object, or one of the fields that are not the request's is wrong.
    """
    if not text.strip():
        raise UserParametersError(f"The action has no UserParameters; the least that they say is {_LEAST}.")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UserParametersError(
            f"The action's UserParameters are no JSON ({error}); the least that they say is {_LEAST}."
        ) from None
    if not isinstance(found, dict):
        raise UserParametersError(
            f"The action's UserParameters are {shown(found)}; they must be a JSON object such as {_LEAST}."
        )
    policy = found.get("on_rejected", on_rejected)
    if policy not in POLICIES:
        raise UserParametersError(
            f"The field on_rejected of the action's UserParameters is {shown(policy)}; it must be {FAIL} or "
            f"{SUCCEED}."
        )
    container = found.get("container", "")
    if not isinstance(container, str):
        raise UserParametersError(
            f"The field container of the action's UserParameters is {shown(container)}; it must be the name "
            "of an entry of imagedefinitions.json."
        )
    if "trigger" in found:
        raise UserParametersError(
            "The field trigger of the action's UserParameters is not for them to set: the job is the trigger."
        )
    request = {name: value for name, value in found.items() if name not in _OWN}
    return Parameters(request, policy, container)
