"""docs/settle.sh: a dry listing asks nothing; what is asked is observed and told apart."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from ses_audit.policy.parse import parse_document
from ses_audit.ses.rules import rules

SCRIPT = Path(__file__).parents[2] / "docs" / "settle.sh"
DISPUTED = [rule.id for rule in rules() if rule.disputed]
GIVEN = {
    "SETTLE_REGION": "eu-west-1",
    "SETTLE_ROLE": "arn:aws:iam::111111111111:role/settle",
    "SETTLE_IDENTITY": "example.com",
    "SETTLE_ADDRESS": "settle@example.com",
    "SETTLE_VERIFIED": "apart@other.example",
    "SETTLE_OTHER": "bounces@second.example",
    "SETTLE_SET": "main",
    "SETTLE_TEMPLATE": "Welcome",
    "SETTLE_CUSTOM_TEMPLATE": "Verify",
    "SETTLE_RECIPIENT": "me@third.example",
    "SETTLE_TAG": "team=mail",
    "SETTLE_FOREIGN": "x@foreign.example",
    "SETTLE_FOREIGN_ROLE": "arn:aws:iam::222222222222:role/foreign",
}
# An `aws` that writes down what it is asked, and answers a send with $FAKE_ANSWER.
FAKE = """#!/usr/bin/env bash
printf '%s\\n' "$*" >> "$ASKED"
case "$1 $2" in
  "sts assume-role") printf 'AKID\\tTHE-SECRET\\tTHE-TOKEN\\n' ;;
  *policy) [[ ${REFUSED:-} ]] && { echo "InvalidPolicy: no" >&2; exit 254; }; echo '{}' ;;
  *)
    [[ $AWS_SECRET_ACCESS_KEY == THE-SECRET && -z ${AWS_PROFILE:-} ]] || exit 9
    if [[ $FAKE_ANSWER ]]; then echo "$FAKE_ANSWER" >&2; exit 254; fi
    echo '{"MessageId": "1"}' ;;
