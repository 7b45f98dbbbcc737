"""The example organization: made-up data, and the records that AWS would have answered with."""

from __future__ import annotations

from ses_audit.replay.example.build import example_records

__all__ = ["example_records"]
