"""``edgeworthy build``: everything, from the model to the report."""

from __future__ import annotations

from pathlib import Path

from edgeworthy.cli.evaluate import print_evaluations
from edgeworthy.cli.gate import print_decision, refuse_unless_passed, write_for_ci
from edgeworthy.cli.measured import print_measurements
from edgeworthy.cli.options import (
    ExplainOption,
    JsonOption,
    JunitOption,
    PassphraseOption,
    ProjectOption,
    SarifOption,
)
from edgeworthy.cli.output import console, print_json, print_outcomes
from edgeworthy.cli.session import opened_project
from edgeworthy.cli.variants import print_variants
from edgeworthy.workflow.project import BuildResult


def build(
    project: ProjectOption = Path(),
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
    explain: ExplainOption = False,
    junit: JunitOption = None,
    sarif: SarifOption = None,
) -> None:
    """Inspect, optimize, measure, evaluate, decide, sign and report; only what has changed.

    Example: edgeworthy build --project digits --explain
    """
    with opened_project(project, passphrase_file=passphrase_file) as opened:
        result = opened.build()
    write_for_ci(opened, result.decision, junit, sarif)
    if as_json:
        print_json(result.record)
    else:
        _print_result(result)
        if explain:
            print_outcomes(result.outcomes)
    refuse_unless_passed(result.decision)


def _print_result(result: BuildResult) -> None:
    out = console()
    record = result.record
    print_variants(record.variants, record.refusals)
    out.print()
    print_measurements(record.measurements, pipelines=False)
    out.print()
    print_evaluations(record.evaluations)
    out.print()
    print_decision(result.decision)
    out.print()
    if result.release_path is not None:
        out.print(f"Release {record.release_digest}\nin {result.release_path}", soft_wrap=True)
    out.print(f"Report in {result.report_path}", soft_wrap=True)
