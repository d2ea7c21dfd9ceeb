"""Operators that quantization is about."""

from __future__ import annotations

#: Operators that have weights worth quantizing.
WEIGHTED = ("Conv", "Gemm", "MatMul")
