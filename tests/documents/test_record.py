from __future__ import annotations

import contextlib
import importlib
import math
import pkgutil

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import edgeworthy.documents
from edgeworthy.documents.device import DeviceProfile
from edgeworthy.documents.estimate import Estimate, exact
from edgeworthy.documents.record import (
    Document,
    canonical_json,
    decode_document,
    document_fields,
    encode_document,
)
from edgeworthy.errors import FormatVersionError, InputError

PROFILE = DeviceProfile(
    name="board", title="A board", architecture="aarch64", instruction_set="arm-neon"
)


def every_document() -> list[type[Document]]:
    for module in pkgutil.iter_modules(edgeworthy.documents.__path__):
        importlib.import_module(f"edgeworthy.documents.{module.name}")
    return Document.__subclasses__()


def test_a_document_reads_back_as_it_was() -> None:
    assert decode_document(encode_document(PROFILE), DeviceProfile, where="x") == PROFILE


def test_the_same_document_gives_the_same_sorted_bytes() -> None:
    data = encode_document(PROFILE)
    assert data == encode_document(decode_document(data, DeviceProfile, where="x"))
    keys = list(msgspec.json.decode(data))
    assert keys == sorted(keys)
    assert b" :" not in data


def test_canonical_json_sorts_at_every_depth() -> None:
    value = {"b": {"d": 1, "c": exact(1.0, unit="x")}, "a": ()}
    assert canonical_json(value) == (
        b'{"a":[],"b":{"c":{"confidence":1.0,"high":1.0,"low":1.0,"method":"exact","n":1,'
        b'"unit":"x","value":1.0},"d":1}}'
    )


def test_a_newer_minor_version_with_new_fields_is_read() -> None:
    fields = {**document_fields(PROFILE), "schema_version": "1.7", "color": "green"}
    assert decode_document(canonical_json(fields), DeviceProfile, where="x") == PROFILE


def test_a_newer_major_version_is_refused_with_the_next_step() -> None:
    fields = {**document_fields(PROFILE), "schema_version": "2.0"}
    with pytest.raises(FormatVersionError, match="Install a newer Edgeworthy"):
        decode_document(canonical_json(fields), DeviceProfile, where="x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "variant"}, "Expected `device-profile`, found `variant`"),
        ({"schema_version": "one"}, "malformed schema_version"),
        ({"instruction_set": "magic"}, r"Invalid enum value 'magic' - at `\$.instruction_set`"),
        ({"name": 3}, r"Expected `str`, got `int` - at `\$.name`"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], message: str) -> None:
    data = canonical_json({**document_fields(PROFILE), **change})
    with pytest.raises(InputError, match=message):
        decode_document(data, DeviceProfile, where="profile.json")


@given(st.binary(max_size=200))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    with pytest.raises(InputError):
        decode_document(data, DeviceProfile, where="x")


@given(st.data())
def test_no_changed_byte_crashes_the_reader(data: st.DataObject) -> None:
    good = encode_document(PROFILE)
    place = data.draw(st.integers(0, len(good) - 1))
    value = data.draw(st.integers(0, 255))
    changed = good[:place] + bytes([value]) + good[place + 1 :]
    with contextlib.suppress(InputError):
        decode_document(changed, DeviceProfile, where="x")


def test_a_field_name_that_is_no_text_is_an_input_error() -> None:
    data = encode_document(PROFILE).replace(b'"title"', b'"t\xb2tle"')
    with pytest.raises(InputError, match="not a valid device-profile"):
        decode_document(data, DeviceProfile, where="x")


@pytest.mark.parametrize("kind", every_document(), ids=lambda kind: kind.__name__)
def test_every_document_has_a_kind_a_version_and_a_predicate_type(kind: type[Document]) -> None:
    assert kind.KIND
    major, minor = kind.SCHEMA_VERSION.split(".")
    assert major.isdecimal()
    assert minor.isdecimal()
    assert kind.predicate_type() == f"urn:edgeworthy:{kind.KIND}:v{major}"


def test_kinds_are_never_used_twice() -> None:
    kinds = [kind.KIND for kind in every_document()]
    assert len(kinds) == len(set(kinds))


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_an_interval_holds_its_value(low: float, value: float, high: float) -> None:
    fields = {"value": value, "low": low, "high": high, "confidence": 0.95, "n": 1}
    if low <= value <= high:
        made = Estimate(**fields, method="m", unit="ratio")  # type: ignore[arg-type]
        assert made.high - made.low >= 0
    else:
        with pytest.raises(ValueError, match="an interval must hold its value"):
            Estimate(**fields, method="m", unit="ratio")  # type: ignore[arg-type]


def test_what_is_not_a_number_is_no_estimate() -> None:
    with pytest.raises(ValueError, match="an interval must hold its value"):
        exact(math.nan, unit="ms")
