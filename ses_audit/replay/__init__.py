"""AWS on loopback: recorded answers, served to an unmodified boto3.

Only `AWS_ENDPOINT_URL` and made-up credentials are set; every answer is serialized from botocore's
own service models.
"""

from __future__ import annotations

from ses_audit.replay.recording import Recording
from ses_audit.replay.server import Server, serve

__all__ = ["Recording", "Server", "serve"]
