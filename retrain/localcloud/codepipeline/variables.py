"""``#{namespace.name}`` in an action's configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping

from retrain.localcloud.codepipeline.errors import ActionError

_REFERENCE = re.compile(r"#\{([A-Za-z0-9@_-]+)\.([A-Za-z0-9@_-]+)\}")

CONFIGURATION_VALUE_LIMIT = 1_000


def resolve(configuration: Mapping[str, str], known: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Replace the references in a configuration.

    Parameters
    ----------
    known
        Variables by namespace and name.

    Raises
    ------
    ActionError
        A reference leads nowhere, or a value has become too long.
    """
    return {name: _resolved(name, value, known) for name, value in configuration.items()}


def _resolved(name: str, value: str, known: Mapping[str, Mapping[str, str]]) -> str:
    def replacement(found: re.Match[str]) -> str:
        namespace, variable = found.groups()
        if variable not in known.get(namespace, {}):
            raise ActionError(
                f"The configuration value {name} refers to {found[0]}, which no action before has given.",
                code="InvalidVariableReference",
            )
        return known[namespace][variable]

    resolved = _REFERENCE.sub(replacement, value)
    if len(resolved) > CONFIGURATION_VALUE_LIMIT:
        raise ActionError(
            f"The configuration value {name} has {len(resolved)} characters once its variables are resolved; "
            f"at most {CONFIGURATION_VALUE_LIMIT:,} are possible.",
            code="ConfigurationError",
        )
    return resolved
