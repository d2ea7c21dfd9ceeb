"""Where every figure comes from and until when it holds."""

from __future__ import annotations

from edgeworthy.documents.device import HostFingerprint
from edgeworthy.reports.blocks import (
    Block,
    Cell,
    Details,
    Facts,
    Heading,
    Row,
    Section,
    Table,
)
from edgeworthy.reports.formatting import bytes_text
from edgeworthy.reports.index import BuildIndex
from edgeworthy.reports.wording import date_text, plain


def provenance_section(index: BuildIndex) -> Section:
    """The machine, the versions, the seeds, the dates and the full digests."""
    record = index.record
    hosts = dict.fromkeys(
        [e.host for e in record.measurements] + [e.host for e in record.evaluations]
    )
    blocks: list[Block] = [_build_facts(index)]
    for position, host in enumerate(hosts):
        name = f"Machine {position + 1}" if len(hosts) > 1 else "Machine"
        blocks += [Heading(name), _host_facts(host)]
    if record.measurements or record.evaluations:
        blocks.append(Heading("Evidence"))
        blocks.append(_evidence_table(index))
    blocks.append(Details("Full digests", (_digest_table(index),)))
    return Section(
        key="provenance",
        title="Provenance",
        lead="A figure holds for this artefact, on this machine, with these versions and samples, "
        "until it expires.",
        blocks=tuple(blocks),
    )


def _build_facts(index: BuildIndex) -> Facts:
    record = index.record
    pairs = [
        ("Project", Cell(plain(f"{record.project.project.name} {record.project.project.version}"))),
        ("Task", Cell(record.project.model.task)),
        ("Model license", Cell(plain(record.project.model.license) or "not declared")),
        ("Model origin", Cell(plain(record.project.model.origin) or "not declared")),
        ("Built", Cell(date_text(record.created_at))),
        ("Edgeworthy", Cell(plain(record.tool_version))),
        ("Seed", Cell(f"{record.project.seed}")),
    ]
    return _facts(pairs)


def _facts(pairs: list[tuple[str, Cell]]) -> Facts:
    return Facts(terms=tuple(term for term, _ in pairs), items=tuple(cell for _, cell in pairs))


def _host_facts(host: HostFingerprint) -> Facts:
    return _facts(
        [
            ("Processor", Cell(plain(host.cpu_model) or "unknown")),
            ("Architecture", Cell(plain(f"{host.architecture}, {host.instruction_set}"))),
            ("Flags", Cell(plain(" ".join(host.cpu_flags)) or "none that matter")),
            ("Cores", Cell(f"{host.core_count}")),
            ("Memory", Cell(bytes_text(host.memory_bytes))),
            ("System", Cell(plain(f"{host.operating_system}, Python {host.python_version}"))),
            ("Engines", Cell(plain(", ".join(host.runtimes)))),
        ]
    )


def _evidence_table(index: BuildIndex) -> Table:
    record = index.record
    rows = [
        ("measurement", e.target, e.variant, e.interleaving_seed, e.taken_at, e.expires_at)
        for e in record.measurements
    ]
    rows += [
        ("evaluation", e.target, e.variant, e.seed, e.taken_at, e.expires_at)
        for e in record.evaluations
    ]
    return Table(
        caption="When each figure was taken and until when it holds",
        columns=("Variant", "Target", "Kind", "Seed", "Taken", "Expires"),
        rows=tuple(
            Row(
                (
                    Cell(plain(variant)),
                    Cell(plain(target)),
                    Cell(kind),
                    Cell(f"{seed}", tone="number"),
                    Cell(date_text(taken)),
                    Cell(date_text(expires)),
                )
            )
            for kind, target, variant, seed, taken, expires in rows
        ),
    )


def _digest_table(index: BuildIndex) -> Table:
    record = index.record
    found = {"original model": record.inspection.artifact}
    found |= {f"variant {v.name}": v.artifact for v in record.variants}
    found |= {f"data set {d.reference.name}": d.reference.digest for d in record.datasets}
    if record.decision:
        found["requirements"] = record.decision.policy_digest
        found |= {f"evidence {n + 1}": d for n, d in enumerate(record.decision.evidence)}
    if record.release_digest:
        found["release"] = record.release_digest
    return Table(
        caption="Full digests",
        columns=("What", "Digest"),
        rows=tuple(
            Row((Cell(plain(name)), Cell(plain(digest), tone="code")))
            for name, digest in found.items()
        ),
    )
