"""How a device takes its variant of a release."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.release import ReleasedVariant, SelectionRule
from edgeworthy.errors import VerificationError
from edgeworthy.release import NoneFits, Selected, Signer, select_variant, selection_rules
from edgeworthy.release.selection import ORDER, check_selection
from release.builders import contents_of, manifest_of, released
from release.test_agreement import refused, with_manifest

CLASSES: tuple[InstructionSet, ...] = get_args(InstructionSet)


def made_for(
    name: str, target: str, *classes: InstructionSet, runtime: str = "onnxruntime"
) -> ReleasedVariant:
    variant = released(name, name.encode(), target)
    return msgspec.structs.replace(variant, instruction_sets=classes, runtime=runtime)


SET = (
    made_for("float32", "anything", "generic"),
    made_for("int8-s8s8", "pi", "arm-dotprod"),
    made_for("int8-u8s8", "server", "x86-vnni"),
    made_for("int8-u8s8-r7", "gateway", "x86-avx2"),
)
MANIFEST = msgspec.structs.replace(manifest_of(*SET), selection=selection_rules(SET))


@pytest.mark.parametrize(
    ("instruction_set", "expected"),
    [
        ("x86-vnni", "int8-u8s8"),
        ("x86-avx2", "int8-u8s8-r7"),
        ("arm-dotprod", "int8-s8s8"),
        ("arm-neon", "float32"),
        ("generic", "float32"),
    ],
)
def test_each_class_takes_the_variant_that_was_judged_on_it_and_others_the_generic_one(
    instruction_set: InstructionSet, expected: str
) -> None:
    found = select_variant(MANIFEST, instruction_set)
    assert isinstance(found, Selected)
    assert found.variant.name == expected
    assert MANIFEST.selection[found.line].variant == expected


def test_a_release_from_before_the_rule_selects_the_same() -> None:
    old = msgspec.structs.replace(MANIFEST, selection=())
    for each in CLASSES:
        assert select_variant(old, each) == select_variant(MANIFEST, each)


def test_an_engine_that_the_device_lacks_is_passed_over() -> None:
    fast = made_for("int8-u8s8", "server", "x86-vnni", runtime="openvino")
    variants = (fast, SET[0])
    manifest = msgspec.structs.replace(manifest_of(*variants), selection=selection_rules(variants))
    with_both = select_variant(manifest, "x86-vnni", runtimes={"openvino", "onnxruntime"})
    with_one = select_variant(manifest, "x86-vnni", runtimes={"onnxruntime"})
    assert isinstance(with_both, Selected)
    assert isinstance(with_one, Selected)
    assert (with_both.variant.name, with_both.runtime) == ("int8-u8s8", "openvino")
    assert (with_one.variant.name, with_one.runtime) == ("float32", "onnxruntime")


def test_a_device_that_knows_its_target_takes_what_was_chosen_for_it() -> None:
    variants = (made_for("a", "fast", "x86-vnni"), made_for("b", "small", "x86-vnni"))
    manifest = msgspec.structs.replace(manifest_of(*variants), selection=selection_rules(variants))
    chosen = select_variant(manifest, "x86-vnni", target="small")
    assert isinstance(chosen, Selected)
    assert chosen.variant.name == "b"


def test_no_line_is_a_reason() -> None:
    arm_only = manifest_of(SET[1])
    assert select_variant(arm_only, "x86-avx2", target="desk") == NoneFits(
        "the release is for arm-dotprod with onnxruntime; this device is x86-avx2 as target desk"
    )


@given(
    st.lists(
        st.tuples(st.sampled_from(["float32", "int8", "mixed"]), st.sampled_from(CLASSES)),
        min_size=1,
        max_size=12,
        unique_by=lambda each: each[0],
    )
)
def test_what_is_selected_was_always_judged_for_the_device_and_the_rule_always_checks(
    pairs: list[tuple[str, InstructionSet]],
) -> None:
    variants: list[ReleasedVariant] = [
        made_for(name, f"target-{index}", each) for index, (name, each) in enumerate(pairs)
    ]
    manifest = msgspec.structs.replace(manifest_of(*variants), selection=selection_rules(variants))
    check_selection(manifest, where="test")
    assert [ORDER.index(line.instruction_set) for line in manifest.selection] == sorted(
        ORDER.index(line.instruction_set) for line in manifest.selection
    )
    for device in CLASSES:
        found = select_variant(manifest, device)
        if isinstance(found, Selected):
            assert {device, "generic"} & set(found.variant.instruction_sets)
        else:
            assert all(each not in {device, "generic"} for _, each in pairs)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (
            [("x86-vnni", "server", "int8")],
            "the rule that selects a variant names what was not judged",
        ),
        ([("x86-vnni", "server", "float32")], "the rule that selects a variant leaves one out"),
        (
            [("generic", "server", "float32")],
            "the rule that selects a variant names what was not judged",
        ),
    ],
)
def test_a_rule_that_contradicts_the_variants_is_never_written(
    tmp_path: Path, signer: Signer, lines: list[tuple[InstructionSet, str, str]], problem: str
) -> None:
    selection = tuple(
        SelectionRule(instruction_set=each, target=target, runtime="onnxruntime", variant=name)
        for each, target, name in lines
    )
    contents = with_manifest(contents_of(), selection=selection)
    assert problem in refused(tmp_path / "release", contents, signer)


def test_a_rule_out_of_order_is_refused() -> None:
    manifest = msgspec.structs.replace(MANIFEST, selection=MANIFEST.selection[::-1])
    with pytest.raises(VerificationError, match="out of order"):
        check_selection(manifest, where="test")
