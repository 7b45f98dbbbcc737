"""The example organization with names that a hostile member account chose."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from example_world import make_snapshot

from ses_audit.replay.example import example_records

FORMULA = "=cmd|' /C calc'!A0"
"""A service principal that a spreadsheet would take for a formula."""
PATH = "/</script><svg/onload=alert(1)>/../"
"""An IAM path: any of `!` to `~`."""
IDENTITY = "shop\u202e\u001b]8;;http://evil.example\u0007.example"
"""An identity's name: anything."""


def make_hostile(path: Path) -> Path:
    """Write the snapshot."""
    changes = {
        json.dumps("cognito-idp.amazonaws.com")[1:-1]: json.dumps(FORMULA)[1:-1],
        ":role/deploy": f":role{PATH}deploy",
        json.dumps("shop.example")[1:-1]: json.dumps(IDENTITY)[1:-1],
    }
    records = []
    for record in example_records():
        texts = [json.dumps(record.response), json.dumps(record.request)]
        for old, new in changes.items():
            # A policy document is JSON inside JSON.
            texts = [text.replace(old, new) for text in texts]
        response, request = map(json.loads, texts)
        records.append(replace(record, response=response, request=request))
    return make_snapshot(path, records)
