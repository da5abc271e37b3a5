"""The program of the functions as mypy understands it: who refers to what, with every expression's type.

mypy already knows which method a call means, through protocols, dataclasses and `with`; asking it beats
guessing by names. Its pinned version keeps this interface the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from mypy import build, types
from mypy.modulefinder import BuildSource
from mypy.nodes import (
    AssignmentStmt,
    Block,
    ClassDef,
    Decorator,
    Expression,
    ExpressionStmt,
    FuncDef,
    LambdaExpr,
    MypyFile,
    NameExpr,
    OverloadedFuncDef,
    Statement,
    TypeInfo,
)
from mypy.options import Options
from mypy.traverser import all_name_and_member_expressions

PROJECT = Path(__file__).resolve().parents[2]


class ProgramError(Exception):
    """The functions cannot be understood, or do something that this reading of them cannot follow."""


@dataclass(slots=True)
class Owner:
    """A function, a method, or a module's own statements; nested functions belong to what they are in.

    Attributes
    ----------
    name
        Its full name, such as `retraining.aws.storage.S3Storage.read`; a module's for its statements.
    module
        The module that it is in.
    nodes
        What it consists of.
    refers
        Full names of functions, classes and variables.
    calls
        Methods that are meant: a type, and the name.
    """

    name: str
    module: str
    nodes: list[Statement] = field(default_factory=list)
    refers: set[str] = field(default_factory=set)
    calls: set[tuple[str, str]] = field(default_factory=set)


@dataclass(slots=True)
class Program:
    """All owners and classes by their full names, and the types of expressions."""

    owners: dict[str, Owner]
    classes: dict[str, TypeInfo]
    types: dict[Expression, types.Type]

    def type_of(self, expression: Expression) -> types.ProperType | None:
        """Return an expression's type, None if mypy has none."""
        found = self.types.get(expression)
        return None if found is None else types.get_proper_type(found)


@cache
def load(folder: Path = PROJECT / "functions") -> Program:
    """Read all Python files below a folder.

    Raises
    ------
    ProgramError
        mypy finds errors: types would be missing where they matter.
    """
    options = Options()
    options.export_types = options.preserve_asts = options.explicit_package_bases = True
    options.ignore_missing_imports = options.check_untyped_defs = True
    options.incremental, options.follow_imports, options.cache_dir = False, "skip", "/dev/null"
    options.mypy_path = [str(folder)]
    sources = []
    for path in sorted(folder.rglob("*.py")):
        module = ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
        sources.append(BuildSource(str(path), module, None))
    result = build.build(sources, options)
    if result.errors:
        raise ProgramError("mypy does not understand the functions:\n" + "\n".join(result.errors))
    program = Program({}, {}, result.types)
    for source in sources:
        _add_module(program, result.files[source.module])
    for owner in program.owners.values():
        _gather(program, owner)
    return program


def _add_module(program: Program, tree: MypyFile) -> None:
    own = program.owners[tree.fullname] = Owner(tree.fullname, tree.fullname)
    for statement in tree.defs:
        if isinstance(statement, ClassDef):
            _add_class(program, statement, tree.fullname, own)
        elif isinstance(statement, FuncDef | Decorator | OverloadedFuncDef):
            _add_function(program, statement, tree.fullname)
        elif isinstance(statement, AssignmentStmt) and _names(statement):
            # A table of functions counts where it is used, not wherever its module is.
            for name in _names(statement):
                owner = program.owners.setdefault(name, Owner(name, tree.fullname))
                owner.nodes.append(statement)
        else:
            own.nodes.append(statement)


def _names(statement: AssignmentStmt) -> list[str]:
    return [left.fullname for left in statement.lvalues if isinstance(left, NameExpr) and left.fullname]


def _add_class(program: Program, definition: ClassDef, module: str, own: Owner) -> None:
    program.classes[definition.fullname] = definition.info
    own.nodes.extend(ExpressionStmt(each) for each in definition.decorators)
    for statement in definition.defs.body:
        if isinstance(statement, FuncDef | Decorator | OverloadedFuncDef):
            _add_function(program, statement, module)
        elif isinstance(statement, ClassDef):
            _add_class(program, statement, module, own)
        else:
            own.nodes.append(statement)


def _add_function(program: Program, definition: Statement, module: str) -> None:
    assert isinstance(definition, FuncDef | Decorator | OverloadedFuncDef)
    program.owners[definition.fullname] = Owner(definition.fullname, module, [definition])


def _gather(program: Program, owner: Owner) -> None:
    """Note what an owner refers to and which methods it means."""
    # mypy's collector takes an expression: a lambda may have any statements for its body here.
    names, members = all_name_and_member_expressions(LambdaExpr([], Block(owner.nodes)))
    owner.refers |= {name.fullname for name in names if name.fullname}
    for member in members:
        if member.node is not None and member.fullname:
            owner.refers.add(member.fullname)
        else:
            owner.calls |= {(info, member.name) for info in _classes(program.type_of(member.expr))}


def _classes(receiver: types.ProperType | None) -> Iterator[str]:
    """Yield the full names of the classes that something may be an object of, or is."""
    if isinstance(receiver, types.UnionType):
        for item in receiver.items:
            yield from _classes(types.get_proper_type(item))
    elif isinstance(receiver, types.TypeVarType):
        yield from _classes(types.get_proper_type(receiver.upper_bound))
    elif isinstance(receiver, types.TypeType):
        yield from _classes(receiver.item)
    elif isinstance(receiver, types.Instance):
        yield receiver.type.fullname
    elif isinstance(receiver, types.CallableType) and receiver.is_type_obj():
        yield receiver.type_object().fullname
