"""``edgeworthy measure MODEL --operators``: where the time goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgeworthy.cli.output import console, figure, note, print_json, table
from edgeworthy.cli.session import shown_progress
from edgeworthy.documents.operator_profile import OperatorProfile, OperatorTime

if TYPE_CHECKING:
    from edgeworthy.workflow.bare_models import BareOptions

_MOST_OPERATORS = 15


def measure_operators(
    model: Path, options: BareOptions, *, as_json: bool, html: Path | None
) -> None:
    """Profile a model and say where its time goes."""
    from edgeworthy.workflow.measured_page import write_measured_page
    from edgeworthy.workflow.operators import profile_file

    with shown_progress() as progress:
        profile = profile_file(model, options, progress=progress)
    if html is not None:
        write_measured_page(profile, html)
    print_json(profile) if as_json else print_profile(profile)


def print_profile(profile: OperatorProfile) -> None:
    """One line an operator, the limits of the machine, and what follows."""
    out = console()
    title = f"{profile.variant}: {profile.runtime}, {profile.threads} thread(s)"
    columns = ("operator", "nodes", "ms", "time", "GMAC/s", "of limit", "limited by")
    made = table(title, *columns, right=columns[1:])
    for each in profile.operators[:_MOST_OPERATORS]:
        made.add_row(
            _name(each),
            str(each.node_count),
            figure(each.time_ms.value),
            f"{100 * each.time_share:.0f} %",
            "-" if each.gmacs_per_s is None else figure(each.gmacs_per_s),
            "-" if each.reached_ratio is None else f"{100 * each.reached_ratio:.0f} %",
            each.limited_by,
        )
    rest = profile.operators[_MOST_OPERATORS:]
    if rest:
        share = sum(each.time_share for each in rest)
        made.add_row(f"and {len(rest)} more", "", "", f"{100 * share:.0f} %", "", "", "")
    out.print(made)
    out.print(
        f"All operators {figure(profile.operators_ms)} ms under the profiler; "
        f"a run without it {figure(profile.latency_ms)} ms"
    )
    limits = profile.roofline
    eight = limits.int8_gmacs_per_s
    out.print(
        f"This machine at most: {figure(limits.float_gmacs_per_s)} GMAC/s in float32, "
        f"{'none' if eight is None else figure(eight)} in 8 bits; "
        f"{figure(limits.memory_gb_per_s)} GB/s from memory, "
        f"{figure(limits.cache_gb_per_s)} from the cache"
    )
    for sentence in (*profile.remarks, *profile.disturbances):
        out.print(note(sentence))


def _name(operator: OperatorTime) -> str:
    known = operator.precision != "other"
    return f"{operator.op_type} ({operator.precision})" if known else operator.op_type
