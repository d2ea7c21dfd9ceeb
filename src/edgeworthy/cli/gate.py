"""``edgeworthy gate``: may it ship?"""

from __future__ import annotations

from pathlib import Path

from rich.table import Table

from edgeworthy.cli.options import (
    ExplainOption,
    JsonOption,
    JunitOption,
    ProjectOption,
    SarifOption,
)
from edgeworthy.cli.output import (
    STYLES,
    console,
    interval,
    marked,
    print_json,
    print_outcomes,
    verdict_text,
)
from edgeworthy.cli.session import opened_project
from edgeworthy.documents.gate import GateDecision, RequirementResult, Verdict
from edgeworthy.errors import GateRefused
from edgeworthy.workflow.project import Project


def gate(
    project: ProjectOption = Path(),
    as_json: JsonOption = False,
    explain: ExplainOption = False,
    junit: JunitOption = None,
    sarif: SarifOption = None,
) -> None:
    """Hold the figures against the requirements; exit code 3 when one does not hold.

    Example: edgeworthy gate --junit gate.xml
    """
    with opened_project(project) as opened:
        decision = opened.gate()
    write_for_ci(opened, decision, junit, sarif)
    if as_json:
        print_json(decision)
    else:
        print_decision(decision)
        if explain:
            print_outcomes(opened.outcomes)
    refuse_unless_passed(decision)


def print_decision(decision: GateDecision) -> None:
    """One line per requirement of the variant that was chosen, then the verdict and why."""
    out = console()
    for target in decision.targets:
        results = _results(decision, target.target, target.variant)
        title = f"Requirements for {target.target}, held against {target.variant}"
        out.print(title, style="bold")
        lines = Table.grid(padding=(0, 2, 0, 0))
        for each in results:
            lines.add_row(verdict_text(each.verdict), _requirement_line(each))
        out.print(lines)
        for each in results:
            if each.verdict is not Verdict.PASS:
                out.print(marked(each.verdict, STYLES[each.verdict], each.reason))
        decided = f"{target.target}: {target.reason}"
        out.print(marked(target.verdict, STYLES[target.verdict], decided))


def _requirement_line(result: RequirementResult) -> str:
    from edgeworthy.release import MEASUREMENT_METRICS

    metric = f"{result.requirement.metric} {result.slice}".strip()
    measured = result.measured
    if measured is None:
        figures = "not known"
    elif measured.confidence == 1.0:
        figures = f"{interval(measured)} exactly"
    else:
        unit = " starts" if result.requirement.metric in MEASUREMENT_METRICS else ""
        figures = f"{interval(measured)}, n={measured.n}{unit}"
    digest = result.artifact.removeprefix("sha256:")[:12]
    return f"{metric} {result.bound}: {figures} ({digest})"


def write_for_ci(
    project: Project, decision: GateDecision, junit: Path | None, sarif: Path | None
) -> None:
    """Write the decision in the forms that CI systems read."""
    if junit is not None:
        project.write_junit(decision, junit)
    if sarif is not None:
        project.write_sarif(decision, sarif)


def refuse_unless_passed(decision: GateDecision) -> None:
    """Leave with exit code 3 unless every target passed.

    Raises:
        GateRefused: A requirement failed or could not be settled.
    """
    if decision.verdict is Verdict.PASS:
        return
    open_ = [
        each
        for target in decision.targets
        for each in _results(decision, target.target, target.variant)
        if each.verdict is not Verdict.PASS
    ]
    failed = sum(each.verdict is Verdict.FAIL for each in open_)
    raise GateRefused(
        f"the gate refused: {failed} requirement(s) failed, "
        f"{len(open_) - failed} could not be settled",
        next_step="The lines above say which, and what was measured",
    )


def _results(decision: GateDecision, target: str, variant: str) -> list[RequirementResult]:
    return [each for each in decision.results if (each.target, each.variant) == (target, variant)]
