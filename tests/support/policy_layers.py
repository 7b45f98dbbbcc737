"""The layers of a case in tests/policy/cases/layers.json."""

from __future__ import annotations

from policy_cases import ACCOUNT, IDENTITY, document, load, request

from ses_audit.policy.types import AttachedPolicy, Caller, Denial, Layers, Request

DATA = load("layers")
CASES: list[dict] = DATA["cases"]


def _statement(entry: object) -> dict:
    if isinstance(entry, str):
        return DATA["statements"][entry]
    word, principal = entry  # type: ignore[misc]
    return {**DATA["statements"][word], "Principal": principal, "Resource": IDENTITY}


def _policy(entries: list[object], name: str, target: str | None = None) -> AttachedPolicy:
    return AttachedPolicy(document(*map(_statement, entries)), name, target=target)


def _policies(case: dict, word: str) -> tuple[AttachedPolicy, ...]:
    return tuple(
        _policy(entries, f"{word}-{number}") for number, entries in enumerate(case[word], 1)
    )


def _levels(case: dict, word: str) -> tuple[tuple[AttachedPolicy, ...], ...] | None:
    if word not in case:
        return None
    return tuple(
        tuple(
            _policy(entries, f"{word}-{level}-{number}", f"target-{level}")
            for number, entries in enumerate(policies, 1)
        )
        for level, policies in enumerate(case[word], 1)
    )


def layers_of(case: dict) -> Layers:
    return Layers(
        identity_policies=_policies(case, "identity"),
        permissions_boundary=_policy(case["boundary"], "boundary") if "boundary" in case else None,
        session_policies=_policies(case, "session") if "session" in case else None,
        service_control_policies=_levels(case, "scp"),
        resource_control_policies=_levels(case, "rcp"),
        resource_policies=_policies(case, "resource") if "resource" in case else (),
    )


def request_of(case: dict) -> Request:
    caller = Caller(**DATA["callers"][case.get("caller", "ann")])
    return request(caller=caller, owner=case.get("owner", ACCOUNT), context=case.get("context", {}))


def words(denial: Denial) -> str:
    """A denial as a case writes it."""
    return " ".join(filter(None, (denial.layer.value, denial.kind, denial.policy)))
