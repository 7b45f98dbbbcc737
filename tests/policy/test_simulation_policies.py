"""Policies of `simulate` lines: kept while memory lasts, and read for what they are."""

from __future__ import annotations

import json

import pytest
from policy_cases import ACCOUNT, USER, allow

from ses_audit.policy import simulation_policies, simulation_request, solve
from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.kept import forget
from ses_audit.policy.patterns import tokens_of
from ses_audit.policy.simulation import simulate
from ses_audit.policy.simulation_policies import _Kept, read_layers
from ses_audit.policy.types import Caller

TEXTS = [json.dumps({"Id": str(number), "Statement": allow()}) for number in range(4)]
LEVELS = {
    "OrderedOrganizationPolicyInputList": [{"ServiceControlPolicyInputList": [TEXTS[0]]}],
    "OrderedOrganizationResourcePolicyInputList": [{"ResourceControlPolicyInputList": [TEXTS[1]]}],
}


def test_a_text_is_parsed_once_while_it_is_kept() -> None:
    kept = _Kept()
    kept.MOST = 4 * len(TEXTS[0])
    first, second = kept.document(TEXTS[0], "identity"), kept.document(TEXTS[1], "identity")
    assert kept.document(TEXTS[0], "identity") is first
    # Another kind of policy is read by other rules.
    with pytest.raises(MalformedPolicy, match="names a Principal"):
        kept.document(TEXTS[0], "resource")
    assert kept.length == kept.MOST
    assert list(kept.documents.values()) == [first, second]
    tokens = tokens_of("a*")
    assert tokens_of("a*") is tokens
    # One too many: all goes, the patterns too, and counting begins anew.
    third = kept.document(TEXTS[2], "identity")
    assert list(kept.documents.values()) == [third]
    assert kept.length == len(TEXTS[2])
    assert tokens_of("a*") is not tokens
    kept.document(TEXTS[3], "identity")
    assert kept.document(TEXTS[2], "identity") is third
    assert kept.document(TEXTS[0], "identity") is not first


@pytest.mark.parametrize("source", [TEXTS[0], json.loads(TEXTS[0])])
def test_what_a_line_brings_is_counted(source: object, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = _Kept()
    monkeypatch.setattr(simulation_policies, "KEPT", kept)
    monkeypatch.setattr(simulation_request, "KEPT", kept)
    entries = [{"ContextKeyName": "k", "ContextKeyValues": ["12345", "678"]}]
    line = {"ActionNames": ["a:b"], "PolicyInputList": [source], "ContextEntries": entries}
    for number in (1, 2):
        simulate(line)
        text = source if isinstance(source, str) else json.dumps(source, separators=(",", ":"))
        assert kept.length == number * (8 + len(text))


def test_what_open_evaluation_keeps_is_forgotten_as_well() -> None:
    condition = {"StringLike": {"aws:username": "ann*"}}
    policy = {"Statement": allow(Condition=condition)}
    simulate({"ActionNames": ["ses:SendEmail"], "PolicyInputList": [policy], "OpenContext": True})
    assert solve._decided
    forget()
    assert not solve._decided


@pytest.mark.parametrize(
    ("caller", "scp", "rcp"),
    [
        (USER, True, True),
        (Caller("cognito-idp.amazonaws.com", None, "service"), False, True),
        (
            Caller(
                f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/x.amazonaws.com/R", ACCOUNT, "role"
            ),
            False,
            False,
        ),
    ],
)
def test_whom_an_organization_binds(caller: Caller, scp: bool, rcp: bool) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"""
    layers = read_layers(LEVELS, caller)
    found = layers.service_control_policies, layers.resource_control_policies
    assert [levels is not None for levels in found] == [scp, rcp]
    assert [levels and levels[0][0].document.id for levels in found] == [
        "0" if scp else None,
        "1" if rcp else None,
    ]
    assert layers.service_control_targets == ("OrderedOrganizationPolicyInputList.1",)
    assert layers.resource_control_targets == ("OrderedOrganizationResourcePolicyInputList.1",)
