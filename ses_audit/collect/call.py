"""One call of AWS: what is asked, and how its answer becomes a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

from ses_audit.collect.errors import Failure
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.ledger import continues
from ses_audit.snapshot.plan import Cell
from ses_audit.snapshot.shapes import is_empty, wrong_shape

__all__ = ["Call", "answered", "failed", "now"]

_DOCUMENTS = frozenset({"PolicyDocument", "AssumeRolePolicyDocument", "Document"})


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: one page of one item of a cell.

    Parameters
    ----------
    cell
        Which cell the answer belongs to.
    request
        The parameters, the page token among them.
    signer
        The account whose credentials sign.
    tokens
        The page tokens of the pages before.
    kept
        Whether the answer is evidence; a second look is not.
    """

    cell: Cell
    request: dict[str, object]
    signer: str
    tokens: frozenset[str] = frozenset()
    kept: bool = True

    @property
    def pace_key(self) -> tuple[str, str, str, str]:
        """What shares a rate limit with this call."""
        return (self.signer, self.cell.region, self.cell.service, self.cell.operation)


def now() -> str:
    """The time in UTC, ISO 8601; to the microsecond, so that pages sort in their order.

    Examples
    --------
    >>> now().endswith("Z")
    True
    """
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _record(
    call: Call,
    status: State,
    error: dict[str, str] | None,
    response: dict[str, object] | None,
    request_id: str,
) -> Record:
    return Record(*call.cell, call.request, status, error, response, request_id, 1, now())


def failed(call: Call, found: Failure, request_id: str = "") -> Record:
    """The record of a call that has no answer."""
    return _record(call, found.state, found.as_error(), None, request_id)


def answered(call: Call, response: Mapping[str, object]) -> Record:
    """The record of an answer: `OK`, `EMPTY`, or why it cannot count.

    Parameters
    ----------
    call
        What was asked.
    response
        botocore's answer, IAM's policy documents still percent-encoded
        (https://docs.aws.amazon.com/IAM/latest/APIReference/API_PolicyDetail.html).
    """
    metadata = response.get("ResponseMetadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    request_id = str(metadata.get("RequestId") or "")
    answer = {
        name: _plain(value, name, call.cell.service == "iam")
        for name, value in response.items()
        if name != "ResponseMetadata"
    }
    wrong = _wrong(call, answer)
    if wrong is not None:
        return _record(call, State.MALFORMED, _said("Malformed", wrong), None, request_id)
    token = continues(answer)
    if token is not None and (not token or token in call.tokens):
        why = "its page token came a second time" if token else "it is truncated and has no token"
        return _record(call, State.TRUNCATED, _said("Truncated", why), answer, request_id)
    empty = is_empty(call.cell.operation, answer)
    return _record(call, State.EMPTY if empty else State.OK, None, answer, request_id)


def _said(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}


def _wrong(call: Call, answer: Mapping[str, object]) -> str | None:
    if not answer:
        # Every operation here answers with something: botocore reads a proxy's page as nothing.
        return "the answer has no content"
    if answer.get("Regions") == [] and not call.tokens and continues(dict(answer)) is None:
        # Every account has regions: nothing of what is there may be left out by this.
        return "it names no region"
    return wrong_shape(call.cell.operation, answer)


def _plain(value: object, name: str, iam: bool) -> object:
    """Times as text, IAM's policy documents as they were put in."""
    if isinstance(value, dict):
        return {key: _plain(inner, key, iam) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner, name, iam) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if iam and name in _DOCUMENTS and isinstance(value, str):
        return unquote(value)
    return value
