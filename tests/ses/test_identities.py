"""Which identity covers an address, and whose policies are read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ses_audit.policy.wildcards import matches
from ses_audit.ses.identities import (
    address_of,
    candidates,
    covering,
    from_patterns,
    is_address,
    resolve,
    without_label,
)

CASES = json.loads((Path(__file__).parent / "cases" / "identities.json").read_text())


@pytest.mark.parametrize("case", CASES["covering"], ids=lambda case: case["rule"])
def test_the_identity_that_covers(case: dict[str, Any]) -> None:
    assert covering(case["address"], case["verified"]) == case["is"]
    assert covering(case["address"], reversed(case["verified"])) == case["is"]


@pytest.mark.parametrize("case", CASES["resolve"], ids=lambda case: case["rule"])
def test_whose_policies_are_read(case: dict[str, Any]) -> None:
    found = resolve(
        case["address"],
        case["verified"],
        account="111111111111",
        region="eu-west-1",
        identity_arn=case.get("identity_arn"),
    )
    assert (found.outcome, found.arn, found.policies_of, found.confidence) == (
        case["outcome"],
        case["arn"],
        case["policies_of"],
        case["confidence"],
    )


def test_another_partition() -> None:
    found = resolve(
        "a@example.gov",
        ["example.gov"],
        account="1",
        region="us-gov-west-1",
        partition="aws-us-gov",
    )
    assert found.arn == "arn:aws-us-gov:ses:us-gov-west-1:1:identity/example.gov"


def test_a_resource_that_is_no_arn_is_looked_up_by_its_name() -> None:
    found = resolve("a@b.example", [], account="1", region="eu-west-1", identity_arn="b.example")
    assert found.outcome == "checked"


def test_names_in_the_order_in_which_ses_looks() -> None:
    assert candidates("u+l@a.b.example.com") == (
        "u+l@a.b.example.com",
        "u@a.b.example.com",
        "a.b.example.com",
        "b.example.com",
        "example.com",
    )
    assert candidates("B.Example.com.") == ("b.example.com", "example.com")


def test_addresses_and_labels() -> None:
    assert is_address("a@b.example") and not is_address("b.example")
    assert address_of(" a@b.example ") == "a@b.example"
    assert address_of("A B <a@b.example>") == "a@b.example"
    assert without_label("a+b+c@d.example") == "a@d.example"
    assert without_label("a@d.example") == "a@d.example"


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        (
            "example.com",
            ["a@example.com", "a+b@example.com", "a@x.y.example.com"],
            ["a@notexample.com", "a@example.org", "example.com"],
        ),
        (
            "Example.com",
            ["a@example.com", "a@Example.com", "a@x.example.com"],
            ["a@Example.org"],
        ),
        (
            "news@example.com",
            ["news@example.com", "news+x@example.com"],
            ["other@example.com", "news@x.example.com", "newsletter@example.com"],
        ),
    ],
)
def test_the_from_addresses_of_an_identity(
    name: str, inside: list[str], outside: list[str]
) -> None:
    patterns = from_patterns(name)
    for address in inside:
        assert any(matches(pattern, address) for pattern in patterns)
        assert covering(address, [name]) == name
    for address in outside:
        assert not any(matches(pattern, address) for pattern in patterns)
