"""From an error of AWS or of the network to the typed state of a cell; the mapping is data."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ses_audit.collect.reference import load_data
from ses_audit.errors import UserError
from ses_audit.snapshot.coverage import State

__all__ = ["UNPARSABLE", "CollectFailure", "Failure", "NothingToRead", "failure", "unparsable"]

UNPARSABLE = (
    ResponseParserError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    RecursionError,
)
"""What botocore's parsers raise at a body that is not of the operation's shape."""

_ARN = re.compile(r"arn:aws[a-z-]*:(?:organizations|iam):[^\s,;\"']*[^\s,;\"'.)]", re.ASCII)
_BECAUSE = re.compile(r"with an explicit deny in an? |because no |no ", re.IGNORECASE)


class NothingToRead(UserError):
    """What a run was asked for leaves no account to read; nothing is kept of it."""


class CollectFailure(Exception):
    """A failure that has its state already, such as a role that could not be assumed again."""

    def __init__(self, found: Failure) -> None:
        super().__init__(found.message)
        self.failure = found


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call has no answer.

    `layer` and `policy_arn` are those of a denial, where the message names them.
    """

    state: State
    code: str
    message: str
    layer: str = ""
    policy_arn: str = ""

    def as_error(self) -> dict[str, str]:
        """The `error` of a record."""
        error = {"code": self.code, "message": self.message}
        if self.layer:
            error["layer"] = self.layer
        if self.policy_arn:
            error["policy_arn"] = self.policy_arn
        return error


def failure(error: BotoCoreError | ClientError | CollectFailure) -> Failure:
    """The state that an error stands for.

    Examples
    --------
    >>> answer = {"Error": {"Code": "TooManyRequestsException", "Message": "slow down"}}
    >>> failure(ClientError(answer, "GetAccount")).state
    <State.THROTTLED: 'THROTTLED'>
    """
    if isinstance(error, CollectFailure):
        return error.failure
    if isinstance(error, ClientError):
        return _of_client(error)
    name = type(error).__name__
    state = State.SERVER_ERROR
    for ancestor in type(error).__mro__:
        listed = next(
            (e for e in load_data("errors.json")["exceptions"] if e["class"] == ancestor.__name__),
            None,
        )
        if listed is not None:
            state = State(listed["state"])
            break
    if _no_such_name(error):
        state = State.NO_ENDPOINT
    return Failure(state, name, " ".join(str(error).split()))


def unparsable(error: Exception) -> Failure:
    """The failure of an answer that botocore could not read: a proxy's page, broken JSON.

    Examples
    --------
    >>> unparsable(ValueError("no JSON")).state.value
    'MALFORMED'
    """
    said = " ".join(f"{type(error).__name__}: {error}".split())[:200]
    return Failure(State.MALFORMED, "Malformed", f"the answer cannot be read ({said})")


def _no_such_name(error: BotoCoreError) -> bool:
    """Whether the name service answered that the endpoint's name does not exist.

    A refused connection or a name service that is down says nothing of the region.
    """
    cause: object = error.kwargs.get("error")
    while isinstance(cause, BaseException):
        if isinstance(cause, socket.gaierror):
            return cause.errno == socket.EAI_NONAME
        cause = cause.__cause__
    return False


def _of_client(error: ClientError) -> Failure:
    details = error.response.get("Error", {})
    code = str(details.get("Code") or "Unknown")
    message = " ".join(str(details.get("Message") or "").split())
    metadata = error.response.get("ResponseMetadata", {})
    http = int(metadata.get("HTTPStatusCode") or 0)
    state = next(
        (
            State(entry["state"])
            for entry in load_data("errors.json")["codes"]
            if code.startswith(entry["starts"])
        ),
        None,
    )
    if state is None:
        # A code that is not known: the status tells. 403 is a refusal, 429 a throttle.
        state = {403: State.DENIED, 401: State.DENIED, 429: State.THROTTLED}.get(
            http, State.SERVER_ERROR
        )
    if state is not State.DENIED:
        return Failure(state, code, message)
    return Failure(state, code, message, *_denial(message))


def _denial(message: str) -> tuple[str, str]:
    """(layer, policy ARN) of a denial; "" where the message does not say.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html

    Examples
    --------
    >>> _denial("not authorized to perform: ses:GetAccount with an explicit deny in a service "
    ...         "control policy: arn:aws:organizations::111111111111:policy/o-x/service_control_p")
    ('service_control_policy', 'arn:aws:organizations::111111111111:policy/o-x/service_control_p')
    """
    start = max((m.start() for m in _BECAUSE.finditer(message)), default=-1)
    if start < 0:
        return "", ""
    reason = message[start:]
    layer = next(
        (e["layer"] for e in load_data("errors.json")["layers"] if e["text"] in reason.lower()),
        "",
    )
    arn = _ARN.search(reason)
    return layer, arn[0] if layer and arn else ""
