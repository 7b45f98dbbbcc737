"""A layer under an open request, and an open resource."""

from __future__ import annotations

import pytest
from policy_cases import ACCOUNT, IDENTITY, USER, allow, attached, identity_layers
from policy_open import concrete

from ses_audit.policy.domains import Domain
from ses_audit.policy.formula import FALSE, TRUE, Atom, Formula, conjunction, negate
from ses_audit.policy.reduce import (
    RESOURCE_KEY,
    LayerFormula,
    OpenRequest,
    ResourceFormula,
    combine,
    open_evaluate,
    open_resource_relation,
    reduce_layer,
    reduce_resource_policies,
)
from ses_audit.policy.types import Caller, Clause, Effect, Layers, Verdict

TEMPLATE = f"arn:aws:ses:eu-west-1:{ACCOUNT}:template/*"


def asked(resource: str = IDENTITY, caller: Caller = USER, **rest: object) -> OpenRequest:
    return OpenRequest(caller, "ses:SendTemplatedEmail", resource, ACCOUNT, **rest)  # type: ignore[arg-type]


def atom(key: str, value: str = "x", operator: str = "StringEquals") -> Formula:
    return Formula.of(Atom(Clause(operator, key, (value,)), "2012-10-17"))


A, B, C, D = (atom(key) for key in "abcd")


def test_a_layer_keeps_what_is_open() -> None:
    policy = attached(
        allow(Action="s3:*"),
        allow(Condition={"StringEquals": {"known": "yes", "a": "x"}}),
        allow(Effect="Deny", Condition={"StringEquals": {"known": "no", "a": "x"}}),
        allow(Effect="Deny", Condition={"StringEquals": {"b": "x"}}),
    )
    found = reduce_layer([policy], asked(known={"Known": ("yes",)}))
    assert found.allow is A
    assert found.deny is B


def test_an_absent_key_is_settled() -> None:
    policy = attached(allow(Condition={"StringEquals": {"a": "x"}}))
    assert reduce_layer([policy], asked(absent=frozenset({"A"}))).allow is FALSE
    negated = attached(allow(Condition={"StringNotEquals": {"a": "x"}}))
    assert reduce_layer([negated], asked(absent=frozenset({"a"}))).allow is TRUE


def test_whom_a_resource_policy_grants() -> None:
    def grant(principal: object, key: str) -> dict:
        return allow(Principal=principal, Resource=IDENTITY, Condition={"StringEquals": {key: "x"}})

    policy = attached(
        allow(Condition={"StringEquals": {"d": "x"}}),
        allow(Condition={"StringEquals": {"e": "x"}}, Action="s3:*", Principal="*"),
        grant({"AWS": "222222222222"}, "f"),
        grant({"AWS": USER.arn}, "a"),
        grant({"AWS": ACCOUNT}, "b"),
        {**grant("*", "c"), "Effect": "Deny"},
    )
    found = reduce_resource_policies([policy], asked())
    assert found == ResourceFormula(A, FALSE, B, C)
    role = Caller(f"arn:aws:iam::{ACCOUNT}:role/r", ACCOUNT, "role")
    limited = attached(grant({"AWS": role.arn}, "a"))
    assert reduce_resource_policies([limited], asked(caller=role)).grant_limited is A


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"identity": LayerFormula(A, FALSE)}, A),
        ({"identity": LayerFormula(A, B)}, conjunction(A, negate(B))),
        (
            {"identity": LayerFormula(A, FALSE), "boundary": LayerFormula(B, C)},
            conjunction(A, B, negate(C)),
        ),
        (
            {"identity": LayerFormula(A, FALSE), "scp_levels": [LayerFormula(B, FALSE)] * 2},
            conjunction(A, B),
        ),
        ({"identity": LayerFormula(A, FALSE), "scp_levels": []}, A),
        ({"identity": LayerFormula(A, FALSE), "rcp_levels": [LayerFormula(FALSE, FALSE)]}, FALSE),
        ({"identity": LayerFormula(A, FALSE), "same_account": False}, FALSE),
        ({"identity": None, "same_account": True}, FALSE),
        ({"identity": None, "resource": ResourceFormula(A, FALSE, B, FALSE)}, A),
        (
            {
                "identity": LayerFormula(A, FALSE),
                "resource": ResourceFormula(FALSE, FALSE, B, C),
                "same_account": False,
            },
            conjunction(A, B, negate(C)),
        ),
        (
            {
                "identity": LayerFormula(FALSE, FALSE),
                "boundary": LayerFormula(B, FALSE),
                "resource": ResourceFormula(FALSE, A, FALSE, FALSE),
            },
            conjunction(A, B),
        ),
        (
            {
                "identity": LayerFormula(FALSE, FALSE),
                "boundary": LayerFormula(B, FALSE),
                "session": LayerFormula(C, FALSE),
                "resource": ResourceFormula(A, FALSE, FALSE, FALSE),
            },
            A,
        ),
    ],
)
def test_combine(parts: dict, expected: Formula) -> None:
    assert combine(**parts) is expected


