"""What SES checks after IAM has allowed a send: the verdict does not hold it, it is told beside.

Source of each gate and its confidence: data/gates.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ses_audit.ses.actions import load_entries

__all__ = ["Gate", "GateFacts", "gates"]

State = Literal["open", "closed", "partly", "unknown"]


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What is known of one send's account, region and identity. None says "not read".

    Parameters
    ----------
    verified
        Whether the identity is verified in its region.
    production_access, sending_enabled, enforcement_status
        Of the account in the region (GetAccount).
    configuration_set
        The set that is used; "" for none, None where it is not known.
    configuration_set_sending
        Whether sending is enabled for it.
    """

    verified: bool | None = None
    production_access: bool | None = None
    sending_enabled: bool | None = None
    enforcement_status: str | None = None
    configuration_set: str | None = ""
    configuration_set_sending: bool | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate and its state.

    `open`: it lets this send pass; `closed`: no send passes; `partly`: some sends pass;
    `unknown`: the evidence is missing, or it can never be known from a snapshot.
    """

    id: str
    state: State
    rule: str
    confidence: str
    note: str
    source: str


def gates(facts: GateFacts, action: str) -> tuple[Gate, ...]:
    """Each gate of a send, in the order of the data file; those that do not apply are left out.

    Parameters
    ----------
    facts
        What is known.
    action
        The send action: custom verification e-mails have a gate of their own.

    Returns
    -------
    tuple of Gate

    Examples
    --------
    >>> facts = GateFacts(verified=True, production_access=False, sending_enabled=True)
    >>> {gate.id: gate.state for gate in gates(facts, "ses:SendRawEmail")}["recipients_verified"]
    'partly'
    """
    states: dict[str, State | None] = {
        "identity_verified": _flag(facts.verified),
        "recipients_verified": _recipients(facts.production_access),
        "production_access": _flag(facts.production_access) if _custom(action) else None,
        "sending_enabled": _flag(facts.sending_enabled),
        "enforcement": _enforcement(facts.enforcement_status),
        "configuration_set_sending": _configuration_set(facts),
        "quota": "unknown",
    }
    found: list[Gate] = []
    for entry in load_entries("gates.json", "gates"):
        state = states[entry["id"]]
        if state is not None:
            found.append(
                Gate(
                    entry["id"],
                    state,
                    entry["rule"],
                    entry["confidence"],
                    entry["note"],
                    entry["source"],
                )
            )
    return tuple(found)


def _flag(value: bool | None) -> State:
    if value is None:
        return "unknown"
    return "open" if value else "closed"


def _recipients(production_access: bool | None) -> State:
    if production_access is None:
        return "unknown"
    return "open" if production_access else "partly"


def _custom(action: str) -> bool:
    return action.lower() == "ses:sendcustomverificationemail"


def _enforcement(status: str | None) -> State:
    if status is None:
        return "unknown"
    return "closed" if status == "SHUTDOWN" else "open"


def _configuration_set(facts: GateFacts) -> State | None:
    if facts.configuration_set == "":
        return None
    return _flag(facts.configuration_set_sending)
