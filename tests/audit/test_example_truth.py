"""The verdicts on the example organization against the truth that was written by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import ses_audit
from ses_audit.audit import Audit
from ses_audit.policy.types import Verdict
from ses_audit.replay.example.build import example_data

TRUTH = example_data("truth")
CELLS = TRUTH["cells"]


@pytest.fixture(scope="module")
def audit(example_snapshot: Path) -> Audit:
    return ses_audit.open(example_snapshot)


def row_of(audit: Audit, cell: dict[str, Any]) -> dict[str, Any] | None:
    wanted = cell["identity"]
    frame = audit.verdicts(
        principal=cell["principal"],
        action=cell.get("action", "ses:SendRawEmail"),
        identity=None if "|" in wanted else wanted,
        unrelated=cell.get("unrelated", False),
    )
    if "|" in wanted:
        prefix, _, rest = wanted.partition("|")
        arns = {wanted.replace("|*", ""), prefix.rsplit(":", 1)[0] + ":*" + rest.removeprefix("*")}
        frame = frame[frame["identity_arn"].astype(str).isin(arns)]
    frame = frame[frame["principal_arn"].astype(str) == cell["principal"]]
    assert len(frame) <= 1
    return dict(frame.iloc[0]) if len(frame) else None


@pytest.mark.parametrize("cell", CELLS, ids=[cell["special"] for cell in CELLS])
def test_a_cell(audit: Audit, cell: dict[str, Any]) -> None:
    row = row_of(audit, cell)
    if cell.get("absent"):
        assert row is None
        return
    assert row is not None
    assert {name: row[name] for name in cell["expect"]} == cell["expect"]
    for text in cell.get("conditions", ()):
        assert text in row["conditions"]
    for text in cell.get("missing", ()):
        assert text in row["missing_evidence"]
    denials = audit.denials(row["principal_arn"], row["action"], row["identity_arn"])
    found = [(d.layer.value, d.kind, d.policy, d.target) for d in denials]
    for layer, kind, policy, target in cell.get("denials", ()):
        assert any(
            (layer, kind, target) == (has[0], has[1], has[3])
            and (policy is None or str(has[2]).endswith(policy))
            for has in found
        ), found
    if "denial_count" in cell:
        assert len(found) == cell["denial_count"], found


@pytest.mark.parametrize(
    "cell", [c for c in CELLS if "causes" in c], ids=[c["special"] for c in CELLS if "causes" in c]
)
def test_the_causes_of_a_cell(audit: Audit, cell: dict[str, Any]) -> None:
    identity = cell["identity"].replace("|*", "")
    found = audit.explain(cell["principal"], cell.get("action", "ses:SendRawEmail"), identity)
    assert str(found.verdict) == cell["expect"]["verdict"]
    assert [item.id for item in found.causes] == cell["causes"]
    assert [item.id for item in found.open_questions] == cell.get("cannot_tell", [])
    for item in found.open_questions:
        assert item.missing
    if found.verdict is Verdict.DENIED:
        assert all(item.evidence and item.repair for item in found.causes)


def test_every_cell_has_its_causes() -> None:
    assert all(("causes" in cell) is not bool(cell.get("absent")) for cell in CELLS)


def test_every_cell_names_its_rule_and_source() -> None:
    for cell in CELLS:
        assert cell["rule"].endswith(".")
        assert TRUTH["sources"][cell["source"]].startswith("https://")


ITEMS = (
    "SCP that denies ses:* on an OU",
    "the role that the SCP exempts",
    "region lock by aws:RequestedRegion whose NotAction lacks ses",
    "allow-list SCP level without ses",
    "SCP with a condition in an Allow",
    "several SCPs deny the same cell",
    "permissions boundary without ses",
    "explicit deny in an identity policy",
    "group-made SMTP user with an active key",
    "group-made SMTP user with inactive keys",
    "old-style ses-smtp-user with AmazonSesSendingAccess",
    "the published article's two statements",
    "the article's wrong one-statement form: another identity",
    "Resource names the domain where the address is verified apart",
    "ses:FromAddress met by the identity",
    "ses:FromAddress impossible for the identity",
    "aws:SourceIp condition",
    "time condition",
    "policy variable ${aws:username}",
    "principal tag in Resource",
    "aws:ResourceTag condition",
    "default configuration set that breaks an identity-scoped policy",
    "sandbox-mode account-region: a policy of one identity",
    "sending authorization policy: same-account deny",
    "cross-account delegate with both sides",
    "cross-account delegate with one side only",
    "cross-account: the principal's own side only",
    "* with aws:PrincipalOrgID: a principal of the organization",
    "* bare: anyone outside the organization",
    "a service principal",
    "an account outside the organization",
    "AWSReservedSSO role",
    "service-linked role that can send",
    "management-account user: SCPs do not bind it",
    "root user",
    "AWS managed policy that sends by surprise: WorkMail",
    "AWS managed policy that sends by surprise: SystemAdministrator",
    "an account that refused the audit role: its own identities",
    "one region of one account that answers AccessDenied",
    "a suspended account is not audited",
    "an opt-in region that is off has no cell",
)
"""What the example organization has to hold, one name a thing."""


def test_everything_that_the_example_holds_has_its_truth() -> None:
    named = [cell["special"] for cell in CELLS]
    assert set(ITEMS) <= set(named)
    assert len(named) == len(set(named))


def test_the_size_of_the_example(audit: Audit) -> None:
    accounts, identities = audit.accounts(), audit.identities()
    assert len(accounts) == 12
    assert max(ou.count(" / ") + 1 for ou in accounts["ou"] if ou) == 3
    assert len(audit.principals()) >= 300
    assert len(identities) >= 25
    assert identities["region"].nunique() == 6
    coverage = audit.coverage()
    off = coverage[coverage["state"] == "REGION_DISABLED"]["region"]
    assert set(off) == {"af-south-1", "me-south-1"}
