"""What a person chooses, checked against what there is: an unknown value is refused by name."""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ses_audit.audit.queries import OUTSIDE, RANKS, ROOT, Selection
from ses_audit.errors import USAGE, UserError
from ses_audit.report.parameters import nearest

if TYPE_CHECKING:
    from ses_audit.audit import Audit

__all__ = ["choose", "scp_arn", "select"]

_NEAR = 200
"""Names among which the nearest match is looked for, where there are many."""

_WORDS = {"scp alone": "scp_alone", "stopped by scp alone": "scp_alone"}


def choose(what: str, value: str, known: Iterable[str]) -> str:
    """The value, when it is one of those known; capitals do not matter.

    Parameters
    ----------
    what
        What is chosen, for the error.
    value
        What was given; "" chooses nothing.
    known
        All there is.

    Raises
    ------
    UserError
        With the nearest match.

    Examples
    --------
    >>> choose("region", "EU-West-1", ["eu-west-1"])
    'eu-west-1'
    """
    wanted = value.strip()
    if not wanted:
        return ""
    names = list(known)
    if wanted in names:
        return wanted
    for name in names:
        if name.lower() == wanted.lower():
            return name
    raise UserError(f"no {what} {wanted!r} in this snapshot{_near(wanted, names)}", USAGE)


def _near(wanted: str, names: list[str]) -> str:
    """The nearest match; a long list is cut, for an error is one line."""
    near = nearest(wanted, names)
    return near if len(near) <= 300 else near[:300] + " …"


def _account(audit: Audit, value: str) -> str:
    accounts = audit.organization.accounts
    # An account that stands alone has no name.
    ids = {account.name: account.id for account in accounts.values() if account.name}
    found = choose("account", value, [*accounts, *ids])
    return ids.get(found, found)


def _one_of(audit: Audit, what: str, value: str) -> str:
    """An ARN by itself or by its short name, where that is one thing only."""
    wanted = value.strip()
    if not wanted:
        return ""
    members = "sender_members" if what == "principal" else "identity_members"
    for same in ("{0} = $name", "lower({0}) = lower($name)"):
        arns = [
            str(arn)
            for (arn,) in audit.queries.rows(
                f"SELECT DISTINCT {what}_arn FROM {members} WHERE {same.format(f'{what}_arn')} "
                f"OR {same.format(f'{what}_name')} ORDER BY ALL",
                {"name": wanted},
            )
        ]
        if wanted in arns:
            return wanted
        if len(arns) == 1:
            return arns[0]
        if arns:
            raise UserError(
                f"{what} {wanted!r} is {len(arns):,} things: give the ARN, one of "
                f"{', '.join(arns[:5])}{', …' if len(arns) > 5 else ''}",
                USAGE,
            )
    near = audit.queries.rows(
        f"SELECT name FROM (SELECT unnest([{what}_arn, {what}_name]) AS name FROM {members}) "
        "GROUP BY name ORDER BY "
        f"jaro_winkler_similarity(lower(name), lower($name)) DESC, name LIMIT {_NEAR}",
        {"name": wanted},
    )
    return choose(what, wanted, [str(name) for (name,) in near])


def scp_arn(audit: Audit, value: str) -> str:
    """The ARN of an SCP that is given by its ARN or name; "" for none.

    Raises
    ------
    UserError
        With the nearest match.
    """
    arns = audit.organization.policy_arns
    found = choose("SCP", value, [*arns, *arns.values()])
    return arns.get(found, found)


def select(
    audit: Audit,
    *,
    ou: str = "",
    account: str = "",
    principal: str = "",
    identity: str = "",
    region: str = "",
    action: str = "",
    verdict: str = "",
) -> Selection:
    """A selection from what a person typed.

    Parameters
    ----------
    audit
        The snapshot.
    ou
        An OU by its names joined by ` / `.
    account
        An id or a name.
    principal, identity
        An ARN, or a name that only one has.
    region, action
        As AWS spells it; the action with or without `ses:`.
    verdict
        allowed, conditional, unknown, scp_alone or denied.

    Raises
    ------
    UserError
        For a value that the snapshot does not hold, with the nearest match.
    """
    named = action.strip()
    if named and ":" not in named:
        named = f"ses:{named}"
    kind = verdict.strip().lower()
    everything = Selection()
    return Selection(
        ou=_ou(audit, ou),
        account=_account(audit, account),
        principal=_one_of(audit, "principal", principal),
        identity=_one_of(audit, "identity", identity),
        region=choose("region", region, audit.queries.choices("region", everything))
        if region.strip()
        else "",
        action=choose("action", named, audit.queries.actions()),
        kind=choose("verdict", _WORDS.get(kind, kind), RANKS),
    )


def _ou(audit: Audit, value: str) -> str:
    found: set[str] = set()
    for account in audit.organization.accounts.values():
        parts = account.ou.split(" / ") if account.ou else []
        found.update(" / ".join(parts[: n + 1]) for n in range(len(parts)))
    return choose("OU", value, [ROOT, *sorted(found), OUTSIDE])
