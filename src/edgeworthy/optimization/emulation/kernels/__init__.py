"""The engine's integer operators, by domain and name."""

from __future__ import annotations

from collections.abc import Mapping

from edgeworthy.optimization.emulation.kernels.base import Kernel
from edgeworthy.optimization.emulation.kernels.convolution import qlinear_conv
from edgeworthy.optimization.emulation.kernels.matrix_products import (
    matmul_integer_to_float,
    qgemm,
    qlinear_matmul,
)

KERNELS: Mapping[tuple[str, str], Kernel] = {
    ("", "QLinearConv"): qlinear_conv,
    ("", "QLinearMatMul"): qlinear_matmul,
    ("com.microsoft", "MatMulIntegerToFloat"): matmul_integer_to_float,
    ("com.microsoft", "QGemm"): qgemm,
}
#: Integer products that we cannot emulate: a prediction with them would be a guess.
UNKNOWN = frozenset(
    {
        *("Attention", "ConvInteger", "DynamicQuantizeLSTM", "DynamicQuantizeMatMul"),
        *("MatMulBnb4", "MatMulInteger", "MatMulInteger16", "MatMulNBits", "QAttention"),
        *("QMoE", "QOrderedMatMul", "ConvTransposeInteger"),
    }
)

__all__ = ["KERNELS", "UNKNOWN", "Kernel"]
