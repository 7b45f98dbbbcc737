"""A million principals: `make bench-scale`. The figures of docs/scale.md, in one run.

Organizations are generated once into a folder (`--folder`) and kept. `--small` makes everything a
hundredth of its size, to try the program; the bounds are of the full size on two quiet cores.
CPU seconds stand beside the clock's: on a busy machine only they mean something.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as parquet
from scale_parts import Cost, Peak, cost_of, questions, tables

from ses_audit.audit.audit import ACTIONS
from ses_audit.audit.columns import Columns
from ses_audit.audit.documents import check_document
from ses_audit.audit.execute import decide_snapshot
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.spread import class_counts
from ses_audit.audit.stored import VerdictWriter, has_verdicts
from ses_audit.audit.workers import dask, processes
from ses_audit.replay.generate import Generated, Size
from ses_audit.replay.generate_tables import write_tables
from ses_audit.snapshot.store import Snapshot, open_snapshot

OUTSIDE = Path(__file__).resolve().parent.parent / "tests" / "outside"
LARGE = Size(accounts=10_000, principals=100, identities=6, units=500, scps=300, regions=17)
TENTH = replace(LARGE, accounts=1_000)
WIDE = replace(TENTH, identities=60)
FEW = Size(accounts=20, principals=100, identities=20, units=8, scps=30, regions=3)
WORKERS = 2
SAMPLE = 1_000


class Run(NamedTuple):
    """What deciding one snapshot took."""

    seconds: float
    cpu: float
    peak: int
    """Bytes over all processes."""
    cells: int


def line(name: str, value: str, bound: str = "", *, holds: bool | None = None) -> None:
    """Print one figure with its bound."""
    mark = "" if holds is None else ("  ok" if holds else "  OVER")
    print(f"{name:<52} {value:>22}  {bound:<14}{mark}", flush=True)


def generated(folder: Path, size: Size) -> Snapshot:
    """The snapshot of a generated organization; made once."""
    name = "-".join(str(getattr(size, field)) for field in size.__slots__)
    path = folder / name
    if not (path / "manifest.json").exists():
        shutil.rmtree(path, ignore_errors=True)
        began = time.process_time()
        write_tables(path, Generated(size), check_document)
        line(f"generated {size.accounts:,} accounts", f"{time.process_time() - began:.0f} s CPU")
    return open_snapshot(path)


def decided(snapshot: Snapshot, make: Callable[[], Executor] | None = None) -> Run:
    """Decide a snapshot anew, from its tables to stored verdicts."""
    shutil.rmtree(snapshot.path / "verdicts", ignore_errors=True)
    peak = Peak()
    peak.start()
    before, began = os.times(), time.perf_counter()
    with VerdictWriter(snapshot) as writer:
        decide_snapshot(snapshot, ACTIONS, writer, make or processes(WORKERS), WORKERS)
        writer.finish()
    seconds, after = time.perf_counter() - began, os.times()
    peak.going = False
    peak.join()
    names = ("user", "system", "children_user", "children_system")
    cpu = sum(getattr(after, name) - getattr(before, name) for name in names)
    return Run(seconds, cpu, peak.bytes, cells_of(snapshot))


def cells_of(snapshot: Snapshot) -> int:
    """How many single cells the stored verdicts stand for."""
    names = ("senders", "identities", "cells")
    folder = snapshot.path / "verdicts"
    tables = {name: parquet.read_table(folder / f"{name}.parquet") for name in names}
    return int(class_counts(tables).sum())


def large(snapshot: Snapshot, bounds: bool) -> Run:
    """(a) From tables to stored verdicts, beside a DuckDB scan-and-group of the same tables."""
    import duckdb

    run = decided(snapshot)
    tables = snapshot.path / "tables"
    began = time.perf_counter()
    connection = duckdb.connect(":memory:", config={"threads": WORKERS})
    connection.execute(
        "SELECT account_id, type, boundary_arn, count(*), count(DISTINCT document_sha256) "
        f"FROM '{tables}/principals.parquet' LEFT JOIN '{tables}/principal_policies.parquet' "
        "USING (principal_arn) GROUP BY ALL"
    ).fetchall()
    scan = time.perf_counter() - began
    line("(a) cells", f"{run.cells:,}")
    line(
        "(a) tables to verdicts",
        f"{run.seconds:.1f} s",
        "20 s",
        holds=bounds_met(bounds, run.seconds, 20),
    )
    line(
        "(a) CPU of all processes",
        f"{run.cpu:.1f} s",
        "40 s",
        holds=bounds_met(bounds, run.cpu, 40),
    )
    line(
        "(a) memory of all processes",
        f"{run.peak / 2**30:.2f} GiB",
        "2 GiB",
        holds=bounds_met(bounds, run.peak, 2 << 30),
    )
    line("(a) DuckDB scan and group", f"{scan:.2f} s")
    line("(a) ratio to it", f"{run.seconds / scan:.1f}", "aim 20")
    stored = sum(path.stat().st_size for path in (snapshot.path / "verdicts").iterdir())
    line("(a) stored verdicts", f"{stored / 2**20:.1f} MiB")
    return run


def bounds_met(bounds: bool, value: float, most: float) -> bool | None:
    return value <= most if bounds else None


def growth(whole: Run, tenth: Run, wide: Run, bounds: bool) -> None:
    """(b) Ten times the accounts; ten times the identities of each account. By CPU seconds."""
    accounts, identities = whole.cpu / tenth.cpu, wide.cpu / tenth.cpu
    line("(b) a tenth of the accounts", f"{tenth.seconds:.1f} s, {tenth.cpu:.1f} s CPU")
    line(
        "(b) 10 x the accounts costs",
        f"{accounts:.1f} x",
        "11 x",
        holds=bounds_met(bounds, accounts, 11),
    )
    line("(b) 10 x the identities: cells", f"{wide.cells:,}")
    line(
        "(b) 10 x the identities of each costs",
        f"{identities:.1f} x",
        "3 x",
        holds=bounds_met(bounds, identities, 3),
    )


def peer(snapshot: Snapshot, whole: Run, few: Snapshot, bounds: bool) -> None:
    """(c) Verdicts a second beside iam-simulate, on a random sample of the same cells."""
    node = shutil.which("node")
    if node is None or not (OUTSIDE / "node_modules").is_dir():
        line("(c) iam-simulate", "not here: no Node")
        return
    for name, asked, most in (("the large", snapshot, 500), ("2,000 principals", few, 20)):
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.writelines(json.dumps(case) + "\n" for case in sample(asked))
            file.flush()
            program = [node, str(OUTSIDE / "iam_simulate_speed.mjs"), file.name, "1"]
            done = subprocess.run(program, capture_output=True, text=True, check=True, cwd=OUTSIDE)
        theirs = SAMPLE / min(json.loads(done.stdout)["seconds"])
        if asked is snapshot:
            ours = whole.cells / whole.seconds
        else:
            shutil.rmtree(asked.path / "verdicts", ignore_errors=True)
            seconds = command("decide", str(asked.path)).seconds
            ours = cells_of(asked) / seconds
        line(f"(c) iam-simulate on {name}", f"{theirs:,.0f} /s")
        line(f"(c) ours on {name}", f"{ours:,.0f} /s")
        line(
            "(c) ratio",
            f"{ours / theirs:,.0f} x",
            f"{most} x",
            holds=bounds_met(bounds, most, ours / theirs),
        )


def sample(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Random cells in iam-simulate's shape: all the documents that meet each."""
    chance = random.Random(1)
    columns = Columns(snapshot)
    knowledge = Knowledge(columns, ACTIONS)
    batch = chance.choice(columns.batches())
    principals = columns.principals(batch)
    found: list[dict[str, Any]] = []
    while len(found) < SAMPLE:
        row = principals.slice(chance.randrange(len(principals)), 1)
        (who,) = row.to_pylist()
        own = columns.rows("identities", [who["account_id"]])
        if not own or who["type"] == "root":
            continue
        identity, action = chance.choice(own), chance.choice(ACTIONS)
        policies, _ = columns.of_principals("principal_policies", row.column(0).combine_chunks())
        found.append(case(knowledge, who, policies.to_pylist(), identity, action))
    return found


