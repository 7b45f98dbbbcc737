"""The kernel: this interpreter, no kernelspec, no TCP port, no credentials. Pins what papermill
and nbclient do not document."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import nbformat
import pytest
from tiny_notebooks import tiny

from ses_audit.report.kernel import ARGV, Kernel, kernel_environment, transport
from ses_audit.report.notebook_files import Notebook
from ses_audit.report.runner import run_notebooks

ASK = """
import json, os, sys
from ipykernel.kernelapp import IPKernelApp
app = IPKernelApp.instance()
print(json.dumps({
    "executable": sys.executable, "transport": app.transport, "cwd": os.getcwd(),
    "secrets": sorted(k for k in os.environ if k.startswith("AWS_") or "EXTERNAL" in k),
    "ipython": os.environ["IPYTHONDIR"], "zone": os.environ["TZ"],
}))
"""


def answer(folder: Path, **options: object) -> dict[str, object]:
    notebook = Notebook(Path("ask.ipynb"), tiny("ask", ASK))
    (outcome,) = run_notebooks([notebook], folder, {}, **options)  # type: ignore[arg-type]
    assert outcome.error == ""
    executed = nbformat.read(folder / "ask.ipynb", as_version=4)
    return dict(json.loads(executed.cells[-1].outputs[0].text))


def test_argv_is_this_interpreter() -> None:
    assert (sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}") == ARGV


def test_it_runs_here_over_a_socket_and_sees_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A kernelspec of the user's own that would never start.
    broken = tmp_path / "jupyter" / "kernels" / "python3"
    broken.mkdir(parents=True)
    (broken / "kernel.json").write_text('{"argv": ["/nowhere"], "display_name": "x"}')
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalr")
    monkeypatch.setenv("OUR_EXTERNAL_ID", "hush")
    run = tmp_path / "run"
    run.mkdir()
    found = answer(run, hidden=["OUR_EXTERNAL_ID"])
    assert found["executable"] == sys.executable
    assert found["transport"] == "ipc"
    assert found["cwd"] == str(run)
    assert found["secrets"] == []
    assert found["zone"] == "UTC"
    # Its own folder is gone with it.
    assert not Path(str(found["ipython"])).parent.exists()


def test_it_falls_back_to_tcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert transport(tmp_path / ("x" * 120)) == "tcp"
    monkeypatch.setattr("zmq.has", lambda name: False)
    assert transport(Path("/tmp")) == "tcp"
    assert answer(tmp_path)["transport"] == "tcp"


def test_one_killed_before_it_starts_never_does(tmp_path: Path) -> None:
    import asyncio

    kernel = Kernel(tmp_path, tmp_path, kernel_environment(tmp_path))
    kernel.kill()

    async def start() -> None:
        with pytest.raises(RuntimeError, match="before the kernel started"):
            await kernel.start_kernel()
        await kernel.stop()

    asyncio.run(start())
    assert kernel.last_words() == ""
