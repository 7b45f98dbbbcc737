"""How fast the collector is, against what the documented rates and the latency allow.

`make bench-collect`, or `python benchmarks/collect.py [ACCOUNTS ...]`: for each number of accounts
a replay server (a process of its own) with the documented rates and 150 ms a call, and a collection
through it with 17 regions and one identity in each: 68 calls of SES an account.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from ses_audit.collect.estimate import IN_FLIGHT, LATENCY, bound
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.progress import Silent
from ses_audit.collect.reference import load_data
from ses_audit.collect.run import collect, how_many
from ses_audit.replay.example_run import only_loopback
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import serve
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.ses.regions import opt_in_regions, ses_regions

REGIONS = tuple(r for r in ses_regions() if r not in opt_in_regions())[:17]
POLICIES = 10


def serve_until_closed(accounts: int) -> None:
    """Serve an organization; at the end of the input say what was asked, and what throttled."""
    rates = {
        f"{service}.{name}": (float(rate), float(burst))
        for service, operations in load_data("rates.json")["rates"].items()
        # IAM publishes none.
        if service != "iam"
        for name, (rate, burst) in operations.items()
    }
    recording = Recording(uniform_records(accounts, REGIONS, policies=POLICIES), account_id(0))
    with serve(recording, conditions=Conditions(latency=LATENCY, rates=rates)) as server:
        print(server.url, flush=True)
        sys.stdin.read()
        print(json.dumps({"calls": server.calls, "throttled": server.throttled}), flush=True)


def fullest(accounts: int, calls: dict[str, int]) -> dict[tuple[str, str], int]:
    """The calls of each operation's fullest bucket."""
    found = {}
    for name, count in calls.items():
        service, operation = name.split(".")
        shared = service in ("organizations", "sts")
        regions = len(REGIONS) if service == "sesv2" else 1
        found[service, operation] = count if shared else -(-count // (accounts * regions))
    return found


class Sampler:
    """The most memory that each process of this one's tree was seen to hold."""

    def __init__(self) -> None:
        self.workers = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Sampler:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.25):
            for process in Path("/proc").glob("[0-9]*"):
                try:
                    command = (process / "cmdline").read_bytes()
                    parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
                    if parent != os.getpid() or b"ses_audit.collect.worker" not in command:
                        continue
                    status = (process / "status").read_text()
                except OSError:
                    continue
                peak = int(status.split("VmHWM:")[1].split()[0])
                self.workers = max(self.workers, peak)


def measure(accounts: int) -> dict[str, Any]:
    """One collection."""
    server = subprocess.Popen(
        [sys.executable, __file__, "--serve", str(accounts)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdin is not None
    assert server.stdout is not None
    url = server.stdout.readline().strip()
    with (
        tempfile.TemporaryDirectory() as folder,
        only_loopback(url, account_id(0)),
        Sampler() as memory,
    ):
        options = CollectOptions(
            snapshot=Path(folder) / "snapshot",
            ses_regions=lambda partition: REGIONS,
            check_document=lambda text: None,
            regions=REGIONS,
        )
        begun = time.monotonic()
        made = collect(options, Silent())
        seconds = time.monotonic() - begun
        coverage = made.manifest["coverage"]
    told, _ = server.communicate()
    counts = json.loads(told)
    calls = sum(counts["calls"].values())
    lower = bound(fullest(accounts, counts["calls"]), calls, LATENCY, IN_FLIGHT)
    return {
        "accounts": accounts,
        "processes": how_many(accounts - 1, options)[0],
        "calls": calls,
        "bound": lower.seconds,
        "of": f"{lower.slowest} {lower.rates:.0f} s, latency {lower.latency:.0f} s",
        "seconds": seconds,
        "throttled": counts["throttled"],
        "complete": isinstance(coverage, dict) and coverage["complete"],
        "parent": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "worker": memory.workers / 1024,
    }


def main(sizes: list[int]) -> None:
    """Print a line for each size, and what 10,000 accounts would take."""
    print(
        f"{len(REGIONS)} regions, {LATENCY * 1000:.0f} ms a call, documented rates; the bound is "
        f"for {IN_FLIGHT} calls at a time, on {os.cpu_count()} cores that the server shares"
    )
    last: dict[str, Any] = {}
    for accounts in sizes:
        last = measure(accounts)
        throttled = sum(
            n for name, n in last["throttled"].items() if name.startswith("organizations.")
        )
        print(
            f"{accounts:6,} accounts: bound {last['bound']:6.1f} s ({last['of']}), "
            f"took {last['seconds']:6.1f} s, ratio {last['seconds'] / last['bound']:.2f}, "
            f"{last['calls'] / last['seconds']:4.0f} calls/s of {last['calls']:,}, "
            f"{last['processes']} workers, memory {last['parent']:.0f} MB, "
            f"{last['worker']:.0f} MB in a worker; "
            f"throttled {sum(last['throttled'].values())}, of Organizations {throttled}; "
            f"{'complete' if last['complete'] else 'NOT COMPLETE'}",
            flush=True,
        )
    rate = last["calls"] / last["seconds"]
    calls = last["calls"] / last["accounts"] * 10_000
    print(
        f"10,000 accounts: {calls:,.0f} calls; at {rate:.0f} calls/s {calls / rate / 60:.0f} min, "
        f"at {IN_FLIGHT} in flight at least {calls * LATENCY / IN_FLIGHT / 60:.0f} min (computed)"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve_until_closed(int(sys.argv[2]))
    else:
        main([int(argument) for argument in sys.argv[1:]] or [10, 100, 1000])
