"""Accounts, OUs, organization policies and where they are attached."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.ledger import CoverageRow
from ses_audit.snapshot.readings import Answers
from ses_audit.snapshot.texts import Texts, clean

__all__ = [
    "NO_ORGANIZATION",
    "Facts",
    "account_rows",
    "organization_facts",
    "organization_rows",
    "tells_of_account",
]

Row = dict[str, object]
Facts = dict[str, object]
"""`manifest["organization"]`: `{"id", "management_account_id", "read_from", "feature_set",
"policy_types"}`, `{"none": True}` where no organization applies, `{}` where nothing is known."""

_SERVICE = "organizations"
NO_ORGANIZATION = "AWSOrganizationsNotInUseException"
_ARN = re.compile(r"arn:[a-z-]+:organizations::([0-9]{12}):[a-z]+/(o-[a-z0-9]+)/\S+", re.ASCII)


def organization_facts(account: str, answers: Answers) -> Facts:
    """What the records of one account tell of the organization as a whole.

    Parameters
    ----------
    account
        The account that asked.
    answers
        Its answers.
    """
    facts: Facts = {}
    arns: list[object] = []
    for name, list_name in (("ListRoots", "Roots"), ("ListAccounts", "Accounts")):
        arns += [item.get("Arn") for item in answers.items(_SERVICE, name, list_name)]
    for arn in arns:
        if match := _ARN.fullmatch(str(arn)):
            facts = {"id": match[2], "management_account_id": match[1]}
            break
    for _, response in answers.of(_SERVICE, "DescribeOrganization"):
        described = response["Organization"]
        if isinstance(described, dict):
            facts["id"] = clean(described["Id"])
            facts["management_account_id"] = clean(described["MasterAccountId"])
            facts["feature_set"] = clean(described.get("FeatureSet"))
    types: set[str] | None = None
    for root in answers.items(_SERVICE, "ListRoots", "Roots"):
        listed = root.get("PolicyTypes")
        if isinstance(listed, list):
            types = (types or set()) | {
                str(kind["Type"]) for kind in listed if kind["Status"] == "ENABLED"
            }
    if facts:
        facts["read_from"] = account
        facts["policy_types"] = None if types is None else sorted(types)
    return facts


def organization_rows(answers: Answers, texts: Texts) -> dict[str, list[Row]]:
    """The rows of the OU, policy and attachment tables, and `listed`: accounts with parents."""
    parents = _parents(answers)
    listed: dict[str, Row] = {}
    for operation in ("ListAccountsForParent", "ListAccounts"):
        for item in answers.items(_SERVICE, operation, "Accounts"):
            id_ = str(item["Id"])
            listed[id_] = {
                "account_id": clean(id_),
                "arn": clean(item.get("Arn")),
                "name": clean(item.get("Name")),
                # Status is the retired name of State.
                "state": clean(item.get("State") or item.get("Status")),
                "parent_id": parents.get(id_),
            }
    policies, attachments = _policies(answers, texts)
    return {
        "listed": list(listed.values()),
        "organizational_units": _units(answers),
        "organization_policies": policies,
        "policy_attachments": attachments,
    }


def _parents(answers: Answers) -> dict[str, str]:
    """Account → root or OU; where an account moved during the run, the later answer counts."""
    found: dict[str, tuple[str, str]] = {}

    def note(child: object, parent: object, time: str) -> None:
        entry = (time, str(parent))
        found[str(child)] = max(found.get(str(child), entry), entry)

    for record, response in answers.of(_SERVICE, "ListAccountsForParent"):
        accounts = response["Accounts"]
        for item in accounts if isinstance(accounts, list) else ():
            note(item["Id"], record.request.get("ParentId"), record.time)
    for record, response in answers.of(_SERVICE, "ListParents"):
        above = response["Parents"]
        for item in above if isinstance(above, list) else ():
            note(record.request.get("ChildId"), item["Id"], record.time)
    return {child: clean(parent) or "" for child, (_, parent) in found.items()}


def _units(answers: Answers) -> list[Row]:
    units: dict[str, Row] = {}
    for root in answers.items(_SERVICE, "ListRoots", "Roots"):
        units[str(root["Id"])] = _unit(root, "ROOT", None)
    for record, response in answers.of(_SERVICE, "ListOrganizationalUnitsForParent"):
        children = response["OrganizationalUnits"]
        for item in children if isinstance(children, list) else ():
            parent = clean(record.request.get("ParentId"))
            units[str(item["Id"])] = _unit(item, "ORGANIZATIONAL_UNIT", parent)
    return list(units.values())


def _unit(item: Mapping[str, object], kind: str, parent: str | None) -> Row:
    return {
        "id": clean(item["Id"]),
        "arn": clean(item.get("Arn")),
        "name": clean(item.get("Name")),
        "type": kind,
        "parent_id": parent,
    }


def paths(units: Iterable[Row], organization_id: object) -> None:
    """Fill in each OU's path, `o-x/r-x/ou-x/.../`; null where its line to the root was not seen.

    Source:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
    (aws:PrincipalOrgPaths)
    """
    by_id = {row["id"]: row for row in units}
    for row in by_id.values():
        line: list[str] = []
        current: Row | None = row
        while current is not None and str(current["id"]) not in line:
            line.append(str(current["id"]))
            if current["type"] == "ROOT":
                break
            current = by_id.get(current["parent_id"])
        whole = current is not None and current["type"] == "ROOT" and organization_id
        row["path"] = f"{organization_id}/{'/'.join(reversed(line))}/" if whole else None


def _policies(answers: Answers, texts: Texts) -> tuple[list[Row], list[Row]]:
    policies: dict[str, Row] = {}
    attached: dict[tuple[str, str], Row] = {}

    def note(summary: Mapping[str, object], kind: object = None) -> Row:
        row = policies.setdefault(str(summary["Id"]), {"policy_id": clean(summary["Id"])})
        row["arn"] = clean(summary.get("Arn"))
        row["name"] = clean(summary.get("Name"))
        row["type"] = clean(summary.get("Type") or kind)
        row["aws_managed"] = summary.get("AwsManaged")
        return row

    def attach(policy: object, target: object) -> None:
        policy_id, target_id = clean(policy) or "", clean(target) or ""
        attached[policy_id, target_id] = {
            "policy_id": policy_id,
            "target_id": target_id,
            "target_type": _target_type(target_id),
        }

    for operation in ("ListPoliciesForTarget", "ListPolicies"):
        for record, response in answers.of(_SERVICE, operation):
            listed = response["Policies"]
            for item in listed if isinstance(listed, list) else ():
                note(item, record.request.get("Filter"))
                if operation == "ListPoliciesForTarget":
                    attach(item["Id"], record.request.get("TargetId"))
    for _, response in answers.of(_SERVICE, "DescribePolicy"):
        policy = response["Policy"]
        if isinstance(policy, dict):
            note(policy["PolicySummary"])["document_sha256"] = texts.add(policy["Content"])
    for record, response in answers.of(_SERVICE, "ListTargetsForPolicy"):
        targets = response["Targets"]
        for item in targets if isinstance(targets, list) else ():
            attach(record.request.get("PolicyId"), item["TargetId"])
    return list(policies.values()), list(attached.values())


def _target_type(target: str) -> str:
    if target.startswith("r-"):
        return "ROOT"
    return "ORGANIZATIONAL_UNIT" if target.startswith("ou-") else "ACCOUNT"


def tells_of_account(cell: CoverageRow) -> bool:
    """Whether a row says that an account was planned, and whether it is audited."""
    return cell.region == "global" and cell.service == "iam"


def account_rows(
    listed: Iterable[Row], coverage: Iterable[CoverageRow], organization: Facts
) -> list[Row]:
    """The accounts table: those of the organization, and those that were planned.

    An account is audited unless the plan says otherwise, or the organization says that it is
    not active.
    """
    rows = {str(row["account_id"]): dict(row) for row in listed}
    reasons: dict[str, str] = {}
    for cell in coverage:
        if tells_of_account(cell):
            rows.setdefault(cell.account_id, {"account_id": cell.account_id})
            if cell.state in (State.NOT_AUDITED, State.EXCLUDED) and not cell.argument:
                reasons[cell.account_id] = cell.detail or cell.state.value
    management = organization.get("management_account_id")
    for id_, row in rows.items():
        state = row.get("state")
        if id_ not in reasons and state not in (None, "ACTIVE"):
            reasons[id_] = f"its state is {state}"
        row["audited"] = id_ not in reasons
        row["not_audited_reason"] = reasons.get(id_, "")
        if organization.get("none"):
            row["is_management"] = False
        else:
            row["is_management"] = None if management is None else id_ == management
    return list(rows.values())
