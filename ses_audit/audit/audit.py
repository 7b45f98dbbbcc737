"""The notebook API: one snapshot, and the questions asked of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_audit.audit.explanation import Explanation
from ses_audit.audit.frames import listed, long_table, named_action, narrowed
from ses_audit.audit.matrix import Matrix, count
from ses_audit.audit.queries import Selection
from ses_audit.audit.reading import ACTIONS, Reading
from ses_audit.audit.rollups import counts
from ses_audit.audit.stops import stops
from ses_audit.audit.summary import Summary
from ses_audit.errors import USAGE, UserError

if TYPE_CHECKING:
    import pandas as pd

    from ses_audit.policy.types import Denial
    from ses_audit.ses.messages import Message

__all__ = ["ACTIONS", "Audit"]


class Audit(Reading):
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

    def _repr_html_(self) -> str:
        return self.summary()._repr_html_()

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
        frame: pd.DataFrame = self.inventory.accounts.to_pandas()
        return frame

    def principals(
        self,
        *,
        principal: str | None = None,
        account: str | None = None,
        ou: str | None = None,
        type: str | None = None,
    ) -> pd.DataFrame:
        """Every user, role and root user that was read.

        Parameters
        ----------
        principal, account, ou, type
            Exact values (ARNs, account ids, OUs, `user`, `role` or `root`); several by comma.

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
        wanted = {"principal_arn": principal, "account_id": account, "ou": ou, "type": type}
        found = narrowed(self.inventory.principals, "principals", wanted)
        # NA: access keys were not read.
        frame: pd.DataFrame = found.to_pandas().astype({"smtp": "boolean", "active_keys": "Int64"})
        return frame

    def identities(
        self, *, identity: str | None = None, account: str | None = None, region: str | None = None
    ) -> pd.DataFrame:
        """Every identity that was read: an address or a domain, in one region of one account.

        Parameters
        ----------
        identity, account, region
            Exact values (names, account ids, regions); several by comma.

        Examples
        --------
        >>> frame = audit.identities()
        >>> sorted(frame["type"].unique())
        ['address', 'domain']
        """
        wanted = {"name": identity, "account_id": account, "region": region}
        frame: pd.DataFrame = narrowed(self.inventory.identities, "identities", wanted).to_pandas()
        return frame

    def coverage(
        self, *, account: str | None = None, region: str | None = None, state: str | None = None
    ) -> pd.DataFrame:
        """How the reading of every planned cell ended: `state` is OK, EMPTY, DENIED, ...

        Parameters
        ----------
        account, region, state
            Exact values; several by comma.

        Examples
        --------
        >>> audit.coverage(state="ASSUME_FAILED")["account_id"].unique().tolist()
        ['121212121212']
        """
        wanted = {"account_id": account, "region": region, "state": state}
        frame: pd.DataFrame = narrowed(self.overview.coverage, "cells", wanted).to_pandas()
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
            For an action or a verdict that does not exist, and for more rows than are held at
            once: `counts` and `send_matrix` count them.

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
        return count(
            self.queries,
            rows,
            columns,
            action=named_action(action, ACTIONS),
            accounts=listed(account),
            total=self.summary().cells,
        )

    def counts(
        self,
        rows: str = "ou",
        columns: str = "region",
        action: str = "",
        account: str | None = None,
    ) -> pd.DataFrame:
        """Verdicts counted by OU, account, region, action or policy: no cell is made.

        Parameters
        ----------
        rows
            `ou` or `account` (of the principal), `region`, `action`, or `policy` (each policy
            that denies; a cell that several deny is counted under each).
        columns
            `region`, `account` (of the principal), `action`, or "" for one column.
        action
            Only this send action.
        account
            Only principals of these accounts, by comma.

        Examples
        --------
        >>> frame = audit.counts("region", "action")
        >>> int(frame["allowed"].sum()) == audit.summary().allowed
        True
        """
        found = counts(
            self.queries,
            rows,
            columns,
            action=named_action(action, ACTIONS),
            accounts=listed(account),
        )
        frame: pd.DataFrame = found.to_pandas()
        return frame

    def scp_denies(
        self,
        *,
        principal: str | None = None,
        account: str | None = None,
        identity: str | None = None,
        region: str | None = None,
        action: str | None = None,
        scp: str | None = None,
    ) -> pd.DataFrame:
        """Each cell that an SCP stops, once a denying statement or lacking level.

        Parameters
        ----------
        principal, account, identity, region, action
            As for `verdicts`.
        scp
            Only this SCP, by its ARN or name; several by comma.

        Raises
        ------
        UserError
            For more rows than are held at once: `scp_stops` counts them.

        Examples
        --------
        The region lock has no say in the regions that it names:

        >>> frame = audit.scp_denies(scp="RegionLock")
        >>> locked = frame[frame["certain"]]
        >>> "eu-west-1" in locked["region"].tolist()
        False
        """
        from ses_audit.audit.denials import scp_denies

        found = scp_denies(
            self.verdict_tables,
            self._scps(scp),
            principal=principal,
            account=account,
            identity=identity,
            region=region,
            action=action,
        )
        return self._named(found)

    def scp_stops(
        self, *, ou: str = "", account: str = "", region: str = "", action: str = "", scp: str = ""
    ) -> pd.DataFrame:
        """Each SCP statement on its target, and how many cells it stops: no cell is made.

        Parameters
        ----------
        ou, account
            Of the principal or of the identity.
        region, action
            Only these.
        scp
            Only this SCP, by its ARN or name.

        Returns
        -------
        DataFrame
            Cells that it alone stops (`sole`), that other SCPs stop too (`several`), that other
            layers deny too (`layers`), that it denies in some contexts (`narrows`); and how many
            `principals` and `identities` have such a cell.

        Examples
        --------
        >>> frame = audit.scp_stops()
        >>> "RegionLock" in frame["scp_name"].tolist()
        True
        """
        selection = Selection(
            ou=ou, account=account, region=region, action=named_action(action, ACTIONS)
        )
        import pyarrow as pa

        parts = [stops(self.queries, selection, arn) for arn in self._scps(scp) or ("",)]
        return self._named(pa.concat_tables(parts).to_pandas())

    def _scps(self, names: str | None) -> tuple[str, ...]:
        """ARNs of SCPs that are named by ARN or name."""
        by_name = self.organization.policy_arns
        unknown = [n for n in listed(names) if n not in by_name and n not in by_name.values()]
        if unknown:
            raise UserError(f"no such SCP: {', '.join(unknown)}", USAGE)
        return tuple(by_name.get(name, name) for name in listed(names))

    def _named(self, found: pd.DataFrame) -> pd.DataFrame:
        """Rows with the names of their SCP and its target."""
        import pandas as pd

        organization = self.organization
        for column, name, named in (
            ("policy", "scp_name", organization.policy_name),
            ("target", "target_name", organization.target_name),
        ):
            codes, values = found[column].factorize()
            # The code of nothing is -1, and the last name is empty.
            names = pd.array([*map(named, values), ""], dtype="str")
            found[name] = names[codes]
        return found.rename(columns={"policy": "scp_arn"})

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
        identities = self.verdict_tables["identities"]
        if not any(
            identity in identities.column(name).to_pylist()
            for name in ("identity_arn", "identity_name")
        ):
            unread = len(self.overview.unlisted)
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
        model, decider = self._about(principal, identity)
        found = model.identities.get(identity)
        if found is None:
            raise UserError(f"no identity {identity} in {self.snapshot.path}", USAGE)
        for sender in (*model.crossing.senders_of(found), *model.senders.values()):
            if sender.arn == principal:
                return decider.decide(sender, found, action).denials
        raise UserError(f"no principal {principal} in {self.snapshot.path}", USAGE)

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
        return self._explainer(principal, identity).explain(principal, action, identity)

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
        return self._explainer(
            message.principal or "", message.resource or "", *message.identities
        ).explain_message(message)

    def summary(self) -> Summary:
        """The numbers at the top of every report.

        Examples
        --------
        >>> found = audit.summary()
        >>> (found.accounts_read, found.accounts_total, found.complete)
        (10, 12, False)
        """
        return self._summary
