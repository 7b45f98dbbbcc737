"""`ses-audit explain`: a text, a cell, a log."""

from __future__ import annotations

import gzip
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ses_audit.cli import message_input

Command = Any

USER = "arn:aws:iam::222222222222:user/contractor"
IDENTITY = "arn:aws:ses:eu-west-1:222222222222:identity/example.com"
DENIED = (
    f"554 Access denied: User `{USER}' is not authorized to perform `ses:SendRawEmail' on "
    f"resource `{IDENTITY}'"
)
BAD_LOGIN = "535 Authentication Credentials Invalid"
FIELDS = {
    "kind": "access_denied",
    "principal": USER,
    "action": "ses:SendRawEmail",
    "resource": IDENTITY,
    "layer": None,
    "effect": None,
    "policy_arn": None,
    "smtp_code": 554,
    "authorization_id": None,
}
PARSE = ("explain", "--parse-only", "--format", "json")


def standard_input(monkeypatch: pytest.MonkeyPatch, content: bytes, *, tty: bool = False) -> None:
    buffer = io.BufferedReader(io.BytesIO(content))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=buffer, isatty=lambda: tty))


# The text


def test_a_text_as_an_argument(command: Command) -> None:
    ended = command(*PARSE, DENIED)
    assert ended.code == 0
    assert json.loads(ended.out) == FIELDS
    assert list(json.loads(ended.out)) == list(FIELDS)
    assert ended.err == ""


@pytest.mark.parametrize("argument", [(), ("-",), ("--file", "-")])
def test_a_text_on_standard_input(
    command: Command, monkeypatch: pytest.MonkeyPatch, argument: tuple[str, ...]
) -> None:
    standard_input(monkeypatch, DENIED.encode())
    assert json.loads(command(*PARSE, *argument).out) == FIELDS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gzip"])
