"""Verdicts as tables: distinct rulings once, and each cell of two classes as four small numbers.

A class of senders, or of identities, is what every ruling treats alike. Every sender of a class
stands in a cell with every identity of the other; the long table is their join, made when it is
asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from ses_audit.audit.decide import Decider, Ruling
from ses_audit.audit.identities import Identity
from ses_audit.audit.senders import Sender

__all__ = ["KIND", "SCHEMAS", "Row", "VerdictTables", "build", "denial_rows", "ruling_row"]

Row = tuple[object, ...]

_text = pa.string()

SCHEMAS: dict[str, pa.Schema] = {
    "senders": pa.schema(
        [
            ("principal_arn", _text),
            ("principal_type", _text),
            ("principal_account", _text),
            ("name", _text),
            ("smtp", pa.bool_()),
            ("sender_class", pa.int32()),
        ]
    ),
    "identities": pa.schema(
        [
            ("identity_arn", _text),
            ("identity_account", _text),
            ("identity_name", _text),
            ("identity_type", _text),
            ("region", _text),
            ("identity_class", pa.int32()),
        ]
    ),
    "actions": pa.schema([("action", _text)]),
    "rulings": pa.schema(
        [
            ("verdict", _text),
            ("verdict_without_scp", _text),
            ("sender_verdict", _text),
            ("denied_by", _text),
            ("denied_policies", _text),
            ("conditions", _text),
            ("missing_evidence", _text),
            ("rule_confidence", _text),
            ("proven", pa.bool_()),
            ("failed_checks", _text),
            ("ungranted", pa.bool_()),
        ]
    ),
    "denials": pa.schema(
        [
            ("ruling", pa.int32()),
            ("certain", pa.bool_()),
            ("layer", _text),
            ("kind", _text),
            ("policy", _text),
            ("sid", _text),
            ("statement_index", pa.int32()),
            ("target", _text),
            ("verdict_without", _text),
        ]
    ),
    "cells": pa.schema(
        [
            ("sender_class", pa.int32()),
            ("identity_class", pa.int32()),
            ("action", pa.int8()),
            ("ruling", pa.int32()),
        ]
    ),
}


KIND = {"session": "role"}
"""A session that a sending policy names is a row of its role's type."""


@dataclass(frozen=True, slots=True)
class VerdictTables:
    """The verdict tables by name; classes and row numbers are the references between them."""

    tables: dict[str, pa.Table]


def build(
    identities: Iterable[Identity],
    senders_of: Sequence[Sequence[Sender]],
    actions: Sequence[str],
    decider: Decider,
) -> VerdictTables:
    """Decide every cell.

    Parameters
    ----------
    identities
        All identities, placeholders included.
    senders_of
        For each identity, in the same order, its principals.
    actions
        The send actions.
    decider
        Decides one cell.
    """
    identity_rows = list(identities)
    sender_ids: dict[tuple[str, str], int] = {}
    senders: list[Sender] = []
    rulings: dict[Ruling, int] = {}
    columns: tuple[list[int], list[int], list[int], list[int]] = ([], [], [], [])
    for identity_id, (identity, crossed) in enumerate(zip(identity_rows, senders_of, strict=True)):
        for sender in crossed:
            key = (sender.arn, sender.type)
            sender_id = sender_ids.setdefault(key, len(senders))
            if sender_id == len(senders):
                senders.append(sender)
            for action_id, action in enumerate(actions):
                ruling = decider.decide(sender, identity, action)
                columns[0].append(sender_id)
                columns[1].append(identity_id)
                columns[2].append(action_id)
                columns[3].append(rulings.setdefault(ruling, len(rulings)))
    return VerdictTables(
        {
            "senders": _table(
                "senders",
                [
                    (s.arn, KIND.get(s.type, s.type), s.account, s.name, s.smtp, n)
                    for n, s in enumerate(senders)
                ],
            ),
            "identities": _table(
                "identities",
                [
                    (i.arn, i.account, i.name, i.type, i.region, n)
                    for n, i in enumerate(identity_rows)
                ],
            ),
            "actions": _table("actions", [(a,) for a in actions]),
            "rulings": _table("rulings", [ruling_row(r) for r in rulings]),
            "denials": _table(
                "denials", [row for r, i in rulings.items() for row in denial_rows(r, i)]
            ),
            "cells": pa.table(list(columns), schema=SCHEMAS["cells"]),
        }
    )


def _table(name: str, rows: Sequence[tuple[object, ...]]) -> pa.Table:
    schema = SCHEMAS[name]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(schema)
    return pa.table([list(column) for column in columns], schema=schema)


def ruling_row(ruling: Ruling) -> Row:
    """A row of `rulings`."""
    return (
        str(ruling.verdict),
        str(ruling.verdict_without_scp),
        str(ruling.sender_verdict),
        ruling.denied_by,
        ruling.denied_policies,
        ruling.conditions,
        ";".join(ruling.missing),
        ruling.confidence,
        ruling.proven,
        ";".join(ruling.failed_checks),
        ruling.ungranted,
    )


def denial_rows(ruling: Ruling, number: int) -> Iterable[Row]:
    """The rows of `denials` of one ruling."""
    without = dict(ruling.without)
    for certain, denials in ((True, ruling.denials), (False, ruling.possible)):
        for d in denials:
            yield (
                number,
                certain,
                str(d.layer),
                d.kind,
                d.policy,
                d.sid,
                d.statement_index,
                d.target,
                str(without[d]) if d in without else None,
            )
