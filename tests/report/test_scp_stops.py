"""What each SCP statement stops, counted by hand on the small world, held to the frames."""

from __future__ import annotations

from ses_audit.audit import Audit
from ses_audit.audit.queries import Selection
from ses_audit.audit.stops import blocked
from ses_audit.report.scp_stops import stops

ALL = Selection()


def test_counts_of_the_region_lock(small: Audit) -> None:
    # us-east-1 alone: alice and the root user 7 each and mailer's SendRawEmail hang on it;
    # mailer's other 6 and idle's 7 do not.
    assert blocked(small.queries, ALL) == {"sole": 15, "layers": 13}
    (lock,) = stops(small, ALL)
    assert lock.cells == {"sole": 15, "layers": 13}
    assert (lock.total, lock.principals, lock.identities) == (28, 4, 1)
    organization = small.organization
    assert lock.key.name(organization) == "RegionLock"
    assert lock.key.statement(organization) == "statement 1, Lock"
    assert lock.key.target == "ou-work"


def test_a_selection_narrows_the_counts(small: Audit) -> None:
    one = Selection(action="ses:SendRawEmail")
    assert blocked(small.queries, one) == {"sole": 3, "layers": 1}
    assert blocked(small.queries, Selection(region="eu-west-1")) == {}


def test_the_example_agrees_with_the_data_frame(example: Audit) -> None:
    frame = example.scp_denies()
    cells = frame[["principal_arn", "identity_arn", "action"]]
    found = blocked(example.queries, ALL)
    assert sum(found.values()) == len(cells.drop_duplicates())
    assert found["sole"] == len(cells[frame["sole_blocker"]].drop_duplicates())
    assert sum(stop.total for stop in stops(example, ALL)) == len(frame[frame["certain"]])


def test_one_scp_alone(example: Audit) -> None:
    found = stops(example, ALL)
    lock = next(s for s in found if s.key.name(example.organization) == "RegionLock")
    (alone,) = stops(example, ALL, lock.key.policy)
    assert alone == lock
    assert sum(blocked(example.queries, ALL, lock.key.policy).values()) == lock.total