def test_what_is_known_of_keys() -> None:
    request = asked(
        known={"A": ("x",)},
        absent=frozenset({"B"}),
        multivalued=frozenset({"C"}),
        domains={"D": Domain(always=True)},
    )
    domains = request.all_domains()
    assert ("a", ("x",)) in domains.known
    assert domains.absent == {"b"}
    assert domains.multivalued == {"c"}
    assert domains.open == (("d", Domain(always=True)),)
    assert request.values_of(frozenset({"a", "b", "d"})) == (
        ("a", ("x",), False, None),
        ("b", None, True, None),
        ("d", None, False, Domain(always=True)),
    )


def test_the_resource_is_a_key() -> None:
    domains = asked(domains={"B": Domain(always=True), "a": Domain()}).all_domains()
    assert domains.known == ((RESOURCE_KEY, (IDENTITY,)),)
    assert domains.open == (("a", Domain()), ("b", Domain(always=True)))
    domains = asked(TEMPLATE, open_resource=True).all_domains()
    assert domains.known == ()
    assert domains.open == ((RESOURCE_KEY, Domain(always=True, patterns=(TEMPLATE,))),)


def test_variables_that_are_known_are_put_in_and_values_that_cannot_be_are_left_out() -> None:
    values = ["${u}-${v}", "${gone}-${v}", "${gone, 'd'}-${v}"]
    policy = attached(allow(Condition={"StringLike": {"a": values}}))
    found = reduce_layer([policy], asked(known={"u": ("x*",)}, absent=frozenset({"gone"})))
    clause = Clause("StringLike", "a", ("x${*}-${v}", "d-${v}"))
    assert found.allow is Formula.of(Atom(clause, "2012-10-17"))


def test_a_set_that_is_known_is_no_single_value() -> None:
    given = {"known": {"set": ("x",)}, "multivalued": frozenset({"Set"})}
    policy = attached(allow(Condition={"StringEquals": {"set": "${v}"}}))
    assert reduce_layer([policy], asked(**given)).allow is FALSE
    policy = attached(allow(Condition={"ForAnyValue:StringEquals": {"set": "${v}"}}))
    found = Formula.of(Atom(Clause("StringEquals", "v", ("x",)), "2008-10-17"))
    assert reduce_layer([policy], asked(**given)).allow is found


def test_a_resource_is_asked_of_what_is_open_in_it() -> None:
    policy = attached(allow(Resource="arn:aws:ses:*:*:identity/${u}.${v}"))
    found = Formula.of(Atom(Clause("StringEquals", "v", ("com",)), "2008-10-17"))
    assert reduce_layer([policy], asked(known={"u": ("example",)})).allow is found
    policy = attached(allow(Resource="arn:aws:ses:*:*:template/news*"))
    resource = Clause("Resource", RESOURCE_KEY, (TEMPLATE.replace("*", "news*"),))
    opened = asked(TEMPLATE, open_resource=True)
    assert reduce_layer([policy], opened).allow is Formula.of(Atom(resource, "2012-10-17"))


@pytest.mark.parametrize(
    ("pattern", "relation"),
    [
        ("*", "all"),
        ("arn:aws:ses:*", "all"),
        ("arn:aws:ses:*:template/*", "all"),
        (TEMPLATE, "all"),
        ("arn:aws:ses:eu-west-1:*:template/*", "all"),
        ("arn:aws:ses:us-east-1:*:template/*", "none"),
        ("arn:aws:ses:*:*:identity/*", "none"),
        ("arn:aws:ses:*:*:template/a*", "some"),
        ("arn:aws:ses:*:*:template/a", "some"),
        ("arn:aws:ses:*:*:t*", "all"),
        ("plain", "some"),
        ("arn:aws:s3:::*", "none"),
        ("arn:aws:ses:eu-west-1:111111111111:template/a:b", "none"),
    ],
)
def test_open_resource_relation(pattern: str, relation: str) -> None:
    assert open_resource_relation(pattern, TEMPLATE) == relation


