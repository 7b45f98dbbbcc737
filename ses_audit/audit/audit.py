"""The notebook API: one snapshot, and the questions asked of it."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ses_audit.audit import frames, inventory
from ses_audit.audit.decide import Decider
from ses_audit.audit.execute import Sink, decide_snapshot
from ses_audit.audit.explain import Explainer
from ses_audit.audit.explanation import Explanation
from ses_audit.audit.frames import long_table
from ses_audit.audit.matrix import OUTSIDE, Matrix, count
from ses_audit.audit.model import Model, load, unread_accounts
from ses_audit.audit.partial import LARGE, accounts_in, load_accounts
from ses_audit.audit.queries import Queries, Selection
from ses_audit.audit.stored import stored_verdicts
from ses_audit.audit.summary import Summary
from ses_audit.errors import USAGE, UserError
from ses_audit.ses.actions import SEND_ACTIONS
from ses_audit.snapshot.store import Snapshot, open_snapshot

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from ses_audit.policy.types import Denial
    from ses_audit.ses.messages import Message

__all__ = ["Audit"]

ACTIONS = tuple(action.name for action in SEND_ACTIONS)


class Audit:
    """Questions asked of one snapshot; nothing is decided until it is asked.

    Parameters
    ----------
    path
        A snapshot folder.

    Raises
    ------
    ses_audit.snapshot.errors.SnapshotError
        When the folder is no snapshot, of another version, or damaged.
    """

    def __init__(self, path: str | Path) -> None:
        self.snapshot: Snapshot = open_snapshot(path)

    def __repr__(self) -> str:
        return f"Audit({str(self.snapshot.path)!r})"

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

    @cached_property
    def model(self) -> Model:
        """The snapshot as what a decision needs."""
        return load(self.snapshot, ACTIONS)

    @cached_property
    def decider(self) -> Decider:
        """Decides single cells of this snapshot."""
        return Decider(self.model)

    @cached_property
    def verdict_tables(self) -> dict[str, pa.Table]:
        """The verdict tables: read from the snapshot, or decided and stored there."""
        return stored_verdicts(self.snapshot, self._decide)

    @cached_property
    def queries(self) -> Queries:
        """The verdict tables, asked in SQL."""
        return Queries(self.verdict_tables, self.model.organization)

    def _decide(self, sink: Sink) -> None:
        decide_snapshot(self.snapshot, ACTIONS, sink)

    # Tables of the snapshot

    def accounts(self) -> pd.DataFrame:
        """Every account of the organization, audited or not.

        Returns
        -------
        DataFrame
            `account_id, name, state, ou, is_management, audited, not_audited_reason`.

        Examples
        --------
        >>> frame = audit.accounts()
        >>> frame[~frame["audited"]]["name"].tolist()
        ['old-shop']
        """
        return inventory.accounts(self.model)

    def principals(self) -> pd.DataFrame:
        """Every user, role and root user that was read.

        Returns
        -------
        DataFrame
            A row a principal; `smtp` and `active_keys` are NA where access keys were not read.

        Examples
        --------
        Only a user's active access key logs in to SMTP:

        >>> frame = audit.principals()
        >>> frame[frame["smtp"].fillna(False)]["type"].unique().tolist()
        ['user']
        """
        return inventory.principals(self.model, self.snapshot.table("access_keys"))

    def identities(self) -> pd.DataFrame:
        """Every identity that was read: an address or a domain, in one region of one account.

        Examples
        --------
        >>> frame = audit.identities()
        >>> sorted(frame["type"].unique())
        ['address', 'domain']
        """
        return inventory.identities(self.model)

    def coverage(self) -> pd.DataFrame:
        """How the reading of every planned cell ended: `state` is OK, EMPTY, DENIED, ...

        Examples
        --------
        >>> frame = audit.coverage()
        >>> frame[frame["state"] == "ASSUME_FAILED"]["account_id"].unique().tolist()
        ['121212121212']
        """
        frame: pd.DataFrame = self.snapshot.table("coverage").to_pandas()
        return frame

    # Verdicts

    def verdicts(
        self,
        *,
        principal: str | None = None,
        account: str | None = None,
        identity: str | None = None,
        region: str | None = None,
        action: str | None = None,
        verdict: str | None = None,
        unrelated: bool = False,
    ) -> pd.DataFrame:
        """The long table: one row a (principal, identity, action).

        Parameters
        ----------
        principal
            An ARN, or a part of one.
        account
            The principal's account; several by comma.
        identity
            An ARN or a name; several by comma.
        region, action, verdict
            Several by comma.
        unrelated
            Whether to add cross-account rows that are denied for lack of a grant.

        Raises
        ------
        UserError
            For an action or a verdict that does not exist.

        Examples
        --------
        A Deny of the principal's own outweighs what AmazonSESFullAccess allows it:

        >>> audit.verdicts(principal="user/contractor")["verdict"].unique().tolist()
        ['DENIED']
        """
        frame = long_table(
            self.verdict_tables,
            principal=principal,
            account=account,
            identity=identity,
            region=region,
            action=action,
            verdict=verdict,
            unrelated=unrelated,
        )
        return frame.drop(columns="_ruling")

    def send_matrix(
        self,
        rows: str = "principal",
        columns: str = "identity",
        action: str = "ses:SendRawEmail",
        account: str | None = None,
    ) -> Matrix:
        """Send permission crossed with identities or regions.

        Parameters
        ----------
        rows
            `principal`, `account` or `ou`.
        columns
            `identity`, `region` or `account`.
        action
            The send action; "" for all.
        account
            Only principals of these accounts, by comma.

        Examples
        --------
        >>> matrix = audit.send_matrix(rows="ou", columns="region")
        >>> "Workloads / Production / Regulated" in matrix.rows, "eu-west-1" in matrix.columns
        (True, True)
        """
        frame = long_table(self.verdict_tables, action=action or None, account=account)
        if rows == "ou":
            accounts = self.model.organization.accounts
            ous = {id: known.ou or "(root)" for id, known in accounts.items()}
            frame["ou"] = [ous.get(str(id), OUTSIDE) for id in frame["principal_account"].tolist()]
        return count(frame, rows, columns, self.summary().cells)

    def scp_denies(self) -> pd.DataFrame:
        """Each cell that an SCP stops, once a denying statement or lacking level.

        Examples
        --------
        The region lock has no say in the regions that it names:

        >>> frame = audit.scp_denies()
        >>> locked = frame[(frame["sid"] == "OutsideOurRegions") & frame["certain"]]
        >>> "eu-west-1" in locked["region"].tolist()
        False
        """
        found = frames.scp_denies(long_table(self.verdict_tables), self.verdict_tables["denials"])
        organization = self.model.organization
        names = {arn: organization.policy_name(arn) for arn in found["policy"].dropna().unique()}
        found["scp_name"] = [names.get(arn, "") for arn in found["policy"]]
        targets = {t: organization.target_name(t) for t in found["target"].dropna().unique()}
        found["target_name"] = [targets.get(target, "") for target in found["target"]]
        return found.rename(columns={"policy": "scp_arn"}).drop(columns="_ruling")

    def who_can_send(self, identity: str, action: str | None = None) -> pd.DataFrame:
        """The rows of an identity that are not DENIED.

        Parameters
        ----------
        identity
            Its ARN or name.
        action
            Only this send action.

        Raises
        ------
        UserError
            When the snapshot holds no such identity.

        Examples
        --------
        >>> "DENIED" in audit.who_can_send("shop.example")["verdict"].tolist()
        False
        """
        known = [i for i in self.model.identities.values() if identity in (i.arn, i.name)]
        if not known:
            unread = sum(not i.known for i in self.model.identities.values())
            gap = f", and {unread} accounts or regions were not read" if unread else ""
            raise UserError(
                f"no identity {identity} in {self.snapshot.path}{gap}; "
                "`ses-audit verdicts` lists those that were read",
                USAGE,
            )
        return self.verdicts(
            identity=identity, action=action, verdict="ALLOWED,CONDITIONAL,UNKNOWN"
        )

    def denials(self, principal: str, action: str, identity: str) -> tuple[Denial, ...]:
        """Every reason against one cell; none where it is not denied.

        Parameters
        ----------
        principal, identity
            ARNs, as the long table spells them.
        action
            A send action, `ses:SendRawEmail`.

        Raises
        ------
        UserError
            When the snapshot holds no such principal or identity.

        Examples
        --------
        >>> contractor = "arn:aws:iam::222222222222:user/contractor"
        >>> mail = "arn:aws:ses:eu-west-1:222222222222:identity/example.com"
        >>> [denial.sid for denial in audit.denials(contractor, "ses:SendRawEmail", mail)]
        ['ContractorsDoNotSend']
        """
        found = self.model.identities.get(identity)
        if found is None:
            raise UserError(f"no identity {identity} in {self.snapshot.path}", USAGE)
        for sender in (*self.model.crossing.senders_of(found), *self.model.senders.values()):
            if sender.arn == principal:
                return self.decider.decide(sender, found, action).denials
        raise UserError(f"no principal {principal} in {self.snapshot.path}", USAGE)

    @cached_property
    def _explainer(self) -> Explainer:
        return self._explainer_of(self.model, self.decider)

    def _explainer_of(self, model: Model, decider: Decider) -> Explainer:
        sets = {
            (row["account_id"], row["region"], row["name"]): row["sending_enabled"]
            for row in self.snapshot.table("configuration_sets").to_pylist()
        }
        return Explainer(model, decider, str(self.snapshot.manifest.get("taken_at") or ""), sets)

    def _explainer_for(self, *names: str | None) -> Explainer:
        """Of the accounts that ARNs name, where the snapshot is large; else of all."""
        accounts = accounts_in(*(name or "" for name in names))
        if accounts is None or "model" in self.__dict__ or self._principals < LARGE:
            return self._explainer
        model = load_accounts(self.snapshot, accounts, ACTIONS)
        return self._explainer_of(model, Decider(model))

    @cached_property
    def _principals(self) -> int:
        """How many principals the snapshot holds, by the footer of its table."""
        import pyarrow.parquet as parquet

        return int(parquet.read_metadata(self.snapshot.path / "tables/principals.parquet").num_rows)

    def explain(self, principal: str, action: str, identity: str) -> Explanation:
        """Why one send is refused, or would be: every cause, not the first.

        Parameters
        ----------
        principal
            An ARN (a role session's stands for its role), a unique id, a service, `*`, or a name.
        action
            A send action, `ses:SendRawEmail`; the prefix may be left out.
        identity
            An ARN or a name; an address that is not verified apart stands for its domain.

        Returns
        -------
        Explanation
            With candidates and no verdict where the texts do not name one cell for certain.

        Examples
        --------
        >>> mail = "arn:aws:ses:eu-west-1:222222222222:identity/example.com"
        >>> found = audit.explain("contractor", "SendRawEmail", mail)
        >>> str(found.verdict), [cause.id for cause in found.causes]
        ('DENIED', ['identity_policy'])
        """
        return self._explainer_for(principal, identity).explain(principal, action, identity)

    def explain_message(self, message: Message) -> Explanation:
        """What a refusal means for this snapshot.

        Parameters
        ----------
        message
            Of `ses_audit.ses.messages.parse_message`.

        Returns
        -------
        Explanation
            For a message that is not about permission: what it means, and what to do.

        Examples
        --------
        >>> from ses_audit.ses.messages import parse_message
        >>> text = "535 Authentication Credentials Invalid"
        >>> audit.explain_message(parse_message(text)).kind
        'smtp_auth'
        """
        explainer = self._explainer_for(message.principal, message.resource)
        return explainer.explain_message(message)

    @cached_property
    def _summary(self) -> Summary:
        organization = self.model.organization
        counted = self.queries.counts(Selection())
        unread = set(unread_accounts(self.model))
        not_read = tuple(
            (a.id, a.name, self._why_not_read(a.id, a.not_audited_reason))
            for a in organization.accounts.values()
            if not a.audited or a.id in unread
        )
        manifest = self.snapshot.manifest
        assumptions = manifest.get("assumptions")
        return Summary(
            organization_id=organization.id,
            taken_at=str(manifest.get("taken_at") or ""),
            accounts_total=len(organization.accounts),
            accounts_read=len(organization.accounts) - len(not_read),
            accounts_not_read=not_read,
            principals=len(self.model.senders),
            identities=sum(identity.known for identity in self.model.identities.values()),
            cells=sum(counted.values()),
            allowed=counted["allowed"],
            conditional=counted["conditional"],
            stopped_by_scp_alone=counted["scp_alone"],
            denied=counted["denied"],
            unknown=counted["unknown"],
            gaps=self.model.gaps.all(),
            assumptions=tuple(map(str, assumptions)) if isinstance(assumptions, list) else (),
        )

    def _why_not_read(self, account: str, reason: str) -> str:
        if reason:
            return reason
        if self.model.gaps.planned(account, "global", "sts", "AssumeRole") and self.model.gaps.of(
            account, "global", "sts", "AssumeRole"
        ):
            return "refused the audit role"
        return "its principals could not be read"

    def summary(self) -> Summary:
        """The numbers at the top of every report.

        Examples
        --------
        >>> found = audit.summary()
        >>> (found.accounts_read, found.accounts_total, found.complete)
        (10, 12, False)
        """
        return self._summary
