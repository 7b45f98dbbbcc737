"""A folder of AWS CLI output, or one account dump, as the records of a snapshot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ses_audit.errors import NOTHING_COLLECTED, USAGE
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.identity_tables import GivenIdentity
from ses_audit.snapshot.import_files import Call, call_of, found_files, record_of
from ses_audit.snapshot.import_plan import plan_import
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.organization_tables import Facts
from ses_audit.snapshot.plan import GLOBAL

__all__ = ["ImportResult", "read_import"]

_DETAILS = "GetAccountAuthorizationDetails"
_LISTS = ("UserDetailList", "GroupDetailList", "RoleDetailList")
_NO_ORGANIZATION = (
    "No organization applies, as --no-organization states: no service control policy is looked at"
)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import holds, ready to be written.

    `organization` is None where the records tell of it; `unused` says of each file that is no
    part of the import why not.
    """

    records: tuple[Record, ...]
    ledger: Ledger
    given: tuple[GivenIdentity, ...] = ()
    organization: Facts | None = None
    assumptions: tuple[str, ...] = ()
    unused: tuple[tuple[Path, str], ...] = ()


def read_import(
    directory: str | Path,
    *,
    no_organization: bool = False,
    identities: Sequence[str] = (),
    ses_regions: Collection[str] | None = None,
) -> ImportResult:
    """Read plain `aws ... --output json` files.

    Parameters
    ----------
    directory
        `ACCOUNT/REGION/SERVICE.OPERATION[.ARGUMENT].json` files in a folder; or one
        `get-account-authorization-details` file, or a folder with nothing else.
    no_organization
        The person states that no organization, so no SCP, applies.
    identities
        ARNs of identities named by hand: each is taken as one without sending policies and
        without a default configuration set, in an account with production access.
    ses_regions
        The regions that SES is in; None counts every enabled region.

    Raises
    ------
    SnapshotError
        When there is nothing to import, or the options contradict the files.
    """
    root = Path(directory)
    if not root.exists():
        raise SnapshotError(f"nothing to import: {root} does not exist", USAGE)
    given = tuple(GivenIdentity.parse(arn) for arn in dict.fromkeys(identities))
    lone = _lone_file(root)
    unused: list[tuple[Path, str]] = []
    if lone is not None:
        records = _lone_records(lone)
    else:
        records = []
        for path, parts in found_files(root):
            call = call_of(parts)
            if isinstance(call, str):
                unused.append((path, call))
            else:
                records.append(record_of(path, call))
    if not records:
        raise SnapshotError(
            f"nothing to import in {root}: it holds neither "
            "ACCOUNT/REGION/SERVICE.OPERATION.json files nor one "
            "get-account-authorization-details.json",
            NOTHING_COLLECTED,
        )
    records = _by_arn(records)
    if no_organization and any(record.service == "organizations" for record in records):
        raise SnapshotError(
            f"--no-organization, but {root} holds organizations files: leave one of them out",
            USAGE,
        )
    known = sorted({record.account for record in records} | _listed(records))
    for item in given:
        if item.account not in known:
            raise SnapshotError(
                f"--identity {item.arn}: {root} holds nothing of account {item.account}; "
                f"it holds {', '.join(known[:5])}",
                USAGE,
            )
        own = _partitions(records, item.account)
        if own and item.arn.split(":")[1] not in own:
            raise SnapshotError(
                f"--identity {item.arn}: account {item.account} is in the partition "
                f"{', '.join(sorted(own))}; write arn:{min(own)}:ses:...",
                USAGE,
            )
    ledger = plan_import(
        records, organization=not no_organization, given=given, ses_regions=ses_regions
    )
    read = {_identity(record) for record in records if record.operation == "GetEmailIdentity"}
    assumed = [i.assumption for i in given if (i.account, i.region, i.name) not in read]
    organization: Facts | None = {"none": True} if no_organization else None
    if organization is None and all(record.service != "organizations" for record in records):
        organization = {"read_from": min(record.account for record in records)}
    return ImportResult(
        records=tuple(records),
        ledger=ledger,
        given=given,
        organization=organization,
        assumptions=(*([_NO_ORGANIZATION] if no_organization else []), *assumed),
        unused=tuple(unused),
    )


