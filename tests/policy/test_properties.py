"""What holds of every set of policies and every request."""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from policy_strategies import (
    ACTION_PATTERNS,
    LAYER_NAMES,
    RESOURCE_PATTERNS,
    SETS,
    contexts,
    layers,
    requests,
    statements,
    with_statement,
)

from ses_audit.policy.outcome import outcome
from ses_audit.policy.reduce import OpenRequest, open_evaluate
from ses_audit.policy.types import (
    AttachedPolicy,
    Clause,
    Document,
    Effect,
    Layers,
    PrincipalElement,
    Request,
    Statement,
    Verdict,
)
from ses_audit.policy.wildcards import action_matches, arn_matches, matches

# The same examples on every machine; a failure is shrunk and then made a case.
many = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

SOME_LAYER = st.sampled_from(LAYER_NAMES)


def allowed(whole: Layers, asked: Request) -> bool:
    return outcome(whole, asked).effect is Effect.ALLOWED


@given(layers(), requests(), SOME_LAYER, st.data())
@many
def test_a_deny_never_allows_more(
    whole: Layers, asked: Request, layer: str, data: st.DataObject
) -> None:
    statement = data.draw(statements(principal=layer in ("resource", "rcp"), effects=("Deny",)))
    more = with_statement(whole, layer, statement)
    assume(more is not None)
    assert more is not None
    assert not allowed(more, asked) or allowed(whole, asked)


@given(layers(), requests(), SOME_LAYER, st.data())
@many
def test_an_allow_never_denies(
    whole: Layers, asked: Request, layer: str, data: st.DataObject
) -> None:
    statement = data.draw(statements(principal=layer in ("resource", "rcp"), effects=("Allow",)))
    more = with_statement(whole, layer, statement)
    assume(more is not None)
    assert more is not None
    assert not allowed(whole, asked) or allowed(more, asked)


def _shuffled(whole: Layers, source: random.Random) -> Layers:
    """The same layers with everything that is a set in another order."""

    def order(items: tuple) -> tuple:
        return tuple(source.sample(items, len(items)))

    def clause(found: Clause) -> Clause:
        return replace(found, values=order(found.values))

    def principal(found: PrincipalElement | None) -> PrincipalElement | None:
        if found is None:
            return None
        entries = tuple((kind, order(values)) for kind, values in found.entries)
        return replace(found, entries=order(entries))

    def statement(found: Statement) -> Statement:
        return replace(
            found,
            actions=order(found.actions),
            resources=None if found.resources is None else order(found.resources),
            conditions=order(tuple(map(clause, found.conditions))),
            principal=principal(found.principal),
        )

    def document(found: Document) -> Document:
        return replace(found, statements=order(tuple(map(statement, found.statements))))

    def policy(found: AttachedPolicy) -> AttachedPolicy:
        return replace(found, document=document(found.document))

    def policies(found: tuple[AttachedPolicy, ...]) -> tuple[AttachedPolicy, ...]:
        return order(tuple(map(policy, found)))

    def levels(
        found: tuple[tuple[AttachedPolicy, ...], ...] | None,
    ) -> tuple[tuple[AttachedPolicy, ...], ...] | None:
        return None if found is None else order(tuple(map(policies, found)))

    boundary = whole.permissions_boundary
    return Layers(
        identity_policies=policies(whole.identity_policies),
        permissions_boundary=None if boundary is None else policy(boundary),
        session_policies=None
        if whole.session_policies is None
        else policies(whole.session_policies),
        service_control_policies=levels(whole.service_control_policies),
        resource_control_policies=levels(whole.resource_control_policies),
        resource_policies=policies(whole.resource_policies),
    )


@given(layers(), requests(), st.integers(0, 2**32))
@many
def test_order_never_matters(whole: Layers, asked: Request, seed: int) -> None:
    other = _shuffled(whole, random.Random(seed))
    one, two = outcome(whole, asked), outcome(other, asked)
    assert one.effect is two.effect
    assert sorted(map(repr, one.denials)) == sorted(map(repr, two.denials))
    assert len(one.grants) == len(two.grants)
    request = OpenRequest(
        asked.caller, asked.action, asked.resource, asked.resource_account, multivalued=SETS
    )
    first, second = open_evaluate(whole, request), open_evaluate(other, request)
    assert first.verdict is second.verdict


