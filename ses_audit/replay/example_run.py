"""Reading the example organization as a real one is read: over HTTP, with boto3."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ses_audit.replay.example import example_records
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import environment, serve

if TYPE_CHECKING:
    from ses_audit.collect.progress import Progress
    from ses_audit.snapshot.store import Snapshot

__all__ = ["collect_example", "collect_recording", "only_loopback"]

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@contextmanager
def only_loopback(url: str, account: str) -> Iterator[None]:
    """An environment in which boto3 asks the replay server and nothing else.

    What was inherited (`AWS_*`, proxies) is put back at the end.
    """
    inherited = dict(os.environ)
    for name in inherited:
        if name.startswith("AWS_") or name.lower() in _PROXIES:
            del os.environ[name]
    os.environ.update(environment(url, account))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(inherited)


def collect_recording(
    snapshot: Path,
    progress: Progress,
    recording: Recording,
    conditions: Conditions | None = None,
    **options: Any,
) -> Snapshot:
    """Collect what was recorded into a new snapshot, through the server.

    Parameters
    ----------
    snapshot
        The folder to make.
    progress
        Told how it goes.
    recording
        What AWS answers.
    conditions
        Page sizes, latency, rates, faults; by default none, and no pause between calls.
    **options
        Of `CollectOptions`.
    """
    from ses_audit.audit.documents import check_document
    from ses_audit.collect.options import CollectOptions
    from ses_audit.collect.pace import Pace
    from ses_audit.collect.reference import load_data
    from ses_audit.collect.run import collect
    from ses_audit.ses.regions import ses_regions

    rates = load_data("rates.json")
    services = rates["rates"]
    if not isinstance(services, dict):
        raise TypeError("rates.json: rates is an object")
    # The server on loopback has no rate but those of `conditions`.
    unhurried = {
        **rates,
        "rates": {name: {"*": [10_000, 10_000]} for name in services},
        "first_wait": 0.01,
    }
    with (
        serve(recording, conditions=conditions) as server,
        only_loopback(server.url, recording.caller_account),
    ):
        given = CollectOptions(
            snapshot=snapshot, ses_regions=ses_regions, check_document=check_document, **options
        )
        return collect(given, progress, Pace(unhurried))


def collect_example(snapshot: Path, progress: Progress) -> Snapshot:
    """Collect the example organization into a new snapshot."""
    return collect_recording(snapshot, progress, Recording(example_records()))
