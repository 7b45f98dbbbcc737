"""A generated organization straight to the tables of a snapshot, account by account.

The tables are those that its records would give; the evidence is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as parquet

from ses_audit.replay.generate import ORGANIZATION, ROOT, TAKEN, Generated
from ses_audit.replay.generate_account import CREATED, Account, account_of
from ses_audit.replay.generate_records import SCP, refused
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.files import digest, make_folder
from ses_audit.snapshot.ledger import Totals
from ses_audit.snapshot.manifest import make_manifest, write_manifest
from ses_audit.snapshot.plan import Cell, account_cells, organization_cells, region_cells
from ses_audit.snapshot.schema import TABLES
from ses_audit.snapshot.table_files import group_of

__all__ = ["write_tables"]

Row = dict[str, object]


class _Columns:
    """One table under construction, written block by block."""

    def __init__(self, folder: Path, name: str) -> None:
        self.schema = TABLES[name]
        self._block = group_of(name)
        self.path = folder / f"{name}.parquet"
        self._writer = parquet.ParquetWriter(
            self.path, self.schema, compression="zstd", compression_level=3, store_schema=False
        )
        self._columns: dict[str, list[object]] = {column: [] for column in self.schema.names}
        self.rows = 0

    def add(self, **values: object) -> None:
        """One row; a column that is not given is null."""
        for name, column in self._columns.items():
            column.append(values.get(name))
        self.rows += 1
        if self.rows % self._block == 0:
            self._flush()

    def _flush(self) -> None:
        self._writer.write_table(pa.table(self._columns, schema=self.schema))
        for column in self._columns.values():
            column.clear()

    def close(self) -> None:
        """Write what is left."""
        self._flush()
        self._writer.close()


class _Texts:
    """Documents by digest; a text that came before is not hashed again."""

    def __init__(self) -> None:
        self.digests: dict[str, str] = {}

    def add(self, text: str) -> str:
        found = self.digests.get(text)
        if found is None:
            found = self.digests[text] = sha256(text.encode()).hexdigest()
        return found


def write_tables(
    folder: Path,
    made: Generated,
    check_document: Callable[[str], str | None],
    progress: Callable[[int], None] = lambda accounts: None,
) -> None:
    """Make a finished snapshot of a generated organization.

    Parameters
    ----------
    folder
        A new folder.
    made
        The organization.
    check_document
        Says why a policy text is malformed.
    progress
        Told the number of accounts that are done.
    """
    make_folder(folder)
    make_folder(folder / "evidence")
    make_folder(folder / "tables")
    tables = {name: _Columns(folder / "tables", name) for name in TABLES}
    texts = _Texts()
    organization = _Organization(made, tables, texts)
    organization.write()
    policies: list[tuple[str, str, str]] = []
    read = 0
    for number, id_ in enumerate(made.account_ids()):
        organization.account(number, id_)
        if made.read(id_):
            account = account_of(made, number)
            _principals(tables, account, texts)
            policies += _identities(tables, made, account, texts)
            read += 1
        else:
            _principal_root(tables, id_)
        _coverage(tables, made, id_)
        progress(number + 1)
    for arn, name, sha in sorted(policies):
        tables["identity_policies"].add(identity_arn=arn, policy_name=name, document_sha256=sha)
    for sha, text in sorted((sha, text) for text, sha in texts.digests.items()):
        tables["policy_documents"].add(sha256=sha, document=text, malformed=check_document(text))
    cells = tables["coverage"].rows
    for table in tables.values():
        table.close()
    _manifest(folder, made, tables, cells, made.size.accounts - read)


def _manifest(
    folder: Path, made: Generated, tables: Mapping[str, _Columns], cells: int, unread: int
) -> None:
    entries: dict[str, dict[str, object]] = {}
    for name, table in sorted(tables.items()):
        table.path.chmod(0o600)
        sha, size = digest(table.path)
        entries[f"tables/{name}.parquet"] = {"sha256": sha, "bytes": size}
    states = {"OK": cells - unread, **({"ASSUME_FAILED": unread} if unread else {})}
    write_manifest(
        folder,
        make_manifest(
            finished=True,
            started_at=TAKEN,
            taken_at=TAKEN,
            caller={"account": made.management, "partition": "aws"},
            organization={
                "id": ORGANIZATION,
                "management_account_id": made.management,
                "read_from": made.management,
                "feature_set": "ALL",
                "policy_types": [SCP],
            },
            totals=Totals(cells, cells - unread, states),
            files=entries,
        ),
    )


class _Organization:
    def __init__(self, made: Generated, tables: Mapping[str, _Columns], texts: _Texts) -> None:
        self._made = made
        self._tables = tables
        self._texts = texts

    def write(self) -> None:
        made, prefix = self._made, f"arn:aws:organizations::{self._made.management}"
        units = {unit.id: unit for unit in made.organization.units}
        for unit in sorted(units.values(), key=lambda u: u.id):
            line = [unit.id]
            while line[-1] in units:
                line.append(units[line[-1]].parent)
            self._tables["organizational_units"].add(
                id=unit.id,
                arn=f"{prefix}:ou/{ORGANIZATION}/{unit.id}",
                name=unit.name,
                type="ORGANIZATIONAL_UNIT",
                parent_id=unit.parent,
                path=f"{ORGANIZATION}/{'/'.join(reversed(line))}/",
            )
        self._tables["organizational_units"].add(
            id=ROOT,
            arn=f"{prefix}:root/{ORGANIZATION}/{ROOT}",
            name="Root",
            type="ROOT",
            path=f"{ORGANIZATION}/{ROOT}/",
        )
        scps = sorted(made.organization.scps, key=lambda scp: scp.id)
        for scp in scps:
            self._tables["organization_policies"].add(
                policy_id=scp.id,
                arn=made.policy_arn(scp),
                name=scp.name,
                type=SCP,
                aws_managed=scp.aws_managed,
                document_sha256=self._texts.add(scp.text),
            )
        for scp in scps:
            for target in sorted(scp.targets):
                kind = "ORGANIZATIONAL_UNIT" if target in units else "ACCOUNT"
                self._tables["policy_attachments"].add(
                    policy_id=scp.id,
                    target_id=target,
                    target_type="ROOT" if target == ROOT else kind,
                )

    def account(self, number: int, id_: str) -> None:
        self._tables["accounts"].add(
            account_id=id_,
            arn=self._made.account_arn(id_),
            name=f"account-{number}",
            state="ACTIVE",
            parent_id=self._made.organization.parents[number],
            is_management=number == 0,
            audited=True,
            not_audited_reason="",
        )


def _principal_root(tables: Mapping[str, _Columns], account: str) -> None:
    tables["principals"].add(
        principal_arn=f"arn:aws:iam::{account}:root",
        account_id=account,
        type="root",
        name="root",
        path="/",
        tags="{}",
        service_linked=False,
    )


def _principals(tables: Mapping[str, _Columns], account: Account, texts: _Texts) -> None:
    roots = [p.kind for p in account.principals].count("role")
    for place, principal in enumerate(account.principals):
        if place == roots:
            _principal_root(tables, account.id)
        arn = f"arn:aws:iam::{account.id}:{principal.kind}{principal.path}{principal.name}"
        boundary = principal.boundary
        sso = principal.name.startswith("AWSReservedSSO_")
        pairs = ",".join(f'"{key}":"{value}"' for key, value in sorted(principal.tags))
        tables["principals"].add(
            principal_arn=arn,
            principal_id=principal.id,
            account_id=account.id,
            type=principal.kind,
            name=principal.name,
            path=principal.path,
            created=CREATED,
            boundary_arn=boundary,
            boundary_sha256=texts.add(account.managed[boundary]) if boundary else None,
            tags="{" + pairs + "}",
            service_linked=principal.path.startswith("/aws-service-role/"),
            permission_set=principal.name.split("_")[1] if sso else None,
            trust_sha256=texts.add(principal.trust) if principal.trust else None,
        )
        for name, text in sorted(principal.inline):
            tables["principal_policies"].add(
                principal_arn=arn,
                source="inline",
                policy_name=name,
                document_sha256=texts.add(text),
            )
        managed = sorted((policy.rsplit("/", 1)[-1], policy) for policy in principal.managed)
        for name, policy in managed:
            tables["principal_policies"].add(
                principal_arn=arn,
                source="managed",
                policy_name=name,
                policy_arn=policy,
                document_sha256=texts.add(account.managed[policy]),
            )
        for key, status in sorted(principal.keys):
            tables["access_keys"].add(
                principal_arn=arn,
                access_key_id=key,
                status=status,
                created=CREATED,
                last_used="",
                last_used_service="",
                last_used_region="",
            )
    if roots == len(account.principals):
        _principal_root(tables, account.id)


def _identities(
    tables: Mapping[str, _Columns], made: Generated, account: Account, texts: _Texts
) -> Iterator[tuple[str, str, str]]:
    """Write an account's SES tables, and give its sending policies."""
    for identity in account.identities:
        arn = f"arn:aws:ses:{identity.region}:{account.id}:identity/{identity.name}"
        tables["identities"].add(
            identity_arn=arn,
            account_id=account.id,
            region=identity.region,
            name=identity.name,
            type="address" if "@" in identity.name else "domain",
            verified=identity.verified,
            sending_enabled=True,
            configuration_set=identity.configuration_set,
            tags="{}",
            details_read=True,
        )
        for name, text in identity.policies:
            yield arn, name, texts.add(text)
    for region in sorted(made.regions):
        names = {i.configuration_set for i in account.identities if i.region == region}
        for name in sorted(names - {""}):
            tables["configuration_sets"].add(account_id=account.id, region=region, name=name)
        tables["ses_account_regions"].add(
            account_id=account.id,
            region=region,
            production_access=account.production[region],
            sending_enabled=True,
            enforcement_status="HEALTHY",
        )


def _coverage(tables: Mapping[str, _Columns], made: Generated, account: str) -> None:
    own = account == made.management
    cells: list[Cell] = organization_cells(account) if own else []
    cells += account_cells(account, assume_role=not own)
    failed = None if made.read(account) else refused(account).status
    cells += region_cells(account, made.regions if failed is None else None)
    for cell in sorted(cells):
        state = State.OK if failed is None else failed
        tables["coverage"].add(
            account_id=account,
            region=cell.region,
            service=cell.service,
            operation=cell.operation,
            argument="",
            state=state.value,
            detail="" if failed is None else "not authorized to perform: sts:AssumeRole",
            layer="",
            policy_arn="",
            calls=1,
            read_at=TAKEN,
        )
