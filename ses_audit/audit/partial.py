"""The model of a few accounts: what one cell needs, without reading a large snapshot whole."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from ses_audit.audit.cells import Crossing
from ses_audit.audit.columns import Columns
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Model, Source
from ses_audit.audit.model_part import model_of
from ses_audit.audit.senders import load_senders

__all__ = ["LARGE", "accounts_in", "load_accounts"]

LARGE = 20_000
"""Principals from which on a snapshot is not read whole for one cell."""

_ARN = re.compile(r"arn:[a-z-]+:(?:iam|sts|ses):[a-z0-9-]*:([0-9]{12}):", re.ASCII)


def accounts_in(*arns: str) -> frozenset[str] | None:
    """The accounts of some ARNs; None where one of them is no ARN with an account.

    Examples
    --------
    >>> sorted(accounts_in("arn:aws:iam::111111111111:role/a") or ())
    ['111111111111']
    >>> accounts_in("alice") is None
    True
    """
    found = [_ARN.match(arn) for arn in arns]
    if any(match is None for match in found):
        return None
    return frozenset(match.group(1) for match in found if match is not None)


def load_accounts(source: Source, accounts: Iterable[str], actions: tuple[str, ...]) -> Model:
    """Read some accounts of a snapshot, and its organization.

    Cells of their principals on their identities are decided as by the whole model.

    Parameters
    ----------
    source
        The snapshot.
    accounts
        Which accounts; their identities' sending policies can name principals of others, which
        this model does not hold.
    actions
        The send actions.
    """
    wanted = sorted(set(accounts))
    columns = Columns(source)
    tables = [columns.large("principals").between("account_id", a, a) for a in wanted]
    arns = [row for table in tables for row in table.column("principal_arn").to_pylist()]
    partition = arns[0].split(":")[1] if arns else "aws"
    knowledge = Knowledge(columns, actions)
    model = model_of(knowledge, wanted, partition)
    policies: list[dict[str, object]] = []
    keys: list[dict[str, object]] = []
    for table in tables:
        own = table.column("principal_arn").combine_chunks()
        policies += columns.of_principals("principal_policies", own)[0].to_pylist()
        keys += columns.of_principals("access_keys", own)[0].to_pylist()
    senders = load_senders(
        (row for table in tables for row in table.to_pylist()),
        policies,
        keys,
        knowledge.documents,
        model.gaps,
    )
    crossing = Crossing(senders, model.organization.accounts, model.gaps, partition)
    return replace(model, senders=senders, crossing=crossing)
