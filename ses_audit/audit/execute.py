"""A snapshot decided by any number of workers, to the same bytes.

Workers answer batch by batch; their answers are numbered in the order of the batches and written
as they come, so that no more than a few are held.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Protocol

import numpy as np
import pyarrow as pa

from ses_audit import __version__
from ses_audit.audit.columns import BATCH, Columns, Integers
from ses_audit.audit.knowledge import Knowledge
from ses_audit.audit.model import Source
from ses_audit.audit.plan import Plan, make_plan
from ses_audit.audit.tasks import OthersTask, Part, ready, run, run_others, run_task, sender_rows
from ses_audit.audit.verdict_tables import SCHEMAS
from ses_audit.snapshot.fan_out import FanOut
from ses_audit.snapshot.store import Snapshot

__all__ = ["Sink", "Tables", "decide", "decide_snapshot"]


class Sink(Protocol):
    """Takes the rows of the verdict tables, in order."""

    def write(self, name: str, rows: pa.Table) -> None:
        """Take rows of one table."""


class Tables:
    """A sink in memory."""

    def __init__(self) -> None:
        self._parts: dict[str, list[pa.Table]] = {name: [] for name in SCHEMAS}

    def write(self, name: str, rows: pa.Table) -> None:
        """Take rows of one table."""
        self._parts[name].append(rows)

    def tables(self) -> dict[str, pa.Table]:
        """The whole tables."""
        return {
            name: pa.concat_tables([SCHEMAS[name].empty_table(), *parts]).combine_chunks()
            for name, parts in self._parts.items()
        }


def decide(source: Source, actions: tuple[str, ...], size: int = BATCH) -> dict[str, pa.Table]:
    """Decide a snapshot, or tables in memory, in this process.

    Parameters
    ----------
    source
        What is decided.
    actions
        The send actions.
    size
        Principals of a batch.

    Returns
    -------
    dict
        The verdict tables by name.
    """
    columns = Columns(source, verify=True)
    plan = make_plan(columns, actions, size)
    knowledge = Knowledge(columns, actions)
    sink = Tables()

    def parts() -> Iterator[Part]:
        for task in plan.tasks:
            if isinstance(task, OthersTask):
                yield run_others(knowledge, task)
            else:
                yield run(knowledge, task)

    _write(plan, parts(), actions, sink)
    return sink.tables()


def decide_snapshot(
    snapshot: Snapshot,
    actions: tuple[str, ...],
    sink: Sink,
    make_executor: Callable[[], Executor] | None = None,
    workers: int = 1,
    size: int = BATCH,
) -> None:
    """Decide a snapshot on the workers of an executor.

    A worker that dies takes its task with it: a new executor is made, and the task given out
    again, three times at most.

    Parameters
    ----------
    snapshot
        What is decided. Workers read it at the same path.
    actions
        The send actions.
    sink
        Takes the rows.
    make_executor
        Makes an executor of threads, processes or a cluster's workers; None for this process.
    workers
        How many it has.
    size
        Principals of a batch.

    Raises
    ------
    SnapshotError
        For a snapshot that is damaged, and where workers keep dying.
    """
    files = json.dumps(snapshot.manifest.get("files"), sort_keys=True)
    key = f"{__version__}/{hashlib.sha256(files.encode()).hexdigest()}"
    path = str(snapshot.path.resolve())
    with FanOut(make_executor, workers) as fan:
        # Workers start and read while the plan is made.
        fan.prepare(ready, path, key, actions)
        plan = make_plan(Columns(snapshot, verify=True), actions, size)
        # What the plan was made from is not held while others work.
        pa.default_memory_pool().release_unused()
        calls = ((path, key, actions, task) for task in plan.tasks)
        _write(plan, fan.in_order(run_task, calls), actions, sink)


def _write(plan: Plan, parts: Iterable[Part], actions: tuple[str, ...], sink: Sink) -> None:
    """Number the parts one after another, and write them."""
    rulings: dict[bytes, int] = {}
    first_sender, first_identity = 0, plan.specials
    for part in parts:
        before = len(rulings)
        numbers: Integers = np.array(
            [rulings.setdefault(digest, len(rulings)) for digest in part.digests], dtype=np.int64
        )
        _write_rulings(part, numbers, before, sink)
        sender_class, identity_class, place = part.pairs
        sink.write("senders", _numbered(part.senders, "sender_class", first_sender))
        sink.write("identities", _moved(part.identities, "identity_class", first_identity))
        # Senders that no table lists come after all others, in the last tasks.
        senders = first_sender + np.where(sender_class < 0, -1 - sender_class, sender_class)
        identities = _global(identity_class, first_identity)
        every = len(actions)
        cells = (
            np.repeat(senders, every),
            np.repeat(identities, every),
            np.tile(np.arange(every, dtype=np.int64), len(place)),
            numbers[part.instances][place].reshape(-1),
        )
        sink.write("cells", _cells(cells))
        first_sender += part.sender_classes
        first_identity += part.identity_classes
    others = range(first_sender, first_sender + len(plan.others))
    sink.write("senders", sender_rows(plan.others, others))
    sink.write("actions", pa.table([list(actions)], schema=SCHEMAS["actions"]))


def _write_rulings(part: Part, numbers: Integers, before: int, sink: Sink) -> None:
    """Write the rulings that no earlier part had, and their denials."""
    new = numbers >= before
    sink.write("rulings", part.rulings.filter(pa.array(new)))
    of = part.denials.column("ruling").to_numpy().astype(np.int64)
    kept = part.denials.filter(pa.array(new[of]))
    sink.write("denials", _with(kept, "ruling", numbers[of][new[of]]))


def _global(codes: Integers, first: int) -> Integers:
    """Special identities come first; those of a batch after those of the batches before."""
    found: Integers = np.where(codes < 0, -1 - codes, codes + first)
    return found


def _moved(table: pa.Table, name: str, first: int) -> pa.Table:
    codes = table.column(name).to_numpy().astype(np.int64)
    return _with(table, name, _global(codes, first))


def _numbered(table: pa.Table, name: str, first: int) -> pa.Table:
    return _with(table, name, table.column(name).to_numpy().astype(np.int64) + first)


def _with(table: pa.Table, name: str, values: Integers) -> pa.Table:
    place = table.schema.get_field_index(name)
    return table.set_column(place, table.schema.field(name), pa.array(values.astype(np.int32)))


def _cells(columns: Iterable[Integers]) -> pa.Table:
    schema = SCHEMAS["cells"]
    arrays = [
        pa.array(column, pa.int64()).cast(field.type)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.table(arrays, schema=schema)
