"""The queue of calls: largest first, nobody sleeps, errors end it, on a clock of the test."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ses_audit.collect.call import Call
from ses_audit.collect.pace import Pace
from ses_audit.collect.work import Steps, Work
from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.evidence import Record
from ses_audit.snapshot.plan import Cell

ACCOUNT = "222222222222"


def call(name: str, region: str = "eu-west-1") -> Call:
    cell = Cell(ACCOUNT, region, "sesv2", "GetEmailIdentity")
    return Call(cell, {"EmailIdentity": name}, ACCOUNT)


def record(asked: Call, status: State = State.OK) -> Record:
    return Record(*asked.cell, asked.request, status, None, {}, "", 1, "t")


def unlimited() -> Pace:
    return Pace(
        {
            "rates": {"sesv2": {"*": [1e9, 1e9]}},
            "attempts": {"THROTTLED": 3},
            "first_wait": 0.0,
            "longest_wait": 0.0,
        }
    )


def steps(*names: str) -> Steps:
    for name in names:
        yield call(name)


class Asked:
    """Answers, and keeps what was asked in its order."""

    def __init__(self, answer: Callable[[str, int], State] = lambda name, count: State.OK) -> None:
        self.names: list[str] = []
        self.settled: list[Record] = []
        self.renewed: list[str] = []
        self._answer = answer

    def ask(self, asked: Call) -> Record:
        name = str(asked.request["EmailIdentity"])
        self.names.append(name)
        return record(asked, self._answer(name, self.names.count(name)))

    def settle(self, _: Call, found: Record) -> Record:
        self.settled.append(found)
        return found

    def renew(self, account: str) -> bool:
        self.renewed.append(account)
        return True


def make(asked: Asked, feed: Callable[[bool], bool] = lambda idle: False) -> Work:
    return Work(asked.ask, asked.settle, asked.renew, unlimited(), 1, feed)


def test_the_largest_goes_first() -> None:
    asked, done = Asked(), list[str]()
    work = make(asked)
    for name, size in (("small", 1), ("large", 1000), ("middle", 50)):
        work.add(steps(name), size, lambda name=name: done.append(name))  # type: ignore[misc]
    work.run()
    assert asked.names == done == ["large", "middle", "small"]


def test_more_is_fed_when_a_thread_has_nothing_to_do() -> None:
    asked = Asked()
    left = ["b", "c"]

    def feed(idle: bool) -> bool:
        if left:
            work.add(steps(left.pop(0)), 1, lambda: None)
        return bool(left)

    work = make(asked, feed)
    work.add(steps("a"), 1, lambda: None)
    work.run()
    assert asked.names == ["a", "b", "c"]


def test_a_throttled_call_is_sent_again_until_its_budget_ends() -> None:
    asked = Asked(lambda name, count: State.THROTTLED)
    work = make(asked)
    work.add(steps("a"), 1, lambda: None)
    work.run()
    assert asked.names == ["a"] * 3
    (last,) = asked.settled
    assert (last.status, last.attempts) == (State.THROTTLED, 3)


def test_an_expired_token_is_renewed_once() -> None:
    asked = Asked(lambda name, count: State.EXPIRED)
    work = make(asked)
    work.add(steps("a"), 1, lambda: None)
    work.run()
    assert asked.names == ["a", "a"]
    assert asked.renewed == [ACCOUNT]
    assert asked.settled[0].status is State.EXPIRED


def test_an_error_that_is_no_answer_ends_the_work() -> None:
    def full(_: Call, found: Record) -> Record:
        raise OSError("no space")

    asked = Asked()
    work = Work(asked.ask, full, asked.renew, unlimited(), 4)
    for name in "abcdefgh":
        work.add(steps(name, name), 1, lambda: None)
    with pytest.raises(OSError, match="no space"):
        work.run()
    assert len(asked.names) <= 8


def test_stopped_it_begins_nothing_more() -> None:
    asked = Asked()

    def settle(_: Call, found: Record) -> Record:
        work.stop()
        return found

    work = Work(asked.ask, settle, asked.renew, unlimited(), 1)
    work.add(steps("a", "b"), 1, lambda: None)
    work.run()
    assert asked.names == ["a"]


def test_calls_wait_for_their_turn_and_hold_no_thread() -> None:
    """One a second: the second call of a bucket waits, the call of another region goes on."""
    now, sent = [0.0], list[tuple[str, float]]()

    def ask(asked: Call) -> Record:
        sent.append((str(asked.request["EmailIdentity"]), now[0]))
        return record(asked)

    def clock() -> float:
        # Time passes as it is looked at.
        now[0] += 0.005
        return now[0]

    pace = Pace({"rates": {"sesv2": {"*": [10, 1]}}, "attempts": {}, "first_wait": 0,
                 "longest_wait": 0})  # fmt: skip
    work = Work(ask, lambda _, found: found, lambda _: True, pace, 1, clock=clock)

    def region(name: str) -> Steps:
        yield call(f"{name}-1", name)
        yield call(f"{name}-2", name)

    work.add(region("eu-west-1"), 1, lambda: None)
    work.add(region("us-east-1"), 1, lambda: None)
    work.run()
    times = dict(sent)
    # A call is sent a moment after its turn was reserved.
    assert times["eu-west-1-2"] - times["eu-west-1-1"] >= 0.09
    order = [name for name, _ in sent]
    assert order.index("us-east-1-1") < order.index("eu-west-1-2")
