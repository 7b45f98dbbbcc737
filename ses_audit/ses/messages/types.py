"""What a message is made of, and the words that the parser knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from ses_audit.ses.actions import load_entries

__all__ = ["KINDS", "Kind", "Message", "Phrase", "layer_names", "phrases", "smtp_codes"]

Kind = Literal[
    "access_denied",
    "not_verified",
    "smtp_auth",
    "smtp_auth_required",
    "throttling",
    "account_not_subscribed",
    "temporary_auth_failure",
    "unknown",
]

KINDS: tuple[Kind, ...] = (
    "access_denied",
    "not_verified",
    "smtp_auth",
    "smtp_auth_required",
    "throttling",
    "account_not_subscribed",
    "temporary_auth_failure",
    "unknown",
)


@dataclass(frozen=True, slots=True)
class Message:
    """One refusal. None says that the text does not hold it; nothing is guessed.

    Parameters
    ----------
    kind
        One of `KINDS`.
    principal, action, resource
        As the text spells them; a cut one stays cut.
    layer
        The layer that the text names: identity_policy, permissions_boundary, session_policy, scp,
        rcp, resource_policy or vpc_endpoint_policy. SES names none for most sends.
    effect
        `explicit` or `implicit`.
    policy_arn
        The denying policy, where the text names it.
    smtp_code
        The code in front of the text.
    authorization_id
        Of AWS's access troubleshooter.
    region, identities
        Of `not_verified`: where, and which identities failed the check.
    """

    kind: Kind
    principal: str | None = None
    action: str | None = None
    resource: str | None = None
    layer: str | None = None
    effect: Literal["explicit", "implicit"] | None = None
    policy_arn: str | None = None
    smtp_code: int | None = None
    authorization_id: str | None = None
    region: str | None = None
    identities: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """As `ses-audit explain --parse-only --format json` prints it.

        Examples
        --------
        >>> Message("throttling", smtp_code=454).to_json()["smtp_code"]
        454
        """
        found: dict[str, object] = {
            "kind": self.kind,
            "principal": self.principal,
            "action": self.action,
            "resource": self.resource,
            "layer": self.layer,
            "effect": self.effect,
            "policy_arn": self.policy_arn,
            "smtp_code": self.smtp_code,
            "authorization_id": self.authorization_id,
        }
        if self.kind == "not_verified":
            found["region"] = self.region
            found["identities"] = list(self.identities)
        return found


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that tell a kind; with `codes` only behind one of these SMTP codes."""

    kind: Kind
    words: str
    codes: tuple[int, ...]


@cache
def smtp_codes() -> frozenset[int]:
    """The codes that are SMTP's and not HTTP's."""
    return frozenset(int(str(code)) for code in load_entries("messages.json", "smtp_codes"))


@cache
def phrases() -> tuple[Phrase, ...]:
    """The phrases of the data file, longest first."""
    kinds: dict[str, Kind] = {kind: kind for kind in KINDS}
    found = [
        Phrase(kinds[entry["kind"]], entry["phrase"], tuple(entry.get("codes", ())))
        for entry in load_entries("messages.json", "phrases")
    ]
    return tuple(sorted(found, key=lambda phrase: -len(phrase.words)))


@cache
def layer_names() -> tuple[tuple[str, str], ...]:
    """(name in the text, layer), longest name first."""
    found = [
        (name, entry["layer"])
        for entry in load_entries("messages.json", "layers")
        for name in entry["names"]
    ]
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))
