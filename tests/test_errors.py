from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from edgeworthy import errors
from edgeworthy.errors import EdgeworthyError, ModelFileError


def tree(kind: type[EdgeworthyError] = EdgeworthyError) -> Iterator[type[EdgeworthyError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from tree(child)


def test_codes_are_never_used_twice() -> None:
    codes = [kind.code for kind in tree()]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("kind", list(tree()), ids=lambda kind: kind.__name__)
def test_the_drawing_shows_every_class_with_its_code(kind: type[EdgeworthyError]) -> None:
    assert re.search(rf"{kind.__name__}\s+{kind.code}", errors.__doc__ or "")


@pytest.mark.parametrize("kind", list(tree()), ids=lambda kind: kind.__name__)
def test_the_drawing_shows_the_exit_code_of_each_branch(kind: type[EdgeworthyError]) -> None:
    line = next(each for each in (errors.__doc__ or "").splitlines() if kind.code in each)
    shown = re.search(r"exit (\d+)", line)
    assert shown is None or int(shown[1]) == kind.exit_code


def test_a_message_says_where_what_expected_found_and_next() -> None:
    error = ModelFileError(
        "not an ONNX model",
        expected="a protobuf",
        found="a pickle",
        where="model.onnx",
        next_step="Export it as ONNX",
    )
    assert str(error) == (
        "model.onnx: not an ONNX model. Expected a protobuf, found a pickle. Export it as ONNX."
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "broken."),
        ({"expected": "a"}, "broken. Expected a."),
        ({"found": "b"}, "broken. Found b."),
        ({"next_step": "Did you mean `c`?"}, "broken. Did you mean `c`?"),
    ],
)
def test_what_is_not_known_is_left_out(options: dict[str, str], expected: str) -> None:
    assert str(EdgeworthyError("broken", **options)) == expected