def case(
    knowledge: Knowledge,
    who: dict[str, Any],
    policies: list[dict[str, Any]],
    identity: dict[str, Any],
    action: str,
) -> dict[str, Any]:
    """One cell as iam-simulate takes it."""

    def text(sha: str | None) -> str:
        return knowledge.documents.text(sha or "") or '{"Statement":[]}'

    chain = knowledge.organization.scp_chain(who["account_id"])
    made: dict[str, Any] = {
        "request": {
            "principal": who["principal_arn"],
            "action": action,
            "resource": {"resource": identity["identity_arn"], "accountId": who["account_id"]},
            "contextVariables": {"aws:RequestedRegion": identity["region"]},
        },
        "identityPolicies": [
            {"name": f"p{n}", "policy": text(p["document_sha256"])} for n, p in enumerate(policies)
        ],
        "serviceControlPolicies": [
            {
                "orgIdentifier": target,
                "policies": [{"name": p.name, "policy": text(p.document.digest)} for p in level],
            }
            for target, level in zip(chain.targets, chain.levels or (), strict=False)
        ],
        "resourceControlPolicies": [],
    }
    if who["boundary_arn"]:
        made["permissionBoundaryPolicies"] = [
            {"name": "boundary", "policy": text(who["boundary_sha256"])}
        ]
    return made


