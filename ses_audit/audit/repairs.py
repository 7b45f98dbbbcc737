"""What would remove the causes, and the proof: the cell decided again with all of it applied.

A lack is mended by the smallest statement that allows the send; of a Deny it is only said that it
has to leave this send out, since what else it is for no snapshot tells.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from ses_audit.audit.cell import Cell
from ses_audit.audit.evidence import Statements
from ses_audit.audit.explanation import Repair
from ses_audit.audit.identities import Identity
from ses_audit.audit.rulings import CheckRuling
from ses_audit.audit.senders import Sender
from ses_audit.policy.parse import parse_document
from ses_audit.policy.types import AttachedPolicy, Denial, Layer, Verdict

__all__ = ["proved", "repairs"]


def repairs(cell: Cell, *also: str) -> tuple[Repair, ...]:
    """The repairs of a denied cell, each with the items that it removes.

    Parameters
    ----------
    cell
        The cell.
    also
        Further resources to allow: the ARN of an address that its domain covers, since sources
        conflict on which of the two is checked.
    """
    found: list[Repair] = []
    own = [(check, d) for check, d in cell.certain if _is_lack(d, Layer.IDENTITY_POLICY)]
    if own:
        items = dict.fromkeys(cell.item_of(check, denial) for check, denial in own)
        statement = _allow(cell, (check for check, _ in own), also)
        found.append(
            Repair(tuple(items), Layer.IDENTITY_POLICY, "add", cell.holder, _text(statement))
        )
    for layer, target, checks in _fences(cell):
        where = target
        if layer is Layer.SERVICE_CONTROL_POLICY:
            where = f"{cell.model.organization.target_name(target)} ({target})"
        statement = _allow(cell, checks, also)
        item = "permissions_boundary" if layer is Layer.PERMISSIONS_BOUNDARY else str(layer)
        found.append(Repair((item,), layer, "add", where, _text(statement)))
    lacking = any(_is_lack(d, Layer.SENDING_AUTHORIZATION_POLICY) for _, d in cell.certain)
    if lacking and cell.sender.type != "anonymous":
        found.append(
            Repair(
                ("sending_authorization_policy",),
                Layer.SENDING_AUTHORIZATION_POLICY,
                "add",
                cell.identity.arn,
                _text(_grant(cell)),
            )
        )
    statements = Statements(cell)
    for denial, check in {d: c for c, d in cell.certain if d.kind == "explicit"}.items():
        found += [
            Repair((cell.item_of(check, denial),), denial.layer, "narrow", evidence.where, None)
            for evidence in statements.denials((denial,))
        ]
    return tuple(found)


def _is_lack(denial: Denial, layer: Layer) -> bool:
    return denial.layer is layer and denial.kind == "implicit"


def _fences(cell: Cell) -> list[tuple[Layer, str, list[CheckRuling]]]:
    """The boundary and the SCP levels that lack an allow, with the checks they stop."""
    found: dict[tuple[Layer, str], list[CheckRuling]] = {}
    for check, denial in cell.certain:
        if _is_lack(denial, Layer.PERMISSIONS_BOUNDARY):
            found.setdefault((denial.layer, denial.policy or ""), []).append(check)
        elif _is_lack(denial, Layer.SERVICE_CONTROL_POLICY):
            found.setdefault((denial.layer, denial.target or ""), []).append(check)
    return [(layer, target, checks) for (layer, target), checks in found.items()]


def _allow(cell: Cell, checks: Iterable[CheckRuling], also: tuple[str, ...]) -> dict[str, object]:
    resources: dict[str, None] = {}
    for check in checks:
        asked = check.request.check
        if asked.id == "recipients":
            resources[f"{asked.resource.split(':identity/')[0]}:identity/*"] = None
        else:
            resources[asked.resource] = None
            if asked.id == "sender":
                resources |= dict.fromkeys(also)
    names = list(resources)
    return {
        "Effect": "Allow",
        "Action": cell.action,
        "Resource": names[0] if len(names) == 1 else names,
    }


def _grant(cell: Cell) -> dict[str, object]:
    kind = "Service" if cell.sender.type == "service" else "AWS"
    return {
        "Effect": "Allow",
        "Principal": {kind: cell.holder},
        "Action": cell.action,
        "Resource": cell.identity.arn,
    }


def _text(statement: dict[str, object]) -> str:
    return json.dumps(statement, indent=1, ensure_ascii=False)


def _policy(repair: Repair, target: str | None = None) -> AttachedPolicy:
    document = parse_document(
        {"Version": "2012-10-17", "Statement": json.loads(repair.statement or "")}
    )
    return AttachedPolicy(document, "(repair)", target=target)


def proved(cell: Cell, found: Iterable[Repair]) -> Verdict:
    """The verdict with every repair applied: statements added, denials lifted."""
    sender, identity = cell.sender, cell.identity
    lifted = {denial for _, denial in cell.certain if denial.kind == "explicit"}
    for repair in found:
        if repair.how != "add":
            continue
        sender, identity = _applied(repair, sender, identity)
        if repair.layer is Layer.SERVICE_CONTROL_POLICY:
            lifted |= {
                denial
                for _, denial in cell.certain
                if _is_lack(denial, Layer.SERVICE_CONTROL_POLICY)
            }
    checks = cell.decider.checks(sender, identity, cell.action)
    verdict = cell.decider.solve(checks, without=frozenset(lifted))[0].verdict
    missing = cell.missing.all()
    return Verdict.UNKNOWN if missing and verdict is not Verdict.DENIED else verdict


def _applied(repair: Repair, sender: Sender, identity: Identity) -> tuple[Sender, Identity]:
    if repair.layer is Layer.IDENTITY_POLICY:
        policies = (*sender.identity_policies, _policy(repair))
        return replace(sender, identity_policies=policies), identity
    if repair.layer is Layer.PERMISSIONS_BOUNDARY and sender.boundary is not None:
        added = _policy(repair).document
        document = sender.boundary.document
        changed = replace(
            document,
            statements=(*document.statements, *added.statements),
            text=f"{document.text}\n{added.text}",
        )
        return replace(sender, boundary=replace(sender.boundary, document=changed)), identity
    if repair.layer is Layer.SENDING_AUTHORIZATION_POLICY:
        policies = (*identity.policies, _policy(repair, identity.arn))
        return sender, replace(identity, policies=policies)
    return sender, identity
