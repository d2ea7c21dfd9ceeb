"""8-bit integers for reals: what may be quantized, and how."""

from edgeworthy.optimization.quantization.bias_correction import correct_biases
from edgeworthy.optimization.quantization.eligibility import why_not
from edgeworthy.optimization.quantization.plan import QuantizationPlan, make_plan
from edgeworthy.optimization.quantization.rounded_weights import round_weights
from edgeworthy.optimization.quantization.static_int8 import (
    must_be_pair_safe,
    quantize,
    weight_scales,
)

__all__ = [
    "QuantizationPlan",
    "correct_biases",
    "make_plan",
    "must_be_pair_safe",
    "quantize",
    "round_weights",
    "weight_scales",
    "why_not",
]