@st.composite
def widened(draw: st.DrawFn, patterns: list[str]) -> tuple[str, str]:
    """A pattern, and one that has a wildcard in the place of some characters of a segment."""
    pattern = draw(st.sampled_from(patterns))
    places = [i for i, c in enumerate(pattern) if c not in ":${}*" and "${" not in pattern]
    assume(places)
    start = draw(st.sampled_from(places))
    end = start + 1
    star = draw(st.booleans())
    if star:
        while end in places and draw(st.booleans()):
            end += 1
    return pattern, pattern[:start] + ("*" if star else "?") + pattern[end:]


TEXTS = st.one_of(
    st.sampled_from(
        [
            "arn:aws:ses:eu-west-1:111111111111:identity/example.com",
            "arn:aws:ses:us-east-1:222222222222:identity/a",
            "arn:aws:s3:::b/c",
            "arn:aws:sqs:us-east-1:1:q:r",
        ]
    ),
    st.text("a:s*?/r", max_size=12),
)


@given(widened([*RESOURCE_PATTERNS, "arn:aws:sqs", "arn:aws:s3:::b/c", "a:r*:s"]), TEXTS)
@many
def test_a_wider_resource_pattern_matches_no_less(pair: tuple[str, str], text: str) -> None:
    pattern, wider = pair
    assert not arn_matches(pattern, text) or arn_matches(wider, text)
    assert not matches(pattern, text) or matches(wider, text)


@given(widened(ACTION_PATTERNS), st.sampled_from(["ses:SendEmail", "ses:SendRawEmail", "s3:Get"]))
@many
def test_a_wider_action_pattern_matches_no_less(pair: tuple[str, str], action: str) -> None:
    pattern, wider = pair
    assert not action_matches(pattern, action) or action_matches(wider, action)


@given(layers(), requests(), widened(RESOURCE_PATTERNS), widened(ACTION_PATTERNS), st.data())
@many
def test_widening_a_statement_is_monotone(
    whole: Layers,
    asked: Request,
    resources: tuple[str, str],
    actions: tuple[str, str],
    data: st.DataObject,
) -> None:
    effect = data.draw(st.sampled_from(["Allow", "Deny"]))
    answers = []
    for number in (0, 1):
        statement = {"Effect": effect, "Action": actions[number], "Resource": resources[number]}
        added = with_statement(whole, "identity", statement)
        assert added is not None
        answers.append(allowed(added, asked))
    narrow, wide = answers
    assert (not narrow or wide) if effect == "Allow" else (not wide or narrow)


@given(layers(), requests(), st.lists(contexts(), min_size=3, max_size=3), st.data())
@many
def test_the_concrete_verdict_lies_within_the_open_one(
    whole: Layers,
    asked: Request,
    tried: list[dict[str, tuple[str, ...]]],
    data: st.DataObject,
) -> None:
    """Also: a witness confirms, and a counter-witness is refused."""
    some = data.draw(st.sampled_from([(), ("test:number",), ("test:number", "test:tag")]))
    known = {key: values for key, values in asked.context.items() if key in some}
    request = OpenRequest(
        asked.caller,
        asked.action,
        asked.resource,
        asked.resource_account,
        known=known,
        multivalued=SETS,
    )
    result = open_evaluate(whole, request)
    if result.verdict is Verdict.CONDITIONAL and result.proven:
        assert result.witness is not None
        assert result.counter_witness is not None
        assert result.conditions is not None
    if result.witness is not None:
        assert allowed(whole, replace(asked, context={**known, **result.witness}))
    if result.counter_witness is not None:
        assert not allowed(whole, replace(asked, context={**known, **result.counter_witness}))
    for context in (asked.context, *tried):
        concrete = allowed(whole, replace(asked, context={**context, **known}))
        if result.verdict is Verdict.ALLOWED:
            assert concrete
        if result.verdict is Verdict.DENIED:
            assert not concrete
