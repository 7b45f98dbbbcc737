"""The `aws iam simulate-custom-policy` call that asks AWS what one line asks.

Source: https://docs.aws.amazon.com/cli/latest/reference/iam/simulate-custom-policy.html
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

from ses_audit.policy.principals import caller_of
from ses_audit.policy.simulation_request import AWS_FIELDS, read_request

__all__ = ["aws_call"]

_LONGEST_ARGUMENT = 131_071
"""What Linux takes as one argument."""


def aws_call(value: Mapping[str, object]) -> tuple[str, list[str]]:
    """One line as a shell command, and what of the line AWS does not know.

    Parameters
    ----------
    value
        The decoded line.

    Returns
    -------
    tuple
        The command, quoted for a POSIX shell; and remarks, one a line, on what the command leaves
        out or AWS will refuse.

    Raises
    ------
    InvalidRequest
        Where the line is no request.

    Examples
    --------
    >>> aws_call({"ActionNames": ["ses:SendEmail"], "OpenContext": True})[1]
    ['left out, AWS does not know it: OpenContext']
    """
    read_request(value)
    resource_policies = value.get("ResourcePolicyInputList") or []
    known = {key: each for key, each in value.items() if key in AWS_FIELDS and each is not None}
    added = [
        key
        for key, each in value.items()
        if key not in AWS_FIELDS and key != "Id" and each not in (None, [], False)
    ]
    if (
        isinstance(resource_policies, list)
        and len(resource_policies) == 1
        and "ResourcePolicy" not in known
    ):
        known["ResourcePolicy"] = resource_policies[0]
        added.remove("ResourcePolicyInputList")
    remarks = [f"left out, AWS does not know it: {name}" for name in added]
    request = {"PolicyInputList": [], **known}
    for name in ("PolicyInputList", "PermissionsBoundaryPolicyInputList"):
        if name in request:
            request[name] = _texts(request[name])
    if "ResourcePolicy" in request:
        request["ResourcePolicy"] = _text(request["ResourcePolicy"])
    levels = request.get("OrderedOrganizationPolicyInputList")
    if isinstance(levels, list):
        inner = "ServiceControlPolicyInputList"
        request["OrderedOrganizationPolicyInputList"] = [
            {inner: _texts(level.get(inner))} for level in levels
        ]
    owner = request.get("ResourceOwner")
    if isinstance(owner, str) and owner.isdigit():
        request["ResourceOwner"] = f"arn:aws:iam::{owner}:root"
    entries = request.get("ContextEntries")
    if isinstance(entries, list):
        request["ContextEntries"] = [
            {
                "ContextKeyType": "string",
                **entry,
                "ContextKeyValues": _texts(entry["ContextKeyValues"]),
            }
            for entry in entries
        ]
    caller = request.get("CallerArn")
    known_caller = caller_of(caller) if isinstance(caller, str) else None
    if known_caller is not None and known_caller.kind not in ("user", "role"):
        remarks.append(f"AWS takes no {known_caller.kind} as CallerArn")
    argument = json.dumps(request)
    if len(argument) > _LONGEST_ARGUMENT:
        remarks.append("too long for one argument: write it to a file and pass file://FILE")
    return (
        shlex.join(["aws", "iam", "simulate-custom-policy", "--cli-input-json", argument]),
        remarks,
    )


def _text(source: object) -> str:
    return source if isinstance(source, str) else json.dumps(source, separators=(",", ":"))


def _texts(sources: object) -> list[str]:
    return [_text(source) for source in sources] if isinstance(sources, list) else []
