"""Each part of a denial by itself."""

from __future__ import annotations

import pytest

from ses_audit.ses.messages import scan


@pytest.mark.parametrize(
    ("before", "principal"),
    [
        ("User `arn:aws:iam::1:user/a' is ", "arn:aws:iam::1:user/a"),
        ("User: anonymous is ", "anonymous"),
        ("User <your user> is ", "<your user>"),
        ("User ... is ", None),
        ("my user is ", None),
        ("the user of the shop is ", None),
        ("arn:aws:iam::1:user/a (a colleague of mine from there) is ", "arn:aws:iam::1:user/a"),
        ("User `x' then arn:aws:iam::1:user/b is ", "arn:aws:iam::1:user/b"),
        ("The basis ", None),
        ("is ", None),
        ("", None),
        ("Principal: arn:aws:iam::1:role/r is ", "arn:aws:iam::1:role/r"),
        ("User arn:aws:iam::1:user/a, is ", "arn:aws:iam::1:user/a,"),
        ("User `arn:aws:iam::1:user/a' (x) is ", "arn:aws:iam::1:user/a"),
    ],
)
def test_the_principal_in_front(before: str, principal: str | None) -> None:
    assert scan.read_principal(before)[0] == principal


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("`ses:SendEmail'", "ses:SendEmail"),
        (": \nSNS:Publish on", "SNS:Publish"),
        (" ses:Send* x", "ses:Send*"),
        (" ses:* x", "ses:*"),
        (" **ses:SendEmail** x", "ses:SendEmail"),
        (" this action", None),
        ("", None),
    ],
)
def test_the_action(text: str, action: str | None) -> None:
    assert scan.read_action(text, 0)[0] == action


@pytest.mark.parametrize(
    ("text", "resource"),
    [
        (" on resource: * because", "*"),
        (" on resource: **arn:x** y", "arn:x"),
        (" on the following resources: arn:x, arn:y", "arn:x"),
        (" on resource `<a b>/${c d}' x", "<a b>/${c d}"),
        (" on resource `{open' x", "{open"),
        (" on resource (arn:x)", "arn:x"),
        (" on resource [arn:x[1]]", "arn:x[1]"),
        (" on resource arn:x.", "arn:x"),
        (" on resource arn:x...", "arn:x..."),
        (" on resource arn:x</Message>", "arn:x"),
        (" on resource arn:x]]>", "arn:x"),
        (" on resource 'o'neil' x", "o'neil"),
        (" on resource o'neil x", "o'neil"),
        (" on resource 'a'b c", "a"),
        (" on resource `ab\ncd' x", "abcd"),
        (" on resource `ab\ncd ef", "ab"),
        (" on resource ''", None),
        (" on resources", None),
        (" on resourceful", None),
        (" elsewhere", None),
        (" action on resource: x", "x"),
    ],
)
def test_the_resource(text: str, resource: str | None) -> None:
    assert scan.read_resource(text, 0)[0] == resource


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (" because no identity-based policy allows", ("identity_policy", "implicit", None)),
        (" because no permissions boundary allows", ("permissions_boundary", "implicit", None)),
        (" because no Organizations service control policy allows", ("scp", "implicit", None)),
        (" because no unheard-of policy allows", (None, "implicit", None)),
        (" because no sessionless thing allows", (None, "implicit", None)),
        (" with an explicit deny in a sessions policy", ("session_policy", "explicit", None)),
        (" with an explicit deny in the role trust policy", ("resource_policy", "explicit", None)),
        (" with an explicit deny in a policy", (None, "explicit", None)),
        (" with an explicit deny", (None, "explicit", None)),
        (
            " with an explicit deny in a VPC endpoint policy transitively through an SCP",
            ("vpc_endpoint_policy", "explicit", None),
        ),
        (
            " with an explicit deny in a resource control policy: 'arn:aws:organizations::1:p'.",
            ("rcp", "explicit", "arn:aws:organizations::1:p"),
        ),
        (" for no reason", (None, None, None)),
    ],
)
def test_the_layer(text: str, expected: tuple[str | None, str | None, str | None]) -> None:
    assert scan.read_layer(text, 0, len(text)) == expected


@pytest.mark.parametrize(
    ("before", "code"),
    [
        ("554 ", 554),
        ("(554, b'", 554),
        ('code "554", with message "', 554),
        ("Code:554, Msg:", 554),
        ("554 5.7.1 ", 554),
        ("status 403 ", None),
        ("12:554 ", None),
        ("1.554 ", None),
        ("port 587 ", None),
        ("554 and then ", None),
        ("", None),
    ],
)
def test_the_code_in_front(before: str, code: int | None) -> None:
    assert scan.read_code_before(before, len(before)) == code


def test_the_code_behind() -> None:
    assert scan.read_code_after("x SMTP code: 554", 0, 16) == 554
    assert scan.read_code_after("{responseCode: 535}", 0, 19) == 535
    assert scan.read_code_after("statusCode: 403", 0, 15) is None


def test_the_authorization_id() -> None:
    text = '{"authorizationId": "ABCDEFGH12"}'
    assert scan.read_authorization_id(text, 0, len(text)) == "ABCDEFGH12"
    assert scan.read_authorization_id("nothing", 0, 7) is None
