"""Accounts in one process: no more are begun than keep its threads busy."""

from __future__ import annotations

from fake_aws import MANAGEMENT, MEMBER, REFUSING, FakeAws
from fake_cells import Make

from ses_audit.collect.accounts import Accounts
from ses_audit.collect.aws import Aws
from ses_audit.collect.pace import Pace
from ses_audit.collect.progress import Silent
from ses_audit.snapshot.store import create_snapshot


def test_an_account_is_begun_where_threads_need_it(
    fake: FakeAws, options: Make, fast: Pace
) -> None:
    """What one process begins no other can take: six threads begin with two, then one by one."""
    given, ended = options(), list[str]()
    with create_snapshot(given.snapshot, started_at="t") as writer:
        accounts = Accounts(
            given, Aws(given), writer, Silent(), fast, ("eu-west-1",),
            lambda idle: False, ended.append, 6,
        )  # fmt: skip
        assert accounts.may_start(idle=False)
        accounts.start(MANAGEMENT)
        assert not accounts.may_start(idle=False)
        assert accounts.may_start(idle=True)
        accounts.start(MEMBER)
        assert not accounts.may_start(idle=True)
        accounts.work.run()
        assert sorted(ended) == [MANAGEMENT, MEMBER]
        # One that refuses the role is not waited for either.
        accounts.start(REFUSING)
        assert not accounts.may_start(idle=False)
        accounts.work.run()
        assert ended[-1] == REFUSING
        assert accounts.may_start(idle=False)
