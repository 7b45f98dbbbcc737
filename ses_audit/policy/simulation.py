"""`ses-audit simulate`: a request in AWS's shape, and the result in AWS's shape.

Source: https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html

As in AWS's result, `MatchedStatements` and `MissingContextValues` leave the organization's policies
out; `DeniedBy` names them. Of AWS's result are left out: `EvalDecisionDetails` (its keys are not
documented), `ResourceSpecificResults` (each resource has a result of its own), and paging.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ses_audit.policy.compiled import compiled
from ses_audit.policy.json_text import MalformedPolicy, loads
from ses_audit.policy.kept import forget_also
from ses_audit.policy.outcome import Outcome, outcome
from ses_audit.policy.simulation_request import InvalidRequest, SimulationRequest, read_request
from ses_audit.policy.statement_places import StatementPositions
from ses_audit.policy.types import (
    AttachedPolicy,
    Context,
    Denial,
    Effect,
    Layers,
    Request,
    Statement,
    Verdict,
)

if TYPE_CHECKING:
    from ses_audit.policy.solve import OpenResult

__all__ = ["simulate", "simulate_text"]

_ID_FIRST = re.compile(r'\s*\{\s*"Id"\s*:\s*"([^"\\\x00-\x1f]{1,256})"')
"""The Id of a line that is malformed further on."""


def simulate_text(text: str) -> dict[str, object]:
    """Answer one line; never raises.

    Parameters
    ----------
    text
        The line.

    Returns
    -------
    dict
        As `simulate`; `{"Id", "Error"}` for a line that is malformed.

    Examples
    --------
    >>> simulate_text("{")["Id"] is None
    True
    >>> simulate_text('{"Id": "a", "ActionNames": [NaN]}')["Id"]
    'a'
    """
    try:
        value = loads(text)
    except MalformedPolicy as error:
        named = _ID_FIRST.match(text)
        certain = named is not None and text.count('"Id"') == 1
        return {
            "Id": named[1] if named and certain else None,
            "Error": f"the line is malformed: {error}",
        }
    if not isinstance(value, dict):
        return {"Id": None, "Error": "the line is not a JSON object"}
    return simulate(value)


def simulate(value: Mapping[str, object]) -> dict[str, object]:
    """Answer one decoded line.

    Parameters
    ----------
    value
        The request of `aws iam simulate-custom-policy --cli-input-json`, with the additions of
        `simulation_request.FIELDS`.

    Returns
    -------
    dict
        `{"Id", "EvaluationResults"}`, one result for each action and resource; `{"Id", "Error"}`
        where the request is malformed. `EvalDecision` is the decision with the keys that are
        given and no others; with `OpenContext` the verdict is about all contexts.

    Examples
    --------
    >>> line = {"Id": "a", "PolicyInputList": [], "ActionNames": ["ses:SendEmail"]}
    >>> simulate(line)["EvaluationResults"][0]["EvalDecision"]
    'implicitDeny'
    """
    identifier = value.get("Id")
    if isinstance(identifier, (dict, list)):
        return {"Id": None, "Error": "Id is text or a number"}
    try:
        request = read_request(value)
    except InvalidRequest as error:
        return {"Id": identifier, "Error": str(error)}
    return {
        "Id": identifier,
        "EvaluationResults": [_result(request, each) for each in request.requests],
    }


def _result(simulation: SimulationRequest, request: Request) -> dict[str, object]:
    layers = simulation.layers
    found = outcome(layers, request)
    allowed = found.effect is Effect.ALLOWED
    result: dict[str, object] = {
        "EvalActionName": request.action,
        "EvalResourceName": request.resource,
        "EvalDecision": found.effect.value,
        "MatchedStatements": _matched(found, simulation.sources),
        "MissingContextValues": _missing(layers, request.context),
    }
    if simulation.has_organization:
        result["OrganizationsDecisionDetail"] = {
            "AllowedByOrganizations": found.allowed_by_organizations
        }
    if layers.permissions_boundary is not None:
        result["PermissionsBoundaryDecisionDetail"] = {
            "AllowedByPermissionsBoundary": found.allowed_by_boundary
        }
    if not simulation.open_context:
        verdict = Verdict.ALLOWED if allowed else Verdict.DENIED
        result |= {
            "Verdict": verdict.value,
            "DeniedBy": [_denial(denial) for denial in found.denials],
            "Conditions": None,
            "Witness": None,
        }
        return result
    opened, denied_by = _opened(layers, request)
    conditional = opened.verdict is Verdict.CONDITIONAL
    result |= {
        "Verdict": opened.verdict.value,
        "Proven": opened.proven,
        "DeniedBy": [_denial(denial) for denial in denied_by],
        "Conditions": None,
        "Witness": None,
        "CounterWitness": None,
    }
    if conditional and opened.conditions is not None:
        result["Conditions"] = opened.conditions.to_json()
        result["ConditionsText"] = str(opened.conditions)
    if conditional:
        result["Witness"] = _entries(opened.witness, request)
        result["CounterWitness"] = _entries(opened.counter_witness, request)
    return result


def _opened(layers: Layers, request: Request) -> tuple[OpenResult, tuple[Denial, ...]]:
    """The verdict about all contexts, and every reason against it where it is DENIED."""
    # Imported when it is needed: most files hold concrete requests only.
    from ses_audit.policy.open_denials import open_denials
    from ses_audit.policy.reduce import OpenRequest, open_evaluate
    from ses_audit.policy.solve import forget

    forget_also(forget)
    opened = OpenRequest(
        caller=request.caller,
        action=request.action,
        resource=request.resource,
        resource_account=request.resource_account,
        known=request.context,
        multivalued=request.multivalued,
    )
    result = open_evaluate(layers, opened)
    return result, open_denials(layers, opened) if result.verdict is Verdict.DENIED else ()


def _entries(context: Context | None, request: Request) -> list[dict[str, object]] | None:
    """A context as `ContextEntries`, the given keys included: it can be sent as it is."""
    if context is None:
        return None
    whole = {**request.context, **context}
    return [
        {
            "ContextKeyName": key,
            "ContextKeyValues": list(values),
            "ContextKeyType": "stringList"
            if key.lower() in request.multivalued or len(values) != 1
            else "string",
        }
        for key, values in sorted(whole.items())
    ]


def _denial(denial: Denial) -> dict[str, object]:
    return {
        "layer": denial.layer.value,
        "kind": denial.kind,
        "name": denial.policy,
        "sid": denial.sid,
        "statement_index": denial.statement_index,
        "target": denial.target,
    }


def _matched(found: Outcome, sources: Mapping[str, object]) -> list[dict[str, object]]:
    """The statements that made the decision: the denying ones alone, or else the granting ones."""
    if found.effect is Effect.EXPLICIT_DENY:
        layers = (found.identity, found.boundary, found.session, found.resource)
        deciding = [denied for met in layers if met is not None for denied in met.denies]
    else:
        deciding = list(found.grants)
    positions: dict[str, StatementPositions] = {}
    for policy, _ in deciding:
        if policy.name not in positions:
            positions[policy.name] = StatementPositions(_text(sources[policy.name]))
    return [_statement(policy, statement, positions) for policy, statement in deciding]


def _text(source: object) -> str:
    return source if isinstance(source, str) else json.dumps(source, separators=(",", ":"))


def _statement(
    policy: AttachedPolicy, statement: Statement, positions: Mapping[str, StatementPositions]
) -> dict[str, object]:
    resource = policy.name.startswith("ResourcePolicy")
    start, end = positions[policy.name].of(statement.index)
    return {
        "SourcePolicyId": policy.name,
        "SourcePolicyType": "Resource Policy" if resource else "IAM Policy",
        "StartPosition": start,
        "EndPosition": end,
        "Sid": statement.sid,
        "StatementIndex": statement.index,
    }


def _missing(layers: Layers, context: Mapping[str, tuple[str, ...]]) -> list[str]:
    """The keys that the policies name and the request lacks, as they are first written."""
    missing: dict[str, str] = {}
    for policy in _of_the_caller_and_resource(layers):
        for lower, written in compiled(policy.document).keys:
            if lower not in context:
                missing.setdefault(lower, written)
    return list(missing.values())


def _of_the_caller_and_resource(layers: Layers) -> Iterator[AttachedPolicy]:
    yield from layers.identity_policies
    if layers.permissions_boundary is not None:
        yield layers.permissions_boundary
    yield from layers.session_policies or ()
    yield from layers.resource_policies
