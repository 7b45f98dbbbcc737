"""The questions that an `Audit` answers, on the example organization."""

from __future__ import annotations

from pathlib import Path

import pytest

import ses_audit
from ses_audit.audit import Audit
from ses_audit.audit.frames import COLUMNS
from ses_audit.errors import USAGE, UserError

OWNER = "666666666666"
OPEN = f"arn:aws:ses:us-east-1:{OWNER}:identity/open.example"
SHARED = f"arn:aws:ses:eu-west-1:{OWNER}:identity/shared.example"
DEPLOY = "arn:aws:iam::222222222222:role/deploy"


@pytest.fixture(scope="module")
def audit(example_snapshot: Path) -> Audit:
    return ses_audit.open(example_snapshot)


def test_accounts_say_where_they_stand_and_why_not(audit: Audit) -> None:
    frame = audit.accounts().set_index("account_id")
    assert len(frame) == 12
    assert frame.loc["333333333333", "ou"] == "Workloads / Production / Regulated"
    assert frame.loc["111111111111", "ou"] == ""
    assert list(frame[frame["is_management"]].index) == ["111111111111"]
    assert list(frame[~frame["audited"]].index) == ["131313131313"]
    assert "SUSPENDED" in frame.loc["131313131313", "not_audited_reason"]


def test_principals_tell_who_they_are(audit: Audit) -> None:
    frame = audit.principals().set_index("principal_arn")
    smtp = frame.loc["arn:aws:iam::222222222222:user/ses-smtp-user.20240105-101010"]
    assert (smtp["smtp"], smtp["active_keys"], smtp["account_name"]) == (True, 1, "prod-web")
    idle = frame.loc["arn:aws:iam::222222222222:user/ses-smtp-user.20230303-090909"]
    assert (idle["smtp"], idle["active_keys"]) == (False, 0)
    bounded = frame.loc["arn:aws:iam::222222222222:role/bounded-app"]
    assert bounded["boundary_arn"] == "arn:aws:iam::222222222222:policy/AppBoundary"
    sso = frame[frame["permission_set"] == "SecurityAudit"]
    assert list(sso["account_id"]) == ["888888888888"]
    assert frame["service_linked"].sum() == 11  # one in each of ten accounts, and Cognito's


def test_tables_are_narrowed(audit: Audit) -> None:
    two = audit.principals(account="222222222222,888888888888", type="user")
    assert set(two["account_id"]) == {"222222222222", "888888888888"}
    assert set(two["type"]) == {"user"}
    assert set(audit.identities(region="ca-central-1")["region"]) == {"ca-central-1"}
    assert set(audit.coverage(state="DENIED")["state"]) == {"DENIED"}
    assert audit.principals(ou="Workloads / Nowhere").empty


def test_identities_leave_placeholders_out(audit: Audit) -> None:
    frame = audit.identities().set_index("identity_arn")
    assert len(frame) == 29
    lab = frame.loc["arn:aws:ses:eu-west-1:999999999999:identity/news@lab.example"]
    assert (lab["type"], lab["production_access"]) == ("address", False)
    org = frame.loc["arn:aws:ses:eu-west-1:222222222222:identity/example.org"]
    assert (org["configuration_set"], org["policies"]) == ("tracking", 0)
    assert frame.loc[OPEN, "policies"] == 1


def test_coverage_is_the_table(audit: Audit) -> None:
    frame = audit.coverage()
    refused = frame[(frame["account_id"] == "121212121212") & (frame["service"] == "sts")]
    assert list(refused["state"]) == ["ASSUME_FAILED"]


def test_the_long_table_has_its_columns(audit: Audit) -> None:
    assert tuple(audit.verdicts(identity=OPEN).columns) == COLUMNS


