"""Who can be a sender: every principal of the snapshot, and those that sending policies name."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ses_audit.audit.documents import Documents, full_access
from ses_audit.audit.gaps import Gaps
from ses_audit.policy.types import AttachedPolicy, Caller

__all__ = ["Sender", "load_senders", "outside_sender", "unread_sender"]

Row = Mapping[str, object]

ROOT_POLICY = "(root user: everything)"
OUTSIDE_POLICY = "(another organization's account decides this)"

GAAD = ("global", "iam", "GetAccountAuthorizationDetails")


@dataclass(frozen=True, slots=True)
class Sender:
    """One principal with all that its own account says about it.

    `missing` names the cells that could change its identity side; `boundary_missing` those that
    could change its boundary.
    """

    arn: str
    account: str | None
    type: str
    """user, role, root, service, account or anonymous, as in the long table."""
    name: str
    path: str
    principal_id: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    service_linked: bool = False
    identity_policies: tuple[AttachedPolicy, ...] = ()
    boundary: AttachedPolicy | None = None
    missing: tuple[str, ...] = ()
    boundary_missing: tuple[str, ...] = ()
    smtp: bool | None = False
    """Whether it can log in to SMTP: a user with an active access key; None when not read."""
    in_organization: bool = True
    permission_set: str | None = None
    role_arn: str | None = None
    """For a session that a sending policy names: its role's ARN."""

    @property
    def caller(self) -> Caller:
        """The principal as the evaluator knows it."""
        kind = self.type if self.type in _KINDS else "user"
        return Caller(
            arn=self.arn,
            account=self.account,
            kind=kind,  # type: ignore[arg-type]
            role_arn=self.role_arn,
            principal_id=self.principal_id,
        )


_KINDS = ("user", "role", "root", "service", "account", "anonymous", "federated", "session")


def load_senders(
    principals: Iterable[Row],
    principal_policies: Iterable[Row],
    access_keys: Iterable[Row],
    documents: Documents,
    gaps: Gaps,
) -> dict[str, Sender]:
    """Every user, role and root user of the tables, by ARN, in the order of the table."""
    policies: dict[str, list[Row]] = {}
    for row in principal_policies:
        policies.setdefault(str(row["principal_arn"]), []).append(row)
    keys = list(access_keys)
    active = {str(r["principal_arn"]) for r in keys if r["status"] == "Active"}
    keyed = {str(r["principal_arn"]) for r in keys}
    root = full_access()
    senders: dict[str, Sender] = {}
    shared: dict[tuple[object, ...], AttachedPolicy] = {}
    for row in principals:
        arn = str(row["principal_arn"])
        account = str(row["account_id"])
        kind = str(row["type"])
        missing: list[str] = []
        attached: list[AttachedPolicy] = []
        if kind == "root":
            attached.append(AttachedPolicy(root, ROOT_POLICY))
        else:
            missing += gaps.of(account, *GAAD)
        for policy in policies.get(arn, ()):
            name = str(policy["policy_name"])
            digest = _text(policy["document_sha256"])
            document = documents.get(digest)
            if document is None:
                missing.append(gaps.item(account, *GAAD, name))
                continue
            if not document.statements:
                continue
            key = (digest, name, policy["policy_arn"], policy["group_arn"])
            if key not in shared:
                shared[key] = AttachedPolicy(
                    document, name, _text(policy["policy_arn"]), _text(policy["group_arn"])
                )
            attached.append(shared[key])
        boundary, boundary_missing = _boundary(row, documents, gaps)
        senders[arn] = Sender(
            arn=arn,
            account=account,
            type=kind,
            name=str(row["name"]),
            path=str(row["path"] or "/"),
            principal_id=_text(row["principal_id"]),
            tags=_tags(row["tags"]),
            service_linked=bool(row["service_linked"]),
            identity_policies=tuple(attached),
            boundary=boundary,
            missing=tuple(dict.fromkeys(missing)),
            boundary_missing=boundary_missing,
            smtp=_smtp(kind, account, arn in active, arn in keyed, gaps),
            permission_set=_text(row["permission_set"]),
        )
    return senders


def _smtp(kind: str, account: str, active: bool, keyed: bool, gaps: Gaps) -> bool | None:
    """Only an IAM user's active access key is an SMTP credential.

    Source: https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html
    """
    if kind != "user" or active:
        return kind == "user"
    read = keyed or not gaps.of(account, "global", "iam", "ListAccessKeys")
    return False if read else None


def _boundary(
    row: Row, documents: Documents, gaps: Gaps
) -> tuple[AttachedPolicy | None, tuple[str, ...]]:
    arn = _text(row["boundary_arn"])
    if arn is None:
        return None, ()
    document = documents.get(_text(row["boundary_sha256"]))
    if document is None:
        return None, (gaps.item(str(row["account_id"]), *GAAD, arn),)
    return AttachedPolicy(document, arn.rsplit("/", 1)[-1], arn), ()


def _tags(value: object) -> dict[str, str]:
    if not value:
        return {}
    loaded = json.loads(str(value))
    return {str(k): str(v) for k, v in loaded.items()} if isinstance(loaded, dict) else {}


def outside_sender(
    arn: str, account: str | None, kind: str, missing: tuple[str, ...] = ()
) -> Sender:
    """A principal that a sending policy names and the organization does not hold.

    Whoever controls its account can make its own side allow, so that side is taken as allowing:
    what is left is what this organization decides. `missing` are the cells without which its
    account might be the organization's after all.
    """
    document = full_access()
    own = () if kind in ("service", "anonymous") else (AttachedPolicy(document, OUTSIDE_POLICY),)
    return Sender(
        arn=arn,
        account=account,
        type=kind,
        name=arn.rsplit("/", 1)[-1] if "/" in arn else arn.rsplit(":", 1)[-1],
        path="/",
        identity_policies=own,
        in_organization=False,
        missing=missing,
    )


def unread_sender(arn: str, account: str, kind: str, missing: tuple[str, ...]) -> Sender:
    """A principal of an account of the organization whose principals were not read."""
    return Sender(
        arn=arn, account=account, type=kind, name=arn.rsplit(":", 1)[-1], path="/", missing=missing
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)