def command(*arguments: str) -> Cost:
    """What one call of the command line takes."""
    program = [sys.executable, "-m", "ses_audit", *arguments]
    return cost_of(lambda: subprocess.run(program, check=True, capture_output=True))


def commands(snapshot: Snapshot, bounds: bool) -> None:
    """(d) What a person waits for: user and system time of the command."""
    columns = Columns(snapshot)
    batch = columns.batches()[-1]
    row = columns.principals(batch).slice(50, 1).to_pylist()[0]
    identity = columns.rows("identities", [row["account_id"]])[0]
    asked = (
        f"554 Access denied: User {row['principal_arn']} is not authorized to perform "
        f"ses:SendRawEmail on resource {identity['identity_arn']}"
    )
    helped = min((command("--help") for _ in range(3)), key=lambda cost: cost.cpu)
    told = min(
        (command("explain", asked, "--snapshot", str(snapshot.path)) for _ in range(3)),
        key=lambda cost: cost.cpu,
    )
    for name, cost, most in (("ses-audit --help", helped, 0.3), ("explain one cell", told, 1)):
        line(
            f"(d) {name}",
            f"{cost.cpu:.2f} s CPU, {cost.seconds:.2f} s",
            f"{most} s CPU",
            holds=bounds_met(bounds, cost.cpu, most),
        )


def clusters(snapshot: Snapshot, pool: Run | None, bounds: bool) -> None:
    """(e) Dask with two worker processes beside the pool."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        line("(e) Dask", "not installed")
        return
    pool = decided(snapshot) if pool is None else pool
    cluster = decided(snapshot, dask("local", WORKERS))
    ratio = cluster.seconds / pool.seconds
    line("(e) pool of two processes", f"{pool.seconds:.1f} s")
    line("(e) Dask with two", f"{cluster.seconds:.1f} s")
    line("(e) ratio", f"{ratio:.2f} x", "1.3 x", holds=bounds_met(bounds, ratio, 1.3))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where organizations are kept")
    parser.add_argument("--small", action="store_true", help="a hundredth of everything")
    parser.add_argument("--only", default="tabcdeq", help="which figures: tabcdeq")
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.gettempdir()) / "ses-audit-scale"
    folder.mkdir(parents=True, exist_ok=True)
    bounds = not arguments.small

    def sized(size: Size) -> Size:
        if not arguments.small:
            return size
        few = max(10, size.accounts // 100)
        return replace(size, accounts=few, units=max(4, size.units // 100), scps=30)

    only = arguments.only
    if "t" in only:
        tables(folder, sized(TENTH), line, bounds)
    if not set(only) - {"t"}:
        return 0
    whole = generated(folder, sized(LARGE))
    run = large(whole, bounds) if set(only) & set("abc") else None
    tenth = generated(folder, sized(TENTH)) if "b" in only else None
    if run is not None and tenth is not None and "b" in only:
        growth(run, decided(tenth), decided(generated(folder, sized(WIDE))), bounds)
    if run is not None and "c" in only:
        peer(whole, run, generated(folder, FEW), bounds)
    if "d" in only:
        commands(whole, bounds)
    if "q" in only:
        if not has_verdicts(whole):
            decided(whole)
        questions(whole, line, bounds)
    if "e" in only:
        clusters(whole, run, bounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
