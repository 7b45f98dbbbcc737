"""Snapshots in S3: whole or not there, compared with their manifest, made by one at a time."""

from __future__ import annotations

import json
import signal
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from collect_cases import CALLER, command, wait_for
from s3_server import BUCKET, client, objects, put, s3

import ses_audit
from ses_audit.cli import main
from ses_audit.replay.example import example_records
from ses_audit.replay.faults import Conditions
from ses_audit.replay.recording import Recording
from ses_audit.replay.server import environment, serve
from ses_audit.snapshot import remote
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.places import Address
from ses_audit.snapshot.store import create_snapshot, open_snapshot

PLACE = f"s3://{BUCKET}/2026-11-23"
WHERE = Address(BUCKET, "2026-11-23")


@pytest.fixture
def url(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(remote, "_copies", {})
    with s3(monkeypatch) as running:
        yield running


@pytest.fixture
def published(url: str, example_snapshot: Path) -> dict[str, bytes]:
    """The example in the bucket."""
    remote.publish(example_snapshot, WHERE, "t")
    return objects()


def test_what_is_copied_up_is_read_again(
    published: dict[str, bytes], example_snapshot: Path
) -> None:
    local = open_snapshot(example_snapshot)
    files = local.manifest["files"]
    assert isinstance(files, dict)
    assert set(published) == {WHERE.key(name) for name in [*files, "manifest.json"]}
    found = open_snapshot(PLACE)
    assert (found.manifest, found.named) == (local.manifest, PLACE)
    assert found.table("principals").equals(local.table("principals"))
    assert found.accounts() == local.accounts()
    for path in [found.path, *found.path.rglob("*")]:
        assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path
    # And what is asked of it is the same.
    frame = ses_audit.open(PLACE).verdicts()
    assert frame.equals(ses_audit.open(example_snapshot).verdicts())


def test_the_manifest_comes_last(
    url: str, example_snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a reader never sees a half; and there is none where it does not come."""
    put_keys: list[str] = []
    made = remote._client

    def watched(profile: str | None = None) -> Any:
        client = made(profile)
        client.meta.events.register(
            "provide-client-params.s3.PutObject",
            lambda params, **_: put_keys.append(params["Key"]),
        )
        return client

    monkeypatch.setattr(remote, "_client", watched)
    remote.publish(example_snapshot, WHERE, "t")
    assert put_keys[0] == WHERE.key(".lock")
    assert put_keys[-1] == WHERE.key("manifest.json")
    client().delete_object(Bucket=BUCKET, Key=WHERE.key("manifest.json"))
    with pytest.raises(SnapshotError) as error:
        open_snapshot(PLACE)
    assert str(error.value) == (
        f"no snapshot at {PLACE}: make one with `ses-audit collect {PLACE}`"
    )


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "shorter": lambda content: content[:-1],
    "longer": lambda content: content + b"x",
    "changed": lambda content: bytes([content[0] ^ 1]) + content[1:],
    "empty": lambda content: b"",
}


def test_a_file_that_is_not_what_the_manifest_says(published: dict[str, bytes]) -> None:
    for name in ("tables/principals.parquet", "evidence/222222222222.jsonl.zst"):
        for how, spoil in SPOILED.items():
            put(WHERE.key(name), spoil(published[WHERE.key(name)]))
            with pytest.raises(SnapshotError) as error:
                open_snapshot(PLACE)
            said = f"{PLACE}/{name} is truncated or was changed: make the snapshot again"
            assert str(error.value) == said, how
        put(WHERE.key(name), published[WHERE.key(name)])
    open_snapshot(PLACE)


def test_a_file_that_is_gone(published: dict[str, bytes]) -> None:
    client().delete_object(Bucket=BUCKET, Key=WHERE.key("times.parquet"))
    with pytest.raises(SnapshotError, match=f"cannot read {PLACE}: .*NoSuchKey") as error:
        open_snapshot(PLACE)
    assert "\n" not in str(error.value)


def test_a_manifest_that_names_something_else(published: dict[str, bytes]) -> None:
    """A bucket may be anybody's: no name that comes from it leaves the folder."""
    names = (
        "../outside", "/etc/outside", "tables/../../outside", "evidence/1.jsonl.zst", "notes.txt",
        "tables/x.parquet/../../../outside", "manifest.json", "verdicts/key.json", "", "a\nb",
    )  # fmt: skip
    for name in names:
        manifest = json.loads(published[WHERE.key("manifest.json")])
        manifest["files"][name] = {"sha256": "0" * 64, "bytes": 1}
        put(WHERE.key("manifest.json"), json.dumps(manifest).encode())
        with pytest.raises(SnapshotError) as error:
            open_snapshot(PLACE)
        assert str(error.value) == (
            f"{PLACE}/manifest.json names a file that is no part of a snapshot: make it again"
        ), name


def test_a_manifest_that_is_none(url: str) -> None:
    for content in (b"{", b"[]", b"{}", b"\xff"):
        put(WHERE.key("manifest.json"), content)
        with pytest.raises(SnapshotError, match=f"^{PLACE}") as error:
            open_snapshot(PLACE)
        assert "/tmp" not in str(error.value)


def test_a_place_that_is_taken(published: dict[str, bytes], example_snapshot: Path) -> None:
    for resume in (True, False):
        with pytest.raises(SnapshotError) as error:
            create_snapshot(PLACE, started_at="t", resume=resume)
        assert str(error.value) == (
            f"{PLACE} is a snapshot already, and one in S3 is not gone on with: name a new prefix"
        )
    assert objects() == published


def test_two_runs_on_one_place(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 lets one of them put the lock; another machine is told how to take a dead one's away."""
    first = create_snapshot(PLACE, started_at="2026-11-23T06:00:00Z", resume=True)
    with pytest.raises(SnapshotError, match=r"another run \(process [0-9]+\) writes to"):
        create_snapshot(PLACE, started_at="t", resume=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another machine"))
    with pytest.raises(SnapshotError) as error:
        create_snapshot(PLACE, started_at="t", resume=True)
    assert str(error.value) == (
        f"another run, begun 2026-11-23T06:00:00Z, writes to {PLACE}: wait for it; if it is dead, "
        f"`aws s3 rm {PLACE}/.lock`"
    )
    first.close()
    # Stopped, it keeps its place: the same machine goes on, another does not.
    with pytest.raises(SnapshotError, match="another run, begun"):
        create_snapshot(PLACE, started_at="t", resume=True)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    create_snapshot(PLACE, started_at="t", resume=True).close()


def test_what_cannot_be_gone_on_with_gives_its_place_free(url: str) -> None:
    create_snapshot(PLACE, started_at="t").close()
    assert objects() == {}
    create_snapshot(PLACE, started_at="t").close()


@pytest.mark.parametrize(
    ("place", "says"),
    [("s3://nobodys/x", "cannot (read|write) s3://nobodys/x: .*(404|NoSuchBucket)"),
     ("s3://nobodys", "is no place of a snapshot")],
)  # fmt: skip
def test_a_bucket_that_is_not_there(url: str, place: str, says: str) -> None:
    for act in (lambda: open_snapshot(place), lambda: create_snapshot(place, started_at="t")):
        with pytest.raises(SnapshotError) as error:
            act()
        assert "\n" not in str(error.value)
        assert place in str(error.value)


def test_a_network_that_is_away(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(SnapshotError, match=f"cannot read {PLACE}: Could not connect") as error:
        open_snapshot(PLACE)
    assert "\n" not in str(error.value)


def test_a_run_into_s3_that_is_stopped_goes_on(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Collected, stopped, gone on with, read: all by commands, on loopback."""
    more = {"AWS_ENDPOINT_URL_S3": url, "XDG_STATE_HOME": str(tmp_path / "state")}
    recording = Recording(example_records(), CALLER)
    with serve(recording, conditions=Conditions(latency=0.02)) as server:
        process = command(server, PLACE, "--workers", "2", more=more)
        wait_for(server, process, 60)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        assert set(objects()) == {WHERE.key(".lock")}
        server.calls.clear()
        process = command(server, PLACE, more=more)
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (0, f"{PLACE}\n"), err
        assert server.calls["organizations.DescribeOrganization"] == 0
        # Done, nothing is left on the machine, and nothing goes on with it.
        assert list((tmp_path / "state/ses-audit").iterdir()) == []
        process = command(server, PLACE, more=more)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2
        assert "is a snapshot already, and one in S3 is not gone on with" in err
    assert WHERE.key(".lock") not in objects()
    found = open_snapshot(PLACE)
    with serve(recording) as server:
        for name, value in environment(server.url, CALLER).items():
            monkeypatch.setenv(name, value)
        process = command(server, tmp_path / "local", more=more)
        process.communicate(timeout=60)
    local = open_snapshot(tmp_path / "local")
    for name in ("principals", "identities", "coverage", "principal_policies"):
        assert found.table(name).equals(local.table(name)), name


def test_verdicts_are_copied_up_once_and_read(
    published: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["ses-audit", *arguments])
        # Each command is a process of its own.
        monkeypatch.setattr(remote, "_copies", {})
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert not ended.value.code, said.err
        return said.out

    assert run("decide", PLACE) == f"decided: {PLACE}/verdicts\n"
    more = set(objects()) - set(published)
    assert WHERE.key("verdicts/key.json") in more
    assert run("decide", PLACE) == (
        f"the verdicts of {PLACE} are decided already; --again decides them anew\n"
    )
    assert "cells read" in run("status", PLACE)
    whole = run("verdicts", PLACE, "--format", "csv")
    # What was put in their place is not taken for them.
    key = next(key for key in sorted(more) if key.endswith(".parquet"))
    put(key, b"no Parquet")
    assert run("verdicts", PLACE, "--format", "csv") == whole


def test_an_import_and_a_generated_organization_go_up(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "in/222222222222/global"
    folder.mkdir(parents=True)
    (folder / "account.list-regions.json").write_text('{"Regions": []}')
    generate = ["replay", "--generate", "accounts=3,principals=5", "--to"]
    for number, arguments in enumerate((["import", str(tmp_path / "in")], generate)):
        place = f"s3://{BUCKET}/made/{number}"
        monkeypatch.setattr(sys, "argv", ["ses-audit", *arguments, place])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert not ended.value.code, said.err
        assert place in said.out
        assert open_snapshot(place).manifest["finished"] is True
        assert not [key for key in objects() if key.endswith(".lock")]
