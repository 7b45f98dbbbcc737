"""03_scp_denies: what the service control policies stop, and what would be sent without them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ses_audit.audit.queries import Selection
from ses_audit.audit.stops import blocked as blocked_cells
from ses_audit.escape import html as escape
from ses_audit.report.choices import scp_arn, select
from ses_audit.report.denies_html import cells_table, scp_tree, statements_table
from ses_audit.report.labels import plural
from ses_audit.report.links import files_line
from ses_audit.report.page import Page, section
from ses_audit.report.scope_html import scope_line
from ses_audit.report.scp_stops import stops
from ses_audit.report.unseen_html import unseen_body

if TYPE_CHECKING:
    from ses_audit.audit import Audit
    from ses_audit.report.scp_stops import Stop

__all__ = ["NAME", "QUESTION", "page"]

NAME = "03_scp_denies"
QUESTION = "What do the service control policies stop?"


def page(
    audit: Audit,
    *,
    ou: str = "",
    account: str = "",
    principal: str = "",
    identity: str = "",
    region: str = "",
    action: str = "",
    scp: str = "",
    data: str = "",
) -> Page:
    """The page.

    Parameters
    ----------
    audit
        The snapshot.
    ou, account, principal, identity, region, action
        What to look at; "" for everything. See `ses_audit.report.choices.select`.
    scp
        Only this SCP, by its name or ARN.
    data
        The folder of the whole tables, relative to the page.

    Raises
    ------
    UserError
        For a value that the snapshot does not hold.
    """
    selection = select(
        audit,
        ou=ou,
        account=account,
        principal=principal,
        identity=identity,
        region=region,
        action=action,
    )
    policy = scp_arn(audit, scp)
    found = stops(audit, selection, policy)
    blocked = blocked_cells(audit.queries, selection, policy)
    cells = sum(audit.queries.counts(selection).values())
    return Page(
        name=NAME,
        question=QUESTION,
        answer=section(NAME, "answer", "", _answer(audit, selection, found, blocked, cells)),
        picture=section(
            NAME,
            "picture",
            "Where they are attached",
            scp_tree(audit, found) + statements_table(audit, found, cells),
        ),
        table=section(
            NAME,
            "table",
            "Cell by cell",
            cells_table(audit, selection, policy, sum(sum(s.cells.values()) for s in found))
            + files_line(audit, data, "scp_denies"),
        ),
        unseen=section(NAME, "unseen", "What could not be seen", _unseen(audit)),
        where_next=section(NAME, "next", "Where to go next", _NEXT),
    )


_NEXT = (
    "<ul><li>Who can send as things stand: 02_send_matrix.</li>"
    "<li>One of these cells, layer by layer: 04_access_denied with its <code>principal</code>, "
    "<code>identity</code> and <code>action</code>.</li>"
    "<li>One SCP or one account on this page: the parameters <code>scp</code>, "
    "<code>account</code>, <code>ou</code>.</li></ul>"
)


def _answer(
    audit: Audit,
    selection: Selection,
    found: list[Stop],
    blocked: Mapping[str, int],
    cells: int,
) -> str:
    organization = audit.organization
    alone = blocked.get("sole", 0) + blocked.get("several", 0)
    denied = alone + blocked.get("layers", 0)
    if organization.none:
        words = (
            "<strong>No SCP applies</strong>: the snapshot states that there is no organization."
        )
    elif organization.id is None:
        words = (
            "<strong>Not known</strong>: no organization was read, so neither were its SCPs; "
            "whatever the other layers allow is unknown."
        )
    elif not denied:
        words = f"<strong>The SCPs deny nothing</strong> of {cells:,} cells."
    else:
        words = (
            f"<strong>SCPs deny {denied:,} of {cells:,} cells; for {alone:,} nothing else does"
            "</strong>: without the SCPs they would be allowed, always or under conditions. "
            f"{blocked.get('sole', 0):,} of them hang on one SCP alone, "
            f"{blocked.get('several', 0):,} on several at once. The other "
            f"{blocked.get('layers', 0):,} are denied by other layers too."
        )
    if blocked.get("narrows"):
        words += f" {plural(blocked['narrows'], 'cell')} more pass in fewer contexts."
    tops = [stop for stop in found if stop.cells.get("sole")][:3]
    named = "; ".join(
        f"{escape(stop.key.name(organization))} on "
        f"{escape(organization.target_name(stop.key.target))} ({stop.cells['sole']:,})"
        for stop in tops
    )
    most = f"<p>Most by itself: {named}.</p>\n" if named else ""
    management = next((a for a in organization.accounts.values() if a.is_management), None)
    exempt = (
        f'<p class="quiet">SCPs do not bind the management account ({escape(management.name)}), '
        "service-linked roles, or principals of other organizations.</p>\n"
        if management
        else ""
    )
    return f'<p class="answer">{words}</p>\n{most}{exempt}{scope_line(audit, selection)}'


def _unseen(audit: Audit) -> str:
    """What could not be read; an organization that was not read hides every SCP."""
    organization = audit.organization
    body = unseen_body(audit)
    if organization.id is None and not organization.none:
        body = (
            '<p class="alert">The SCPs were not read: collect with credentials of the management '
            "account, or of a delegated administrator for policies.</p>\n" + body
        )
    return body
