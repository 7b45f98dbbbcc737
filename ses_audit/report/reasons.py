"""Why a cell is as it is, in a few words: which policy, which statement, where attached."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.organization import Organization

__all__ = ["Reason", "Reasons", "missing_words", "policy_label", "short", "statement_label"]

SCP = "service_control_policy"

# A check that fails beside the sender's is named: its resource is another one.
_CHECKS = {
    "configuration_set": "default configuration set",
    "template": "template",
    "recipients": "sandbox recipient",
    "return_path": "return path",
    "tracking_overrides": "tracking overrides",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """One denial of a ruling, as the table `denials` holds it."""

    certain: bool
    layer: str
    kind: str
    policy: str
    sid: str
    statement_index: int | None
    target: str
    without: str
    """The verdict if this SCP were not attached to its target; "" for other layers."""


def short(text: str, length: int = 60) -> str:
    """The beginning of a text, with an ellipsis where it was cut.

    Examples
    --------
    >>> short("aws:SourceIp in 203.0.113.0/24", 12)
    'aws:SourceI…'
    """
    return text if len(text) <= length else text[: length - 1] + "…"


def policy_label(organization: Organization, policy: str) -> str:
    """A policy's name: an organization policy's own, else the end of its ARN."""
    if ":organizations:" in policy or policy.startswith("arn:aws:organizations:"):
        return organization.policy_name(policy)
    return policy.split(":policy/", 1)[-1] if policy.startswith("arn:") else policy


def statement_label(sid: str, index: int | None) -> str:
    """A statement by its Sid and its place, counted from 1 as a reader counts.

    Examples
    --------
    >>> statement_label("NoSes", 0)
    'statement 1, NoSes'
    """
    if index is None:
        return sid
    return f"statement {index + 1}" + (f", {sid}" if sid else "")


def missing_words(missing: str) -> str:
    """Missing cells in a few words: `222222222222/eu-west-1/sesv2.GetAccount=DENIED` and more.

    Examples
    --------
    >>> missing_words("1/global/sts.AssumeRole=ASSUME_FAILED;1/global/iam.X=NOT_ATTEMPTED")
    'sts.AssumeRole: ASSUME_FAILED, and 1 more'
    """
    cells = [cell for cell in missing.split(";") if cell]
    if not cells:
        return ""
    first = cells[0].rsplit("/", 1)[-1] if "[" not in cells[0] else cells[0].split("/", 2)[-1]
    more = f", and {len(cells) - 1} more" if len(cells) > 1 else ""
    return first.replace("=", ": ") + more


class Reasons:
    """The denials of some rulings, and what to call them.

    Parameters
    ----------
    audit
        The snapshot.
    rulings
        Row numbers in the table `rulings`.
    """

    def __init__(self, audit: Audit, rulings: Iterable[int]) -> None:
        self._organization = audit.organization
        wanted = sorted(set(rulings))
        self._of: dict[int, list[Reason]] = {}
        self._failed: dict[int, str] = {}
        for ruling, *rest in audit.queries.rows(
            "SELECT ruling, certain, layer, kind, coalesce(policy, ''), coalesce(sid, ''), "
            "statement_index, coalesce(target, ''), coalesce(verdict_without, '') "
            "FROM denials WHERE ruling IN (SELECT unnest(?)) "
            "ORDER BY policy, sid, statement_index, target, kind, n",
            [wanted],
        ):
            self._of.setdefault(ruling, []).append(Reason(*rest))
        self._failed.update(
            audit.queries.rows(
                "SELECT n, failed_checks FROM rulings WHERE n IN (SELECT unnest(?))", [wanted]
            )
        )

    def of(self, ruling: int) -> list[Reason]:
        """The denials of a ruling."""
        return self._of.get(ruling, [])

    def together(self, ruling: int) -> bool:
        """Whether no layer denies by itself: each allows, but in no context that all allow."""
        certain = [reason for reason in self.of(ruling) if reason.certain]
        layers = {reason.layer for reason in certain}
        return len(layers) > 1 and any(r.without in ("ALLOWED", "CONDITIONAL") for r in certain)

    def words(self, reason: Reason, *, together: bool = False) -> str:
        """One denial in a few words."""
        name = policy_label(self._organization, reason.policy) if reason.policy else ""
        match reason.layer, reason.kind:
            case "identity_policy", "implicit":
                if together:
                    return "the identity policies allow in other contexts only"
                return "no identity policy allows"
            case "identity_policy", _:
                return f"policy {name} denies"
            case "permissions_boundary", "implicit":
                return f"boundary {name} does not allow"
            case "permissions_boundary", _:
                return f"boundary {name} denies"
            case "service_control_policy", "explicit":
                return f"SCP {name} @ {self._organization.target_name(reason.target)}"
            case "service_control_policy", _:
                return self._level(reason.target)
            case "sending_authorization_policy", "implicit":
                return "no sending policy grants"
            case "sending_authorization_policy", _:
                return f"sending policy {name} denies"
        return f"{reason.layer} {name}".strip()

    def _level(self, target: str) -> str:
        if not target:
            return "the SCPs together with the policies leave no context"
        on = [name for name, _ in self._organization.policies_on(target)]
        where = self._organization.target_name(target)
        if self._organization.may_allow(target):
            return f"SCP {', '.join(on)} @ {where} allows in other contexts only"
        names = f" ({', '.join(on)})" if on else " (none attached)"
        return f"no SCP allows @ {where}{names}"

    def line(self, ruling: int, *, layer: str = "") -> str:
        """All denials of a ruling in one line; of one layer where it is given."""
        found = [r for r in self.of(ruling) if not layer or r.layer == layer]
        together = self.together(ruling)
        words = list(dict.fromkeys(self.words(r, together=together) for r in found))
        check = self._failed.get(ruling, "").split(";")[0]
        before = f"{_CHECKS[check]}: " if check in _CHECKS else ""
        return before + "; ".join(words)
