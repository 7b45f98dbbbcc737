"""Verdicts counted by OU, account, region or policy: DuckDB over the stored classes.

A class stands for all its members, so that what is counted is read from a few million rows where
the long table has hundreds of millions. Nothing is held but the answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pandas as pd

    from ses_audit.snapshot.store import Snapshot

__all__ = ["COLUMNS", "MOST_GROUPS", "ROWS", "Rollups"]

MOST_GROUPS = 200_000
"""The most groups that one answer may have."""

ROWS = ("ou", "account", "region", "policy", "action")
COLUMNS = ("", "region", "account", "action")

_KINDS = ("allowed", "conditional", "unknown", "scp_alone", "denied")

_SETUP = """
CREATE TABLE s AS SELECT sender_class, any_value(principal_account) AS account, count(*) AS n
FROM read_parquet($senders) GROUP BY 1;
CREATE TABLE i AS SELECT identity_class, any_value(identity_account) AS account,
any_value(region) AS region, count(*) AS n FROM read_parquet($identities) GROUP BY 1;
CREATE TABLE a AS SELECT file_row_number AS n, action
FROM read_parquet($actions, file_row_number = true);
CREATE TABLE r AS SELECT file_row_number AS n, ungranted, denied_policies,
CASE WHEN verdict = 'ALLOWED' THEN 0 WHEN verdict = 'CONDITIONAL' THEN 1
WHEN verdict = 'UNKNOWN' THEN 2 WHEN verdict_without_scp IN ('ALLOWED', 'CONDITIONAL') THEN 3
ELSE 4 END AS kind FROM read_parquet($rulings, file_row_number = true);
"""

_EXPRESSIONS = {
    "": "''",
    "ou": "coalesce(o.ou, '(outside the organization)')",
    "account": "s.account",
    "region": "i.region",
    "action": "a.action",
    "policy": "c.ruling",
}


class Rollups:
    """Counts of the stored verdicts of a snapshot.

    Parameters
    ----------
    snapshot
        Its verdicts are decided and stored.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        import duckdb

        folder = snapshot.path / "verdicts"
        if not (folder / "key.json").exists():
            raise UserError(
                f"{snapshot.path} has no verdicts yet: run `ses-audit decide {snapshot.path}`",
                USAGE,
            )
        self._connection = duckdb.connect(
            ":memory:",
            config={"autoinstall_known_extensions": False, "autoload_known_extensions": False},
        )
        names = ("senders", "identities", "actions", "rulings")
        paths = {name: str(folder / f"{name}.parquet") for name in names}
        for statement in filter(str.strip, _SETUP.split(";\n")):
            used = {name: path for name, path in paths.items() if f"${name}" in statement}
            self._connection.execute(statement, used)
        self._cells = str(folder / "cells.parquet")
        self._connection.execute("CREATE TABLE o (account VARCHAR, ou VARCHAR)")
        rows = list(_ous(snapshot).items())
        if rows:
            import pyarrow as pa

            listed = pa.table({"account": [a for a, _ in rows], "ou": [ou for _, ou in rows]})
            self._connection.register("listed", listed)
            self._connection.execute("INSERT INTO o SELECT * FROM listed")

    def counts(
        self,
        rows: str = "ou",
        columns: str = "region",
        *,
        action: str | None = None,
        account: str | None = None,
        most: int = MOST_GROUPS,
    ) -> pd.DataFrame:
        """Count verdicts.

        Parameters
        ----------
        rows
            `ou` or `account` (of the principal), `region`, `action`, or `policy` (each policy
            that denies; a cell that several deny is counted under each).
        columns
            `region`, `account` (of the principal), `action`, or "" for one column.
        action, account
            Only these.
        most
            The most groups that are given.

        Returns
        -------
        DataFrame
            `row`, `column` and how many cells are `allowed`, `conditional`, `unknown`,
            `scp_alone` and `denied`; cross-account cells without a grant are left out.

        Raises
        ------
        UserError
            For other rows or columns, and where there are more groups than `most`.
        """
        for chosen, allowed in ((rows, ROWS), (columns, COLUMNS)):
            if chosen not in allowed:
                raise UserError(f"no roll-up by {chosen!r}; one of {', '.join(allowed)}", USAGE)
        where, values = ["NOT (r.ungranted AND s.account IS DISTINCT FROM i.account)"], []
        for expression, value in (("a.action", action), ("s.account", account)):
            if value is not None:
                where.append(f"{expression} = ?")
                values.append(value)
        sums = ", ".join(
            f"sum(n) FILTER (kind = {number})::BIGINT AS {name}"
            for number, name in enumerate(_KINDS)
        )
        # The sums of classes first, policies apart: most cells share few rulings.
        sql = f"""
        WITH g AS (
          SELECT {_EXPRESSIONS[columns]} AS "column",
                 {_EXPRESSIONS[rows]} AS "row", r.kind,
                 sum(s.n * i.n) AS n
          FROM read_parquet(?) c JOIN s USING (sender_class) JOIN i USING (identity_class)
          JOIN r ON r.n = c.ruling JOIN a ON a.n = c.action
          LEFT JOIN o ON o.account = s.account
          WHERE {" AND ".join(where)} GROUP BY ALL)
        SELECT "row", "column", {sums} FROM ({_BY_POLICY if rows == "policy" else "FROM g"})
        GROUP BY "row", "column" ORDER BY "row", "column" LIMIT ?
        """  # noqa: S608 -- every value is a parameter; what is joined is ours
        found = self._frame(sql, [self._cells, *values, most + 1])
        if len(found) > most:
            raise UserError(
                f"more than {most:,} groups: narrow them by account= or action=, or count by ou",
                USAGE,
            )
        return found

    def _frame(self, sql: str, values: Sequence[object]) -> pd.DataFrame:
        frame: Any = self._connection.execute(sql, list(values)).df()
        frame[list(_KINDS)] = frame[list(_KINDS)].fillna(0).astype("int64")
        counted: pd.DataFrame = frame
        return counted


_BY_POLICY = (
    """SELECT g."column", unnest(string_split(nullif(r.denied_policies, ''), ';')) AS "row", """
    """g.kind, g.n FROM g JOIN r ON r.n = g."row\""""
)


def _ous(snapshot: Snapshot) -> Mapping[str, str]:
    """The OU of each account: names from below the root, joined by ` / `."""
    units = {row["id"]: row for row in snapshot.table("organizational_units").to_pylist()}
    found: dict[str, str] = {}
    for row in snapshot.table("accounts").select(["account_id", "parent_id"]).to_pylist():
        line: list[str] = []
        unit, seen = row["parent_id"], set()
        while unit in units and unit not in seen:
            seen.add(unit)
            if units[unit]["parent_id"] is not None:
                line.insert(0, str(units[unit]["name"] or ""))
            unit = units[unit]["parent_id"]
        found[row["account_id"]] = " / ".join(line) or "Root"
    return found