def _identity(record: Record) -> tuple[str, str, str]:
    return record.account, record.region, str(record.request.get("EmailIdentity", ""))


def _partitions(records: Iterable[Record], account: str) -> set[str]:
    """The partitions that the ARNs of an account's users and roles name."""
    found: set[str] = set()
    for record in records:
        if record.account != account or record.operation != _DETAILS:
            continue
        for name in _LISTS:
            for item in _items(record.response or {}, name):
                found.update(str(item.get("Arn")).split(":")[1:2])
    return found


def _listed(records: Iterable[Record]) -> set[str]:
    found: set[str] = set()
    for record in records:
        if record.operation == "ListAccounts" and record.response:
            accounts = record.response.get("Accounts")
            found |= {str(a["Id"]) for a in accounts} if isinstance(accounts, list) else set()
    return found


def _lone_file(root: Path) -> Path | None:
    """The account dump, when the import is nothing else."""
    if root.is_file():
        return root
    entries = [path for path in root.iterdir() if not path.name.startswith(".")]
    files = [path for path in entries if path.is_file()]
    return files[0] if len(entries) == len(files) == 1 and files[0].suffix == ".json" else None


def _lone_records(path: Path) -> list[Record]:
    call = Call("0" * 12, GLOBAL, "iam", _DETAILS, {})
    record = record_of(path, call)
    response = record.response or {}
    if record.response is None or not any(name in response for name in _LISTS):
        reason = (record.error or {}).get("message", "it has no UserDetailList")
        raise SnapshotError(
            f"{path} is no output of `aws iam get-account-authorization-details`: {reason}",
            NOTHING_COLLECTED,
        )
    if not any(_account(item) for name in _LISTS for item in _items(response, name)):
        raise SnapshotError(
            f"{path} holds no user, group or role, so its account is not known: import it as "
            f"ACCOUNT/global/iam.{path.name.removeprefix('iam.')}",
            NOTHING_COLLECTED,
        )
    return [record]


def _by_arn(records: list[Record]) -> list[Record]:
    """Put principals under the account that their ARNs name.

    A dump of one account holds one account's principals. An anonymised one may not, and a file
    may stand in the wrong folder: then each account gets its own, unless it has a file itself.
    """
    details = {r.account for r in records if r.operation == _DETAILS}
    result: list[Record] = []
    for record in records:
        response = record.response
        if record.operation != _DETAILS or response is None:
            result.append(record)
            continue
        counts = Counter(
            account for name in _LISTS for item in _items(response, name)
            if (account := _account(item))
        )  # fmt: skip
        foreign = sorted(set(counts) - {record.account})
        clash = [account for account in foreign if account in details]
        if clash:
            message = f"holds principals of {', '.join(clash)}, which has a file of its own"
            error = {"code": "MalformedFile", "message": message}
            result.append(replace(record, status=State.MALFORMED, error=error, response=None))
            continue
        accounts = foreign if record.account == "0" * 12 else [record.account, *foreign]
        for account in accounts:
            own = dict(response)
            for name in _LISTS:
                own[name] = [
                    item
                    for item in _items(response, name)
                    if (_account(item) or record.account) == account
                ]
            if account == record.account and foreign and not counts[account]:
                message = f"holds principals of {', '.join(foreign)} and none of its own account"
                error = {"code": "MalformedFile", "message": message}
                result.append(replace(record, status=State.MALFORMED, error=error, response=None))
                continue
            result.append(replace(record, account=account, response=own))
    return result


def _items(response: dict[str, object], name: str) -> list[dict[str, object]]:
    value = response.get(name)
    return value if isinstance(value, list) else []


def _account(item: dict[str, object]) -> str | None:
    parts = str(item.get("Arn")).split(":")
    return parts[4] if len(parts) > 5 and len(parts[4]) == 12 and parts[4].isdecimal() else None
