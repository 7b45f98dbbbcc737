"""The checklist of one cell: the published article's four causes first, then those it leaves out.

A lack is told once, by the item that says best how it comes about; so each cause is a defect of
its own, and removing all of them lets the send pass. The questions: `data/checklist.json`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

from ses_audit.audit.decide import Decider, Missing
from ses_audit.audit.explanation import ChecklistItem, Evidence, ExplainedCheck, Status
from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.near_miss import NearMiss, near_misses, nearest
from ses_audit.audit.rulings import CheckRuling, Ruling, certain
from ses_audit.audit.senders import Sender
from ses_audit.audit.tree import ruled
from ses_audit.policy.formula import FALSE
from ses_audit.policy.solve import OpenResult
from ses_audit.policy.types import AttachedPolicy, Denial, Layer, Verdict
from ses_audit.policy.wildcards import action_matches

__all__ = ["Cell", "checklist", "checklist_data"]

_SECONDARY = {
    "configuration_set": "default_configuration_set",
    "template": "template",
    "recipients": "sandbox_recipient",
}
"""Check → the item that a lack of it belongs to."""

_LAYERS = {
    Layer.SERVICE_CONTROL_POLICY: "service_control_policy",
    Layer.PERMISSIONS_BOUNDARY: "permissions_boundary",
    Layer.SENDING_AUTHORIZATION_POLICY: "sending_authorization_policy",
    Layer.IDENTITY_POLICY: "identity_policy",
}


@cache
def checklist_data() -> dict[str, Any]:
    """The checklist's questions and texts, decoded."""
    text = files("ses_audit.audit").joinpath("data/checklist.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@dataclass(frozen=True)
class Cell:
    """One cell, decided, with what an answer needs. `exists`: whether the identity does."""

    model: Model
    decider: Decider
    sender: Sender
    identity: Identity
    action: str
    checks: tuple[CheckRuling, ...]
    ruling: Ruling
    missing: Missing
    explained: tuple[ExplainedCheck, ...]
    exists: bool | None = True

    def of(self, id: str) -> tuple[CheckRuling, ...]:
        """The checks of one id."""
        return tuple(check for check in self.checks if check.request.check.id == id)

    @cached_property
    def failing(self) -> tuple[CheckRuling, ...]:
        """The checks that are denied by themselves."""
        failed = self.decider.failed(self.checks)
        return tuple(check for check in self.checks if check.request.check.id in failed)

    @cached_property
    def certain(self) -> tuple[tuple[CheckRuling, Denial], ...]:
        """Each denial that no context lifts, with its check."""
        return tuple((check, denial) for check in self.failing for denial in certain(check))

    @cached_property
    def near(self) -> tuple[str, tuple[NearMiss, ...]] | None:
        """Where nothing allows the sender check: the item that says why not."""
        (check,) = self.of("sender")
        lack = check.identity.lack
        if not any(c is check and d == lack for c, d in self.certain):
            return None
        verified = [
            other.name
            for other in self.model.identities.values()
            if (other.account, other.region) == (self.identity.account, self.identity.region)
            and other.verified
        ]
        requests = self.decider.requests

        def ask_for(action: str) -> Any:
            return requests.checks(self.sender, self.identity, action)[0].ask

        return nearest(
            near_misses(
                self.sender.identity_policies, check.request.ask, ask_for, self.identity, verified
            )
        )

    @property
    def joint(self) -> tuple[Denial, ...]:
        """Denials that stop the send only together."""
        alone = {denial for _, denial in self.certain}
        return tuple(denial for denial in self.ruling.denials if denial not in alone)

    def place(self) -> str:
        """The account's name and id."""
        known = self.model.organization.accounts.get(self.identity.account)
        return f"{known.name} {known.id}" if known and known.name else self.identity.account


@dataclass(frozen=True, slots=True)
class _Answer:
    status: Status
    text: str
    evidence: tuple[Evidence, ...] = ()
    missing: tuple[str, ...] = ()


def checklist(cell: Cell) -> tuple[ChecklistItem, ...]:
    """Every question, answered, in order."""
    return _Checklist(cell).items()


class _Checklist:
    def __init__(self, cell: Cell) -> None:
        self._cell = cell
        (self._sender_check,) = cell.of("sender")
        self._numbers = {
            entry["id"]: number for number, entry in enumerate(checklist_data()["items"], start=1)
        }
        self._denied: dict[str, list[Denial]] = {}
        for check, denial in cell.certain:
            self._denied.setdefault(self._item_of(check, denial), []).append(denial)

    def _item_of(self, check: CheckRuling, denial: Denial) -> str:
        """The item that a certain denial belongs to."""
        secondary = _SECONDARY.get(check.request.check.id)
        if denial.layer is Layer.IDENTITY_POLICY and denial.kind == "implicit":
            if secondary is not None:
                return secondary
            near = self._cell.near
            return near[0] if near is not None else "identity_policy"
        if denial.layer is Layer.SENDING_AUTHORIZATION_POLICY and secondary is not None:
            return secondary
        return _LAYERS[denial.layer]

    def items(self) -> tuple[ChecklistItem, ...]:
        found: list[ChecklistItem] = []
        for entry in checklist_data()["items"]:
            answer: _Answer = getattr(self, f"_{entry['id']}")()
            names = self._names(entry["id"])
            found.append(
                ChecklistItem(
                    id=entry["id"],
                    number=self._numbers[entry["id"]],
                    article=entry["article"],
                    question=entry["question"].format(**names),
                    answer=answer.text,
                    status=answer.status,
                    evidence=answer.evidence,
                    missing=answer.missing,
                    repair=entry["repair"].format(**names) if answer.status == "cause" else "",
                    confidence=entry["confidence"],
                    source=entry["source"],
                )
            )
        return tuple(found)

    def _names(self, item: str) -> Mapping[str, str]:
        cell = self._cell
        resource = cell.identity.arn
        for check in cell.checks:
            if _SECONDARY.get(check.request.check.id) == item:
                resource = check.request.check.resource
        return {
            "action": cell.action,
            "resource": resource,
            "name": cell.identity.name,
            "region": cell.identity.region,
            "account": cell.identity.account,
        }

    @cached_property
    def _unread(self) -> _Answer | None:
        """The answer to all that the principal's own policies decide, where they are not known."""
        sender = self._cell.sender
        if sender.missing:
            text = "Its policies were not all read."
            return _Answer("cannot_tell", text, missing=sender.missing)
        if not sender.in_organization and self._sender_check.identity_side:
            text = "Its own account decides this, and is not in the snapshot."
            return _Answer("cannot_tell", text, missing=(f"account {sender.account}",))
        return None

    # The article's four

    def _identity_policy(self) -> _Answer:
        cell, check = self._cell, self._sender_check
        denied = self._denied.get("identity_policy", [])
        if denied:
            explicit = [d for d in denied if d.kind == "explicit"]
            evidence = [self._denial(d) for d in explicit]
            if len(explicit) < len(denied):
                evidence += self._lack(Layer.IDENTITY_POLICY)
            what = "denies" if explicit else "allows none of this send:"
            text = (
                f"A policy of the principal {what} {cell.action}."
                if explicit
                else f"No policy of the principal allows {cell.action} on {cell.identity.arn}."
            )
            return _Answer("cause", text, tuple(evidence))
        if not check.identity_side:
            text = "It has no policies here: those of the identity decide alone."
            return _Answer("cleared", text)
        if cell.near is not None:
            return _Answer(
                "cleared",
                f"What its policies allow misses this send: see {self._see(cell.near[0])}.",
            )
        if self._unread is not None:
            return self._unread
        if check.identity.implicit:
            if cell.identity.missing:
                text = "No policy of its own allows it; a sending policy that was not read could."
                return _Answer("cannot_tell", text, missing=cell.identity.missing)
            text = "No policy of its own allows it; a sending policy of the identity grants it."
            return _Answer("cleared", text, self._allows(Layer.SENDING_AUTHORIZATION_POLICY))
        partly = self._partly(ruled(check, check.identity))
        if partly is not None and not self._only_from(check):
            return _Answer(
                "cannot_tell",
                f"Allowed if {partly[0]}.",
                self._allows(Layer.IDENTITY_POLICY),
                partly[1],
            )
        text = f"{cell.action} is allowed, and nothing of its own denies it."
        allows = self._allows(Layer.IDENTITY_POLICY)
        notes = self._one_statement()
        return _Answer("cleared", " ".join((text, *notes)), allows)

    def _only_from(self, check: CheckRuling) -> bool:
        return check.identity.open_keys == {"ses:fromaddress"}

    def _one_statement(self) -> list[str]:
        """Actions without a resource, in a statement that names one: they never match."""
        found: list[str] = []
        for policy in self._cell.sender.identity_policies:
            for statement in policy.document.statements:
                if statement.effect != "Allow" or "*" in (statement.resources or ("*",)):
                    continue
                lost = [
                    action
                    for action in checklist_data()["actions_without_resource"]
                    if not statement.actions_negated
                    and any(
                        action_matches(pattern, action) and "*" not in pattern
                        for pattern in statement.actions
                    )
                ]
                if lost:
                    sid = f" “{statement.sid}”" if statement.sid else ""
                    found.append(
                        f"Two statements are needed, though: in {policy.name}{sid} "
                        f"{', '.join(lost)} stand with a Resource, and never match there."
                    )
        return found

    def _sending_authorization_policy(self) -> _Answer:
        cell, check = self._cell, self._sender_check
        denied = self._denied.get("sending_authorization_policy", [])
        if denied:
            explicit = [d for d in denied if d.kind == "explicit"]
            if explicit:
                text = "A sending authorization policy of the identity denies the principal."
            else:
                text = f"No sending authorization policy of {cell.identity.name} lets it in."
            evidence = [self._denial(d) for d in denied]
            return _Answer("cause", text, tuple(evidence))
        if cell.identity.missing:
            return _Answer(
                "cannot_tell",
                "The identity's sending policies were not read.",
                missing=cell.identity.missing,
            )
        partly = self._partly(ruled(check, check.resource))
        if partly is not None:
            return _Answer("cannot_tell", f"It passes if {partly[0]}.", missing=partly[1])
        count = len(cell.identity.policies)
        if not count:
            return _Answer("cleared", "The identity has none.")
        text = f"{count} attached; none of them denies the principal."
        return _Answer("cleared", text, self._allows(Layer.SENDING_AUTHORIZATION_POLICY))

    def _address_identity(self) -> _Answer:
        text = f"{self._cell.identity.arn} is what is checked."
        return self._near_or("address_identity", text)

    def _service_control_policy(self) -> _Answer:
        cell = self._cell
        denied = self._denied.get("service_control_policy", [])
        chain = cell.decider.scp_chain(cell.sender)
        if denied:
            names = self._organization_names(denied)
            return _Answer(
                "cause", f"Denied by {names}.", tuple(self._denial(d) for d in _once(denied))
            )
        if cell.missing.scp:
            return _Answer("cannot_tell", "SCPs were not all read.", missing=cell.missing.scp)
        if not cell.sender.in_organization and self._unread is not None:
            return self._unread
        if chain.levels is None:
            return _Answer("cleared", f"SCPs do not bind it: {self._unbound()}.")
        partly = [
            (level, found)
            for check in cell.checks
            for level in check.levels or ()
            if (found := self._partly(ruled(check, level))) is not None
        ]
        if partly:
            text = " and ".join(dict.fromkeys(found[0] for _, found in partly))
            keys = tuple(dict.fromkeys(key for _, found in partly for key in found[1]))
            evidence = tuple(
                self._denial(denial)
                for denial in _once(
                    d for level, _ in partly for d in (level.possible or (level.lack,))
                )
            )
            return _Answer("cannot_tell", f"It passes if {text}.", evidence, keys)
        names = ", ".join(cell.model.organization.target_name(t) for t in chain.targets)
        return _Answer("cleared", f"Every level allows it, and none denies: {names}.")

    def _unbound(self) -> str:
        sender, organization = self._cell.sender, self._cell.model.organization
        if sender.service_linked:
            return "it is a service-linked role"
        if sender.account is None:
            return "it belongs to no account"
        if not sender.in_organization:
            return "its account is outside the organization"
        if organization.none:
            return "the snapshot states that no organization applies"
        known = organization.accounts.get(sender.account)
        if known is not None and known.is_management:
            return "it belongs to the management account"
        return "the organization has not enabled them"

    def _organization_names(self, denied: Iterable[Denial]) -> str:
        organization = self._cell.model.organization
        found: list[str] = []
        for denial in _once(denied):
            target = organization.target_name(denial.target)
            if denial.kind == "explicit":
                found.append(f"{organization.policy_name(denial.policy)} on {target}")
            else:
                found.append(f"{target}, where no SCP allows it")
        return "; ".join(found)

    # Those it leaves out

    def _permissions_boundary(self) -> _Answer:
        cell, check = self._cell, self._sender_check
        denied = self._denied.get("permissions_boundary", [])
        if denied:
            text = f"The boundary {cell.sender.boundary.name if cell.sender.boundary else ''}"
            evidence = tuple(self._denial(d) for d in _once(denied))
            return _Answer("cause", f"{text} does not allow {cell.action}.", evidence)
        if cell.sender.boundary_missing:
            return _Answer(
                "cannot_tell", "Its boundary was not read.", missing=cell.sender.boundary_missing
            )
        if cell.sender.boundary is None:
            if self._unread is not None and cell.sender.arn not in cell.model.senders:
                return replace(self._unread, text="Whether it has one is not known.")
            return _Answer("cleared", "None is set.")
        partly = self._partly(ruled(check, check.boundary))
        if partly is not None:
            return _Answer("cannot_tell", f"It passes if {partly[0]}.", missing=partly[1])
        if check.boundary is not None and check.boundary.implicit:
            return _Answer("cleared", "It does not limit a grant to the principal's own ARN.")
        text = f"{cell.sender.boundary.name} allows it."
        return _Answer("cleared", text, self._allows(Layer.PERMISSIONS_BOUNDARY))

    def _default_configuration_set(self) -> _Answer:
        cell = self._cell
        if cell.identity.missing and not cell.of("configuration_set"):
            return _Answer(
                "cannot_tell",
                "Whether it has a default configuration set was not read.",
                missing=cell.identity.missing,
            )
        if cell.sender.account != cell.identity.account and cell.identity.configuration_set:
            return _Answer("cleared", "The owner's default set does not bind a delegate sender.")
        return self._secondary(
            "configuration_set",
            "The identity has no default configuration set.",
            "the configuration set",
        )

    def _template(self) -> _Answer:
        return self._secondary("template", "The action names no stored template.", "the template")

    def _sandbox_recipient(self) -> _Answer:
        cell = self._cell
        if cell.missing.account or not cell.identity.known:
            missing = cell.missing.account or cell.identity.missing
            return _Answer(
                "cannot_tell", "Whether the sandbox applies was not read.", missing=missing
            )
        return self._secondary(
            "recipients", "The account has left the sandbox in this region.", "a recipient"
        )

    def _secondary(self, check_id: str, none: str, what: str) -> _Answer:
        """A check on something else than the identity."""
        cell = self._cell
        checks = cell.of(check_id)
        if not checks:
            return _Answer("cleared", none)
        item = _SECONDARY[check_id]
        names = ", ".join(check.request.check.resource for check in checks[:3])
        if item in self._denied:
            denials = _once(self._denied[item])
            text = f"Nothing allows {cell.action} on {what} {names}."
            evidence = [self._denial(d) for d in denials if d.kind == "explicit"]
            if len(evidence) < len(denials):
                evidence += self._lack(Layer.IDENTITY_POLICY, checks[0])
            return _Answer("cause", text, tuple(evidence))
        if self._unread is not None:
            return self._unread
        found = [self._partly(ruled(check, check.identity)) for check in checks]
        failing = [c for c in checks if c.identity.implicit and not self._granted(c)]
        if failing and len(failing) < len(checks):
            passing = ", ".join(c.request.name for c in checks if c not in failing)
            return _Answer(
                "cannot_tell", f"It passes for {passing} alone.", missing=("the recipient",)
            )
        partly = [each for each in found if each is not None]
        if partly:
            keys = tuple(dict.fromkeys(key for each in partly for key in each[1]))
            return _Answer("cannot_tell", f"It passes if {partly[0][0]}.", missing=keys)
        return _Answer("cleared", f"{cell.action} is allowed on {what} too: {names}.")

    @staticmethod
    def _granted(check: CheckRuling) -> bool:
        known = check.resource.formula if check.resource is not None else None
        return known is not None and (
            known.grant_exempt is not FALSE or known.grant_limited is not FALSE
        )

    def _wrong_action(self) -> _Answer:
        return self._near_or("wrong_action", f"The send is checked as {self._cell.action}.")

    def _absent_key(self) -> _Answer:
        text = "No condition that matters asks for a key that this send lacks."
        return self._near_or("absent_key", text)

    def _from_address(self) -> _Answer:
        check = self._sender_check
        partly = self._partly(ruled(check, check.identity))
        if partly is not None and self._only_from(check) and not check.identity.implicit:
            return _Answer(
                "cannot_tell",
                f"Allowed if {partly[0]}.",
                self._allows(Layer.IDENTITY_POLICY),
                partly[1],
            )
        return self._near_or("from_address", "No ses:FromAddress condition stands in the way.")

    def _principal_attributes(self) -> _Answer:
        text = "No tag or attribute that is asked for is lacking."
        return self._near_or("principal_attributes", text)

    def _conditions(self) -> _Answer:
        if (cause := self._near_cause("conditions")) is not None:
            return cause
        joint = self._cell.joint
        if joint and self._cell.ruling.verdict is Verdict.DENIED:
            text = "No request meets these conditions together; each alone could be met."
            evidence: list[Evidence] = []
            for denial in joint:
                if denial.kind == "implicit" and denial.layer is Layer.IDENTITY_POLICY:
                    evidence += self._conditional_allows()
                else:
                    evidence.append(self._denial(denial))
            return _Answer("cause", text, tuple(evidence))
        return _Answer("cleared", "No conditions exclude each other.")

    def _place(self) -> _Answer:
        cell = self._cell
        where = f"{cell.identity.region} of account {cell.place()}"
        if cell.exists is None:
            return _Answer(
                "cannot_tell",
                f"The identities of {where} were not read.",
                missing=cell.identity.missing,
            )
        if not cell.exists:
            return _Answer("cause", f"No identity in {where} covers {cell.identity.name}.")
        state = "verified" if cell.identity.verified else "not verified"
        if cell.identity.verified is None:
            state = "verified or not: that was not read"
        return _Answer("cleared", f"{cell.identity.name} is in {where}, {state}.")

    # Evidence

    def _see(self, item: str) -> str:
        return str(self._numbers[item])

    def _near_or(self, item: str, cleared: str) -> _Answer:
        """The nearest Allow's answer, where it belongs to this item."""
        return self._near_cause(item) or self._unread or _Answer("cleared", cleared)

    def _near_cause(self, item: str) -> _Answer | None:
        near = self._cell.near
        if near is None or near[0] != item or item not in self._denied:
            return None
        notes = " ".join(dict.fromkeys(miss.note for miss in near[1]))
        return _Answer("cause", notes, tuple(self._miss(miss) for miss in near[1]))

    def _partly(self, found: OpenResult | None) -> tuple[str, tuple[str, ...]] | None:
        """The conditions that remain, and which values of the request would tell."""
        if found is None or found.verdict is not Verdict.CONDITIONAL:
            return None
        keys: dict[str, None] = {}
        for context in (found.witness, found.counter_witness):
            for key in context or {}:
                keys["the template's name" if key.startswith("(") else f"the request's {key}"] = (
                    None
                )
        return str(found.conditions), tuple(keys)

    def _miss(self, miss: NearMiss) -> Evidence:
        return self._evidence(
            Layer.IDENTITY_POLICY, "lack", miss.policy, miss.statement.index, miss.note
        )

    def _lack(self, layer: Layer, check: CheckRuling | None = None) -> list[Evidence]:
        """That nothing allows, and the statements that allow something near."""
        near = self._cell.near
        misses = near[1] if near is not None and check is None else ()
        return [self._miss(miss) for miss in misses] or [
            Evidence(str(layer), "lack", attached_to=self._cell.sender.arn)
        ]

    def _policies(self) -> Iterable[tuple[Layer, AttachedPolicy]]:
        cell = self._cell
        for policy in cell.sender.identity_policies:
            yield Layer.IDENTITY_POLICY, policy
        if cell.sender.boundary is not None:
            yield Layer.PERMISSIONS_BOUNDARY, cell.sender.boundary
        for level in cell.decider.scp_chain(cell.sender).levels or ():
            for policy in level:
                yield Layer.SERVICE_CONTROL_POLICY, policy
        asked = [cell.identity]
        for check in cell.of("recipients"):
            found = cell.model.identities.get(check.request.check.resource)
            asked += [] if found is None or found in asked else [found]
        for identity in asked:
            for policy in identity.policies:
                yield Layer.SENDING_AUTHORIZATION_POLICY, policy

    def _denial(self, denial: Denial) -> Evidence:
        if denial.kind == "explicit":
            for layer, policy in self._policies():
                if (
                    layer is denial.layer
                    and denial.policy == (policy.arn or policy.name)
                    and (layer is Layer.IDENTITY_POLICY or denial.target == policy.target)
                    and any(
                        s.index == denial.statement_index and s.effect == "Deny"
                        for s in policy.document.statements
                    )
                ):
                    return self._evidence(layer, "deny", policy, denial.statement_index)
        attached = self._cell.sender.arn
        if denial.layer is Layer.SERVICE_CONTROL_POLICY:
            attached = self._target(denial.target)
        elif denial.layer is Layer.SENDING_AUTHORIZATION_POLICY:
            attached = self._cell.identity.arn
        name = None if denial.policy is None else denial.policy.rsplit("/", 1)[-1]
        return Evidence(str(denial.layer), "lack", denial.policy, name, attached_to=attached)

    def _target(self, target: str | None) -> str:
        name = self._cell.model.organization.target_name(target)
        return f"{name} ({target})" if target and name != target else name

    def _evidence(
        self,
        layer: Layer,
        effect: Any,
        policy: AttachedPolicy,
        index: int | None,
        note: str = "",
    ) -> Evidence:
        attached = self._cell.sender.arn
        if layer is Layer.IDENTITY_POLICY and policy.target:
            attached = f"group {policy.target}"
        elif layer is Layer.SERVICE_CONTROL_POLICY:
            attached = self._target(policy.target)
        elif layer is Layer.SENDING_AUTHORIZATION_POLICY:
            attached = policy.target or self._cell.identity.arn
        sid = next((s.sid for s in policy.document.statements if s.index == index), None)
        return Evidence(
            str(layer),
            effect,
            policy.arn or policy.name,
            policy.name,
            sid,
            index,
            statement_text(self._cell.model, policy, index),
            attached,
            note,
        )

    def _allows(self, layer: Layer) -> tuple[Evidence, ...]:
        """The statements that allow the sender check, in the example request."""
        tree = next(check for check in self._cell.explained if check.id == "sender").decision
        found = next(result for result in tree.layers if result.layer is layer)
        return tuple(
            self._evidence(layer, "allow", result.policy, each.statement.index)
            for level in found.levels
            for result in level.policies
            for each in result.statements
            if each.matched and each.statement.effect == "Allow"
        )

    def _conditional_allows(self) -> list[Evidence]:
        return [
            self._evidence(Layer.IDENTITY_POLICY, "allow", policy, statement.index)
            for policy in self._cell.sender.identity_policies
            for statement in policy.document.statements
            if statement.effect == "Allow" and statement.conditions
        ]


def _once(denials: Iterable[Denial]) -> list[Denial]:
    return list(dict.fromkeys(denials))


def statement_text(model: Model, policy: AttachedPolicy, index: int | None) -> str | None:
    """A statement as JSON, as the document holds it; None where the text was not kept."""
    text = model.documents.text(policy.document.digest)
    if text is None or index is None:
        return None
    found = json.loads(text)["Statement"]
    statements = found if isinstance(found, list) else [found]
    return json.dumps(statements[index], indent=1, ensure_ascii=False)
