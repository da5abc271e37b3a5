"""The library jsonata-python with AWS's limits and functions, and with its defects mended.

Loaded by `jsonata.py` beside it when the first expression needs it. The library itself is not changed, for
there may be other users of it in the same process.

What is mended: functions take null for a missing argument and blame the wrong one; division by zero raises;
`%` drops fractions; `in` takes true for 1; ranges are lists that say they are empty when written as JSON;
numbers and letters in `$string`; an expression evaluates on whichever expression was compiled last in its
thread; its clock starts when it is compiled.
"""

from __future__ import annotations

import contextlib
import copy
import math
import re
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any, Final, NoReturn

_RECURSION_LIMIT = sys.getrecursionlimit()
from jsonata import JException, Jsonata, Signature  # noqa: E402
from jsonata.utils import Utils  # noqa: E402

from retrain.states.data import jsonatafunctions, jsonatareferences  # noqa: E402
from retrain.states.data.jsonatamessages import message  # noqa: E402
from retrain.states.data.jsonatatext import string  # noqa: E402
from retrain.states.data.jsonatavalues import UNDEFINED, inward, outward  # noqa: E402
from retrain.states.data.scope import Scope  # noqa: E402
from retrain.states.model.values import ABSENT  # noqa: E402

# The library allows the whole process 10,000 frames when it is loaded; only it is to have more than usual.
sys.setrecursionlimit(_RECURSION_LIMIT)

_FRAMES: Final = 3_000
"""How many frames the library gets beyond Python's limit: plenty for what MAXIMUM_DEPTH allows."""

MAXIMUM_DEPTH: Final = 100
"""How deep an evaluation may nest; measured in AWS with chains of 100 terms and with 99 parentheses."""

MAXIMUM_SECONDS: Final = 5.0
"""How long one expression may take: the default of the library that AWS's limits come from."""

MAXIMUM_ITEMS: Final = 873_782
"""How many items `[1..n]` may make; measured in AWS."""

MAXIMUM_LETTERS: Final = 6_990_256
"""How long a text may grow; AWS's memory limit, as measured, with a byte for a letter."""

TOO_DEEP: Final = (
    "Stack overflow error: Check for non-terminating recursive function. Consider rewriting as tail-recursive"
)
TOO_LONG: Final = "Expression evaluation timeout: Check for infinite loop"
TOO_LARGE: Final = "Expression evaluation memory limit exceeded: Check for excessive memory usage"


_PYTHON_ERRORS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
    re.error,
)
"""What the library lets out besides its own errors: for some malformed texts, and from functions such as
`$toMillis('nope')`."""


class ExpressionError(Exception):
    """An expression is not well-formed, or failed.

    Attributes
    ----------
    code
        JSONata's, such as `T0410`; empty if there is none.
    message
        What went wrong.
    """

    def __init__(self, text: str, code: str = "") -> None:
        # So it follows "threw an error during evaluation" in AWS's causes.
        super().__init__(f". {code}: {text}" if code else f": {text}")
        self.code = code
        self.message = text


class Expression:
    """An expression, compiled.

    Parameters
    ----------
    text : str
        Without `{%` and `%}`.

    Raises
    ------
    ExpressionError
        It is not well-formed.
    """

    def __init__(self, text: str) -> None:
        try:
            with _LOCK, _deeper(), warnings.catch_warnings():
                warnings.simplefilter("ignore", FutureWarning)  # of Python's about regular expressions
                self._program = _Program(text)
        except JException as error:
            code, words = message(error)
            raise ExpressionError(words, code) from None
        except RecursionError:
            raise ExpressionError(TOO_DEEP) from None
        except _PYTHON_ERRORS as error:
            raise ExpressionError(f"Syntax error: {error}") from None

    def evaluate(self, scope: Scope) -> Any:
        """Return what the expression gives; UNDEFINED if nothing, UNSUPPORTED if a function.

        Raises
        ------
        ExpressionError
            It failed, or ran into a limit.
        """
        try:
            with _LOCK, _deeper():
                result = self._program.run(scope)
        except JException as error:
            code, words = message(error)
            raise ExpressionError(words, code) from None
        except RecursionError:
            raise ExpressionError(TOO_DEEP) from None
        except jsonatafunctions.LimitError as error:
            raise ExpressionError(str(error)) from None
        except _PYTHON_ERRORS as error:
            raise ExpressionError(str(error)) from None
        return UNDEFINED if result is None else outward(result, Utils.NULL_VALUE)

    def unsupported(self) -> tuple[str, ...]:
        """Return what it refers to that has no meaning in Step Functions."""
        return jsonatareferences.unsupported(self._program.ast)


_LOCK = threading.RLock()  # programs keep their state of evaluation in themselves


@contextlib.contextmanager
def _deeper() -> Iterator[None]:
    """Allow deeper recursion for a while."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(before + _FRAMES)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Signature(Signature):  # type: ignore[misc]
    """A function's signature, in which null is null and not a missing argument."""

    def get_symbol(self, value: Any) -> str:
        return "l" if value is Utils.NULL_VALUE else str(super().get_symbol(value))

    def throw_validation_error(self, bad_args: Any, bad_sig: Any, function_name: Any) -> NoReturn:  # noqa: ARG002
        fitting, pattern = 0, ""
        for parameter in self._params:
            pattern += parameter.regex
            match = re.match(pattern, bad_sig)
            if match is None:
                break
            fitting = match.end()
        raise JException("T0410", -1, fitting + 1, function_name)