def test_filters_narrow_the_long_table(audit: Audit) -> None:
    one = audit.verdicts(principal=DEPLOY, identity=OPEN, action="SendRawEmail")
    assert len(one) == 1
    assert one.iloc[0]["verdict"] == "ALLOWED"
    part = audit.verdicts(principal="role/deploy", identity="open.example")
    assert set(part["principal_arn"]) == {DEPLOY}
    two = audit.verdicts(account="222222222222, 888888888888", identity=OPEN)
    assert set(two["principal_account"]) == {"222222222222", "888888888888"}
    near = audit.verdicts(region="ca-central-1")
    assert set(near["region"]) == {"ca-central-1"}
    denied = audit.verdicts(identity=OPEN, verdict="denied,unknown")
    assert set(denied["verdict"]) == {"DENIED", "UNKNOWN"}
    assert audit.verdicts(principal="nobody").empty


def test_rows_without_a_grant_come_on_request(audit: Audit) -> None:
    usual = audit.verdicts(principal=DEPLOY, identity=OPEN, action="ses:SendEmail")
    asked = audit.verdicts(principal=DEPLOY, identity=OPEN, action="ses:SendEmail", unrelated=True)
    assert usual.empty
    assert list(asked["denied_by"]) == ["sending_authorization_policy"]


