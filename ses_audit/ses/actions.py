"""The seven send actions, and which condition keys each carries.

Source of each rule and its confidence: data/actions.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = [
    "CONFIDENCE",
    "SEND_ACTIONS",
    "SendAction",
    "carried_keys",
    "load_data",
    "load_entries",
    "send_action",
    "weakest",
]

CONFIDENCE = "DRIX"
"""Documented, reported, inferred, sources conflict: from the strongest to the weakest."""


@dataclass(frozen=True, slots=True)
class SendAction:
    """One send action.

    Parameters
    ----------
    name
        `ses:SendRawEmail`.
    condition_keys
        The SES keys that it carries, lower case; another SES key is absent from its requests.
    api_versions
        The values that `ses:ApiVersion` can have.
    template
        The resource type of the stored template that it must name, or None.
    optional_template
        The resource type of the stored template that it can name, or None.
    configuration_set
        Whether a configuration set is a resource of it.
    ways
        Ids of the ways (`data/ways.json`) that are checked as it.
    confidence
        D, R, I or X.
    identity_confidence
        That the identity is a resource of it.
    grant_confidence
        That a sending authorization policy can grant it to another account.
    """

    name: str
    condition_keys: frozenset[str]
    api_versions: tuple[str, ...]
    template: str | None
    optional_template: str | None
    configuration_set: bool
    ways: tuple[str, ...]
    confidence: str
    identity_confidence: str
    grant_confidence: str


@cache
def load_data(name: str) -> dict[str, object]:
    """A data file of this package, decoded."""
    text = files("ses_audit.ses").joinpath("data", name).read_text(encoding="utf-8")
    loaded: dict[str, object] = json.loads(text)
    return loaded


def load_entries(name: str, key: str) -> tuple[Mapping[str, Any], ...]:
    """The entries of a list of a data file.

    Raises
    ------
    TypeError
        When it is no list: the data file is broken.

    Examples
    --------
    >>> load_entries("checks.json", "checks")[0]["id"]
    'sender'
    """
    entries = load_data(name)[key]
    if not isinstance(entries, list):
        raise TypeError(f"{key} of {name} is no list")
    return tuple(entries)


def weakest(*codes: str) -> str:
    """The weakest of some confidences; D of none.

    Examples
    --------
    >>> weakest("D", "R", "D")
    'R'
    """
    return max(codes, key=CONFIDENCE.index, default="D")


def _load() -> tuple[SendAction, ...]:
    return tuple(
        SendAction(
            name=entry["action"],
            condition_keys=frozenset(key.lower() for key in entry["condition_keys"]),
            api_versions=tuple(entry["api_versions"]),
            template=entry["template"],
            optional_template=entry["optional_template"],
            configuration_set=entry["configuration_set"],
            ways=tuple(entry["ways"]),
            confidence=entry["confidence"],
            identity_confidence=entry["identity_confidence"],
            grant_confidence=entry["grant_confidence"],
        )
        for entry in load_entries("actions.json", "send_actions")
    )


SEND_ACTIONS: tuple[SendAction, ...] = _load()
"""In the order of the data file."""


@cache
def send_action(name: str) -> SendAction:
    """The send action of this name; the name ignores case.

    Raises
    ------
    KeyError
        When it is no send action.

    Examples
    --------
    >>> send_action("ses:sendrawemail").name
    'ses:SendRawEmail'
    """
    for action in SEND_ACTIONS:
        if action.name.lower() == name.lower():
            return action
    raise KeyError(name)


@cache
def carried_keys(name: str) -> frozenset[str]:
    """The SES condition keys, lower case, of a send action or of another action of a send.

    Raises
    ------
    KeyError
        When no check of a send asks for this action.

    Examples
    --------
    >>> sorted(carried_keys("ses:ApplyTrackingConfigurationOverrides"))
    ['ses:clicktrackingenabled', 'ses:opentrackingenabled']
    """
    for entry in load_entries("actions.json", "other_actions"):
        if entry["action"].lower() == name.lower():
            return frozenset(key.lower() for key in entry["condition_keys"])
    return send_action(name).condition_keys
