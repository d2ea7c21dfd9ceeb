"""Reasons, layer by layer, from what an engine says it ran."""

from __future__ import annotations

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.prediction import NodeSaturation
from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.optimization.explanation import explain_loss, explain_time
from edgeworthy.runtimes import NodeProfile


def node(name: str, op_type: str, time_us: float, macs: int, input_type: str) -> NodeProfile:
    return NodeProfile(
        name=name,
        op_type=op_type,
        input_type=input_type,
        mac_count=macs,
        moved_bytes=0,
        times_us=(time_us * 9, time_us, time_us),
    )


FLOAT = [
    node("conv", "Conv", 20.0, 500_000, "float32"),
    node("tiny", "Conv", 5.0, 2_000, "float32"),
    node("dense", "Gemm", 30.0, 400_000, "float32"),
    node("softmax", "Softmax", 4.0, 0, "float32"),
]
INTEGER = [
    node("input_q", "QuantizeLinear", 6.0, 0, "float32"),
    node("conv_q", "QLinearConv", 40.0, 500_000, "uint8"),
    node("tiny_q", "QLinearConv", 9.0, 2_000, "uint8"),
    node("dense_q", "QGemm", 15.0, 400_000, "uint8"),
    node("softmax", "Softmax", 4.0, 0, "float32"),
    node("nothing", "Softmax", 0.1, 0, "float32"),
]


def kinds(instruction_set: InstructionSet) -> list[tuple[str, str]]:
    return [(e.node, e.kind) for e in explain_time(FLOAT, INTEGER, instruction_set)]


def test_each_reason_is_told_with_its_layer_the_most_expensive_first() -> None:
    assert kinds("x86-avx2") == [
        ("", "no-vnni"),
        ("conv_q", "no-vnni"),
        ("input_q", "border"),
        ("softmax", "no-int8-kernel"),
        ("tiny_q", "little-arithmetic"),
    ]


def test_with_dot_products_the_machine_is_not_to_blame() -> None:
    assert ("conv_q", "no-int8-kernel") in kinds("x86-vnni")
    assert "no-vnni" not in {kind for _, kind in kinds("x86-vnni")}


def test_the_figures_are_medians() -> None:
    said = {each.node: each.sentence for each in explain_time(FLOAT, INTEGER, "x86-avx2")}
    assert said["conv_q"] == "40 us in integers, 20 us in float (500,000 multiply-adds)"
    assert said["input_q"].endswith("not fused: 8 % of the time")


def test_files_with_other_layers_are_not_compared_layer_by_layer() -> None:
    found = explain_time(FLOAT[1:], INTEGER, "x86-avx2")
    assert {each.kind for each in found} == {"border", "no-int8-kernel"}


def test_what_costs_accuracy_is_saturation_and_sensitive_layers() -> None:
    saturation = NodeSaturation(
        node="conv",
        pair_ratio=0.25,
        output_ratio=0.1,
        mean_shift_steps=2.0,
        largest_shift_steps=9.0,
    )
    layers = [
        LayerSensitivity(node=f"n{k}", op_type="Conv", error_ratio=0.1 / (k + 1), sample_count=8)
        for k in range(9)
    ]
    found = explain_loss([saturation], layers)
    assert (found[0].node, found[0].kind) == ("conv", "saturation")
    assert found[0].sentence.startswith("25 % of its sums of two products leave 16 bits")
    assert [each.node for each in found[1:]] == ["n0", "n1", "n2", "n3", "n4"]
    assert "error of 10 % of their energy" in found[1].sentence
    assert explain_loss([], []) == ()


def test_of_many_small_nodes_is_spoken_together() -> None:
    # in a network of hundreds of nodes none takes a hundredth of the time
    borders = [node(f"dq{n}", "DequantizeLinear", 0.5, 0, "uint8") for n in range(200)]
    clips = [node(f"clip{n}", "Clip", 0.4, 0, "float32") for n in range(100)]
    layers = [node(f"conv{n}", "QLinearConv", 3.0, 9_000, "uint8") for n in range(120)]
    before = [node(f"conv{n}", "Conv", 1.0, 9_000, "float32") for n in range(100)]
    said = explain_time(before, [*borders, *clips, *layers], "x86-vnni")
    assert [(each.node, each.kind) for each in said] == [
        ("all 120 layers with weights", "little-arithmetic"),
        ("200 nodes DequantizeLinear", "border"),
        ("100 nodes Clip", "no-int8-kernel"),
    ]
    assert said[0].sentence.startswith("360 us in integers, 100 us in float, with 9,000 multiply")
    assert "20 % of the time" in said[1].sentence


def test_layers_that_are_faster_together_are_no_reason() -> None:
    before = [node("a", "Conv", 9.0, 9_000_000, "float32")]
    after = [node(name, "QLinearConv", 2.0, 4_500_000, "uint8") for name in "ab"]
    assert explain_time(before, after, "x86-vnni") == ()
