"""`ses-audit explain`: from an error line to its causes; from a log to its distinct refusals."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ses_audit.cli.message_input import handed_in, log_pieces, write_log_table
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.ses.messages import Message

__all__ = ["explain"]

_MOST = 20
"""Refusals of one text that are explained against a snapshot."""


@click.command()
@click.argument("text", required=False)
@click.option(
    "--file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Read the text, or with --log the log, from a file (also .gz).",
)
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path),
    help="Explain against this snapshot: every cause, and what the snapshot cannot tell.",
)
@click.option("--parse-only", is_flag=True, help="Only read what the text says, and what to do.")
@click.option("--log", "is_log", is_flag=True, help="A whole log: distinct refusals with counts.")
@click.option("--principal", metavar="ARN", help="Instead of a text: the principal of a cell ...")
@click.option("--action", metavar="ACTION", help="... its action (default ses:SendRawEmail) ...")
@click.option("--identity", metavar="ARN", help="... and its identity, by ARN or name.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(("text", "json", "csv")),
    default="text",
    show_default=True,
    help="csv with --log only.",
)
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=10_000,
    show_default=True,
    metavar="N",
    help="With --log: at most N distinct refusals are told apart.",
)
def explain(
    text: str | None,
    file: Path | None,
    snapshot: Path | None,
    parse_only: bool,
    is_log: bool,
    principal: str | None,
    action: str | None,
    identity: str | None,
    kind: str,
    limit: int,
) -> None:
    """Why one send is refused.

    TEXT is the error in any wrapping, as an argument, from --file, or from standard input ("-").
    Without --snapshot it is only read: what it says, and what to do.
    """
    cell = principal is not None or identity is not None or action is not None
    _refuse_mixtures(text, file, snapshot, kind, parse_only=parse_only, is_log=is_log, cell=cell)
    if is_log:
        _log(file, kind, limit)
    elif cell:
        if principal is None or identity is None or snapshot is None:
            raise UserError(
                "a cell needs --principal, --identity and --snapshot; or give the error's text",
                USAGE,
            )
        cause = _open(snapshot).explain(principal, action or "ses:SendRawEmail", identity)
        click.echo(json.dumps(cause.to_json(), indent=1) if kind == "json" else cause.to_text())
    else:
        with handed_in(text, file) as found:
            _text(found, snapshot, kind, limit, parse_only=parse_only)


def _refuse_mixtures(
    text: str | None,
    file: Path | None,
    snapshot: Path | None,
    kind: str,
    *,
    parse_only: bool,
    is_log: bool,
    cell: bool,
) -> None:
    """Options that say two things at once."""
    if text is not None and file is not None:
        raise UserError("the text is given twice: TEXT and --file; leave one out", USAGE)
    if cell and (text is not None or file is not None or parse_only or is_log):
        raise UserError(
            "--principal, --action and --identity stand instead of a text; leave one out", USAGE
        )
    if is_log and (snapshot is not None or parse_only):
        raise UserError("--log only counts; explain one of its lines with --snapshot", USAGE)
    if is_log and text not in (None, "-"):
        raise UserError("--log reads a file or standard input: add --file FILE", USAGE)
    if parse_only and snapshot is not None:
        raise UserError("--parse-only asks no snapshot; leave one out", USAGE)
    if kind == "csv" and not is_log:
        raise UserError("csv is for --log; choose --format json", USAGE)


def _open(path: Path) -> Audit:
    import ses_audit

    return ses_audit.open(path)


def _explain(content: str, path: Path, kind: str) -> None:
    """Each distinct refusal of a text against a snapshot."""
    from ses_audit.ses.messages import parse_message, parse_messages

    audit = _open(path)
    messages = parse_messages(content) or (parse_message(content),)
    shown = messages[:_MOST]
    found = [audit.explain_message(message) for message in shown]
    if kind == "json":
        advice = [_advice_json(message, content) for message in shown]
        _print_json([{**e.to_json(), **a} for e, a in zip(found, advice, strict=True)])
    else:
        texts = (
            f"{each.to_text()}\n{_advice_text(message, content)}".rstrip()
            for each, message in zip(found, shown, strict=True)
        )
        click.echo("\n\n".join(texts))
    if len(messages) > _MOST:
        click.echo(
            f"{_MOST} of {len(messages):,} distinct refusals are explained; --log counts them all",
            err=True,
        )


def _advice_json(message: Message, content: str) -> dict[str, object]:
    """For what is not about permission: what to do."""
    from ses_audit.ses.messages import advise

    if message.kind == "access_denied":
        return {}
    return {"advice": advise(message, content).to_json()}


def _advice_text(message: Message, content: str) -> str:
    """The page to read; and what only the whole text tells."""
    from ses_audit.escape import terminal
    from ses_audit.ses.messages import advise

    if message.kind == "access_denied":
        return ""
    found = advise(message, content)
    lines = [""]
    if found != advise(message):
        lines += [found.means, *(f"  {n}. {step}" for n, step in enumerate(found.steps, 1))]
    return "\n".join(map(terminal, [*lines, f"See {found.source}"]))


def _print_json(objects: list[dict[str, object]]) -> None:
    """One object; further ones in its `others`."""
    first, *others = objects
    if others:
        first = {**first, "others": others}
    # What is not ASCII is escaped: a text from AWS can hold what a terminal obeys.
    click.echo(json.dumps(first, indent=1))


def _parse(content: str, kind: str, *, hint: bool) -> None:
    """What a text says, and what to do."""
    from ses_audit.ses.messages import parse_message, parse_messages

    messages = parse_messages(content) or (parse_message(content),)
    if kind == "json":
        _print_json([message.to_json() for message in messages])
    else:
        click.echo("\n\n".join(_as_text(message, content) for message in messages))
    if hint and any(message.kind == "access_denied" for message in messages):
        click.echo("only read: add --snapshot SNAPSHOT for the causes", err=True)


def _as_text(message: Message, content: str) -> str:
    from ses_audit.escape import terminal
    from ses_audit.ses.messages import advise

    code = "" if message.smtp_code is None else f" (SMTP {message.smtp_code})"
    lines = [f"{message.kind.replace('_', ' ')}{code}"]
    if message.kind == "access_denied":
        lines += [
            f"  principal  {message.principal or 'not in the text'}",
            f"  action     {message.action or 'not in the text'}",
            f"  resource   {message.resource or 'not in the text'}",
            f"  layer      {_layer(message)}",
        ]
        if message.policy_arn:
            lines.append(f"  policy     {message.policy_arn}")
        if message.authorization_id:
            lines.append(f"  authorization id  {message.authorization_id}")
    found = advise(message, content)
    lines += ["", found.means]
    lines += [f"  {number}. {step}" for number, step in enumerate(found.steps, 1)]
    lines.append(f"  See {found.source}")
    return "\n".join(map(terminal, lines))


def _layer(message: Message) -> str:
    if message.effect is None:
        return "not named"
    layer = message.layer or "a layer that the text does not name"
    deny = "explicit deny" if message.effect == "explicit" else "nothing allows"
    return f"{layer} ({deny})"


def _text(
    found: str | Iterator[str], snapshot: Path | None, kind: str, limit: int, *, parse_only: bool
) -> None:
    """A text that was handed in, or a log that was handed in as one."""
    if not isinstance(found, str):
        if snapshot is not None:
            raise UserError(
                "the text is as long as a log: count it with --log, then explain one of its lines",
                USAGE,
            )
        click.echo("longer than 8 MB: read as a log", err=True)
        _count(found, kind, limit)
    elif snapshot is None or parse_only:
        _parse(found, kind, hint=not parse_only)
    else:
        _explain(found, snapshot, kind)


def _log(file: Path | None, kind: str, limit: int) -> None:
    with log_pieces(file) as pieces:
        _count(pieces, kind, limit)


def _count(pieces: Iterator[str], kind: str, limit: int) -> None:
    """The distinct refusals of a log, with counts, in constant memory."""
    from ses_audit.ses.messages import read_log

    table = read_log(pieces, limit)
    write_log_table(table, kind, sys.stdout)
    said = f"{table.lines:,} lines, {table.messages:,} refusals, {len(table.rows):,} distinct ones"
    if table.not_listed:
        said += f"; {table.not_listed:,} refusals are not listed: the table was full (--limit)"
    click.echo(said, err=True)
