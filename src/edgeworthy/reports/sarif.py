"""A gate decision as SARIF 2.1.0, so that a code host shows it beside the project file.

Rules:

1. One rule per metric, one result per requirement, slice and target, for the variant that was
   decided on.
2. ``fail`` is an error and what is not settled a warning. What is met is of kind ``pass``, whose
   level the standard demands to be ``none``.
3. A target that was refused without any result is an error of its own.

Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, sections 3.27.9
and 3.27.10 on kinds and levels.
"""

from __future__ import annotations

import json
from typing import Any, TypeAlias
from urllib.parse import quote

from edgeworthy.documents.gate import GateDecision, RequirementResult, TargetDecision, Verdict
from edgeworthy.reports.formatting import (
    bound_of,
    bound_text,
    digest_short,
    estimate_text,
    requirement_title,
    sample_text,
)
from edgeworthy.reports.verdicts import chosen_results
from edgeworthy.reports.wording import capitalized, metric_title, plain, sentence

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/os/schemas/sarif-schema-2.1.0.json"
_NO_VARIANT = "no-variant"
_LEVELS = {Verdict.FAIL: "error", Verdict.INCONCLUSIVE: "warning", Verdict.PASS: "none"}

#: A JSON object on its way out; nothing in this room reads it again.
_Object: TypeAlias = dict[str, Any]


def render_sarif(decision: GateDecision, *, project_file: str, tool_version: str) -> str:
    """The decision as SARIF.

    Args:
        decision: What the gate decided.
        project_file: Path of ``edgeworthy.toml``, relative to the root of the repository.
        tool_version: Version of Edgeworthy.

    Returns:
        A JSON document; the same for the same decision.
    """
    results = chosen_results(decision)
    empty = [
        target
        for target in decision.targets
        if target.verdict is not Verdict.PASS
        and not any(result.target == target.target for result in results)
    ]
    metrics = list(dict.fromkeys(result.requirement.metric for result in results))
    rules = [_rule(f"edgeworthy/{plain(name)}", metric_title(name)) for name in metrics]
    if empty:
        rules.append(_rule(f"edgeworthy/{_NO_VARIANT}", "a variant for each target"))
    places = {rule["id"]: position for position, rule in enumerate(rules)}
    location = [_location(project_file)]
    found = [_result(result) for result in results] + [_refusal(target) for target in empty]
    run: _Object = {
        "tool": {"driver": {"name": "Edgeworthy", "version": tool_version, "rules": rules}},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "results": [
            {**entry, "ruleIndex": places[entry["ruleId"]], "locations": location}
            for entry in found
        ],
    }
    document = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def _rule(identifier: str, title: str) -> _Object:
    text = f"The project's requirements on {title} hold."
    return {
        "id": identifier,
        "shortDescription": {"text": text},
        "help": {
            "text": "A requirement is met when the whole confidence interval of the measured "
            "figure is on the allowed side of its bound, and not settled when the bound is "
            "inside the interval. See the report of the build for the figures."
        },
        "defaultConfiguration": {"level": "error"},
    }


def _location(project_file: str) -> _Object:
    path = project_file.replace("\\", "/")
    address = f"file://{quote(path)}" if path.startswith("/") else quote(path)
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": address},
            "region": {"startLine": 1},
        }
    }


def _result(result: RequirementResult) -> _Object:
    bound = bound_of(result.requirement)
    measured = result.measured
    found = (
        f"{estimate_text(measured, bound=bound)} ({sample_text(measured)})"
        if measured
        else "not measured"
    )
    text = (
        f"{capitalized(requirement_title(result))}: {bound_text(result)}; found {found} on "
        f"{result.target} with {result.variant}, artefact {digest_short(result.artifact)}. "
        f"{sentence(result.reason)}"
    )
    identity = (result.target, str(result.requirement_index), result.slice)
    return {
        "ruleId": f"edgeworthy/{plain(result.requirement.metric)}",
        "kind": "pass" if result.verdict is Verdict.PASS else "fail",
        "level": _LEVELS[result.verdict],
        "message": {"text": plain(text)},
        "partialFingerprints": {"requirement/v1": plain("/".join(identity))},
        "properties": {
            "verdict": result.verdict.value,
            "target": plain(result.target),
            "variant": plain(result.variant),
            "artifact": plain(result.artifact),
        },
    }


def _refusal(target: TargetDecision) -> _Object:
    return {
        "ruleId": f"edgeworthy/{_NO_VARIANT}",
        "kind": "fail",
        "level": _LEVELS[target.verdict],
        "message": {"text": plain(f"{target.target}: {sentence(target.reason)}")},
        "partialFingerprints": {"requirement/v1": plain(target.target)},
        "properties": {"verdict": target.verdict.value, "target": plain(target.target)},
    }
