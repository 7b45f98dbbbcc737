from __future__ import annotations

import json

import pytest

from ses_audit.snapshot.import_json import MalformedFile, read_answer


def document(text: str) -> object:
    return read_answer(b'{"Policies":[{"Document":' + text.encode() + b"}]}")["Policies"][0][  # type: ignore[index]
        "Document"
    ]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ('{ "Version" : "2012-10-17" }', '{"Version":"2012-10-17"}'),
        # A key that stands twice stays twice: the policy parser refuses it.
        ('{"Effect":"Deny","Effect":"Allow"}', '{"Effect":"Deny","Effect":"Allow"}'),
        ('{"b":1,"a":[1.50,1e2,-0,true,null]}', '{"b":1,"a":[1.50,1e2,0,true,null]}'),
        ('{"a":NaN}', '{"a":NaN}'),
        ('{"a":"\\u00e9\\n\\"\\\\"}', '{"a":"é\\n\\"\\\\"}'),
        ('[{"a":1}]', '[{"a":1}]'),
        ('"{ \\"verbatim\\": 1 }"', '{ "verbatim": 1 }'),
        ('"%7B%22a%22%3A1%7D"', '{"a":1}'),
        ("null", None),
    ],
)
def test_a_document_becomes_text(written: str, text: str | None) -> None:
    assert document(written) == text


def test_sending_policies_are_documents_too() -> None:
    answer = read_answer(b'{"Policies": {"a": "{ }", "b": {"x":1,"x":2}}}')
    assert answer == {"Policies": {"a": "{ }", "b": '{"x":1,"x":2}'}}


def test_what_is_no_document_is_plain() -> None:
    assert read_answer(b'{"a": [1, 2.5, {"b": null}], "c": true}') == {
        "a": [1, 2.5, {"b": None}], "c": True,
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_shells(encoding: str) -> None:
    assert read_answer('{"a": "é"}'.encode(encoding)) == {"a": "é"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"[]", "not a JSON object"),
        (b'"x"', "not a JSON object"),
        (b"{", "line 1, column 2"),
        (b"<html>", "not JSON at line 1, column 1"),
        (b"\xff{", "not UTF-8 at byte 0"),
        (b'{"a": 1, "a": 2}', "the key 'a' stands twice"),
        (b'{"a": Infinity}', "a number that JSON does not have"),
        (b'{"a": 1e999}', "a number that JSON does not have"),
        (b'{"a":' + b"[" * 50_000, "nested too deeply"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
    ],
)
def test_a_file_that_is_no_answer(content: bytes, says: str) -> None:
    with pytest.raises(MalformedFile) as error:
        read_answer(content)
    assert says in str(error.value)
    assert "\n" not in str(error.value)


def test_the_text_parses_to_the_same_policy() -> None:
    policy = {"Statement": [{"Sid": "é\u202e</script>", "Action": ["a", "b"]}], "n": 0.1}
    assert json.loads(str(document(json.dumps(policy)))) == policy
