"""The identities of a snapshot, with their sending policies and the state of their account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ses_audit.audit.documents import Documents
from ses_audit.audit.gaps import Gaps
from ses_audit.policy.types import AttachedPolicy

__all__ = [
    "ACCOUNT_REGIONS",
    "AccountRegion",
    "Identity",
    "load_account_regions",
    "load_identities",
    "placeholder",
]

Row = Mapping[str, object]

ACCOUNT_REGIONS = (
    "account_id", "region", "production_access", "sending_enabled", "enforcement_status",
)  # fmt: skip
"""The columns of the table of account-regions that are read."""


@dataclass(frozen=True, slots=True)
class AccountRegion:
    """The SES account in one region. None says "not read"."""

    account: str
    region: str
    production_access: bool | None
    sending_enabled: bool | None
    enforcement_status: str | None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Identity:
    """One identity. `known` is False for the placeholder of identities that could not be listed."""

    arn: str
    account: str
    region: str
    name: str
    type: str | None
    verified: bool | None = None
    configuration_set: str | None = None
    policies: tuple[AttachedPolicy, ...] = ()
    missing: tuple[str, ...] = ()
    """Cells that could hold a sending policy or a default configuration set."""
    known: bool = True


def placeholder(
    arn_partition: str, account: str, region: str, missing: tuple[str, ...]
) -> Identity:
    """Stand for the identities of an account (and region) that could not be listed.

    Its ARN ends in a literal `*`: a statement on all identities matches it, one on a named
    identity does not.
    """
    return Identity(
        arn=f"arn:{arn_partition}:ses:{region}:{account}:identity/*",
        account=account,
        region=region,
        name="*",
        type=None,
        missing=missing,
        known=False,
    )


def load_identities(
    identities: Iterable[Row], identity_policies: Iterable[Row], documents: Documents, gaps: Gaps
) -> dict[str, Identity]:
    """Every identity of the tables, by ARN, in the order of the table."""
    policies: dict[str, list[Row]] = {}
    for row in identity_policies:
        policies.setdefault(str(row["identity_arn"]), []).append(row)
    found: dict[str, Identity] = {}
    for row in identities:
        arn, account, region = (str(row[k]) for k in ("identity_arn", "account_id", "region"))
        name = str(row["name"])
        missing: list[str] = []
        if not row["details_read"]:
            missing.append(gaps.item(account, region, "sesv2", "GetEmailIdentity", name))
        attached: list[AttachedPolicy] = []
        for policy in policies.get(arn, ()):
            digest = policy["document_sha256"]
            document = documents.get(None if digest is None else str(digest))
            if document is None:
                missing.append(
                    gaps.item(
                        account,
                        region,
                        "sesv2",
                        "GetEmailIdentity",
                        f"{name}: {policy['policy_name']}",
                    )
                )
                continue
            attached.append(AttachedPolicy(document, str(policy["policy_name"]), target=arn))
        verified = row["verified"]
        default = row["configuration_set"]
        found[arn] = Identity(
            arn=arn,
            account=account,
            region=region,
            name=name,
            type=str(row["type"]),
            verified=None if verified is None else bool(verified),
            configuration_set=None if default is None else str(default),
            policies=tuple(attached),
            missing=tuple(dict.fromkeys(missing)),
        )
    return found


def load_account_regions(rows: Iterable[Row], gaps: Gaps) -> dict[tuple[str, str], AccountRegion]:
    """The SES account state by (account, region)."""
    found: dict[tuple[str, str], AccountRegion] = {}
    for row in rows:
        account, region = str(row["account_id"]), str(row["region"])
        production = row["production_access"]
        sending = row["sending_enabled"]
        status = row["enforcement_status"]
        found[account, region] = AccountRegion(
            account,
            region,
            None if production is None else bool(production),
            None if sending is None else bool(sending),
            None if status is None else str(status),
            gaps.of(account, region, "sesv2", "GetAccount") if production is None else (),
        )
    return found
