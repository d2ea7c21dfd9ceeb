"""The records that reports are tested with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
import vl_convert

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.gate import Verdict
from edgeworthy.reports import render_html
from report_documents import ATTACK
from report_records import make_record, make_refused, make_regression


@pytest.fixture(scope="session")
def page_of() -> Callable[[BuildRecord], str]:
    """``render_html`` that draws the same record once in the whole session."""
    pages: dict[str, str] = {}

    def page(record: BuildRecord) -> str:
        key = repr(record)
        if key not in pages:
            pages[key] = render_html(record)
        return pages[key]

    return page


@pytest.fixture(autouse=True, scope="session")
def drawings() -> Iterator[dict[str, str]]:
    """What was drawn, by its specification: records that differ in a figure share most charts."""
    drawn: dict[str, str] = {}
    draw = vl_convert.vegalite_to_svg

    def draw_once(specification: dict[str, object], **options: Any) -> str:  # noqa: ANN401 - the renderer's
        key = json.dumps([specification, options])
        if key not in drawn:
            drawn[key] = draw(specification, **options)
        return drawn[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vl_convert, "vegalite_to_svg", draw_once)
        yield drawn


@pytest.fixture
def record() -> BuildRecord:
    return make_record()


@pytest.fixture
def small() -> BuildRecord:
    """One target: half the drawings."""
    return make_record(targets=("laptop",))


@pytest.fixture
def refused() -> BuildRecord:
    return make_refused()


@pytest.fixture
def regression() -> BuildRecord:
    return make_regression()


@pytest.fixture
def untargeted() -> BuildRecord:
    return make_record(targets=())


@pytest.fixture
def build_record() -> Callable[..., BuildRecord]:
    return make_record


@pytest.fixture
def hostile(small: BuildRecord) -> BuildRecord:
    """Every text from outside tries to break out of the page."""
    replace = msgspec.structs.replace
    project = replace(
        small.project,
        project=replace(small.project.project, name=ATTACK, description=ATTACK),
        model=replace(
            small.project.model,
            labels=tuple(f"{ATTACK}{n}" for n in range(10)),
            license=ATTACK,
            origin=ATTACK,
        ),
    )
    assert small.decision is not None
    decision = replace(
        small.decision,
        targets=tuple(replace(t, reason=ATTACK) for t in small.decision.targets),
        results=tuple(
            replace(r, reason=ATTACK, bound=ATTACK, slice=ATTACK, verdict=Verdict.FAIL)
            for r in small.decision.results
        ),
    )
    return replace(
        small,
        project=project,
        inspection=replace(small.inspection, producer=ATTACK, warnings=(ATTACK,)),
        datasets=tuple(replace(d, license=ATTACK, origin=ATTACK) for d in small.datasets),
        evaluations=tuple(
            replace(
                e,
                metrics=tuple(
                    replace(m, slice=f"{ATTACK}={ATTACK}{n}" if m.slice else "")
                    for n, m in enumerate(e.metrics)
                ),
            )
            for e in small.evaluations
        ),
        measurements=tuple(
            replace(m, runtime=ATTACK, disturbances=(ATTACK,)) for m in small.measurements
        ),
        decision=decision,
        release_path=ATTACK,
        tool_version=ATTACK,
    )


@pytest.fixture
def attack() -> str:
    return ATTACK
