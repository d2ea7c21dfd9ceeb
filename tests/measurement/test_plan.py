from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgeworthy.errors import UsageError
from edgeworthy.measurement import MeasurementPlan, MeasurementSettings


def test_starts_are_as_many_as_the_confidence_needs() -> None:
    assert MeasurementSettings().launch_count == 6
    assert MeasurementSettings(confidences=(0.8,)).launch_count == 6
    assert MeasurementSettings(confidences=(0.9, 0.99)).launch_count == 8
    assert MeasurementSettings(launches=12).launch_count == 12


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"query_count": 0}, "`query_count` of a measurement must be above 0"),
        ({"budget_s": 0.0}, "`budget_s`"),
        ({"block_s": -1.0}, "`block_s`"),
        ({"reply_timeout_s": 0.0}, "`reply_timeout_s`"),
        ({"evidence_days": 0}, "`evidence_days`"),
        ({"confidences": ()}, "lie between 0 and 1"),
        ({"confidences": (0.95, 95.0)}, "lie between 0 and 1"),
        ({"launches": 5}, "too few starts for an interval. Expected at least 6, found 5"),
    ],
)
def test_settings_that_cannot_give_intervals_are_refused(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        MeasurementSettings(**settings)


def test_a_plan_is_named_by_its_variant_and_file() -> None:
    plan = MeasurementPlan(variant="int8", artifact=Path("a.onnx"), digest="d", target="t")
    assert plan.title == "int8 (a.onnx)"
