"""Records → tables: account by account, the same bytes whatever the order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from ses_audit.snapshot.coverage_tables import coverage_rows
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.identity_tables import GivenIdentity, given_rows, identity_rows
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.organization_tables import (
    NO_ORGANIZATION,
    Facts,
    account_rows,
    organization_facts,
    organization_rows,
    paths,
)
from ses_audit.snapshot.principal_tables import principal_rows, root_row
from ses_audit.snapshot.readings import Answers
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.texts import Texts

__all__ = ["AccountPart", "account_part", "build_tables", "join_parts", "organization_of"]

Row = dict[str, object]
Check = Callable[[str], str | None]
"""Says why a policy text is malformed, or None when it parses."""

_KEYS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("account_id",),
    "organizational_units": ("id",),
    "organization_policies": ("policy_id",),
    "policy_attachments": ("policy_id", "target_id"),
    "policy_documents": ("sha256",),
    "principals": ("account_id", "principal_arn"),
    "principal_policies": ("principal_arn", "source", "policy_name", "policy_arn", "group_arn"),
    "groups": ("account_id", "group_arn"),
    "access_keys": ("principal_arn", "access_key_id"),
    "identities": ("account_id", "region", "identity_arn"),
    "identity_policies": ("identity_arn", "policy_name"),
    "configuration_sets": ("account_id", "region", "name"),
    "ses_account_regions": ("account_id", "region"),
    "coverage": ("account_id", "region", "service", "operation", "argument"),
}
"""What tells the rows of a table apart, and how they are sorted."""


@dataclass(frozen=True, slots=True)
class AccountPart:
    """What one account's records give to the tables; made by any worker, joined by one."""

    account: str
    partition: str
    tables: dict[str, pa.Table]
    texts: dict[str, str]
    organization: dict[str, list[Row]]
    facts: Facts = field(default_factory=dict)


def account_part(account: str, records: Iterable[Record], partition: str = "") -> AccountPart:
    """The part of the tables that one account's records give.

    Parameters
    ----------
    account
        Twelve digits.
    records
        All its records, in any order.
    partition
        Of its ARNs; read off the records when it is not given.
    """
    every = list(records)
    answers = Answers(every)
    texts = Texts()
    found = partition or _partition(answers) or _partition_of_regions(every)
    rows = principal_rows(account, answers, texts, found or "aws")
    rows |= identity_rows(account, answers, texts, found or "aws")
    organization = organization_rows(answers, texts)
    facts = organization_facts(account, answers)
    if not facts and any(_says_no_organization(record) for record in every):
        facts = {"none": True, "read_from": account}
    elif not facts and any(record.service == "organizations" for record in every):
        facts = {"read_from": account}
    return AccountPart(
        account,
        found,
        {name: _table(name, content) for name, content in rows.items()},
        texts.by_sha256,
        organization,
        facts,
    )


def _says_no_organization(record: Record) -> bool:
    return (
        record.operation == "DescribeOrganization"
        and (record.error or {}).get("code") == NO_ORGANIZATION
    )


def _partition(answers: Answers) -> str:
    details = ("iam", "GetAccountAuthorizationDetails")
    for service, operation, name in (
        (*details, "RoleDetailList"),
        (*details, "UserDetailList"),
        ("organizations", "ListAccounts", "Accounts"),
    ):
        for item in answers.items(service, operation, name):
            parts = str(item.get("Arn")).split(":")
            if len(parts) > 1 and parts[0] == "arn":
                return parts[1]
    return ""


# https://docs.aws.amazon.com/general/latest/gr/aws-arns-and-namespaces.html
_REGION_PARTITIONS = {"us-gov-": "aws-us-gov", "cn-": "aws-cn", "eusc-": "aws-eusc"}


def _partition_of_regions(records: Iterable[Record]) -> str:
    """The partition of the regions that were read; "" where none was."""
    for region in sorted({record.region for record in records} - {"global", "*"}):
        prefixes = (p for p in _REGION_PARTITIONS if region.startswith(p))
        return _REGION_PARTITIONS.get(next(prefixes, ""), "aws")
    return ""


def organization_of(parts: Iterable[AccountPart]) -> Facts:
    """`manifest["organization"]`, from the account that saw most of it."""
    facts = [part.facts for part in parts if part.facts]
    return max(facts, key=lambda f: (len(f), str(f.get("read_from"))), default={})


