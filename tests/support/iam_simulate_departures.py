"""Where iam-simulate departs from AWS's documents, each as a way to make the reference depart too.

A disagreement is explained when the reference, made to depart in the ways named here, decides as
iam-simulate does. Each names what facts and rules say of it (by their numbers in the project's list
of rules that implementations get wrong).
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

from iam_reference import conditions, decide, patterns, principals
from iam_reference.contexts import LAYERS

__all__ = ["DEPARTURES", "Departure", "explanation"]

Line = dict[str, Any]
_RCP = "OrderedOrganizationResourcePolicyInputList"


@dataclass(frozen=True)
class Departure:
    """`rule`: what is departed from. `line`: the line as iam-simulate reads it; `reference`: the
    reference as it decides."""

    rule: str
    line: Callable[[Line], Line] = lambda line: line
    reference: Callable[[], AbstractContextManager[Any]] = nullcontext


def _statements(line: Line) -> Iterator[tuple[str, Line, Line]]:
    """Each statement with the name of its layer and its policy."""
    policies = [("ResourcePolicy", line["ResourcePolicy"])] if "ResourcePolicy" in line else []
    for name, inner in LAYERS:
        for item in line.get(name) or []:
            policies += [(name, policy) for policy in (item[inner] if inner else [item])]
    for name, policy in policies:
        for statement in decide.many(policy["Statement"]):
            yield name, policy, statement


def _without_patterns(unmatchable: Callable[[str, str], bool], *, whole: bool) -> Any:
    """Resource patterns that match nothing; with `whole` a NotResource that has one matches
    nothing either."""

    def changed(line: Line) -> Line:
        for name, _, statement in _statements(line):
            for element in ("Resource", "NotResource"):
                if element not in statement:
                    continue
                listed = decide.many(statement[element])
                kept = [each for each in listed if not unmatchable(f"{name}.{element}", each)]
                statement[element] = kept
                if element == "NotResource" and whole and len(kept) < len(listed):
                    del statement["NotResource"]
                    statement["Resource"] = []
        return line

    return changed


def _short(name: str, pattern: str) -> bool:
    """Fewer than six segments: `*` has to cross a colon. It may at the very end of a Resource, but
    not in RCPs."""
    if pattern == "*" or pattern.count(":") >= 5:
        return False
    anywhere = name.startswith(_RCP) or name.endswith(".NotResource")
    return anywhere or not pattern.endswith("*")


def _wild_type(_name: str, pattern: str) -> bool:
    if pattern.count(":") < 5 or "${" in pattern.split("/")[0]:
        return False
    resource = pattern.split(":", 5)[5]
    kind, slash, _ = resource.partition("/")
    return bool(slash) and re.search(r"[*?]", kind) is not None


def _early_variable(_name: str, pattern: str) -> bool:
    return "${" in pattern.rsplit(":identity/", 1)[0]


def _no_early_variables(line: Line) -> Line:
    for _, _, statement in _statements(_without_patterns(_early_variable, whole=False)(line)):
        for operator, keys in statement.get("Condition", {}).items():
            if "arn" in operator.lower():
                for name in keys:
                    keys[name] = [
                        "arn:no:such:arn:is:there" if "${aws:PrincipalAccount}" in each else each
                        for each in decide.many(keys[name])
                    ]
    return line


def _lower_start(line: Line) -> Line:
    for _, _, statement in _statements(line):
        for element in ("Resource", "NotResource"):
            if element in statement:
                statement[element] = [
                    re.sub(r"^(?:[^:$]*:){1,5}", lambda m: m.group().lower(), each)
                    for each in decide.many(statement[element])
                ]
    return line


def _newest_version(line: Line) -> Line:
    for _, policy, _ in _statements(line):
        policy["Version"] = "2012-10-17"
    return line


def _operators(change: Callable[[str], str]) -> Callable[[Line], Line]:
    def changed(line: Line) -> Line:
        for _, _, statement in _statements(line):
            condition = statement.get("Condition")
            if condition:
                statement["Condition"] = {change(name): keys for name, keys in condition.items()}
        return line

    return changed


def _values(key: str, change: Callable[[str], str]) -> Callable[[Line], Line]:
    """Another value of one key, in the request and in the policies."""

    def changed(line: Line) -> Line:
        for entry in line["ContextEntries"]:
            if entry["ContextKeyName"].lower() == key:
                entry["ContextKeyValues"] = [change(each) for each in entry["ContextKeyValues"]]
        for _, _, statement in _statements(line):
            for operator, keys in statement.get("Condition", {}).items():
                for name in keys:
                    if name.lower() == key and operator.lower() != "null":
                        texts = [decide.text_of(each) for each in decide.many(keys[name])]
                        keys[name] = [change(each) for each in texts]
        return line

    return changed


def _no_literal_star(line: Line) -> Line:
    for _, _, statement in _statements(line):
        for operator, keys in statement.get("Condition", {}).items():
            if re.search("equals(ignorecase)?(ifexists)?$", operator.lower()):
                for name in keys:
                    keys[name] = [
                        "<no value>" if each == "${*}" else each for each in decide.many(keys[name])
                    ]
    return line


def _as_milliseconds(text: str) -> str:
    if not text.isdigit():
        return text
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text))
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _number_at_the_start(text: str) -> str:
    found = re.match(r"-?[0-9]+(\.[0-9]+)?", text)
    return found.group() if found else text


def _spared(statement: Line, caller: Any, has_boundary: bool) -> bool:
    """NotPrincipal spares whoever is named in some form."""
    if "NotPrincipal" in statement and not has_boundary:
        return not principals.named(statement["NotPrincipal"], caller)
    return _principal_matches(statement, caller, has_boundary)


_principal_matches = principals.principal_matches
_resources_match = decide.resources_match
_condition_holds = conditions.condition_holds
_comparable = conditions.comparable
_pieces_match = patterns.pieces_match
_caller_of = principals.caller_of


def _unresolved(values: list[str], asked: Any, version: str) -> bool:
    for value in values:
        try:
            patterns.with_variables(value, version, asked.context, asked.multivalued)
        except patterns.Unresolved:
            return True
    return False


def _no_not_resource(statement: Line, version: str, asked: Any) -> bool:
    if _unresolved(decide.many(statement.get("NotResource", [])), asked, version):
        return False
    return _resources_match(statement, version, asked)


def _no_null_value(
    name: str, key: str, written: list[str], version: str, context: Any, multivalued: Any
) -> bool:
    asked = decide.Asked(principals.Caller("", None, ()), "", "", context, multivalued, False)
    of_text = re.search("(string|arn)not", name.lower()) is not None
    if of_text and key.lower() in context and _unresolved(written, asked, version):
        return False
    return _condition_holds(name, key, written, version, context, multivalued)


def _empty_text_is_a_value(
    name: str, key: str, written: list[str], version: str, context: Any, multivalued: Any
) -> bool:
    prefix, colon, operator = name.lower().partition(":")
    values = context.get(key.lower(), [])
    if not colon or not values or any(values):
        return _condition_holds(name, key, written, version, context, multivalued)
    operator = operator.removesuffix("ifexists")
    results = [
        conditions.value_matches(operator, written, value, version, context, multivalued)
        for value in values
    ]
    return all(results) if prefix == "forallvalues" else any(results)


def _addresses_comparable(operator: str, pattern: Any, value: str) -> bool:
    other = "/" not in conditions.plain(pattern) and (":" in value) != any(
        character == ":" for character, _ in pattern
    )
    return _comparable(operator, pattern, value) and not (operator == "ipaddress" and other)


def _within_a_line(pieces: list[Any], text: str) -> bool:
    if patterns.STAR in pieces and "\n" in text:
        return False
    return _pieces_match(pieces, text)


DEPARTURES: dict[str, Departure] = {
    "a * that ends a segment does not cross a colon": Departure(
        "7, and the list of its departures", _without_patterns(_short, whole=True)
    ),
    "a wildcard in the resource-type segment never matches": Departure(
        "the list of its departures", _without_patterns(_wild_type, whole=False)
    ),
    "ARN segments before the resource compare without regard to case": Departure(
        "6, and the list of its departures", _lower_start
    ),
    "variables are replaced whatever the Version": Departure(
        "8, and the list of its departures", _newest_version
    ),
    "a variable before the resource segment never matches": Departure("8", _no_early_variables),
    "a NotResource with a variable that has no value matches nothing": Departure(
        "8", reference=lambda: patch.object(decide, "resources_match", _no_not_resource)
    ),
    "a negated operator on a variable that has no value does not hold": Departure(
        "8", reference=lambda: patch.object(decide, "condition_holds", _no_null_value)
    ),
    "${*} is no star to an operator without wildcards": Departure("8", _no_literal_star),
    "epoch seconds are compared as milliseconds": Departure(
        "11, and the list of its departures", _values("aws:currenttime", _as_milliseconds)
    ),
    "text that begins with a number is that number": Departure(
        "11", _values("aws:multifactorauthage", _number_at_the_start)
    ),
    "0.0.0.0/0 never matches": Departure(
        "the list of its departures",
        _values("aws:sourceip", lambda text: "255.255.255.255" if text == "0.0.0.0/0" else text),
    ),
    "ForAnyValue:…IfExists on a missing key is false": Departure(
        "4, and the list of its departures",
        _operators(lambda name: re.sub(r"(?i)^(foranyvalue:.*)ifexists$", r"\1", name)),
    ),
    "an empty text is a value to a set operator": Departure(
        "4", reference=lambda: patch.object(decide, "condition_holds", _empty_text_is_a_value)
    ),
    "an address alone is not told from one of the other version": Departure(
        "3", reference=lambda: patch.object(conditions, "comparable", _addresses_comparable)
    ),
    "a wildcard stops at a line break": Departure(
        "5", reference=lambda: patch.object(conditions, "pieces_match", _within_a_line)
    ),
    "a session policy limits a grant to the session's ARN": Departure(
        "10, and the list of its departures",
        reference=lambda: patch.object(
            decide, "passes_session_policy", lambda forms, caller: False
        ),
    ),
    "a NotPrincipal that lists part of a principal's forms spares it": Departure(
        "10, and the list of its departures",
        reference=lambda: patch.object(decide, "principal_matches", _spared),
    ),
    "a role is its session's name without the path": Departure(
        "13",
        reference=lambda: patch.object(decide, "caller_of", lambda arn, _: _caller_of(arn, {})),
    ),
}


def explanation(line: Line, decision: str, most: int = 4) -> tuple[str, ...] | None:
    """The fewest departures with which the reference decides as iam-simulate did.

    Parameters
    ----------
    line
        A line that `comparable` made: its policies are objects.
    decision
        What iam-simulate decided.
    most
        How many departures may meet in one line.
    """
    for count in range(1, most + 1):
        for names in itertools.combinations(DEPARTURES, count):
            if _decided(line, names) == decision:
                return names
    return None


def _decided(line: Line, names: tuple[str, ...]) -> str:
    changed = json.loads(json.dumps(line))
    for name in names:
        changed = DEPARTURES[name].line(changed)
    return _decide_with(changed, names)


def _decide_with(line: Line, names: tuple[str, ...]) -> str:
    if not names:
        return decide.decide(line, line["ActionNames"][0], line["ResourceArns"][0]).decision
    with DEPARTURES[names[0]].reference():
        return _decide_with(line, names[1:])
