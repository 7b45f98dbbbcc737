"""Identities: which one covers an address, which From addresses one covers, whose policies count.

Sources:
https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html (domains ignore case, addresses
do not; a domain covers its subdomains; the most specific identity counts)
https://docs.aws.amazon.com/ses/latest/dg/sending-authorization-delegate-sender-tasks-email.html
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

__all__ = [
    "Resolved",
    "address_of",
    "candidates",
    "covering",
    "from_patterns",
    "is_address",
    "resolve",
    "without_label",
]


def is_address(name: str) -> bool:
    """Whether an identity's name is an e-mail address rather than a domain.

    Examples
    --------
    >>> is_address("news@example.com"), is_address("example.com")
    (True, False)
    """
    return "@" in name


def address_of(text: str) -> str:
    """The bare address of a From header.

    Examples
    --------
    >>> address_of('"Doe, Jane" <jane@example.com>')
    'jane@example.com'
    """
    text = text.strip()
    if text.endswith(">") and "<" in text:
        return text[text.rindex("<") + 1 : -1].strip()
    return text


def without_label(address: str) -> str:
    """The address without `+label` (D/I).

    Examples
    --------
    >>> without_label("news+x@example.com")
    'news@example.com'
    """
    local, _, domain = address.rpartition("@")
    return f"{local.split('+', 1)[0]}@{domain}"


def candidates(address: str) -> tuple[str, ...]:
    """The names under which SES looks for an identity, the most specific first.

    Domains are given in lower case; addresses as they are written.

    Examples
    --------
    >>> candidates("user+x@a.Example.com")
    ('user+x@a.Example.com', 'user@a.Example.com', 'a.example.com', 'example.com')
    """
    bare = address_of(address)
    names = [bare, without_label(bare)] if is_address(bare) else []
    labels = bare.rpartition("@")[2].lower().strip(".").split(".")
    # A top-level domain alone cannot be verified.
    names += [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]
    return tuple(dict.fromkeys(names))


def covering(address: str, verified: Iterable[str]) -> str | None:
    """The identity that is checked for an address: the most specific verified one.

    The address itself, then without its `+label`, then its domain, then each parent domain.
    Domains ignore case, addresses do not.

    Parameters
    ----------
    address
        `user@a.example.com`, or a From header with a display name.
    verified
        The names of the verified identities of the account and region.

    Returns
    -------
    str or None
        The name as it is verified; None where none covers it.

    Examples
    --------
    >>> covering("user@a.example.com", ["example.com", "A.example.com"])
    'A.example.com'
    >>> covering("user@example.com", ["user+x@example.com"]) is None
    True
    """
    known = {name if is_address(name) else name.lower(): name for name in verified}
    return next((known[name] for name in candidates(address) if name in known), None)


def from_patterns(name: str) -> tuple[str, ...]:
    """The From addresses that an identity covers, as patterns with `*`.

    Of a domain: as it is verified and in lower case. That a From header can spell it otherwise is
    left out: patterns compare letter by letter.

    Examples
    --------
    >>> from_patterns("example.com")
    ('*@example.com', '*@*.example.com')
    >>> from_patterns("news@example.com")
    ('news@example.com', 'news+*@example.com')
    """
    if not is_address(name):
        names = dict.fromkeys((name, name.lower()))
        return tuple(pattern for each in names for pattern in (f"*@{each}", f"*@*.{each}"))
    local, _, domain = name.rpartition("@")
    return (name, f"{local}+*@{domain}")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What SES makes of a From address.

    Parameters
    ----------
    outcome
        `checked`: IAM is asked for `arn`. `not_verified`: SES answers "Email address is not
        verified" to who may send; IAM is asked first, for `arn`. `wrong_region`: the identity's
        ARN names another region than the one that is called. `not_covered`: the identity that the
        caller names does not cover the address.
    arn
        The resource of the sender check.
    policies_of
        The ARN of the identity whose sending policies are read; None for none.
    confidence
        Of the rule that decided.
    """

    outcome: Literal["checked", "not_verified", "wrong_region", "not_covered"]
    arn: str
    policies_of: str | None
    confidence: str


def resolve(
    address: str,
    verified: Iterable[str],
    *,
    account: str,
    region: str,
    partition: str = "aws",
    identity_arn: str | None = None,
) -> Resolved:
    """Say which identity a send from an address is checked on, and whose policies are read.

    Parameters
    ----------
    address
        The From address.
    verified
        Names of the identities verified in the caller's account and region.
    account, region, partition
        Of the caller and of the endpoint that is called.
    identity_arn
        What a delegate sender passes (`SourceArn`, `FromEmailAddressIdentityArn`,
        `X-SES-SOURCE-ARN`). That ARN decides whose policies are read, also within one account:
        a Deny on the address does not stop who passes the domain's ARN (R). Without it SES looks
        in the caller's own account alone (R).

    Returns
    -------
    Resolved

    Examples
    --------
    >>> resolve("a@example.com", ["example.com"], account="1", region="eu-west-1").arn
    'arn:aws:ses:eu-west-1:1:identity/example.com'
    >>> resolve("a@example.com", [], account="1", region="eu-west-1").outcome
    'not_verified'
    """
    if identity_arn is not None:
        named = identity_arn.split(":", 5)
        # A region of `*` names an identity that Global endpoints keep in two regions.
        if len(named) == 6 and named[3] not in (region, "*"):
            return Resolved("wrong_region", identity_arn, None, "D")
        name = identity_arn.rsplit("identity/", 1)[-1]
        if covering(address, [name]) is None:
            return Resolved("not_covered", identity_arn, None, "D")
        return Resolved("checked", identity_arn, identity_arn, "R")
    prefix = f"arn:{partition}:ses:{region}:{account}:identity/"
    found = covering(address, verified)
    if found is None:
        return Resolved("not_verified", prefix + address_of(address), None, "R")
    # That the most specific identity is the resource is documented; one report says that the
    # address is, even where only its domain is verified.
    conflict = is_address(address_of(address)) and not is_address(found)
    return Resolved("checked", prefix + found, prefix + found, "X" if conflict else "D")
