"""A statement as its policy has it: the text at its place in the document."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ses_audit.policy import MalformedPolicy
from ses_audit.policy.json_text import loads

if TYPE_CHECKING:
    from ses_audit.audit.organization import Organization

__all__ = ["scp_statement", "statement_text"]


def statement_text(document: str | None, index: int | None) -> str:
    """One statement of a policy text, laid out; "" where it can't be had.

    Parameters
    ----------
    document
        The policy's text.
    index
        The statement's place, from 0.

    Examples
    --------
    >>> statement_text('{"Statement": {"Effect": "Deny"}}', 0)
    '{\\n  "Effect": "Deny"\\n}'
    """
    if document is None or index is None:
        return ""
    try:
        loaded = loads(document)
    except MalformedPolicy:
        return ""
    if not isinstance(loaded, dict):
        return ""
    statements = next((v for k, v in loaded.items() if k.lower() == "statement"), None)
    listed = statements if isinstance(statements, list) else [statements]
    if not 0 <= index < len(listed) or not isinstance(listed[index], dict):
        return ""
    return json.dumps(listed[index], indent=2, ensure_ascii=False)


def scp_statement(organization: Organization, policy: str, index: int | None) -> str:
    """The text of one statement of an SCP."""
    return statement_text(organization.policy_text(policy), index)
