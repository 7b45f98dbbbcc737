"""The IAM policy language: parse, match, evaluate, solve. Pure: standard library only."""

from __future__ import annotations

from ses_audit.policy.evaluate import evaluate
from ses_audit.policy.json_text import MalformedPolicy
from ses_audit.policy.parse import parse_document
from ses_audit.policy.types import (
    AttachedPolicy,
    Caller,
    Decision,
    Denial,
    Document,
    Effect,
    Layer,
    Layers,
    Request,
    Verdict,
)

__all__ = [
    "AttachedPolicy",
    "Caller",
    "Decision",
    "Denial",
    "Document",
    "Effect",
    "Layer",
    "Layers",
    "MalformedPolicy",
    "Request",
    "Verdict",
    "evaluate",
    "parse_document",
]
