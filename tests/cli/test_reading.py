"""What `collect` and `run` share: the options that say how to read an organization."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from ses_audit.cli.collect import collect
from ses_audit.cli.reading import READING, options_of
from ses_audit.cli.run import run
from ses_audit.errors import USAGE, UserError

NOTHING = {
    "profile": None,
    "role_name": "ses-audit",
    "external_id_env": None,
    "accounts": (),
    "accounts_file": None,
    "units": (),
    "excluded": (),
    "regions": (),
    "workers": None,
    "processes": None,
    "address": None,
    "session_name": "ses-audit",
    "source_identity": None,
    "call_timeout": 60.0,
}


@pytest.mark.parametrize("command", [collect, run])
def test_both_commands_take_every_option(command: click.Command) -> None:
    assert set(READING) == set(NOTHING)
    assert set(READING) <= {parameter.name for parameter in command.params}


def test_accounts_of_a_file_and_named_ones_are_one_list(tmp_path: Path) -> None:
    listed = tmp_path / "accounts"
    listed.write_text("222222222222  # web\n\n333333333333\n")
    given = {**NOTHING, "accounts": ("111111111111",), "accounts_file": listed}
    asked = options_of(tmp_path / "snapshot", given)
    assert asked.accounts == ("111111111111", "222222222222", "333333333333")


def test_the_external_id_comes_from_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_ID", "between-us")
    asked = options_of(tmp_path, {**NOTHING, "external_id_env": "THE_ID"})
    assert asked.external_id == "between-us"
    assert "between-us" not in repr(asked)


def test_a_variable_that_is_not_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--external-id-env: .* NOT_SET is not set") as caught:
        options_of(tmp_path, {**NOTHING, "external_id_env": "NOT_SET"})
    assert caught.value.exit_code == USAGE


def test_a_cluster_reads_with_so_many_workers(tmp_path: Path) -> None:
    asked = options_of(tmp_path, {**NOTHING, "address": "local", "processes": 3})
    assert asked.make_executor is not None
    assert asked.executor_workers == 12
    assert options_of(tmp_path, NOTHING).make_executor is None


@pytest.mark.parametrize(
    "address", ["tcp://scheduler.example:8786", "scheduler:8786", "10.0.0.7:8786",
                "tcp://127.0.0.1.example:8786", "ws://127.0.0.1"],
)  # fmt: skip
def test_credentials_never_cross_a_network_as_they_are(tmp_path: Path, address: str) -> None:
    with pytest.raises(UserError) as caught:
        options_of(tmp_path, {**NOTHING, "address": address})
    assert str(caught.value) == (
        f"--dask {address}: the caller's credentials would cross the network as they are: name a "
        "scheduler by tls://, one on 127.0.0.1, or `local`"
    )
    assert caught.value.exit_code == USAGE


@pytest.mark.parametrize(
    "address", ["tls://scheduler.example:8786", "tcp://127.0.0.1:8786", "127.0.0.1:8786",
                "tcp://[::1]:8786", "tcp://localhost:8786"],
)  # fmt: skip
def test_an_address_that_keeps_them(
    tmp_path: Path, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ses_audit.audit.workers.dask", lambda *asked: lambda: ThreadPoolExecutor())
    assert options_of(tmp_path, {**NOTHING, "address": address}).make_executor is not None
