"""Random lines of `ses-audit simulate`: of few words, so that what is asked meets what is said.

A line is made of its seed alone: `line(seed)` is the same on every machine.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

Line = dict[str, Any]

_WORDS: dict[str, Any] = json.loads(
    Path(__file__).with_name("random_vocabulary.json").read_text(encoding="utf-8")
)
KEYS: dict[str, Any] = _WORDS["keys"] | _WORDS["set_keys"]
"""Each condition key's type, values in requests, values in policies, and operators."""
SETS = frozenset(_WORDS["set_keys"])
_CALLERS = [each for each in _WORDS["callers"] for _ in range(each["weight"])]

PRINCIPAL_ARN = "aws:principalarn"
IDENTITY, RESOURCE, CONTROL = "identity", "resource", "resource control"


class _Maker:
    """Makes one line: which keys it speaks of, and how many statements in a hundred have
    conditions."""

    def __init__(self, rng: random.Random, keys: Sequence[str], conditions: int) -> None:
        self.rng = rng
        self.keys = keys
        self.conditions = conditions

    def one(self, options: Sequence[Any]) -> Any:
        return options[self.rng.randrange(len(options))]

    def chance(self, of_hundred: int) -> bool:
        return self.rng.randrange(100) < of_hundred

    def single_or_list(self, options: Sequence[Any], most: int) -> Any:
        if self.chance(45):
            return self.one(options)
        return [self.one(options) for _ in range(self.rng.randrange(1, most + 1))]

    def case(self, name: str) -> str:
        """Key and operator names ignore case."""
        return self.one((name, name, name, name, name.lower(), name.upper()))

    def condition(self) -> Line:
        found: Line = {}
        for _ in range(self.one((1, 1, 1, 2, 2, 3))):
            key = self.one(self.keys)
            operator = self.one(KEYS[key]["operators"])
            if self.chance(15):
                operator += "IfExists"
            if self.chance(94 if key in SETS else 6):
                operator = self.one(("ForAnyValue:", "ForAllValues:")) + operator
            values = self.single_or_list(KEYS[key]["written"], 3)
            if self.chance(10):
                operator, values = "Null", self.one(("true", "false", True, False))
            found.setdefault(operator, {})[self.case(key)] = values
        return found

    def principal(self, negated: bool) -> Any:
        if self.chance(15) and not negated:
            return self.one(("*", {"AWS": "*"}))
        found: Line = {"AWS": self.single_or_list(_WORDS["principals"], 5 if negated else 3)}
        if self.chance(10):
            del found["AWS"]
        if self.chance(20) or not found:
            found["Service"] = self.one(_WORDS["services"])
        if self.chance(5):
            found["Federated"] = "cognito-identity.amazonaws.com"
        if self.chance(5):
            found["CanonicalUser"] = "79a59df900b949e55d96a1e698fbaced"
        return found

    def statement(self, kind: str, deny: int) -> Line:
        denies = self.chance(deny)
        statement: Line = {"Effect": "Deny" if denies else "Allow"}
        if self.chance(30):
            statement["Sid"] = "S" + str(self.rng.randrange(100))
        if kind == RESOURCE:
            if denies and self.chance(35):
                statement["NotPrincipal"] = self.principal(True)
            else:
                statement["Principal"] = self.principal(False)
        elif kind == CONTROL:
            statement["Principal"] = "*"
        if self.chance(15):
            statement["NotAction"] = self.single_or_list(_WORDS["action_patterns"][2:], 2)
        else:
            statement["Action"] = self.single_or_list(_WORDS["action_patterns"], 3)
        if self.chance(15):
            statement["NotResource"] = self.single_or_list(_WORDS["resource_patterns"][1:], 3)
        elif self.chance(50):
            statement["Resource"] = "*"
        else:
            statement["Resource"] = self.single_or_list(_WORDS["resource_patterns"], 3)
        if self.chance(self.conditions):
            statement["Condition"] = self.condition()
        return statement

    def policy(self, kind: str, most: int = 3, deny: int = 20) -> Any:
        statements = [self.statement(kind, deny) for _ in range(self.rng.randrange(1, most + 1))]
        found: Line = {}
        version = self.rng.randrange(10)
        if version < 8:
            found["Version"] = "2012-10-17"
        elif version < 9:
            found["Version"] = "2008-10-17"
        alone = len(statements) == 1 and self.chance(50)
        found["Statement"] = statements[0] if alone else statements
        return json.dumps(found) if self.chance(50) else found

    def full_access(self, kind: str) -> Line:
        statement: Line = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        if kind == CONTROL:
            statement["Principal"] = "*"
        return {"Version": "2012-10-17", "Statement": statement}

    def level(self, kind: str) -> list[Any]:
        if self.chance(3):
            return []
        policies = [self.full_access(kind)] if self.chance(75) else []
        if not policies or self.chance(60):
            policies += [self.policy(kind, 2, 40) for _ in range(self.rng.randrange(1, 3))]
        return policies

    def levels(self, kind: str, inner: str) -> list[Line]:
        return [{inner: self.level(kind)} for _ in range(self.rng.randrange(1, 4))]

    def context(self, keys: Sequence[str], present: int) -> list[Line]:
        entries = []
        for key in keys:
            if not self.chance(present):
                continue
            several = key in SETS or self.chance(3)
            values = KEYS[key]["values"]
            chosen = {self.one(values) for _ in range(self.rng.randrange(1, 4 if several else 2))}
            kind = KEYS[key]["type"]
            entries.append(_entry(self.case(key), sorted(chosen), kind))
            if key not in SETS and self.chance(40):
                entries[-1]["ContextKeyType"] = "string"
        return entries


