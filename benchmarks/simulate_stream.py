"""`ses-audit simulate` of a long file: lines a second, and the memory of all its processes.

Each line is small and its own: another user, another policy, another resource, so that nothing is
found again. `benchmarks/simulate.py --stream` prints what this module measures.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

__all__ = ["Streamed", "streamed", "write_lines"]

_ACCOUNT = "111111111111"
_EVERY = 0.1
"""Seconds between two looks at the memory."""


class Streamed(NamedTuple):
    """One run of the command.

    Parameters
    ----------
    seconds
        Of the processor, of all processes.
    peak
        The most bytes that all processes had at one time; None where the system does not tell.
    largest
        The most bytes that one process had.
    """

    seconds: float
    peak: int | None
    largest: int


def _line(number: int) -> dict[str, Any]:
    user, domain = f"user{number}", f"d{number}.example.com"
    statement = {
        "Sid": f"Send{number}",
        "Effect": "Allow" if number % 3 else "Deny",
        "Action": ["ses:Send*", f"s3:Get{number}"],
        "Resource": f"arn:aws:ses:*:{_ACCOUNT}:identity/*{domain}",
        "Condition": {
            "StringLike": {"ses:FromAddress": [f"*@{domain}", "${aws:username}@*"]},
            "NumericLessThan": {"aws:MultiFactorAuthAge": str(number)},
        },
    }
    return {
        "Id": number,
        "CallerArn": f"arn:aws:iam::{_ACCOUNT}:user/{user}",
        "ActionNames": ["ses:SendEmail"],
        "ResourceArns": [f"arn:aws:ses:eu-west-1:{_ACCOUNT}:identity/{domain}"],
        "PolicyInputList": [{"Version": "2012-10-17", "Statement": [statement]}],
        "ContextEntries": [
            {"ContextKeyName": name, "ContextKeyValues": [value]}
            for name, value in (
                ("aws:username", user),
                ("ses:FromAddress", f"news@{domain}"),
                ("aws:MultiFactorAuthAge", str(number + 1)),
            )
        ],
    }


def write_lines(path: Path, count: int) -> None:
    """Write so many requests, one a line; policies are texts in every other line."""
    with path.open("w") as file:
        for number in range(count):
            line = _line(number)
            if number % 2:
                line["PolicyInputList"] = [json.dumps(each) for each in line["PolicyInputList"]]
            file.write(json.dumps(line) + "\n")


def _memory(process: int) -> int:
    """The resident bytes of a process and of all under it; 0 for what has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
        under = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_memory(int(each)) for each in under)


def streamed(path: Path, workers: int) -> Streamed:
    """Run the command on a file; the results go nowhere."""
    program = [sys.executable, "-m", "ses_audit", "simulate", str(path)]
    began = os.times()
    most = 0
    process = subprocess.Popen([*program, "--workers", str(workers)], stdout=subprocess.DEVNULL)
    while True:
        # Waited for here: the usage of one run is read off, without that of runs before it.
        ended, status, usage = os.wait4(process.pid, os.WNOHANG)
        if ended:
            break
        most = max(most, _memory(process.pid))
        time.sleep(_EVERY)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"simulate ended with {process.returncode}")
    spent = os.times()
    seconds = spent.children_user + spent.children_system
    seconds -= began.children_user + began.children_system
    scale = 1 if sys.platform == "darwin" else 1024
    return Streamed(seconds, most or None, usage.ru_maxrss * scale)
