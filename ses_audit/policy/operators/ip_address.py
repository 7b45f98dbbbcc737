"""Addresses: IPv4 and IPv6, alone or with a prefix length; text that is none matches nothing.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IPAddress
"""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from ses_audit.policy.operators.base import Family, Operator, text_of
from ses_audit.policy.wildcards import Token

__all__ = ["OPERATORS", "network"]

_SHAPE = re.compile(r"[0-9a-fA-F:.]+(/[0-9]{1,3})?")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@lru_cache(maxsize=65536)
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


def within(value: str, tokens: tuple[Token, ...]) -> bool:
    """Whether the address (or the whole range) lies in the policy's range."""
    inner, outer = network(value), network(text_of(tokens))
    if inner is None or outer is None or inner.version != outer.version:
        return False
    return inner.subnet_of(outer)  # type: ignore[arg-type]


OPERATORS = (
    Operator("IpAddress", Family.IP_ADDRESS, within),
    Operator("NotIpAddress", Family.IP_ADDRESS, within, negated=True),
)