class _Function(Jsonata.JFunction):  # type: ignore[misc]
    """A function of AWS's, or one of the library's that is replaced."""

    def __init__(self, name: str, function: jsonatafunctions.Function) -> None:
        super().__init__(None, None)
        self.function_name = name
        self.signature = _Signature(function.signature, name)
        self._apply = function.apply

    def call(self, input: Any, args: Any) -> Any:  # noqa: A002, ARG002 - the library's names
        return self._apply(*args)


def _functions() -> Any:
    """Return a frame with the library's functions, AWS's beside and above them."""
    frame = Jsonata.Frame(None)
    for name, function in Jsonata.static_frame.bindings.items():
        own = copy.copy(function)
        if own.signature is not None:
            own.signature = copy.copy(own.signature)
            own.signature.__class__ = _Signature
        frame.bind(name, own)
    for name, replacement in jsonatafunctions.FUNCTIONS.items():
        frame.bind(name, _Function(name, replacement))
    frame.bind("eval", None)  # which AWS takes away
    return frame


_FUNCTIONS: Final = _functions()


class _Program(Jsonata):  # type: ignore[misc]
    """The library's expression, which knows AWS's limits."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.environment = self.create_frame(_FUNCTIONS)
        self._depth = 0
        self._steps = 0
        self._deadline = 0.0

    def run(self, scope: Scope) -> Any:
        """Return what the expression gives; None if nothing."""
        frame = self.create_frame(self.environment)
        frame.bindings.update(_bindings(scope))
        self.timestamp = round((scope.clock() if scope.clock else time.time()) * 1000)
        self._depth = self._steps = 0
        self._deadline = time.monotonic() + MAXIMUM_SECONDS
        Jsonata.CURRENT.jsonata = self
        return self.eval(self.ast, None, frame)

    def get_per_thread_instance(self) -> Any:
        return self

    def eval(self, expr: Any, input: Any, environment: Any) -> Any:  # noqa: A002 - the library's name
        self._depth += 1
        self._steps += 1
        if self._depth > MAXIMUM_DEPTH:
            raise jsonatafunctions.LimitError(TOO_DEEP)
        if self._steps % 128 == 0 and time.monotonic() > self._deadline:
            raise jsonatafunctions.LimitError(TOO_LONG)
        before: tuple[Any, Any] = (vars(self)["input"], self.environment)
        try:
            return self._eval(expr, input, environment)
        finally:
            self._depth -= 1
            self.input, self.environment = before

    def evaluate_numeric_expression(self, lhs: Any, rhs: Any, op: Any) -> Any:
        try:
            if op == "%" and Utils.is_numeric(lhs) and Utils.is_numeric(rhs):
                return Utils.convert_number(math.fmod(lhs, rhs))
            return super().evaluate_numeric_expression(lhs, rhs, op)
        except ZeroDivisionError:
            return math.nan if lhs == 0 else math.copysign(math.inf, lhs)
        except (ValueError, OverflowError):
            return math.nan
        except JException as error:
            if error.error == "D1001" and isinstance(error.current, float):
                return error.current  # AWS writes "Infinity"
            raise

    def evaluate_includes_expression(self, lhs: Any, rhs: Any) -> Any:
        if lhs is None or rhs is None:
            return False
        return any(Utils.is_deep_equal(item, lhs) for item in (rhs if isinstance(rhs, list) else [rhs]))

    def evaluate_range_expression(self, lhs: Any, rhs: Any) -> Any:
        if isinstance(lhs, int) and isinstance(rhs, int) and rhs - lhs >= MAXIMUM_ITEMS:
            raise jsonatafunctions.LimitError(TOO_LARGE)
        result = super().evaluate_range_expression(lhs, rhs)
        return result if result is None else Utils.create_sequence_from_iter(range(lhs, rhs + 1))

    def evaluate_string_concat(self, lhs: Any, rhs: Any) -> str:
        one = "" if lhs is None else string(lhs)
        other = "" if rhs is None else string(rhs)
        if len(one) + len(other) > MAXIMUM_LETTERS:
            raise jsonatafunctions.LimitError(TOO_LARGE)
        return one + other


def _bindings(scope: Scope) -> dict[str, Any]:
    """Return the variables of an evaluation, worked out once for a scope."""
    bound: dict[str, Any] | None = scope.memo.get("jsonata")
    if bound is None:
        states = {"input": scope.input, "context": scope.context}
        if scope.result is not ABSENT:
            states["result"] = scope.result
        if scope.error_output is not ABSENT:
            states["errorOutput"] = scope.error_output
        bound = {name: inward(value, Utils.NULL_VALUE) for name, value in scope.variables.items()}
        bound["states"] = inward(states, Utils.NULL_VALUE)
        for name, function in jsonatafunctions.of_chance(scope.entropy).items():
            bound.setdefault(name, _Function(name, function))
        scope.memo["jsonata"] = bound
    return bound
