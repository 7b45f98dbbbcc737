"""Every rule of the send in one list, with its confidence and how to test it.

`docs/rules.md` is written from it: `python -m ses_audit.ses.rules > docs/rules.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ses_audit.ses.actions import load_data, load_entries

__all__ = ["Rule", "markdown", "rules"]

WORDS = {
    "D": "documented by AWS",
    "R": "reported, not documented",
    "I": "inferred",
    "X": "sources conflict",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Parameters
    ----------
    id
        `check.sender`, `way.smtp`, `identity.label`.
    section
        Where it stands in the page.
    title, text
        A few words; the rule.
    confidence
        D, R, I or X.
    source
        The AWS page; of a reported rule the page that it concerns.
    test
        How to test it on one's own account.
    """

    id: str
    section: str
    title: str
    text: str
    confidence: str
    source: str
    test: str

    @property
    def disputed(self) -> bool:
        """Whether AWS does not say so: `docs/settle.sh` can settle it."""
        return self.confidence != "D"


def _texts(name: str) -> Mapping[str, Any]:
    found = load_data("rules.json")[name]
    if not isinstance(found, dict):
        raise TypeError(f"{name} of rules.json is no table")
    return found


def rules() -> tuple[Rule, ...]:
    """Every rule, section by section.

    Examples
    --------
    >>> [rule.id for rule in rules()][:3]
    ['check.sender', 'check.return_path', 'check.configuration_set']
    """
    tests = _texts("tests")
    found = [
        *(_check(entry, tests) for entry in load_entries("checks.json", "checks")),
        *(_way(entry, tests) for entry in load_entries("ways.json", "ways")),
        *(_gate(entry, tests) for entry in load_entries("gates.json", "gates")),
        *(
            Rule(
                entry["id"],
                entry["section"],
                entry["title"],
                entry["rule"],
                entry["confidence"],
                entry["source"],
                entry["test"],
            )
            for entry in load_entries("rules.json", "rules")
        ),
    ]
    order = list(_texts("sections"))
    return tuple(sorted(found, key=lambda rule: order.index(rule.section)))


def _check(entry: Mapping[str, Any], tests: Mapping[str, str]) -> Rule:
    id = f"check.{entry['id']}"
    title = entry["id"].replace("_", " ").capitalize()
    asked = "everything (*)" if entry["resource"] == "*" else f"`{entry['resource']}/...`"
    text = f"{entry['rule']}. Resource: {asked}."
    return Rule(id, "checks", title, text, entry["confidence"], entry["source"], tests.get(id, ""))


def _way(entry: Mapping[str, Any], tests: Mapping[str, str]) -> Rule:
    id = f"way.{entry['id']}"
    version = entry["api_version"]
    parts = [f"Checked as `{entry['action']}`"]
    parts.append(f", `ses:ApiVersion` {version}." if version else ".")
    if entry["template"]:
        parts.append(f" A stored `{entry['template']}` is checked too.")
    if entry["identity_arn"]:
        parts.append(f" Another's identity is named by `{entry['identity_arn']}`.")
    if entry["note"]:
        parts.append(f" {entry['note']}")
    test = tests.get(id) or f"Allow another send action alone: the denial names {entry['action']}."
    return Rule(
        id, "ways", entry["name"], "".join(parts), entry["confidence"], entry["source"], test
    )


def _gate(entry: Mapping[str, Any], tests: Mapping[str, str]) -> Rule:
    id = f"gate.{entry['id']}"
    title = entry["id"].replace("_", " ").capitalize()
    text = " ".join(filter(None, (f"{entry['rule']}.", entry["note"])))
    return Rule(id, "gates", title, text, entry["confidence"], entry["source"], tests.get(id, ""))


def markdown() -> str:
    """The page of all rules.

    Examples
    --------
    >>> markdown().startswith("# What SES checks: rule by rule")
    True
    """
    known = rules()
    disputed = [rule for rule in known if rule.disputed]
    lines = [
        "# What SES checks: rule by rule",
        "",
        "Written from `ses_audit/ses/data/*.json` by `python -m ses_audit.ses.rules`; a test holds",
        "the two together. A verdict that turns on a rule that AWS does not document says so",
        "(`rule_confidence`).",
        "",
        "| confidence | means | rules |",
        "| --- | --- | --- |",
    ]
    for code, words in WORDS.items():
        lines.append(f"| {code} | {words} | {sum(rule.confidence == code for rule in known)} |")
    lines += [
        "",
        f"`docs/settle.sh` settles the {len(disputed)} rules that are not D on your own account:",
        "it prints what it would ask, and with `SES_AUDIT_SETTLE=send` asks and prints what it",
        "observed. `docs/settle.sh --help` tells what it needs.",
    ]
    for section, title in _texts("sections").items():
        lines += ["", f"## {title}"]
        for rule in known:
            if rule.section == section:
                lines += _page(rule)
    return "\n".join(lines) + "\n"


def _page(rule: Rule) -> list[str]:
    reports = ", ".join(_texts("reports").get(rule.id, ()))
    settle = f" `docs/settle.sh {rule.id}` does it." if rule.disputed else ""
    return [
        "",
        f"### {rule.title} `{rule.id}`",
        f"{rule.text}",
        "",
        f"- confidence: **{rule.confidence}**, {WORDS[rule.confidence]}",
        f"- source: <{rule.source}>" + (f"; reported in {reports}" if reports else ""),
        f"- test: {rule.test}{settle}",
    ]


if __name__ == "__main__":
    sys.stdout.write(markdown())
