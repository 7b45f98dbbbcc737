"""Policy variables: cases of the page, and the functions behind them."""

from __future__ import annotations

import pytest
from policy_cases import IDENTITY, allow, load, request

from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.parse import parse_document
from ses_audit.policy.reduce import OpenRequest, open_evaluate
from ses_audit.policy.types import AttachedPolicy, Layers, Verdict
from ses_audit.policy.variables import (
    part_for_variable,
    specialize,
    substitute,
    substitute_text,
    variables_in,
)

CASES = [*load("variables")["cases"], *load("elements")["cases"]]
NEW, OLD = "2012-10-17", "2008-10-17"


def statement_of(case: dict) -> dict:
    statement = allow(**case["statement"])
    for name in ("Action", "Resource"):
        if f"Not{name}" in statement:
            del statement[name]
    if "resource" in case:
        statement["Action"] = "*"
    return statement


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(case: dict) -> None:
    assert case["source"].startswith("https://docs.aws.amazon.com/")
    source: dict = {"Statement": statement_of(case)}
    if case.get("version", NEW):
        source["Version"] = case.get("version", NEW)
    layers = Layers(identity_policies=(AttachedPolicy(parse_document(source), "p"),))
    asked = request(resource=case.get("resource", IDENTITY), context=case.get("context"))
    (result,) = evaluate(layers, asked).layers[0].levels[0].policies[0].statements
    assert result.matched is case["applies"]
    # Open evaluation in which every key is known or absent says the same.
    keys = {key.lower() for key in asked.context}
    open_request = OpenRequest(
        asked.caller,
        asked.action,
        asked.resource,
        asked.resource_account,
        known=asked.context,
        absent=frozenset({"test:a", "test:b", "test:c", "aws:username", "aws:principaltag/team"})
        - keys,
        multivalued=asked.multivalued,
    )
    allowed = case["applies"] and case["statement"].get("Effect") != "Deny"
    opened = open_evaluate(layers, open_request)
    assert opened.verdict is (Verdict.ALLOWED if allowed else Verdict.DENIED)


def test_variables_in() -> None:
    assert [v.key for v in variables_in("${a}${B, 'x'}${*}", NEW)] == ["a", "b"]
    assert variables_in("${a}", OLD) == ()
    assert variables_in("plain", NEW) == ()


def test_substitute_text() -> None:
    context = {"a": ("x*",)}
    assert substitute_text("${a}-${*}", context, NEW) == "x*-*"
    assert substitute_text("${b}", context, NEW) is None
    assert substitute_text("${b}", context, OLD) == "${b}"
    assert substitute_text("a*", context, NEW) == "a*"
    assert substitute("${b}", context, NEW) is None


@pytest.mark.parametrize(
    ("text", "version", "expected"),
    [
        ("plain", NEW, "plain"),
        ("${a}", OLD, "${a}"),
        ("${a}/${b}", NEW, "x${*}${?}${$}{/${b}"),
        ("${b, 'd'}${*}", NEW, "${b, 'd'}${*}"),
        ("${gone}", NEW, None),
        ("${gone, 'd'}", NEW, "d"),
        ("${many}", NEW, None),
    ],
)
def test_specialize(text: str, version: str, expected: str | None) -> None:
    known = {"a": ("x*?${",), "many": ("1", "2")}
    found = specialize(text, known, frozenset({"gone"}), version, frozenset())
    assert found == expected


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("home/${k}/*", "home/ann/x", "ann"),
        ("home/${k}", "homes/ann", None),
        ("${other}-${k}", "a-b", "b"),
        ("${*}${k}", "*b", "b"),
        ("no variable", "no variable", None),
        ("*" * 5 + "${k}", "abc", "c"),
        ("${k}", "x" * 3000, "x" * 3000),
        ("${k}", "", None),
        ("a${k}b", "ab", None),
        ("a?${k}", "axy", "y"),
        ("*a${k}b*", "xabacbdb", "c"),
        ("*a${k}b*", "xba", None),
        ("${k}b${other}", "abcb", "a"),
        ("${k}-${k}", "ann-bob", "ann"),
        ("*a*a*${k}*a*b", "a" * 3000, None),
    ],
)
def test_part_for_variable(pattern: str, value: str, expected: str | None) -> None:
    assert part_for_variable(pattern, "k", value) == expected
