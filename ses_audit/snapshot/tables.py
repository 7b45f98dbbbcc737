"""The records of one account → its part of the tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa

from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.identity_tables import identity_rows
from ses_audit.snapshot.organization_tables import (
    NO_ORGANIZATION,
    Facts,
    organization_facts,
    organization_rows,
)
from ses_audit.snapshot.principal_tables import principal_rows
from ses_audit.snapshot.readings import Answers
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.texts import Texts

__all__ = ["KEYS", "AccountPart", "Row", "account_part", "sorted_table", "table_of"]

Row = dict[str, object]
KEYS: Mapping[str, tuple[str, ...]] = {
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
"""What tells the rows of a table apart, and how those of an account are sorted."""


@dataclass(frozen=True, slots=True)
class AccountPart:
    """What one account's records give to the tables; made by any worker, joined by one."""

    account: str
    partition: str
    tables: dict[str, pa.Table]
    texts: dict[str, str]
    organization: dict[str, list[Row]]
    facts: Facts = field(default_factory=dict)

    @property
    def tells_of_the_organization(self) -> bool:
        """Whether Organizations was asked with the credentials of this account."""
        return bool(self.facts) or any(self.organization.values())


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
        {name: sorted_table(name, table_of(name, found)) for name, found in rows.items() if found},
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


def table_of(name: str, rows: list[Row]) -> pa.Table:
    """Rows as a table."""
    return pa.Table.from_pylist(rows, schema=TABLES[name])


def sorted_table(name: str, table: pa.Table) -> pa.Table:
    """A table sorted by its keys."""
    return table.sort_by([(key, "ascending") for key in KEYS[name]]).combine_chunks()
