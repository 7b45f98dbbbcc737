"""What documents see of an identity: the quick answer is the careful one."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ses_audit.audit.asks import _bits
from ses_audit.policy.reduce import open_resource_relation
from ses_audit.policy.wildcards import arn_matches

_HEAD = st.sampled_from(["arn", "aws", "ses", "eu-west-1", "111111111111", "*", "eu-*", "?", ""])
_NAME = st.sampled_from(
    [
        "identity/a.example", "identity/*", "identity/*.example", "identity/a.example:b",
        "template/*", "template/a", "template/", "template/a*", "temp*", "t?mplate/*",
        "configuration-set/main", "*", "",
    ]
)  # fmt: skip
_PATTERN = st.one_of(
    st.builds(lambda heads, name: ":".join((*heads, name)), st.lists(_HEAD, max_size=7), _NAME),
    st.sampled_from(["*", "arn:aws:ses:*", "arn:aws:ses:*:identity/a.example"]),
)
_KNOWN = st.sampled_from(["identity/a.example", "configuration-set/main", "identity/b", "a:b"])
_OPEN = st.sampled_from(["template/*", "custom-verification-email-template/*"])


def _arn(name: str) -> str:
    return f"arn:aws:ses:eu-west-1:111111111111:{name}"


@settings(max_examples=500, deadline=None)
@given(_PATTERN, _KNOWN)
def test_a_known_resource(pattern: str, name: str) -> None:
    assert _bits((pattern,), _arn(name), False) == (arn_matches(pattern, _arn(name)),)


@settings(max_examples=500, deadline=None)
@given(_PATTERN, _OPEN)
def test_an_open_resource(pattern: str, name: str) -> None:
    """ "some" is told with the names, since it decides what is left open."""
    relation = open_resource_relation(pattern, _arn(name))
    expected = (_arn(name), pattern) if relation == "some" else relation
    assert _bits((pattern,), _arn(name), True) == (expected,)
