"""A decision's tree as text and as JSON: each layer, level, policy and statement.

The text is AWS's and the policies' own: whoever shows it escapes it.
"""

from __future__ import annotations

from collections.abc import Iterator

from ses_audit.policy.types import (
    AttachedPolicy,
    Clause,
    Decision,
    Denial,
    LayerResult,
    LevelResult,
    PolicyResult,
    StatementResult,
)

__all__ = ["denial_json", "denial_text", "explain_json", "explain_text"]


def denial_json(denial: Denial) -> dict[str, object]:
    """One denial as every table and file writes it.

    Examples
    --------
    >>> from ses_audit.policy.types import Layer
    >>> denial_json(Denial(Layer.IDENTITY_POLICY, "implicit"))["kind"]
    'implicit'
    """
    return {
        "layer": denial.layer.value,
        "kind": denial.kind,
        "policy": denial.policy,
        "sid": denial.sid,
        "statement_index": denial.statement_index,
        "target": denial.target,
    }


def denial_text(denial: Denial) -> str:
    """One denial as a sentence.

    Examples
    --------
    >>> from ses_audit.policy.types import Layer
    >>> denial_text(Denial(Layer.SERVICE_CONTROL_POLICY, "explicit", "Lock", "No", 1, "ou-1"))
    'service_control_policy: explicitly denied by Lock, statement 2 "No", attached to ou-1'
    """
    layer = denial.layer.value
    if denial.kind == "implicit":
        where = "" if denial.target is None else f" at {denial.target}"
        lacking = "no statement allows it" if denial.policy is None else f"{denial.policy} lacks it"
        return f"{layer}: {lacking}{where}"
    number = "?" if denial.statement_index is None else denial.statement_index + 1
    sid = "" if denial.sid is None else f' "{denial.sid}"'
    where = "" if denial.target is None else f", attached to {denial.target}"
    return f"{layer}: explicitly denied by {denial.policy}, statement {number}{sid}{where}"


def explain_json(decision: Decision) -> dict[str, object]:
    """The whole tree.

    Returns
    -------
    dict
        `effect`, `denied_by`, `granted_by`, and `layers`: each with its levels, their policies and
        statements, and of each statement every element and condition with its own result.

    Examples
    --------
    >>> from ses_audit.policy.evaluate import evaluate
    >>> from ses_audit.policy.types import Caller, Layers, Request
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> tree = explain_json(evaluate(Layers(), Request(user, "ses:SendEmail", "*", "111111111111")))
    >>> tree["effect"], [denial["layer"] for denial in tree["denied_by"]]
    ('implicitDeny', ['identity_policy'])
    """
    return {
        "effect": decision.effect.value,
        "denied_by": [denial_json(denial) for denial in decision.denied_by],
        "granted_by": [
            {"policy": _name(policy), "sid": statement.sid, "statement_index": statement.index}
            for policy, statement in decision.granted_by
        ],
        "layers": [_layer_json(layer) for layer in decision.layers],
    }


def _name(policy: AttachedPolicy) -> str:
    return policy.arn or policy.name


def _layer_json(layer: LayerResult) -> dict[str, object]:
    return {
        "layer": layer.layer.value,
        "applies": layer.applies,
        "effect": layer.effect.value,
        "note": layer.note,
        "levels": [_level_json(level) for level in layer.levels],
    }


def _level_json(level: LevelResult) -> dict[str, object]:
    return {
        "target": level.target,
        "effect": level.effect.value,
        "policies": [_policy_json(policy) for policy in level.policies],
    }


def _policy_json(result: PolicyResult) -> dict[str, object]:
    return {
        "policy": _name(result.policy),
        "name": result.policy.name,
        "target": result.policy.target,
        "statements": [_statement_json(statement) for statement in result.statements],
    }


def _statement_json(result: StatementResult) -> dict[str, object]:
    return {
        "statement_index": result.statement.index,
        "sid": result.statement.sid,
        "effect": result.statement.effect,
        "matched": result.matched,
        "elements": dict(result.elements),
        "conditions": [
            {
                "operator": clause.text,
                "key": clause.key,
                "values": list(clause.values),
                "matched": matched,
            }
            for clause, matched in result.clauses
        ],
    }


def explain_text(decision: Decision) -> str:
    """The whole tree in lines: what decided first, then layer by layer.

    Examples
    --------
    >>> from ses_audit.policy.evaluate import evaluate
    >>> from ses_audit.policy.types import Caller, Layers, Request
    >>> user = Caller("arn:aws:iam::111111111111:user/a", "111111111111", "user")
    >>> decision = evaluate(Layers(), Request(user, "ses:SendEmail", "*", "111111111111"))
    >>> print(explain_text(decision).splitlines()[0])
    implicitDeny
    """
    return "\n".join(_lines(decision))


def _lines(decision: Decision) -> Iterator[str]:
    yield decision.effect.value
    for denial in decision.denied_by:
        yield f"  {denial_text(denial)}"
    for policy, statement in decision.granted_by:
        sid = "" if statement.sid is None else f' "{statement.sid}"'
        yield f"  granted by {_name(policy)}, statement {statement.index + 1}{sid}"
    for layer in decision.layers:
        note = f" ({layer.note})" if layer.note else ""
        if not layer.applies:
            yield f"{layer.layer.value}: does not apply{note}"
            continue
        yield f"{layer.layer.value}: {layer.effect.value}{note}"
        for level in layer.levels:
            yield from _level_lines(level)


def _level_lines(level: LevelResult) -> Iterator[str]:
    indent = "  "
    if level.target is not None:
        yield f"  at {level.target}: {level.effect.value}"
        indent = "    "
    if not level.policies:
        yield f"{indent}no policy"
    for result in level.policies:
        yield f"{indent}{_name(result.policy)}"
        for statement in result.statements:
            yield f"{indent}  {_statement_text(statement)}"


def _statement_text(result: StatementResult) -> str:
    statement = result.statement
    sid = "" if statement.sid is None else f' "{statement.sid}"'
    title = f"statement {statement.index + 1}{sid} {statement.effect}"
    if result.matched:
        return f"{title}: matched"
    words: list[str] = [
        element for element, matched in result.elements if not matched and element != "condition"
    ]
    words += [_clause_text(clause) for clause, matched in result.clauses if not matched]
    return f"{title}: no match in {', '.join(words)}"


def _clause_text(clause: Clause) -> str:
    return f"condition {clause.text} {clause.key} {' or '.join(clause.values)}".rstrip()