def join_parts(
    parts: Iterable[AccountPart],
    coverage: Iterable[CoverageRow],
    check_document: Check,
    given: Iterable[GivenIdentity] = (),
    organization: Facts | None = None,
) -> dict[str, pa.Table]:
    """Join the parts of all accounts to the tables of a snapshot, sorted.

    Parameters
    ----------
    parts
        One for each account, in any order.
    coverage
        The ledger's rows.
    check_document
        Says why a policy text is malformed; called once for each distinct text.
    given
        Identities named by hand; one that was read is taken as it was read.
    organization
        `manifest["organization"]`; by default what the parts say.

    Raises
    ------
    ValueError
        When two parts are of the same account.
    """
    by_account = {part.account: part for part in sorted(parts, key=lambda p: p.account)}
    cells = list(coverage)
    facts = organization_of(by_account.values()) if organization is None else organization
    listed = _joined(by_account.values(), "listed", "account_id")
    units = _joined(by_account.values(), "organizational_units", "id")
    paths(units, facts.get("id"))
    accounts = account_rows(listed, cells, facts)
    default = next((p.partition for p in by_account.values() if p.partition), "aws")
    roots = [
        root_row(str(row["account_id"]), _partition_of(row, by_account, default))
        for row in accounts
        if row["audited"]
    ]
    texts = {sha: text for part in by_account.values() for sha, text in part.texts.items()}
    added: dict[str, list[Row]] = {
        "accounts": accounts,
        "organizational_units": units,
        "organization_policies": _joined(by_account.values(), "organization_policies", "policy_id"),
        "policy_attachments": _joined(
            by_account.values(), "policy_attachments", "policy_id", "target_id"
        ),
        "policy_documents": [
            {"sha256": sha, "document": text, "malformed": check_document(text)}
            for sha, text in texts.items()
        ],
        "principals": roots,
        "coverage": coverage_rows(cells),
        **_given(given, by_account.values()),
    }
    return {
        name: _sorted(
            name,
            [part.tables[name] for part in by_account.values() if name in part.tables]
            + [_table(name, added.get(name, []))],
        )
        for name in TABLES
    }


def _partition_of(row: Row, parts: Mapping[str, AccountPart], default: str) -> str:
    account = str(row["account_id"])
    if account in parts and parts[account].partition:
        return parts[account].partition
    pieces = str(row.get("arn")).split(":")
    return pieces[1] if len(pieces) > 1 else default


def _joined(parts: Iterable[AccountPart], name: str, *keys: str) -> list[Row]:
    rows: dict[tuple[object, ...], Row] = {}
    for part in parts:
        for row in part.organization.get(name, []):
            key = tuple(row[k] for k in keys)
            kept = rows.setdefault(key, dict(row))
            # What one account could not read another may have.
            kept.update({k: v for k, v in row.items() if v is not None})
    return list(rows.values())


def _given(given: Iterable[GivenIdentity], parts: Iterable[AccountPart]) -> dict[str, list[Row]]:
    read = [part.tables for part in parts]
    identities = {a for t in read for a in t["identities"].column("identity_arn").to_pylist()}
    regions = {
        (row["account_id"], row["region"])
        for t in read
        for row in t["ses_account_regions"].to_pylist()
    }
    rows: dict[str, list[Row]] = {"identities": [], "ses_account_regions": []}
    for item in sorted(set(given), key=lambda i: i.arn):
        identity, state = given_rows(item)
        if item.arn not in identities:
            rows["identities"].append(identity)
        if (item.account, item.region) not in regions:
            regions.add((item.account, item.region))
            rows["ses_account_regions"].append(state)
    return rows


def _table(name: str, rows: list[Row]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=TABLES[name])


def _sorted(name: str, tables: list[pa.Table]) -> pa.Table:
    joined = pa.concat_tables(tables).combine_chunks()
    return joined.sort_by([(key, "ascending") for key in _KEYS[name]]).combine_chunks()


def build_tables(
    records: Iterable[Record],
    coverage: Iterable[CoverageRow],
    check_document: Check,
    given: Iterable[GivenIdentity] = (),
    organization: Facts | None = None,
) -> dict[str, pa.Table]:
    """All tables from all records at once; large organizations join parts account by account.

    Parameters
    ----------
    records
        Of any accounts, in any order.
    coverage, check_document, given, organization
        As for `join_parts`.

    Examples
    --------
    >>> tables = build_tables([], [], lambda text: None)
    >>> tables["principals"].num_rows
    0
    """
    by_account: dict[str, list[Record]] = {}
    for record in records:
        by_account.setdefault(record.account, []).append(record)
    parts = [account_part(account, own) for account, own in sorted(by_account.items())]
    return join_parts(parts, coverage, check_document, given, organization)