@pytest.mark.parametrize(
    "filters, said",
    [
        ({"verdict": "MAYBE"}, "no such verdict: MAYBE; one of ALLOWED"),
        ({"action": "ses:SendPigeon"}, "no such action: ses:SendPigeon; one of ses:SendEmail"),
    ],
)
def test_a_filter_that_does_not_exist(audit: Audit, filters: dict[str, str], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        audit.verdicts(**filters)  # type: ignore[arg-type]
    assert caught.value.exit_code == USAGE


def test_a_matrix_counts_every_row_once(audit: Audit) -> None:
    table = audit.verdicts(action="ses:SendRawEmail")
    for rows in ("principal", "account", "ou"):
        for columns in ("identity", "region", "account"):
            matrix = audit.send_matrix(rows=rows, columns=columns)
            counted = matrix.frame[["allowed", "conditional", "scp_alone", "denied", "unknown"]]
            assert counted.to_numpy().sum() == len(table)
    assert audit.send_matrix().cells == len(table)


def test_a_matrix_of_one_account_says_n_of_m(audit: Audit) -> None:
    matrix = audit.send_matrix(account="444444444444")
    cell = matrix.frame[matrix.frame["row"].str.endswith("role/dev-mailer")].iloc[0]
    assert (cell["scp_alone"], cell["allowed"]) == (1, 0)
    assert "p-denysesx" in cell["detail"]
    markup = matrix._repr_html_()
    assert f"{matrix.cells:,} of {matrix.total:,} cells" in markup


@pytest.mark.parametrize("choice", [{"rows": "colour"}, {"columns": "shape"}])
def test_a_matrix_of_nothing(audit: Audit, choice: dict[str, str]) -> None:
    with pytest.raises(UserError, match="no matrix by"):
        audit.send_matrix(**choice)


def test_scp_denies_tell_the_sole_blocker_from_one_of_several(audit: Audit) -> None:
    frame = audit.scp_denies()
    biller = frame[
        frame["principal_arn"].astype(str).str.endswith("333333333333:role/biller")
        & (frame["action"] == "ses:SendRawEmail")
    ]
    sole = biller[biller["region"] == "eu-west-1"]
    assert list(sole["scp_name"]) == ["NoMailFromRegulated"]
    assert list(sole["target_name"]) == ["Regulated"]
    assert list(sole["verdict_without_this"]) == ["ALLOWED"]
    assert list(sole["sole_blocker"]) == [True]
    several = biller[biller["region"] == "us-west-2"]
    assert set(several["scp_name"]) == {"NoMailFromRegulated", "RegionLock"}
    assert set(several["verdict_without_this"]) == {"DENIED"}
    assert not several["sole_blocker"].any()


def test_scp_denies_are_narrowed(audit: Audit) -> None:
    whole = audit.scp_denies()
    one = audit.scp_denies(scp="RegionLock", account="333333333333", action="SendEmail")
    same = whole[
        (whole["scp_name"] == "RegionLock")
        & (whole["principal_account"] == "333333333333")
        & (whole["action"] == "ses:SendEmail")
    ]
    assert len(one) == len(same) > 0
    assert set(one["scp_name"]) == {"RegionLock"}
    with pytest.raises(UserError, match="no such SCP: NoSuch"):
        audit.scp_denies(scp="NoSuch")


def test_scp_stops_are_the_denies_counted(audit: Audit) -> None:
    frame = audit.scp_denies()
    certain = frame[frame["certain"]]
    stops = audit.scp_stops()
    assert stops[["sole", "several", "layers"]].to_numpy().sum() == len(certain)
    lock = stops[stops["scp_name"] == "RegionLock"]
    of_lock = certain[certain["scp_name"] == "RegionLock"]
    assert lock["sole"].sum() == of_lock["sole_blocker"].sum() > 0
    assert lock["principals"].tolist() == [of_lock["principal_arn"].nunique()]
    assert lock["identities"].tolist() == [of_lock["identity_arn"].nunique()]
    named = audit.scp_stops(scp="RegionLock", region="us-west-2")
    there = of_lock[of_lock["region"] == "us-west-2"]
    assert named[["sole", "several", "layers"]].to_numpy().sum() == len(there)


def test_an_scp_that_stops_only_together_with_another_layer(audit: Audit) -> None:
    frame = audit.scp_denies()
    remote = frame[
        frame["principal_arn"].astype(str).str.endswith("role/promo-remote")
        & (frame["region"] == "eu-west-1")
        & (frame["action"] == "ses:SendRawEmail")
    ]
    # Its own policy asks for 198.51.100.0/24, the account's SCP level for 203.0.113.0/24.
    assert list(remote["target"]) == ["777777777777"]
    assert list(remote["kind"]) == ["implicit"]
    assert list(remote["verdict_without_this"]) == ["CONDITIONAL"]
    assert list(remote["sole_blocker"]) == [True]


def test_who_can_send(audit: Audit) -> None:
    frame = audit.who_can_send("shared.example", action="ses:SendRawEmail")
    assert set(frame["verdict"]) == {"ALLOWED"}
    assert "arn:aws:iam::222222222222:role/delegate" in set(frame["principal_arn"])
    assert "arn:aws:iam::888888888888:user/one-side" not in set(frame["principal_arn"])


def test_what_the_snapshot_lacks_is_a_user_error(audit: Audit) -> None:
    # One account and one region were not read: it may be there.
    with pytest.raises(UserError, match=r"no identity nobody\.example .*, and 2 accounts or"):
        audit.who_can_send("nobody.example")
    with pytest.raises(UserError, match=r"no identity nobody\.example"):
        audit.denials(DEPLOY, "ses:SendEmail", "nobody.example")
    with pytest.raises(UserError, match="no principal arn:aws:iam::222222222222:user/nobody"):
        audit.denials("arn:aws:iam::222222222222:user/nobody", "ses:SendEmail", SHARED)


def test_denials_of_a_cell_that_has_no_row(audit: Audit) -> None:
    (denial,) = audit.denials(DEPLOY, "ses:SendEmail", SHARED)
    assert (denial.layer.value, denial.kind) == ("sending_authorization_policy", "implicit")


def test_the_summary_adds_up(audit: Audit) -> None:
    summary = audit.summary()
    kinds = (
        summary.allowed,
        summary.conditional,
        summary.stopped_by_scp_alone,
        summary.denied,
        summary.unknown,
    )
    assert sum(kinds) == summary.cells == len(audit.verdicts())
    assert (summary.accounts_read, summary.accounts_total) == (10, 12)
    reasons = {account: reason for account, _, reason in summary.accounts_not_read}
    assert reasons["121212121212"] == "refused the audit role"
    assert not summary.complete
    text = str(summary)
    assert "10 of 12 accounts read" in text
    assert "partition" not in text
    assert "<script" not in audit._repr_html_()
    assert "10 of 12 accounts read" in audit._repr_html_()
    assert repr(audit).startswith("Audit(")
