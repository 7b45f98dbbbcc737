"""Addresses: IPv4 and IPv6, alone or with a prefix length; text that is none matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
"""

from __future__ import annotations

import ipaddress
import re
from functools import partial

from ses_audit.policy.kept import kept
from ses_audit.policy.operators.base import Family, Operator, Test, never, text_of
from ses_audit.policy.patterns import Written

__all__ = ["OPERATORS", "address", "network"]

_SHAPE = re.compile(r"[0-9a-fA-F:.]+(/[0-9]{1,3})?")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@kept(4096)
def network(text: str) -> Network | None:
    """The range of addresses that a text writes (host bits are ignored), or None.

    Examples
    --------
    >>> network("203.0.113.7/24")
    IPv4Network('203.0.113.0/24')
    """
    stripped = text.strip()
    if _SHAPE.fullmatch(stripped) is None:
        return None
    try:
        return ipaddress.ip_network(stripped, strict=False)
    except ValueError:
        return None


def address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """The one address that a text writes, or None; a range is none.

    Examples
    --------
    >>> address("203.0.113.7"), address("203.0.113.0/24")
    (IPv4Address('203.0.113.7'), None)
    """
    found = None if "/" in text else network(text)
    return None if found is None else found.network_address


def _within(inside: bool, written: Written) -> Test:
    outer = network(text_of(written))
    if outer is None:
        return never

    def test(value: str) -> bool:
        found = address(value)
        # An address of the other version is outside.
        return found is not None and (found in outer) is inside

    return test


OPERATORS = (
    Operator("IpAddress", Family.IP_ADDRESS, partial(_within, True)),
    Operator("NotIpAddress", Family.IP_ADDRESS, partial(_within, False), negated=True),
)
