"""Why integers do not help, layer by layer, from what the engine really ran.

Rules:

1. The engine's own profiles speak: of the float file, and of the file in integers, after the engine
   has rewritten both. What was not fused, and what stayed in float, shows there and nowhere else.
2. Layers are compared in pairs by their order, where both files have the same layers with the same
   arithmetic; where they do not, only all of them together are compared.
3. A remark carries its figure. What takes less than one per cent of the time is not worth one, but
   many small ones of an operator are worth one together: in a deep network no layer stands out.
4. Pure: profiles and counts in, remarks out, the most expensive first.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from edgeworthy.documents.device import InstructionSet
from edgeworthy.documents.harm import LayerRemark
from edgeworthy.documents.prediction import NodeSaturation
from edgeworthy.documents.search import LayerSensitivity
from edgeworthy.runtimes import NodeProfile

_BORDERS = frozenset({"QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear"})
_FLOATS = frozenset({"float32", "float16", "float64"})
#: Share of the whole time below which nothing is said.
_LEAST_SHARE = 0.01
#: Multiply-adds below which the overhead of a call outweighs the arithmetic.
_LITTLE_ARITHMETIC = 100_000
_FEW_DOT_PRODUCTS = frozenset({"x86-avx2", "arm-neon", "generic"})
_MOST_LAYERS = 5
_PERCENT = 100


def explain_time(
    float_nodes: Sequence[NodeProfile],
    integer_nodes: Sequence[NodeProfile],
    instruction_set: InstructionSet,
) -> tuple[LayerRemark, ...]:
    """Where integers lose their time.

    Args:
        float_nodes: Profile of the float file.
        integer_nodes: Profile of the file in integers, on the same machine.
        instruction_set: Its class of CPU.
    """
    total_us = sum(map(_time_us, integer_nodes))
    found: list[tuple[float, LayerRemark]] = []
    small: dict[str, list[float]] = {}
    for node in integer_nodes:
        time_us = _time_us(node)
        if node.op_type not in _BORDERS and node.input_type not in _FLOATS:
            continue
        if time_us < _LEAST_SHARE * total_us:
            small.setdefault(node.op_type, []).append(time_us)
        else:
            found.append((time_us, _costly(node.name, node.op_type, time_us / total_us)))
    for op_type, times_us in small.items():
        time_us = sum(times_us)
        if time_us >= _LEAST_SHARE * total_us:
            name = f"{len(times_us)} nodes {op_type}"
            found.append((time_us, _costly(name, op_type, time_us / total_us)))
    found += _slower_layers(float_nodes, integer_nodes, instruction_set)
    remarks = tuple(remark for _, remark in sorted(found, key=lambda each: -each[0]))
    if any(each.kind == "no-vnni" for each in remarks):
        return (_machine(instruction_set), *remarks)
    return remarks


def explain_loss(
    saturation: Sequence[NodeSaturation], sensitivities: Sequence[LayerSensitivity]
) -> tuple[LayerRemark, ...]:
    """Where integers lose their accuracy.

    Args:
        saturation: Sums that did not fit, by node, the worst first.
        sensitivities: Layers by the error that they cause, the worst first.
    """
    saturated = [
        LayerRemark(
            node=each.node,
            kind="saturation",
            sentence=f"{_PERCENT * each.pair_ratio:.3g} % of its sums of two products leave 16 "
            "bits on this class of CPU",
        )
        for each in saturation[:_MOST_LAYERS]
    ]
    sensitive = [
        LayerRemark(
            node=each.node,
            kind="output-error",
            sentence=f"this layer alone in integers gives the outputs an error of "
            f"{_PERCENT * each.error_ratio:.3g} % of their energy",
        )
        for each in sensitivities[:_MOST_LAYERS]
        if each.error_ratio > 0.0
    ]
    return (*saturated, *sensitive)


def _costly(name: str, op_type: str, share: float) -> LayerRemark:
    """What is not integer arithmetic, and its share of the time."""
    told = f"{_PERCENT * share:.0f} % of the time"
    if op_type in _BORDERS:
        sentence = f"{op_type} converts between float and 8 bits here and is not fused: {told}"
        return LayerRemark(node=name, kind="border", sentence=sentence)
    sentence = f"{op_type} runs in float between integers: {told}"
    return LayerRemark(node=name, kind="no-int8-kernel", sentence=sentence)


def _slower_layers(
    float_nodes: Sequence[NodeProfile],
    integer_nodes: Sequence[NodeProfile],
    instruction_set: InstructionSet,
) -> list[tuple[float, LayerRemark]]:
    """Layers that take longer in integers, with the time that each loses (rule 2)."""
    before, after = _layers(float_nodes), _layers(integer_nodes)
    if [each.mac_count for each in before] != [each.mac_count for each in after]:
        return _slower_together(before, after)
    slower = []
    for old, new in zip(before, after, strict=True):
        lost_us = _time_us(new) - _time_us(old)
        if new.input_type in _FLOATS or lost_us <= 0:
            continue
        macs = new.mac_count or 0
        figures = (
            f"{_time_us(new):.3g} us in integers, {_time_us(old):.3g} us in float "
            f"({macs:,} multiply-adds)"
        )
        if macs < _LITTLE_ARITHMETIC:
            remark = LayerRemark(
                node=new.name,
                kind="little-arithmetic",
                sentence=f"{figures}: too little arithmetic for integers to pay off",
            )
        elif instruction_set in _FEW_DOT_PRODUCTS:
            remark = LayerRemark(node=new.name, kind="no-vnni", sentence=figures)
        else:
            remark = LayerRemark(
                node=new.name,
                kind="no-int8-kernel",
                sentence=f"{figures}: the engine's float kernel is the better one",
            )
        slower.append((lost_us, remark))
    return slower


def _slower_together(
    before: Sequence[NodeProfile], after: Sequence[NodeProfile]
) -> list[tuple[float, LayerRemark]]:
    """All layers, where the engine cut the two files into different ones."""
    old_us, new_us = sum(map(_time_us, before)), sum(map(_time_us, after))
    if not before or new_us <= old_us:
        return []
    macs = median(each.mac_count or 0 for each in after)
    sentence = (
        f"{new_us:.3g} us in integers, {old_us:.3g} us in float, with {macs:,.0f} multiply-adds in "
        "the middle one"
    )
    little = macs < _LITTLE_ARITHMETIC
    sentence += ": too little arithmetic for integers to pay off" if little else ""
    remark = LayerRemark(
        node=f"all {len(after)} layers with weights",
        kind="little-arithmetic" if little else "no-int8-kernel",
        sentence=sentence,
    )
    return [(new_us - old_us, remark)]


def _machine(instruction_set: InstructionSet) -> LayerRemark:
    return LayerRemark(
        node="",
        kind="no-vnni",
        sentence=f"a CPU of the class {instruction_set} has no instruction that multiplies and "
        "adds bytes in 32 bits (VNNI on x86, dotprod on Arm), so that integers take more "
        "instructions there",
    )


def _layers(nodes: Sequence[NodeProfile]) -> list[NodeProfile]:
    return [each for each in nodes if each.mac_count]


def _time_us(node: NodeProfile) -> float:
    return median(node.times_us) if node.times_us else 0.0
