"""Why a cell is as it is: every denial names its policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from audit_worlds import ROOT, World, allow, deny, policy
from report_worlds import WEB, save

from ses_audit.audit import Audit
from ses_audit.report.reasons import Reasons, missing_words, short, statement_label

IDENTITY = f"arn:aws:ses:eu-west-1:{WEB}:identity/example.com"


def world() -> World:
    made = World().organization()
    made.unit("ou-work", "Workloads", ROOT)
    made.account(WEB, "web", "ou-work")
    made.scp("p-full2", policy(allow("*")), "ou-work", WEB, name="FullAWSAccess")
    made.region(WEB, "eu-west-1")
    refuses = policy({**deny("ses:SendEmail"), "Principal": "*", "Sid": "No"})
    made.identity(IDENTITY, refuses)
    made.principal(f"arn:aws:iam::{WEB}:role/none")
    made.principal(f"arn:aws:iam::{WEB}:role/denied", policy(allow(), deny()))
    made.principal(
        f"arn:aws:iam::{WEB}:role/bound", policy(allow()), boundary=policy(allow("s3:*"))
    )
    made.principal(
        f"arn:aws:iam::{WEB}:role/fenced", policy(allow()), boundary=policy(allow(), deny())
    )
    return made


def lines(audit: Audit, action: str) -> dict[str, str]:
    rows = audit.queries.rows(
        "SELECT principal_name, ruling FROM verdicts WHERE action = ?", [f"ses:{action}"]
    )
    reasons = Reasons(audit, (ruling for _, ruling in rows))
    return {name: reasons.line(ruling) for name, ruling in rows}


def test_each_layer_has_its_words(tmp_path: Path) -> None:
    audit = save(world(), tmp_path / "snapshot")
    raw = lines(audit, "SendRawEmail")
    assert raw["none"] == "no identity policy allows"
    assert raw["denied"] == "policy policy-0 denies"
    assert raw["bound"] == "boundary boundary does not allow"
    assert raw["fenced"] == "boundary boundary denies"
    assert "sending policy sending-0 denies" in lines(audit, "SendEmail")["denied"]


def test_an_scp_and_a_level_without_an_allow(example: Audit) -> None:
    raw = lines(example, "SendRawEmail")
    assert "SCP DenySES @ Development" in raw["OrganizationAccountAccessRole"] or any(
        "SCP DenySES @ Development" in line for line in raw.values()
    )
    assert any("no SCP allows @ Contained (AllowedServices)" in line for line in raw.values())


def test_another_check_than_the_senders_is_named(example: Audit) -> None:
    # scoped-mailer may send from example.org, whose default configuration set it may not use.
    found = example.queries.rows(
        "SELECT v.ruling FROM verdicts v JOIN rulings r ON r.n = v.ruling "
        "WHERE r.failed_checks = 'configuration_set'"
    )
    assert found
    reasons = Reasons(example, (ruling for (ruling,) in found))
    assert reasons.line(found[0][0]).startswith("default configuration set: ")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        ("2/eu-west-1/sesv2.GetAccount=DENIED", "sesv2.GetAccount: DENIED"),
        ("2/global/iam.X[p/q]=MALFORMED", "iam.X[p/q]: MALFORMED"),
        ("2/a/s.A=DENIED;2/a/s.B=DENIED;2/a/s.C=DENIED", "s.A: DENIED, and 2 more"),
    ],
)
def test_missing_cells(text: str, words: str) -> None:
    assert missing_words(text) == words


def test_small_words() -> None:
    assert short("abcdef", 4) == "abc…"
    assert statement_label("", 1) == "statement 2"
    assert statement_label("Sid", None) == "Sid"