def test_a_text_in_a_file(command: Command, tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "error.txt"
    content = f"Ошибка: {DENIED}\r\n"
    packed = encoding == "gzip"
    file.write_bytes(gzip.compress(content.encode()) if packed else content.encode(encoding))
    assert json.loads(command(*PARSE, "--file", file).out) == FIELDS


def test_bytes_that_are_no_text_are_read_all_the_same(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "error.txt"
    file.write_bytes(b"\xff\x00\xc3" + DENIED.encode())
    assert json.loads(command(*PARSE, "--file", file).out) == FIELDS


def test_a_text_that_is_the_name_of_a_file_is_a_text(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "error.txt"
    file.write_text(DENIED)
    assert json.loads(command(*PARSE, str(file)).out)["kind"] == "unknown"


def test_several_refusals_of_one_text(command: Command) -> None:
    first = json.loads(command(*PARSE, f"{BAD_LOGIN}\n{DENIED}\n{BAD_LOGIN}").out)
    assert first["kind"] == "smtp_auth"
    assert first["others"] == [FIELDS]


def test_no_refusal_is_said(command: Command) -> None:
    ended = command(*PARSE, "the weather is fine")
    assert ended.code == 0
    assert json.loads(ended.out) == {**dict.fromkeys(FIELDS), "kind": "unknown"}
    assert "no refusal that SES is known to give" in command("explain", "fine weather").out


def test_not_verified_has_its_identities(command: Command) -> None:
    text = (
        "554 Message rejected: Email address is not verified. The following identities failed "
        "the check in region EU-WEST-1: Jo <jo@b.example>, jo@b.example"
    )
    found = json.loads(command(*PARSE, text).out)
    assert found["identities"] == ["Jo <jo@b.example>", "jo@b.example"]
    assert found["region"] == "eu-west-1"


def test_what_a_person_reads(command: Command) -> None:
    ended = command(
        "explain", f"{DENIED} with an explicit deny in a service control policy: arn:policy"
    )
    assert "access denied (SMTP 554)" in ended.out
    for part in (USER, "ses:SendRawEmail", IDENTITY, "scp (explicit deny)", "arn:policy"):
        assert part in ended.out
    assert ended.said == "only read: add --snapshot SNAPSHOT for the causes"


def test_what_a_person_reads_of_a_cut_text(command: Command) -> None:
    ended = command("explain", "--parse-only", "554 Access denied because no session policy")
    assert ended.out.count("not in the text") == 3
    assert ended.err == ""
    implicit = command("explain", "User: a is not authorized to perform: ses:A because no such")
    assert "a layer that the text does not name (nothing allows)" in implicit.out


def test_an_authorization_id_is_shown(command: Command) -> None:
    ended = command("explain", f"{DENIED} with the following authorization id: EXAMPLE12345")
    assert "authorization id  EXAMPLE12345" in ended.out


def test_another_refusal_says_what_to_do(command: Command) -> None:
    ended = command("explain", BAD_LOGIN)
    assert "smtp auth (SMTP 535)" in ended.out
    assert "never a policy" in ended.out
    assert "  1. The password is not the secret access key" in ended.out
    assert "https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html" in ended.out
    assert ended.err == ""


def test_a_terminal_obeys_nothing_of_a_text(command: Command) -> None:
    hostile = "User `arn:aws:iam::1:user/\x1b]0;x\x07\u202eevil' is not authorized to perform `a:B'"
    for arguments in (("explain", hostile), (*PARSE, hostile)):
        out = command(*arguments).out
        assert not {"\x1b", "\x07", "\u202e"} & set(out)


# Against a snapshot


def test_a_text_against_a_snapshot(command: Command, example_snapshot: Path) -> None:
    ended = command("explain", DENIED, "--snapshot", example_snapshot)
    assert ended.code == 0
    assert f"{USER} · ses:SendRawEmail · {IDENTITY}: DENIED, 1 cause" in ended.out
    assert "NoSending" in ended.out and "ContractorsDoNotSend" in ended.out


def test_a_text_against_a_snapshot_as_json(command: Command, example_snapshot: Path) -> None:
    ended = command("explain", DENIED, "--snapshot", example_snapshot, "--format", "json")
    found = json.loads(ended.out)
    assert found["verdict"] == "DENIED"
    assert found["causes"] == ["identity_policy"]
    assert found["message"]["smtp_code"] == 554
    assert "advice" not in found and "others" not in found


def test_a_cell_against_a_snapshot(command: Command, example_snapshot: Path) -> None:
    cell = ("--principal", USER, "--identity", IDENTITY, "--snapshot", example_snapshot)
    assert "DENIED, 1 cause" in command("explain", *cell).out
    found = json.loads(
        command("explain", *cell, "--action", "ses:SendEmail", "--format", "json").out
    )
    assert (found["action"], found["verdict"]) == ("ses:SendEmail", "DENIED")


def test_what_is_not_about_permission(command: Command, example_snapshot: Path) -> None:
    ended = command("explain", BAD_LOGIN, "--snapshot", example_snapshot)
    assert ended.out.count("The password is not the secret access key") == 1
    assert ended.out.endswith(
        "\nSee https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html\n"
    )
    as_json = command("explain", BAD_LOGIN, "--snapshot", example_snapshot, "--format", "json")
    found = json.loads(as_json.out)
    assert found["kind"] == "smtp_auth"
    assert "never a policy" in found["advice"]["means"]


def test_what_only_the_whole_text_tells(command: Command, example_snapshot: Path) -> None:
    text = "554 Message rejected: Sending paused for this account."
    ended = command("explain", text, "--snapshot", example_snapshot)
    assert "Sending is paused for this account" in ended.out
    assert "  1. aws sesv2 get-account: EnforcementStatus SHUTDOWN" in ended.out


def test_several_refusals_against_a_snapshot(
    command: Command, example_snapshot: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ses_audit.cli.explain._MOST", 2)
    text = "\n".join(f"554 {DENIED.replace('contractor', f'u{i}')}" for i in range(3))
    ended = command("explain", text, "--snapshot", example_snapshot, "--format", "json")
    found = json.loads(ended.out)
    assert len(found["others"]) == 1
    assert ended.said == "2 of 3 distinct refusals are explained; --log counts them all"
    assert command("explain", text, "--snapshot", example_snapshot).out.count("user/u") >= 2


# A log


def log_lines(count: int, users: int) -> bytes:
    lines = []
    for number in range(count):
        denied = DENIED.replace("contractor", f"u{number % users}")
        lines.append(f"Nov 24 06:12:01 mx postfix/smtp[1]: 4A: said: {denied} (in reply to DATA)")
        lines.append("Nov 24 06:12:01 mx postfix/qmgr[1]: 4A: removed")
    return "\n".join(lines).encode() + b"\n"


def test_a_log_as_a_table(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_bytes(log_lines(30, 3) + b"535 Authentication Credentials Invalid\n")
    ended = command("explain", "--log", "--file", file)
    assert ended.code == 0
    assert ended.said == "61 lines, 31 refusals, 4 distinct ones"
    head, *rows = ended.out.splitlines()
    assert head.split() == [
        *("count", "refusal", "who", "or", "which", "action", "resource", "layer"),
        *("first", "line"),
    ]
    assert [row.split()[0] for row in rows] == ["10", "10", "10", "1"]
    assert rows[3].split()[1:4] == ["smtp", "auth", "(535)"]


def test_a_log_as_json_from_standard_input(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    standard_input(monkeypatch, gzip.compress(log_lines(10, 2)))
    found = json.loads(command("explain", "-", "--log", "--format", "json").out)
    assert (found["lines"], found["messages"], found["not_listed"]) == (20, 10, 0)
    (first, second) = found["rows"]
    assert (first["count"], first["first_line"], first["last_line"]) == (5, 1, 17)
    assert second["principal"].endswith("u1")


def test_a_packed_log_as_csv(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "mail.log.gz"
    file.write_bytes(gzip.compress(log_lines(4, 1).replace(b"user/u0", b"user/=cmd()")))
    ended = command("explain", "--log", "--file", file, "--format", "csv")
    head, row = ended.out.splitlines()
    assert head.startswith("count,kind,smtp_code,principal,action,resource,layer,effect,policy_arn")
    assert row.startswith("4,access_denied,554,arn:aws:iam::222222222222:user/=cmd")


def test_a_full_table_is_said(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_bytes(log_lines(10, 5))
    ended = command("explain", "--log", "--file", file, "--limit", 2)
    assert ended.said == (
        "20 lines, 10 refusals, 2 distinct ones; 6 refusals are not listed: "
        "the table was full (--limit)"
    )


def test_a_long_table_is_cut_and_says_so(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(message_input, "_SHOWN", 2)
    file = tmp_path / "mail.log"
    file.write_bytes(log_lines(9, 3))
    ended = command("explain", "--log", "--file", file)
    assert len(ended.out.splitlines()) == 3
    assert "2 of 3 shown, the rest with --format csv" in ended.err


def test_a_log_of_not_verified(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_text(
        "x said: 554 Message rejected: Email address is not verified. The following identities "
        "failed the check in region US-EAST-1: a@b.example (in reply to end of DATA command)\n"
    )
    assert "a@b.example" in command("explain", "--log", "--file", file).out
    row = command("explain", "--log", "--file", file, "--format", "csv").out.splitlines()[1]
    assert row == "1,not_verified,554,,,,,,,us-east-1,a@b.example,1,1"


def test_an_empty_log(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "mail.log"
    file.write_bytes(b"")
    ended = command("explain", "--log", "--file", file)
    assert (ended.code, ended.said) == (0, "0 lines, 0 refusals, 0 distinct ones")


# What cannot be done


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x", "--file", "y"), "given twice"),
        (("x", "--principal", "p"), "instead of a text"),
        (("--parse-only", "--identity", "p"), "instead of a text"),
        (("--principal", "p"), "a cell needs --principal, --identity and --snapshot"),
        (("--principal", "p", "--snapshot", "s"), "a cell needs"),
        (("--log", "x"), "--log reads a file or standard input"),
        (("--log", "--parse-only"), "--log only counts"),
        (("--log", "--snapshot", "s"), "--log only counts"),
        (("x", "--parse-only", "--snapshot", "s"), "--parse-only asks no snapshot"),
        (("x", "--format", "csv"), "csv is for --log"),
        (("--file", "nowhere.txt"), "cannot read nowhere.txt: No such file or directory"),
    ],
)
def test_a_wrong_use_is_one_line(command: Command, arguments: tuple[str, ...], said: str) -> None:
    ended = command("explain", *arguments)
    assert ended.code == 2
    assert said in ended.said
    assert ended.out == ""


def test_a_snapshot_that_is_not_there(command: Command) -> None:
    ended = command("explain", DENIED, "--snapshot", "nowhere")
    assert (ended.code, ended.out) == (1, "")
    assert "no snapshot at nowhere" in ended.said


def test_no_text_at_all(command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    standard_input(monkeypatch, b"", tty=True)
    assert "no text: give it as an argument" in command("explain").said
    standard_input(monkeypatch, b" \n")
    assert "no text in standard input" in command("explain").said
    empty = tmp_path / "empty.txt"
    empty.touch()
    assert f"no text in {empty}" in command("explain", "--file", empty).said


@pytest.mark.parametrize("source", ["file", "standard input"])
def test_a_text_as_long_as_a_log_is_read_as_one(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, source: str
) -> None:
    monkeypatch.setattr(message_input, "_CHUNK", 1000)
    monkeypatch.setattr(message_input, "_TEXT_CHUNKS", 2)
    content = log_lines(50, 2)
    file = tmp_path / "mail.log"
    file.write_bytes(content)
    standard_input(monkeypatch, content)
    argument = ("--file", file) if source == "file" else ("-",)
    ended = command(*PARSE, *argument)
    assert ended.code == 0
    found = json.loads(ended.out)
    assert (found["lines"], found["messages"], len(found["rows"])) == (100, 50, 2)
    assert ended.err.splitlines()[0] == "longer than 8 MB: read as a log"


def test_a_log_is_not_explained_line_by_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, example_snapshot: Path
) -> None:
    monkeypatch.setattr(message_input, "_CHUNK", 1000)
    monkeypatch.setattr(message_input, "_TEXT_CHUNKS", 2)
    file = tmp_path / "mail.log"
    file.write_bytes(log_lines(50, 2))
    ended = command("explain", "--file", file, "--snapshot", example_snapshot)
    assert ended.code == 2
    assert "count it with --log" in ended.said


@pytest.mark.parametrize("chunk", [7, 100, 4096])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_log_in_chunks_of_any_size(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, chunk: int, encoding: str
) -> None:
    monkeypatch.setattr(message_input, "_CHUNK", chunk)
    file = tmp_path / "mail.log"
    file.write_bytes(log_lines(6, 2).decode().replace("\n", "\r\n").encode(encoding))
    found = json.loads(command("explain", "--log", "--file", file, "--format", "json").out)
    assert (found["lines"], found["messages"]) == (12, 6)
    assert [row["count"] for row in found["rows"]] == [3, 3]


def test_a_torn_packed_log(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "mail.log.gz"
    file.write_bytes(gzip.compress(log_lines(2000, 3))[:-100])
    ended = command("explain", "--log", "--file", file)
    assert ended.code == 2
    assert f"cannot read {file} to its end" in ended.said
    assert ended.out == ""


def test_a_torn_packed_text(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "error.gz"
    file.write_bytes(gzip.compress(log_lines(2000, 3))[:-100])
    assert f"cannot read {file} to its end" in command("explain", "--file", file).said


def test_a_folder_is_no_text(command: Command, tmp_path: Path) -> None:
    ended = command("explain", "--file", tmp_path)
    assert ended.code == 2
    assert f"cannot read {tmp_path}" in ended.said
