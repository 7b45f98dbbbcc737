"""Questions to the verdict tables in SQL: what pages and widgets show is one DuckDB query each.

The tables stay as they are stored, by classes. What is counted is counted by pairs of classes
(`chosen`); single cells are made for the few pairs that a page lists (`members`), so that the size
of a query is that of its answer.
"""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ses_audit.audit.organization import Organization
from ses_audit.audit.pairs import pairs_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["OUTSIDE", "RANKS", "ROOT", "Queries", "Selection", "connect", "first", "members"]

RANKS = ("allowed", "conditional", "unknown", "scp_alone", "denied")
"""The kinds of a cell, strongest first: what several cells together show is their strongest."""

ROOT = "Root"
"""The OU of an account directly under the root."""

OUTSIDE = "Outside the organization"

_TABLES = f"""
CREATE TABLE senders AS
SELECT n, principal_arn, principal_type, principal_account, name, smtp, sender_class
FROM raw_senders;
CREATE TABLE identities AS
SELECT n, identity_arn, identity_account, identity_name, identity_type, region, identity_class
FROM raw_identities;
CREATE TABLE actions AS SELECT * FROM raw_actions;
CREATE TABLE rulings AS
SELECT *, CASE WHEN verdict = 'DENIED' AND verdict_without_scp IN ('ALLOWED', 'CONDITIONAL') THEN 3
               WHEN verdict = 'ALLOWED' THEN 0 WHEN verdict = 'CONDITIONAL' THEN 1
               WHEN verdict = 'UNKNOWN' THEN 2 ELSE 4 END::TINYINT AS rank
FROM raw_rulings;
CREATE TABLE denials AS SELECT * FROM raw_denials;
-- A statement of an SCP on one target, whatever the ruling, in the order in which they are told.
CREATE TABLE statements AS
SELECT row_number() OVER (ORDER BY policy, sid, statement_index, target, kind) AS statement, *
FROM (SELECT DISTINCT policy, sid, statement_index, target, kind FROM denials
      WHERE layer = 'service_control_policy');
CREATE TABLE scp_denials AS
SELECT d.ruling, s.statement, d.n AS denial, d.verdict_without,
       CASE WHEN r.verdict <> 'DENIED' THEN 'narrows'
            WHEN d.verdict_without IN ('ALLOWED', 'CONDITIONAL') THEN 'sole'
            WHEN r.verdict_without_scp IN ('ALLOWED', 'CONDITIONAL') THEN 'several'
            ELSE 'layers' END AS blocker,
       CASE blocker WHEN 'sole' THEN 0 WHEN 'several' THEN 1 WHEN 'narrows' THEN 2 ELSE 3 END
         AS place
FROM denials d JOIN rulings r ON r.n = d.ruling JOIN statements s
  ON s.policy IS NOT DISTINCT FROM d.policy AND s.sid IS NOT DISTINCT FROM d.sid
 AND s.statement_index IS NOT DISTINCT FROM d.statement_index
 AND s.target IS NOT DISTINCT FROM d.target AND s.kind = d.kind
WHERE d.layer = 'service_control_policy'
  AND CASE WHEN r.verdict = 'DENIED' THEN d.certain ELSE r.verdict <> r.verdict_without_scp END;
-- Cross-account cells that are denied for lack of a grant are left out.
CREATE TABLE patterns AS
SELECT t.pattern, t.action_number, a.action, t.ruling, r.rank
FROM raw_patterns t JOIN actions a ON a.n = t.action_number JOIN rulings r ON r.n = t.ruling
WHERE t.same OR NOT r.ungranted;
CREATE TABLE pairs AS
SELECT * FROM raw_pairs WHERE pattern IN (SELECT pattern FROM patterns);
CREATE VIEW sender_members AS
SELECT s.n AS sender, s.sender_class, s.principal_arn, s.principal_type, s.principal_account,
       s.name AS principal_name, s.smtp, coalesce(a.name, '') AS principal_account_name,
       coalesce(a.ou, '{OUTSIDE}') AS principal_ou,
       coalesce(s.principal_account, '~') AS home, -- sorts last, and is no NULL
       s.principal_type = 'account' AND ends_with(s.principal_arn, ':*') AS unread, 1 AS senders,
       s.n AS sender_group
FROM senders s LEFT JOIN accounts a ON a.id = s.principal_account;
CREATE VIEW identity_members AS
SELECT i.n AS identity, i.identity_class, i.identity_arn, i.identity_account, i.identity_name,
       i.identity_type, i.region, coalesce(a.name, '') AS identity_account_name,
       coalesce(a.ou, '{OUTSIDE}') AS identity_ou, i.identity_name <> '*' AS listed,
       1 AS identities, i.n AS identity_group
FROM identities i LEFT JOIN accounts a ON a.id = i.identity_account;
CREATE TABLE sender_groups AS
SELECT *, row_number() OVER () AS sender_group FROM (
  SELECT * EXCLUDE (sender, principal_arn, principal_name, senders, sender_group),
         count(*) AS senders
  FROM sender_members GROUP BY ALL);
CREATE TABLE identity_groups AS
SELECT *, row_number() OVER () AS identity_group FROM (
  SELECT * EXCLUDE (identity, identity_arn, identity_name, identity_type, identities,
                    identity_group),
         count(*) AS identities
  FROM identity_members GROUP BY ALL);
"""


