"""SES identities, their sending policies, configuration sets and account state: one account."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ses_audit.errors import USAGE
from ses_audit.snapshot.errors import SnapshotError
from ses_audit.snapshot.readings import Answers, entries
from ses_audit.snapshot.texts import Texts, clean, tags

__all__ = ["GivenIdentity", "given_rows", "identity_rows", "identity_type"]

Row = dict[str, object]

_ARN = re.compile(r"arn:(aws[a-z-]*):ses:([a-z0-9-]+):([0-9]{12}):identity/(\S+)", re.ASCII)


def identity_type(name: str) -> str:
    """`address` for a name with an @, else `domain`.

    Examples
    --------
    >>> identity_type("news@example.com"), identity_type("example.com")
    ('address', 'domain')
    """
    return "address" if "@" in name else "domain"


def identity_rows(
    account: str, answers: Answers, texts: Texts, partition: str
) -> dict[str, list[Row]]:
    """The rows of the four SES tables of one account.

    An identity that a list names and whose details were not read keeps nulls, and
    `details_read` False; one that was deleted between the two calls is left out.
    """
    identities: dict[tuple[str, str], Row] = {}
    policies: dict[tuple[str, str], list[Row]] = {}

    def row(region: str, name: str) -> Row:
        return identities.setdefault(
            (region, name),
            {
                "identity_arn": clean(f"arn:{partition}:ses:{region}:{account}:identity/{name}"),
                "account_id": account,
                "region": region,
                "name": clean(name),
                "type": identity_type(name),
                "details_read": False,
            },
        )

    for record, response in answers.of("sesv2", "ListEmailIdentities"):
        for item in entries(response, "EmailIdentities"):
            if (record.region, str(item["IdentityName"])) not in answers.gone:
                listed = row(record.region, str(item["IdentityName"]))
                listed["sending_enabled"] = item.get("SendingEnabled")
    for record, response in answers.of("sesv2", "GetEmailIdentity"):
        name = str(record.request.get("EmailIdentity", ""))
        if (record.region, name) in answers.gone:
            continue
        found = row(record.region, name)
        found["verified"] = response.get("VerifiedForSendingStatus")
        found["configuration_set"] = clean(response.get("ConfigurationSetName") or "")
        found["tags"] = tags(response.get("Tags"))
        found["details_read"] = True
        attached = response.get("Policies")
        policies[record.region, name] = [
            {
                "identity_arn": found["identity_arn"],
                "policy_name": clean(policy_name),
                "document_sha256": texts.add(document),
            }
            for policy_name, document in (attached.items() if isinstance(attached, dict) else ())
        ]
    return {
        "identities": list(identities.values()),
        "identity_policies": [row for rows in policies.values() for row in rows],
        "configuration_sets": _configuration_sets(account, answers),
        "ses_account_regions": _account_regions(account, answers),
    }


def _configuration_sets(account: str, answers: Answers) -> list[Row]:
    sets: dict[tuple[str, str], Row] = {}
    for record, response in answers.of("sesv2", "ListConfigurationSets"):
        names = response["ConfigurationSets"]
        for name in names if isinstance(names, list) else ():
            sets[record.region, name] = {
                "account_id": account,
                "region": record.region,
                "name": clean(name),
            }
    for record, response in answers.of("sesv2", "GetConfigurationSet"):
        name = str(record.request.get("ConfigurationSetName", ""))
        options = response.get("SendingOptions")
        found = sets.setdefault(
            (record.region, name),
            {"account_id": account, "region": record.region, "name": clean(name)},
        )
        found["sending_enabled"] = (
            options.get("SendingEnabled") if isinstance(options, Mapping) else None
        )
    return list(sets.values())


def _account_regions(account: str, answers: Answers) -> list[Row]:
    return [
        {
            "account_id": account,
            "region": record.region,
            "production_access": response.get("ProductionAccessEnabled"),
            "sending_enabled": response.get("SendingEnabled"),
            "enforcement_status": clean(response.get("EnforcementStatus")),
        }
        for record, response in answers.of("sesv2", "GetAccount")
    ]


@dataclass(frozen=True, slots=True)
class GivenIdentity:
    """An identity that a person named by hand.

    Examples
    --------
    >>> given = GivenIdentity.parse("arn:aws:ses:eu-west-1:222222222222:identity/example.com")
    >>> given.region, given.name
    ('eu-west-1', 'example.com')
    """

    arn: str
    account: str
    region: str
    name: str

    @classmethod
    def parse(cls, arn: str) -> GivenIdentity:
        """Read an identity's ARN.

        Raises
        ------
        SnapshotError
            For text that is no identity's ARN.
        """
        match = _ARN.fullmatch(arn)
        if match is None:
            raise SnapshotError(
                f"{arn[:200]!r} is not an identity's ARN: write "
                "arn:aws:ses:REGION:ACCOUNT:identity/NAME",
                USAGE,
            )
        return cls(arn, match[3], match[2], match[4])

    @property
    def assumption(self) -> str:
        """What is taken for granted of it, in a sentence that reports show."""
        return (
            f"{self.name} in {self.region} of account {self.account} was named by hand: taken "
            "as an identity with no sending authorization policy and no default configuration set, "
            "in an SES account with production access"
        )


def given_rows(given: GivenIdentity) -> tuple[Row, Row]:
    """The rows of `identities` and `ses_account_regions` that a person's word gives."""
    identity: Row = {
        "identity_arn": clean(given.arn),
        "account_id": given.account,
        "region": given.region,
        "name": clean(given.name),
        "type": identity_type(given.name),
        "configuration_set": "",
        "tags": "{}",
        "details_read": True,
    }
    state: Row = {
        "account_id": given.account,
        "region": given.region,
        "production_access": True,
        "sending_enabled": True,
    }
    return identity, state
