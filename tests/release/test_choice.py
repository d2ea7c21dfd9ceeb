from __future__ import annotations

from typing import Literal

import pytest

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.estimate import Estimate
from edgeworthy.documents.measurement import Percentile
from edgeworthy.documents.project import TargetSection
from edgeworthy.files import digest_bytes
from edgeworthy.release import Candidate, GateQuestion, GateTarget, PrimaryMetric, judge
from release.builders import (
    NOW,
    ORIGINAL,
    evaluation_of,
    host_of,
    interval,
    measurement_of,
    metric,
    percentiles_of,
    profile_of,
    proportion,
)

Preference = Literal["latency", "size", "accuracy"]
SIZES = {"float32": 200_000, "int8": 50_000, "tiny": 10_000}


def chosen(
    prefer: Preference,
    *,
    p50: dict[str, Estimate] | None = None,
    accuracy: dict[str, float] | None = None,
    measured_on: InstructionSet = "x86-vnni",
    higher_is_better: bool = True,
) -> tuple[str, str]:
    """What ships, and why, when nothing is required."""
    section = TargetSection(prefer=prefer)
    question = GateQuestion(
        requirements=(),
        targets=(GateTarget(name="gateway", section=section, profile=profile_of()),),
        candidates=tuple(
            Candidate(
                variant=name,
                artifact=digest_bytes(name.encode()),
                size_bytes=size,
                targets=("gateway",),
            )
            for name, size in SIZES.items()
        ),
        original=ORIGINAL,
        primary=PrimaryMetric("accuracy", higher_is_better=higher_is_better),
        measurements=tuple(
            measurement_of(
                digest_bytes(name.encode()),
                name,
                percentiles=percentiles_of(each),
                host=host_of(measured_on),
            )
            for name, each in (p50 or {}).items()
        ),
        evaluations=tuple(
            evaluation_of(
                digest_bytes(name.encode()),
                name,
                metrics=(
                    metric("accuracy", proportion(0, 0, 1), of="digit=0"),
                    metric("accuracy", proportion(0, value, 1)),
                ),
                host=host_of(measured_on),
            )
            for name, value in (accuracy or {}).items()
        ),
    )
    (decision,) = judge(question, now=NOW).targets
    return decision.variant, decision.reason.removeprefix("Nothing is required of this target. ")


def test_the_fastest() -> None:
    variant, reason = chosen(
        "latency",
        p50={
            "float32": interval(9, 10, 11),
            "int8": interval(4, 5, 6),
            "tiny": interval(7, 8, 8.5),
        },
    )
    assert (variant, reason) == ("int8", "int8: it is the fastest, p50 5 ms.")


def test_a_difference_inside_the_noise_goes_to_the_smaller_file() -> None:
    variant, reason = chosen(
        "latency",
        p50={
            "float32": interval(9, 10, 11),
            "int8": interval(10.5, 11, 12),
            "tiny": interval(20, 21, 22),
        },
    )
    assert variant == "int8"
    assert reason == (
        "int8: p50 11 ms is as fast as float32 within the noise, and the file is the smallest."
    )


def test_noise_is_measured_from_the_fastest_not_in_a_chain() -> None:
    variant, _ = chosen(
        "latency",
        p50={
            "float32": interval(9, 10, 11),
            "int8": interval(10.5, 11.5, 12.5),
            "tiny": interval(12, 13, 14),
        },
    )
    assert variant == "int8"


def test_a_variant_without_a_latency_is_not_preferred() -> None:
    variant, _ = chosen("latency", p50={"float32": interval(9, 10, 11)})
    assert variant == "float32"


@pytest.mark.parametrize("measured_on", ["x86-vnni", "arm-neon"])
def test_a_latency_of_another_class_of_device_is_no_reason(measured_on: InstructionSet) -> None:
    p50 = {"float32": interval(1, 2, 3), "int8": interval(4, 5, 6), "tiny": interval(7, 8, 9)}
    variant, reason = chosen("latency", p50=p50, measured_on=measured_on)
    if measured_on == "x86-vnni":
        assert variant == "float32"
    else:
        assert variant == "tiny"
        assert "no latency counts for this target; it is the smallest file, 9.766 KiB" in reason


