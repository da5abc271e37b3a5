"""The calls of boto3 in the functions' code: which operations of which services, function by function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import botocore

from retrain.states.tasks.naming import service_model
from tests.audit.program import PROJECT, ProgramError

FACTORY = "clients.py"
"""The one module whose business is to make clients of any service."""

_NO_OPERATIONS = frozenset({"exceptions", "meta", "close", "can_paginate"})
_BY_NAME = frozenset({"get_paginator", "get_waiter", "generate_presigned_url"})


@dataclass(frozen=True, slots=True)
class SdkCall:
    """An operation that is called.

    Attributes
    ----------
    service, operation
        As botocore has them: `stepfunctions`, `StartExecution`.
    is_signed_only
        Only a link to it is made, and whoever has the link makes the call.
    """

    service: str
    operation: str
    is_signed_only: bool = False


@cache
def methods(service: str) -> dict[str, str]:
    """Return a service's operations by their names in boto3."""
    return {botocore.xform_name(name): name for name in service_model(service).operation_names}


@cache
def calls(folder: Path = PROJECT / "functions") -> dict[str, set[SdkCall]]:
    """Return the calls of each function and method by its full name.

    Raises
    ------
    ProgramError
        A client is made or used in a way that hides which operation is meant.
    """
    found: dict[str, set[SdkCall]] = {}
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        imports = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        if path.name == FACTORY or not ("boto3" in imports or _imports_factory(tree)):
            continue
        module = ".".join(path.relative_to(folder).with_suffix("").parts)
        reader = _Module(path, tree)
        found |= {f"{module}.{name}": reader.of(node) for name, node in _functions(tree)}
    return found


def _imports_factory(tree: ast.Module) -> bool:
    return any(
        isinstance(node, ast.ImportFrom)
        and f"{node.module}.py".endswith(f".{FACTORY}")
        and any(alias.name == "client" for alias in node.names)
        for node in ast.walk(tree)
    )


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from (
                (f"{node.name}.{each.name}", each) for each in node.body if isinstance(each, ast.FunctionDef)
            )


class _Module:
    """Reads one adapter: its clients, and then its functions."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self._path = path
        self._helpers = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.own: set[str] = set()
        self.foreign: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _makes_client(node):
                self._note(node)
        if both := self.own & self.foreign:
            raise ProgramError(
                f"{path} has clients of {both} with its own credentials and with others: use two modules."
            )

    def _note(self, node: ast.Call) -> None:
        service = node.args[0] if node.args else None
        if not (isinstance(service, ast.Constant) and isinstance(service.value, str)):
            raise ProgramError(f"{self._path}:{node.lineno}: name the client's service here, as a text.")
        # A session of boto3 is made for credentials that somebody gave: the role is not asked then.
        by_role = isinstance(node.func, ast.Name) or ast.unparse(node.func) == "boto3.client"
        (self.own if by_role else self.foreign).add(service.value)

    def of(self, function: ast.FunctionDef) -> set[SdkCall]:
        """Return the calls in a function; those of a helper that is told the operation are its callers'."""
        found: set[SdkCall] = set()
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute):
                found |= self._attribute(node)
            elif isinstance(node, ast.Call):
                found |= self._helped(node)
        if not self._is_told(function):
            found |= self._named(function, {})
        return found

    def _attribute(self, node: ast.Attribute) -> set[SdkCall]:
        services = [service for service in self.own if node.attr in methods(service)]
        if not services and _makes_client(node.value):
            known = node.attr in _BY_NAME | _NO_OPERATIONS
            if not known and not any(node.attr in methods(service) for service in self.foreign):
                raise ProgramError(f"{self._path}:{node.lineno}: nothing is known of what {node.attr} calls.")
        return {SdkCall(service, methods(service)[node.attr]) for service in services}

    def _helped(self, node: ast.Call) -> set[SdkCall]:
        helper = self._helpers.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if helper is None or not self._is_told(helper):
            return set()
        names = [argument.arg for argument in helper.args.args]
        given = {argument.arg: argument.value for argument in node.keywords if argument.arg} | dict(
            zip(names, node.args, strict=False)
        )
        return self._named(helper, given)

    def _is_told(self, function: ast.FunctionDef) -> bool:
        """Tell whether the operations that a function calls are made of what it is given."""
        parameters = {argument.arg for argument in function.args.args}
        return any(
            isinstance(inner, ast.Name) and inner.id in parameters
            for text, _ in _texts(function)
            for inner in ast.walk(text)
        )

    def _named(self, function: ast.FunctionDef, given: dict[str, ast.expr]) -> set[SdkCall]:
        """Return what is called by a name that is a value: paginators, links, and `getattr`."""
        return {
            self._operation(self._value(text, given), text, signed=signed)
            for text, signed in _texts(function)
        }

    def _operation(self, name: str, text: ast.expr, *, signed: bool) -> SdkCall:
        for service in sorted(self.own):
            if name in methods(service):
                return SdkCall(service, methods(service)[name], signed)
        raise ProgramError(f"{self._path}:{text.lineno}: none of {sorted(self.own)} has an operation {name}.")

    def _value(self, text: ast.expr, given: dict[str, ast.expr]) -> str:
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            return text.value
        if isinstance(text, ast.JoinedStr):
            return "".join(self._value(part, given) for part in text.values)
        if isinstance(text, ast.FormattedValue):
            return self._value(text.value, given)
        if isinstance(text, ast.Name) and text.id in given:
            return self._value(given[text.id], {})
        raise ProgramError(
            f"{self._path}:{text.lineno}: which operation is meant cannot be read off {ast.unparse(text)}: "
            "name it where it is called, or let a helper of the same module be given its name as a text."
        )


def _texts(function: ast.FunctionDef) -> Iterator[tuple[ast.expr, bool]]:
    """Yield the values that name operations, and whether a link is all that is made."""
    for node in ast.walk(function):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in _BY_NAME:
            yield node.args[0], node.func.attr == "generate_presigned_url"
        elif isinstance(node.func, ast.Name) and node.func.id == "getattr" and _makes_client(node.args[0]):
            yield node.args[1], False


def _makes_client(node: ast.expr) -> bool:
    if not isinstance(node, ast.Call):
        return False
    return (isinstance(node.func, ast.Name) and node.func.id == "client") or (
        isinstance(node.func, ast.Attribute) and node.func.attr in {"client", "resource"}
    )
