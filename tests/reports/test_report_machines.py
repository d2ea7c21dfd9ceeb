"""JUnit and SARIF: what CI systems read, and that nothing unsettled looks green."""

import json
import xml.etree.ElementTree as ET
from typing import Any

import msgspec
import pytest

from edgeworthy.documents.build import BuildRecord
from edgeworthy.documents.gate import GateDecision, Verdict
from edgeworthy.reports import render_junit, render_sarif


def parsed(text: str) -> ET.Element:
    return ET.fromstring(text.encode())  # noqa: S314 - our own output


@pytest.fixture
def decision(refused: BuildRecord) -> GateDecision:
    assert refused.decision is not None
    return refused.decision


def without_results(decision: GateDecision) -> GateDecision:
    target = msgspec.structs.replace(
        decision.targets[0], variant="", artifact="", reason="no recipe suits the device"
    )
    return msgspec.structs.replace(decision, targets=(target,), results=())


def sarif_of(decision: GateDecision, file: str = "edgeworthy.toml") -> dict[str, Any]:
    text = render_sarif(decision, project_file=file, tool_version="0.1.0")
    document: dict[str, Any] = json.loads(text)
    return document


def test_junit_has_a_case_per_requirement_of_the_chosen_variant(decision: GateDecision) -> None:
    root = parsed(render_junit(decision, project="digits"))
    cases = list(root.iter("testcase"))
    assert len(cases) == 26
    assert {case.get("classname") for case in cases} == {"digits.laptop"}
    assert len({case.get("name") for case in cases}) == 26
    assert cases[0].get("name") == "accuracy: at least 0.95"
    assert "0.972 [0.955, 0.982]" in (cases[0].findtext("system-out") or "")
    for element in (root, root[0]):
        assert (element.get("tests"), element.get("failures")) == ("26", "11")
        assert (element.get("errors"), element.get("skipped")) == ("0", "0")


def test_junit_never_shows_an_open_question_green(decision: GateDecision) -> None:
    root = parsed(render_junit(decision, project="digits"))
    failures = list(root.iter("failure"))
    kinds = [failure.get("type") for failure in failures]
    assert (kinds.count("fail"), kinds.count("inconclusive")) == (1, 10)
    assert all(failure.get("message") for failure in failures)
    assert "about 212 more samples would settle it" in (failures[0].text or "")


def test_junit_of_a_target_without_a_variant_fails(decision: GateDecision) -> None:
    root = parsed(render_junit(without_results(decision), project="digits"))
    assert root.get("failures") == "1"
    failure = next(root.iter("failure"))
    assert failure.get("message") == "No recipe suits the device."


def test_junit_of_a_pass_without_requirements_is_empty(decision: GateDecision) -> None:
    bare = without_results(decision)
    target = msgspec.structs.replace(bare.targets[0], verdict=Verdict.PASS)
    passed = msgspec.structs.replace(bare, verdict=Verdict.PASS, targets=(target,))
    root = parsed(render_junit(passed, project="digits"))
    assert (root.get("tests"), root.get("failures")) == ("0", "0")
    assert sarif_of(passed)["runs"][0]["results"] == []


def test_junit_is_xml_whatever_the_names_are(hostile: BuildRecord, attack: str) -> None:
    assert hostile.decision is not None
    root = parsed(render_junit(hostile.decision, project=f"{attack}\uffff"))
    assert "<script>" in (root.get("name") or "")
    assert root.find(".//script") is None


def test_a_figure_that_was_never_measured(decision: GateDecision) -> None:
    results = tuple(
        msgspec.structs.replace(r, measured=None, samples_needed=None) for r in decision.results
    )
    bare = msgspec.structs.replace(decision, results=results)
    assert "not measured" in render_junit(bare, project="digits")
    assert "found not measured" in render_sarif(bare, project_file="e.toml", tool_version="1")


def check_sarif(document: dict[str, Any]) -> None:
    """What SARIF 2.1.0 demands of the properties that we write."""
    assert document["version"] == "2.1.0"
    assert document["$schema"].endswith("sarif-schema-2.1.0.json")
    (run,) = document["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"]
    rules = driver["rules"]
    assert len({rule["id"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["shortDescription"]["text"]
        assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}
    for result in run["results"]:
        assert result["message"]["text"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["kind"] in {"pass", "fail"}
        assert (result["level"] == "none") == (result["kind"] == "pass")
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert physical["artifactLocation"]["uri"]
        assert physical["region"]["startLine"] >= 1
        assert all(isinstance(v, str) for v in result["partialFingerprints"].values())


def test_sarif_has_what_the_standard_demands(decision: GateDecision) -> None:
    document = sarif_of(decision)
    check_sarif(document)
    levels = [result["level"] for result in document["runs"][0]["results"]]
    assert {level: levels.count(level) for level in ("error", "warning", "none")} == {
        "error": 1,
        "warning": 10,
        "none": 15,
    }
    prints = [
        result["partialFingerprints"]["requirement/v1"] for result in document["runs"][0]["results"]
    ]
    assert len(set(prints)) == len(prints)


def test_sarif_names_the_figure_and_the_artefact(decision: GateDecision) -> None:
    results = sarif_of(decision)["runs"][0]["results"]
    (error,) = [result for result in results if result["level"] == "error"]
    text = error["message"]["text"]
    assert "Accuracy: at least 0.999; found 0.972 [0.955, 0.982] (n = 599, 95 % wilson)" in text
    assert decision.targets[0].artifact[7:19] in text
    assert error["ruleId"] == "edgeworthy/accuracy"


def test_sarif_of_a_target_without_a_variant_is_an_error(decision: GateDecision) -> None:
    document = sarif_of(without_results(decision))
    check_sarif(document)
    (result,) = document["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("edgeworthy/no-variant", "error")


@pytest.mark.parametrize(
    ("file", "address"),
    [
        ("edgeworthy.toml", "edgeworthy.toml"),
        ("my models/edge#1.toml", "my%20models/edge%231.toml"),
        ("models\\edgeworthy.toml", "models/edgeworthy.toml"),
        ("/srv/edgeworthy.toml", "file:///srv/edgeworthy.toml"),
    ],
)
def test_sarif_points_at_the_project_file(decision: GateDecision, file: str, address: str) -> None:
    result = sarif_of(decision, file)["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == address


def test_sarif_takes_hostile_text(hostile: BuildRecord) -> None:
    assert hostile.decision is not None
    check_sarif(sarif_of(hostile.decision))


def test_the_same_decision_gives_the_same_bytes(decision: GateDecision) -> None:
    assert render_junit(decision, project="p") == render_junit(decision, project="p")
    one = render_sarif(decision, project_file="e.toml", tool_version="1")
    assert one == render_sarif(decision, project_file="e.toml", tool_version="1")
