"""The parameters of notebooks: typed, and refused by name before a kernel starts."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    from nbformat import NotebookNode

__all__ = [
    "RESERVED",
    "Parameter",
    "Value",
    "assignments",
    "converted",
    "declared",
    "nearest",
    "validate",
]

Value = str | int | float | bool

RESERVED = ("snapshot",)
"""Parameters that the runner sets."""

_SHOWN = 60
_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=(.*)", re.DOTALL)
_ACCOUNT_NAME = re.compile(r"(.*_)?accounts?(_ids?)?")
_TRUE = frozenset({"true", "yes", "on", "1"})
_FALSE = frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as a notebook declares it: `name: type = default  # help`."""

    name: str
    type: str
    """`str`, `int`, `float` or `bool`."""
    default: Value
    help: str = ""


def declared(notebook: NotebookNode, name: str) -> dict[str, Parameter]:
    """The parameters of a notebook's one cell tagged `parameters`.

    Parameters
    ----------
    notebook
        The notebook.
    name
        What to call it in an error.

    Raises
    ------
    UserError
        When the cell holds anything but `name: type = default` lines.

    Examples
    --------
    >>> import nbformat.v4 as v4
    >>> cell = v4.new_code_cell("top: int = 5  # rows", metadata={"tags": ["parameters"]})
    >>> declared(v4.new_notebook(cells=[cell]), "x")["top"]
    Parameter(name='top', type='int', default=5, help='rows')
    """
    found: dict[str, Parameter] = {}
    for cell in notebook.cells:
        if "parameters" not in cell.metadata.get("tags", ()):
            continue
        source = str(cell.source)
        lines = source.splitlines()
        try:
            statements = ast.parse(source).body
        except SyntaxError as error:
            raise UserError(f"{name}: its parameters are not Python: {error.msg}", USAGE) from error
        for statement in statements:
            parameter = _declaration(statement, lines)
            if parameter is None:
                raise UserError(
                    f"{name}: line {statement.lineno} of its parameters is not "
                    "`name: type = default` with type str, int, float or bool",
                    USAGE,
                )
            found[parameter.name] = parameter
    return found


def _declaration(statement: ast.stmt, lines: list[str]) -> Parameter | None:
    match statement:
        case ast.AnnAssign(
            target=ast.Name(id=name), annotation=ast.Name(id=kind), value=ast.expr() as value
        ) if kind in ("str", "int", "float", "bool"):
            try:
                default = ast.literal_eval(value)
            except ValueError:
                return None
            if type(default).__name__ != kind:
                return None
            _, _, comment = lines[statement.lineno - 1].partition("  # ")
            return Parameter(name, kind, default, comment.strip())
    return None


def assignments(texts: Iterable[str]) -> dict[str, str]:
    """`name=value` texts of a command line; everything stays text.

    Raises
    ------
    UserError
        For a text of another form, and a name given twice.

    Examples
    --------
    >>> assignments(["account=012345678901"])
    {'account': '012345678901'}
    """
    found: dict[str, str] = {}
    for text in texts:
        match = _ASSIGNMENT.fullmatch(text)
        if match is None:
            raise UserError(f"-p {text[:_SHOWN]!r}: a parameter is name=value", USAGE)
        if match[1] in found:
            raise UserError(f"-p {match[1]} is given twice", USAGE)
        found[match[1]] = match[2]
    return found


def nearest(name: str, known: Iterable[str]) -> str:
    """What to add to an error about a name: the nearest match, else all that are known.

    Examples
    --------
    >>> nearest("acount", ["account", "top"])
    '; did you mean account?'
    >>> nearest("x", ["account", "top"])
    '; one of account, top'
    """
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; one of {', '.join(names)}" if names else "; there are none"


def converted(parameter: Parameter, value: object) -> Value:
    """A value of the parameter's type; the string form of each type is accepted.

    Parameters
    ----------
    parameter
        The parameter.
    value
        Of its type, or its string form: "true", "14", "a,b".

    Raises
    ------
    UserError
        For a value that is not one, and for an account id that became a number on its way.

    Examples
    --------
    >>> converted(Parameter("top", "int", 5), "50")
    50
    >>> converted(Parameter("account", "str", ""), "012345678901")
    '012345678901'
    """
    name = parameter.name

    def refused(what: str) -> UserError:
        return UserError(f"parameter {name}: {str(value)[:_SHOWN]!r} is not {what}", USAGE)

    if parameter.type == "str":
        if not isinstance(value, str):
            raise refused("text: quote it, or it loses zeros and capitals")
        if _ACCOUNT_NAME.fullmatch(name):
            for part in filter(None, (part.strip() for part in value.split(","))):
                if part.isdigit() and not re.fullmatch(r"[0-9]{12}", part, re.ASCII):
                    raise refused("an account id: twelve digits")
        return value
    if parameter.type == "bool":
        if isinstance(value, bool):
            return value
        word = value.strip().lower() if isinstance(value, str) else ""
        if word not in _TRUE | _FALSE:
            raise refused("true or false")
        return word in _TRUE
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise refused("a number")
    if parameter.type == "int" and isinstance(value, float):
        raise refused("a whole number")
    try:
        return int(value) if parameter.type == "int" else float(value)
    except ValueError:
        raise refused("a whole number" if parameter.type == "int" else "a number") from None


def validate(
    given: Mapping[str, object], notebooks: Mapping[str, Mapping[str, Parameter]]
) -> dict[str, dict[str, Value]]:
    """What each notebook is given: its own parameters among those that were given.

    Parameters
    ----------
    given
        Name → value.
    notebooks
        Notebook → the parameters it declares.

    Returns
    -------
    dict
        Notebook → name → value of the declared type.

    Raises
    ------
    UserError
        For a name that no notebook declares, one that the runner sets, or a wrong value.
    """
    known = {name for parameters in notebooks.values() for name in parameters} - set(RESERVED)
    for name in given:
        if name in RESERVED:
            raise UserError(f"parameter {name} is set by the run: use --{name}", USAGE)
        if name not in known:
            raise UserError(
                f"no notebook has a parameter {name[:_SHOWN]!r}{nearest(name, known)}", USAGE
            )
    return {
        notebook: {
            name: converted(parameters[name], value)
            for name, value in given.items()
            if name in parameters
        }
        for notebook, parameters in notebooks.items()
    }