@pytest.mark.parametrize(
    ("resource", "verdict"),
    [
        ("*", Verdict.ALLOWED),
        (TEMPLATE, Verdict.ALLOWED),
        ("arn:aws:ses:*:*:template/news*", Verdict.CONDITIONAL),
        ("arn:aws:ses:*:*:identity/*", Verdict.DENIED),
        ("arn:aws:ses:*:*:template/${aws:username}", Verdict.CONDITIONAL),
    ],
)
def test_an_open_resource(resource: str, verdict: Verdict) -> None:
    result = open_evaluate(
        identity_layers(allow(Resource=resource)), asked(TEMPLATE, open_resource=True)
    )
    assert result.verdict is verdict


def test_an_open_resource_and_what_is_denied() -> None:
    statements = (
        allow(Resource="arn:aws:ses:*:*:template/news*"),
        allow(Effect="Deny", Resource="arn:aws:ses:*:*:template/n*"),
    )
    result = open_evaluate(identity_layers(*statements), asked(TEMPLATE, open_resource=True))
    assert result.verdict is Verdict.DENIED
    spared = (statements[0], {"Effect": "Deny", "Action": "*", "NotResource": "arn:*:template/*-x"})
    result = open_evaluate(identity_layers(*spared), asked(TEMPLATE, open_resource=True))
    assert result.verdict is Verdict.CONDITIONAL
    assert result.witness is not None
    assert result.witness["(resource)"][0].endswith("-x")


@pytest.mark.parametrize(
    ("element", "verdict"),
    [
        ({"Resource": "arn:aws:ses:*:*:identity/${v}"}, Verdict.CONDITIONAL),
        ({"NotResource": "arn:aws:ses:*:*:identity/${v}"}, Verdict.CONDITIONAL),
        ({"Resource": "arn:aws:ses:*:*:template/${v}"}, Verdict.DENIED),
        ({"NotResource": "arn:aws:ses:*:*:template/${v}"}, Verdict.ALLOWED),
        ({"Resource": ["arn:aws:ses:*:*:template/${v}", IDENTITY]}, Verdict.ALLOWED),
    ],
)
def test_an_open_variable_in_a_resource(element: dict, verdict: Verdict) -> None:
    statement = {"Effect": "Allow", "Action": "*", **element}
    layers = identity_layers(statement)
    result = open_evaluate(layers, asked())
    assert result.verdict is verdict
    assert result.proven
    if result.witness is not None:
        assert concrete(layers, asked(), result.witness) is Effect.ALLOWED
    if result.counter_witness is not None:
        assert concrete(layers, asked(), result.counter_witness) is not Effect.ALLOWED


def test_callers_without_identity_policies_and_root() -> None:
    service = Caller("cognito-idp.amazonaws.com", None, "service")
    grant = allow(Principal={"Service": service.arn}, Resource=IDENTITY)
    layers = Layers(identity_policies=(attached(allow()),), resource_policies=(attached(grant),))
    assert open_evaluate(layers, asked(caller=service)).verdict is Verdict.ALLOWED
    bare = Layers(identity_policies=(attached(allow()),))
    assert open_evaluate(bare, asked(caller=service)).verdict is Verdict.DENIED
    anonymous = Caller("anonymous", None, "anonymous")
    assert open_evaluate(bare, asked(caller=anonymous)).verdict is Verdict.DENIED
    root = Caller(f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, "root")
    assert open_evaluate(Layers(), asked(caller=root)).verdict is Verdict.ALLOWED
    denied = identity_layers(allow(Effect="Deny"))
    assert open_evaluate(denied, asked(caller=root)).verdict is Verdict.DENIED


def test_a_boundary_is_minded_by_not_principal() -> None:
    spare = allow(
        Effect="Deny",
        NotPrincipal={"AWS": [USER.arn, ACCOUNT]},
        Resource=IDENTITY,
    )
    layers = Layers(identity_policies=(attached(allow()),), resource_policies=(attached(spare),))
    assert open_evaluate(layers, asked()).verdict is Verdict.ALLOWED
    bounded = Layers(
        identity_policies=layers.identity_policies,
        resource_policies=layers.resource_policies,
        permissions_boundary=attached(allow()),
    )
    assert open_evaluate(bounded, asked()).verdict is Verdict.DENIED


def test_a_budget_is_minded() -> None:
    keys = {key: ["x*", "*y"] for key in "abcd"}
    layers = identity_layers(allow(Condition={"StringLike": keys}))
    assert open_evaluate(layers, asked()).proven
    assert not open_evaluate(layers, asked(), budget=1).proven
