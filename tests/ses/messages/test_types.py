"""The words of the data file."""

from __future__ import annotations

from ses_audit.ses.messages.types import KINDS, layer_names, phrases, smtp_codes


def test_the_phrases_are_of_known_kinds_and_lower_case() -> None:
    assert {phrase.kind for phrase in phrases()} == set(KINDS) - {"access_denied", "unknown"}
    for phrase in phrases():
        assert phrase.words == phrase.words.lower()
        assert set(phrase.codes) <= smtp_codes()


def test_longer_words_come_first() -> None:
    lengths = [len(phrase.words) for phrase in phrases()]
    assert lengths == sorted(lengths, reverse=True)
    names = [len(name) for name, _ in layer_names()]
    assert names == sorted(names, reverse=True)


def test_http_codes_are_no_smtp_codes() -> None:
    assert not {400, 401, 403, 404, 413, 429, 500, 502} & smtp_codes()
    assert {421, 454, 530, 535, 554} <= smtp_codes()


def test_the_layers() -> None:
    assert {layer for _, layer in layer_names()} == {
        "identity_policy",
        "permissions_boundary",
        "session_policy",
        "scp",
        "rcp",
        "resource_policy",
        "vpc_endpoint_policy",
    }
