"""The front door of a report, and the report without Jupyter."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ses_audit.audit.queries import Selection
from ses_audit.escape import html as escape
from ses_audit.report.labels import plural
from ses_audit.report.page import Html
from ses_audit.report.rollup_html import MANY_ACCOUNTS, rollup
from ses_audit.report.scope_html import counts_list
from ses_audit.report.shell import Link, document, linked, navigation

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.audit.summary import Summary
    from ses_audit.report.exports import DataFile
    from ses_audit.report.page import Page
    from ses_audit.report.run_record import RunRecord

__all__ = ["Entry", "index_page", "overview", "report_page"]

_SHOWN = 20
_TITLE = "Who can send e-mail through Amazon SES"


@dataclass(frozen=True, slots=True)
class Entry:
    """A page as the index announces it."""

    file: str
    title: str
    answer: Html
    error: str = ""


def overview(audit: Audit) -> Html:
    """The numbers of the whole snapshot: by verdict, and by account and region.

    Parameters
    ----------
    audit
        The audit.
    """
    summary, everything = audit.summary(), Selection()
    rows = "account" if summary.accounts_total <= MANY_ACCOUNTS else "ou"
    assumed = "".join(f"<li>{escape(text)}</li>" for text in summary.assumptions)
    return Html(
        counts_list(audit, everything)
        + (f"<p>Assumed, not read:</p><ul>{assumed}</ul>\n" if assumed else "")
        + rollup(audit.queries, everything, rows, summary.accounts_total)
    )


def index_page(
    record: RunRecord,
    summary: Summary | None,
    numbers: Html,
    entries: Sequence[Entry],
    data: Sequence[tuple[DataFile, int]],
    links: Sequence[Link],
) -> str:
    """`index.html`: what was not read, the answer in numbers, and the way on.

    Parameters
    ----------
    record
        The run.
    summary
        Of its snapshot; None where nothing could be decided.
    numbers
        The `overview`.
    entries
        The pages.
    data
        The data files and their lengths in bytes.
    links
        The pages of the navigation.
    """
    parts = [*_head(_TITLE, record, summary), numbers.markup]
    parts += [_entries(entries), _files(data), _run(record)]
    return document(_TITLE, navigation(links, "index.html"), "".join(parts))


def report_page(
    record: RunRecord,
    summary: Summary | None,
    numbers: Html,
    pages: Mapping[str, Page],
    links: Sequence[Link],
) -> str:
    """`report.html`: every page one below the other, made without Jupyter.

    Parameters
    ----------
    record
        The run; `pages_failed` names those that could not be made.
    summary
        Of its snapshot.
    numbers
        The `overview`.
    pages
        Notebook → page.
    links
        The pages of the navigation.
    """
    title = "The whole report"
    parts = ['<div class="report">', *_head(title, record, summary), numbers.markup]
    targets = {name: f"#{name}" for name in pages}
    for name, page in pages.items():
        body = _nested("\n".join(piece.markup for _, piece in page.parts()))
        body = linked(body, targets)
        parts.append(
            f'<section id="{escape(name)}"><h2>{escape(page.question)}</h2>\n{body}</section>\n'
        )
    for name, error in record.pages_failed.items():
        parts.append(
            f'<section id="{escape(name)}"><h2>{escape(name)}</h2><div class="alert" role="note">'
            f"<p>This page could not be made: {escape(error)}</p></div></section>\n"
        )
    return document(title, navigation(links, "report.html"), "".join([*parts, "</div>\n"]))


_HEADING = re.compile(r"<(/?)h([23])\b")
_LANDMARK = re.compile(r'(<section\b[^>]*?) aria-labelledby="[^"]*"')


def _nested(markup: str) -> str:
    """A page's markup inside another: its headings a level down, its sections no landmarks.

    Several pages have a section of the same name, which no reader could tell apart.
    """
    lower = _HEADING.sub(lambda found: f"<{found[1]}h{int(found[2]) + 1}", markup)
    return _LANDMARK.sub(r"\1", lower)


def _head(title: str, record: RunRecord, summary: Summary | None) -> list[str]:
    """The title and, before any number, what is wrong."""
    parts = [f"<h1>{escape(title)}</h1>\n"]
    if summary is not None:
        parts.append(_scope(summary))
    if record.status != "completed":
        parts.append(_failed(record))
    if summary is not None and (not summary.complete or summary.accounts_not_read):
        parts.append(_not_read(record, summary))
    return parts


def _failed(record: RunRecord) -> str:
    broken = [outcome for outcome in record.notebooks if not outcome.completed]
    items = [f"{outcome.name}: {outcome.status}: {outcome.error}" for outcome in broken]
    items += [f"{name}: {error}" for name, error in record.pages_failed.items()]
    if record.error:
        items.append(record.error)
    listed = "".join(f"<li>{escape(item)}</li>" for item in items)
    return (
        f'<div class="alert" role="note"><p><strong>This run {_ended(record.status)}.</strong> '
        f"What follows is what was made before; run it again.</p><ul>{listed}</ul></div>\n"
    )


def _ended(status: str) -> str:
    return {"failed": "failed", "timed out": "reached its time limit"}.get(status, "was stopped")


def _scope(summary: Summary) -> str:
    return (
        f'<p class="scope">{escape(summary.organization_id or "No organization")} · snapshot '
        f"{escape(summary.taken)} · {summary.accounts_read:,} of {summary.accounts_total:,} "
        f"accounts read</p>\n"
    )


def _not_read(record: RunRecord, summary: Summary) -> str:
    planned, read = record.coverage.get("planned"), record.coverage.get("read")
    calls = ""
    if isinstance(planned, int) and isinstance(read, int) and read < planned:
        calls = f"{read:,} of {planned:,} planned calls were answered. "
    unknown = (
        f"{summary.unknown:,} of {summary.cells:,} verdicts are unknown for it: "
        "what was not read is never taken for a no. "
        if summary.unknown
        else ""
    )
    shown = summary.accounts_not_read[:_SHOWN]
    items = [
        f"<li>{escape(name)} <code>{escape(account)}</code>: {escape(reason)}</li>"
        for account, name, reason in shown
    ]
    total = len(summary.accounts_not_read)
    more = f"<p>{len(shown):,} of {total:,} accounts not read are listed</p>"
    accounts = f"<ul>{''.join(items)}</ul>{more if len(shown) < total else ''}" if items else ""
    gaps = [gap for gap in summary.gaps if not _of(gap, summary.accounts_not_read)]
    listed = "".join(f"<li><code>{escape(gap)}</code></li>" for gap in gaps[:_SHOWN])
    elsewhere = (
        f"<details><summary>{plural(len(gaps), 'call')} in other accounts "
        f"{'was' if len(gaps) == 1 else 'were'} not answered</summary>"
        f"<ul>{listed}</ul><p>{min(len(gaps), _SHOWN):,} of {len(gaps):,}</p></details>"
        if gaps
        else ""
    )
    return (
        '<div class="alert" role="note"><p><strong>Not everything was read.</strong> '
        f'{calls}{unknown}<a href="data/coverage.csv">Every call</a></p>'
        f"{accounts}{elsewhere}</div>\n"
    )


def _of(gap: str, accounts: Sequence[tuple[str, str, str]]) -> bool:
    return any(gap.startswith(f"{account}/") for account, _, _ in accounts)


def _entries(entries: Sequence[Entry]) -> str:
    if not entries:
        return ""
    items: list[str] = []
    for entry in entries:
        error = f'<p class="alert">{escape(entry.error)}</p>' if entry.error else ""
        items.append(
            f'<div class="entry"><h3><a href="{escape(entry.file)}">{escape(entry.title)}</a></h3>'
            f"{error}{_short(entry.answer)}</div>\n"
        )
    return f"<h2>Pages</h2>\n{''.join(items)}"


# What the index has said already.
_SAID = re.compile(r'<p class="(?:scope|alert)">.*?</p>|<ul class="counts".*?</ul>', re.DOTALL)


def _short(answer: Html) -> str:
    return _SAID.sub("", answer.markup)


def _files(data: Sequence[tuple[DataFile, int]]) -> str:
    if not data:
        return ""
    rows = "".join(_file(file, size) for file, size in data)
    return (
        "<h2>Data</h2>\n"
        '<div class="scroll" tabindex="0" role="group" aria-label="Data files"><table>'
        "<caption>Whole tables, nothing left out</caption>"
        '<thead><tr><th scope="col">File</th><th scope="col" class="number">Rows</th>'
        '<th scope="col" class="number">Size</th><th scope="col">What</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div>\n"
    )


def _file(file: DataFile, size: int) -> str:
    name, length, about = f'<a href="{escape(file.name)}">{escape(file.name)}</a>', "", file.about
    if file.left_out:
        name, about = escape(file.name), file.left_out
    else:
        length = _size(size)
    return (
        f'<tr><th scope="row">{name}</th><td class="number">{file.rows:,}</td>'
        f'<td class="number">{length}</td><td>{escape(about)}</td></tr>\n'
    )


def _size(size: int) -> str:
    """A length in bytes as a person says it.

    Examples
    --------
    >>> _size(1_500_000), _size(900)
    ('1.5 MB', '1 kB')
    """
    return f"{size / 1e6:,.1f} MB" if size >= 1e6 else f"{max(1, round(size / 1e3)):,} kB"


def _run(record: RunRecord) -> str:
    facts = {
        "Run": record.run_id,
        "Began": record.started_at,
        "Ended": record.ended_at,
        "Status": record.status,
        "Made by": f"ses-audit {record.versions.get('ses-audit', '')}",
        "Snapshot": str(record.snapshot.get("path", "")),
        "Snapshot's SHA-256": str(record.snapshot.get("sha256", "")),
        "Read as": str(record.caller.get("arn", "")),
        "Run before": record.previous_run or "none",
        **{f"Parameter {name}": str(value) for name, value in record.parameters.items()},
    }
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in facts.items() if value
    )
    return (
        f'<h2>This run</h2>\n<dl class="facts">{rows}</dl>\n'
        '<p>Everything about it, for programs: <a href="run.json">run.json</a></p>\n'
    )
