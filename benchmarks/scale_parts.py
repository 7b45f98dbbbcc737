"""Of `scale.py`: from evidence to tables, and the questions that notebooks ask.

Bounds are held by CPU seconds of all threads and processes: on two quiet cores the clock shows
less, and on a busy machine only they mean something.
"""

from __future__ import annotations

import hashlib
import os
import resource
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as parquet

import ses_audit
from ses_audit.audit import Audit
from ses_audit.audit.documents import check_document
from ses_audit.audit.workers import dask, processes
from ses_audit.errors import UserError
from ses_audit.replay.generate import Generated, Size
from ses_audit.replay.generate_records import TAKEN, write_evidence
from ses_audit.report.cell_frames import can_send, stopped
from ses_audit.report.pages import PAGES
from ses_audit.snapshot.build import finish_snapshot
from ses_audit.snapshot.evidence import evidence_accounts, snapshot_records
from ses_audit.snapshot.ledger import Ledger
from ses_audit.snapshot.store import Snapshot, create_snapshot

__all__ = ["Cost", "Peak", "cost_of", "questions", "tables"]

WORKERS = 2
MOST_OF_A_PRINCIPAL = 0.2
"""Milliseconds of CPU from its evidence to its rows."""
MOST_OF_A_TABLE = 2.0
"""Seconds of CPU of one table of a notebook."""

Line = Callable[..., None]


class Cost(NamedTuple):
    """What something took: this process, its threads and the processes that it started."""

    seconds: float
    cpu: float
    answer: Any


def cost_of(call: Callable[[], Any]) -> Cost:
    """Do something, and say what it took."""
    names = ("user", "system", "children_user", "children_system")
    before, began = os.times(), time.perf_counter()
    answer = call()
    seconds, after = time.perf_counter() - began, os.times()
    return Cost(seconds, sum(getattr(after, n) - getattr(before, n) for n in names), answer)


def children() -> list[int]:
    """This process and all below it."""
    found, waiting = [], [os.getpid()]
    while waiting:
        found.append(waiting.pop())
        for task in Path(f"/proc/{found[-1]}/task").glob("*/children"):
            with suppress(OSError):
                waiting += map(int, task.read_text().split())
    return found


