"""Who a Principal or NotPrincipal element names; who an ARN is."""

from __future__ import annotations

import pytest
from policy_cases import ACCOUNT, IDENTITY, allow, document, load, request

from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.principals import DELEGATED, EXEMPT, LIMITED, Form, caller_of, forms
from ses_audit.policy.types import AttachedPolicy, Caller, Layers, PrincipalElement

DATA = load("principals")
CALLERS = {name: Caller(**value) for name, value in DATA["callers"].items()}
ROWS = [(case, name, expected) for case in DATA["cases"] for name, expected in case["rows"]]


@pytest.mark.parametrize(
    ("case", "name", "expected"), ROWS, ids=[f"{c['name']}: {name}" for c, name, _ in ROWS]
)
def test_case(case: dict, name: str, expected: bool) -> None:
    assert case["source"].startswith("https://docs.aws.amazon.com/")
    statement = allow(Effect=case.get("effect", "Allow"), Resource=IDENTITY, **case["element"])
    boundary = AttachedPolicy(document(allow()), "boundary") if case.get("boundary") else None
    layers = Layers(
        resource_policies=(AttachedPolicy(document(statement), "r"),),
        permissions_boundary=boundary,
    )
    decision = evaluate(layers, request(caller=CALLERS[name]))
    (result,) = decision.layers[-1].levels[0].policies[0].statements
    assert result.matched is expected
    if not expected:
        assert result.failed == "principal"


def test_every_form_is_one_of_three() -> None:
    assert frozenset(Form) == EXEMPT | LIMITED | DELEGATED


@pytest.mark.parametrize(
    ("arn", "kind", "account"),
    [
        ("anonymous", "anonymous", None),
        ("ses.amazonaws.com", "service", None),
        ("cognito-idp.eu-west-1.amazonaws.com", "service", None),
        ("ec2.amazonaws.com.cn", "service", None),
        (f"arn:aws:iam::{ACCOUNT}:root", "root", ACCOUNT),
        (f"arn:aws:iam::{ACCOUNT}:user/a/b", "user", ACCOUNT),
        (f"arn:aws-cn:iam::{ACCOUNT}:role/a", "role", ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/r/s", "session", ACCOUNT),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/f", "federated", ACCOUNT),
    ],
)
def test_caller_of(arn: str, kind: str, account: str | None) -> None:
    caller = caller_of(arn)
    assert caller is not None
    assert (caller.kind, caller.account, caller.arn) == (kind, account, arn)


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "ann",
        "example.com",
        "arn:aws:iam::1:user/a",
        f"arn:aws:iam::{ACCOUNT}:group/g",
        f"arn:aws:iam::{ACCOUNT}:user/",
        f"arn:aws:iam::{ACCOUNT}:user",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/r",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/r/",
        f"arn:aws:sts::{ACCOUNT}:assumed-role//s",
        f"arn:aws:sts::{ACCOUNT}:root",
        f"arn:aws:ses::{ACCOUNT}:user/a",
    ],
)
def test_nobody(arn: str) -> None:
    assert caller_of(arn) is None


def test_a_sessions_role_is_kept_where_it_is_its_role() -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/mailer/job"
    role = f"arn:aws:iam::{ACCOUNT}:role/app/mailer"
    caller = caller_of(arn, role_arn=role, federated_provider="accounts.google.com")
    assert caller is not None
    assert caller.role_arn == role
    assert caller.federated_provider == "accounts.google.com"
    for wrong in (
        f"arn:aws:iam::{ACCOUNT}:role/other",
        "arn:aws:iam::222222222222:role/mailer",
        f"arn:aws:iam::{ACCOUNT}:user/mailer",
        "mailer",
    ):
        found = caller_of(arn, role_arn=wrong)
        assert found is not None
        assert found.role_arn is None


def test_the_role_of_a_session_is_what_stands_before_the_first_slash() -> None:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/mailer/job/part"
    role = f"arn:aws:iam::{ACCOUNT}:role/mailer"
    caller = caller_of(arn, role_arn=role)
    assert caller is not None
    assert caller.role_arn == role
    element = PrincipalElement((("AWS", (role,)),))
    assert forms(element, Caller(arn, ACCOUNT, "session")) == {Form.ROLE}


def test_a_session_arn_cut_short_names_no_role() -> None:
    caller = Caller("arn:aws:sts::111111111111:assumed-role", ACCOUNT, "session")
    element = PrincipalElement((("AWS", (f"arn:aws:iam::{ACCOUNT}:role/mailer",)),))
    assert forms(element, caller) == frozenset()
