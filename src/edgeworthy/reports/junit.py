"""A gate decision as JUnit XML, so that a CI system shows each requirement as a test.

Rules:

1. One test case per requirement, slice and target, for the variant that was decided on.
2. What is not settled is a failure of type ``inconclusive``: a CI system must not show it green.
3. A target that was refused without any result is a failure of its own.

Source: https://github.com/testmoapp/junitxml, the format as CI systems read it.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from edgeworthy.documents.gate import GateDecision, RequirementResult, TargetDecision, Verdict
from edgeworthy.reports.formatting import (
    bound_of,
    bound_text,
    digest_short,
    estimate_text,
    requirement_title,
    sample_text,
)
from edgeworthy.reports.wording import plain, sentence


def render_junit(decision: GateDecision, *, project: str) -> str:
    """The decision as JUnit XML.

    Args:
        decision: What the gate decided.
        project: Name of the project; the name of the suites.

    Returns:
        An XML document; the same for the same decision.
    """
    root = ET.Element("testsuites", {"name": plain(project)})
    for target in decision.targets:
        suite = ET.SubElement(root, "testsuite", {"name": plain(f"{project}.{target.target}")})
        results = [
            r for r in decision.results if (r.target, r.variant) == (target.target, target.variant)
        ]
        for result in results:
            _add_result(suite, result, project)
        if not results and target.verdict is not Verdict.PASS:
            _add_refusal(suite, target, project)
        _count(suite)
    _count(root)
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def _count(element: ET.Element) -> None:
    cases, failures = list(element.iter("testcase")), list(element.iter("failure"))
    element.set("tests", str(len(cases)))
    element.set("failures", str(len(failures)))
    element.set("errors", "0")
    element.set("skipped", "0")


def _add_result(suite: ET.Element, result: RequirementResult, project: str) -> None:
    name = f"{requirement_title(result)}: {bound_text(result)}"
    case = ET.SubElement(
        suite,
        "testcase",
        {"classname": plain(f"{project}.{result.target}"), "name": plain(name), "time": "0"},
    )
    found = _found(result)
    if result.verdict is not Verdict.PASS:
        message = plain(sentence(result.reason))
        failure = ET.SubElement(case, "failure", {"type": result.verdict.value, "message": message})
        failure.text = f"{message} {found}"
    ET.SubElement(case, "system-out").text = found


def _found(result: RequirementResult) -> str:
    measured = result.measured
    parts = [
        f"variant {result.variant}",
        f"artefact {digest_short(result.artifact)}",
        f"measured {estimate_text(measured, bound=bound_of(result.requirement))}"
        if measured
        else "not measured",
    ]
    if measured:
        parts.append(sample_text(measured))
    if result.samples_needed is not None:
        parts.append(f"about {result.samples_needed:,} more samples would settle it")
    return plain(", ".join(parts))


def _add_refusal(suite: ET.Element, target: TargetDecision, project: str) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        {"classname": plain(f"{project}.{target.target}"), "name": "some variant", "time": "0"},
    )
    message = plain(sentence(target.reason))
    failure = ET.SubElement(case, "failure", {"type": target.verdict.value, "message": message})
    failure.text = message
