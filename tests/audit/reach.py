"""What a handler may reach: functions and methods, with adapters only where the handler makes them."""

from __future__ import annotations

from mypy.nodes import TypeInfo

from tests.audit.program import Program


def reached(program: Program, start: str) -> set[str]:
    """Return the full names of all owners that something may come to.

    A method that is called through a protocol or a base class is that of every class which fits and which is
    referred to on the way (rapid type analysis).
    """
    search = _Search(program)
    search.refer(start)
    while search.waiting:
        search.visit(search.waiting.pop())
    return search.found


class _Search:
    def __init__(self, program: Program) -> None:
        self._program = program
        self._made: set[str] = set()
        self._called: set[tuple[str, str]] = set()
        self.found: set[str] = set()
        self.waiting: list[str] = []

    def visit(self, name: str) -> None:
        owner = self._program.owners[name]
        self._come_to(owner.module)
        for other in owner.refers:
            self.refer(other)
        for receiver, method in owner.calls - self._called:
            self._called.add((receiver, method))
            self._resolve(receiver, method)

    def refer(self, name: str) -> None:
        if name in self._program.classes:
            self._make(name)
        else:
            self._come_to(name)

    def _come_to(self, name: str) -> None:
        if name in self._program.owners and name not in self.found:
            self.found.add(name)
            self.waiting.append(name)

    def _make(self, name: str) -> None:
        """Note that a class is used, with what Python calls of it by itself."""
        if name in self._made:
            return
        self._made.add(name)
        for base in self._program.classes[name].mro:
            for member in base.names:
                if member.startswith("__") and member.endswith("__"):
                    self._come_to(f"{base.fullname}.{member}")
        for receiver, method in self._called:
            self._resolve(receiver, method)

    def _resolve(self, receiver: str, method: str) -> None:
        known = self._program.classes.get(receiver)
        if known is None:
            return
        if not known.is_protocol:
            self._defined(known, method)
        for name in list(self._made):
            if fits(self._program.classes[name], known):
                self._defined(self._program.classes[name], method)

    def _defined(self, info: TypeInfo, method: str) -> None:
        for base in info.mro:
            if method in base.names:
                self._come_to(f"{base.fullname}.{method}")
                return


def fits(info: TypeInfo, wanted: TypeInfo) -> bool:
    """Tell whether a class is, or stands in for, another."""
    if wanted in info.mro:
        return True
    return wanted.is_protocol and all(
        any(member in base.names for base in info.mro) for member in wanted.protocol_members
    )
