"""One condition against one value, through the parser and every evaluator of the package."""

from __future__ import annotations

from policy_cases import KEY, allow, identity_layers, request

from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.outcome import outcome
from ses_audit.policy.reduce import OpenRequest, open_evaluate
from ses_audit.policy.types import Effect, Verdict


def check(group: dict, value: object, expected: bool) -> None:
    """The concrete decision, its tree, and open evaluation with nothing open agree."""
    condition = {group["operator"]: {"TEST:Key": group["values"]}}
    layers = identity_layers(allow(Condition=condition), version=group.get("version", "2012-10-17"))
    asked = request(context={**group.get("context", {}), KEY: value})
    effect = Effect.ALLOWED if expected else Effect.IMPLICIT_DENY
    assert outcome(layers, asked).effect is effect
    tree = evaluate(layers, asked)
    assert tree.effect is effect
    ((clause, held),) = tree.layers[0].levels[0].policies[0].statements[0].clauses
    assert held is expected
    assert clause.key == "TEST:Key"
    absent = frozenset() if KEY in asked.context else frozenset({KEY})
    opened = open_evaluate(
        layers,
        OpenRequest(
            asked.caller,
            asked.action,
            asked.resource,
            asked.resource_account,
            known=asked.context,
            absent=absent | {"test:other"} - asked.context.keys(),
            multivalued=asked.multivalued,
        ),
    )
    assert opened.verdict is (Verdict.ALLOWED if expected else Verdict.DENIED)
