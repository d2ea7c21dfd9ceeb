"""Which version a search chooses, from trials written by hand."""

from __future__ import annotations

import pytest

from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.search import Trial
from edgeworthy.workflow.search.choice import choose


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
