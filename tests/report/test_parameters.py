"""Parameters: what a notebook declares, what may be given, what is refused and how."""

from __future__ import annotations

import inspect

import nbformat
import papermill
import pytest
from nbformat import v4

from ses_audit.errors import USAGE, UserError
from ses_audit.report.notebook_files import find_notebooks
from ses_audit.report.parameters import (
    Parameter,
    Value,
    assignments,
    converted,
    declared,
    nearest,
    validate,
)


def notebook(source: str) -> nbformat.NotebookNode:
    return v4.new_notebook(cells=[v4.new_code_cell(source, metadata={"tags": ["parameters"]})])


def test_declarations_are_read_with_their_types_and_help() -> None:
    found = declared(
        notebook('a: str = ""  # the a\nb: int = 3\nc: bool = True  # x = y\nd: float = 0.5'), "n"
    )
    assert found == {
        "a": Parameter("a", "str", "", "the a"),
        "b": Parameter("b", "int", 3, ""),
        "c": Parameter("c", "bool", True, "x = y"),
        "d": Parameter("d", "float", 0.5, ""),
    }


@pytest.mark.parametrize(
    "source",
    [
        "a = 1",
        "a: str | None = None",
        "a: int = True",
        'a: str = "x".upper()',
        "import os",
        "a: str",
        "a: str = (",
    ],
)
def test_a_cell_of_anything_else_is_refused(source: str) -> None:
    with pytest.raises(UserError, match=r"^02_x: .*parameters") as error:
        declared(notebook(source), "02_x")
    assert error.value.exit_code == USAGE


def test_papermill_sees_what_we_see() -> None:
    for ours in find_notebooks():
        seen = papermill.inspect_notebook(str(ours.path))
        assert set(seen) == set(declared(ours.read(), ours.name)), ours.name


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("str", "no", "no"),
        ("str", "0123", "0123"),
        ("str", "a,b", "a,b"),
        ("int", "14", 14),
        ("int", 14, 14),
        ("int", "-3", -3),
        ("float", "0.5", 0.5),
        ("float", 2, 2.0),
        ("bool", "true", True),
        ("bool", "No", False),
        ("bool", False, False),
    ],
)
def test_string_forms_are_accepted(kind: str, given: object, value: Value) -> None:
    found = converted(Parameter("x", kind, ""), given)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("str", 12345678901),
        ("str", None),
        ("int", "1.5"),
        ("int", 1.5),
        ("int", True),
        ("int", ""),
        ("float", "x"),
        ("bool", "maybe"),
        ("bool", 1),
    ],
)
def test_other_values_are_refused(kind: str, given: object) -> None:
    with pytest.raises(UserError, match=r"^parameter x: ") as error:
        converted(Parameter("x", kind, ""), given)
    assert error.value.exit_code == USAGE


@pytest.mark.parametrize("name", ["account", "accounts", "account_id", "member_accounts"])
def test_account_ids_keep_their_zeros_and_have_twelve_digits(name: str) -> None:
    parameter = Parameter(name, "str", "")
    assert converted(parameter, "012345678901,prod-web") == "012345678901,prod-web"
    for wrong in ("12345678901", "0123456789012", "١٢٣٤٥٦٧٨٩٠١٢"):
        with pytest.raises(UserError, match="twelve digits"):
            converted(parameter, wrong)


def test_assignments_stay_text() -> None:
    assert assignments(["account=012345678901", "region=no", "x=", "y=a=b"]) == {
        "account": "012345678901",
        "region": "no",
        "x": "",
        "y": "a=b",
    }
    for wrong in (["account"], ["=x"], ["a-b=1"], ["a=1", "a=2"]):
        with pytest.raises(UserError) as error:
            assignments(wrong)
        assert error.value.exit_code == USAGE


def test_a_mistyped_name_is_refused_with_the_nearest_match() -> None:
    known = {"02_x": {"account": Parameter("account", "str", "")}, "03_y": {}}
    assert validate({"account": "111111111111"}, known) == {
        "02_x": {"account": "111111111111"},
        "03_y": {},
    }
    with pytest.raises(UserError, match=r"'acount'; did you mean account\?"):
        validate({"acount": "111111111111"}, known)
    with pytest.raises(UserError, match="set by the run"):
        validate({"snapshot": "x"}, known)


def test_nearest_names_everything_when_nothing_is_near() -> None:
    assert nearest("zzz", []) == "; there are none"
    assert nearest("zzz", ["b", "a"]) == "; one of a, b"


def test_values_are_the_types_that_papermill_writes_as_python() -> None:
    assert set(inspect.get_annotations(Parameter, eval_str=True)["default"].__args__) == {
        str,
        int,
        float,
        bool,
    }
