"""The tables of a snapshot: their columns and types, in one place.

`SCHEMA_VERSION` changes with any of them; a snapshot of another version is refused.
Columns that hold a mapping or a list of unknown shape are JSON text.
A null means "not seen", never "none": `coverage` says which call would have told.
"""

from __future__ import annotations

import pyarrow as pa

SCHEMA_VERSION = 1

_text = pa.string()
_flag = pa.bool_()


def _table(**columns: pa.DataType) -> pa.Schema:
    return pa.schema([pa.field(name, kind) for name, kind in columns.items()])


TABLES: dict[str, pa.Schema] = {
    # One row an account that ListAccounts (or the import) names.
    "accounts": _table(
        account_id=_text,
        arn=_text,
        name=_text,
        state=_text,  # ACTIVE, SUSPENDED, ... as Organizations says; null without an organization
        parent_id=_text,  # root or OU id; null when not seen
        is_management=_flag,
        audited=_flag,
        not_audited_reason=_text,  # "" when audited
    ),
    # The root and every OU.
    "organizational_units": _table(
        id=_text,  # r-... or ou-...
        arn=_text,
        name=_text,
        type=_text,  # ROOT or ORGANIZATIONAL_UNIT
        parent_id=_text,  # null for the root
        path=_text,  # o-x/r-x/ou-x/.../ as aws:PrincipalOrgPaths spells it
    ),
    "organization_policies": _table(
        policy_id=_text,
        arn=_text,
        name=_text,
        type=_text,  # SERVICE_CONTROL_POLICY or RESOURCE_CONTROL_POLICY
        aws_managed=_flag,
        document_sha256=_text,  # null when the document was not read
    ),
    "policy_attachments": _table(
        policy_id=_text,
        target_id=_text,
        target_type=_text,  # ROOT, ORGANIZATIONAL_UNIT or ACCOUNT
    ),
    # Each distinct text once, verbatim.
    "policy_documents": _table(
        sha256=_text,
        document=_text,
        malformed=_text,  # null when it parses, else why not, with the position
    ),
    # Users, roles, and each audited account's root user.
    "principals": _table(
        principal_arn=_text,
        principal_id=_text,
        account_id=_text,
        type=_text,  # user, role or root
        name=_text,
        path=_text,
        created=_text,  # ISO 8601
        boundary_arn=_text,  # null: no boundary
        boundary_sha256=_text,  # null with a boundary_arn: the document was not seen
        tags=_text,  # JSON object
        service_linked=_flag,
        permission_set=_text,  # for AWSReservedSSO_NAME_HEX roles: NAME
        trust_sha256=_text,  # roles: the trust policy
        last_used=_text,
    ),
    # Each document that reaches a principal, by whatever way.
    "principal_policies": _table(
        principal_arn=_text,
        source=_text,  # inline, managed, group_inline, group_managed
        policy_name=_text,
        policy_arn=_text,  # null for inline
        group_arn=_text,  # null unless by a group
        document_sha256=_text,  # null: the document was not seen
    ),
    "groups": _table(group_arn=_text, account_id=_text, name=_text, path=_text),
    "access_keys": _table(
        principal_arn=_text,
        access_key_id=_text,
        status=_text,  # Active or Inactive
        created=_text,
        last_used=_text,
        last_used_service=_text,
        last_used_region=_text,
    ),
    "identities": _table(
        identity_arn=_text,
        account_id=_text,
        region=_text,
        name=_text,
        type=_text,  # domain or address
        verified=_flag,  # VerifiedForSendingStatus; null when not read
        sending_enabled=_flag,
        configuration_set=_text,  # the default one; "" for none; null when not read
        tags=_text,
        details_read=_flag,  # GetEmailIdentity answered: policies and default set are known
    ),
    "identity_policies": _table(identity_arn=_text, policy_name=_text, document_sha256=_text),
    "configuration_sets": _table(account_id=_text, region=_text, name=_text, sending_enabled=_flag),
    # The SES account in one region (GetAccount).
    "ses_account_regions": _table(
        account_id=_text,
        region=_text,
        production_access=_flag,
        sending_enabled=_flag,
        enforcement_status=_text,
    ),
    # One row a planned cell; and one a failed item of a cell (argument set).
    "coverage": _table(
        account_id=_text,
        region=_text,  # "global" for IAM, Organizations, STS, Account Management
        service=_text,  # botocore's: organizations, iam, sts, account, sesv2
        operation=_text,  # AWS's: ListEmailIdentities
        argument=_text,  # "" for the cell; the item for a failed item
        state=_text,  # snapshot.coverage.State
        detail=_text,  # the error in one line; "" when OK
        layer=_text,  # of the denial, when the message names it
        policy_arn=_text,  # of the denial, when the message names it
    ),
}

# Beside the tables, because it differs from run to run where AWS's answers do not: how often each
# cell was asked for, and when last.
TIMES = _table(
    account_id=_text,
    region=_text,
    service=_text,
    operation=_text,
    argument=_text,  # "" for the cell; the item for a failed item
    calls=pa.int64(),
    read_at=_text,  # ISO 8601, UTC; "" where nothing was asked
)
