"""Whether a version may take the place of float."""

from __future__ import annotations

import dataclasses
import re

import pytest

from edgeworthy.documents.estimate import Estimate
from edgeworthy.release.harm import HarmTerms, check_harm, usual_margin

LATENCY = HarmTerms(metric="accuracy", margin=0.02, prefer="latency", float_size_bytes=1000)
SIZE = HarmTerms(metric="accuracy", margin=0.02, prefer="size", float_size_bytes=1000)
ACCURACY = HarmTerms(metric="accuracy", margin=0.02, prefer="accuracy", float_size_bytes=1000)


def about(low: float, value: float, high: float) -> Estimate:
    return Estimate(
        value=value, low=low, high=high, confidence=0.95, n=500, method="tango-score", unit="ratio"
    )


FINE = about(-0.01, 0.002, 0.015)
FASTER = about(0.6, 0.7, 0.8)
EQUAL = about(0.97, 1.0, 1.02)
SLOWER = about(1.1, 1.2, 1.3)
UNKNOWN = about(0.8, 1.0, 1.4)


@pytest.mark.parametrize(
    ("terms", "ratio", "size", "harmless"),
    [
        (LATENCY, FASTER, 400, True),
        (LATENCY, FASTER, 1400, True),
        (LATENCY, EQUAL, 400, True),
        (LATENCY, EQUAL, 1000, False),
        (LATENCY, SLOWER, 400, False),
        (LATENCY, UNKNOWN, 400, False),
        (LATENCY, None, 400, False),
        (SIZE, SLOWER, 400, True),
        (SIZE, FASTER, 1000, False),
        (ACCURACY, SLOWER, 400, True),
        (ACCURACY, FASTER, 1400, True),
        (ACCURACY, SLOWER, 1400, False),
    ],
)
def test_better_is_what_the_target_asks_for(
    terms: HarmTerms, ratio: Estimate | None, size: int, *, harmless: bool
) -> None:
    found = check_harm(FINE, ratio, size, terms)
    assert found.not_inferior
    assert (found.harmless, found.better) == (harmless, harmless)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (about(0.03, 0.05, 0.07), r"0\.05 \[0\.03, 0\.07\], is above 0\.02"),
        (about(-0.01, 0.01, 0.03), r"is not shown to lie within 0\.02 \(n=500; 1,500 more samples"),
        (about(-0.01, 0.0, 0.03), "is not shown to lie within 0.02"),
        (None, "its loss of accuracy is not known"),
    ],
)
def test_what_is_not_shown_does_not_count(loss: Estimate | None, words: str) -> None:
    found = check_harm(loss, FASTER, 400, LATENCY)
    assert not found.harmless
    assert not found.not_inferior
    assert found.better
    assert re.search(words, found.sentence)


def test_an_interval_that_ends_on_the_margin_lies_within() -> None:
    assert check_harm(about(-0.01, 0.01, 0.02), FASTER, 400, LATENCY).not_inferior


def test_faster_must_clear_what_equal_things_showed() -> None:
    uneasy = dataclasses.replace(LATENCY, self_check=about(0.7, 0.8, 0.9))
    calm = dataclasses.replace(LATENCY, self_check=about(0.7, 0.9, 1.1))
    assert not check_harm(FINE, about(0.6, 0.7, 0.75), 1400, uneasy).better
    assert "differed as well" in check_harm(FINE, about(0.6, 0.7, 0.75), 1400, uneasy).sentence
    assert check_harm(FINE, about(0.5, 0.6, 0.65), 1400, uneasy).better
    assert check_harm(FINE, about(0.6, 0.7, 0.75), 1400, calm).better


def test_the_usual_margin() -> None:
    assert usual_margin("ratio", 0.5) == 0.02
    assert usual_margin("label", -50.0) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (about(0.97, 0.99, 1.02), "it is as fast, x 0.99 [0.97, 1.02]"),
        (about(0.84, 1.0, 1.1), "it is not shown to be faster and may be 10 % slower, x 1 [0.84, "),
        (about(1.1, 1.2, 1.3), "it is slower, x 1.2 [1.1, 1.3]"),
    ],
)
def test_what_keeps_a_smaller_file_out_is_said(ratio: Estimate, words: str) -> None:
    assert words in check_harm(FINE, ratio, 400, LATENCY).sentence
