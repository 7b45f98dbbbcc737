"""Keys that AWS documents as one another's."""

from __future__ import annotations

import pytest
from policy_formulas import holds_in

from ses_audit.policy.domains import Domain, Domains, Values
from ses_audit.policy.formula import Atom, Formula, conjunction, disjunction
from ses_audit.policy.operators.date import instant
from ses_audit.policy.related_keys import related
from ses_audit.policy.solve import OpenResult, decide
from ses_audit.policy.types import Clause, Verdict

VERSION = "2012-10-17"
CURRENT, EPOCH = "aws:CurrentTime", "aws:EpochTime"
AFTER = ("DateGreaterThan", CURRENT, "2030-01-01T00:00:00Z")
SECONDS = 1_893_456_000
"""The first of 2030."""


def _atom(operator: str, key: str, *values: str) -> Formula:
    return Formula.of(Atom(Clause(operator, key, values), VERSION))


def _decided(*clauses: tuple[str, ...], domains: Domains | None = None) -> OpenResult:
    return decide(conjunction(*(_atom(*each) for each in clauses)), domains or Domains())


@pytest.mark.parametrize(
    ("clause", "verdict"),
    [
        (("NumericLessThan", EPOCH, "1600000000"), Verdict.DENIED),
        (("NumericLessThanEquals", EPOCH, f"{SECONDS}"), Verdict.DENIED),
        (("NumericLessThan", EPOCH, f"{SECONDS + 2}"), Verdict.CONDITIONAL),
        (("NumericEquals", EPOCH, f"{SECONDS}"), Verdict.DENIED),
        (("NumericEquals", EPOCH, f"{SECONDS + 1}"), Verdict.CONDITIONAL),
        (("NumericNotEquals", EPOCH, f"{SECONDS + 1}"), Verdict.CONDITIONAL),
        (("DateLessThan", EPOCH, "2029-01-01"), Verdict.DENIED),
        (("DateLessThan", EPOCH, "2031"), Verdict.CONDITIONAL),
        (("Null", EPOCH, "true"), Verdict.DENIED),
        (("Null", EPOCH, "false"), Verdict.CONDITIONAL),
        (("NumericLessThan", EPOCH, "soon"), Verdict.DENIED),
    ],
)
def test_one_clock(clause: tuple[str, ...], verdict: Verdict) -> None:
    result = _decided(AFTER, clause)
    assert (result.verdict, result.proven) == (verdict, True)
    if result.witness is not None:
        (current,), (epoch,) = result.witness[CURRENT.lower()], result.witness[EPOCH.lower()]
        assert instant(current) == instant(epoch)


def test_four_digits_of_seconds_are_no_year() -> None:
    result = _decided(("NumericEquals", EPOCH, "2020"), ("DateLessThan", EPOCH, "1971"))
    assert result.witness == {EPOCH.lower(): ("2020.0",)}
    assert _decided(
        ("NumericEquals", EPOCH, "2020"), ("DateGreaterThan", EPOCH, "1971")
    ).verdict is (Verdict.DENIED)


@pytest.mark.parametrize(
    ("given", "asked", "verdict"),
    [
        ((CURRENT, "2030-01-01T00:00:00Z"), ("NumericEquals", EPOCH, f"{SECONDS}"), "ALLOWED"),
        ((CURRENT, "2030-01-01T00:00:00Z"), ("NumericLessThan", EPOCH, f"{SECONDS}"), "DENIED"),
        ((EPOCH, f"{SECONDS}"), ("DateEquals", CURRENT, "2030-01-01"), "ALLOWED"),
        ((EPOCH, f"{SECONDS}"), ("DateLessThan", CURRENT, "2030-01-01"), "DENIED"),
        ((EPOCH, "soon"), ("DateLessThan", CURRENT, "2030-01-01"), "CONDITIONAL"),
    ],
)
def test_a_time_that_is_given(given: tuple[str, str], asked: tuple[str, ...], verdict: str) -> None:
    key, value = given
    domains = Domains(known=((key.lower(), (value,)),))
    result = _decided(asked, domains=domains)
    assert result.verdict.value == verdict
    whole = {key.lower(): (value,)}
    for witness, expected in ((result.witness, True), (result.counter_witness, False)):
        if witness is not None:
            assert holds_in(_atom(*asked), {**whole, **witness}, frozenset()) is expected


