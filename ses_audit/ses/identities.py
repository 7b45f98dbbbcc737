"""Identities: which one covers an address, and which From addresses one covers.

Source: https://docs.aws.amazon.com/ses/latest/dg/creating-identities.html
"""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["address_of", "covering", "from_patterns", "is_address"]


def is_address(name: str) -> bool:
    """Whether an identity's name is an e-mail address rather than a domain."""
    return "@" in name


def address_of(address: str) -> str:
    """The address that SES looks up: without `+label`, its domain in lower case.

    Examples
    --------
    >>> address_of("News+x@Example.com")
    'News@example.com'
    """
    local, _, domain = address.rpartition("@")
    return f"{local.split('+', 1)[0]}@{domain.lower()}"


def covering(address: str, verified: Iterable[str]) -> str | None:
    """The identity that is checked for an address: the most specific verified one.

    The address itself, then its domain, then each parent domain. Domains ignore case, the local
    part does not.

    Parameters
    ----------
    address
        `user@a.example.com`.
    verified
        The names of the verified identities of the account and region.

    Returns
    -------
    str or None
        The name as it is verified; None where none covers it.

    Examples
    --------
    >>> covering("user@a.example.com", ["example.com", "a.example.com"])
    'a.example.com'
    """
    names = list(verified)
    wanted = address_of(address)
    for name in names:
        if is_address(name) and address_of(name) == wanted:
            return name
    domains = {name.lower(): name for name in names if not is_address(name)}
    labels = wanted.rpartition("@")[2].split(".")
    for start in range(len(labels)):
        found = domains.get(".".join(labels[start:]))
        if found is not None:
            return found
    return None


def from_patterns(name: str) -> tuple[str, ...]:
    """The From addresses that an identity covers, as patterns with `*`.

    Examples
    --------
    >>> from_patterns("example.com")
    ('*@example.com', '*@*.example.com')
    >>> from_patterns("news@example.com")
    ('news@example.com', 'news+*@example.com')
    """
    if not is_address(name):
        return (f"*@{name}", f"*@*.{name}")
    local, _, domain = name.rpartition("@")
    return (name, f"{local}+*@{domain}")
