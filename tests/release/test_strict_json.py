from __future__ import annotations

import contextlib
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.errors import VerificationError
from edgeworthy.release.strict_json import convert_strictly, parse_strictly

FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


class _Point(msgspec.Struct, forbid_unknown_fields=True):
    x: int
    label: str = ""


@given(value=st.dictionaries(st.text(), JSON))
def test_what_json_writes_is_read_back(value: dict[str, object]) -> None:
    text = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        with pytest.raises(VerificationError):
            parse_strictly(text, where="here", largest_bytes=1 << 20)
    else:
        assert parse_strictly(text, where="here", largest_bytes=1 << 20) == value


@given(data=st.binary(max_size=200))
def test_any_bytes_are_an_object_or_an_error_of_ours(data: bytes) -> None:
    with contextlib.suppress(VerificationError):
        assert isinstance(parse_strictly(data, where="here", largest_bytes=1000), dict)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'{"a":1,"a":1}', "the key 'a' occurs twice"),
        (b'{"b":{"a":1,"c":2,"a":3}}', "the key 'a' occurs twice"),
        (b'{"a":NaN}', "NaN is not a number"),
        (b'{"a":Infinity}', "Infinity is not a number"),
        (b'{"a":-Infinity}', "-Infinity is not a number"),
        (b'{"a":1e999}', "1e999 is too large a number"),
        (b'{"a":' + b"1" * 5000 + b"}", "not acceptable JSON"),
        (b'{"a":' * 100_000, "not acceptable JSON"),
        (b"[" * 100_000, "not acceptable JSON"),
        (b"\xef\xbb\xbf{}", "not acceptable JSON"),
        (b'{"a":"\xff"}', "not acceptable JSON"),
        (b'{"a":"\\ud800"}', "surrogates not allowed"),
        (b'{"\\uDFFF":1}', "surrogates not allowed"),
        (b"{} {}", "not acceptable JSON"),
        (b"", "not acceptable JSON"),
        (b"null", "found NoneType"),
        (b"[]", "found list"),
        (b'"text"', "found str"),
        (b"{" + b" " * 1000 + b"}", "Expected at most 1000 bytes, found 1002"),
    ],
)
def test_what_is_refused(data: bytes, problem: str) -> None:
    limit = 1000 if b"  " in data else 1 << 20
    with pytest.raises(VerificationError) as caught:
        parse_strictly(data, where="here", largest_bytes=limit)
    assert problem in str(caught.value)
    assert caught.value.where == "here"


def test_a_pair_of_surrogates_is_a_character() -> None:
    value = parse_strictly(b'{"a":"\\ud83d\\ude00"}', where="here", largest_bytes=100)
    assert value == {"a": "\N{GRINNING FACE}"}


def test_a_long_key_that_occurs_twice_is_not_repeated_at_length() -> None:
    key = b'"' + b"a" * 5000 + b'"'
    with pytest.raises(VerificationError) as caught:
        parse_strictly(b"{" + key + b":1," + key + b":2}", where="here", largest_bytes=1 << 20)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "value", [{}, {"x": "1"}, {"x": None}, {"x": 1, "y": 2}, {"x": 1.5}, {"x": 1, "label": 3}, 7]
)
def test_a_record_of_another_shape(value: object) -> None:
    with pytest.raises(VerificationError, match="not a valid record"):
        convert_strictly(value, _Point, where="here")


def test_a_record() -> None:
    assert convert_strictly({"x": 1}, _Point, where="here") == _Point(x=1)
