"""Questions to the verdict tables in SQL: what pages and widgets show is one DuckDB query each.

The tables stay as they are stored (a cell is four small numbers); a query joins what it needs, so
that its size is that of the answer.
"""

# ruff: noqa: S608 -- every value is a parameter; what is joined into SQL is ours
from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ses_audit.audit.organization import Organization

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

__all__ = ["OUTSIDE", "RANKS", "ROOT", "Queries", "Selection", "placeholders"]

RANKS = ("allowed", "conditional", "unknown", "scp_alone", "denied")
"""The kinds of a cell, strongest first: what several cells together show is their strongest."""

ROOT = "Root"
"""The OU of an account directly under the root."""

OUTSIDE = "Outside the organization"

_VIEW = """
CREATE VIEW verdicts AS
SELECT s.principal_arn, s.principal_type, s.principal_account, s.name AS principal_name, s.smtp,
       coalesce(pa.name, '') AS principal_account_name, coalesce(pa.ou, $outside) AS principal_ou,
       i.identity_arn, i.identity_account, i.identity_name, i.identity_type, i.region,
       coalesce(ia.name, '') AS identity_account_name, coalesce(ia.ou, $outside) AS identity_ou,
       s.principal_type = 'account' AND s.principal_arn LIKE '%:*' AS unread,
       s.n AS sender, i.n AS identity, a.n AS action_number,
       a.action, c.ruling, r.verdict, r.verdict_without_scp, r.conditions, r.missing_evidence,
       r.rule_confidence, r.rank
FROM cells c
JOIN senders s USING (sender_class)
JOIN identities i USING (identity_class)
JOIN actions a ON a.n = c.action
JOIN rulings r ON r.n = c.ruling
LEFT JOIN accounts pa ON pa.id = s.principal_account
LEFT JOIN accounts ia ON ia.id = i.identity_account
WHERE NOT (r.ungranted AND s.principal_account IS DISTINCT FROM i.identity_account)
"""

_RULINGS = """
CREATE TABLE rulings AS
SELECT row_number() OVER () - 1 AS n, *,
       CASE WHEN verdict = 'DENIED' AND verdict_without_scp IN ('ALLOWED', 'CONDITIONAL') THEN 3
            WHEN verdict = 'ALLOWED' THEN 0 WHEN verdict = 'CONDITIONAL' THEN 1
            WHEN verdict = 'UNKNOWN' THEN 2 ELSE 4 END::TINYINT AS rank
FROM raw_rulings
"""


# The same statement on the same target has the same number, whatever the ruling.
_DENIALS = """
CREATE TABLE denials AS
SELECT row_number() OVER () - 1 AS n,
       dense_rank() OVER (ORDER BY policy, sid, statement_index, target, kind) AS statement, *
FROM raw_denials
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

    def where(self) -> tuple[str, list[object]]:
        """The selection as SQL with its parameters."""
        parts: list[str] = ["TRUE"]
        values: list[object] = []
        if self.ou:
            either = "(principal_ou = ? OR starts_with(principal_ou, ?) OR identity_ou = ? "
            parts.append(either + "OR starts_with(identity_ou, ?))")
            values += [self.ou, f"{self.ou} / "] * 2
        if self.account:
            parts.append("(principal_account = ? OR identity_account = ?)")
            values += [self.account, self.account]
        for column, value in (
            ("principal_arn", self.principal),
            ("identity_arn", self.identity),
            ("region", self.region),
            ("action", self.action),
        ):
            if value:
                parts.append(f"{column} = ?")
                values.append(value)
        if self.kind:
            parts.append("rank = ?")
            values.append(RANKS.index(self.kind))
        return " AND ".join(parts), values

    @property
    def all(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()


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
        import duckdb

        self._connection = duckdb.connect(
            ":memory:",
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
        )
        for name in ("senders", "identities", "actions"):
            self._connection.register(f"raw_{name}", tables[name])
            # Row numbers are the references between the tables; these are small.
            self._connection.execute(
                f"CREATE TABLE {name} AS SELECT row_number() OVER () - 1 AS n, * FROM raw_{name}"
            )
        self._connection.register("raw_rulings", tables["rulings"])
        self._connection.execute(_RULINGS)
        self._connection.register("raw_denials", tables["denials"])
        self._connection.execute(_DENIALS)
        self._connection.register("cells", tables["cells"])
        self._connection.execute("CREATE TABLE accounts (id VARCHAR, name VARCHAR, ou VARCHAR)")
        accounts = [(a.id, a.name, a.ou or ROOT) for a in organization.accounts.values()]
        if accounts:
            self._connection.executemany("INSERT INTO accounts VALUES (?, ?, ?)", accounts)
        self._connection.execute(_VIEW.replace("$outside", f"'{OUTSIDE}'"))

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query over the view `verdicts` and the table `denials`."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql, list(values)).fetchall()
        return found

    def counts(self, selection: Selection) -> dict[str, int]:
        """How many cells are of each kind."""
        where, values = selection.where()
        found = dict(
            self.rows(f"SELECT rank, count(*) FROM verdicts WHERE {where} GROUP BY rank", values)
        )
        return {name: found.get(rank, 0) for rank, name in enumerate(RANKS)}

    def actions(self) -> list[str]:
        """The send actions, in the order in which they are told."""
        return [str(action) for (action,) in self.rows("SELECT action FROM actions ORDER BY n")]

    def choices(self, column: str, selection: Selection) -> list[str]:
        """The distinct values of a column of `verdicts`, sorted."""
        where, values = selection.where()
        found = self.rows(
            f"SELECT DISTINCT {column} FROM verdicts WHERE {where} AND {column} IS NOT NULL "
            "ORDER BY ALL",
            values,
        )
        return [str(value) for (value,) in found]


def placeholders(values: Iterable[object]) -> str:
    """`?, ?, ?` for an `IN`."""
    return ", ".join("?" for _ in values)