def test_no_latency_at_all_goes_to_the_smallest() -> None:
    assert chosen("latency")[0] == "tiny"


def test_the_median_of_a_low_confidence_is_better_than_none() -> None:
    p50 = {"float32": interval(1, 2, 3, confidence=0.8), "int8": interval(4, 5, 6, confidence=0.8)}
    assert chosen("latency", p50=p50)[0] == "float32"


def test_the_smallest() -> None:
    variant, reason = chosen("size", p50={"float32": interval(1, 2, 3)})
    assert (variant, reason) == ("tiny", "tiny: it is the smallest file, 9.766 KiB.")


def test_the_most_accurate() -> None:
    variant, reason = chosen("accuracy", accuracy={"float32": 0.91, "int8": 0.92, "tiny": 0.8})
    assert (variant, reason) == ("int8", "int8: its accuracy is the best, 0.92.")


def test_an_error_is_better_when_it_is_lower() -> None:
    errors = {"float32": 3.0 / 10, "int8": 2.0 / 10, "tiny": 5.0 / 10}
    assert chosen("accuracy", accuracy=errors, higher_is_better=False)[0] == "int8"


def test_equally_accurate_goes_to_the_smaller_file() -> None:
    same = {"float32": 0.9, "int8": 0.9, "tiny": 0.8}
    assert chosen("accuracy", accuracy=same)[0] == "int8"


@pytest.mark.parametrize("known", [{}, {"float32": 0.9}])
def test_an_accuracy_that_is_not_known(known: dict[str, float]) -> None:
    variant, reason = chosen("accuracy", accuracy=known)
    if known:
        assert variant == "float32"
    else:
        assert variant == "tiny"
        assert "no accuracy is known" in reason


def test_an_accuracy_of_another_class_of_device_is_no_reason() -> None:
    known = {"float32": 0.9, "int8": 0.95}
    assert chosen("accuracy", accuracy=known, measured_on="arm-neon")[0] == "tiny"


def test_an_evaluation_without_the_metric_is_no_reason() -> None:
    artifact = digest_bytes(b"float32")
    question = GateQuestion(
        requirements=(),
        targets=(
            GateTarget(
                name="gateway", section=TargetSection(prefer="accuracy"), profile=profile_of()
            ),
        ),
        candidates=tuple(
            Candidate(
                variant=name,
                artifact=digest_bytes(name.encode()),
                size_bytes=size,
                targets=("gateway",),
            )
            for name, size in SIZES.items()
        ),
        original=ORIGINAL,
        primary=PrimaryMetric("auroc", higher_is_better=True),
        measurements=(),
        evaluations=(evaluation_of(artifact, "float32"),),
    )
    assert judge(question, now=NOW).targets[0].variant == "tiny"


def test_a_percentile_that_was_refused_is_no_latency() -> None:
    artifact = digest_bytes(b"float32")
    refused = (Percentile(percent=50, latency_ms=None, refusal="too few"),)
    section = TargetSection(prefer="latency")
    question = GateQuestion(
        requirements=(),
        targets=(GateTarget(name="gateway", section=section, profile=profile_of()),),
        candidates=(
            Candidate(variant="float32", artifact=artifact, size_bytes=9, targets=("gateway",)),
            Candidate(
                variant="int8", artifact=digest_bytes(b"int8"), size_bytes=8, targets=("gateway",)
            ),
        ),
        original=ORIGINAL,
        primary=PrimaryMetric("accuracy", higher_is_better=True),
        measurements=(measurement_of(artifact, "float32", percentiles=refused),),
        evaluations=(),
    )
    assert judge(question, now=NOW).targets[0].variant == "int8"
