"""What a person chooses: by name or ARN, refused with the nearest match."""

from __future__ import annotations

import pytest
from report_worlds import ALICE, EAST, WEB

from ses_audit.audit import Audit
from ses_audit.audit.queries import Selection
from ses_audit.errors import USAGE, UserError
from ses_audit.report.choices import choose, select


def test_names_and_arns_are_the_same(small: Audit) -> None:
    by_name = select(small, account="web", principal="alice", action="sendrawemail")
    assert by_name == Selection(account=WEB, principal=ALICE, action="ses:SendRawEmail")
    assert select(small, account=WEB, principal=ALICE, action="ses:SendRawEmail") == by_name
    assert select(small, identity=EAST).identity == EAST
    assert select(small, ou="workloads", region="US-EAST-1") == Selection(
        ou="Workloads", region="us-east-1"
    )
    assert select(small, verdict="SCP alone").kind == "scp_alone"
    assert select(small).all


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ({"principal": "alcie"}, "alice"),
        ({"verdict": "alowed"}, "allowed"),
        ({"ou": "Rot"}, "Root"),
    ],
)
def test_the_nearest_is_named(small: Audit, given: dict[str, str], near: str) -> None:
    with pytest.raises(UserError) as caught:
        select(small, **given)
    assert f"did you mean {near}?" in str(caught.value)
    assert caught.value.exit_code == USAGE


def test_a_long_list_is_cut() -> None:
    with pytest.raises(UserError) as caught:
        choose("thing", "zzzz", [f"name-{n}" for n in range(1000)])
    assert len(str(caught.value)) < 400
