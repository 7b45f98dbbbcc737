"""The contexts of an open line, enumerated: for each key that is named and not given, some values
around those that the policies write, its absence, and for a key of sets, sets of them."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator

from iam_reference.conditions import in_network, moment, number
from iam_reference.decide import document, many, read_context, text_of

Context = dict[str, list[str]]

_VARIABLE = re.compile(r"\$\{([^},]+)(?:,[^}]*)?\}")
LAYERS = (
    ("PolicyInputList", None),
    ("PermissionsBoundaryPolicyInputList", None),
    ("SessionPolicyInputList", None),
    ("ResourcePolicyInputList", None),
    ("OrderedOrganizationPolicyInputList", "ServiceControlPolicyInputList"),
    ("OrderedOrganizationResourcePolicyInputList", "ResourceControlPolicyInputList"),
)


def statements(line: dict) -> Iterator[dict]:
    """Every statement of every policy of a line."""
    sources = [line["ResourcePolicy"]] if line.get("ResourcePolicy") is not None else []
    for name, inner in LAYERS:
        for item in line.get(name) or []:
            sources += item[inner] if inner else [item]
    for source in sources:
        yield from many(document(source)["Statement"])


def values_near(operator: str, written: str) -> set[str]:
    """Values that the operator may tell apart."""
    if "date" in operator or "numeric" in operator:
        at = moment(written) if "date" in operator else number(written)
        if at is None:
            return {"1", "junk"}
        return {str(int(at)), str(int(at) - 1), str(int(at) + 1), "junk"}
    if operator.endswith("bool"):
        return {"true", "false", "junk"}
    if "ipaddress" in operator:
        base = written.split("/")[0]
        near = {base, "192.0.2.1", "203.0.113.1", "203.0.113.254", "2001:db8:8000::1", "fe80::1"}
        return {address for address in near if in_network(address, address)} | {"junk"}
    if "binary" in operator:
        return {written, "AAAA"}
    text = _VARIABLE.sub(
        "alice", written.replace("${*}", "*").replace("${?}", "?").replace("${$}", "$")
    )
    return {
        written,
        text,
        text.replace("*", "").replace("?", "q"),
        text.replace("*", "x").replace("?", "x"),
        text.replace("*", "news@example.com").replace("?", "a"),
        text.swapcase(),
        "other",
    }


TYPES = {
    "aws:currenttime": "date",
    "aws:multifactorauthage": "numeric",
    "aws:multifactorauthpresent": "bool",
    "aws:principalarn": "arn",
    "aws:principalisawsservice": "bool",
    "aws:securetransport": "bool",
    "aws:sourcearn": "arn",
    "aws:sourceip": "ipaddress",
    "aws:tokenissuetime": "date",
    "aws:viaawsservice": "bool",
    "aws:vpcsourceip": "ipaddress",
}
"""The types of keys that AWS documents
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html)."""


OTHER = {
    "": "x",
    "arn": "arn:aws:iam::999999999999:user/x",
    "bool": "true",
    "date": "2026-01-01",
    "ipaddress": "192.0.2.77",
    "numeric": "7",
}
"""A value of each type."""


def is_of_type(value: str, kind: str) -> bool:
    """Whether a key of a type can hold a value."""
    if kind == "date":
        return moment(value) is not None
    if kind == "numeric":
        return number(value) is not None
    if kind == "bool":
        return value in ("true", "false")
    if kind == "ipaddress":
        return in_network(value, value)
    return kind != "arn" or value.count(":") >= 5


def type_of(operator: str) -> str:
    """The type of key that an operator is for; the empty text for strings and bytes."""
    return next(
        (kind for kind in ("date", "numeric", "bool", "ipaddress", "arn") if kind in operator), ""
    )


def universes(line: dict) -> tuple[dict[str, list[list[str]]], set[str]]:
    """For each open key its values ([] is absence), and the keys that may hold sets: those that
    stand with set operators (or Null) alone."""
    given, multivalued = read_context(line)
    near: dict[str, set[str]] = {}
    plain: set[str] = set()
    types: dict[str, set[str]] = {}
    for statement in statements(line):
        for written_operator, keys in statement.get("Condition", {}).items():
            operator = written_operator.lower()
            for name, values in keys.items():
                key = name.lower()
                found = near.setdefault(key, set())
                if operator != "null":
                    types.setdefault(key, set()).add(type_of(operator))
                if not operator.startswith("for") and operator != "null":
                    plain.add(key)
                for value in many(values):
                    if operator != "null":
                        found |= values_near(operator, text_of(value))
                    for variable in _VARIABLE.findall(text_of(value)):
                        near.setdefault(variable.strip().lower(), set()).update(("alice", "news"))
                        plain.add(variable.strip().lower())
        for element in ("Resource", "NotResource"):
            for value in many(statement.get(element, [])):
                for variable in _VARIABLE.findall(value):
                    near.setdefault(variable.strip().lower(), set()).update(
                        ("alice", "example.com", "eu-west-1")
                    )
                    plain.add(variable.strip().lower())
    found_universes: dict[str, list[list[str]]] = {}
    sets = set()
    for key, candidates in sorted(near.items()):
        if key in given or key in ("*", "?", "$"):
            continue
        # A key holds values of its type: AWS's, or that of the only operators it stands with.
        known = types.get(key, set())
        kind = TYPES.get(key, next(iter(known)) if len(known) == 1 else "")
        values = sorted(value for value in candidates if is_of_type(value, kind)) or [OTHER[kind]]
        options: list[list[str]] = [[], *([value] for value in values)]
        if key not in plain:
            sets.add(key)
            options += [list(pair) for pair in itertools.combinations(values, 2)]
        found_universes[key] = options
    return found_universes, sets | multivalued


def compares_open_keys(line: dict) -> bool:
    """Whether a condition on a key that is not given refers to another that is not given."""
    given, _ = read_context(line)
    for statement in statements(line):
        for keys in statement.get("Condition", {}).values():
            for key, values in keys.items():
                for value in many(values):
                    named = _VARIABLE.findall(text_of(value))
                    names = {name.strip().lower() for name in named} - {"*", "?", "$"}
                    if key.lower() not in given and names - given.keys():
                        return True
    return False


def contexts(line: dict, most: int) -> Iterator[tuple[Context, set[str]]]:
    """Contexts of an open line: all of them where they are few, or else `most` of them, drawn by
    the line's own Id so that a run can be repeated."""
    given, _ = read_context(line)
    choices, multivalued = universes(line)
    total = 1
    for options in choices.values():
        total *= len(options)
    draws: Iterator[tuple[list[str], ...]]
    if total <= most:
        draws = itertools.product(*choices.values())
    else:
        rng = random.Random(str(line.get("Id")))
        draws = (
            tuple(options[rng.randrange(len(options))] for options in choices.values())
            for _ in range(most)
        )
    for drawn in draws:
        added = {key: values for key, values in zip(choices, drawn, strict=True) if values}
        several = {key for key in added if len(added[key]) > 1}
        yield {**given, **added}, multivalued | several
