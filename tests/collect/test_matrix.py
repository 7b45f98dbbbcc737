"""A thousand accounts, every kind of fault in cells drawn at random: the ledger equals the truth.

The expected states are those of the project's facts on collection (§2 and §3), by kind of fault.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from ses_audit.collect.progress import Silent
from ses_audit.replay.example_run import collect_recording
from ses_audit.replay.faults import Conditions, Fault
from ses_audit.replay.recording import Recording
from ses_audit.replay.uniform import account_id, uniform_records
from ses_audit.snapshot.coverage_tables import read_coverage

ACCOUNTS = 1000
REGION = "eu-west-1"
DETAILS, IDENTITIES = "GetAccountAuthorizationDetails", "ListEmailIdentities"

# Kind of fault → (the fault, the state of the cell it hits); an error is told by its code.
KINDS = {
    "denied": (Fault("error", code="AccessDeniedException", status=403), "DENIED"),
    "throttled": (Fault("error", code="ThrottlingException", status=400), "THROTTLED"),
    "server": (Fault("error", code="InternalFailure", status=500), "SERVER_ERROR"),
    "unknown": (Fault("error", code="NeverHeardOf", status=400), "SERVER_ERROR"),
    "timeout": (Fault("error", code="RequestTimeout", status=408), "TIMEOUT"),
    "expired": (Fault("expired"), "EXPIRED"),
    "html": (Fault("html"), "MALFORMED"),
    "cut": (Fault("cut"), "MALFORMED"),
    "repeat_token": (Fault("repeat_token"), "TRUNCATED"),
    "no_marker": (Fault("no_marker"), "TRUNCATED"),
    "empty_page": (Fault("empty_page", times=1), ""),
    "delay": (Fault("delay", seconds=0.01), ""),
    "passing": (Fault("error", code="ThrottlingException", times=2), ""),
}
PAGED = (IDENTITIES, DETAILS)
ALSO_PAGED = ("repeat_token", "empty_page")
OPERATIONS = {
    "ListRegions": "account",
    DETAILS: "iam",
    "GetAccount": "sesv2",
    IDENTITIES: "sesv2",
    "GetEmailIdentity": "sesv2",
    "ListConfigurationSets": "sesv2",
}


def undisturbed() -> dict[str, str]:
    """Cell below the account → state."""
    return {
        "global/account.ListRegions": "OK",
        f"global/iam.{DETAILS}": "OK",
        "global/iam.ListAccessKeys": "EMPTY",
        "global/iam.GetAccessKeyLastUsed": "EMPTY",
        f"{REGION}/sesv2.GetAccount": "OK",
        f"{REGION}/sesv2.{IDENTITIES}": "OK",
        f"{REGION}/sesv2.GetEmailIdentity": "OK",
        f"{REGION}/sesv2.ListConfigurationSets": "EMPTY",
    }


def drawn(random: Random) -> tuple[list[Fault], dict[str, dict[str, str]]]:
    """The faults, and account → the cells that end otherwise by them."""
    faults, truth = [], {}
    for number in random.sample(range(1, ACCOUNTS), 150):
        account = account_id(number)
        cells = undisturbed()
        if random.random() < 0.15:
            arn = f"arn:aws:iam::{account}:role/ses-audit"
            faults.append(
                Fault("error", service="sts", operation="AssumeRole", argument=arn,
                      code="AccessDenied", status=403)
            )  # fmt: skip
            truth[account] = {
                cell.replace(REGION, "*"): "ASSUME_FAILED"
                for cell in [*cells, "global/sts.AssumeRole"]
            }
            continue
        operation = random.choice(list(OPERATIONS))
        kinds = [
            kind
            for kind in KINDS
            if (kind not in ALSO_PAGED or operation in PAGED)
            and (kind != "no_marker" or operation == DETAILS)
        ]
        fault, state = KINDS[random.choice(kinds)]
        service = OPERATIONS[operation]
        faults.append(
            Fault(**{**{name: getattr(fault, name) for name in Fault.__slots__},
                     "account": account, "operation": operation})
        )  # fmt: skip
        if state:
            region = REGION if service == "sesv2" else "global"
            cells[f"{region}/{service}.{operation}"] = state
            if operation == "ListRegions":
                cells["global/ec2.DescribeRegions"] = "OK"
            if operation == DETAILS:
                cells |= dict.fromkeys(
                    ("global/iam.ListAccessKeys", "global/iam.GetAccessKeyLastUsed"),
                    "NOT_ATTEMPTED",
                )
            if operation == IDENTITIES and state != "TRUNCATED":
                cells[f"{REGION}/sesv2.GetEmailIdentity"] = "NOT_ATTEMPTED"
        truth[account] = {**cells, "global/sts.AssumeRole": "OK"}
    return faults, truth


def test_the_ledger_equals_what_was_injected(tmp_path: Path) -> None:
    faults, truth = drawn(Random(20261123))
    recording = Recording(uniform_records(ACCOUNTS, [REGION], policies=2), account_id(0))
    made = collect_recording(
        tmp_path / "snapshot",
        Silent(),
        recording,
        Conditions(faults=faults),
        regions=(REGION,),
        processes=2,
    )
    found: dict[str, dict[str, str]] = {}
    for row in read_coverage(made.table("coverage")):
        # Regions that were not asked for are in the plan where the list of regions was not read.
        if not row.argument and row.service != "organizations" and row.state != "EXCLUDED":
            cell = f"{row.region}/{row.service}.{row.operation}"
            found.setdefault(row.account_id, {})[cell] = row.state.value
    assert set(found) == {account_id(number) for number in range(ACCOUNTS)}
    assert found.pop(account_id(0)) == undisturbed()
    whole = {**undisturbed(), "global/sts.AssumeRole": "OK"}
    wrong = {a: cells for a, cells in found.items() if cells != truth.get(a, whole)}
    assert wrong == {}
    hit = {state for cells in truth.values() for state in cells.values()}
    assert hit >= {state for _, state in KINDS.values() if state} | {"ASSUME_FAILED"}
