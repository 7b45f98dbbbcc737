"""Each fault that a run must survive: the cells it ends in, and that others go on.

The list is that of the project's facts on collection (§3); the expected cells are written by hand
as the difference from an undisturbed run.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from fake_aws import (
    HTML,
    MANAGEMENT,
    MEMBER,
    REFUSING,
    SCP_ARN,
    Asked,
    FakeAws,
    Reply,
    assumed,
    details,
    ec2_error,
    error,
    query_error,
)
from fake_cells import Make, cells, expected, run, ses

from ses_audit.collect.pace import Pace
from ses_audit.collect.reference import load_data
from ses_audit.snapshot.coverage_tables import read_coverage
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.store import Snapshot

IRELAND = (MEMBER, "eu-west-1")
LIST = (*IRELAND, "ListEmailIdentities", "")
DETAILS = (MEMBER, "global", "GetAccountAuthorizationDetails", "")


def different(made: Snapshot) -> dict[str, str]:
    """The cells that did not end as in an undisturbed run."""
    found, undisturbed = cells(made), expected()
    assert set(found) == set(undisturbed)
    return {cell: state for cell, state in found.items() if undisturbed[cell] != state}


def row(made: Snapshot, text: str) -> CoverageRow:
    (found,) = [r for r in read_coverage(made.table("coverage")) if r.text == text]
    return found


def test_a_role_that_is_refused(fake: FakeAws, options: Make, fast: Pace) -> None:
    fake.faults[MANAGEMENT, "global", "AssumeRole", ""] = lambda _: query_error(
        "AccessDenied", "not yours", 403
    )
    found = cells(run(options, fast))
    undisturbed = {c: s for c, s in expected().items() if not c.startswith(MEMBER)}
    assert {c: s for c, s in found.items() if not c.startswith(MEMBER)} == undisturbed
    # Its regions were never known, so they stand as one.
    assert {c: s for c, s in found.items() if c.startswith(MEMBER)} == {
        c.replace(REFUSING, MEMBER): s for c, s in undisturbed.items() if c.startswith(REFUSING)
    }


def test_one_region_that_is_refused(fake: FakeAws, options: Make, fast: Pace) -> None:
    for name in ("GetAccount", "ListEmailIdentities", "ListConfigurationSets"):
        fake.faults[(*IRELAND, name, "")] = lambda _: error("AccessDeniedException", "not here")
    made = run(options, fast)
    assert different(made) == {
        f"{MEMBER}/{cell}": state
        for cell, state in ses("eu-west-1", "DENIED", "DENIED", "NOT_ATTEMPTED", "DENIED").items()
    }
    assert row(made, f"{MEMBER}/eu-west-1/sesv2.GetEmailIdentity=NOT_ATTEMPTED").detail == (
        "ListEmailIdentities ended as DENIED"
    )


@pytest.mark.parametrize(
    ("because", "layer", "arn"),
    [
        (f"with an explicit deny in a service control policy: {SCP_ARN}",
         "service_control_policy", SCP_ARN),
        ("with an explicit deny in a service control policy", "service_control_policy", ""),
        ("because no identity-based policy allows the ses:ListEmailIdentities action",
         "identity_policy", ""),
        ("because no permissions boundary allows the ses:ListEmailIdentities action",
         "permissions_boundary", ""),
        ("because no session policy allows the ses:ListEmailIdentities action",
         "session_policy", ""),
        ("", "", ""),
    ],
)  # fmt: skip
def test_a_denial_keeps_its_layer_and_policy(
    fake: FakeAws, options: Make, fast: Pace, because: str, layer: str, arn: str
) -> None:
    who = f"User: arn:aws:sts::{MEMBER}:assumed-role/ses-audit/ses-audit is not authorized"
    said = f"{who} to perform: ses:ListEmailIdentities on resource: * {because}".strip()
    fake.faults[LIST] = lambda _: error("AccessDeniedException", said)
    made = run(options, fast)
    found = row(made, f"{MEMBER}/eu-west-1/sesv2.ListEmailIdentities=DENIED")
    assert (found.layer, found.policy_arn, found.detail) == (layer, arn, said)


def test_a_throttle_storm_ends_in_its_budget(fake: FakeAws, options: Make, fast: Pace) -> None:
    fake.faults[LIST] = lambda _: error("TooManyRequestsException", "slow down", 429)
    made = run(options, fast)
    assert different(made) == {
        f"{MEMBER}/eu-west-1/sesv2.ListEmailIdentities": "THROTTLED",
        f"{MEMBER}/eu-west-1/sesv2.GetEmailIdentity": "NOT_ATTEMPTED",
    }
    budget = load_data("rates.json")["attempts"]["THROTTLED"]
    asked = [a for a in fake.calls("ListEmailIdentities") if (a.account, a.region) == IRELAND]
    assert len(asked) == budget == 8
    # And the same command goes on, with nothing else asked again.
    del fake.faults[LIST]
    fake.asked.clear()
    assert different(run(options, fast)) == {}
    again = {a.operation for a in fake.asked if a.account == MEMBER}
    assert again == {"ListEmailIdentities", "GetEmailIdentity", "GetCallerIdentity"}


def test_a_throttle_that_passes_is_only_slower(fake: FakeAws, options: Make, fast: Pace) -> None:
    fake.faults[LIST] = [error("TooManyRequestsException", "slow down", 429)] * 3
    fake.faults[DETAILS] = [query_error("Throttling", "Rate exceeded")] * 3
    assert different(run(options, fast)) == {}


def test_a_token_that_expires_between_pages(fake: FakeAws, options: Make, fast: Pace) -> None:
    """The second page meets an expired token: it is asked again, the first is not."""
    expired = query_error("ExpiredToken", "The security token included in the request is expired",
                          403)  # fmt: skip
    seen: list[str] = []

    def answer(asked: Asked) -> Any:
        marker = asked.parameters.get("Marker", "")
        seen.append(marker)
        return expired if marker and seen.count(marker) == 1 else fake.answer(asked)

    fake.faults[DETAILS] = answer
    made = run(options, fast)
    assert different(made) == {}
    assert seen == ["", "m-2", "m-2"]
    assert fake.sessions[MEMBER] == 2
    arns = [r["principal_arn"] for r in made.table("principals").to_pylist()]
    assert len(arns) == len(set(arns)) == 9


def test_a_token_that_stays_expired(fake: FakeAws, options: Make, fast: Pace) -> None:
    fake.faults[DETAILS] = lambda _: query_error("ExpiredToken", "expired", 403)
    assert different(run(options, fast)) == {
        f"{MEMBER}/global/iam.GetAccountAuthorizationDetails": "EXPIRED",
        f"{MEMBER}/global/iam.ListAccessKeys": "NOT_ATTEMPTED",
        f"{MEMBER}/global/iam.GetAccessKeyLastUsed": "NOT_ATTEMPTED",
    }


def test_an_opt_in_region_that_is_off(fake: FakeAws, options: Make, fast: Pace) -> None:
    run(options, fast)
    assert expected()[f"{MEMBER}/af-south-1/sesv2.GetAccount"] == "REGION_DISABLED"
    assert not [asked for asked in fake.asked if asked.region == "af-south-1"]


REFUSED_LIST = error("AccessDeniedException", "not listed")


@pytest.mark.parametrize("account", [MANAGEMENT, MEMBER])
@pytest.mark.parametrize(
    ("reply", "state"),
    [(REFUSED_LIST, "DENIED"), (error("TooManyRequestsException", "slow", 429), "THROTTLED"),
     (HTML, "MALFORMED"), (Reply(200, '{"Regions": []}'), "MALFORMED")],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_regions_that_account_management_does_not_list_are_asked_of_ec2(
    fake: FakeAws, options: Make, fast: Pace, reply: Reply, state: str, account: str
) -> None:
    """The regions are as in an undisturbed run; one cell more is planned, for this account only."""
    fake.faults[account, "global", "ListRegions", ""] = lambda _: reply
    made = run(options, fast)
    assert cells(made) == {
        **expected(),
        f"{account}/global/account.ListRegions": state,
        f"{account}/global/ec2.DescribeRegions": "OK",
    }
    assert made.manifest["assumptions"] == []
    # Where it can be asked again, the plan is as if nothing had been.
    fake.faults.clear()
    assert cells(run(options, fast)) == expected()


def test_regions_that_cannot_be_listed_are_all_tried(
    fake: FakeAws, options: Make, fast: Pace
) -> None:
    fake.faults[MEMBER, "global", "ListRegions", ""] = lambda _: REFUSED_LIST
    fake.faults[MEMBER, "global", "DescribeRegions", ""] = lambda _: ec2_error(
        "UnauthorizedOperation", "You are not authorized to perform this operation."
    )
    off = error("UnrecognizedClientException", "The security token included is invalid.", 403)
    for name in ("GetAccount", "ListEmailIdentities", "ListConfigurationSets"):
        fake.faults[MEMBER, "af-south-1", name, ""] = lambda _: off
    made = run(options, fast)
    found = cells(made)
    assert found[f"{MEMBER}/global/account.ListRegions"] == "DENIED"
    assert row(made, f"{MEMBER}/global/ec2.DescribeRegions=DENIED").detail == (
        "You are not authorized to perform this operation.; its regions are not proven: every "
        "region of SES is tried"
    )
    (said,) = made.manifest["assumptions"]  # type: ignore[misc]
    assert said == (
        f"The enabled regions of account {MEMBER} are not proven: neither account:ListRegions nor "
        "ec2:DescribeRegions was answered, so every region of SES was tried"
    )
    for cell, state in ses("af-south-1", "DENIED", "DENIED", "NOT_ATTEMPTED", "DENIED").items():
        assert found[f"{MEMBER}/{cell}"] == state
    # The regions that the SDK knows are tried as well: a list of ours could be out of date.
    assert found[f"{MEMBER}/ap-northeast-3/sesv2.GetAccount"] == "OK"


def test_a_token_that_comes_again(fake: FakeAws, options: Make, fast: Pace) -> None:
    """What came before the loop is kept, and is known to be a part only."""
    page = {"EmailIdentities": [{"IdentityName": "example.com"}], "NextToken": "same"}
    fake.faults[LIST] = lambda _: page
    made = run(options, fast)
    assert different(made) == {f"{MEMBER}/eu-west-1/sesv2.ListEmailIdentities": "TRUNCATED"}
    assert len([a for a in fake.calls("ListEmailIdentities") if a.region == "eu-west-1"]) == 3
    names = {r["name"] for r in made.table("identities").to_pylist()}
    assert "example.com" in names


def test_truncated_without_a_marker(fake: FakeAws, options: Make, fast: Pace) -> None:
    role = f"<member><Arn>arn:aws:iam::{MEMBER}:role/one</Arn><RoleName>one</RoleName></member>"
    fake.faults[DETAILS] = lambda _: details(
        f"<RoleDetailList>{role}</RoleDetailList>", truncated="true"
    )
    made = run(options, fast)
    assert different(made) == {
        f"{MEMBER}/global/iam.GetAccountAuthorizationDetails": "TRUNCATED",
        f"{MEMBER}/global/iam.ListAccessKeys": "NOT_ATTEMPTED",
        f"{MEMBER}/global/iam.GetAccessKeyLastUsed": "NOT_ATTEMPTED",
    }
    arns = {r["principal_arn"] for r in made.table("principals").to_pylist()}
    assert f"arn:aws:iam::{MEMBER}:role/one" in arns


def test_an_empty_page_with_a_token(fake: FakeAws, options: Make, fast: Pace) -> None:
    """ListAccounts of fake_aws begins with one: every account is found all the same."""
    made = run(options, fast)
    assert [a.parameters.get("NextToken") for a in fake.calls("ListAccounts")][:2] == [
        None, "page-2",
    ]  # fmt: skip
    assert made.table("accounts").num_rows == 4


def test_an_identity_that_is_deleted_meanwhile(fake: FakeAws, options: Make, fast: Pace) -> None:
    fake.faults[(*IRELAND, "GetEmailIdentity", "example.com")] = lambda _: error(
        "NotFoundException", "Email identity example.com does not exist.", 404
    )
    made = run(options, fast)
    assert different(made) == {}
    identities = {r["name"]: r for r in made.table("identities").to_pylist()}
    assert set(identities) == {"news@example.com"}


def test_accounts_that_join_leave_close_and_move(fake: FakeAws, options: Make, fast: Pace) -> None:
    joined, left = "555555555555", "666666666666"
    before = {MANAGEMENT: "ACTIVE", MEMBER: "ACTIVE", REFUSING: "ACTIVE", left: "SUSPENDED"}
    after = {MANAGEMENT: "ACTIVE", MEMBER: "SUSPENDED", REFUSING: "ACTIVE", joined: "ACTIVE"}
    lists: list[dict[str, str]] = [before, after]
    below: dict[str, list[list[str]]] = {
        "r-ab12": [[MANAGEMENT], [MANAGEMENT, REFUSING]],
        "ou-ab12-11111111": [[MEMBER, REFUSING, left], [MEMBER, joined]],
    }

    def listed(accounts: dict[str, str]) -> Any:
        return {"Accounts": [{"Id": id_, "State": state} for id_, state in accounts.items()]}

    fake.faults[MANAGEMENT, "global", "ListAccounts", ""] = lambda _: listed(lists.pop(0))
    fake.faults[MANAGEMENT, "global", "ListAccountsForParent", ""] = lambda asked: listed(
        dict.fromkeys(below[asked.item].pop(0), "ACTIVE")
    )
    made = run(options, fast)
    assert made.manifest["assumptions"] == [
        f"Account {joined} joined while the run went on",
        f"The state of account {MEMBER} changed while the run went on, from ACTIVE to SUSPENDED",
        f"Account {left} left while the run went on",
        (
            f"Account {REFUSING} moved while the run went on, from ou-ab12-11111111 to r-ab12: it "
            "is decided where it is now"
        ),
    ]  # fmt: skip
    found = cells(made)
    assert found[f"{joined}/global/iam.GetAccountAuthorizationDetails"] == "NOT_ATTEMPTED"
    assert found[f"{joined}/*/sesv2.ListEmailIdentities"] == "NOT_ATTEMPTED"
    parents = {r["account_id"]: r["parent_id"] for r in made.table("accounts").to_pylist()}
    assert parents[REFUSING] == "r-ab12"
    # The same command reads the one that joined.
    lists += [after, after]
    for parent in below:
        below[parent] += [[MEMBER, joined], [MEMBER, joined]]
    assert cells(run(options, fast))[f"{joined}/global/account.ListRegions"] == "OK"


def test_a_second_look_that_fails_is_said(fake: FakeAws, options: Make, fast: Pace) -> None:
    fake.faults[MANAGEMENT, "global", "ListAccounts", ""] = [
        fake.answer(Asked(MANAGEMENT, "global", "organizations", "ListAccounts",
                          {"NextToken": "page-2"}, "")),
        *[error("AccessDeniedException", "not any more")] * 9,
    ]  # fmt: skip
    made = run(options, fast)
    assert different(made) == {}
    (said,) = made.manifest["assumptions"]  # type: ignore[misc]
    assert said == (
        "The accounts could not be listed a second time: one that joined, left or moved during "
        "the run would not be noticed"
    )


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (HTML, "MALFORMED"),
        (Reply(200, '{"EmailIdentities": "none"}'), "MALFORMED"),
        (Reply(200, '{"EmailIdentities": [{"IdentityName": 7}]}'), "MALFORMED"),
        (Reply(200, ""), "MALFORMED"),
        (Reply(200, "{"), "MALFORMED"),
        (error("InternalFailure", "oops", 500), "SERVER_ERROR"),
        (error("SomethingNew", "what is it", 400), "SERVER_ERROR"),
        (Reply(403, "<html>forbidden</html>", "text/html"), "DENIED"),
        (ReadTimeoutError(endpoint_url="https://email.example"), "TIMEOUT"),
        (ConnectTimeoutError(endpoint_url="https://email.example"), "TIMEOUT"),
        (EndpointConnectionError(endpoint_url="https://email.example"), "TIMEOUT"),
        (error("BadGateway", "upstream", 502), "SERVER_ERROR"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_answer_that_is_none(
    fake: FakeAws, options: Make, fast: Pace, reply: Any, state: str
) -> None:
    fake.faults[LIST] = lambda _: reply
    assert different(run(options, fast)) == {
        f"{MEMBER}/eu-west-1/sesv2.ListEmailIdentities": state,
        f"{MEMBER}/eu-west-1/sesv2.GetEmailIdentity": "NOT_ATTEMPTED",
    }


@pytest.mark.parametrize("reply", [HTML, Reply(200, "<GetAccountAuth", "text/xml")])
def test_no_xml_in_the_place_of_xml(fake: FakeAws, options: Make, fast: Pace, reply: Reply) -> None:
    fake.faults[DETAILS] = lambda _: reply
    found = different(run(options, fast))
    assert found[f"{MEMBER}/global/iam.GetAccountAuthorizationDetails"] == "MALFORMED"


def test_a_region_without_an_endpoint(fake: FakeAws, options: Make, fast: Pace) -> None:
    import socket

    missing = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    gone = EndpointConnectionError(endpoint_url="https://email.eu-west-1.example", error=missing)
    for name in ("GetAccount", "ListEmailIdentities", "ListConfigurationSets"):
        fake.faults[(*IRELAND, name, "")] = lambda _: gone
    states = ses("eu-west-1", "NO_ENDPOINT", "NO_ENDPOINT", "EMPTY", "NO_ENDPOINT")
    assert different(run(options, fast)) == {f"{MEMBER}/{c}": s for c, s in states.items()}


def test_a_role_of_another_account(fake: FakeAws, options: Make, fast: Pace) -> None:
    """The session is asked whose it is; one of another account is not used."""
    fake.faults[MANAGEMENT, "global", "AssumeRole", ""] = lambda asked: assumed("9" * 12)
    made = run(options, fast)
    found = row(made, f"{MEMBER}/global/sts.AssumeRole=ASSUME_FAILED")
    assert found.detail == f"the role's session is of account {'9' * 12}, not of {MEMBER}"
    assert not [a for a in fake.asked if a.account == "9" * 12 and a.service != "sts"]


def test_details_are_one_line(fake: FakeAws, options: Make, fast: Pace) -> None:
    fake.faults[LIST] = lambda _: error("AccessDeniedException", "a\nb\r\n\tc")
    made = run(options, fast)
    assert row(made, f"{MEMBER}/eu-west-1/sesv2.ListEmailIdentities=DENIED").detail == "a b c"
    assert json.loads((made.path / "manifest.json").read_text())["coverage"]["complete"] is False
