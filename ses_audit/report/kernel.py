"""A kernel of this interpreter, reached through a socket that only its owner can open."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import zmq
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager

__all__ = ["ARGV", "Kernel", "kernel_environment", "transport"]

ARGV = (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}")
"""No kernelspec is asked: a user's own `python3` may be another interpreter."""

# The longest name of a kernel's socket adds this to the connection file's.
_SOCKET = "-ipc-5"
_SECRET = ("AWS_", "SES_AUDIT_")


def transport(folder: Path) -> str:
    """`ipc`, or `tcp` where the system has no such sockets or the folder's path is too long."""
    longest = len(os.fsencode(folder / f"kernel{_SOCKET}"))
    return "ipc" if zmq.has("ipc") and longest < zmq.IPC_PATH_MAX_LEN else "tcp"


def kernel_environment(folder: Path, without: Sequence[str] = ()) -> dict[str, str]:
    """The environment of a kernel: no credentials, and none of the user's IPython profile.

    Parameters
    ----------
    folder
        Where the kernel keeps its own files.
    without
        More variables to leave out, such as that of the external id.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_SECRET) and name not in without
    }
    return {
        **kept,
        "IPYTHONDIR": str(folder / "ipython"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        # A report looks the same wherever it was made.
        "TZ": "UTC",
    }


class Kernel(AsyncKernelManager):
    """A kernel manager that asks no kernelspec and opens no TCP port.

    `papermill.execute_notebook(km=...)` passes it on to nbclient, which starts the kernel and
    leaves stopping it to us. Neither documents this; tests/report/test_kernel.py pins it.
    """

    # traitlets gives every HasTraits an untyped constructor.
    def __init__(self, folder: Path, cwd: Path, environment: Mapping[str, str]) -> None:
        super().__init__(
            kernel_name="python3",
            transport=transport(folder),
            connection_file=str(folder / "kernel.json"),
        )
        self._kernel_spec = KernelSpec(argv=list(ARGV), display_name="Python 3", language="python")
        self.log_path = folder / "kernel.log"
        self._cwd = cwd
        self._environment = dict(environment)
        self._clients: list[AsyncKernelClient] = []
        self._output: IO[bytes] | None = None
        self._killed = False

    async def start_kernel(self, **options: Any) -> None:  # type: ignore[override]
        """Start it in its folder, with its environment; what it prints goes to `log_path`."""
        if self.was_killed():
            raise RuntimeError("stopped before the kernel started")
        self._output = self.log_path.open("wb")
        options |= {
            "cwd": str(self._cwd),
            "env": self._environment,
            "stdout": self._output,
            "stderr": subprocess.STDOUT,
        }
        await super().start_kernel(**options)
        if self.was_killed():
            self.kill()

    def client(self, **options: Any) -> AsyncKernelClient:  # type: ignore[override]
        """A client, which `stop` will stop."""
        made = super().client(**options)
        self._clients.append(made)
        return made

    def was_killed(self) -> bool:
        """Whether `kill` was called, before the kernel started or after."""
        return self._killed

    def kill(self) -> None:
        """End the kernel at once, from any thread: what runs in it fails."""
        self._killed = True
        process = getattr(self.provisioner, "process", None)
        if process is not None:
            process.kill()

    def last_words(self) -> str:
        """The last line that the kernel printed, such as how it crashed."""
        try:
            lines = self.log_path.read_text(errors="replace").strip().splitlines()
        except OSError:
            return ""
        return lines[-1] if lines else ""

    async def stop(self) -> None:
        """End the kernel and give back everything of it."""
        for client in self._clients:
            client.stop_channels()
        self._clients.clear()
        if self.has_kernel:
            await self.shutdown_kernel(now=True)
        await self.cleanup_resources()
        if self._output is not None:
            self._output.close()