esac
"""


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    aws = tmp_path / "aws"
    aws.write_text(FAKE)
    aws.chmod(0o755)
    log = tmp_path / "asked"
    log.touch()
    return log


def run(asked: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    base = {"PATH": f"{asked.parent}:{os.environ['PATH']}", "ASKED": str(asked), "FAKE_ANSWER": ""}
    return subprocess.run(
        ["bash", str(SCRIPT), *arguments],
        env={**base, "AWS_PROFILE": "mine", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def denial(resource: str, action: str = "ses:SendEmail") -> str:
    return (
        "An error occurred (AccessDenied) when calling the SendEmail operation: User `arn:x' is "
        f"not authorized to perform `{action}' on resource `arn:aws:ses:eu-west-1:1:{resource}'"
    )


def test_it_is_well_formed() -> None:
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True)
    assert os.access(SCRIPT, os.X_OK)


def test_it_lists_each_disputed_rule_and_no_other(asked: Path) -> None:
    ended = run(asked)
    assert ended.returncode == 0
    listed = [line.split()[0] for line in ended.stdout.splitlines()[1:]]
    assert sorted(listed) == sorted(DISPUTED)
    assert run(asked, "--list").stdout == ended.stdout


def test_it_tells_what_it_needs(asked: Path) -> None:
    said = run(asked, "--help").stdout
    for name in (*GIVEN, "SES_AUDIT_SETTLE=send", "SES_AUDIT_SETTLE=change"):
        assert name in said
    assert "set -e" not in said


def test_a_dry_listing_asks_nothing(asked: Path) -> None:
    ended = run(asked, "all")
    assert ended.returncode == 0, ended.stderr
    assert asked.read_text() == ""
    assert ended.stderr == ""
    for rule in DISPUTED:
        assert f"\n{rule}\n" in f"\n{ended.stdout}"
    assert "MessageId" not in ended.stdout


def test_every_policy_that_it_makes_is_a_policy(asked: Path) -> None:
    ended = run(asked, "all", **GIVEN)
    assert asked.read_text() == ""
    policies = [
        line[line.index("{") :]
        for line in ended.stdout.splitlines()
        if line.startswith(("  policy   ", "  puts     "))
    ]
    assert len(policies) > 30
    for text in policies:
        document = parse_document(text)
        assert document.statements
        assert json.loads(text)["Version"] == "2012-10-17"


@pytest.mark.parametrize(
    ("rule", "answer", "means"),
    [
        ("order.iam_first", denial("identity/nobody@never-verified.example"), "CONFIRMED"),
        ("order.iam_first", "MessageRejected: Email address is not verified.", "REFUTED"),
        ("order.iam_first", "Throttling: Rate exceeded", "UNDECIDED"),
        ("identity.none_verified", denial("identity/nobody@never-verified.example"), "CONFIRMED"),
        ("identity.none_verified", denial("identity/never-verified.example"), "REFUTED"),
        ("identity.domain_arn", "", "CONFIRMED"),
        ("identity.domain_arn", denial("identity/settle@example.com"), "REFUTED"),
        ("identity.domain_arn", denial("configuration-set/x"), "UNDECIDED"),
        ("identity.label", "", "CONFIRMED"),
        ("identity.label", "MessageRejected: Email address is not verified.", "REFUTED"),
        ("check.configuration_set", denial("configuration-set/main"), "CONFIRMED"),
        ("check.configuration_set", "", "REFUTED"),
        ("check.return_path", denial("identity/second.example"), "CONFIRMED"),
        ("check.return_path", "", "REFUTED"),
        ("check.recipients", denial("identity/bounces@second.example"), "CONFIRMED"),
        ("way.v2-inline-template", "", "CONFIRMED"),
        ("way.v2-inline-template", denial("template/x"), "REFUTED"),
        ("keys.resource_tag", denial("identity/example.com"), "CONFIRMED"),
        ("keys.resource_tag", "", "REFUTED"),
        ("delegate.without_arn", "MessageRejected: Email address is not verified.", "CONFIRMED"),
        ("delegate.arn_decides", "", "CONFIRMED"),
        ("way.pinpoint-email", "", "CONFIRMED"),
        ("order.first_failure", denial("identity/example.com"), "CONFIRMED"),
    ],
)
def test_what_is_observed_is_told_apart(asked: Path, rule: str, answer: str, means: str) -> None:
    ended = run(asked, rule, SES_AUDIT_SETTLE="send", FAKE_ANSWER=answer, **GIVEN)
    assert ended.returncode == 0, ended.stderr
    assert f"  means    {means}" in ended.stdout
    assert "THE-SECRET" not in ended.stdout + ended.stderr
    first, second = asked.read_text().splitlines()
    assert first.startswith("sts assume-role --role-arn arn:aws:iam::111111111111:role/settle ")
    assert second.endswith("--region eu-west-1 --output json")


def test_two_halves_of_one_rule(asked: Path) -> None:
    ended = run(asked, "way.v2-raw", SES_AUDIT_SETTLE="send", **GIVEN)
    assert ended.stdout.count("means    CONFIRMED") == 1
    assert ended.stdout.count("means    REFUTED") == 1


def test_each_global_key_is_asked(asked: Path) -> None:
    ended = run(asked, "keys.global", SES_AUDIT_SETTLE="send", **GIVEN)
    assert ended.stdout.count("  key      aws:") == ended.stdout.count("observed sent") == 13


def test_policies_are_put_only_when_that_is_allowed_and_always_taken_off(asked: Path) -> None:
    left_out = run(asked, "policies.one_set", SES_AUDIT_SETTLE="send", **GIVEN)
    assert "left out: it puts policies on example.com" in left_out.stdout
    assert asked.read_text() == ""
    ended = run(
        asked,
        "policies.one_set",
        SES_AUDIT_SETTLE="change",
        FAKE_ANSWER=denial("identity/example.com"),
        **GIVEN,
    )
    assert "means    CONFIRMED" in ended.stdout
    lines = asked.read_text().splitlines()
    put = [line for line in lines if "create-email-identity-policy" in line]
    off = [line for line in lines if "delete-email-identity-policy" in line]
    assert len(put) == len(off) == 2
    assert lines.index(off[0]) > lines.index(put[1])


def test_whether_ses_takes_a_policy(asked: Path) -> None:
    took = run(asked, "policies.bulk", SES_AUDIT_SETTLE="change", **GIVEN)
    assert "observed SES took the policy" in took.stdout
    refused = run(asked, "policies.bounce", SES_AUDIT_SETTLE="change", REFUSED="yes", **GIVEN)
    assert refused.stdout.count("observed SES refused the policy: InvalidPolicy: no") == 2


def test_what_is_missing_is_said(asked: Path) -> None:
    nothing = run(asked, "order.iam_first", SES_AUDIT_SETTLE="send")
    assert (nothing.returncode, nothing.stdout) == (2, "")
    assert "set SETTLE_REGION" in nothing.stderr
    some = {name: value for name, value in GIVEN.items() if name != "SETTLE_SET"}
    left_out = run(asked, "check.configuration_set", SES_AUDIT_SETTLE="send", **some)
    assert "left out: set SETTLE_SET" in left_out.stdout
    assert asked.read_text() == ""


@pytest.mark.parametrize(
    ("rule", "mode", "said"),
    [
        ("check.sender", "dry", "no disputed rule check.sender"),
        ("order.iam_first", "yes", "SES_AUDIT_SETTLE is send or change, not yes"),
    ],
)
def test_a_wrong_use(asked: Path, rule: str, mode: str, said: str) -> None:
    ended = run(asked, rule, SES_AUDIT_SETTLE=mode, **GIVEN)
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1
