"""`ses-audit who-can`: who can send from one identity."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from ses_audit.cli.output import FORMATS, write_frame
from ses_audit.errors import INCOMPLETE

UNEXPECTED = 14
"""As for a finding of high severity."""

_SHOWN = 20


@click.command("who-can")
@click.argument("snapshot", type=click.Path(path_type=Path))
@click.argument("identity")
@click.option("--action", help="Only this action, such as ses:SendRawEmail.")
@click.option("--format", "kind", type=click.Choice(FORMATS), default="table", show_default=True)
@click.option("--out", type=click.Path(path_type=Path), help="A file instead of standard output.")
@click.option(
    "--expect",
    multiple=True,
    metavar="ARN",
    help="A principal that may, `*` for any part of its ARN (repeatable). Exit 14 when anyone "
    "else can, 4 when anyone else might.",
)
def who_can(
    snapshot: Path,
    identity: str,
    action: str | None,
    kind: str,
    out: Path | None,
    expect: tuple[str, ...],
) -> int:
    """Who can send from IDENTITY (an ARN or a name), or might: every row that is not DENIED."""
    import ses_audit

    audit = ses_audit.open(snapshot)
    frame = audit.who_can_send(identity, action=action)
    everyone = audit.verdicts(identity=identity, action=action, unrelated=True)["principal_arn"]
    columns = [
        "principal_arn",
        "identity_arn",
        "action",
        "verdict",
        "conditions",
        "missing_evidence",
        "smtp",
    ]
    people = frame["principal_arn"].nunique()
    write_frame(frame, kind, out, columns, f"{people:,} of {everyone.nunique():,} principals")
    if not expect:
        return 0
    unknown = frame["verdict"] == "UNKNOWN"
    can = _unexpected(frame[~unknown]["principal_arn"], expect)
    might = [arn for arn in _unexpected(frame[unknown]["principal_arn"], expect) if arn not in can]
    _say("not expected, and can send", can)
    _say("not expected, and might: evidence is missing", might)
    if can:
        return UNEXPECTED
    return INCOMPLETE if might else 0


def _unexpected(principals: Iterable[object], expect: Iterable[str]) -> list[str]:
    """The principals that no expectation names; `*` alone names anyone outside by itself."""
    from ses_audit.policy.wildcards import matches

    patterns = [pattern for pattern in expect if pattern != "*"]
    return [
        arn
        for arn in sorted(set(map(str, principals)) - set(expect))
        if arn == "*" or not any(matches(pattern, arn) for pattern in patterns)
    ]


def _say(what: str, principals: list[str]) -> None:
    from ses_audit.escape import terminal

    if principals:
        named = ", ".join(map(terminal, principals[:_SHOWN]))
        more = f", and {len(principals) - _SHOWN:,} more" if len(principals) > _SHOWN else ""
        click.echo(f"{what}: {named}{more}", err=True)
