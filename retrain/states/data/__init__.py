"""Data flow of the States Language: paths, intrinsic functions, JSONata, templates, conditions, limits.

Pure functions on JSON values (dict, list, str, int, float, bool, None, as `json.loads` makes them); what they
are given is never changed. Where an expression fails, StatesError says so as AWS does, less the words about
the state, which the interpreter puts before the cause.
"""

from retrain.states.data.randomness import SystemEntropy
from retrain.states.data.scope import Entropy, Scope

__all__ = ["Entropy", "Scope", "SystemEntropy"]
