"""The engine's integer operators, by domain and name."""

from __future__ import annotations

from collections.abc import Mapping

from edgeworthy.optimization.emulation.kernels.base import Kernel
from edgeworthy.optimization.emulation.kernels.convolution import qlinear_conv
from edgeworthy.optimization.emulation.kernels.matrix_products import (
    dynamic_quantize_matmul,
    matmul_integer,
    matmul_integer_to_float,
    qgemm,
    qlinear_matmul,
)

KERNELS: Mapping[tuple[str, str], Kernel] = {
    ("", "QLinearConv"): qlinear_conv,
    ("", "MatMulInteger"): matmul_integer,
    ("", "QLinearMatMul"): qlinear_matmul,
    ("com.microsoft", "DynamicQuantizeMatMul"): dynamic_quantize_matmul,
    ("com.microsoft", "MatMulIntegerToFloat"): matmul_integer_to_float,
    ("com.microsoft", "QGemm"): qgemm,
}
#: Integer products that we cannot emulate: a prediction with them would be a guess.
UNKNOWN = frozenset(
    {
        *("Attention", "ConvInteger", "DynamicQuantizeLSTM"),
        *("MatMulBnb4", "MatMulInteger16", "MatMulNBits", "QAttention"),
        *("QMoE", "QOrderedMatMul", "ConvTransposeInteger"),
    }
)

__all__ = ["KERNELS", "UNKNOWN", "Kernel"]
