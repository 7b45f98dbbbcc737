"""Token buckets at the documented rates, on a clock of the test."""

from __future__ import annotations

import pytest

from ses_audit.collect.estimate import bound, planned_calls
from ses_audit.collect.options import CollectOptions
from ses_audit.collect.pace import Bucket, Pace
from ses_audit.collect.reference import load_data
from ses_audit.collect.run import how_many
from ses_audit.snapshot.coverage import State

DESCRIBE = ("111111111111", "global", "organizations", "DescribePolicy")


def test_calls_are_sent_at_the_rate_and_never_faster() -> None:
    bucket = Bucket(2.0, 2.0)
    assert [bucket.reserve(0.0) for _ in range(5)] == [0.0, 0.0, 0.5, 1.0, 1.5]
    # Unused time fills it to its burst and no further.
    assert [bucket.reserve(100.0) for _ in range(3)] == [100.0, 100.0, 100.5]


def test_a_throttle_halves_the_rate_and_answers_win_it_back() -> None:
    bucket = Bucket(8.0, 1.0)
    for _ in range(20):
        bucket.slower()
    # Never below a sixteenth.
    assert bucket.rate == 0.5
    for _ in range(40):
        bucket.faster()
    assert bucket.rate == 8.0


def test_a_token_is_kept_in_hand() -> None:
    """The documented burst of DescribePolicy is 2; calls do not arrive as evenly as they leave."""
    pace = Pace()
    assert [pace.reserve(DESCRIBE, 0.0) for _ in range(3)] == [0.0, 0.5, 1.0]


@pytest.mark.parametrize(
    "other",
    [
        ("222222222222", *DESCRIBE[1:]),
        (DESCRIBE[0], "eu-west-1", *DESCRIBE[2:]),
        (*DESCRIBE[:3], "ListRoots"),
    ],
)
def test_accounts_regions_and_operations_have_their_own(other: tuple[str, str, str, str]) -> None:
    pace = Pace()
    pace.reserve(DESCRIBE, 0.0)
    assert pace.reserve(other, 0.0) == 0.0


def test_attempts_end_by_state() -> None:
    pace = Pace()
    assert [pace.again(State.THROTTLED, n) for n in (1, 2, 3, 7, 8)] == [0.5, 1.0, 2.0, 20.0, None]
    assert [pace.again(State.SERVER_ERROR, n) for n in (3, 4)] == [2.0, None]
    for state in (State.OK, State.DENIED, State.MALFORMED, State.TRUNCATED, State.EXPIRED):
        assert pace.again(state, 1) is None


def test_the_rates_are_the_documented_ones() -> None:
    """As AWS's quota pages give them; data/rates.json names the pages."""
    rates = load_data("rates.json")["rates"]
    assert rates["organizations"]["ListAccounts"] == [8, 12]
    assert rates["organizations"]["DescribePolicy"] == [2, 2]
    assert rates["organizations"]["ListTargetsForPolicy"] == [5, 8]
    assert rates["organizations"]["DescribeOrganization"] == [1, 2]
    assert rates["sts"]["*"] == [600, 600]
    assert rates["account"]["*"] == [5, 5]
    assert rates["sesv2"]["*"] == [1, 1]


def test_the_bound() -> None:
    """10,000 accounts: 500 pages of ListAccounts at 8 a second, 680,000 calls at 64 in flight."""
    found = bound({("organizations", "ListAccounts"): 500}, 680_000)
    assert found.rates == (500 - 12) / 8
    assert found.latency == 680_000 * 0.15 / 64
    assert found.seconds == found.latency
    # Two looks at 500 pages each.
    assert planned_calls(10_000, 17)["organizations", "ListAccounts"] == 1000


@pytest.mark.parametrize(
    ("accounts", "expected"), [(1, (0, 32)), (23, (0, 32)), (24, (2, 16)), (96, (8, 10)),
                               (10_000, (8, 10))],
)  # fmt: skip
def test_how_many_processes(accounts: int, expected: tuple[int, int], options: object) -> None:
    made = options()  # type: ignore[operator]
    given = CollectOptions(
        snapshot=made.snapshot, ses_regions=made.ses_regions, check_document=made.check_document
    )
    assert how_many(accounts, given) == expected
