"""The files of an import: `ACCOUNT/REGION/SERVICE.OPERATION[.ARGUMENT].json` → records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.frames import MAX_RECORD
from ses_audit.snapshot.import_json import MalformedFile, read_answer
from ses_audit.snapshot.ledger import continues
from ses_audit.snapshot.plan import (
    ACCOUNT_OPERATIONS,
    ARGUMENTS,
    GLOBAL,
    ORGANIZATION_OPERATIONS,
    REGION_OPERATIONS,
    REGIONS_BY_EC2,
)
from ses_audit.snapshot.shapes import is_empty, wrong_shape

__all__ = ["USED", "Call", "call_of", "found_files", "record_of"]

_ACCOUNT = re.compile(r"[0-9]{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,5}(-[a-z]+)+-[0-9]{1,2}", re.ASCII)
_NAME = re.compile(r"([a-z0-9]+)\.([a-z0-9-]+)(?:\.(.+))?\.json", re.DOTALL)

USED = {
    *(("organizations", name) for name in ORGANIZATION_OPERATIONS),
    ("organizations", "ListParents"),
    ("organizations", "ListPoliciesForTarget"),
    *ACCOUNT_OPERATIONS,
    REGIONS_BY_EC2,
    *(("sesv2", name) for name in REGION_OPERATIONS),
    ("sesv2", "GetConfigurationSet"),
}

# What the CLI prints when a call fails, should the file hold that instead of an answer.
_ERROR = re.compile(
    r"\s*(?:aws: \[ERROR\]: )?An error occurred \((\w+)\) when calling the \w+ operation"
    r"(?: \([^)]*\))?: (.*)",
    re.DOTALL,
)
_STATES = (
    ("AWSOrganizationsNotInUse", State.EMPTY),
    ("NotFound", State.EMPTY),
    ("AccessDenied", State.DENIED),
    ("UnauthorizedOperation", State.DENIED),
    ("ExpiredToken", State.EXPIRED),
    ("Throttl", State.THROTTLED),
    ("TooManyRequests", State.THROTTLED),
    ("InternalFailure", State.SERVER_ERROR),
    ("ServiceException", State.SERVER_ERROR),
)


@dataclass(frozen=True, slots=True)
class Call:
    """The call that a file answers, read off its name."""

    account: str
    region: str
    service: str
    operation: str
    request: dict[str, object]


def found_files(root: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every file below `root` with the parts of its name, sorted; links are not followed."""
    for path in sorted(root.rglob("*")):
        if path.is_symlink() or not path.is_dir():
            yield path, path.relative_to(root).parts


def call_of(parts: tuple[str, ...]) -> Call | str:
    """The call that a file answers, or why the file is not used.

    Examples
    --------
    >>> call_of(("222222222222", "eu-west-1", "sesv2.get-email-identity.news%40example.com.json")
    ... ).request
    {'EmailIdentity': 'news@example.com'}
    """
    if len(parts) != 3 or not _ACCOUNT.fullmatch(parts[0]):
        return "not ACCOUNT/REGION/FILE"
    account, region, file = parts
    match = _NAME.fullmatch(file)
    if match is None:
        return "not SERVICE.OPERATION[.ARGUMENT].json"
    service, operation = match[1], "".join(word.capitalize() for word in match[2].split("-"))
    if (service, operation) not in USED:
        return "a call that the audit does not use"
    if (service == "sesv2") is (region == GLOBAL) or not (
        region == GLOBAL or _REGION.fullmatch(region)
    ):
        return f"{service} does not stand in a folder {region[:40]}"
    name = ARGUMENTS.get(operation)
    if (name is None) is not (match[3] is None):
        return "its name lacks the argument" if name else "its name has an argument too many"
    request: dict[str, object] = {}
    if name is not None:
        request[name] = unquote(match[3])
        if operation == "ListPoliciesForTarget":
            target, _, kind = unquote(match[3]).partition(".")
            request = {"TargetId": target, "Filter": kind or "SERVICE_CONTROL_POLICY"}
    return Call(account, region, service, operation, request)


def record_of(path: Path, call: Call) -> Record:
    """Read one file; a file that is no answer gives a record that says so."""
    blank = Record(
        call.account, call.region, call.service, call.operation, call.request,
        State.OK, None, None, "", 1, "",
    )  # fmt: skip
    try:
        if path.is_symlink():
            return _failed(blank, State.MALFORMED, "SymbolicLink", "a symbolic link")
        status = path.stat()
        if status.st_size > MAX_RECORD:
            return _failed(blank, State.MALFORMED, "TooLarge", f"over {MAX_RECORD:,} bytes")
        content = path.read_bytes()
    except OSError as error:
        return _failed(blank, State.MALFORMED, "Unreadable", error.strerror or "unreadable")
    time = datetime.fromtimestamp(int(status.st_mtime), UTC).isoformat().replace("+00:00", "Z")
    blank = replace(blank, time=time)
    try:
        answer = read_answer(content)
    except MalformedFile as error:
        return _error_text(blank, content) or _failed(
            blank, State.MALFORMED, "MalformedFile", str(error)
        )
    wrong = wrong_shape(call.operation, answer)
    if wrong is not None:
        return _failed(blank, State.MALFORMED, "MalformedFile", f"not its answer: {wrong}")
    if continues(answer) is not None:
        return replace(
            blank,
            status=State.TRUNCATED,
            error={"code": "Truncated", "message": "the file holds one page, and names a next"},
            response=answer,
        )
    empty = is_empty(call.operation, answer)
    return replace(blank, status=State.EMPTY if empty else State.OK, response=answer)


def _failed(record: Record, state: State, code: str, message: str) -> Record:
    return replace(record, status=state, error={"code": code, "message": message})


def _error_text(record: Record, content: bytes) -> Record | None:
    match = _ERROR.match(content[:20_000].decode("utf-8", "replace"))
    if match is None:
        return None
    code, message = match[1], " ".join(match[2].split())
    state = next((state for part, state in _STATES if part in code), State.SERVER_ERROR)
    return _failed(record, state, code, message)
