"""The organization side: each account's chain of targets and the SCPs and RCPs on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ses_audit.audit.documents import Documents
from ses_audit.audit.gaps import Gaps, organization_gaps
from ses_audit.policy.types import AttachedPolicy

__all__ = ["Account", "Chain", "Organization", "Target"]

Row = Mapping[str, object]

SCP = "SERVICE_CONTROL_POLICY"
RCP = "RESOURCE_CONTROL_POLICY"
_PARENTS = "organizations.ListAccountsForParent"


@dataclass(frozen=True, slots=True)
class Target:
    """A root, an OU or an account: what a policy can be attached to."""

    id: str
    name: str
    parent_id: str | None
    path: str | None


@dataclass(frozen=True, slots=True)
class Account:
    """One account, with where it stands."""

    id: str
    name: str
    state: str | None
    audited: bool
    not_audited_reason: str
    is_management: bool
    parent_id: str | None
    ou: str
    """Names from below the root, joined by ` / `; empty directly under the root."""
    org_path: str | None
    """`o-x/r-x/ou-x/.../`, as `aws:PrincipalOrgPaths` spells it; None when not seen."""


@dataclass(frozen=True, slots=True)
class Chain:
    """The levels of one organization layer for an account, root first.

    `levels` is None where the layer does not bind the account. `missing` names the cells whose
    absence could change the layer; `open_levels` are the levels that those cells could add an
    allow to, by position.
    """

    levels: tuple[tuple[AttachedPolicy, ...], ...] | None
    targets: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    open_levels: frozenset[int] = field(default_factory=frozenset)


_Level = tuple[tuple[AttachedPolicy, ...], tuple[str, ...]]
"""The policies on a target, and the cells of those that were not read."""


class Organization:
    """Accounts, OUs and organization policies of a snapshot.

    Parameters
    ----------
    accounts, units, policies, attachments
        Rows of the tables of these names.
    documents
        The policy documents.
    gaps
        The cells of the snapshot that are not evidence.
    organization_id
        `o-...`, or None when it is not known.
    none
        True when the person who made the snapshot states that no organization applies.
    scps_enabled
        False when the organization has not turned SCPs on: then none is in effect.
    """

    def __init__(
        self,
        accounts: Iterable[Row],
        units: Iterable[Row],
        policies: Iterable[Row],
        attachments: Iterable[Row],
        documents: Documents,
        gaps: Gaps,
        organization_id: str | None,
        none: bool,
        scps_enabled: bool = True,
    ) -> None:
        self._scps_enabled = scps_enabled
        self.id = organization_id
        self.none = none
        self.units = {
            str(row["id"]): Target(
                str(row["id"]), str(row["name"] or ""), _text(row["parent_id"]), _text(row["path"])
            )
            for row in units
        }
        self.accounts = {str(row["account_id"]): self._account(row) for row in accounts}
        self._documents = documents
        self._gaps = gaps
        self._policies = {str(row["policy_id"]): row for row in policies}
        self._by_arn = {_text(row["arn"]): row for row in self._policies.values()}
        self._attached: dict[str, list[str]] = {}
        for row in attachments:
            self._attached.setdefault(str(row["target_id"]), []).append(str(row["policy_id"]))
        self._chains: dict[tuple[str, str], Chain] = {}
        self._levels: dict[tuple[str, str], _Level] = {}

    def _account(self, row: Row) -> Account:
        parent = _text(row["parent_id"])
        line = self._line(parent)
        path = self.units[parent].path if parent in self.units else None
        return Account(
            id=str(row["account_id"]),
            name=str(row["name"] or ""),
            state=_text(row["state"]),
            audited=bool(row["audited"]),
            not_audited_reason=str(row["not_audited_reason"] or ""),
            is_management=bool(row["is_management"]),
            parent_id=parent,
            ou=" / ".join(self.units[id].name for id in line[1:]),
            org_path=path,
        )

    def _line(self, target: str | None) -> list[str]:
        """The ids from the root down to `target`; broken off where a parent was not seen."""
        line: list[str] = []
        while target is not None and target in self.units and target not in line:
            line.append(target)
            target = self.units[target].parent_id
        return line[::-1]

    def target_name(self, target: str | None) -> str:
        """The name of a root, OU or account, else its id."""
        if target is None:
            return ""
        if target in self.units:
            return self.units[target].name or target
        if target in self.accounts:
            return self.accounts[target].name or target
        return target

    def policy_name(self, arn: str | None) -> str:
        """The name of the organization policy with this ARN, else the ARN."""
        found = self._by_arn.get(arn) if arn else None
        return str(found["name"]) if found else arn or ""

    @property
    def policy_arns(self) -> dict[str, str]:
        """The ARN of each SCP by its name."""
        return {
            str(row["name"]): str(row["arn"])
            for row in self._policies.values()
            if row["type"] == SCP and row["arn"] is not None
        }

    def policies_on(self, target: str, kind: str = SCP) -> tuple[tuple[str, str], ...]:
        """The (name, ARN) of each organization policy of a kind attached to a target itself."""
        found = (self._policies.get(id) for id in sorted(self._attached.get(target, ())))
        return tuple(
            (str(row["name"]), str(row["arn"])) for row in found if row and row["type"] == kind
        )

    def may_allow(self, target: str, kind: str = SCP) -> bool:
        """Whether a policy on the target itself has an Allow statement that a send can match."""
        found = (self._policies.get(id) for id in self._attached.get(target, ()))
        documents = (
            self._documents.get(_text(row["document_sha256"]))
            for row in found
            if row and row["type"] == kind
        )
        return any(s.effect == "Allow" for d in documents if d for s in d.statements)

    def policy_text(self, arn: str) -> str | None:
        """The document of an organization policy as AWS gave it, or None when it was not read."""
        found = self._by_arn.get(arn)
        digest = _text(found["document_sha256"]) if found else None
        return None if digest is None else self._documents.text(digest)

    def place_gaps(self) -> tuple[str, ...]:
        """The missing cells that tell the organization's id and where an account stands."""
        found = organization_gaps(self._gaps, SCP)
        told = tuple(cell for cell in found if "Polic" not in cell)
        reader = self._gaps.organization_account
        return told or (f"{reader}/global/{_PARENTS}=NOT_ATTEMPTED",)

    def scp_chain(self, account: str) -> Chain:
        """The SCP levels that bind principals of `account`.

        The management account is outside SCPs; so is everyone when there is no organization.
        Source: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
        """
        return self._chain(account, SCP)

    def _chain(self, account: str, kind: str) -> Chain:
        key = (account, kind)
        if key not in self._chains:
            self._chains[key] = self._make_chain(account, kind)
        return self._chains[key]

    def _make_chain(self, account: str, kind: str) -> Chain:
        if self.none or not self._scps_enabled:
            return Chain(None)
        known = self.accounts.get(account)
        if known is not None and known.is_management:
            return Chain(None)
        missing = organization_gaps(self._gaps, kind)
        if self.id is None or known is None:
            return Chain((), missing=missing or ("organizations=NOT_ATTEMPTED",))
        line = self._line(known.parent_id)
        whole = bool(line) and self.units[line[0]].parent_id is None
        if not whole:
            # The root binds every account, wherever it stands.
            roots = [u.id for u in self.units.values() if u.parent_id is None]
            line = [*roots, *(id for id in line if id not in roots)]
            reader = self._gaps.organization_account
            missing = missing or (f"{reader}/global/{_PARENTS}=NOT_ATTEMPTED",)
        targets = (*line, account)
        levels: list[tuple[AttachedPolicy, ...]] = []
        open_levels: set[int] = set()
        lacking: list[str] = []
        for position, target in enumerate(targets):
            level, unread = self._level(target, kind)
            levels.append(level)
            if unread:
                open_levels.add(position)
                lacking += unread
        if missing:
            open_levels = set(range(len(targets)))
        return Chain(
            tuple(levels), targets, (*missing, *dict.fromkeys(lacking)), frozenset(open_levels)
        )

    def _level(self, target: str, kind: str) -> _Level:
        """The policies on a target; one object for all accounts below it."""
        known = self._levels.get((target, kind))
        if known is not None:
            return known
        level: list[AttachedPolicy] = []
        lacking: list[str] = []
        for policy_id in sorted(self._attached.get(target, ())):
            row = self._policies.get(policy_id)
            if row is not None and row["type"] != kind:
                continue
            document = self._documents.get(_text(row["document_sha256"])) if row else None
            if row is None or document is None:
                reader = self._gaps.organization_account
                lacking.append(
                    self._gaps.item(reader, "global", "organizations", "DescribePolicy", policy_id)
                )
                continue
            level.append(AttachedPolicy(document, str(row["name"]), _text(row["arn"]), target))
        found = self._levels[target, kind] = (tuple(level), tuple(lacking))
        return found


def _text(value: object) -> str | None:
    return None if value is None else str(value)
