"""Every reason against an open request: by rule, and against all sets tried one by one."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest
from policy_cases import ACCOUNT, IDENTITY, allow, attached, load
from policy_cases import USER as CALLER
from random_requests import line

from ses_audit.policy.compiled import compiled
from ses_audit.policy.open_denials import open_denials, refusing_together
from ses_audit.policy.outcome import outcome
from ses_audit.policy.reduce import OpenRequest
from ses_audit.policy.simulation import simulate
from ses_audit.policy.simulation_request import read_request
from ses_audit.policy.types import AttachedPolicy, Denial, Layer, Layers

CASES = load("open_denials")["cases"]
USER = "arn:aws:iam::111111111111:user/a"
CONDITIONS: dict[str, dict[str, dict[str, str]]] = {
    "near": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    "far": {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    "nearer": {"IpAddress": {"aws:SourceIp": "10.0.0.0/16"}},
    "mfa": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
}


def policy(statements: list[list[Any]]) -> dict[str, Any]:
    """A policy that allows nothing of SES where a case gives it no statement."""
    found: list[dict[str, Any]] = []
    for effect, condition, sid, *principal in statements:
        statement = {"Effect": effect, "Action": "ses:*", "Resource": "*"}
        statement |= {"Condition": CONDITIONS[condition]} if condition else {}
        statement |= {"Sid": sid} if sid else {}
        if principal:
            name = principal[0]
            statement["Principal"] = name if name == "*" else {"AWS": name}
        found.append(statement)
    other = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": found or [other]}


def line_of(case: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "OpenContext": True,
        "ActionNames": ["ses:SendEmail"],
        "CallerArn": case.get("caller", USER),
        "ResourceOwner": case.get("owner", "111111111111"),
        "PolicyInputList": [policy(case["identity"])],
        "ContextEntries": [
            {"ContextKeyName": key, "ContextKeyValues": [value]}
            for key, value in case.get("context", {}).items()
        ],
    }
    for word, name in (
        ("boundary", "PermissionsBoundaryPolicyInputList"),
        ("session", "SessionPolicyInputList"),
        ("resource", "ResourcePolicyInputList"),
    ):
        if word in case:
            line[name] = [policy(case[word])]
    for word, outer, inner in (
        ("scp", "OrderedOrganizationPolicyInputList", "ServiceControlPolicyInputList"),
        ("rcp", "OrderedOrganizationResourcePolicyInputList", "ResourceControlPolicyInputList"),
    ):
        if word in case:
            line[outer] = [{inner: [policy(level)] if level else []} for level in case[word]]
    return line


@pytest.mark.parametrize("case", CASES, ids=[case["rule"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    answer: Any = simulate(line_of(case))
    (result,) = answer["EvaluationResults"]
    named = [
        " ".join(
            reason[field]
            for field in ("layer", "kind", "name", "sid", "target")
            if reason[field] is not None
        )
        for reason in result["DeniedBy"]
    ]
    assert named == case["denied_by"]
    assert (result["Verdict"] == "DENIED") is bool(named)


@pytest.mark.parametrize("case", CASES, ids=[case["rule"] for case in CASES])
@pytest.mark.parametrize("known", [{}, {"aws:sourceip": ("10.0.0.1",)}])
def test_where_every_key_is_settled_they_are_those_of_the_concrete_decision(
    case: dict[str, Any], known: dict[str, tuple[str, ...]]
) -> None:
    asked = read_request(line_of({**case, "context": {}}))
    (request,) = asked.requests
    settled = OpenRequest(
        request.caller,
        request.action,
        request.resource,
        request.resource_account,
        known=known,
        absent=frozenset({"aws:sourceip", "aws:multifactorauthpresent"} - known.keys()),
    )
    concrete = outcome(
        asked.layers,
        type(request)(
            request.caller, request.action, request.resource, request.resource_account, known
        ),
    )
    assert open_denials(asked.layers, settled) == tuple(concrete.denials)


@pytest.mark.parametrize("part", range(4))
def test_random_requests_whose_keys_are_all_settled(part: int) -> None:
    compared = 0
    for seed in range(part, 400, 4):
        asked = read_request(line(seed))
        for request in asked.requests:
            named = {lower for p in asked.layers.all_policies() for lower, _ in keys(p)}
            settled = OpenRequest(
                request.caller,
                request.action,
                request.resource,
                request.resource_account,
                known=request.context,
                absent=frozenset(named - request.context.keys()),
                multivalued=request.multivalued,
            )
            denials = outcome(asked.layers, request).denials
            assert open_denials(asked.layers, settled) == tuple(dict.fromkeys(denials)), seed
            compared += bool(denials)
    assert compared > 50


def keys(policy: AttachedPolicy) -> tuple[tuple[str, str], ...]:
    return compiled(policy.document).keys


def test_reasons_have_the_fields_of_a_denial() -> None:
    answer: Any = simulate(line_of(CASES[0]))
    assert answer["EvaluationResults"][0]["DeniedBy"][0] == {
        "layer": "identity_policy",
        "kind": "explicit",
        "name": "PolicyInputList.1",
        "sid": "No",
        "statement_index": 1,
        "target": None,
    }


NAMES = tuple(Denial(Layer.IDENTITY_POLICY, "explicit", name) for name in "abcdefg")


@pytest.mark.parametrize("seed", range(60))
def test_smallest_sets_against_all_sets(seed: int) -> None:
    """What refuses is drawn as sets; those in which no other lies are the smallest."""
    source = random.Random(seed)
    drawn = [
        frozenset(source.sample(NAMES, source.randint(1, 4))) for _ in range(source.randint(1, 5))
    ]
    smallest = [one for one in drawn if not any(other < one for other in drawn)]
    active = frozenset(NAMES)
    named = refusing_together(NAMES, lambda lifted: any(one <= active - lifted for one in drawn))
    assert set(named) == frozenset().union(*smallest)
    assert list(named) == sorted(named, key=NAMES.index)


def test_nothing_is_named_for_what_is_refused_without_them() -> None:
    assert refusing_together(NAMES, lambda lifted: True) == ()


def test_a_search_that_would_not_end_names_all() -> None:
    """Any fifteen of thirty refuse, and one has no part: more sets than can be tried."""
    many = [Denial(Layer.IDENTITY_POLICY, "explicit", str(number)) for number in range(31)]
    asked: list[int] = []

    def refused(lifted: frozenset[Denial]) -> bool:
        asked.append(len(lifted))
        return len(lifted - {many[-1]}) <= 15

    assert refusing_together(many, refused) == tuple(many)
    assert len(asked) <= 400


def test_a_boundary_makes_not_principal_deny() -> None:
    """Whoever has a boundary is denied, listed or not, as the page on NotPrincipal warns.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
    """
    listed = {"AWS": ["arn:aws:iam::111111111111:user/ann", ACCOUNT]}
    spared = {"Effect": "Deny", "NotPrincipal": listed, "Action": "ses:*", "Resource": "*"}
    layers = Layers(
        identity_policies=(attached(allow()),),
        permissions_boundary=attached(allow()),
        resource_policies=(attached(spared, name="r"),),
    )
    request = OpenRequest(CALLER, "ses:SendEmail", IDENTITY, ACCOUNT)
    denial = Denial(Layer.SENDING_AUTHORIZATION_POLICY, "explicit", "r", None, 0)
    assert open_denials(layers, request) == (denial,)
    assert open_denials(replace(layers, permissions_boundary=None), request) == ()


def test_a_level_whose_targets_are_not_given_is_named_by_its_policies() -> None:
    other = attached(allow(Action="s3:*"), name="scp", target="ou-1")
    layers = Layers(identity_policies=(attached(allow()),), service_control_policies=((other,),))
    request = OpenRequest(CALLER, "ses:SendEmail", IDENTITY, ACCOUNT)
    (denial,) = open_denials(layers, request)
    assert denial == Denial(Layer.SERVICE_CONTROL_POLICY, "implicit", target="ou-1")