def members(pairs: str, patterns: str = "picked", who: str = "who", what: str = "what") -> str:
    """SQL of the single cells of some pairs.

    Parameters
    ----------
    pairs
        A relation with `sender_class`, `identity_class` and `pattern`.
    patterns, who, what
        Relations like `patterns`, `sender_members` and `identity_members`; by default those of
        the selection.
    """
    return f"""
    SELECT s.* EXCLUDE (sender_class, senders, sender_group),
           i.* EXCLUDE (identity_class, identities, identity_group),
           t.action_number, t.action, t.ruling, t.rank, r.verdict, r.verdict_without_scp,
           r.conditions, r.missing_evidence, r.rule_confidence
    FROM {pairs} c JOIN {patterns} t USING (pattern) JOIN {who} s USING (sender_class)
    JOIN {what} i USING (identity_class) JOIN rulings r ON r.n = t.ruling
    """


def first(order: str, limit: int) -> str:
    """SQL of common table expressions: the cells that come first, and no more than are needed.

    `cells` holds the single cells of all pairs up to that in which the limit is reached.

    Parameters
    ----------
    order
        Columns by which cells are ordered first: `rank`, and columns of the senders or
        identities that all members of a class share.
    limit
        How many cells are wanted.
    """
    return f""", kinds AS (SELECT pattern, rank, count(*) AS actions FROM picked GROUP BY ALL),
    sized AS (
      SELECT {order}, sum(c.senders * c.identities * k.actions) AS cells
      FROM chosen c JOIN kinds k USING (pattern) GROUP BY ALL),
    prefix AS (
      SELECT {order} FROM (SELECT *, sum(cells) OVER (ORDER BY {order}) - cells AS before
                           FROM sized) WHERE before < {int(limit)}),
    few AS (
      SELECT DISTINCT sender_class, identity_class, pattern
      FROM chosen c JOIN kinds k USING (pattern) SEMI JOIN prefix USING ({order})),
    cells AS (SELECT * FROM ({members("few")}) SEMI JOIN prefix USING ({order}))
    """


@dataclass(frozen=True, slots=True)
class Selection:
    """Which verdicts are asked for; an empty field leaves all.

    Parameters
    ----------
    ou
        An OU's names joined by ` / `; those below it are in it.
    account
        An account id: of the principal or of the identity.
    principal, identity
        ARNs.
    region, action
        As in the long table.
    kind
        One of `RANKS`.
    """

    ou: str = ""
    account: str = ""
    principal: str = ""
    identity: str = ""
    region: str = ""
    action: str = ""
    kind: str = ""

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


