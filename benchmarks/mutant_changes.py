"""The small wrong changes of mutants.py: mutmut's, of one file at a time."""

from __future__ import annotations

import ast
import difflib
import functools
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from libcst.metadata import MetadataWrapper, ParentNodeProvider, PositionProvider
from mutmut.mutation.file_mutation import NEVER_MUTATE_FUNCTION_NAMES, Mutation, MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).resolve().parent.parent
POLICY = ROOT / "ses_audit/policy"


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    path: Path
    function: str  # "" outside of functions
    lines: range
    change: str
    number: int  # of those with the same change
    code: str  # the function or the constant, changed
    constant: str  # what is assigned outside of functions; "" in one
    source: Callable[[], str]  # the file, changed

    @property
    def file(self) -> str:
        return self.path.relative_to(POLICY).as_posix()

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def key(self) -> str:
        """The same as long as the function and the change are."""
        what = hashlib.sha256((self.code or f"{self.number}{self.change}").encode()).hexdigest()
        return f"{self.file}:{self.function}:{what[:16]}"


class _Visitor(MutationVisitor):
    """mutmut leaves out what is decorated: here these are cached functions and properties."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return node.name.value in NEVER_MUTATE_FUNCTION_NAMES
        return super()._skip_node_and_children(node)


class ChangedFile:
    """A file and all its mutants."""

    def __init__(self, path: Path) -> None:
        self._path = path
        wrapper = MetadataWrapper(cst.parse_module(path.read_text("utf-8")))
        self._module = wrapper.module
        self._positions = wrapper.resolve(PositionProvider)
        self._parents = wrapper.resolve(ParentNodeProvider)
        visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
        wrapper.visit(visitor)
        self._mutations = visitor.mutations

    def mutants(self) -> Iterator[Mutant]:
        seen: Counter[str] = Counter()
        for mutation in self._mutations:
            above = [*self._above(mutation.original_node)]
            if any(_assigns_all(node) for node in above):
                continue  # `__all__`: nothing reads it at run time.
            function = mutation.contained_by_top_level_function
            inside = isinstance(function, cst.FunctionDef)
            # A class is executed whole; `above` ends at the statement of the file.
            constant = "" if inside else _assigned(above[-1])
            whole = function if inside else above[-1] if constant else self._module
            after = whole.deep_replace(mutation.original_node, mutation.mutated_node)
            texts = [self._module.code_for_node(node).splitlines() for node in (whole, after)]
            lines = [*difflib.unified_diff(*texts, n=0, lineterm="")][2:]
            change = "\n".join(line for line in lines if not line.startswith("@@"))
            seen[change] += 1
            code = after.with_changes(decorators=()) if inside else after
            yield Mutant(
                self._path,
                self._name(function) if inside else "",
                self._lines(above),
                change,
                seen[change],
                self._module.code_for_node(code) if inside or constant else "",
                constant,
                functools.partial(self._source, mutation),
            )

    def _source(self, mutation: Mutation) -> str:
        return self._module.deep_replace(mutation.original_node, mutation.mutated_node).code

    def _above(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        while not isinstance(node, cst.Module):
            yield node
            node = self._parents[node]

    def _name(self, function: cst.FunctionDef) -> str:
        named = (n for n in self._above(function) if isinstance(n, cst.FunctionDef | cst.ClassDef))
        return ".".join(reversed([node.name.value for node in named]))

    def _lines(self, above: list[cst.CSTNode]) -> range:
        """The lines of the innermost statement, or of its head where it has a body."""
        statement = cst.SimpleStatementLine | cst.BaseCompoundStatement
        node = next(node for node in above if isinstance(node, statement))
        place = self._positions[node]
        last = place.end.line
        if isinstance(node, cst.BaseCompoundStatement) and not isinstance(node, cst.FunctionDef):
            body = node.cases[0] if isinstance(node, cst.Match) else node.body
            last = max(place.start.line, self._positions[body].start.line - 1)
        return range(place.start.line, last + 1)


def _assigned(statement: cst.CSTNode) -> str:
    """The one name that a statement assigns."""
    body = statement.body if isinstance(statement, cst.SimpleStatementLine) else ()
    node = body[0] if len(body) == 1 else None
    if isinstance(node, cst.Assign) and len(node.targets) == 1:
        target = node.targets[0].target
    else:
        target = node.target if isinstance(node, cst.AnnAssign) else None
    return target.value if isinstance(target, cst.Name) else ""


def _assigns_all(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.SimpleStatementLine) and _assigned(node) == "__all__"


def uses(path: Path, name: str) -> tuple[set[int], set[int]]:
    """The lines in which a name is read: in functions, and at import."""
    running: set[int] = set()
    at_import: set[int] = set()

    def walk(node: ast.AST, statement: ast.stmt | None, inside: bool) -> None:
        if isinstance(node, ast.stmt):
            statement = node
        named = node.id if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) else ""
        if name in (named, node.attr if isinstance(node, ast.Attribute) else "") and statement:
            last = node.lineno if hasattr(statement, "body") else statement.end_lineno
            lines = range(statement.lineno, (last or node.lineno) + 1)
            (running if inside else at_import).update(lines)
        function = isinstance(node, ast.FunctionDef | ast.Lambda)
        for field, value in ast.iter_fields(node):
            if field in ("annotation", "returns"):
                continue
            for each in value if isinstance(value, list) else (value,):
                if isinstance(each, ast.AST):
                    walk(each, statement, inside or (function and field == "body"))

    walk(ast.parse(path.read_text("utf-8")), None, inside=False)
    return running, at_import


@functools.lru_cache(maxsize=1)
def _imports() -> list[tuple[Path, str, str]]:
    """Each name that a file of the package takes from another: the file, whence, and the name."""
    return [
        (path, node.module or "", name.name)
        for path in sorted(POLICY.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    ]


def importers(path: Path, name: str) -> list[Path]:
    """The files that take a constant, or the whole module, from a file."""
    stem = path.parent.name if path.stem == "__init__" else path.stem
    found = [
        other
        for other, module, taken in _imports()
        if taken == stem or (taken == name and module.rpartition(".")[2] == stem)
    ]
    return [*dict.fromkeys(found)]
