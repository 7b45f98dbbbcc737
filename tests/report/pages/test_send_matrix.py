"""02_send_matrix: counted by hand on a small world, held to the example's verdicts."""

from __future__ import annotations

import pytest
from report_worlds import WEB

from ses_audit.audit import Audit
from ses_audit.errors import UserError
from ses_audit.report.pages.send_matrix import page


def test_the_first_lines_say_who_can_send(small: Audit) -> None:
    answer = page(small).answer.text
    # alice, mailer and web's root user; idle and the management account's root user can't.
    assert "3 of 5 principals can send: 2 whatever the request says, 1 only under" in answer
    assert "1 of them by SMTP as well" in answer


def test_cells_are_counted_by_kind(small: Audit) -> None:
    answer = page(small).answer.text
    for words in (
        "● 14 allowed",
        "◐ 1 conditional",
        "? 0 unknown",
        "⊘ 15 stopped by SCPs alone",
        "○ 26 denied",
        "56 of 56 cells",
    ):
        assert words in answer


def test_the_roll_up_counts_principals_by_their_strongest_verdict(small: Audit) -> None:
    picture = page(small).picture.text
    row = next(line for line in picture.splitlines() if line.startswith("Workloads  web"))
    assert "3 of 4" in row
    assert "alice, mailer and 1 more" in row
    west, east = row.index("● 2 allowed"), row.index("⊘ 3 SCP alone")
    assert west < row.index("◐ 1 conditional") < east


def test_each_principal_has_a_row_and_each_denial_its_policy(small: Audit) -> None:
    lines = page(small).picture.text.splitlines()
    alice = next(line for line in lines if line.startswith("user alice"))
    assert "SMTP key" in alice
    assert "● allowed" in alice
    assert "⊘ SCP alone SCP RegionLock @ Workloads" in alice
    mailer = next(line for line in lines if line.startswith("role mailer"))
    assert "◐ conditional SendRawEmail if aws:SourceIp in 203.0.113.0/24" in mailer
    assert any(line.startswith("1 role") and "○ denied" in line for line in lines)


def test_the_table_lists_each_pair_that_is_not_denied(small: Audit) -> None:
    table = page(small).table.text
    # alice, root: one row each; mailer: SendRawEmail.
    assert "Who can send: 3 of 3 pairs" in table
    assert "(15 of 56 cells" in table


def test_a_choice_narrows_every_part(small: Audit) -> None:
    chosen = page(small, region="us-east-1", action="SendRawEmail", account="web")
    assert "0 of 4 principals can send" in chosen.answer.text
    assert "SCPs alone stop 3 more." in chosen.answer.text
    assert f"Only: account {WEB}, region us-east-1, action ses:SendRawEmail." in chosen.answer.text
    assert "eu-west-1" not in chosen.picture.text
    assert "Who can send: 0 of 0 pairs" in chosen.table.text


def test_rows_can_be_ous(small: Audit) -> None:
    picture = page(small, rows="ou").picture.text
    assert "Who can send, by OU and region: 1 of 1 OUs" in picture


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"region": "eu-wst-1"}, "no region 'eu-wst-1' in this snapshot; did you mean eu-west-1?"),
        ({"account": "wep"}, "no account 'wep' in this snapshot; did you mean web?"),
        ({"action": "SendRawMail"}, "did you mean ses:SendRawEmail?"),
        ({"ou": "Workload"}, "did you mean Workloads?"),
        ({"identity": "exampel.com"}, "did you mean example.com?"),
        ({"rows": "acount"}, "did you mean account?"),
    ],
)
def test_an_unknown_value_is_refused_with_the_nearest(
    small: Audit, given: dict[str, str], message: str
) -> None:
    with pytest.raises(UserError) as error:
        page(small, **given)
    assert message in str(error.value)


def test_a_name_that_two_have_needs_the_arn(small: Audit) -> None:
    with pytest.raises(UserError, match="is 2 things: give the ARN"):
        page(small, identity="example.com")


def test_the_example_agrees_with_its_summary(example: Audit) -> None:
    summary = example.summary()
    answer = page(example).answer.text
    assert f"● {summary.allowed:,} allowed" in answer
    assert f"⊘ {summary.stopped_by_scp_alone:,} stopped by SCPs alone" in answer
    assert f"? {summary.unknown:,} unknown" in answer


def test_whoever_sends_from_outside_is_named_first(example: Audit) -> None:
    answer = page(example).answer.text
    outside = answer[answer.index("From outside the organization") :]
    assert "anyone * → open.example in us-east-1 (shared-mail 666666666666): ● allowed" in outside
    assert "any principal of account 909090909090 → partner.example" in outside
    assert "service cognito-idp.amazonaws.com → cognito.example" in outside
