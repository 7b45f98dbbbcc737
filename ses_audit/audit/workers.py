"""Executors: processes of this machine, or the workers of a Dask cluster."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from multiprocessing import get_context
from multiprocessing.util import Finalize
from typing import Any

from ses_audit.errors import USAGE, UserError

__all__ = ["chosen", "dask", "processes"]

_CONNECT_SECONDS = 30


def chosen(workers: int | None, address: str | None) -> tuple[Callable[[], Executor] | None, int]:
    """What `--workers` and `--dask` ask for: what makes the executor, and how many workers it has.

    Parameters
    ----------
    workers
        How many; None for one for each core.
    address
        Of a Dask cluster, or None for processes of this machine.

    Returns
    -------
    tuple
        None where neither is given: this process alone.

    Examples
    --------
    >>> chosen(None, None)[0] is None, chosen(3, None)[1]
    (True, 3)
    """
    count = workers or os.cpu_count() or 1
    if address is not None:
        return dask(address, count), count
    return None if workers is None else processes(count), count


def processes(workers: int) -> Callable[[], Executor]:
    """Makes a pool of processes; each is started fresh, whatever this one holds.

    Parameters
    ----------
    workers
        How many.
    """

    def make() -> Executor:
        return ProcessPoolExecutor(
            workers, mp_context=get_context("spawn"), initializer=_leave_at_once
        )

    return make


def _leave_at_once() -> None:
    """End this process as it leaves: what it holds need not be freed piece by piece."""
    # After all that others registered; answers were sent when they were given.
    Finalize(None, os._exit, args=(0,), exitpriority=_LAST)


def dask_setup(worker: object) -> None:
    """What a worker of a local cluster does first.

    Source: https://docs.dask.org/en/stable/how-to/customize-initialization.html
    """
    _leave_at_once()


_LAST = -1000


def dask(address: str, workers: int, threads: int = 1) -> Callable[[], Executor]:
    """Makes an executor on a Dask cluster; it reads the snapshot at the same path.

    Parameters
    ----------
    address
        Of the cluster's scheduler, or `local`: a cluster of processes on this machine.
    workers
        How many processes a local cluster has.
    threads
        How many tasks each of them does at a time.

    Raises
    ------
    UserError
        Where the extra `dask` is not installed, or nothing answers.
    """

    def make() -> Executor:
        try:
            import distributed
        except ImportError as error:
            raise UserError(
                "Dask is not installed: pip install 'ses-audit[dask]', or use --workers", USAGE
            ) from error
        library: Any = distributed
        try:
            if address == "local":
                # On loopback only, and without a web page.
                cluster = library.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=threads,
                    host="127.0.0.1",
                    dashboard_address=None,
                    # It listens all the same, by default where another cluster does already.
                    scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                    silence_logs=logging.ERROR,
                    # Each worker calls this module's `dask_setup`.
                    preload=[__name__],
                )
                return _Owned(library.Client(cluster), cluster)
            return _Owned(library.Client(address, timeout=_CONNECT_SECONDS), None)
        except (OSError, ValueError) as error:
            raise UserError(f"no Dask scheduler answers at {address[:200]}: {error}") from error

    return make


class _Owned(Executor):
    """A client's executor that closes its client, and its cluster, when it is shut down."""

    def __init__(self, client: Any, cluster: Any) -> None:
        self._client = client
        self._cluster = cluster
        self._executor = client.get_executor(pure=False)

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        return self._executor.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._executor.shutdown(wait=wait)
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()
