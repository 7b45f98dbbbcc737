"""Two real account dumps: imported alone, and asked about identities named by hand.

Who holds which policy was read off the dumps by hand.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from shared_data import REAL, needs_real_data

import ses_audit
from ses_audit.audit import Audit
from ses_audit.audit.documents import check_document
from ses_audit.ses.regions import ses_regions
from ses_audit.snapshot.build import append_records, finish_snapshot
from ses_audit.snapshot.import_directory import read_import
from ses_audit.snapshot.store import create_snapshot

pytestmark = needs_real_data

DUMPS = REAL / "account-authorization-details"
BIG, SMALL = "200611803367", "012345678901"
SSO = f"arn:aws:iam::{BIG}:role/aws-reserved/sso.amazonaws.com/"
IDENTITIES = tuple(
    f"arn:aws:ses:{region}:{account}:identity/{name}"
    for region, account, name in (
        ("eu-west-1", BIG, "example.com"),
        ("us-east-1", BIG, "news@example.com"),
        ("eu-west-1", SMALL, "example.org"),
    )
)
TIME = "2026-11-23T06:00:00Z"

# AdministratorAccess, a policy of `*` on `*`, or a NotAction of three IAM actions.
SENDERS = {
    f"arn:aws:iam::{BIG}:root",
    f"arn:aws:iam::{BIG}:user/fn4-exploitableNotAction-user",
    f"arn:aws:iam::{BIG}:role/fn4-exploitableNotAction-role",
    f"arn:aws:iam::{BIG}:role/AWS-QuickSetup-StackSet-Local-ExecutionRole",
    f"arn:aws:iam::{BIG}:role/OrganizationAccountAccessRole",
    f"{SSO}AWSReservedSSO_AdministratorAccess_dc6414f7f2ab04fc",
    f"arn:aws:iam::{BIG}:role/privesc-AssumeRole-ending-role",
    f"arn:aws:iam::{BIG}:role/privesc-high-priv-service-role",
    f"arn:aws:iam::{BIG}:role/stacksets-exec-b5520cb2730c2f54b523d6375a319abb",
}
# obama by a policy of his own; both by the group admin.
SMALL_SENDERS = {
    f"arn:aws:iam::{SMALL}:root",
    f"arn:aws:iam::{SMALL}:user/obama",
    f"arn:aws:iam::{SMALL}:user/userwithlotsofpermissions",
}
DENIED_BY_ALL = {
    f"arn:aws:iam::{BIG}:user/fp2-allow-and-deny-multiple-policies-user",
    f"arn:aws:iam::{BIG}:role/fp2-allow-and-deny-multiple-policies-role",
}


def imported(
    folder: Path, name: str, identities: tuple[str, ...] = (), *, no_organization: bool = False
) -> Audit:
    found = read_import(
        DUMPS / name,
        identities=identities,
        no_organization=no_organization,
        ses_regions=ses_regions(),
    )
    path = folder / "snapshot"
    with create_snapshot(path, started_at=TIME) as writer:
        append_records(writer, found.records)
        finish_snapshot(
            writer,
            found.ledger,
            check_document,
            taken_at=TIME,
            organization=found.organization,
            assumptions=found.assumptions,
            given=found.given,
        )
    return ses_audit.open(path)


def principals(audit: Audit, verdict: str, account: str) -> set[str]:
    frame = audit.verdicts(verdict=verdict, account=account, action="ses:SendRawEmail")
    return set(frame["principal_arn"])


BIG_DUMP, SMALL_DUMP = "examples__files__example.json", "test__files__example-authz-details.json"


def test_stated_that_no_organization_applies(tmp_path: Path) -> None:
    audit = imported(tmp_path, BIG_DUMP, IDENTITIES, no_organization=True)
    assert principals(audit, "ALLOWED", BIG) == SENDERS
    assert principals(audit, "ALLOWED", SMALL) == SMALL_SENDERS
    assert principals(audit, "UNKNOWN", f"{BIG},{SMALL}") == set()
    frame = audit.verdicts(verdict="DENIED", action="ses:SendRawEmail")
    refused = frame[frame["principal_arn"].isin(DENIED_BY_ALL)]
    assert set(refused["denied_policies"]) == {f"arn:aws:iam::{BIG}:policy/deny-all"}
    assert len(refused) == 4  # two principals, two identities of their account
    said = audit.summary().assumptions
    assert "No organization applies" in said[0]
    assert sum("was named by hand" in text for text in said) == 3


def test_without_a_word_on_scps_an_allow_is_unknown(tmp_path: Path) -> None:
    audit = imported(tmp_path, BIG_DUMP, IDENTITIES)
    assert principals(audit, "ALLOWED,CONDITIONAL", f"{BIG},{SMALL}") == set()
    assert principals(audit, "UNKNOWN", BIG) == SENDERS
    assert principals(audit, "DENIED", BIG) >= DENIED_BY_ALL
    unknown = audit.verdicts(verdict="UNKNOWN")
    (why,) = set(unknown["missing_evidence"])
    assert why.endswith("/global/organizations.DescribeOrganization=NOT_ATTEMPTED")
    assert set(unknown["verdict_without_scp"]) == {"ALLOWED"}
    assert not audit.summary().complete


def test_every_principal_is_there(tmp_path: Path) -> None:
    frame = imported(tmp_path, BIG_DUMP).principals()
    counts = frame.groupby("account_id")["type"].value_counts()
    assert counts[SMALL].to_dict() == {"user": 3, "role": 3, "root": 1}
    assert counts[BIG]["root"] == 1
    assert frame["smtp"].isna().sum() == counts[BIG]["user"] + 3  # access keys were not read


def test_without_an_identity_named_all_that_is_not_denied_is_unknown(tmp_path: Path) -> None:
    audit = imported(tmp_path, SMALL_DUMP)
    frame = audit.verdicts(account=SMALL, action="ses:SendRawEmail")
    assert set(frame["identity_arn"]) == {f"arn:aws:ses:*:{SMALL}:identity/*"}
    assert set(frame["verdict"]) == {"UNKNOWN"}
    assert all("ListEmailIdentities=NOT_ATTEMPTED" in text for text in frame["missing_evidence"])
    # No sending policy gives the right to a stored template: there the lack of an allow is certain.
    templated = audit.verdicts(account=SMALL, action="ses:SendTemplatedEmail")
    unknown = templated[templated["verdict"] == "UNKNOWN"]
    assert set(unknown["principal_arn"]) - {"*"} == SMALL_SENDERS


@pytest.mark.parametrize("named", [1, 2])
def test_identities_named_one_after_another(tmp_path: Path, named: int) -> None:
    second = f"arn:aws:ses:us-east-1:{SMALL}:identity/second.example"
    chosen = (IDENTITIES[2], second)[:named]
    audit = imported(tmp_path, SMALL_DUMP, chosen, no_organization=True)
    frame = audit.verdicts(verdict="ALLOWED", action="ses:SendRawEmail")
    assert set(frame["identity_arn"]) == set(chosen)
    assert set(frame["principal_arn"]) == SMALL_SENDERS
    assert len(frame) == named * len(SMALL_SENDERS)
