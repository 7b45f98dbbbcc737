"""The seven send actions: which condition keys each carries, and by which ways it is reached."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

__all__ = ["SEND_ACTIONS", "SendAction", "load_data", "send_action"]


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
    configuration_set
        Whether a configuration set is a resource of it.
    ways
        How a sender comes to it.
    confidence
        D, R, I or X.
    """

    name: str
    condition_keys: frozenset[str]
    api_versions: tuple[str, ...]
    template: str | None
    configuration_set: bool
    ways: tuple[str, ...]
    confidence: str


@cache
def load_data(name: str) -> dict[str, object]:
    """A data file of this package, decoded."""
    text = files("ses_audit.ses").joinpath("data", name).read_text(encoding="utf-8")
    loaded: dict[str, object] = json.loads(text)
    return loaded


def _load() -> tuple[SendAction, ...]:
    entries = load_data("actions.json")["send_actions"]
    if not isinstance(entries, list):
        raise TypeError("send_actions is a list")
    return tuple(
        SendAction(
            name=entry["action"],
            condition_keys=frozenset(key.lower() for key in entry["condition_keys"]),
            api_versions=tuple(entry["api_versions"]),
            template=entry["template"],
            configuration_set=entry["configuration_set"],
            ways=tuple(entry["ways"]),
            confidence=entry["confidence"],
        )
        for entry in entries
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
