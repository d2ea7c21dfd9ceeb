"""8-bit integers for reals: what may be quantized, and how."""

from edgeworthy.optimization.quantization.attention import (
    has_attention,
    tensors_before_products,
)
from edgeworthy.optimization.quantization.bias_correction import (
    bias_shifts,
    lower_biases,
    stored_weights,
    weights_on_steps,
)
from edgeworthy.optimization.quantization.chosen_ranges import chosen_ranges
from edgeworthy.optimization.quantization.eligibility import why_not
from edgeworthy.optimization.quantization.equalization import (
    equalize,
    observe_peaks,
    pairs_of,
)
from edgeworthy.optimization.quantization.float_layers import noisy_layers
from edgeworthy.optimization.quantization.gates import without_shut
from edgeworthy.optimization.quantization.input_moments import LayerInputs
from edgeworthy.optimization.quantization.plan import QuantizationPlan, make_plan
from edgeworthy.optimization.quantization.rounded_weights import (
    RoundedWeights,
    bounds_of,
    round_weights,
)
from edgeworthy.optimization.quantization.smoothing import meetings_of, smooth
from edgeworthy.optimization.quantization.static_int8 import (
    Quantized,
    must_be_pair_safe,
    quantize,
    weight_scales,
)
from edgeworthy.optimization.quantization.streams import (
    balance,
    observe_channels,
    streams_of,
)

__all__ = [
    "LayerInputs",
    "QuantizationPlan",
    "Quantized",
    "RoundedWeights",
    "balance",
    "bias_shifts",
    "bounds_of",
    "chosen_ranges",
    "equalize",
    "has_attention",
    "lower_biases",
    "make_plan",
    "meetings_of",
    "must_be_pair_safe",
    "noisy_layers",
    "observe_channels",
    "observe_peaks",
    "pairs_of",
    "quantize",
    "round_weights",
    "smooth",
    "stored_weights",
    "streams_of",
    "tensors_before_products",
    "weight_scales",
    "weights_on_steps",
    "why_not",
    "without_shut",
]
