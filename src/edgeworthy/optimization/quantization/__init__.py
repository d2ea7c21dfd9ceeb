"""8-bit integers for reals: what may be quantized, and how."""

from edgeworthy.optimization.quantization.bias_correction import correct_biases
from edgeworthy.optimization.quantization.eligibility import why_not
from edgeworthy.optimization.quantization.plan import QuantizationPlan, make_plan
from edgeworthy.optimization.quantization.static_int8 import quantize

__all__ = ["QuantizationPlan", "correct_biases", "make_plan", "quantize", "why_not"]