# What a field of a selection leaves, of `chosen` and of `picked`.
_OF_PAIRS = {
    "ou": "(principal_ou = $ou OR starts_with(principal_ou, $ou || ' / ') OR identity_ou = $ou "
    "OR starts_with(identity_ou, $ou || ' / '))",
    "account": "(principal_account = $account OR identity_account = $account)",
    "region": "region = $region",
}
_OF_PATTERNS = {"action": "action = $action", "kind": "rank = $kind"}


def _where(selection: Selection, conditions: Mapping[str, str]) -> str:
    parts = [sql for name, sql in conditions.items() if getattr(selection, name)]
    return " AND ".join(parts) or "TRUE"


@cache
def _chosen(selection: Selection, each: tuple[str, ...]) -> str:
    """Common table expressions of a selection.

    `chosen`: pairs of classes with how many `senders` and `identities` of them are meant; `picked`:
    rows of their patterns; `best`: the strongest rank of each pattern; `who` and `what`: the
    single senders and identities.
    """
    who = "who" if selection.principal or "sender" in each else "sender_groups"
    what = "what" if selection.identity or "identity" in each else "identity_groups"
    return f"""WITH
    who AS (SELECT * FROM sender_members
            {"WHERE principal_arn = $principal" if selection.principal else ""}),
    what AS (SELECT * FROM identity_members
             {"WHERE identity_arn = $identity" if selection.identity else ""}),
    picked AS (SELECT * FROM patterns WHERE {_where(selection, _OF_PATTERNS)}),
    best AS (SELECT pattern, min(rank) AS best FROM picked GROUP BY pattern),
    chosen AS (
      SELECT * FROM pairs JOIN {who} USING (sender_class)
      JOIN {what} USING (identity_class)
      WHERE {_where(selection, _OF_PAIRS)}
      {"AND pattern IN (SELECT pattern FROM picked)" if selection.action or selection.kind else ""})
    """


def _bound(
    selection: Selection,
    sql: str,
    values: Mapping[str, object] | None,
    each: tuple[str, ...] = (),
) -> tuple[str, dict[str, object]]:
    """A query over a selection with those parameters that it names."""
    text = _chosen(selection, each) + sql
    given: dict[str, object] = {name: getattr(selection, name) for name in Selection.__slots__}
    given["kind"] = RANKS.index(selection.kind) if selection.kind else None
    given.update(values or {})
    used = set(re.findall(r"\$([a-z_]+)", text))
    return text, {name: value for name, value in given.items() if name in used}


