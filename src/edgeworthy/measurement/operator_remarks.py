"""What a profile means for the one who reads it.

Rules:

1. Each remark is one sentence with its figures, and follows from the profile alone.
2. What 8-bit integers could gain is said for a float model, what they do not gain for a quantized
   one: by this machine's own limits, not by its name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgeworthy.documents.operator_profile import OperatorTime, Roofline

_FAR = 0.3
_MATTERS = 0.1
_HARDLY = 1.15
_CONVERSIONS = frozenset(
    {"QuantizeLinear", "DequantizeLinear", "Cast", "ReorderInput", "ReorderOutput", "Transpose"}
)


def remarks_on(operators: Sequence[OperatorTime], roofline: Roofline) -> tuple[str, ...]:
    """Sentences on a profile; the most telling first.

    Args:
        operators: Longest time first.
        roofline: Of the machine.
    """
    return (
        *_on_int8(operators, roofline),
        *_on_conversions(operators),
        *_on_distance(operators),
    )


def _on_int8(operators: Sequence[OperatorTime], roofline: Roofline) -> Iterator[str]:
    peak = roofline.int8_gmacs_per_s
    if peak is None:
        yield "This engine has no 8-bit products on this machine."
        return
    gain = peak / roofline.float_gmacs_per_s
    arithmetic = [each for each in operators if each.mac_count]
    floats = sum(each.time_share for each in arithmetic if each.precision == "float")
    if floats >= _MATTERS:
        bound = 1 / (1 - floats + floats / gain) if gain > 1 else 1.0
        if gain < _HARDLY:
            yield (
                f"8-bit products are {gain:.1f} times as fast as float32 on this machine: "
                "quantizing makes the file smaller, not the model faster."
            )
        else:
            yield (
                f"8-bit products are {gain:.1f} times as fast as float32 on this machine; "
                f"{100 * floats:.0f} % of the time is in float products, so quantizing them can "
                f"make the model at most {bound:.1f} times as fast."
            )
    elif any(each.precision == "int8" for each in arithmetic) and gain < _HARDLY:
        yield (
            f"8-bit products are only {gain:.1f} times as fast as float32 on this machine, which "
            "is why quantizing did not make the model faster."
        )


def _on_conversions(operators: Sequence[OperatorTime]) -> Iterator[str]:
    share = sum(each.time_share for each in operators if each.op_type in _CONVERSIONS)
    if share >= _MATTERS:
        names = [f"`{each.op_type}`" for each in operators if each.op_type in _CONVERSIONS]
        yield (
            f"{100 * share:.0f} % of the time goes into converting and reordering "
            f"({', '.join(dict.fromkeys(names))}), which computes nothing."
        )


def _on_distance(operators: Sequence[OperatorTime]) -> Iterator[str]:
    for each in operators:
        ratio = each.reached_ratio
        if each.time_share < _MATTERS or ratio is None or ratio >= _FAR:
            continue
        words = "its bandwidth" if not each.mac_count else "what the roofline allows"
        yield (
            f"`{each.op_type}` ({each.precision}) takes {100 * each.time_share:.0f} % of the time "
            f"and reaches {100 * ratio:.0f} % of {words}: its {_nodes(each.node_count)} small, "
            "or its kernel does not suit this machine."
        )


def _nodes(count: int) -> str:
    return "node is" if count == 1 else f"{count} nodes are"