@pytest.mark.parametrize(
    ("clause", "domains"),
    [
        (("StringLike", EPOCH, "19*"), Domains()),
        (("NumericLessThan", EPOCH, "1" * 30), Domains()),
        (("NumericLessThan", EPOCH, "5"), Domains(absent=frozenset({CURRENT.lower()}))),
        (("NumericLessThan", EPOCH, "5"), Domains(multivalued=frozenset({EPOCH.lower()}))),
        (
            ("NumericLessThan", EPOCH, "5"),
            Domains(open=((CURRENT.lower(), Domain(patterns=("2030*",))),)),
        ),
    ],
)
def test_what_is_not_asked_by_one_key(clause: tuple[str, ...], domains: Domains) -> None:
    formula = conjunction(_atom(*AFTER), _atom(*clause))
    assert related(formula, domains).formula is formula


def test_two_clocks_that_differ_are_no_witness() -> None:
    made = related(conjunction(_atom(*AFTER), _atom("StringLike", EPOCH, "19*")), Domains())
    assert made.witness({CURRENT.lower(): ("2030",), EPOCH.lower(): ("5",)}) is None
    same = {CURRENT.lower(): ("2030-01-01",), EPOCH.lower(): (str(SECONDS),)}
    assert made.witness(same) == same
    # One can be met with the other, but what was found first does not.
    result = _decided(AFTER, ("StringLike", EPOCH, "16*"))
    assert (result.verdict, result.proven, result.witness) == (Verdict.CONDITIONAL, False, None)


def test_the_clock_is_there_where_either_key_is_always_there() -> None:
    domains = Domains(open=((EPOCH.lower(), Domain(Values.INSTANT, always=True)),))
    two = disjunction(
        _atom("DateLessThan", CURRENT, "2030"), _atom("NumericGreaterThan", EPOCH, "5")
    )
    assert decide(two, domains).verdict is Verdict.ALLOWED
    assert decide(two, Domains()).verdict is Verdict.CONDITIONAL


IP = ("IpAddress", "aws:SourceIp", "203.0.113.0/24")


@pytest.mark.parametrize(
    "clause",
    [
        ("StringEquals", "aws:SourceVpc", "vpc-1"),
        ("StringEquals", "aws:SourceVpce", "vpce-1"),
        ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8"),
    ],
)
def test_a_request_by_an_endpoint_has_no_address_of_its_own(clause: tuple[str, ...]) -> None:
    assert _decided(IP, clause).verdict is Verdict.DENIED
    assert _decided(("Null", "aws:SourceIp", "true"), clause).verdict is Verdict.CONDITIONAL
    either = decide(disjunction(_atom(*IP), _atom(*clause)), Domains())
    assert either.verdict is Verdict.CONDITIONAL
    # What is given is taken as it is.
    known = Domains(known=(("aws:sourceip", ("203.0.113.7",)),))
    assert _decided(IP, clause, domains=known).verdict is Verdict.CONDITIONAL


def test_two_keys_of_an_endpoint_go_together() -> None:
    both = ("StringEquals", "aws:SourceVpc", "vpc-1"), ("StringEquals", "aws:SourceVpce", "vpce-1")
    assert _decided(*both).verdict is Verdict.CONDITIONAL
    assert _decided(*both, IP).verdict is Verdict.DENIED


@pytest.mark.parametrize(("present", "verdict"), [("false", "DENIED"), ("true", "CONDITIONAL")])
def test_mfa_that_has_an_age_was_used(present: str, verdict: str) -> None:
    age = ("NumericLessThan", "aws:MultiFactorAuthAge", "3600")
    asked = ("Bool", "aws:MultiFactorAuthPresent", present)
    assert _decided(age, asked).verdict.value == verdict
    assert _decided(age).verdict is Verdict.CONDITIONAL
    # Without an age nothing is said of it.
    absent = ("Null", "aws:MultiFactorAuthAge", "true")
    assert _decided(absent, asked).verdict is Verdict.CONDITIONAL


def test_other_formulas_stay_as_they_are() -> None:
    for clause in (
        IP,
        AFTER,
        ("Bool", "aws:MultiFactorAuthPresent", "true"),
        ("Null", "k", "true"),
    ):
        formula = _atom(*clause)
        assert related(formula, Domains()).formula is formula