def _entry(key: str, values: list[str], kind: str = "string") -> Line:
    return {"ContextKeyName": key, "ContextKeyValues": values, "ContextKeyType": kind}


def line(seed: int, *, open_context: bool = False, without: frozenset[str] = frozenset()) -> Line:
    """One line, made of its seed alone.

    Parameters
    ----------
    seed
        Any integer.
    open_context
        Whether the line asks about every context: it then speaks of fewer keys, gives fewer of
        them, and has fewer layers.
    without
        Condition keys that it does not speak of.
    """
    rng = random.Random(f"{seed}/{open_context}")
    every = sorted(KEYS.keys() - without)
    keys = rng.sample(every, rng.randrange(1, 4) if open_context else rng.randrange(2, 6))
    maker = _Maker(rng, keys, 60 if open_context else 40)
    caller = maker.one(_CALLERS)
    arn, principal_arn = caller["arn"], caller["principal_arn"]
    found: Line = {"Id": f"{'open' if open_context else 'random'}-{seed}", "CallerArn": arn}
    entries = maker.context(keys, 25) if open_context else maker.context(every, 70)
    if principal_arn is not None:
        entries = [each for each in entries if each["ContextKeyName"].lower() != PRINCIPAL_ARN]
        entries.append(_entry("aws:PrincipalArn", [principal_arn]))
    found["ContextEntries"] = entries
    found["ActionNames"] = [maker.one(_WORDS["actions"])]
    found["ResourceArns"] = [maker.one(_WORDS["resources"])]
    if maker.chance(5):
        found["ActionNames"] = _WORDS["actions"][:2]
        found["ResourceArns"] = _WORDS["resources"][:2]
    if maker.chance(10) and found["ResourceArns"] == ["*"]:
        del found["ResourceArns"]
    elif maker.chance(10):
        found["ResourceOwner"] = maker.one(_WORDS["owners"])
    _layers(maker, found, 50 if open_context else 100)
    if open_context:
        found["OpenContext"] = True
    return found


def _layers(maker: _Maker, found: Line, often: int) -> None:
    """Add the policies; `often` is how many in a hundred of the layers that are optional."""
    arn: str = found["CallerArn"]
    owned = arn.startswith("arn:")
    identity = [maker.policy(IDENTITY) for _ in range(maker.rng.randrange(0, 4))] if owned else []
    if owned and maker.chance(30 * often // 100):
        identity.append(maker.full_access(IDENTITY))
    found["PolicyInputList"] = identity

    def some(kind: str) -> list[Any]:
        return [maker.policy(kind) for _ in range(maker.rng.randrange(1, 3))]

    scp, rcp = "ServiceControlPolicyInputList", "ResourceControlPolicyInputList"
    optional: tuple[tuple[str, int, Callable[[], Any]], ...] = (
        ("PermissionsBoundaryPolicyInputList", 25, lambda: [maker.policy(IDENTITY)]),
        ("SessionPolicyInputList", 30, lambda: some(IDENTITY)),
        ("ResourcePolicy", 45, lambda: maker.policy(RESOURCE)),
        ("ResourcePolicyInputList", 15, lambda: some(RESOURCE)),
        ("OrderedOrganizationPolicyInputList", 40, lambda: maker.levels(IDENTITY, scp)),
        ("OrderedOrganizationResourcePolicyInputList", 25, lambda: maker.levels(CONTROL, rcp)),
    )
    applies = {
        "PermissionsBoundaryPolicyInputList": owned and not arn.endswith(":root"),
        "SessionPolicyInputList": ":sts:" in arn,
    }
    for name, of_hundred, make in optional:
        likely = 90 if name == "ResourcePolicy" and not owned else of_hundred * often // 100
        if applies.get(name, True) and maker.chance(likely):
            found[name] = make()