class Peak(threading.Thread):
    """The most memory that this process and those below it hold."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.bytes = 0
        """Together."""
        self.largest = 0
        """The largest process below this one."""
        self.going = True

    def run(self) -> None:
        page = os.sysconf("SC_PAGE_SIZE")
        while self.going:
            held = 0
            for process in children():
                try:
                    own = int(Path(f"/proc/{process}/statm").read_text().split()[1]) * page
                except (OSError, IndexError):
                    continue
                held += own
                if process != os.getpid():
                    self.largest = max(self.largest, own)
            self.bytes = max(self.bytes, held)
            time.sleep(0.1)


def tables(folder: Path, size: Size, line: Line, bounds: bool) -> None:
    """(t) Evidence to tables: CPU a principal, memory of a worker, the same bytes."""
    path = folder / f"evidence-{size.accounts}-{size.principals}-{size.seed}"
    if not (path / "manifest.json").exists():
        shutil.rmtree(path, ignore_errors=True)
        cost = cost_of(lambda: write_evidence(path, Generated(size)))
        line(f"generated evidence of {size.accounts:,} accounts", f"{cost.cpu:.0f} s CPU")
    ledger = Ledger()
    for account in evidence_accounts(path):
        for record in snapshot_records(path, account):
            ledger.observe(record)

    def made(make: Callable[[], Executor] | None) -> Snapshot:
        with create_snapshot(path, started_at=TAKEN, resume=True) as writer:
            return finish_snapshot(
                writer,
                ledger,
                check_document,
                taken_at=TAKEN,
                make_executor=make,
                workers=WORKERS,
            )

    digests = set()
    ways: list[tuple[str, Callable[[], Executor] | None]] = [
        ("in this process", None),
        ("two processes", processes(WORKERS)),
        ("Dask with two", dask("local", WORKERS)),
    ]
    for name, make in ways:
        peak = Peak()
        peak.start()
        try:
            cost = cost_of(lambda make=make: made(make))
        except UserError as error:
            line(f"(t) tables, {name}", str(error)[:40])
            continue
        finally:
            peak.going = False
            peak.join()
        digests.add(_digest(path))
        rows = parquet.read_metadata(path / "tables/principals.parquet").num_rows
        each = cost.cpu / rows * 1_000
        line(
            f"(t) a principal's tables, {name}",
            f"{each:.3f} ms CPU",
            f"{MOST_OF_A_PRINCIPAL} ms",
            holds=each <= MOST_OF_A_PRINCIPAL if bounds else None,
        )
        if make is not None:
            line(f"(t) memory of a worker, {name}", f"{peak.largest / 2**20:.0f} MiB")
    line("(t) the same bytes", "yes" if len(digests) == 1 else "NO", holds=len(digests) == 1)


def _digest(path: Path) -> str:
    hashed = hashlib.sha256()
    for file in sorted((path / "tables").iterdir()):
        hashed.update(file.name.encode())
        hashed.update(file.read_bytes())
    return hashed.hexdigest()


def questions(snapshot: Snapshot, line: Line, bounds: bool) -> None:
    """(q) Each table of a notebook and each question of the API, the snapshot opened."""
    opened = cost_of(lambda: _open(snapshot.path))
    audit: Audit = opened.answer
    line("(q) a notebook opens the snapshot", f"{opened.cpu:.2f} s CPU, {opened.seconds:.2f} s")
    last = audit.organization.accounts[max(audit.organization.accounts)]
    account = last.id
    identity = str(audit.identities(account=account)["identity_arn"].iloc[0])
    asked: dict[str, Callable[[], Any]] = {
        "01 accounts()": audit.accounts,
        "01 principals()": audit.principals,
        "01 principals(account=)": lambda: audit.principals(account=account),
        "01 identities()": audit.identities,
        "01 coverage()": audit.coverage,
        "02 verdicts(account=)": lambda: audit.verdicts(account=account),
        "02 verdicts(verdict=ALLOWED)": lambda: audit.verdicts(verdict="ALLOWED"),
        "02 send_matrix(ou, region)": lambda: audit.send_matrix("ou", "region"),
        "02 send_matrix(account, region)": lambda: audit.send_matrix("account", "region"),
        "02 send_matrix(account=)": lambda: audit.send_matrix(account=account),
        "02 counts(ou, region)": audit.counts,
        "02 counts(policy)": lambda: audit.counts("policy", ""),
        "02 who_can_send(identity)": lambda: audit.who_can_send(identity),
        "02 cells to sort": lambda: can_send(audit),
        "03 scp_stops()": audit.scp_stops,
        "03 scp_stops(account=)": lambda: audit.scp_stops(account=account),
        "03 scp_denies(account=)": lambda: audit.scp_denies(account=account),
        "03 denials to sort": lambda: stopped(audit),
    }
    for name, call in asked.items():
        _told(name, cost_of(call), line, bounds)
    for name, page in PAGES.items():
        _told(f"{name}: the whole page", cost_of(lambda page=page: page(audit)), line, None)
        if name == "04_access_denied":
            continue
        whole = cost_of(lambda page=page: page(audit, account=account))
        _told(f"{name}: of one account", whole, line, bounds)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    line("(q) memory of this process", f"{peak / 2**20:.2f} GiB")


def _told(name: str, cost: Cost, line: Line, bounds: bool | None) -> None:
    holds = cost.cpu <= MOST_OF_A_TABLE if bounds else None
    bound = f"{MOST_OF_A_TABLE:.0f} s CPU" if bounds is not None else ""
    line(f"(q) {name}", f"{cost.cpu:.2f} s CPU, {cost.seconds:.2f} s", bound, holds=holds)


def _open(path: Path) -> Audit:
    audit = ses_audit.open(path)
    audit.summary()
    return audit
