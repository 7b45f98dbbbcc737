"""The real SCPs and RCPs attached to the example organization: all parsed and decided.

What each does to a send was read off the policies by hand; those that are not named here say
nothing of SES, or only to principals with a tag that nobody in the example has.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from shared_data import REAL, needs_real_data

from ses_audit.audit.decide import Decider, Ruling
from ses_audit.audit.documents import Documents, check_document
from ses_audit.audit.model import Model, load
from ses_audit.audit.organization import Organization
from ses_audit.ses.actions import SEND_ACTIONS
from ses_audit.snapshot.store import Snapshot, open_snapshot

pytestmark = needs_real_data

ACTIONS = tuple(action.name for action in SEND_ACTIONS)
FOLDERS = ("scp-examples", "aws-organizations-user-guide", "aws-control-tower", "data-perimeter")
FILES = tuple(
    path.relative_to(REAL).as_posix()
    for folder in FOLDERS
    for path in sorted((REAL / folder).glob("*.json"))
)
ROOT = "r-a1b2"
POLICY = "p-realreal"

ROLE = "arn:aws:iam::222222222222:role/deploy"
USER = "arn:aws:iam::222222222222:user/ses-smtp-user.20240105-101010"
ACCOUNT_ROOT = "arn:aws:iam::222222222222:root"
EU = "arn:aws:ses:eu-west-1:222222222222:identity/example.com"
US = "arn:aws:ses:us-east-1:222222222222:identity/example.com"
CELLS = {"role": (ROLE, EU), "role far": (ROLE, US), "user": (USER, EU), "root": (ACCOUNT_ROOT, EU)}
"""Each is allowed in the example as it stands."""

FILLED_IN = {
    "<my-org-id>": "o-a1b2c3d4e5",
    "<my-corporate-cidr>": "203.0.113.0/24",
    '"aws:RequestedRegion":[]': '"aws:RequestedRegion":["eu-west-1"]',
    '"aws:RequestedRegion": []': '"aws:RequestedRegion": ["eu-west-1"]',
}

_EVERY = dict.fromkeys(CELLS, "CONDITIONAL")
_DATA = "data-perimeter/service_control_policies__"
_SPECIFIC = f"{_DATA}service_specific_controls__"
_GUIDE = "aws-organizations-user-guide/orgs-manage-policies-scps-"
_REGIONS = "scp-examples/Region-controls__Deny-access-to-AWS-based-on-the-requested-AWS-region"
_ROOT = "scp-examples/Privileged-access-controls__"

EXPECTED: dict[str, dict[str, str]] = {
    # NotAction lists that lack ses, and the regions eu-central-1 and eu-west-1.
    f"{_REGIONS}.json": {"role far": "DENIED"},
    f"{_GUIDE}examples-gener--01-deny-access-to-aws-based-on-the-requested-aws-region.json": {
        "role far": "DENIED"
    },
    f"{_GUIDE}syntax--08-condition-element.json": {"role far": "DENIED"},
    # Control Tower's region deny lacks ses; eu-west-1 is filled in.
    "aws-control-tower/grregiondeny.json": {"role far": "DENIED"},
    # Only us-west-1 is left.
    f"{_GUIDE}syntax--06-example-of-notaction-element.json": dict.fromkeys(CELLS, "DENIED"),
    # Its regions are placeholders still; ${Account} is no condition key, so it exempts nobody.
    f"{_REGIONS}-with-Bedrock-CRIS.json": dict.fromkeys(CELLS, "DENIED"),
    # NotAction of three S3 actions, for roots.
    f"{_ROOT}Deny-the-root-user-from-performing-actions-except-S3-bucketpolicy-changes.json": {
        "root": "DENIED"
    },
    # For roots unless aws:AssumedRoot is there, which is not known.
    f"{_ROOT}Prevent-root-credentials-management-in-member-accounts-in-AWS-Organizations.json": {
        "root": "CONDITIONAL"
    },
    # For users outside a network.
    "scp-examples/Protect-cloud-platform-resource__"
    "Deny-use-of-IAM-user-credentials-from-unexpected-networks.json": {"user": "CONDITIONAL"},
    # Calls by way of one VPC in a region that is not the VPC's.
    f"{_DATA}network_perimeter_sourcevpc_scp.json": _EVERY,
    f"{_SPECIFIC}network_perimeter_ec2_scp.json": _EVERY,
    f"{_SPECIFIC}network_perimeter_glue_scp.json": _EVERY,
    f"{_SPECIFIC}network_perimeter_iam_users_scp.json": _EVERY,
    # Credentials that Lambda handed out, from outside the network: never a user's or a root's.
    f"{_SPECIFIC}network_perimeter_lambda_scp.json": {
        "role": "CONDITIONAL",
        "role far": "CONDITIONAL",
    },
    # Recipients outside a domain, by API version 1.
    f"{_SPECIFIC}restrict_untrusted_endpoints_scp.json": _EVERY,
}


@pytest.fixture(scope="module")
def snapshot(example_snapshot: Path) -> Snapshot:
    return open_snapshot(example_snapshot)


@pytest.fixture(scope="module")
def model(snapshot: Snapshot) -> Model:
    return load(snapshot, ACTIONS)


def attached(snapshot: Snapshot, model: Model, text: str, kind: str, target: str = ROOT) -> Model:
    """The example with one policy more."""

    def rows(name: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = snapshot.table(name).to_pylist()
        return found

    texts = {row["sha256"]: row["document"] for row in rows("policy_documents")}
    policy = {
        "policy_id": POLICY,
        "arn": f"arn:aws:organizations::111111111111:policy/o-a1b2c3d4e5/x/{POLICY}",
        "name": "Real",
        "type": kind,
        "document_sha256": "real",
    }
    organization = Organization(
        rows("accounts"),
        rows("organizational_units"),
        [*rows("organization_policies"), policy],
        [*rows("policy_attachments"), {"policy_id": POLICY, "target_id": target}],
        Documents({**texts, "real": text}, ACTIONS),
        model.gaps,
        "o-a1b2c3d4e5",
        False,
    )
    return replace(model, organization=organization)


@cache
def text_of(file: str, *, filled_in: bool = True) -> str:
    text = (REAL / file).read_text(encoding="utf-8")
    for placeholder, value in FILLED_IN.items() if filled_in else ():
        text = text.replace(placeholder, value)
    return text


def decided(model: Model, cell: tuple[str, str], action: str = "ses:SendRawEmail") -> Ruling:
    principal, identity = cell
    return Decider(model).decide(model.senders[principal], model.identities[identity], action)


def kind_of(file: str) -> str:
    rcp = "resource_control_policies" in file
    return "RESOURCE_CONTROL_POLICY" if rcp else "SERVICE_CONTROL_POLICY"


def test_the_cells_are_allowed_as_the_example_stands(model: Model) -> None:
    assert {name: str(decided(model, cell).verdict) for name, cell in CELLS.items()} == (
        dict.fromkeys(CELLS, "ALLOWED")
    )


def test_every_policy_named_is_there() -> None:
    assert set(EXPECTED) <= set(FILES)
    assert len(FILES) >= 100


@pytest.mark.parametrize("file", FILES)
def test_a_policy_is_parsed_and_decided(snapshot: Snapshot, model: Model, file: str) -> None:
    assert check_document(text_of(file, filled_in=False)) is None
    assert check_document(text_of(file)) is None
    changed = attached(snapshot, model, text_of(file), kind_of(file))
    found = {name: decided(changed, cell) for name, cell in CELLS.items()}
    expected = {name: EXPECTED.get(file, {}).get(name, "ALLOWED") for name in CELLS}
    assert {name: str(ruling.verdict) for name, ruling in found.items()} == expected
    for ruling in found.values():
        assert ruling.proven
        assert str(ruling.verdict_without_scp) == "ALLOWED"
        if str(ruling.verdict) == "DENIED":
            assert ruling.denied_by == "service_control_policy"
            assert [denial.target for denial in ruling.denials] == [ROOT]
        if str(ruling.verdict) == "CONDITIONAL":
            assert ruling.conditions
            assert all(str(verdict) == "ALLOWED" for _, verdict in ruling.without)
    admin = "arn:aws:iam::111111111111:user/ops-admin"
    home = "arn:aws:ses:us-east-1:111111111111:identity/corp.example"
    assert str(decided(changed, (admin, home)).verdict) == "ALLOWED"


def test_a_perimeter_of_another_organization(snapshot: Snapshot, model: Model) -> None:
    # As published: its organization id is a placeholder, so every resource lies outside.
    file = f"{_DATA}resource_perimeter_scp.json"
    changed = attached(snapshot, model, text_of(file, filled_in=False), "SERVICE_CONTROL_POLICY")
    found = decided(changed, CELLS["role"])
    # …IfExists denies without aws:ResourceOrgID too: nothing turns on whether SES carries it.
    assert (str(found.verdict), found.confidence) == ("DENIED", "D")


def test_an_endpoint_rule_of_one_api_version(snapshot: Snapshot, model: Model) -> None:
    file = f"{_SPECIFIC}restrict_untrusted_endpoints_scp.json"
    changed = attached(snapshot, model, text_of(file), "SERVICE_CONTROL_POLICY")
    custom = decided(changed, CELLS["role"], "ses:SendCustomVerificationEmail")
    assert (str(custom.verdict), str(custom.verdict_without_scp)) == ("DENIED", "ALLOWED")
    bulk = decided(changed, CELLS["role"], "ses:SendBulkEmail")
    assert str(bulk.verdict) == "ALLOWED"  # the SCP does not list it


def test_an_allow_list_in_the_place_of_full_access(snapshot: Snapshot, model: Model) -> None:
    # ec2 and cloudwatch only; the account's own level has FullAWSAccess beside it.
    file = f"{_GUIDE}strategies--04-using-scps-as-an-allow-list.json"
    changed = attached(
        snapshot, model, text_of(file), "SERVICE_CONTROL_POLICY", target="222222222222"
    )
    assert str(decided(changed, CELLS["role"]).verdict) == "ALLOWED"
    level = changed.organization._attached["222222222222"]
    changed.organization._attached["222222222222"] = [POLICY]
    changed.organization._chains.clear()
    changed.organization._levels.clear()
    found = decided(changed, CELLS["role"])
    assert "p-FullAWSAccess" in level
    assert [(d.kind, d.target) for d in found.denials] == [("implicit", "222222222222")]
