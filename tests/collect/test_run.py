"""A whole run against AWS in the process; the expected cells are written by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fake_aws import MANAGEMENT, MEMBER, REFUSING, SUSPENDED, USER_POLICY, FakeAws
from fake_cells import Make, cells, expected, run

from ses_audit.collect.pace import Pace
from ses_audit.collect.progress import Silent
from ses_audit.collect.run import collect


def test_every_cell_ends_in_its_state(fake: FakeAws, options: Make, fast: Pace) -> None:
    made = run(options, fast)
    assert cells(made) == expected()
    assert made.manifest["caller"] == {
        "account": MANAGEMENT,
        "arn": f"arn:aws:iam::{MANAGEMENT}:user/auditor",
        "partition": "aws",
    }
    assert made.manifest["assumptions"] == []
    accounts = {row["account_id"]: row for row in made.table("accounts").to_pylist()}
    assert accounts[SUSPENDED]["not_audited_reason"] == "its state is SUSPENDED"
    assert accounts[MEMBER]["parent_id"] == "ou-ab12-11111111"
    assert accounts[MANAGEMENT]["is_management"] is True


def test_each_call_is_counted_once(fake: FakeAws, options: Make, fast: Pace) -> None:
    """Also those of the caller's account, which is opened a second time for the second look."""
    made = run(options, fast)
    calls = {
        (row["account_id"], row["operation"], row["argument"]): row["calls"]
        for row in made.times().to_pylist()
        if row["region"] == "global"
    }
    assert calls[MANAGEMENT, "DescribeOrganization", ""] == 1
    assert calls[MANAGEMENT, "GetAccountAuthorizationDetails", ""] == 2
    # Two pages, twice.
    assert calls[MANAGEMENT, "ListAccounts", ""] == 4
    assert calls[MEMBER, "GetAccountAuthorizationDetails", ""] == 2


def test_tables_hold_each_accounts_own(fake: FakeAws, options: Make, fast: Pace) -> None:
    made = run(options, fast, workers=16)
    arns = {row["principal_arn"] for row in made.table("principals").to_pylist()}
    for account in (MANAGEMENT, MEMBER):
        for name in ("user/mailer", "user/idle", "role/app", "root"):
            assert f"arn:aws:iam::{account}:{name}" in arns
    keys = {row["access_key_id"] for row in made.table("access_keys").to_pylist()}
    assert keys == {f"AKIA{account}KEY0" for account in (MANAGEMENT, MEMBER)}
    identities = {row["identity_arn"] for row in made.table("identities").to_pylist()}
    head = f"arn:aws:ses:eu-west-1:{MEMBER}:identity/"
    assert identities == {head + "example.com", head + "news@example.com"}


def test_policy_documents_are_kept_as_they_were_put_in(
    fake: FakeAws, options: Make, fast: Pace
) -> None:
    documents = {r["document"] for r in run(options, fast).table("policy_documents").to_pylist()}
    assert USER_POLICY in documents


def test_no_secret_is_kept(fake: FakeAws, options: Make, fast: Pace) -> None:
    made = run(options, fast, external_id="external-1234")
    assert fake.calls("AssumeRole")[0].parameters["ExternalId"] == "external-1234"
    texts = [(made.path / "manifest.json").read_text()]
    for account in made.accounts():
        texts += [repr(record) for record in made.evidence(account)]
    whole = "\n".join(texts)
    assert "AssumedRoleUser" in whole
    for secret in ("secret-of", "token-of", "ASIA", "external-1234", "a-secret-of-the-test"):
        assert secret not in whole
    assert "external-1234" not in repr(options(external_id="external-1234"))


def test_an_account_filter_leaves_the_others_in_the_plan(
    fake: FakeAws, options: Make, fast: Pace
) -> None:
    made = run(options, fast, exclude_accounts=(REFUSING,), regions=("eu-west-1",))
    found = cells(made)
    assert found[f"{REFUSING}/global/sts.AssumeRole"] == "EXCLUDED"
    assert found[f"{REFUSING}/*/sesv2.GetAccount"] == "EXCLUDED"
    assert found[f"{MEMBER}/us-east-1/sesv2.GetAccount"] == "EXCLUDED"
    assert found[f"{MEMBER}/eu-west-1/sesv2.GetAccount"] == "OK"
    only = options(accounts=(MEMBER,), snapshot=made.path.with_name("only"))
    found = cells(collect(replace(only, ses_regions=lambda _: ("eu-west-1",)), Silent(), fast))
    assert found[f"{MANAGEMENT}/global/iam.ListAccessKeys"] == "EXCLUDED"
    assert found[f"{MEMBER}/global/iam.ListAccessKeys"] == "OK"


def test_a_caller_that_is_left_out_still_reads_the_organization(
    fake: FakeAws, options: Make, fast: Pace
) -> None:
    made = run(options, fast, exclude_accounts=(MANAGEMENT, REFUSING))
    found = cells(made)
    assert found[f"{MANAGEMENT}/global/organizations.ListPolicies"] == "OK"
    assert found[f"{MANAGEMENT}/global/iam.ListAccessKeys"] == "EXCLUDED"
    rows = made.table("coverage").select(
        ["account_id", "region", "service", "operation", "argument"]
    )
    assert len({tuple(row.values()) for row in rows.to_pylist()}) == rows.num_rows


def test_requests_say_who_asks(fake: FakeAws, options: Make, fast: Pace) -> None:
    run(options, fast)
    assert all("ses-audit/" in asked.user_agent for asked in fake.asked)


@pytest.mark.parametrize("workers", [1, 3, 16])
def test_tables_do_not_depend_on_the_number_of_workers(
    fake: FakeAws, options: Make, fast: Pace, workers: int
) -> None:
    made = run(options, fast, workers=workers)
    again = run(options, fast, workers=2, snapshot=made.path.with_name("again"))
    for name in ("accounts", "principals", "principal_policies", "identities", "access_keys"):
        assert made.table(name).equals(again.table(name)), name
