"""`ses_audit`'s answer to a line beside the reference evaluator's, and what differs."""

from __future__ import annotations

from typing import Any

from iam_reference.conditions import condition_holds
from iam_reference.contexts import compares_open_keys, contexts
from iam_reference.decide import decide
from iam_reference.patterns import resource_matches
from smallest import smallest

from ses_audit.policy.simulation import simulate

__all__ = ["difference", "smallest_difference"]

VERSION = "2012-10-17"
"""In which `simulate` says what remains."""

CONTEXTS = 40
"""How many contexts of an open line the reference tries."""


def difference(line: dict[str, Any], answer: dict[str, Any] | None = None) -> str | None:
    """What differs between the two evaluators on a line; None where they agree.

    Parameters
    ----------
    line
        A line of `ses-audit simulate` that is valid.
    answer
        The result of `simulate`, where it is there already.
    """
    answer = simulate(line) if answer is None else answer
    if "Error" in answer:
        return f"error: {answer['Error']}"
    asked = [
        (action, resource)
        for action in line["ActionNames"]
        for resource in line.get("ResourceArns") or ["*"]
    ]
    results = answer["EvaluationResults"]
    if asked != [(each["EvalActionName"], each["EvalResourceName"]) for each in results]:
        return "results: not one for each action and resource, in order"
    for result in results:
        found = _decision(line, result) or (
            _open(line, result) if line.get("OpenContext") else None
        )
        if found is not None:
            return found
    return None


def _decision(line: dict[str, Any], result: dict[str, Any]) -> str | None:
    right = decide(line, result["EvalActionName"], result["EvalResourceName"])
    if right.decision != result["EvalDecision"]:
        return f"decision: {result['EvalDecision']}, the reference {right.decision}"
    by_organizations = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations")
    if by_organizations not in (None, right.by_organizations):
        return f"organizations: {by_organizations}"
    boundary = result.get("PermissionsBoundaryDecisionDetail", {})
    if boundary.get("AllowedByPermissionsBoundary") not in (None, right.by_boundary):
        return f"boundary: {boundary}"
    if line.get("OpenContext"):
        return None
    if result["Verdict"] != ("ALLOWED" if right.decision == "allowed" else "DENIED"):
        return f"verdict: {result['Verdict']}, the reference {right.decision}"
    denials = {
        (
            denial["layer"],
            denial["kind"],
            denial["name"] if denial["kind"] == "explicit" else None,
            denial["statement_index"],
            denial["target"],
        )
        for denial in result["DeniedBy"]
    }
    if denials != right.denials:
        missing, added = right.denials - denials, denials - right.denials
        return f"denials: missing {sorted(map(str, missing))}, added {sorted(map(str, added))}"
    return None


def _open(line: dict[str, Any], result: dict[str, Any]) -> str | None:
    """ALLOWED and DENIED hold in every context tried; CONDITIONAL is proved by its witnesses, and
    what remains holds where the request is allowed."""
    action, resource = result["EvalActionName"], result["EvalResourceName"]
    verdict = result["Verdict"]
    if not result["Proven"]:
        # Two open keys that are compared with each other are no finite question.
        return None if compares_open_keys(line) else "unproven: the line is small"
    if verdict == "CONDITIONAL":
        for name, allowed in (("Witness", True), ("CounterWitness", False)):
            witness = {**line, "ContextEntries": result[name]}
            decision = decide(witness, action, resource).decision
            if (decision == "allowed") is not allowed:
                return f"{name}: {decision} in {result[name]}"
        if result["Conditions"] is None:
            return "conditions: none"
    for context, multivalued in contexts(line, CONTEXTS):
        decision = decide(line, action, resource, context, multivalued).decision
        expected = verdict == "ALLOWED"
        if verdict == "CONDITIONAL":
            expected = _holds(result["Conditions"], resource, context, multivalued)
        if (decision == "allowed") is not expected:
            remains = result.get("ConditionsText", "")
            return f"open: {verdict} {remains}, the reference {decision} in {context}"
    return None


def _holds(
    remains: dict[str, Any], resource: str, context: dict[str, list[str]], multivalued: set[str]
) -> bool:
    """Whether what remains, as `simulate` gives it, holds in a context."""

    def inner(part: dict[str, Any]) -> bool:
        return _holds(part, resource, context, multivalued)

    if "not" in remains:
        return not inner(remains["not"])
    for name, of in (("all", all), ("any", any)):
        if name in remains:
            return of(map(inner, remains[name]))
    operator, key, values = remains["operator"], remains["key"], remains["values"]
    if operator == "Resource":
        return any(
            resource_matches(each, resource, VERSION, context, multivalued) for each in values
        )
    return condition_holds(operator, key, values, VERSION, context, multivalued)


def smallest_difference(line: dict[str, Any]) -> dict[str, Any]:
    """The smallest part of a line on which the evaluators differ in the same way."""
    kind = str(difference(line)).partition(":")[0]

    def fails(less: dict[str, Any]) -> bool:
        try:
            found = difference(less)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError, AssertionError):
            return False  # No line any more.
        return found is not None and found.partition(":")[0] == kind

    found: dict[str, Any] = smallest(line, fails)
    return found
