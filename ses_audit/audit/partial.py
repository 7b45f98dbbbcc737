"""The model of a few accounts: what one cell needs, without reading a large snapshot whole."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ses_audit.audit.cells import Crossing
from ses_audit.audit.documents import Documents
from ses_audit.audit.gaps import Gaps
from ses_audit.audit.identities import load_account_regions, load_identities
from ses_audit.audit.model import (
    ORGANIZATION_TABLES,
    Model,
    described,
    organization_account,
    organization_of,
    unlisted,
)
from ses_audit.audit.senders import load_senders
from ses_audit.snapshot.parts import Parts
from ses_audit.snapshot.store import Snapshot

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LARGE", "About", "about", "load_accounts"]

LARGE = 20_000
"""Principals from which on a snapshot is not read whole for one cell."""

_MOST = 20
"""Candidates that are listed where a text names several."""

_ARN = re.compile(r"arn:[^:]+:[a-z0-9-]+:[^:]*:([0-9]{12}):(?:identity/)?(.+)", re.DOTALL)
_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,}")


class About(NamedTuple):
    """Which accounts a question is about."""

    principals: frozenset[str]
    """Accounts whose principals may be meant."""
    identities: frozenset[str]
    """Accounts whose identities may be meant."""


def about(snapshot: Snapshot, principal: str, identities: Iterable[str]) -> About:
    """The accounts of which something must be known to tell what texts name.

    Parameters
    ----------
    snapshot
        The snapshot.
    principal
        An ARN, a unique id, a name, or a part of an ARN; "" for none.
    identities
        ARNs or names.
    """
    whose: set[str] = set()
    wanted = principal.strip()
    if match := _ARN.match(wanted):
        whose.add(match[1])
    elif wanted:
        whose |= _principals(snapshot, wanted)
    of: set[str] = set()
    for text in filter(None, (text.strip() for text in identities)):
        match = _ARN.match(text)
        if match:
            of.add(match[1])
        # Those of the same name elsewhere are told too.
        of |= _identities(snapshot, match[2] if match else text, part=not match)
    return About(frozenset(whose), frozenset(of | whose))


def _principals(snapshot: Snapshot, text: str) -> set[str]:
    """The accounts of principals with an id, with a name, or else with a part in their ARN."""
    unique = _ID.match(text)
    table = snapshot.table("principals", ["principal_arn", "account_id", "name", "principal_id"])
    if unique:
        return _first(table, _equal(table, "principal_id", unique[0]))
    return _first(table, _equal(table, "name", text)) or _first(table, _holding(table, text))


def _identities(snapshot: Snapshot, text: str, *, part: bool) -> set[str]:
    """The accounts of identities with a name, or else with a part in their ARN."""
    table = snapshot.table("identities", ["identity_arn", "account_id", "name"])
    named = [
        account
        for account, name in zip(
            table.column("account_id").to_pylist(), table.column("name").to_pylist(), strict=True
        )
        if name == text
    ]
    return set(named) or (_first(table, _holding(table, text)) if part else set())


def _equal(table: pa.Table, column: str, text: str) -> pa.ChunkedArray:
    import pyarrow.compute as pc

    return pc.equal(table.column(column), text)


def _holding(table: pa.Table, text: str) -> pa.ChunkedArray:
    """Which ARNs (the first column) hold a text, that may be cut."""
    import pyarrow.compute as pc

    cut = text.rstrip(".…")
    found = pc.match_substring(table.column(0), cut)
    return found if cut else pc.and_(found, False)


def _first(table: pa.Table, chosen: pa.ChunkedArray) -> set[str]:
    """The accounts of the chosen rows, as many as are listed, in the order of their ARNs."""
    found = table.filter(chosen).select([0, 1]).to_pylist()
    rows = sorted(tuple(row.values()) for row in found)[: _MOST + 1]
    return {str(account) for _, account in rows}


class _Texts(Mapping[str, str]):
    """The documents that parse, by SHA-256: each read when it is asked for."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._found: dict[str, str | None] = {}

    def __getitem__(self, sha: str) -> str:
        if sha not in self._found:
            rows = self._parts.rows("policy_documents", "sha256", [sha])
            whole = [str(row["document"]) for row in rows if row["malformed"] is None]
            self._found[sha] = whole[0] if whole else None
        text = self._found[sha]
        if text is None:
            raise KeyError(sha)
        return text

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


def load_accounts(snapshot: Snapshot, asked: About, actions: tuple[str, ...]) -> Model:
    """Read some accounts of a snapshot, and its organization.

    Cells of their principals on their identities are decided as by the whole model.

    Parameters
    ----------
    snapshot
        The snapshot.
    asked
        Which accounts; their identities' sending policies can name principals of others, which
        this model does not hold.
    actions
        The send actions.
    """
    wanted = asked.identities
    parts = Parts(snapshot)
    reader = organization_account(snapshot.manifest)
    gaps = Gaps(parts.rows("coverage", "account_id", wanted | {reader}), reader)
    documents = Documents(_Texts(parts), actions)
    organization = organization_of(
        {name: snapshot.table(name).to_pylist() for name in ORGANIZATION_TABLES},
        documents,
        gaps,
        described(snapshot.manifest),
    )
    principals = parts.rows("principals", "account_id", asked.principals)
    arns = frozenset(str(row["principal_arn"]) for row in principals)
    partition = min(arns, default="arn:aws").split(":")[1]
    senders = load_senders(
        principals,
        parts.rows("principal_policies", "principal_arn", arns),
        parts.rows("access_keys", "principal_arn", arns),
        documents,
        gaps,
    )
    rows = parts.rows("identities", "account_id", wanted)
    policies = parts.rows(
        "identity_policies", "identity_arn", frozenset(str(row["identity_arn"]) for row in rows)
    )
    identities = load_identities(rows, policies, documents, gaps)
    for missing in unlisted(gaps, organization, partition):
        if missing.account in wanted:
            identities.setdefault(missing.arn, missing)
    regions = parts.rows("ses_account_regions", "account_id", wanted)
    return Model(
        organization=organization,
        documents=documents,
        senders=senders,
        identities=identities,
        account_regions=load_account_regions(regions, gaps),
        gaps=gaps,
        crossing=Crossing(senders, organization.accounts, gaps, partition),
        partition=partition,
    )
