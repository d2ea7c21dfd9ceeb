"""Which version a search chooses, from trials written by hand."""

from __future__ import annotations

import msgspec
import pytest

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.harm import HarmCheck
from edgeworthy.documents.search import Trial
from edgeworthy.workflow.search.choice import choose, closest


def trial(name: str, ratio: tuple[float, float, float] | None, size_bytes: int) -> Trial:
    """A trial without a check of harm, as float versions are."""
    estimate = None
    if ratio is not None:
        low, value, high = ratio
        estimate = Estimate(
            value=value,
            low=low,
            high=high,
            confidence=0.95,
            n=6,
            method="hodges-lehmann",
            unit="ratio",
        )
    return Trial(
        name=name, recipe=None, runtime="onnxruntime", why="", size_bytes=size_bytes, ratio=estimate
    )


@pytest.mark.parametrize(
    ("ratio", "prefer", "expected"),
    [
        ((1.60, 1.65, 1.70), "latency", "original"),
        ((1.60, 1.65, 1.70), "accuracy", "original"),
        # whoever asks for the smallest file gets it
        ((1.60, 1.65, 1.70), "size", "float32"),
        # not shown to be slower by more than counts as equally fast
        ((1.01, 1.65, 2.90), "latency", "float32"),
    ],
)
def test_cleaned_float_that_is_slower_does_not_replace_the_model_as_it_was_given(
    ratio: tuple[float, float, float], prefer: str, expected: str
) -> None:
    chosen, reason = choose([trial("original", None, 2000), trial("float32", ratio, 1000)], prefer)
    assert chosen.name == expected
    assert ("float32 is slower, x 1.65" in reason) == (expected == "original")


def harmful(name: str, loss: float, ratio: float, *, not_inferior: bool = False) -> Trial:
    """A trial that may not take the place of float."""
    plain = trial(name, (ratio, ratio, ratio), 1000)
    assert plain.ratio is not None
    check = HarmCheck(
        harmless=False, not_inferior=not_inferior, better=not not_inferior, sentence=""
    )
    lost = msgspec.structs.replace(plain.ratio, value=loss, low=loss - 0.004, high=loss + 0.004)
    return msgspec.structs.replace(plain, harm=check, loss=lost)


def test_what_wants_samples_came_closer_than_what_was_seen_to_lose() -> None:
    fast, level, slow = (
        harmful("int8", 0.04, 0.41),
        harmful("cascade", 0.0, 0.73),
        harmful("gaining", -0.01, 0.8),
    )
    assert closest([fast, level, slow]) is level
    assert closest([fast, slow]) is slow
    assert closest([fast]) is fast
    assert closest([level, harmful("slower", 0.02, 1.1, not_inferior=True)]) is not level
