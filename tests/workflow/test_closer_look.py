"""Sustained runs, profiles and sweeps of the variant that ships, in a build."""

from __future__ import annotations

import pytest

from bands import ProjectFolder
from edgeworthy.errors import UsageError

ASKED = 'budget_s = 0.02\nsustained_s = 1.0\noperators = true\nsweep = ["threads"]\n'


@pytest.fixture(autouse=True)
def _own_calibrations(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_a_build_looks_closer_at_what_ships(built: ProjectFolder) -> None:
    built.edit("budget_s = 0.02\n", ASKED)
    result = built.load().build()
    record = result.record
    # A closer look is no reason to measure all variants again.
    assert "measure/host" not in [each.step for each in result.outcomes if each.ran]
    (chosen,) = result.decision.targets
    (run,), (profile,), (sweep,) = record.sustained, record.profiles, record.sweeps
    assert {run.artifact, profile.artifact, sweep.artifact} == {chosen.artifact}
    assert (run.variant, run.target) == (chosen.variant, "host")
    assert run.windows
    assert run.checked_count > 0
    assert profile.operators
    assert [point.batch for point in sweep.points] == [1] * len(sweep.points)
    page = result.report_path.read_text(encoding="utf-8")
    for title in ("Sustained run", "Where the time goes", "Threads and batch"):
        assert f">{title}</h2>" in page
    again = built.load().build()
    assert not [each.step for each in again.outcomes if each.ran]
    # Another duration is another run, and no reason to measure anything else again.
    built.edit("sustained_s = 1.0", "sustained_s = 1.5")
    third = built.load().build()
    assert [each.step for each in third.outcomes if each.ran] == ["sustained/host", "report"]


def test_one_artefact_of_a_project_by_itself(built: ProjectFolder) -> None:
    loaded = built.load()
    original = loaded.subject()
    assert (original.variant, original.target, original.threads) == ("original", "host", 1)
    options = loaded.measuring_options(original)
    assert options.inputs is not None
    assert len(options.inputs) == len(options.answers) > 1
    assert options.inputs[0]["picture"].shape == (1, 1, 6, 6)
    assert options.answers[0]["scores"].shape == (1, 3)
    with pytest.raises(UsageError, match="has no variant `int3`"):
        loaded.subject("int3")
    with pytest.raises(UsageError, match="no target `moon`"):
        loaded.subject(target="moon")
