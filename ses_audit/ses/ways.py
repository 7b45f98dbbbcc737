"""The ways to send, and the action that each is checked as.

Source of each way and its confidence: data/ways.json.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from ses_audit.ses.actions import load_entries

__all__ = ["WAYS", "Way", "way", "ways_of"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to send.

    Parameters
    ----------
    id, name
        `v2-raw`; "v2 SendEmail, raw content".
    interface
        smtp, v1, v2, pinpoint-email or mail-manager.
    operation
        The API's operation; "" where there is none.
    action
        What IAM is asked for.
    api_version
        The value of `ses:ApiVersion`; None where AWS does not say.
    confidence
        D, R, I or X: that it is checked as this action.
    sender
        Who can take it: any principal, a user with an active access key, a rule's role.
    template
        The resource type of the stored template it names, or None.
    configuration_set, tracking_overrides
        Whether its request can name them.
    identity_arn, return_path_arn
        By which parameter or header a delegate sender names another's identity.
    note, source
        What else is known; the AWS page.
    """

    id: str
    name: str
    interface: str
    operation: str
    action: str
    api_version: str | None
    confidence: str
    sender: str
    template: str | None
    configuration_set: bool
    tracking_overrides: bool
    identity_arn: str | None
    return_path_arn: str | None
    note: str
    source: str


def _load() -> tuple[Way, ...]:
    return tuple(Way(**entry) for entry in load_entries("ways.json", "ways"))


WAYS: tuple[Way, ...] = _load()
"""In the order of the data file."""


@cache
def way(id: str) -> Way:
    """The way of this id.

    Raises
    ------
    KeyError
        When there is none.

    Examples
    --------
    >>> way("smtp").action, way("smtp").api_version
    ('ses:SendRawEmail', '2')
    """
    for known in WAYS:
        if known.id == id:
            return known
    raise KeyError(id)


@cache
def ways_of(action: str) -> tuple[Way, ...]:
    """The ways that are checked as an action; its name ignores case.

    Examples
    --------
    >>> [found.id for found in ways_of("ses:SendBulkTemplatedEmail")]
    ['v1-send-bulk-templated-email']
    """
    return tuple(known for known in WAYS if known.action.lower() == action.lower())
