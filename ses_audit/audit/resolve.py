"""Whom and what a text names: principals and identities of a snapshot, or candidates.

Nothing is guessed: a text that names several, or is cut, gives candidates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from ses_audit.audit.cells import arn_kind
from ses_audit.audit.explanation import Candidate, Note
from ses_audit.audit.identities import Identity
from ses_audit.audit.model import Model
from ses_audit.audit.senders import GAAD, Sender, outside_sender, unread_sender
from ses_audit.ses.identities import covering, is_address

__all__ = ["FoundIdentity", "FoundPrincipal", "find_identity", "find_principal"]

_MOST = 20
_IAM = re.compile(r"arn:[^:]+:iam::([0-9]{12}):(root|user/.+|role/.+)", re.DOTALL)
_SESSION = re.compile(r"arn:[^:]+:sts::([0-9]{12}):assumed-role/([^/]+)/(.+)", re.DOTALL)
_FEDERATED = re.compile(r"arn:[^:]+:sts::([0-9]{12}):federated-user/(.+)", re.DOTALL)
_ID = re.compile(r"(A(?:IDA|ROA)[A-Z0-9]{12,})(?::(.+))?", re.DOTALL)
_SES = re.compile(r"arn:([^:]+):ses:([^:]*):([0-9]{12}):([a-z-]+)/(.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FoundPrincipal:
    """Whom a text names: a sender, or candidates, or nobody."""

    sender: Sender | None
    notes: tuple[Note, ...] = ()
    candidates: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class FoundIdentity:
    """What a text names. `elsewhere` are identities of the same name in other places."""

    identity: Identity | None
    notes: tuple[Note, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    elsewhere: tuple[Identity, ...] = ()
    exists: bool | None = True
    """Whether it is in the snapshot; None where its account and region were not read."""
    asked: tuple[str, ...] = ()
    """The ARN that was asked for, where another identity covers it."""


def find_principal(model: Model, text: str, identity: Identity | None) -> FoundPrincipal:
    """The principal that a text names.

    Parameters
    ----------
    model
        The snapshot.
    text
        An ARN (a session's too), a unique id, a service, `*`, or a name that one principal has.
    identity
        Whose sending policies may name principals that the snapshot lacks.
    """
    wanted = text.strip()
    if wanted in model.senders:
        return FoundPrincipal(model.senders[wanted])
    if identity is not None:
        for sender in model.crossing.senders_of(identity):
            if sender.arn == wanted:
                return FoundPrincipal(sender)
    if match := _SESSION.fullmatch(wanted):
        return _session(model, wanted, match[1], match[2])
    if match := _FEDERATED.fullmatch(wanted):
        user = _named(model, match[2], match[1])
        said = (
            "A federated user (GetFederationToken) has what both the IAM user's policies and the "
            "session policy allow; the snapshot does not hold the session policy."
        )
        return FoundPrincipal(None, (Note("federated", said),), _listed(model, user))
    if match := _ID.fullmatch(wanted):
        return _by_id(model, match[1])
    if match := _IAM.fullmatch(wanted):
        return _unseen(model, wanted, match[1])
    named = [sender for sender in model.senders.values() if sender.name == wanted]
    if len(named) == 1:
        return FoundPrincipal(named[0])
    cut = wanted.rstrip(".…")
    close = named or [s for s in model.senders.values() if cut and cut in s.arn]
    said = f"{wanted or 'The text'} names no principal of the snapshot for certain."
    return FoundPrincipal(None, (Note("principal_unknown", said),), _listed(model, close))


def _session(model: Model, arn: str, account: str, name: str) -> FoundPrincipal:
    role = next((s for s in _named(model, name, account) if s.type == "role"), None)
    if role is None:
        found = _unseen(model, arn, account)
        return replace(found, sender=found.sender)
    said = (
        f"The principal is a session of the role {role.arn}. A session policy passed with "
        "AssumeRole would limit it further; the snapshot does not hold any."
    )
    return FoundPrincipal(model.crossing.session(arn, role), (Note("session", said),))


def _by_id(model: Model, unique: str) -> FoundPrincipal:
    for sender in model.senders.values():
        if sender.principal_id == unique:
            said = f"{unique} is {sender.arn}."
            return FoundPrincipal(sender, (Note("principal_id", said),))
    said = (
        f"No principal of the snapshot has the id {unique}: it was deleted, and a policy that "
        "still shows the id matches nobody, not even a new principal of the old name."
    )
    return FoundPrincipal(None, (Note("principal_deleted", said),))


def _unseen(model: Model, arn: str, account: str) -> FoundPrincipal:
    """A well-formed ARN that the snapshot lacks."""
    known = account in model.organization.accounts
    missing = model.gaps.of(account, *GAAD)
    if known and missing:
        kind = "session" if ":sts:" in arn else arn_kind(arn)
        sender = unread_sender(arn, account, "root" if arn.endswith(":root") else kind, missing)
        said = f"The principals of account {account} were not read."
        return FoundPrincipal(sender, (Note("principal_unread", said),))
    if not known:
        kind = "account" if arn.endswith(":root") else arn_kind(arn)
        said = (
            f"Account {account} is not in the snapshot: what its own policies and SCPs say is not "
            "known, and taken as allowing; here stands what this organization decides."
        )
        kind = "session" if ":sts:" in arn else kind
        sender = outside_sender(arn, account, kind, model.gaps.unlisted_accounts())
        return FoundPrincipal(sender, (Note("other_account", said),))
    name = arn.rsplit("/", 1)[-1].lower()
    close = [
        s
        for s in model.senders.values()
        if s.account == account and (s.name.lower() == name or s.arn.startswith(arn))
    ]
    said = (
        f"{arn} is not in the snapshot, though account {account} was read: it was deleted, or made "
        "after the snapshot, or the ARN is cut or differs in its path or case."
    )
    return FoundPrincipal(None, (Note("principal_unknown", said),), _listed(model, close))


def _named(model: Model, name: str, account: str) -> list[Sender]:
    return [s for s in model.senders.values() if s.account == account and s.name == name]


def _listed(model: Model, senders: list[Sender]) -> tuple[Candidate, ...]:
    accounts = model.organization.accounts
    return tuple(
        Candidate("principal", s.arn, accounts[s.account].name if s.account in accounts else "")
        for s in sorted(senders, key=lambda s: s.arn)[:_MOST]
    )


def find_identity(model: Model, text: str, sender_account: str | None = None) -> FoundIdentity:
    """The identity that a text names, or that covers the address that it names.

    Parameters
    ----------
    model
        The snapshot.
    text
        An identity's ARN, or a name that one identity (of the sender's account, if several) has;
        the ARN of a configuration set stands for the identity whose default it is.
    sender_account
        Whose identities count first.
    """
    wanted = text.strip()
    if wanted in model.identities:
        identity = model.identities[wanted]
        return FoundIdentity(identity, exists=True if identity.known else None)
    if match := _SES.fullmatch(wanted):
        partition, region, account, kind, name = match.groups()
        if kind == "identity":
            return _by_arn(model, partition, region, account, name)
        if kind == "configuration-set":
            return _by_set(model, region, account, name)
        return FoundIdentity(
            None,
            (
                Note(
                    "other_resource",
                    f"The refused resource is a {kind}, {name}: the check of the identity itself "
                    "is not what failed. Name the identity to see every check.",
                ),
            ),
        )
    named = [i for i in model.identities.values() if i.known and i.name == wanted]
    own = [i for i in named if i.account == sender_account]
    if len(own or named) == 1:
        return FoundIdentity((own or named)[0])
    cut = wanted.rstrip(".…")
    close = named or [i for i in model.identities.values() if i.known and cut and cut in i.arn]
    said = f"{wanted or 'The text'} names no identity of the snapshot for certain."
    return FoundIdentity(None, (Note("identity_unknown", said),), _candidates(model, close))


def _candidates(model: Model, identities: list[Identity]) -> tuple[Candidate, ...]:
    accounts = model.organization.accounts
    return tuple(
        Candidate("identity", i.arn, accounts[i.account].name if i.account in accounts else "")
        for i in sorted(identities, key=lambda i: i.arn)[:_MOST]
    )


def _by_set(model: Model, region: str, account: str, name: str) -> FoundIdentity:
    having = [
        i
        for i in model.identities.values()
        if (i.account, i.region, i.configuration_set) == (account, region, name)
    ]
    said = (
        f"The refused resource is the configuration set {name}: named in the request, or the "
        "default one of an identity. The identity's own check is not what failed."
    )
    note = Note("configuration_set", said)
    if len(having) == 1:
        return FoundIdentity(having[0], (note,))
    return FoundIdentity(None, (note,), _candidates(model, having))


def _by_arn(model: Model, partition: str, region: str, account: str, name: str) -> FoundIdentity:
    here = [
        i
        for i in model.identities.values()
        if (i.account, i.region) == (account, region) and i.known
    ]
    cover = _cover(name, here)
    if cover is not None:
        said = (
            f"{name} is not verified apart in {region} of {account}: SES checks {cover.name}, "
            "which covers it. Some report that the address's own ARN is checked all the same; a "
            "repair that names both is safe."
        )
        arn = f"arn:{partition}:ses:{region}:{account}:identity/{name}"
        return FoundIdentity(cover, (Note("covered", said),), asked=(arn,))
    longer = _candidates(model, [i for i in here if i.name.startswith(name)])
    if "." not in name.rpartition("@")[2]:
        said = f"{name} is no whole domain or address: the text is cut."
        return FoundIdentity(None, (Note("identity_cut", said),), longer)
    arn = f"arn:{partition}:ses:{region}:{account}:identity/{name}"
    elsewhere = tuple(i for i in model.identities.values() if i.known and i.name == name)
    missing = model.gaps.of(account, region, "sesv2", "ListEmailIdentities")
    notes: list[Note] = []
    if account not in model.organization.accounts:
        notes.append(Note("account_unknown", f"Account {account} is not in the snapshot."))
    elif missing:
        notes.append(
            Note("region_unread", f"The identities of {region} in account {account} were not read.")
        )
    else:
        off = model.gaps.state(account, region, "sesv2", "ListEmailIdentities")
        why = (
            f"{region} is not enabled in account {account}"
            if off == "REGION_DISABLED"
            else f"No identity in {region} of account {account} covers {name}"
        )
        said = (
            f"{why}. IAM answers first, and names the address as it stands; once it allows, SES "
            'answers "Email address is not verified".'
        )
        notes.append(Note("not_verified_here", said))
    for other in elsewhere:
        place = "region" if other.account == account else "account"
        said = f"{name} is an identity of account {other.account} in {other.region}."
        notes.append(Note(f"other_{place}", said))
    identity = Identity(
        arn=arn,
        account=account,
        region=region,
        name=name,
        type="address" if is_address(name) else "domain",
        verified=None if missing else False,
        configuration_set=None if missing else "",
        missing=missing,
    )
    if longer:
        notes.append(Note("identity_cut", f"{name} may be cut: an identity here begins with it."))
    return FoundIdentity(
        identity, tuple(notes), longer, elsewhere=elsewhere, exists=None if missing else False
    )


def _cover(name: str, identities: list[Identity]) -> Identity | None:
    by_name = {i.name: i for i in identities}
    address = name if is_address(name) else f"x@{name}"
    found = covering(address, [n for n, i in by_name.items() if i.verified is not False])
    return None if found is None or found == name else by_name[found]
