"""What removes the causes of a denied cell, and the proof that it does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import ses_audit
from ses_audit.audit import Audit
from ses_audit.audit.explanation import Explanation, Repair
from ses_audit.policy.types import Verdict
from ses_audit.replay.example.build import example_data

WEB = "222222222222"
EU = f"arn:aws:ses:eu-west-1:{WEB}"
NOT_MENDED = {"conditions", "place"}
DENIED = [
    cell
    for cell in example_data("truth")["cells"]
    if cell.get("causes") and cell["principal"] != "*"
]


@pytest.fixture(scope="module")
def audit(example_snapshot: Path) -> Audit:
    return ses_audit.open(example_snapshot)


def added(found: Explanation) -> list[tuple[Repair, dict[str, Any]]]:
    return [(r, json.loads(r.statement or "")) for r in found.repairs if r.how == "add"]


@pytest.mark.parametrize("cell", DENIED, ids=[cell["special"] for cell in DENIED])
def test_all_repairs_together_let_the_send_pass(audit: Audit, cell: dict[str, Any]) -> None:
    action = cell.get("action", "ses:SendRawEmail")
    found = audit.explain(cell["principal"], action, cell["identity"])
    mended = {item for repair in found.repairs for item in repair.items}
    assert mended == set(cell["causes"]) - NOT_MENDED
    if not mended:
        assert found.verdict_repaired is None
        return
    assert found.verdict_repaired in (Verdict.ALLOWED, Verdict.CONDITIONAL)


def test_one_statement_for_all_that_the_principal_lacks(audit: Audit) -> None:
    found = audit.explain("article-one", "SendRawEmail", "example.org")
    ((repair, statement),) = added(found)
    assert repair.items == ("identity_policy", "default_configuration_set")
    assert repair.where == f"arn:aws:iam::{WEB}:user/article-one"
    assert statement == {
        "Effect": "Allow",
        "Action": "ses:SendRawEmail",
        "Resource": [f"{EU}:identity/example.org", f"{EU}:configuration-set/tracking"],
    }


def test_a_covered_address_is_named_beside_its_domain(audit: Audit) -> None:
    # Sources conflict on which of the two ARNs is checked: a repair names both.
    asked = f"{EU}:identity/info@example.com"
    found = audit.explain(f"arn:aws:iam::{WEB}:user/alice", "SendEmail", asked)
    ((_, statement),) = added(found)
    assert statement["Resource"] == [f"{EU}:identity/example.com", asked]


def test_a_grant_to_a_delegate(audit: Audit) -> None:
    identity = "arn:aws:ses:us-east-1:666666666666:identity/open.example"
    found = audit.explain(f"arn:aws:sts::{WEB}:assumed-role/deploy/job", "SendEmail", identity)
    ((repair, statement),) = added(found)
    assert (repair.layer, repair.where) == ("sending_authorization_policy", identity)
    assert statement["Principal"] == {"AWS": f"arn:aws:iam::{WEB}:role/deploy"}
    assert found.verdict_repaired is Verdict.ALLOWED


def test_a_boundary_and_a_level(audit: Audit) -> None:
    bounded = audit.explain("bounded-app", "SendRawEmail", f"{EU}:identity/example.com")
    ((repair, _),) = added(bounded)
    assert repair.where == f"arn:aws:iam::{WEB}:policy/AppBoundary"
    contained = audit.explain("contained-mailer", "SendRawEmail", "contained.example")
    ((repair, _),) = added(contained)
    assert repair.where == "Contained (ou-a1b2-containe)"
    assert contained.verdict_repaired is Verdict.ALLOWED


def test_a_denial_is_narrowed_and_no_statement_is_made_up(audit: Audit) -> None:
    found = audit.explain("contractor", "SendRawEmail", f"{EU}:identity/example.com")
    (repair,) = found.repairs
    assert (repair.how, repair.statement) == ("narrow", None)
    assert repair.title == (
        "identity_policy: let NoSending, statement 1 “ContractorsDoNotSend” on "
        f"arn:aws:iam::{WEB}:user/contractor leave this send out"
    )


def test_the_region_lock_goes_and_the_office_stays(audit: Audit) -> None:
    identity = "arn:aws:ses:ca-central-1:777777777777:identity/promo.example"
    found = audit.explain("promo-mailer", "SendRawEmail", identity)
    assert found.verdict_repaired is Verdict.CONDITIONAL


def test_recipients_of_the_sandbox_are_granted_together(audit: Audit) -> None:
    found = audit.explain(
        "arn:aws:iam::999999999999:role/lambda-orders", "SendEmail", "lab.example"
    )
    ((repair, statement),) = added(found)
    assert repair.items == ("identity_policy", "sandbox_recipient")
    prefix = "arn:aws:ses:eu-west-1:999999999999:identity"
    assert statement["Resource"] == [f"{prefix}/lab.example", f"{prefix}/*"]
    assert found.verdict_repaired is Verdict.ALLOWED


def test_nobody_is_let_in_by_a_grant_to_everyone(audit: Audit) -> None:
    identity = "arn:aws:ses:us-east-1:666666666666:identity/org.example"
    found = audit.explain("*", "SendRawEmail", identity)
    assert (found.repairs, found.verdict_repaired) == ((), None)


def test_an_allowed_cell_needs_none(audit: Audit) -> None:
    found = audit.explain("deploy", "SendRawEmail", f"{EU}:identity/example.com")
    assert (found.repairs, found.verdict_repaired) == ((), None)


def test_repairs_in_text_json_and_html(audit: Audit) -> None:
    found = audit.explain("domain-only", "SendRawEmail", f"{EU}:identity/news@example.com")
    assert "Repairs (decided again with all of them: ALLOWED):" in found.to_text()
    told = json.loads(json.dumps(found.to_json()))
    assert told["verdict_repaired"] == "ALLOWED"
    assert told["repairs"][0]["statement"]["Resource"] == f"{EU}:identity/news@example.com"
    assert "decided again with all of them: ALLOWED" in found._repr_html_()
