from __future__ import annotations

import itertools

from ses_audit.snapshot.coverage import State
from ses_audit.snapshot.readings import Answers, in_order


def roots(record, name: str, time: str, token: str = "", following: str = "", **more):
    request = {"NextToken": token} if token else {}
    response = {"Roots": [{"Id": name}], **({"NextToken": following} if following else {})}
    return record("ListRoots", response, time=time, **request, **more)


def names(records) -> list[object]:
    return [item["Id"] for item in Answers(records).items("organizations", "ListRoots", "Roots")]


def test_the_newest_complete_reading_answers_in_any_order(record) -> None:
    records = [
        roots(record, "old-1", "01", following="2"),
        roots(record, "old-2", "02", token="2"),
        roots(record, "new-1", "03", following="2"),
        roots(record, "new-2", "04", token="2", following="3"),
        roots(record, "new-3", "05", token="3"),
    ]
    for shuffled in itertools.permutations(records):
        assert names(shuffled) == ["new-1", "new-2", "new-3"]


def test_an_older_complete_reading_outlives_a_stopped_one(record) -> None:
    records = [
        roots(record, "old", "01"),
        roots(record, "new-1", "03", following="2"),
        record("ListRoots", None, status=State.DENIED, time="04"),
    ]
    assert names(records) == ["old"]


def test_of_none_is_complete_every_page_counts(record) -> None:
    assert names([
        roots(record, "b", "02", following="y"),
        roots(record, "a", "01", following="x"),
        roots(record, "c", "03", following="z", status=State.TRUNCATED),
    ]) == ["a", "b", "c"]  # fmt: skip


def test_a_token_that_repeats_ends(record) -> None:
    looped = [roots(record, "a", "01", following="x"), roots(record, "b", "02", "x", "x")]
    assert names(looped) == ["a", "b"]


def test_errors_and_other_shapes_answer_nothing(record) -> None:
    assert names([
        record("ListRoots", {"Roots": [{"Id": "x"}]}, status=State.DENIED),
        record("ListRoots", {"Roots": "x"}),
        record("ListRoots", None),
    ]) == []  # fmt: skip


def test_records_of_one_instant_are_told_apart_by_their_answers(record) -> None:
    tied = [roots(record, name, "01") for name in ("b", "a", "\ud800")]
    for shuffled in itertools.permutations(tied):
        assert in_order(shuffled) == in_order(tied)


def test_an_identity_deleted_between_list_and_get_is_gone_until_it_answers(record) -> None:
    def get(time: str, **more):
        return record("GetEmailIdentity", region="eu-west-1", service="sesv2", time=time,
                      EmailIdentity="a.example", **more)  # fmt: skip

    lost = get("02", status=State.EMPTY, error={"code": "NotFoundException"})
    assert Answers([lost]).gone == {("eu-west-1", "a.example")}
    assert Answers([get("03", response={}), lost]).gone == set()