class Queries:
    """The verdict tables of a snapshot in an in-memory DuckDB.

    Parameters
    ----------
    tables
        The verdict tables.
    organization
        Names the accounts and their OUs.
    """

    def __init__(self, tables: Mapping[str, pa.Table], organization: Organization) -> None:
        self._connection = connect()
        for name in ("senders", "identities", "actions", "rulings", "denials"):
            self._connection.register(f"raw_{name}", _numbered(tables[name]))
        pairs, patterns = pairs_of(tables)
        self._connection.register("raw_pairs", pairs)
        self._connection.register("raw_patterns", patterns)
        accounts = [(a.id, a.name, a.ou or ROOT) for a in organization.accounts.values()]
        self._connection.register("accounts", _table(("id", "name", "ou"), accounts))
        for statement in filter(str.strip, _TABLES.split(";\n")):
            self._connection.execute(statement)
        self._connection.execute(
            "CREATE VIEW verdicts AS "
            + members("pairs", "patterns", "sender_members", "identity_members")
        )
        self._counts: dict[Selection, dict[str, int]] = {}

    def rows(
        self, sql: str, values: Sequence[object] | Mapping[str, object] = ()
    ) -> list[tuple[Any, ...]]:
        """The rows of a query over the view `verdicts` and the tables."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql, values).fetchall()
        return found

    def ask(
        self, selection: Selection, sql: str, values: Mapping[str, object] | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a query over the verdicts of a selection.

        Parameters
        ----------
        selection
            Which verdicts.
        sql
            What follows the expressions `chosen`, `picked`, `best`, `who` and `what`; it begins
            with SELECT, or with a comma and further expressions.
        values
            Named parameters of `sql`.
        """
        text, given = _bound(selection, sql, values)
        found: list[tuple[Any, ...]] = self._connection.execute(text, given).fetchall()
        return found

    def arrow(
        self,
        selection: Selection,
        sql: str,
        values: Mapping[str, object] | None = None,
        each: tuple[str, ...] = (),
    ) -> pa.Table:
        """As `ask`, as a table.

        Parameters
        ----------
        selection, sql, values
            As for `ask`.
        each
            `sender` or `identity`: of these `chosen` has single ones, not classes.
        """
        text, given = _bound(selection, sql, values, each)
        return self._connection.sql(text, params=given).to_arrow_table()

    def register(self, name: str, table: pa.Table) -> None:
        """Let queries read one more table."""
        self._connection.register(name, table)

    def copy(self, sql: str, path: Path) -> None:
        """Write the rows of a query as Parquet while they are made, in no order.

        Raises
        ------
        OSError
            When they cannot be written.
        """
        import duckdb

        self._connection.execute("SET preserve_insertion_order = false")
        try:
            # A path is no parameter of COPY.
            name = str(path).replace("'", "''")
            self._connection.execute(f"COPY ({sql}) TO '{name}' (FORMAT parquet, COMPRESSION zstd)")
        except duckdb.IOException as error:
            # Its words hold the number of the system's error.
            told = re.search(r'"errno"\s*:\s*"(\d+)"', str(error))
            if told is None:
                raise OSError(str(error)) from error
            raise OSError(int(told[1]), os.strerror(int(told[1]))) from error
        finally:
            self._connection.execute("SET preserve_insertion_order = true")

    def counts(self, selection: Selection) -> dict[str, int]:
        """How many cells are of each kind."""
        if selection not in self._counts:
            found = dict(
                self.ask(
                    selection,
                    """, sized AS (SELECT pattern, sum(senders * identities) AS cells
                                   FROM chosen GROUP BY pattern)
                    SELECT rank, sum(cells)::BIGINT FROM sized JOIN picked USING (pattern)
                    GROUP BY rank""",
                )
            )
            self._counts[selection] = {n: found.get(rank, 0) for rank, n in enumerate(RANKS)}
        return dict(self._counts[selection])

    def actions(self) -> list[str]:
        """The send actions, in the order in which they are told."""
        return [str(action) for (action,) in self.rows("SELECT action FROM actions ORDER BY n")]

    def choices(self, column: str, selection: Selection) -> list[str]:
        """The distinct values of a column that all members of a class share, sorted.

        Parameters
        ----------
        column
            Of `chosen` or `picked`: `region`, `action`, `principal_ou`, `identity_ou`, ...
        selection
            Which verdicts.
        """
        source = "chosen"
        if column == "action":
            source = "picked SEMI JOIN chosen USING (pattern)"
        found = self.ask(
            selection,
            f"SELECT DISTINCT {column} FROM {source} WHERE {column} IS NOT NULL ORDER BY ALL",
        )
        return [str(value) for (value,) in found]


def connect() -> Any:
    """A DuckDB in memory that loads nothing from outside."""
    import duckdb

    return duckdb.connect(
        ":memory:",
        config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
    )


def _numbered(table: pa.Table) -> pa.Table:
    """A table with its row numbers as `n`: they are the references between the tables."""
    import numpy as np
    import pyarrow as pa

    return table.append_column("n", pa.array(np.arange(len(table), dtype=np.int32)))


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> pa.Table:
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return pa.table([pa.array(c, pa.string()) for c in columns], names=list(names))
